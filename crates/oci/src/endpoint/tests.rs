//! The grammar of URLs as a table.

use proptest::prelude::*;

use super::*;

const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn parse(request: &str) -> Result<Endpoint, InvalidEndpoint> {
    let (method, target) = request.split_once(' ').expect("METHOD target");
    let (path, query) = target
        .split_once('?')
        .map_or((target, None), |(path, query)| (path, Some(query)));
    Endpoint::parse(method, path, query)
}

#[test]
fn every_endpoint_has_its_url() {
    for request in [
        "GET /v2/".to_owned(),
        format!("GET /v2/acme/hello/blobs/{DIGEST}"),
        "GET /v2/acme/hello/manifests/1.0".to_owned(),
        format!("GET /v2/acme/hello/manifests/{DIGEST}"),
        "POST /v2/acme/hello/blobs/uploads/".to_owned(),
        "POST /v2/acme/hello/blobs/uploads/?digest-algorithm=sha512".to_owned(),
        format!("POST /v2/acme/hello/blobs/uploads/?digest={DIGEST}"),
        format!("POST /v2/acme/hello/blobs/uploads/?mount={DIGEST}"),
        format!("POST /v2/acme/hello/blobs/uploads/?mount={DIGEST}&from=acme/other"),
        "PATCH /v2/acme/hello/blobs/uploads/0".to_owned(),
        format!("PUT /v2/acme/hello/blobs/uploads/0?digest={DIGEST}"),
        "GET /v2/acme/hello/blobs/uploads/0".to_owned(),
        "DELETE /v2/acme/hello/blobs/uploads/0".to_owned(),
        "PUT /v2/acme/hello/manifests/1.0".to_owned(),
        format!("PUT /v2/acme/hello/manifests/{DIGEST}?tag=a&tag=b"),
        "DELETE /v2/acme/hello/manifests/1.0".to_owned(),
        format!("DELETE /v2/acme/hello/blobs/{DIGEST}"),
        "GET /v2/acme/hello/tags/list".to_owned(),
        "GET /v2/acme/hello/tags/list?n=5&last=1.0".to_owned(),
        format!("GET /v2/acme/hello/referrers/{DIGEST}"),
        format!("GET /v2/acme/hello/referrers/{DIGEST}?artifactType=application%2Fvnd.example%2Bjson")
            .replace("%2F", "/"),
        "GET /v2/_catalog?n=7".to_owned(),
    ] {
        let endpoint = parse(&request).expect(&request);
        assert_eq!(format!("{} {endpoint}", endpoint.method()), request);
    }
}

#[test]
fn spellings_that_clients_use_are_understood() {
    let digest: Digest = DIGEST.parse().expect("a digest");
    let name: RepositoryName = "acme/hello".parse().expect("a name");
    let escaped = DIGEST.replace(':', "%3A");
    for (request, endpoint) in [
        ("GET /v2".to_owned(), Endpoint::Ping),
        ("HEAD /v2/".to_owned(), Endpoint::Ping),
        (
            format!("HEAD /v2/acme/hello/blobs/{escaped}"),
            Endpoint::GetBlob(name.clone(), digest.clone()),
        ),
        (
            "POST /v2/acme/hello/blobs/uploads".to_owned(),
            Endpoint::StartUpload(name.clone(), None),
        ),
        (
            format!("PUT /v2/acme/hello/blobs/uploads/0?digest={escaped}"),
            Endpoint::CompleteUpload(name.clone(), "0".to_owned(), digest.clone()),
        ),
        (
            format!("GET /v2/acme/hello/referrers/{DIGEST}?artifactType=application/wasm+x&last={escaped}"),
            Endpoint::ListReferrers(
                name.clone(),
                digest.clone(),
                Some("application/wasm+x".parse().expect("a type")),
                Some(digest.clone()),
            ),
        ),
        (
            format!("POST /v2/acme/hello/blobs/uploads/?mount={escaped}&from=Not/A/Name"),
            Endpoint::StartUpload(name, None),
        ),
    ] {
        assert_eq!(parse(&request), Ok(endpoint), "{request}");
    }
}

#[test]
fn a_repository_may_be_called_like_a_part_of_the_api() {
    for name in ["blobs", "manifests/tags", "tags/list", "a/blobs/uploads", "referrers"] {
        let endpoint = parse(&format!("GET /v2/{name}/tags/list")).expect(name);
        assert_eq!(endpoint.repository().map(RepositoryName::as_str), Some(name));
    }
}

/// **H11** An unknown path → not found; an unknown method at a known path → method not allowed, with the allowed ones.
#[test]
fn other_paths_and_methods_are_refused() {
    for path in [
        "/v2/xyz",
        "/v2/acme/hello",
        "/v2/tags/list",
        "/v2//",
        "/v2x",
        "/v3/",
        "/v2/acme/hello/tags/list/",
        "/v2/acme/hello/blobs/uploads/0/1",
    ] {
        assert_eq!(parse(&format!("GET {path}")), Err(InvalidEndpoint::Path), "{path}");
    }
    for (request, allowed) in [
        ("POST /v2/", "GET, HEAD"),
        ("BREW /v2/a/tags/list", "GET, HEAD"),
        ("GET /v2/a/blobs/uploads/", "POST"),
    ] {
        assert_eq!(parse(request), Err(InvalidEndpoint::Method(allowed)), "{request}");
    }
}

/// **H12** Escaped dots, slashes and NUL, doubled slashes and escapes, backslashes, bytes that are no UTF-8 → refused by the grammar.
#[test]
fn escapes_reach_no_other_name() {
    for name in [
        "a/%2e%2e%2fb",
        "a%2Fb",
        "a%252fb",
        "a//b",
        "a%5Cb",
        "a\\b",
        "a%00",
        "a%ff",
        "../a",
        "%2e%2e/a",
    ] {
        assert_eq!(
            parse(&format!("GET /v2/{name}/tags/list")),
            Err(InvalidEndpoint::Name(InvalidRepositoryName)),
            "{name}"
        );
    }
}

/// **D03** A digest that is a path, plain or escaped → refused before anything is looked up.
#[test]
fn a_digest_that_is_a_path_is_refused() {
    for digest in ["sha256:%2e%2e%2f%2e%2e%2fetc%2fpasswd", "sha256:..%2f..%2fetc%2fpasswd"] {
        assert!(
            matches!(
                parse(&format!("GET /v2/a/blobs/{digest}")),
                Err(InvalidEndpoint::Digest(_))
            ),
            "{digest}"
        );
    }
    assert_eq!(
        parse("GET /v2/a/blobs/sha256:../../etc/passwd"),
        Err(InvalidEndpoint::Path)
    );
}

#[test]
fn more_than_ten_tags_are_refused() {
    let tags = |n: usize| (0..n).map(|i| format!("tag={i}")).collect::<Vec<_>>().join("&");
    assert!(parse(&format!("PUT /v2/a/manifests/{DIGEST}?{}", tags(10))).is_ok());
    assert_eq!(
        parse(&format!("PUT /v2/a/manifests/{DIGEST}?{}", tags(11))),
        Err(InvalidEndpoint::TooManyTags)
    );
}

proptest! {
    #[test]
    fn no_request_makes_the_parser_panic(method in "GET|HEAD|PUT|POST|PATCH|DELETE|X", path: String, query: Option<String>) {
        let _ = Endpoint::parse(&method, &format!("/v2{path}"), query.as_deref());
    }

    #[test]
    fn what_is_built_is_parsed(name in "[a-z]{1,4}(/(blobs|tags|[a-z]{1,4})){0,2}", tag in "[a-z_][a-z.]{0,4}", n in 0..=1000usize, last in ".{1,6}") {
        let name: RepositoryName = name.parse().expect("generated from the grammar");
        let tag: Tag = tag.parse().expect("generated from the grammar");
        for endpoint in [
            Endpoint::GetManifest(name.clone(), tag.clone().into()),
            Endpoint::PutManifest(name.clone(), Digest::sha256("").into(), vec![tag]),
            Endpoint::ListTags(name.clone(), Page { n: Some(n), last: Some(last.clone()) }),
            Endpoint::AppendUpload(name, "0-a_Z".to_owned()),
        ] {
            prop_assert_eq!(parse(&format!("{} {endpoint}", endpoint.method())), Ok(endpoint));
        }
    }
}
