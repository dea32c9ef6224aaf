//! All servers are restarted, one after the other, and nobody notices.

use tokio::task::block_in_place;
use wreg_harness::balancer::Balancer;

use super::Fleet;

/// **L02** Three servers behind a balancer are restarted one after the other while clients push, pull and move tags → not one request fails, and all that was acknowledged is there.
#[tokio::test(flavor = "multi_thread")]
async fn a_rolling_restart_is_not_noticed() {
    let Some(mut fleet) = Fleet::start(3).await else {
        return;
    };
    let balancer = Balancer::before(&fleet.addresses()).await;
    let load = fleet.load(vec![balancer.address()], None);
    let workers = load.begin(3);
    for index in 0..3 {
        load.goes_on(3).await;
        balancer.wait_for_answers(index, 10).await;
        fleet.servers[index].ask_to_stop();
        balancer.wait_until_ready(index, false).await;
        load.goes_on(3).await;
        fleet.servers[index].ask_to_stop();
        let ended = block_in_place(|| fleet.servers[index].wait());
        assert!(ended.success(), "{}", fleet.servers[index].stderr());
        load.goes_on(3).await;
        let address = block_in_place(|| fleet.start_again(index));
        balancer.replace(index, address);
        balancer.wait_until_ready(index, true).await;
        balancer.wait_for_answers(index, 10).await;
    }
    let acknowledged = load.end(workers).await;
    assert_eq!(balancer.failures(), [""; 0], "{}", fleet.logs);
    load.has(&acknowledged).await;
    assert!(fleet.bucket.uploads().is_empty());
}
