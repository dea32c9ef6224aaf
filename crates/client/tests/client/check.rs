//! A check that a registry tells of while it goes on, and how it can end.

use std::{ops::ControlFlow, sync::atomic::Ordering};

use wreg_api::{Checked, FindingKind};
use wreg_client::Error;

use crate::{
    server::{Body, Reply, Server},
    setup::known,
};

const FINDING: &str =
    r#"{"finding":{"kind":"blob-missing","subject":"sha256:0","detail":"no bytes","repaired":false}}"#;
const CHECKED: &str = r#"{"checked":{"blobs":3,"objects":2,"manifests":1,"findings":1,"repaired":0}}"#;

/// How many things were found, and how it ended.
async fn check(server: &Server) -> (usize, Result<Checked, Error>) {
    let mut check = known(server).check(true, false).await.expect("it begins");
    let mut found = 0;
    loop {
        match check.next().await {
            Ok(ControlFlow::Continue(finding)) => {
                assert_eq!(finding.kind, FindingKind::BlobMissing);
                found += 1;
            }
            Ok(ControlFlow::Break(checked)) => return (found, Ok(checked)),
            Err(error) => return (found, Err(error)),
        }
    }
}

#[tokio::test]
async fn a_check_is_told_line_by_line() {
    let server = Server::start(|_| Reply::new(200).body(format!("\n\n{FINDING}\n\n{FINDING}\n{CHECKED}\n"))).await;
    let (found, checked) = check(&server).await;
    let expected = Checked {
        blobs: 3,
        objects: 2,
        manifests: 1,
        findings: 1,
        repaired: 0,
    };
    assert_eq!((found, checked.expect("it ends")), (2, expected));
    assert_eq!(server.lines(), ["POST /api/v1/admin/fsck?deep=true&repair=false"]);
    assert_eq!(server.headers("authorization"), ["Bearer hunter2"]);
}

#[tokio::test]
async fn a_check_that_breaks_off_has_no_result() {
    let announced = 1000;
    for body in [
        Body::Whole(format!("{FINDING}\n").into()),
        Body::Whole(format!("{FINDING}\n\n{CHECKED}").into()),
        Body::Whole(format!("{FINDING}\n\"failed\"\n").into()),
        Body::Whole(format!("{FINDING}\n{{}}\n").into()),
        Body::Cut(announced, format!("{FINDING}\n").into()),
        Body::Cut(announced, format!("{FINDING}\n{}", &CHECKED[..20]).into()),
    ] {
        let reply = Reply::new(200).with(body.clone());
        let server = Server::start(move |_| reply.clone()).await;
        let (found, checked) = check(&server).await;
        let error = checked.expect_err("it breaks off");
        assert!(!error.is_no() && found == 1, "{body:?}: {error}");
        if let Body::Whole(text) = &body
            && !text.ends_with(b"{}\n")
        {
            assert!(matches!(error, Error::Unfinished { .. }), "{body:?}: {error}");
        }
    }
}

/// **K03** A line of a check that never ends → an error at 64 KiB.
#[tokio::test]
async fn a_line_without_an_end_is_cut_off() {
    let server = Server::start(|_| Reply::new(200).with(Body::Endless)).await;
    let (_, checked) = check(&server).await;
    assert!(matches!(checked, Err(Error::TooLarge { unit: "bytes", .. })));
    assert!(server.sent.load(Ordering::Relaxed) < 16 << 20);
}
