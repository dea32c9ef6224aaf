//! The keys that sign artifacts: told to everybody, and changed by those who administer the server.

use wreg_api::{SigningKey, SigningKeyAction};
use wreg_trust::anchors::{AnchorKey, AnchorLog, Anchors, KeyState};

use super::{Error, Registry, Result};
use crate::{auth::permit::ServerPermit, metadata::attestation_keys::AttestationKey};

/// Where the log is served.
const LOG_PATH: &str = "/log";

impl Registry {
    /// What the registry says of itself to whoever is to trust it.
    pub async fn anchors(&self) -> Result<Anchors> {
        let keys = self.keys.list().await?;
        let log = self.metadata.find_log().await?;
        Ok(Anchors {
            schema: 1,
            signing: self.signing.to_string(),
            keys: keys.iter().map(anchor).collect::<Result<_>>()?,
            log: log.map(|log| AnchorLog {
                key: log.key,
                path: LOG_PATH.to_owned(),
            }),
        })
    }

    /// All keys, the newest first.
    pub async fn list_signing_keys(&self, _: &ServerPermit) -> Result<Vec<SigningKey>> {
        let keys = self.keys.list().await?;
        let shown = |key: AttestationKey| SigningKey {
            id: key.id,
            state: match key.state {
                KeyState::Next => "next",
                KeyState::Active => "active",
                KeyState::Retired => "retired",
            }
            .to_owned(),
            created_at: key.created_at,
            key: key.public_key,
        };
        Ok(keys.into_iter().map(shown).collect())
    }

    /// Makes the next key, or has it sign from now on.
    pub async fn change_signing_keys(&self, permit: &ServerPermit, action: SigningKeyAction) -> Result<()> {
        let actor = permit.actor().to_string();
        match action {
            SigningKeyAction::Announce => self.keys.announce(&actor).await?,
            SigningKeyAction::Activate => self.keys.activate(&actor).await?,
        }
        self.gate.forget();
        self.log.wake();
        Ok(())
    }
}

fn anchor(key: &AttestationKey) -> Result<AnchorKey> {
    let corrupt = || Error::Unavailable("a public key in the database is none".into());
    let announcement = key.announcement.as_deref().map(serde_json::from_str).transpose();
    Ok(AnchorKey {
        key: key.public_key.parse().map_err(|_| corrupt())?,
        state: key.state,
        created_at: key.created_at,
        announcement: announcement.map_err(|_| corrupt())?,
    })
}
