//! Every route, asked by everybody: the table of who may what, and of the answer to those who may not.

use reqwest::RequestBuilder;
use wreg_oci::{Digest, Endpoint, Page, RepositoryName, TagOrDigest};

use crate::{
    auth::{challenged, comparable, unknown_token},
    registry::{TestRegistry, header},
};

/// What a route asks of its caller.
#[derive(Debug, Clone, Copy)]
enum Needs {
    /// To be somebody, be it by an empty token.
    Identity,
    Pull,
    Push,
    Delete,
    Catalog,
    Administer,
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
enum Caller {
    Nobody,
    AnonymousToken,
    TokenOfAnotherRepository,
    PullOnlyToken,
    WrongToken,
    FullToken,
}

/// What they hear.
enum Expected {
    Allowed,
    /// 401, with these parameters of the challenge.
    Challenge(String),
}

/// The table of answers, in full.
fn expected(caller: Caller, needs: Needs, repository: &str) -> Expected {
    let scope = match needs {
        Needs::Identity => String::new(),
        Needs::Pull => format!(",scope=\"repository:{repository}:pull\""),
        Needs::Push => format!(",scope=\"repository:{repository}:pull,push\""),
        Needs::Delete => format!(",scope=\"repository:{repository}:delete\""),
        Needs::Administer => format!(",scope=\"repository:{repository}:*\""),
        Needs::Catalog => ",scope=\"registry:catalog:*\"".to_owned(),
    };
    match (caller, needs) {
        (Caller::WrongToken, _) => Expected::Challenge(",error=\"invalid_token\"".to_owned()),
        (Caller::Nobody, _) => Expected::Challenge(scope),
        (Caller::FullToken, _) | (_, Needs::Identity) | (Caller::PullOnlyToken, Needs::Pull) => Expected::Allowed,
        (Caller::AnonymousToken | Caller::TokenOfAnotherRepository | Caller::PullOnlyToken, _) => {
            Expected::Challenge(format!("{scope},error=\"insufficient_scope\""))
        }
    }
}

/// What the endpoints of the table are about.
struct Content {
    name: RepositoryName,
    blob: Digest,
    /// Held by another repository.
    foreign: Digest,
    /// One for each route that takes an upload.
    sessions: [String; 4],
    manifest: String,
}

struct Route {
    method: &'static str,
    target: String,
    needs: Needs,
    body: String,
    /// The status for those who may.
    allowed: u16,
}

/// The rows. `row_of` matches every endpoint and has no `_`: one that is added does not compile until it has its row here.
macro_rules! table {
    (|$at:ident| $($variant:ident $(($($part:expr),+))? with $body:expr => $needs:ident $allowed:literal;)+) => {
        fn rows($at: &Content) -> Vec<Route> {
            let endpoints = [$((Endpoint::$variant $(($($part),+))?, $body, Needs::$needs, $allowed)),+];
            let route = |(endpoint, body, needs, allowed): (Endpoint, String, Needs, u16)| {
                assert_eq!(endpoint.repository().is_none(), matches!(needs, Needs::Identity | Needs::Catalog), "{}", row_of(&endpoint));
                Route { method: endpoint.method(), target: endpoint.to_string(), needs, body, allowed }
            };
            endpoints.map(route).into()
        }

        fn row_of(endpoint: &Endpoint) -> &'static str {
            match endpoint { $(Endpoint::$variant { .. } => stringify!($variant),)+ }
        }
    };
}

// In an order in which each still finds what it needs.
table! { |at|
    Ping with none() => Identity 200;
    GetBlob(at.name.clone(), at.blob.clone()) with none() => Pull 200;
    GetManifest(at.name.clone(), tag("1.0")) with none() => Pull 200;
    ListTags(at.name.clone(), Page::default()) with none() => Pull 200;
    ListReferrers(at.name.clone(), at.blob.clone(), None) with none() => Pull 200;
    ListRepositories(Page::default()) with none() => Catalog 200;
    StartUpload(at.name.clone(), None) with none() => Push 202;
    PushBlob(at.name.clone(), Digest::sha256("pushed")) with "pushed".to_owned() => Push 201;
    MountBlob(at.name.clone(), at.foreign.clone(), None) with none() => Push 201;
    GetUpload(at.name.clone(), at.sessions[0].clone()) with none() => Push 204;
    AppendUpload(at.name.clone(), at.sessions[1].clone()) with "appended".to_owned() => Push 202;
    CompleteUpload(at.name.clone(), at.sessions[2].clone(), Digest::sha256("whole")) with "whole".to_owned() => Push 201;
    CancelUpload(at.name.clone(), at.sessions[3].clone()) with none() => Push 204;
    PutManifest(at.name.clone(), tag("2.0"), vec!["latest".parse().expect("a tag")]) with at.manifest.clone() => Push 201;
    DeleteManifest(at.name.clone(), tag("1.0")) with none() => Delete 202;
    DeleteBlob(at.name.clone(), Digest::sha256("pushed")) with none() => Delete 202;
}

/// wreg's own API, which is no part of [`Endpoint`].
fn own_rows(at: &Content) -> Vec<Route> {
    let one = format!("/api/v1/repository?repository={}", at.name);
    let route = |method, target: &str, needs, body: &str| Route {
        method,
        target: target.to_owned(),
        needs,
        body: body.to_owned(),
        allowed: 200,
    };
    vec![
        route("GET", &one, Needs::Pull, ""),
        route("PATCH", &one, Needs::Administer, "{}"),
        route("GET", "/api/v1/repositories", Needs::Catalog, ""),
    ]
}

fn tag(tag: &str) -> TagOrDigest {
    tag.parse().expect("a tag")
}

fn none() -> String {
    String::new()
}

fn all_rows(at: &Content) -> Vec<Route> {
    let mut rows = own_rows(at);
    rows.extend(self::rows(at));
    rows
}

/// A registry with the content of the table, and everybody's token.
struct Walk {
    registry: TestRegistry,
    content: Content,
    anonymous: String,
    other: String,
    pull_only: String,
    full: String,
}

impl Walk {
    async fn new() -> Self {
        let registry = TestRegistry::start().await;
        registry.push_image("acme/hidden", "1.0", b"layer").await;
        let manifest = registry.image("acme/hidden", b"layer").await.to_string();
        let foreign = registry.push_blob("acme/other", b"foreign").await;
        let session = async || {
            let location = registry.start_upload("acme/hidden").await;
            location.rsplit('/').next().unwrap_or_default().to_owned()
        };
        let sessions = [session().await, session().await, session().await, session().await];
        let name: RepositoryName = "acme/hidden".parse().expect("a name");
        let content = Content {
            name,
            blob: Digest::sha256("layer"),
            foreign,
            sessions,
            manifest,
        };
        let all = "repository:acme/hidden:*%20registry:catalog:*";
        Self {
            anonymous: registry.registry_token(all, true).await,
            other: registry.registry_token("repository:acme/other:*", false).await,
            pull_only: registry.registry_token("repository:acme/hidden:pull", false).await,
            full: registry
                .registry_token(&format!("{all}%20repository:acme/other:pull"), false)
                .await,
            registry,
            content,
        }
    }

    fn request(&self, caller: Caller, method: &str, route: &Route) -> RequestBuilder {
        let request = self
            .registry
            .anonymous(method, &route.target)
            .header("content-type", "application/vnd.oci.image.manifest.v1+json")
            .body(route.body.clone());
        match caller {
            Caller::Nobody => request,
            Caller::AnonymousToken => request.bearer_auth(&self.anonymous),
            Caller::TokenOfAnotherRepository => request.bearer_auth(&self.other),
            Caller::PullOnlyToken => request.bearer_auth(&self.pull_only),
            Caller::WrongToken => request.basic_auth("admin", Some(unknown_token())),
            Caller::FullToken => request.bearer_auth(&self.full),
        }
    }

    async fn ask(&self, caller: Caller, route: &Route) {
        let methods: &[&str] = if route.method == "GET" {
            &["GET", "HEAD"]
        } else {
            &[route.method]
        };
        for method in methods {
            let answer = self.request(caller, method, route).send().await.expect("an answer");
            let what = format!("{caller:?}: {method} {}", route.target);
            match expected(caller, route.needs, self.content.name.as_str()) {
                Expected::Allowed => assert_eq!(answer.status(), route.allowed, "{what}"),
                Expected::Challenge(parameters) if *method == "HEAD" => {
                    assert_eq!(answer.status(), 401, "{what}");
                    assert!(
                        header(&answer, "www-authenticate").ends_with(&format!("service=\"wreg\"{parameters}")),
                        "{what}"
                    );
                }
                Expected::Challenge(parameters) => challenged(&self.registry, answer, &parameters).await,
            }
        }
    }

    /// Everything that has ever changed.
    async fn changes(&self) -> (i64, i64) {
        let events = self.registry.count("SELECT COUNT(*) FROM events").await;
        (events, self.registry.count("SELECT COUNT(*) FROM uploads").await)
    }
}

/// **A01** Any route, without credentials → 401 with the scope that the route needs; nothing changes.
/// **A02** Any route, with a token for something else or for less → 401 `insufficient_scope`; nothing changes.
#[tokio::test]
async fn every_route_asks_for_what_it_needs() {
    let walk = Walk::new().await;
    let before = walk.changes().await;
    for caller in [
        Caller::Nobody,
        Caller::AnonymousToken,
        Caller::TokenOfAnotherRepository,
        Caller::WrongToken,
        Caller::PullOnlyToken,
    ] {
        for route in all_rows(&walk.content) {
            walk.ask(caller, &route).await;
        }
        assert_eq!(walk.changes().await, before, "{caller:?} has changed something");
    }
    // The control: with every right, every route does what it is for.
    for route in all_rows(&walk.content) {
        walk.ask(Caller::FullToken, &route).await;
    }
    let [_, appended, ..] = &walk.content.sessions;
    let left = format!("/v2/acme/hidden/blobs/uploads/{appended}");
    assert_eq!(walk.registry.send("DELETE", &left).await.status(), 204);
}

#[tokio::test]
async fn every_route_answers_alike_for_a_hidden_repository_and_for_none() {
    let walk = Walk::new().await;
    let absent = Content {
        name: "acme/absent".parse().expect("a name"),
        blob: walk.content.blob.clone(),
        foreign: walk.content.foreign.clone(),
        sessions: walk.content.sessions.clone(),
        manifest: walk.content.manifest.clone(),
    };
    for caller in [
        Caller::Nobody,
        Caller::AnonymousToken,
        Caller::TokenOfAnotherRepository,
        Caller::WrongToken,
    ] {
        for (hidden, absent) in all_rows(&walk.content).iter().zip(all_rows(&absent)) {
            let ask = async |route| {
                let answer = walk.request(caller, hidden.method, route).send().await;
                format!("{:?}", comparable(answer.expect("an answer")).await)
            };
            let (there, not_there) = (ask(hidden).await, ask(&absent).await);
            assert_eq!(
                there,
                not_there.replace("acme/absent", "acme/hidden"),
                "{caller:?} {}",
                hidden.target
            );
        }
    }
}

#[tokio::test]
async fn health_and_nothing_else_is_open_to_everybody() {
    let registry = TestRegistry::start().await;
    for (target, status) in [
        ("/livez", 200),
        ("/readyz", 200),
        ("/token", 200),
        ("/", 404),
        ("/metrics", 404),
        ("/v1/", 404),
        ("/api/v1/", 404),
        ("/v2/_catalog", 401),
    ] {
        let answer = registry.anonymous("GET", target).send().await.expect("an answer");
        assert_eq!(answer.status(), status, "{target}");
    }
}
