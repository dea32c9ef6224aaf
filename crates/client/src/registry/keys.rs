//! wreg's own API: the keys that sign registry tokens.

use http::Method;
use wreg_api::{KEYS, Key, KeyList};

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

    async fn ask_for_keys(&self, method: Method, what: &str) -> Result<Vec<Key>, Error> {
        let url = self.connection.origin.at(KEYS);
        let list: KeyList = self
            .answer(&Call::new(method, url, what, Access::Personal(None)))
            .await?;
        Ok(list.keys)
    }
}
