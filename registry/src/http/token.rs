//! `/token`: credentials against a registry token.
//!
//! Source: CNCF distribution, "Token Authentication Specification" (GET) and "`OAuth2` Token Authentication" (POST). No refresh token
//! is ever given: clients would keep it in place of the password, and several then refuse to work.

use axum::{
    extract::{Request, State},
    http::header,
    response::{IntoResponse as _, Response},
};
use serde_json::json;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{ApiError, Result, body, headers::RequestHeaders, keys, origin, origin::Origin};
use crate::{
    app::App,
    auth::{Grant, Identity, exchange::scope_text, scope::Scope},
    clock::Millis,
};

/// The largest form, in bytes.
const MAX_BODY: usize = 16 * 1024;

/// `GET /token?service=&scope=…`, with Basic or without credentials.
pub(super) async fn get(State(app): State<App>, request: Request) -> Response {
    let origin = Origin::of(&request);
    try_get(&app, request)
        .await
        .unwrap_or_else(|error| error.respond(&origin))
}

async fn try_get(app: &App, request: Request) -> Result<Response> {
    let identity = app
        .auth
        .identify(
            &RequestHeaders::new(request.headers()).authorization(),
            origin::client_address(request.extensions()),
        )
        .await?;
    if identity.is_registry_token() {
        return Err(crate::auth::InvalidCredentials::Wrong.into());
    }
    let query = Form(request.uri().query().unwrap_or_default().as_bytes());
    let grant = app
        .auth
        .exchange(&identity, &query.scopes())
        .await
        .map_err(keys::unavailable)?;
    Ok(answer(&grant, false))
}

/// `POST /token` with a form: `grant_type=password`, or a personal token as `refresh_token`.
pub(super) async fn post(State(app): State<App>, request: Request) -> Response {
    let origin = Origin::of(&request);
    try_post(&app, request)
        .await
        .unwrap_or_else(|error| error.respond(&origin))
}

async fn try_post(app: &App, request: Request) -> Result<Response> {
    let from = origin::client_address(request.extensions());
    let headers = RequestHeaders::new(request.headers());
    headers.refuse_content_coding()?;
    let declared = headers.content_length();
    let body = body::collect(
        request.into_body(),
        declared,
        MAX_BODY,
        ApiError::BodyTooLarge { limit: MAX_BODY },
    )
    .await?;
    let form = Form(&body);
    let secret = match form.get("grant_type").as_deref() {
        Some("password") => form.get("password"),
        Some("refresh_token") => form.get("refresh_token"),
        _ => return Err(ApiError::GrantType),
    };
    let (user, secret) = (form.get("username").unwrap_or_default(), secret.unwrap_or_default());
    let identity: Identity = app.auth.identify_password(&user, &secret, from).await?;
    let grant = app
        .auth
        .exchange(&identity, &form.scopes())
        .await
        .map_err(keys::unavailable)?;
    Ok(answer(&grant, true))
}

fn answer(grant: &Grant, with_scope: bool) -> Response {
    let mut body = json!({
        "token": grant.token,
        "access_token": grant.token,
        "expires_in": grant.expires_in,
        "issued_at": rfc3339(grant.issued_at),
    });
    if with_scope {
        body["scope"] = scope_text(&grant.access).into();
    }
    ([(header::CACHE_CONTROL, "no-store")], axum::Json(body)).into_response()
}

fn rfc3339(time: Millis) -> String {
    let time = OffsetDateTime::from_unix_timestamp(time / 1000).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    time.format(&Rfc3339).unwrap_or_default()
}

/// Names and values, as in a query or a form.
struct Form<'a>(&'a [u8]);

impl Form<'_> {
    fn get(&self, name: &str) -> Option<String> {
        form_urlencoded::parse(self.0)
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }

    fn scopes(&self) -> Vec<Scope> {
        let scopes: Vec<_> = form_urlencoded::parse(self.0)
            .filter(|(key, _)| key == "scope")
            .map(|(_, value)| value)
            .collect();
        Scope::parse_all(scopes.iter().map(AsRef::as_ref))
    }
}
