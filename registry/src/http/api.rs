//! `/api/v1/`: the one way into wreg's own API, as `/v2/` has one.
//!
//! The caller is identified once, and each arm of [`dispatch`] gets its permit from the gate before it can call the noun's file.
//! A route that is added is added here, with what it asks of its caller.

use std::str::FromStr;

use axum::{
    extract::{Request, State},
    http::Method,
    response::Response,
};
use semver::VersionReq;
use serde::de::DeserializeOwned;
use wreg_oci::{Endpoint, InvalidEndpoint, Page, RepositoryName};

use super::{
    ApiError, Result, body, check, collection, components, deletions, events,
    headers::RequestHeaders,
    keys, namespaces, openapi,
    origin::{self, Origin},
    publications, repositories, search, signing_keys, tokens, versions,
};
use crate::{
    app::App,
    auth::{
        Gate,
        permit::{Administer, Delete, Pull, Push},
    },
    domain::check::Check,
};

/// The largest body of a request, in bytes.
const MAX_BODY: usize = 16 * 1024;

/// Everything under `/api/v1/`.
pub(super) async fn api(State(app): State<App>, request: Request) -> Response {
    let origin = Origin::of(&request);
    dispatch(&app, request)
        .await
        .unwrap_or_else(|error| error.respond(&origin))
}

async fn dispatch(app: &App, request: Request) -> Result<Response> {
    let (parts, body) = request.into_parts();
    let headers = RequestHeaders::new(&parts.headers);
    let from = origin::client_address(&parts.extensions);
    let identity = app.auth.identify(&headers.authorization(), from).await?;
    let gate = app.auth.gate(&identity);
    headers.refuse_content_coding()?;
    let query = parts.uri.query().unwrap_or_default();
    let body = Body {
        headers: &headers,
        body,
    };
    let registry = &app.registry;
    let read = [Method::GET, Method::HEAD].contains(&parts.method);
    match (parts.uri.path(), &parts.method) {
        (wreg_api::REPOSITORIES, _) if read => repositories::list(registry, gate.catalog()?, page(query)?).await,
        (wreg_api::REPOSITORY, _) if read => {
            repositories::show(registry, gate.permit::<Pull>(repository(query)?).await?).await
        }
        (wreg_api::REPOSITORY, &Method::PATCH) => {
            repositories::change(registry, gate.permit::<Administer>(repository(query)?).await?, body).await
        }
        (wreg_api::NAMESPACES, _) if read => namespaces::list(registry, gate.server()?, page(query)?).await,
        (wreg_api::NAMESPACE, _) if read => {
            namespaces::show(registry, gate.server()?, required(query, "namespace")?).await
        }
        (wreg_api::NAMESPACE, &Method::PATCH) => {
            namespaces::change(registry, gate.server()?, required(query, "namespace")?, body).await
        }
        (wreg_api::REPOSITORY | wreg_api::NAMESPACE, _) => Err(ApiError::MethodNotAllowed("GET, HEAD, PATCH")),
        (
            wreg_api::COMPONENT
            | wreg_api::EVENTS
            | wreg_api::HISTORY
            | wreg_api::LOG_SALT
            | wreg_api::MARKS
            | wreg_api::PUBLICATION
            | wreg_api::RESOLVE
            | wreg_api::SEARCH
            | wreg_api::VERSIONS
            | wreg_api::WIT,
            _,
        ) => understood(app, &gate, (parts.uri.path(), &parts.method), query, body).await,
        (wreg_api::OPENAPI, _) if read => Ok(openapi::show()),
        (wreg_api::NAMESPACES | wreg_api::OPENAPI | wreg_api::REPOSITORIES, _) => {
            Err(ApiError::MethodNotAllowed("GET, HEAD"))
        }
        (wreg_api::KEYS, _) if read => keys::list(&app.auth, gate.server()?).await,
        (wreg_api::KEYS, &Method::POST) => keys::rotate(&app.auth, gate.server()?).await,
        (wreg_api::SIGNING_KEYS, _) if read => signing_keys::list(registry, gate.server()?).await,
        (wreg_api::SIGNING_KEYS, &Method::POST) => {
            signing_keys::change(registry, gate.server()?, required(query, "action")?).await
        }
        (wreg_api::TOKENS, _) if read => tokens::list(registry, gate.server()?, page(query)?).await,
        (wreg_api::TOKENS, &Method::POST) => tokens::create(registry, gate.server()?, body).await,
        (wreg_api::TOKENS, &Method::DELETE) => tokens::revoke(registry, gate.server()?, parameter(query, "id")).await,
        (wreg_api::TOKENS, _) => Err(ApiError::MethodNotAllowed("GET, HEAD, POST, DELETE")),
        (wreg_api::DELETED, _) if read => {
            let permit = gate.permit::<Delete>(repository(query)?).await?;
            deletions::list(registry, permit, parameter(query, "last")).await
        }
        (wreg_api::DELETED, &Method::POST) => {
            let permit = gate.permit::<Delete>(repository(query)?).await?;
            deletions::undelete(registry, permit, required(query, "reference")?).await
        }
        (wreg_api::DELETED | wreg_api::KEYS | wreg_api::SIGNING_KEYS, _) => {
            Err(ApiError::MethodNotAllowed("GET, HEAD, POST"))
        }
        (wreg_api::COLLECTION, &Method::POST) => {
            let permit = gate.server()?;
            let dry_run = optional(query, "dry_run")?.unwrap_or(false);
            collection::collect(registry, permit, dry_run, optional(query, "cursor")?).await
        }
        (wreg_api::CHECK, &Method::POST) => {
            let permit = gate.server()?;
            let check = Check {
                deep: optional(query, "deep")?.unwrap_or(false),
                repair: optional(query, "repair")?.unwrap_or(false),
            };
            Ok(check::check(registry, &permit, check))
        }
        (wreg_api::CHECK | wreg_api::COLLECTION, _) => Err(ApiError::MethodNotAllowed("POST")),
        _ => Err(ApiError::NotFound),
    }
}

/// What the registry understands of what it holds: components, versions, changes.
async fn understood(
    app: &App,
    gate: &Gate<'_>,
    (path, method): (&str, &Method),
    query: &str,
    body: Body<'_>,
) -> Result<Response> {
    let registry = &app.registry;
    let read = [Method::GET, Method::HEAD].contains(method);
    match (path, method) {
        (wreg_api::COMPONENT, _) if read => {
            let permit = gate.permit::<Pull>(repository(query)?).await?;
            components::show(registry, permit, gate.search(), required(query, "reference")?).await
        }
        (wreg_api::WIT, _) if read => {
            let permit = gate.permit::<Pull>(repository(query)?).await?;
            components::wit(registry, permit, required(query, "reference")?).await
        }
        (wreg_api::PUBLICATION, _) if read => {
            let permit = gate.permit::<Pull>(repository(query)?).await?;
            let wait = optional(query, "wait")?.unwrap_or(0);
            publications::show(registry, permit, required(query, "reference")?, wait).await
        }
        (wreg_api::LOG_SALT, _) if read => {
            publications::salt(registry, gate.permit::<Pull>(repository(query)?).await?).await
        }
        (wreg_api::VERSIONS, _) if read => {
            versions::list(registry, gate.permit::<Pull>(repository(query)?).await?).await
        }
        (wreg_api::RESOLVE, _) if read => {
            let permit = gate.permit::<Pull>(repository(query)?).await?;
            let given = parameter(query, "req").is_some_and(|text| !text.is_empty());
            let requirement = if given {
                required(query, "req")?
            } else {
                VersionReq::STAR
            };
            versions::resolve(registry, permit, requirement).await
        }
        (wreg_api::SEARCH, _) if read => search::search(registry, gate.search(), query).await,
        (wreg_api::EVENTS, _) if read => {
            let after = optional(query, "after")?;
            let last = body.headers.last_event_id();
            if body.headers.accepts_event_stream() && *method == Method::GET {
                events::follow(registry, gate.search(), last.or(after), app.leaving()).await
            } else {
                events::list(registry, gate.search(), after.unwrap_or(0)).await
            }
        }
        (wreg_api::HISTORY, _) if read => {
            let permit = gate.permit::<Pull>(repository(query)?).await?;
            events::history(registry, permit, required(query, "tag")?).await
        }
        (wreg_api::MARKS, &Method::POST) => {
            let permit = gate.permit::<Push>(repository(query)?).await?;
            versions::mark(registry, permit, required(query, "reference")?, body).await
        }
        (wreg_api::MARKS, _) => Err(ApiError::MethodNotAllowed("POST")),
        _ => Err(ApiError::MethodNotAllowed("GET, HEAD")),
    }
}

/// A body that has not been read yet.
pub(super) struct Body<'a> {
    headers: &'a RequestHeaders<'a>,
    body: axum::body::Body,
}

impl Body<'_> {
    /// Reads it as a JSON object, of 16 KiB at most.
    pub(super) async fn read_object<T: DeserializeOwned>(self) -> Result<T> {
        let declared = self.headers.content_length();
        let bytes = body::collect(
            self.body,
            declared,
            MAX_BODY,
            ApiError::BodyTooLarge { limit: MAX_BODY },
        )
        .await?;
        // The derived reader would also take the members from an array, by their order.
        if !bytes.trim_ascii_start().starts_with(b"{") {
            return Err(ApiError::Json("expected an object".to_owned()));
        }
        serde_json::from_slice(&bytes).map_err(|error| ApiError::Json(error.to_string()))
    }
}

/// The value of a parameter, if it is given; the first, if it is given more than once.
fn parameter(query: &str, name: &str) -> Option<String> {
    let mut all = form_urlencoded::parse(query.as_bytes());
    all.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// The same as a value of its type.
fn optional<T: FromStr>(query: &str, name: &'static str) -> Result<Option<T>> {
    let parse = |text: String| text.parse().map_err(|_| ApiError::Parameter(name));
    parameter(query, name).map(parse).transpose()
}

/// The same, where the request means nothing without it.
fn required<T: FromStr>(query: &str, name: &'static str) -> Result<T> {
    optional(query, name)?.ok_or(ApiError::Parameter(name))
}

fn repository(query: &str) -> Result<RepositoryName> {
    let name = parameter(query, "repository").unwrap_or_default();
    Ok(name.parse().map_err(InvalidEndpoint::Name)?)
}

/// `n` and `last`, as the catalog takes them.
fn page(query: &str) -> Result<Page> {
    match Endpoint::parse("GET", "/v2/_catalog", Some(query))? {
        Endpoint::ListRepositories(page) => Ok(page),
        _ => Err(ApiError::NotFound),
    }
}
