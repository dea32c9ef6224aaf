//! `/api/v1/admin/fsck`: the check of the store against the database, told line by line while it goes on.

use std::time::Duration;

use axum::{
    body::Body,
    http::header,
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use futures_util::stream;
use tokio::{sync::mpsc, time};
use wreg_api::CheckLine;

use crate::{
    auth::permit::ServerPermit,
    domain::{Registry, check::Check},
};

/// Findings that wait for a client that reads slowly.
const AHEAD: usize = 64;
/// How often a check that finds nothing says that it goes on.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// `POST [?deep=true][&repair=true]`. A client that goes away ends the check.
pub(super) fn check(registry: &Registry, _permit: &ServerPermit, check: Check) -> Response {
    let (found, findings) = mpsc::channel(AHEAD);
    let registry = registry.clone();
    let checking = Box::pin(async move { registry.check(check, found).await });
    let lines = stream::unfold(Some((checking, findings)), async |state| {
        let (mut checking, mut findings) = state?;
        #[expect(
            clippy::disallowed_methods,
            reason = "it is the time between two signs of life, and nobody waits for it"
        )]
        let heartbeat = time::sleep(HEARTBEAT);
        tokio::select! {
            biased;
            Some(finding) = findings.recv() => Some((line(&CheckLine::Finding(finding)), Some((checking, findings)))),
            outcome = &mut checking => {
                // What it found last is told before how it ended.
                let mut last = Vec::new();
                while let Ok(finding) = findings.try_recv() {
                    last.extend_from_slice(&line(&CheckLine::Finding(finding)));
                }
                last.extend_from_slice(&line(&match outcome {
                    Ok(checked) => CheckLine::Checked(checked),
                    Err(error) => {
                        tracing::error!(error = &error as &dyn std::error::Error, "the check broke off");
                        CheckLine::Failed
                    }
                }));
                Some((Bytes::from(last), None))
            }
            () = heartbeat => Some((Bytes::from_static(b"\n"), Some((checking, findings)))),
        }
    });
    let lines = futures_util::StreamExt::map(lines, Ok::<_, std::io::Error>);
    (
        [(header::CONTENT_TYPE, "application/x-ndjson")],
        Body::from_stream(lines),
    )
        .into_response()
}

fn line(line: &CheckLine) -> Bytes {
    let mut text = serde_json::to_vec(line).unwrap_or_default();
    text.push(b'\n');
    text.into()
}
