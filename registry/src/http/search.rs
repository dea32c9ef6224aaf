//! `/api/v1/search`: components by words, and by what they import and export.

use axum::response::{AppendHeaders, IntoResponse as _, Response};
use wreg_api::FoundList;

use super::{ApiError, Result, headers::next_page};
use crate::{
    auth::permit::CatalogPermit,
    domain::{Registry, search::Search},
};

/// `GET /api/v1/search`.
pub(super) async fn search(registry: &Registry, permit: CatalogPermit, query: &str) -> Result<Response> {
    let page = registry.search(&permit, parse(query)?).await?;
    let next = page.next.map(|cursor| {
        let mut next = form_urlencoded::Serializer::new(String::new());
        let others = form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key != "cursor");
        next.extend_pairs(others).append_pair("cursor", &cursor.to_string());
        next_page(&format!("{}?{}", wreg_api::SEARCH, next.finish()))
    });
    let body = axum::Json(FoundList { components: page.found });
    Ok((AppendHeaders(next), body).into_response())
}

/// Reads what is asked for. Unknown parameters are refused: a condition that is misspelt would find too much.
fn parse(query: &str) -> Result<Search> {
    fn number<T: std::str::FromStr>(name: &'static str, text: &str) -> Result<T> {
        text.parse().map_err(|_| ApiError::Parameter(name))
    }
    let mut search = Search::default();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let value = value.into_owned();
        match &*name {
            "q" => search.words = value,
            "exports" => search.exports.push(value),
            "imports" => search.imports.push(value),
            "world" => search.worlds.push(value),
            "imports_only" => {
                let names = value.split(',').map(|name| name.trim().to_owned());
                search.imports_only.get_or_insert_default().extend(names);
            }
            "language" => search.language = Some(value),
            "license" => search.license = Some(value),
            "kind" => search.kind = Some(value),
            "max_size" => search.max_size = Some(number("max_size", &value)?),
            "n" => search.n = Some(number("n", &value)?),
            "cursor" => search.cursor = Some(number("cursor", &value)?),
            _ => return Err(ApiError::Parameter("of this name")),
        }
    }
    Ok(search)
}
