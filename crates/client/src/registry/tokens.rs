//! wreg's own API: personal tokens.

use http::{HeaderValue, Method, StatusCode, header::CONTENT_TYPE};
use wreg_api::{CreatedToken, NewToken, TOKENS, Token, TokenList};

use super::Registry;
use crate::{
    Error,
    http::{Access, Body, Call, read_at_most},
};

/// The most tokens, and the most bytes of their list.
const MAX_TOKENS: usize = 100_000;
const MAX_LIST_BYTES: u64 = 64 * 1024 * 1024;

/// The most bytes of one token's answer.
const MAX_BYTES: u64 = 1024 * 1024;

impl Registry {
    /// All tokens, ordered by name. [`Error::TooLarge`] beyond 100,000.
    pub async fn tokens(&self) -> Result<Vec<Token>, Error> {
        let url = self.connection.origin.at(TOKENS);
        let call = Call::new(Method::GET, url, "list of tokens", Access::Personal(None));
        let mut tokens = Vec::new();
        let take = |page: &[u8]| {
            let list: TokenList = serde_json::from_slice(page).map_err(|error| error.to_string())?;
            tokens.extend(list.tokens);
            Ok(tokens.len())
        };
        let limits = (MAX_LIST_BYTES, MAX_TOKENS, "tokens");
        self.connection.fetch_pages(call, limits, take).await?;
        Ok(tokens)
    }

    /// Makes a token. It is asked for once: whether a request without an answer made one, only the list can tell.
    pub async fn create_token(&self, new: &NewToken) -> Result<CreatedToken, Error> {
        let what = format!("new token {}", new.name);
        let misunderstood = |error: serde_json::Error| self.connection.misunderstood(&what, error.to_string());
        let body = serde_json::to_vec(new).map_err(misunderstood)?;
        let call = Call::new(
            Method::POST,
            self.connection.origin.at(TOKENS),
            &what,
            Access::Personal(None),
        );
        let call = call.header(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let call = call.body(Body::Bytes(body.into()));
        let response = self.connection.ask_once(&call, &[StatusCode::CREATED], &|_| ()).await?;
        let answer = read_at_most(response, MAX_BYTES).await;
        let answer = answer.map_err(|failure| failure.at(self.host(), &what))?;
        serde_json::from_slice(&answer).map_err(misunderstood)
    }

    /// Ends the token with this id and those that were made with it: all that ended.
    pub async fn revoke_token(&self, id: &str) -> Result<Vec<Token>, Error> {
        let mut url = self.connection.origin.at(TOKENS);
        url.query_pairs_mut().append_pair("id", id);
        let what = format!("token {id}");
        let call = Call::new(Method::DELETE, url, &what, Access::Personal(None));
        let ended: TokenList = self.answer(&call).await?;
        Ok(ended.tokens)
    }
}
