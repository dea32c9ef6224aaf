//! A clock that jumps.

use std::time::Duration;

use wreg_registry::domain::collection::When;

use super::{Collecting, DAY, HOUR};

async fn is_held(collecting: &Collecting) -> bool {
    let registry = collecting.registry.app.registry();
    let begun = registry.begin_collection("test", When::Now, None).await;
    begun.expect("an answer").is_none()
}

/// **P11** The clock goes back an hour, or forward ten years → nothing is collected until a whole lease has passed by the new time; then it goes on by itself.
#[tokio::test]
async fn nothing_is_collected_after_the_clock_jumped() {
    let collecting = Collecting::start().await;
    let registry = &collecting.registry;
    let years = 3650 * DAY;
    let jumps: [(&str, &dyn Fn()); 3] = [
        ("back", &|| collecting.clock.put_back(HOUR)),
        ("forward", &|| collecting.clock.advance(years)),
        ("back again", &|| collecting.clock.put_back(years)),
    ];
    for (name, jump) in jumps {
        let manifest = registry.image("acme/hello", name.as_bytes()).await;
        jump();
        assert!(is_held(&collecting).await, "{name}");
        collecting.pass(23 * HOUR).await;
        assert!(is_held(&collecting).await, "{name}");
        let answer = registry.put_manifest("acme/hello", "latest", &manifest).await;
        assert_eq!(answer.status().as_u16(), 201, "{name}");
        collecting.pass(HOUR).await;
        assert!(!is_held(&collecting).await, "{name}");
        collecting.pass(Duration::from_mins(11)).await;
        collecting.collect_bytes().await;
        assert!(collecting.has("acme/hello", name.as_bytes()).await);
    }
}
