//! Looking a host up in one file of credentials: docker's `config.json` or podman's `auth.json`.
//!
//! `docker_credential` reads what both know: helpers, entries, stores. What only podman knows, entries for part of a registry
//! (`reg.example/acme`), is read here first, the finest one before the others.

use std::{io, path::Path};

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use docker_credential::{CredentialRetrievalError, DockerCredential};
use serde::Deserialize;
use std::collections::HashMap;
use wreg_oci::{Host, RepositoryName};

use super::{helper, secret::Secret};
use crate::{Error, http::answer::printable};

/// The largest file that is read, in bytes.
const MAX_FILE: u64 = 4 * 1024 * 1024;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The whole of a file; `None` if there is none.
pub(super) async fn read(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    use tokio::io::AsyncReadExt as _;
    let failed = |source| Error::File {
        path: path.to_owned(),
        source,
    };
    let file = match tokio::fs::File::open(path).await {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).await.map_err(failed)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(problem(
            path,
            "it is larger than 4 MiB, which no file of credentials is",
        ));
    }
    Ok(Some(bytes))
}

/// The secret for `host`, or for `repository` there, in the file at `path`. `None` if there is none, or no file.
pub(super) async fn find(
    path: &Path,
    host: &Host,
    repository: Option<&RepositoryName>,
) -> Result<Option<Secret>, Error> {
    let Some(bytes) = read(path).await? else {
        return Ok(None);
    };
    if let Some(secret) = repository.and_then(|repository| in_part(&bytes, host, repository)) {
        return Ok(Some(secret));
    }
    let name = host.to_string();
    // It runs helper programs and waits for them.
    let found = tokio::task::spawn_blocking(move || docker_credential::get_credential_from_reader(&bytes[..], &name));
    let found = found
        .await
        .map_err(|_| problem(path, "looking it up was interrupted"))?;
    match found {
        Ok(DockerCredential::UsernamePassword(user, password)) => Ok(Some(Secret { user, password })),
        Ok(DockerCredential::IdentityToken(_)) => Err(Error::Credentials {
            place: path.display().to_string(),
            problem: format!("it holds an identity token for {host}, which is not understood here"),
            hint: Some(format!("log in with a personal token: `wreg login {host}`")),
        }),
        Err(CredentialRetrievalError::NoCredentialConfigured) => Ok(None),
        Err(CredentialRetrievalError::HelperFailure { stdout, .. }) if helper::knows_nothing(&stdout) => Ok(None),
        Err(CredentialRetrievalError::HelperFailure { helper, stdout, stderr }) => {
            let words = if stderr.trim().is_empty() { stdout } else { stderr };
            Err(helper::failed(&helper, &printable(&words), host))
        }
        Err(CredentialRetrievalError::HelperCommunicationError | CredentialRetrievalError::MalformedHelperResponse) => {
            let helper = format!("the credential helper named in {}", path.display());
            Err(helper::failed(
                &helper,
                "it cannot be run, or does not answer as helpers do",
                host,
            ))
        }
        Err(CredentialRetrievalError::ConfigReadError) => Err(problem(path, "it is not JSON of the expected form")),
        Err(_) => Err(problem(path, &format!("the entry for {host} cannot be read"))),
    }
}

fn problem(path: &Path, problem: &str) -> Error {
    Error::Credentials {
        place: path.display().to_string(),
        problem: problem.to_owned(),
        hint: None,
    }
}

/// The entry of the longest part of `host/repository` that has one, the host alone excepted.
fn in_part(bytes: &[u8], host: &Host, repository: &RepositoryName) -> Option<Secret> {
    #[derive(Deserialize)]
    struct Config {
        #[serde(default)]
        auths: HashMap<String, Entry>,
    }
    #[derive(Deserialize)]
    struct Entry {
        auth: Option<String>,
    }
    let config: Config = serde_json::from_slice(bytes).ok()?;
    let mut key = format!("{host}/{repository}");
    while key.len() > host.as_str().len() {
        if let Some(auth) = config.auths.get(&key).and_then(|entry| entry.auth.as_ref()) {
            let decoded = String::from_utf8(BASE64.decode(auth).ok()?).ok()?;
            let (user, password) = decoded.split_once(':')?;
            return Some(Secret::new(user, password));
        }
        key.truncate(key.rfind('/')?);
    }
    None
}
