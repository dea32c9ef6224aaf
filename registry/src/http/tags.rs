//! `/v2/<name>/tags/list` (end-8).

use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use wreg_oci::{Endpoint, Page, RepositoryName, Tag};

use super::{Result, headers::next_page};
use crate::{
    auth::{Permit, permit::Pull},
    domain::Registry,
};

#[derive(Serialize)]
struct TagList<'a> {
    name: &'a RepositoryName,
    tags: &'a [Tag],
}

/// end-8. Without `n` the list is complete: several clients read one page and follow no link.
pub(super) async fn list(registry: &Registry, permit: Permit<Pull>, page: Page) -> Result<Response> {
    let tags = registry.list_tags(&permit, &page).await?;
    let name = permit.repository();
    let body = axum::Json(TagList {
        name,
        tags: &tags.entries,
    });
    Ok(match tags.entries.last().filter(|_| tags.more) {
        Some(last) => {
            let next = Endpoint::ListTags(
                name.clone(),
                Page {
                    n: page.n,
                    last: Some(last.to_string()),
                },
            );
            ([next_page(&next.to_string())], body).into_response()
        }
        None => body.into_response(),
    })
}
