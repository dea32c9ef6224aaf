//! `/api/v1/events`, as pages and as a stream, and `/api/v1/history`.

use std::{
    fmt::Write as _,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::{
    body::Body,
    http::header,
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use futures_util::StreamExt as _;
use wreg_api::EventList;
use wreg_oci::Tag;

use super::Result;
use crate::{
    auth::{
        Permit,
        permit::{CatalogPermit, Pull},
    },
    domain::Registry,
};

/// `GET /api/v1/events?after=`.
pub(super) async fn list(registry: &Registry, permit: CatalogPermit, after: i64) -> Result<Response> {
    Ok(axum::Json(registry.list_events(&permit, after).await?).into_response())
}

/// The same as a stream of server-sent events (HTML Standard, section 9.2), which ends when the server does: clients then come back with
/// the number of the last one.
pub(super) async fn follow(
    registry: &Registry,
    permit: CatalogPermit,
    after: Option<i64>,
    leaving: Arc<AtomicBool>,
) -> Result<Response> {
    let pages = registry.follow_events(permit, after).await?;
    let texts = pages
        .take_while(move |_| std::future::ready(!leaving.load(Ordering::Relaxed)))
        .map(|page| page.map(|page| Bytes::from(text(&page))));
    // The first bytes, so that the client has its answer before anything happens.
    let texts = futures_util::stream::iter([Ok(Bytes::from_static(b": from here on\n\n"))]).chain(texts);
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    Ok((headers, Body::from_stream(texts)).into_response())
}

/// `GET /api/v1/history?repository=&tag=`.
pub(super) async fn history(registry: &Registry, permit: Permit<Pull>, tag: Tag) -> Result<Response> {
    Ok(axum::Json(registry.tag_history(&permit, tag).await?).into_response())
}

/// A page as events. JSON has no line breaks, so that each is one line of data. Where there is nothing, a comment says that somebody is
/// there.
fn text(page: &EventList) -> String {
    let mut text = String::new();
    for event in &page.events {
        let data = serde_json::to_string(event).unwrap_or_default();
        let _ = write!(text, "id: {}\nevent: {}\ndata: {data}\n\n", event.sequence, event.kind);
    }
    if text.is_empty() {
        text.push_str(": nothing new\n\n");
    }
    text
}
