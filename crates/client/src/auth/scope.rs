//! What a request needs the right to do.

use wreg_oci::RepositoryName;

/// The rights that a token must carry for a request, as the token endpoint is asked for them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Scope {
    /// The repository whose credentials are meant, where files know finer keys than the host.
    pub(crate) repository: Option<RepositoryName>,
    /// The values of the `scope` parameters: `repository:acme/hello:pull`.
    pub(crate) parameters: Vec<String>,
    /// Whether somebody without credentials might be allowed to do it too.
    pub(crate) reads_only: bool,
}

impl Scope {
    /// None but to be known.
    pub(crate) fn login() -> Self {
        Self {
            repository: None,
            parameters: Vec::new(),
            reads_only: false,
        }
    }

    /// To read.
    pub(crate) fn pull(repository: &RepositoryName) -> Self {
        Self {
            reads_only: true,
            ..Self::repository(repository, "pull")
        }
    }

    /// To read and write.
    pub(crate) fn push(repository: &RepositoryName) -> Self {
        Self::repository(repository, "pull,push")
    }

    /// To delete.
    pub(crate) fn delete(repository: &RepositoryName) -> Self {
        Self::repository(repository, "pull,delete")
    }

    /// To write, and to read from another repository besides.
    pub(crate) fn mount(repository: &RepositoryName, from: &RepositoryName) -> Self {
        let mut scope = Self::push(repository);
        scope.parameters.push(format!("repository:{from}:pull"));
        scope
    }

    fn repository(repository: &RepositoryName, actions: &str) -> Self {
        Self {
            repository: Some(repository.clone()),
            parameters: vec![format!("repository:{repository}:{actions}")],
            reads_only: false,
        }
    }
}
