//! Every route, asked by everybody in every way: the table of who may what, and of the answer to those who may not.

use std::{collections::BTreeSet, path::Path};

use reqwest::RequestBuilder;
use serde_json::json;
use wreg_harness::fixtures::wat;
use wreg_oci::{Digest, Endpoint, MediaType, Page, RepositoryName, TagOrDigest};

use crate::{
    auth::{challenged, comparable, unknown_token},
    registry::{TestRegistry, header, refused},
};

/// What a route asks of its caller.
#[derive(Debug, Clone, Copy)]
enum Needs {
    /// To be somebody, be it by an empty token.
    Identity,
    /// To have no credentials, or good ones that are no registry token.
    NothingWrong,
    /// To have no credentials, or good ones: what the answer holds depends on them.
    Anybody,
    Pull,
    Push,
    Delete,
    Catalog,
    Administer,
    Server,
}

/// What somebody's token is good for.
#[derive(Debug, Clone, Copy)]
enum Good {
    /// Everything, on every repository and the server.
    For,
    /// Pulling what the table is about.
    ToPull,
    /// Everything, on another repository.
    Elsewhere,
    /// Nothing: nobody was given it.
    ForNothing,
}

/// How a personal token is sent.
#[derive(Debug, Clone, Copy)]
enum By {
    Basic,
    Bearer,
}

/// Who asks, and how.
#[derive(Debug, Clone, Copy)]
enum Caller {
    /// No credentials.
    Nobody,
    /// Basic with empty user name and password.
    EmptyBasic,
    /// A registry token that was exchanged for nothing.
    AnonymousGrant,
    /// A registry token that the administrator has exchanged.
    Grant(Good),
    Personal(Good, By),
}

/// Everybody but those who may everything, who change what the others are asked about.
const LESSER: [Caller; 13] = [
    Caller::Nobody,
    Caller::EmptyBasic,
    Caller::AnonymousGrant,
    Caller::Grant(Good::ToPull),
    Caller::Grant(Good::Elsewhere),
    Caller::Grant(Good::ForNothing),
    Caller::Personal(Good::ToPull, By::Basic),
    Caller::Personal(Good::ToPull, By::Bearer),
    Caller::Personal(Good::Elsewhere, By::Basic),
    Caller::Personal(Good::Elsewhere, By::Bearer),
    Caller::Personal(Good::ForNothing, By::Basic),
    Caller::Personal(Good::ForNothing, By::Bearer),
    // Once more: those before may not have used up anything of theirs.
    Caller::Nobody,
];

/// What they hear.
enum Expected {
    Allowed,
    /// 401, with these parameters of the challenge.
    Challenge(String),
    /// 403.
    Denied,
    /// 404, as for what is not there.
    Hidden,
}

/// The table of answers, in full.
fn expected(caller: Caller, needs: Needs, repository: &str) -> Expected {
    let scope = match needs {
        Needs::Identity | Needs::NothingWrong | Needs::Anybody => String::new(),
        Needs::Pull => format!(",scope=\"repository:{repository}:pull\""),
        Needs::Push => format!(",scope=\"repository:{repository}:pull,push\""),
        Needs::Delete => format!(",scope=\"repository:{repository}:delete\""),
        Needs::Administer => format!(",scope=\"repository:{repository}:*\""),
        Needs::Catalog => ",scope=\"registry:catalog:*\"".to_owned(),
        Needs::Server => ",scope=\"registry:server:*\"".to_owned(),
    };
    match (caller, needs) {
        (Caller::EmptyBasic | Caller::Personal(Good::ForNothing, _) | Caller::Grant(Good::ForNothing), _)
        | (Caller::AnonymousGrant | Caller::Grant(_), Needs::NothingWrong) => {
            Expected::Challenge(",error=\"invalid_token\"".to_owned())
        }
        (_, Needs::Anybody) => Expected::Allowed,
        (Caller::Nobody, needs) if !matches!(needs, Needs::NothingWrong) => Expected::Challenge(scope),
        (_, Needs::NothingWrong | Needs::Identity)
        | (Caller::Grant(Good::For) | Caller::Personal(Good::For, _), _)
        | (Caller::Grant(Good::ToPull) | Caller::Personal(Good::ToPull, _), Needs::Pull)
        // What is listed is what they may pull.
        | (Caller::Personal(_, _), Needs::Catalog) => Expected::Allowed,
        (Caller::Nobody | Caller::AnonymousGrant | Caller::Grant(_), _) => {
            Expected::Challenge(format!("{scope},error=\"insufficient_scope\""))
        }
        (Caller::Personal(_, _), Needs::Server) | (Caller::Personal(Good::ToPull, _), _) => Expected::Denied,
        (Caller::Personal(Good::Elsewhere, _), _) => Expected::Hidden,
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
    /// The id of a token that can be revoked.
    token: String,
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
    ListReferrers(at.name.clone(), at.blob.clone(), None, None) with none() => Pull 200;
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

/// The routes beside the distribution API.
fn own_rows(at: &Content) -> Vec<Route> {
    let one = format!("{}?repository={}", wreg_api::REPOSITORY, at.name);
    let deleted = format!("{}?repository={}", wreg_api::DELETED, at.name);
    let namespace = format!("{}?namespace=acme", wreg_api::NAMESPACE);
    let revoked = format!("{}?id={}", wreg_api::TOKENS, at.token);
    let new_token = r#"{"name":"made","scopes":["a:pull"]}"#;
    let route = |method, target: &str, needs, body: &str, allowed| Route {
        method,
        target: target.to_owned(),
        needs,
        body: body.to_owned(),
        allowed,
    };
    vec![
        route("GET", &one, Needs::Pull, "", 200),
        route("PATCH", &one, Needs::Administer, "{}", 200),
        route("GET", wreg_api::OPENAPI, Needs::Anybody, "", 200),
        route("GET", wreg_api::REPOSITORIES, Needs::Catalog, "", 200),
        route("GET", &deleted, Needs::Delete, "", 200),
        route("POST", &format!("{deleted}&reference=1.0"), Needs::Delete, "", 200),
        route("POST", wreg_api::COLLECTION, Needs::Server, "", 200),
        route("POST", wreg_api::CHECK, Needs::Server, "", 200),
        route("GET", wreg_api::TOKENS, Needs::Server, "", 200),
        route("POST", wreg_api::TOKENS, Needs::Server, new_token, 201),
        route("DELETE", &revoked, Needs::Server, "", 200),
        route(
            "GET",
            &format!("{}?repository={}&reference=1.0.0", wreg_api::COMPONENT, at.name),
            Needs::Pull,
            "",
            200,
        ),
        route(
            "GET",
            &format!("{}?repository={}&reference=1.0.0", wreg_api::WIT, at.name),
            Needs::Pull,
            "",
            200,
        ),
        route(
            "GET",
            &format!("{}?repository={}", wreg_api::VERSIONS, at.name),
            Needs::Pull,
            "",
            200,
        ),
        route(
            "GET",
            &format!("{}?repository={}", wreg_api::RESOLVE, at.name),
            Needs::Pull,
            "",
            200,
        ),
        route(
            "POST",
            &format!("{}?repository={}&reference=1.0.0", wreg_api::MARKS, at.name),
            Needs::Push,
            r#"{"action":"unyank"}"#,
            200,
        ),
        route("GET", wreg_api::EVENTS, Needs::Anybody, "", 200),
        route(
            "GET",
            &format!("{}?repository={}&tag=1.0.0", wreg_api::HISTORY, at.name),
            Needs::Pull,
            "",
            200,
        ),
        route("GET", wreg_api::SEARCH, Needs::Anybody, "", 200),
        route("GET", wreg_api::NAMESPACES, Needs::Server, "", 200),
        route("GET", &namespace, Needs::Server, "", 200),
        route("PATCH", &namespace, Needs::Server, "{}", 200),
        route("GET", wreg_api::SIGNING_KEYS, Needs::Server, "", 200),
        // There is no next one.
        route(
            "POST",
            &format!("{}?action=activate", wreg_api::SIGNING_KEYS),
            Needs::Server,
            "",
            409,
        ),
        route(
            "GET",
            &format!("{}?repository={}", wreg_api::LOG_SALT, at.name),
            Needs::Pull,
            "",
            200,
        ),
        route(
            "GET",
            &format!("{}?repository={}&reference=1.0.0", wreg_api::PUBLICATION, at.name),
            Needs::Pull,
            "",
            200,
        ),
        route("GET", wreg_api::KEYS, Needs::Server, "", 200),
        route("POST", wreg_api::KEYS, Needs::Server, "", 200),
        route("GET", "/token", Needs::NothingWrong, "", 200),
    ]
}

fn tag(tag: &str) -> TagOrDigest {
    tag.parse().expect("a tag")
}

fn none() -> String {
    String::new()
}

fn all_rows(at: &Content) -> Vec<Route> {
    // What is deleted by the first is brought back by the second.
    let mut rows = rows(at);
    rows.extend(own_rows(at));
    rows
}

/// A registry with the content of the table, and everybody's token.
struct Walk {
    registry: TestRegistry,
    content: Content,
    anonymous: String,
    /// Registry tokens and personal ones, in the order of [`Good`].
    grants: [String; 4],
    personal: [String; 4],
}

impl Walk {
    async fn new() -> Self {
        let registry = TestRegistry::start().await;
        registry.push_image("acme/hidden", "1.0", b"layer").await;
        let component = wat::component();
        registry.push_blob("acme/hidden", &component).await;
        let mut artifact = registry.image("acme/hidden", b"layer").await;
        let manifest = artifact.to_string();
        artifact["layers"][0] =
            json!({ "mediaType": MediaType::WASM, "digest": Digest::sha256(&component), "size": component.len() });
        assert_eq!(
            registry.put_manifest("acme/hidden", "1.0.0", &artifact).await.status(),
            201
        );
        let foreign = registry.push_blob("acme/other", b"foreign").await;
        let everything = "repository:acme/hidden:*%20registry:catalog:*%20registry:server:*";
        let grant = async |scope: &str| registry.registry_token(scope, false).await;
        let (full, elsewhere) = (grant(everything).await, grant("repository:acme/other:*").await);
        // Signed by nobody who counts: the last part is another token's.
        let forged = full.rsplit_once('.').zip(elsewhere.rsplit_once('.'));
        let forged = forged.map(|((claims, _), (_, signature))| format!("{claims}.{signature}"));
        let grants = [
            full,
            grant("repository:acme/hidden:pull").await,
            elsewhere,
            forged.expect("a token has parts"),
        ];
        let personal = [
            registry
                .personal_token("full", &["*:pull,push,delete,repo:admin,server:admin"])
                .await,
            registry.personal_token("reader", &["acme/hidden:pull"]).await,
            registry
                .personal_token("elsewhere", &["acme/other:pull,push,delete,repo:admin"])
                .await,
            unknown_token(),
        ];
        registry.personal_token("revocable", &["a:pull"]).await;
        let anonymous = registry.registry_token(everything, true).await;
        let token = revocable(&registry).await;
        let name: RepositoryName = "acme/hidden".parse().expect("a name");
        let content = Content {
            name,
            blob: Digest::sha256("layer"),
            foreign,
            sessions: Default::default(),
            manifest,
            token,
        };
        Self {
            registry,
            content,
            anonymous,
            grants,
            personal,
        }
    }

    /// Opens the uploads of the table: they are their opener's alone.
    async fn open_uploads(&mut self, caller: Caller) {
        for session in &mut self.content.sessions {
            let request = self.registry.anonymous("POST", "/v2/acme/hidden/blobs/uploads/");
            let request = Self::authorized(&self.anonymous, &self.grants, &self.personal, caller, request);
            let location = header(&request.send().await.expect("an answer"), "location");
            location.rsplit('/').next().unwrap_or_default().clone_into(session);
        }
    }

    fn request(&self, caller: Caller, method: &str, route: &Route) -> RequestBuilder {
        let request = self
            .registry
            .anonymous(method, &route.target)
            .header("content-type", "application/vnd.oci.image.manifest.v1+json")
            .body(route.body.clone());
        Self::authorized(&self.anonymous, &self.grants, &self.personal, caller, request)
    }

    fn authorized(
        anonymous: &str,
        grants: &[String; 4],
        personal: &[String; 4],
        caller: Caller,
        request: RequestBuilder,
    ) -> RequestBuilder {
        match caller {
            Caller::Nobody => request,
            Caller::EmptyBasic => request.basic_auth("", Some("")),
            Caller::AnonymousGrant => request.bearer_auth(anonymous),
            Caller::Grant(good) => request.bearer_auth(&grants[good as usize]),
            Caller::Personal(good, By::Basic) => request.basic_auth("anybody", Some(&personal[good as usize])),
            Caller::Personal(good, By::Bearer) => request.bearer_auth(&personal[good as usize]),
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
            let status = answer.status().as_u16();
            match expected(caller, route.needs, self.content.name.as_str()) {
                Expected::Allowed => assert_eq!(status, route.allowed, "{what}"),
                Expected::Challenge(parameters) if *method == "HEAD" => {
                    assert_eq!(status, 401, "{what}");
                    assert!(
                        header(&answer, "www-authenticate").ends_with(&format!("service=\"wreg\"{parameters}")),
                        "{what}"
                    );
                }
                Expected::Denied if *method == "HEAD" => assert_eq!(status, 403, "{what}"),
                Expected::Hidden if *method == "HEAD" => assert_eq!(status, 404, "{what}"),
                other => {
                    let right = match other {
                        Expected::Challenge(_) => 401,
                        Expected::Denied => 403,
                        _ => 404,
                    };
                    assert_eq!(status, right, "{what}");
                    match other {
                        Expected::Challenge(parameters) => challenged(&self.registry, answer, &parameters).await,
                        Expected::Denied => drop(refused(answer, 403, "DENIED").await),
                        _ => drop(refused(answer, 404, "NAME_UNKNOWN").await),
                    }
                }
            }
        }
    }

    /// Everything that has ever changed.
    async fn changes(&self) -> (i64, i64) {
        let events = self.registry.count("SELECT COUNT(*) FROM events").await;
        (events, self.registry.count("SELECT COUNT(*) FROM uploads").await)
    }
}

async fn revocable(registry: &TestRegistry) -> String {
    let answer = registry.send("GET", wreg_api::TOKENS).await;
    let body: serde_json::Value = answer.json().await.expect("JSON");
    let mut tokens = body["tokens"].as_array().expect("a list").iter();
    let token = tokens.find(|token| token["name"] == "revocable").expect("it was made");
    token["id"].as_str().expect("an id").to_owned()
}

/// **A01** Any route, without credentials → 401 with the scope that the route needs; nothing changes.
/// **A02** Any route, with a registry token for something else or for less → 401 `insufficient_scope`; with a personal token, by Basic or Bearer → 403 DENIED if it may pull, else 404; nothing changes.
/// **A07** Any route, with the same token by another transport → the same answer.
#[tokio::test]
async fn every_route_asks_for_what_it_needs() {
    let mut walk = Walk::new().await;
    walk.open_uploads(Caller::Grant(Good::For)).await;
    let before = walk.changes().await;
    for caller in LESSER {
        for route in all_rows(&walk.content) {
            walk.ask(caller, &route).await;
        }
        assert_eq!(walk.changes().await, before, "{caller:?} has changed something");
    }
    for session in &walk.content.sessions {
        let target = format!("/v2/acme/hidden/blobs/uploads/{session}");
        assert_eq!(walk.registry.send("DELETE", &target).await.status(), 204);
    }
}

/// The control: with every right, in each way, every route does what it is for.
#[tokio::test]
async fn every_route_does_its_work_for_those_who_may() {
    for caller in [
        Caller::Grant(Good::For),
        Caller::Personal(Good::For, By::Basic),
        Caller::Personal(Good::For, By::Bearer),
    ] {
        let mut walk = Walk::new().await;
        walk.open_uploads(caller).await;
        for route in all_rows(&walk.content) {
            walk.ask(caller, &route).await;
        }
        let appended = format!("/v2/acme/hidden/blobs/uploads/{}", walk.content.sessions[1]);
        let request = walk.registry.anonymous("DELETE", &appended);
        let request = Walk::authorized(&walk.anonymous, &walk.grants, &walk.personal, caller, request);
        assert_eq!(request.send().await.expect("an answer").status(), 204);
    }
}

#[tokio::test]
async fn every_route_answers_alike_for_a_hidden_repository_and_for_none() {
    let mut walk = Walk::new().await;
    walk.open_uploads(Caller::Grant(Good::For)).await;
    let absent = Content {
        name: "acme/absent".parse().expect("a name"),
        blob: walk.content.blob.clone(),
        foreign: walk.content.foreign.clone(),
        sessions: walk.content.sessions.clone(),
        manifest: walk.content.manifest.clone(),
        token: walk.content.token.clone(),
    };
    for caller in LESSER {
        if matches!(caller, Caller::Grant(Good::ToPull) | Caller::Personal(Good::ToPull, _)) {
            continue;
        }
        for (hidden, absent) in all_rows(&walk.content).iter().zip(all_rows(&absent)) {
            if matches!(hidden.needs, Needs::NothingWrong | Needs::Anybody | Needs::Catalog) {
                continue;
            }
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
    for session in &walk.content.sessions {
        let target = format!("/v2/acme/hidden/blobs/uploads/{session}");
        assert_eq!(walk.registry.send("DELETE", &target).await.status(), 204);
    }
}

/// The words that follow `before` in a source file of the server.
fn named_in(file: &str, before: &str) -> BTreeSet<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http").join(file);
    let text = std::fs::File::open(path).and_then(std::io::read_to_string);
    let text = text.expect("a source file");
    let word = |rest: &str| {
        rest.trim_start()
            .split([',', ' ', ')', '\n'])
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    text.split(before).skip(1).map(word).collect()
}

/// A route that is added has to be added to the table: paths are read from the server's own list, methods from what it allows.
#[tokio::test]
async fn the_table_knows_every_route() {
    let routes = named_in("mod.rs", ".route(");
    let known = [
        "/v2",
        "/v2/",
        "/v2/{*path}",
        "/token",
        "/api/v1/{*path}",
        "/livez",
        "/readyz",
    ];
    let open: BTreeSet<_> = routes
        .iter()
        .filter(|route| !known.contains(&route.trim_matches('"')))
        .collect();
    let known_open = OPEN_ROUTES.map(|route| format!("{route:?}"));
    assert!(
        open.is_subset(&known_open.iter().chain(&OPEN_CONSTANTS.map(str::to_owned)).collect()),
        "no row for {open:?}"
    );

    let walk = Walk::new().await;
    let rows = own_rows(&walk.content);
    let path = |row: &Route| row.target.split('?').next().unwrap_or_default().to_owned();
    let paths: BTreeSet<_> = rows.iter().map(path).filter(|path| path != "/token").collect();
    // As many constants as paths: each arm names its path by one.
    let constants = named_in("api.rs", "wreg_api::");
    assert_eq!(constants.len(), paths.len(), "{constants:?} have rows for {paths:?}");
    for path_of_row in paths {
        let answer = walk.registry.send("LINK", &path_of_row).await;
        assert_eq!(answer.status(), 405);
        let allowed = header(&answer, "allow");
        let allowed: BTreeSet<_> = allowed.split(", ").filter(|method| *method != "HEAD").collect();
        let of_rows: BTreeSet<_> = rows
            .iter()
            .filter(|row| path(row) == path_of_row)
            .map(|row| row.method)
            .collect();
        assert_eq!(allowed, of_rows, "{path_of_row}");
        let described = wreg_api::operations::OPERATIONS.iter();
        let described = described.filter(|row| row.path == path_of_row).map(|row| row.method);
        assert_eq!(
            described.collect::<BTreeSet<_>>(),
            of_rows,
            "{path_of_row} in the description"
        );
    }
}

/// What anybody may read beside health: where packages are, and the log of changes, which names nothing that is not public.
const OPEN_ROUTES: [&str; 3] = ["/.well-known/wasm-pkg/registry.json", "/log/checkpoint", "/log/{*path}"];
/// The same by the names of constants: what the registry says of itself.
const OPEN_CONSTANTS: [&str; 2] = ["anchors::PATH", "anchors::KEY_PATH"];

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
