//! Lists have an end, even where a registry does not want one.

use std::{
    fmt::Write as _,
    sync::atomic::{AtomicUsize, Ordering},
};

use wreg_client::Error;
use wreg_oci::{Digest, MediaType};

use crate::{
    server::{Body, Reply, Server},
    setup::{anonymous, known, name},
};

#[tokio::test]
async fn tags_are_collected_over_all_pages() {
    let server = Server::start(|request| match request.target.as_str() {
        "/v2/a/b/tags/list" => Reply::new(200)
            .header("link", "</v2/a/b/tags/list?n=2&last=2>; rel=\"next\"")
            .body(r#"{"name":"a/b","tags":["1","2"]}"#),
        "/v2/a/b/tags/list?n=2&last=2" => Reply::new(200).body(r#"{"name":"a/b","tags":["3"]}"#),
        _ => Reply::new(404),
    })
    .await;
    let tags = anonymous(&server).tags(&name()).await.expect("tags");
    assert_eq!(
        tags.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["1", "2", "3"]
    );
}

#[tokio::test]
async fn no_tags_may_be_written_as_null() {
    let server = Server::start(|_| Reply::new(200).body(r#"{"name":"a/b","tags":null}"#)).await;
    assert_eq!(anonymous(&server).tags(&name()).await.expect("no tags"), []);
    let server = Server::start(|_| Reply::new(404)).await;
    assert!(matches!(
        anonymous(&server).tags(&name()).await,
        Err(Error::NotFound { .. })
    ));
}

/// **K03** A list of tags that goes on for ever → an error at 100,000 tags.
#[tokio::test]
async fn a_list_of_tags_without_an_end_is_cut_off() {
    let page = AtomicUsize::new(0);
    let server = Server::start(move |_| {
        let page = page.fetch_add(1, Ordering::Relaxed);
        let tags: Vec<String> = (0..10_000).map(|i| format!("\"{page}-{i}\"")).collect();
        let link = format!("</v2/a/b/tags/list?page={page}>; rel=\"next\"");
        Reply::new(200)
            .header("link", link)
            .body(format!(r#"{{"tags":[{}]}}"#, tags.join(",")))
    })
    .await;
    let error = anonymous(&server).tags(&name()).await.expect_err("too many");
    assert!(
        matches!(
            error,
            Error::TooLarge {
                limit: 100_000,
                unit: "tags",
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(server.lines().len(), 11);
}

/// **K03** Pages without entries that lead from one to the next for ever → an error at 1000 pages.
#[tokio::test]
async fn a_list_of_empty_pages_is_cut_off() {
    let server = Server::start(|_| {
        Reply::new(200)
            .header("link", "</v2/a/b/tags/list>; rel=next")
            .body(r#"{"tags":[]}"#)
    })
    .await;
    let error = anonymous(&server).tags(&name()).await.expect_err("too many");
    assert!(matches!(error, Error::TooLarge { unit: "pages", .. }), "{error}");
}

/// **K03** One page that never ends → an error at its limit.
#[tokio::test]
async fn a_page_without_an_end_is_cut_off() {
    let server = Server::start(|_| Reply::new(200).with(Body::Endless)).await;
    let error = anonymous(&server).tags(&name()).await.expect_err("too large");
    assert!(matches!(error, Error::TooLarge { unit: "bytes", .. }), "{error}");
    assert!(server.sent.load(Ordering::Relaxed) < 64 << 20);
}

#[tokio::test]
async fn a_tag_outside_the_grammar_is_not_shown() {
    let server = Server::start(|_| Reply::new(200).body("{\"tags\":[\"\\u001b[2J\"]}")).await;
    let error = anonymous(&server).tags(&name()).await.expect_err("no tag");
    assert!(matches!(error, Error::Protocol { .. }), "{error}");
}

fn index(count: usize) -> String {
    let mut entries = String::new();
    for i in 0..count {
        let digest = Digest::sha256(i.to_string());
        let comma = if i == 0 { "" } else { "," };
        write!(
            entries,
            r#"{comma}{{"mediaType":"application/x","digest":"{digest}","size":1,"artifactType":"application/y"}}"#
        )
        .expect("written");
    }
    format!(
        r#"{{"schemaVersion":2,"mediaType":"{}","manifests":[{entries}]}}"#,
        MediaType::IMAGE_INDEX
    )
}

#[tokio::test]
async fn referrers_are_listed_over_all_pages() {
    let server = Server::start(|request| {
        let reply = Reply::new(200).header("content-type", MediaType::IMAGE_INDEX.as_str());
        if request.target.ends_with("?page=2") {
            return reply.body(index(1));
        }
        let link = format!("<{}?page=2>; rel=\"next\"", request.target);
        reply.header("link", link).body(index(2))
    })
    .await;
    let referrers = anonymous(&server)
        .referrers(&name(), &Digest::sha256("x"))
        .await
        .expect("referrers");
    assert_eq!(referrers.len(), 3);
    assert_eq!(
        referrers[0].artifact_type,
        Some("application/y".parse().expect("a type"))
    );
}

/// **K03** A million referrers → an error at 10,000.
/// **V38** A list of referrers without an end → an error at 10,000.
#[tokio::test]
async fn a_list_of_referrers_without_an_end_is_cut_off() {
    let page = index(5_000);
    let server = Server::start(move |request| {
        Reply::new(200)
            .header("link", format!("<{}>; rel=\"next\"", request.target))
            .body(page.clone())
    })
    .await;
    let error = anonymous(&server)
        .referrers(&name(), &Digest::sha256("x"))
        .await
        .expect_err("too many");
    assert!(
        matches!(
            error,
            Error::TooLarge {
                limit: 10_000,
                unit: "referrers",
                ..
            }
        ),
        "{error}"
    );
}

#[tokio::test]
async fn where_there_is_no_list_of_referrers_the_tag_in_its_place_is_read() {
    let digest = Digest::sha256("x");
    let at = format!("/v2/a/b/manifests/sha256-{}", digest.encoded());
    let server = Server::start(move |request| {
        if request.target != at {
            return Reply::new(404);
        }
        let reply = Reply::new(200).header("content-type", MediaType::IMAGE_INDEX.as_str());
        reply.body(index(1))
    })
    .await;
    assert_eq!(
        anonymous(&server)
            .referrers(&name(), &digest)
            .await
            .expect("referrers")
            .len(),
        1
    );
    assert_eq!(
        anonymous(&server)
            .referrers(&name(), &Digest::sha256("y"))
            .await
            .expect("none"),
        []
    );
}

#[tokio::test]
async fn repositories_are_listed_over_all_pages() {
    let server = Server::start(|request| {
        let repository = |name: &str| {
            format!(
                r#"{{"repositories":[{{"name":"{name}","visibility":"private","immutable_tags":"none","missing_references":"reject","deletable":true,"tags":0,"manifests":0,"size":0,"created_at":0}}]}}"#
            )
        };
        match request.target.as_str() {
            "/api/v1/repositories" => {
                Reply::new(200).header("link", "</api/v1/repositories?last=a>; rel=\"next\"").body(repository("a"))
            }
            _ => Reply::new(200).body(repository("b")),
        }
    })
    .await;
    let repositories = known(&server).repositories().await.expect("repositories");
    assert_eq!(
        repositories
            .iter()
            .map(|repository| repository.name.as_str())
            .collect::<Vec<_>>(),
        ["a", "b"]
    );
    assert_eq!(server.headers("authorization"), ["Bearer hunter2", "Bearer hunter2"]);
}
