//! Upload sessions: whose they are, how they are named, how long they last.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::StatusCode;
use wreg_oci::Digest;
use wreg_registry::Clock;

use crate::{
    flows::{patch, put, stands_at},
    registry::{Options, TestDatabase, TestRegistry, header, refused},
};

/// **U09** The session of one repository used on another, or by another caller → 404 `BLOB_UPLOAD_UNKNOWN`, to the letter as for a session that never was, and the session stays as it is.
#[tokio::test]
async fn a_session_is_its_repositorys_and_its_callers_alone() {
    let options = Options {
        config: "dev = true\n",
        ..Options::default()
    };
    let registry = TestRegistry::with(options).await;
    let session = registry.start_upload("acme/hello").await;
    assert_eq!(patch(&registry, &session, None, b"hello").await.status(), 202);
    let never = "/v2/acme/hello/blobs/uploads/67e55044-10b1-426f-9247-bb680e5fe0c8";
    let elsewhere = session.replace("acme/hello", "acme/other");
    let digest = Digest::sha256("hello");
    for (target, anonymous) in [(session.as_str(), true), (&elsewhere, false), (&elsewhere, true)] {
        for (method, query) in [
            ("GET", ""),
            ("PATCH", ""),
            ("PUT", &*format!("?digest={digest}")),
            ("DELETE", ""),
        ] {
            let ask = async |target: &str| {
                let target = format!("{target}{query}");
                let request = if anonymous {
                    registry.anonymous(method, &target)
                } else {
                    registry.request(method, &target)
                };
                refused(request.send().await.expect("an answer"), 404, "BLOB_UPLOAD_UNKNOWN").await
            };
            assert_eq!(ask(target).await, ask(never).await, "{method} {target}");
        }
    }
    // The other way round: what anonymous began is not the administrator's.
    let request = registry.anonymous("POST", "/v2/acme/hello/blobs/uploads/");
    let theirs = header(&request.send().await.expect("an answer"), "location");
    refused(registry.send("DELETE", &theirs).await, 404, "BLOB_UPLOAD_UNKNOWN").await;

    stands_at(&registry, &session, 5).await;
    assert_eq!(put(&registry, &session, &digest, "").await.status(), 201);
}

/// **U10** A session's name with a character changed, cut, lengthened, spelt otherwise or put together from two → 404 `BLOB_UPLOAD_UNKNOWN`.
#[tokio::test]
async fn a_session_has_one_name_and_it_cannot_be_made_up() {
    let registry = TestRegistry::start().await;
    let (session, other) = (
        registry.start_upload("acme/hello").await,
        registry.start_upload("acme/hello").await,
    );
    let folder = "/v2/acme/hello/blobs/uploads/";
    let (id, other) = (session.replace(folder, ""), other.replace(folder, ""));
    let last = if id.ends_with('0') { "1" } else { "0" };
    for forged in [
        format!("{}{last}", &id[..id.len() - 1]),
        id[1..].to_owned(),
        format!("{id}0"),
        format!("{id}%00"),
        id.to_uppercase(),
        id.replace('-', ""),
        format!("%7B{id}%7D"),
        format!("urn:uuid:{id}"),
        format!("{}{}", &id[..18], &other[18..]),
        format!("..%2Fuploads%2F{id}"),
        "67e55044-10b1-426f-9247-bb680e5fe0c8".to_owned(),
        "%FF".to_owned(),
        "x".repeat(5000),
    ] {
        // Where the spelling has no letter, upper case changes nothing.
        if forged == id {
            continue;
        }
        for method in ["GET", "PATCH", "DELETE"] {
            let answer = registry.send(method, &format!("{folder}{forged}")).await;
            refused(answer, 404, "BLOB_UPLOAD_UNKNOWN").await;
        }
        let answer = put(&registry, &format!("{folder}{forged}"), &Digest::sha256(""), "").await;
        refused(answer, 404, "BLOB_UPLOAD_UNKNOWN").await;
    }
    assert_eq!(registry.send("GET", &session).await.status(), StatusCode::NO_CONTENT);
}

/// **U10** A session that has rested for 24 hours → 404 `BLOB_UPLOAD_UNKNOWN`; every chunk begins that time anew.
#[tokio::test]
async fn a_session_expires_when_it_has_rested_for_a_day() {
    const DAY: Duration = Duration::from_hours(24);
    const ALMOST: Duration = Duration::from_millis(24 * 60 * 60 * 1000 - 1);
    let clock = Clock::manual(1_800_000_000_000);
    let options = Options {
        may_leave_uploads: true,
        ..Options::at(&clock)
    };
    let registry = TestRegistry::with(options).await;
    let session = registry.start_upload("acme/hello").await;
    for received in 1..4 {
        clock.advance(ALMOST);
        assert_eq!(patch(&registry, &session, None, b"x").await.status(), 202);
        stands_at(&registry, &session, received).await;
    }
    clock.advance(DAY);
    for (method, target) in [
        ("GET", session.clone()),
        ("PATCH", session.clone()),
        ("PUT", format!("{session}?digest={}", Digest::sha256("xxx"))),
        ("DELETE", session.clone()),
    ] {
        refused(registry.send(method, &target).await, 404, "BLOB_UPLOAD_UNKNOWN").await;
    }
}

/// **U12** A session that was cancelled → 204, its bytes are gone from the disk, and PATCH, PUT, GET and DELETE answer 404 `BLOB_UPLOAD_UNKNOWN`.
#[tokio::test]
async fn a_cancelled_session_is_gone_with_its_bytes() {
    let registry = TestRegistry::start().await;
    let session = registry.start_upload("acme/hello").await;
    assert_eq!(patch(&registry, &session, None, &[0; 10_000]).await.status(), 202);
    assert_eq!(registry.upload_files().len(), 1);
    assert_eq!(registry.send("DELETE", &session).await.status(), StatusCode::NO_CONTENT);
    assert!(registry.upload_files().is_empty());
    for (method, target) in [
        ("PATCH", session.clone()),
        ("PUT", format!("{session}?digest={}", Digest::sha256([0; 10_000]))),
        ("GET", session.clone()),
        ("DELETE", session.clone()),
    ] {
        refused(
            registry.send_body(method, &target, "x").await,
            404,
            "BLOB_UPLOAD_UNKNOWN",
        )
        .await;
    }
    assert!(registry.upload_files().is_empty());
    assert_eq!(registry.count("SELECT COUNT(*) FROM uploads").await, 0);
}

/// **U13** More open sessions than one caller may have, where that is limited → 429 `TOOMANYREQUESTS` with `Retry-After`; another caller, a push in one request, and who has ended or outlived one are served.
#[tokio::test]
async fn open_sessions_can_be_limited_for_each_caller() {
    let clock = Clock::manual(1_800_000_000_000);
    let options = Options {
        config: "dev = true\nmax_open_uploads = 2\n",
        ..Options::at(&clock)
    };
    let registry = TestRegistry::with(options).await;
    let start = "/v2/acme/hello/blobs/uploads/";
    let first = registry.start_upload("acme/hello").await;
    registry.start_upload("acme/other").await;
    for target in [start.to_owned(), format!("{start}?mount={}", Digest::sha256("absent"))] {
        let answer = registry.send("POST", &target).await;
        assert_eq!(header(&answer, "retry-after"), "60");
        refused(answer, 429, "TOOMANYREQUESTS").await;
    }
    let other = registry.anonymous("POST", start).send().await.expect("an answer");
    assert_eq!(other.status(), StatusCode::ACCEPTED);
    registry.push_blob("acme/hello", b"in one request").await;

    assert_eq!(registry.send("DELETE", &first).await.status(), StatusCode::NO_CONTENT);
    registry.start_upload("acme/hello").await;
    refused(registry.send("POST", start).await, 429, "TOOMANYREQUESTS").await;
    clock.advance(Duration::from_hours(24));
    registry.start_upload("acme/hello").await;
}

/// **U13** Many sessions asked for at once, one of which may be open → on SQLite one is opened, and the others are 429.
#[tokio::test]
async fn sessions_that_begin_at_once_do_not_pass_the_limit_together() {
    let registry = TestRegistry::with(Options {
        config: "max_open_uploads = 1\n",
        ..Options::default()
    })
    .await;
    let begin = (0..30).map(|_| registry.send("POST", "/v2/acme/hello/blobs/uploads/"));
    let answers = join_all(begin).await;
    let opened = answers.iter().filter(|answer| answer.status() == StatusCode::ACCEPTED);
    match (opened.count(), &registry.database) {
        (1, _) => {}
        // PostgreSQL writes for several at a time, and those do not see each other.
        (more, TestDatabase::Postgres(_)) => assert!(more > 1),
        (opened, TestDatabase::Sqlite) => panic!("{opened} were opened"),
    }
}
