//! Wrong credentials, again and again.

use std::time::Duration;

use reqwest::Response;
use wreg_registry::Clock;

use crate::{
    auth::unknown_token,
    registry::{Options, TestRegistry, header, refused},
};

async fn start(clock: &Clock, config: &'static str) -> TestRegistry {
    TestRegistry::with(Options {
        config,
        ..Options::at(clock)
    })
    .await
}

/// What somebody hears who comes from an address, as a trusted proxy tells it.
async fn ask(registry: &TestRegistry, address: &str, user: &str, password: &str) -> Response {
    let request = registry.anonymous("GET", "/v2/").header("x-forwarded-for", address);
    request
        .basic_auth(user, Some(password))
        .send()
        .await
        .expect("an answer")
}

/// **A05** Five wrong passwords in 15 minutes from one address with one user name → the next is 429 with `Retry-After`, whatever route it is for; other addresses, other users and good tokens are not concerned, and later it is 401 again.
#[tokio::test]
async fn who_keeps_failing_is_told_to_wait() {
    let clock = Clock::manual(1_700_000_000_000);
    let registry = start(&clock, "max_failed_logins = 5\ntrusted_proxies = [\"127.0.0.0/8\"]").await;
    let wrong = unknown_token();
    for (i, password) in ["guess", "", &wrong, "wreg_pat_x", &wrong].into_iter().enumerate() {
        refused(ask(&registry, "192.0.2.1", "ci", password).await, 401, "UNAUTHORIZED").await;
        clock.advance(Duration::from_secs(if i == 0 { 60 } else { 1 }));
    }
    let limited = |answer: &Response| (answer.status().as_u16(), header(answer, "retry-after"));
    let answer = ask(&registry, "192.0.2.1", "ci", &wrong).await;
    assert_eq!(limited(&answer), (429, (15 * 60 - 64).to_string()));
    refused(answer, 429, "TOOMANYREQUESTS").await;
    for target in ["/token", "/api/v1/tokens", "/v2/acme/hello/tags/list"] {
        let request = registry.anonymous("GET", target).header("x-forwarded-for", "192.0.2.1");
        let answer = request.basic_auth("ci", Some(&wrong)).send().await.expect("an answer");
        assert_eq!(answer.status(), 429, "{target}");
    }
    let form = format!("grant_type=password&username=ci&password={wrong}");
    let request = registry
        .anonymous("POST", "/token")
        .header("x-forwarded-for", "192.0.2.1");
    assert_eq!(request.body(form).send().await.expect("an answer").status(), 429);

    assert_eq!(ask(&registry, "192.0.2.2", "ci", &wrong).await.status(), 401);
    assert_eq!(ask(&registry, "192.0.2.1", "other", &wrong).await.status(), 401);
    assert_eq!(ask(&registry, "192.0.2.1", "ci", &registry.token).await.status(), 200);
    // The first failure is forgotten, so one more is heard.
    clock.advance(Duration::from_secs(15 * 60 - 64));
    assert_eq!(ask(&registry, "192.0.2.1", "ci", &wrong).await.status(), 401);
    assert_eq!(ask(&registry, "192.0.2.1", "ci", &wrong).await.status(), 429);
}

#[tokio::test]
async fn on_loopback_nobody_is_limited_and_registry_tokens_never_are() {
    let clock = Clock::manual(1_700_000_000_000);
    for (config, basic) in [
        ("", 401),
        ("max_failed_logins = 0", 401),
        ("max_failed_logins = 1", 429),
    ] {
        let registry = start(&clock, config).await;
        let expired = registry.registry_token("", false).await;
        clock.advance(Duration::from_mins(10));
        for _ in 0..8 {
            let answer = registry.anonymous("GET", "/v2/").bearer_auth(&expired).send().await;
            // Clients that go on with an old one are to fetch a new one.
            assert_eq!(answer.expect("an answer").status(), 401);
        }
        for _ in 0..8 {
            ask(&registry, "", "ci", "wrong").await;
        }
        assert_eq!(ask(&registry, "", "ci", "wrong").await.status(), basic, "{config}");
    }
}
