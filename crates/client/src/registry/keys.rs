//! wreg's own API: the keys that sign registry tokens.

use http::Method;
use wreg_api::{KEYS, Key, KeyList, SIGNING_KEYS, SigningKey, SigningKeyAction, SigningKeyList};

use super::Registry;
use crate::{
    Error,
    http::{Access, Call},
};

impl Registry {
    /// The newest keys of all servers, newest first.
    pub async fn keys(&self) -> Result<Vec<Key>, Error> {
        self.ask_for_keys(Method::GET, "list of keys").await
    }

    /// Retires the keys of all servers: the keys after it. Repeated if its answer is lost: twice does no harm.
    pub async fn rotate_keys(&self) -> Result<Vec<Key>, Error> {
        self.ask_for_keys(Method::POST, "new key").await
    }

    /// The keys that sign artifacts, newest first.
    pub async fn signing_keys(&self) -> Result<Vec<SigningKey>, Error> {
        let url = self.connection.origin.at(SIGNING_KEYS);
        let call = Call::new(Method::GET, url, "list of signing keys", Access::Personal(None));
        let list: SigningKeyList = self.answer(&call).await?;
        Ok(list.keys)
    }

    /// Makes the next key that signs artifacts, or has it sign from now on: the keys after it.
    pub async fn change_signing_keys(&self, action: SigningKeyAction) -> Result<Vec<SigningKey>, Error> {
        let mut url = self.connection.origin.at(SIGNING_KEYS);
        url.query_pairs_mut().append_pair("action", action.as_str());
        let call = Call::new(Method::POST, url, "change of signing keys", Access::Personal(None));
        let list: SigningKeyList = self.answer(&call).await?;
        Ok(list.keys)
    }

    async fn ask_for_keys(&self, method: Method, what: &str) -> Result<Vec<Key>, Error> {
        let url = self.connection.origin.at(KEYS);
        let list: KeyList = self
            .answer(&Call::new(method, url, what, Access::Personal(None)))
            .await?;
        Ok(list.keys)
    }
}
