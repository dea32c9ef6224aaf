//! The feed of changes, and the history of a tag.

use std::time::Duration;

use futures_util::StreamExt as _;
use serde_json::{Value, json};
use wreg_harness::fixtures::wat;

use super::push;
use crate::registry::{TestRegistry, header, refused};

/// A guard against hanging, not a measure.
const PATIENCE: Duration = Duration::from_mins(1);

async fn page(registry: &TestRegistry, after: i64) -> (Vec<Value>, i64) {
    let answer = registry.send("GET", &format!("/api/v1/events?after={after}")).await;
    assert_eq!(answer.status(), 200);
    let page: Value = answer.json().await.expect("JSON");
    let events = page["events"].as_array().expect("a list").clone();
    (events, page["next"].as_i64().expect("a number"))
}

#[tokio::test]
async fn every_change_is_in_the_feed_once_and_in_order() {
    let registry = TestRegistry::start().await;
    push(&registry, "acme/hello", "1.0.0", &wat::component()).await;
    registry.push_image("acme/other", "latest", b"layer").await;
    registry.send("DELETE", "/v2/acme/other/manifests/latest").await;
    let (events, next) = page(&registry, 0).await;
    let told: Vec<_> = events
        .iter()
        .map(|event| (&event["repository"], &event["kind"]))
        .collect();
    let expected = json!([
        ["acme/hello", "repository-created"],
        ["acme/hello", "manifest-put"],
        ["acme/hello", "tag-put"],
        ["acme/other", "repository-created"],
        ["acme/other", "manifest-put"],
        ["acme/other", "tag-put"],
        ["acme/other", "tag-deleted"],
    ]);
    assert_eq!(json!(told), expected);
    assert_eq!(page(&registry, next).await, (vec![], next));
    let half = events[2]["sequence"].as_i64().expect("a number");
    assert_eq!(page(&registry, half).await, (events[3..].to_vec(), next));
}

#[tokio::test]
async fn nobody_is_told_of_what_they_may_not_pull() {
    let registry = TestRegistry::start().await;
    for repository in ["acme/secret", "acme/public", "other/secret"] {
        registry.push_image(repository, "latest", b"layer").await;
    }
    registry.set("acme/public", &json!({ "visibility": "public" })).await;
    let token = registry.personal_token("reader", &["other/*:pull"]).await;
    for (token, expected) in [
        (None, vec!["acme/public"]),
        (Some(token), vec!["acme/public", "other/secret"]),
    ] {
        let mut request = registry.anonymous("GET", "/api/v1/events");
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let page: Value = request.send().await.expect("an answer").json().await.expect("JSON");
        let events = page["events"].as_array().expect("a list").iter();
        let mut names: Vec<_> = events
            .map(|event| event["repository"].as_str().expect("a name"))
            .collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names, expected);
    }
}

#[tokio::test]
async fn a_stream_tells_what_happens_and_goes_on_where_it_broke_off() {
    let registry = TestRegistry::start().await;
    push(&registry, "acme/hello", "1.0.0", &wat::component()).await;
    let (events, last) = page(&registry, 0).await;
    let first = events[0]["sequence"].as_i64().expect("a number");
    for (header_name, from, expected) in [
        (
            Some("last-event-id"),
            first,
            vec!["manifest-put", "tag-put", "tag-deleted"],
        ),
        (None, last, vec!["tag-put", "tag-deleted"]),
    ] {
        let mut request = registry
            .request("GET", "/api/v1/events")
            .header("accept", "text/event-stream");
        if let Some(name) = header_name {
            request = request.header(name, from);
        }
        let answer = request.send().await.expect("an answer");
        assert_eq!(header(&answer, "content-type"), "text/event-stream");
        let mut body = answer.bytes_stream();
        let mut text = String::new();
        if header_name.is_none() {
            // It begins now.
            let piece = body.next().await.expect("a piece").expect("bytes");
            text.push_str(std::str::from_utf8(&piece).expect("text"));
            push(&registry, "acme/hello", "again", &wat::component()).await;
            registry.send("DELETE", "/v2/acme/hello/manifests/again").await;
        } else {
            registry.send("DELETE", "/v2/acme/hello/manifests/1.0.0").await;
        }
        let kinds = |text: &str| -> Vec<String> {
            let lines = text.lines().filter_map(|line| line.strip_prefix("event: "));
            lines.map(str::to_owned).collect()
        };
        let reading = async {
            while kinds(&text).len() < expected.len() {
                let piece = body.next().await.expect("a piece").expect("bytes");
                text.push_str(std::str::from_utf8(&piece).expect("text"));
            }
        };
        tokio::time::timeout(PATIENCE, reading).await.expect("it is told");
        assert_eq!(kinds(&text), expected);
    }
}

#[tokio::test]
async fn a_tag_has_a_history() {
    let registry = TestRegistry::start().await;
    let first = registry.push_image("acme/hello", "latest", b"first").await;
    let second = registry.push_image("acme/hello", "latest", b"second").await;
    registry.send("DELETE", "/v2/acme/hello/manifests/latest").await;
    let answer = registry
        .send("GET", "/api/v1/history?repository=acme/hello&tag=latest")
        .await;
    let history: Value = answer.json().await.expect("JSON");
    let steps = history["changes"].as_array().expect("a list").iter();
    let steps: Vec<_> = steps.map(|step| (step["from"].clone(), step["to"].clone())).collect();
    assert_eq!(json!(steps), json!([[second, null], [first, second], [null, first]]));
    let answer = registry
        .send("GET", "/api/v1/history?repository=acme/hello&tag=none")
        .await;
    refused(answer, 404, "MANIFEST_UNKNOWN").await;
}
