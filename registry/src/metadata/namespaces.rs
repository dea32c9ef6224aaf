//! Namespaces and their settings. A namespace comes to be with its first repository, or when something is set for it.

use sqlx::FromRow;
use wreg_api::{ComponentPolicy, Namespace, NamespaceSettings, NamespaceSigning, Policy, Versions};
use wreg_oci::{RepositoryName, name};

use super::{
    Metadata, Operation, Result, Touched, Tx,
    events::{self, Event, Kind},
    on_db, parse,
    signers::{PullRule, PullRuleRow, Signer},
    text, unsigned,
};
use crate::clock::Millis;

/// What is asked of what is pushed to a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policies {
    /// What happens to components that are not what they should be.
    pub components: Policy,
    /// Which version tags are written once.
    pub versions: Versions,
    /// What happens to new versions that break more than they say.
    pub compatibility: Policy,
    /// What the registry vouches for of it.
    pub signing: NamespaceSigning,
}

impl Policies {
    /// Those of a namespace for which nothing has been set.
    pub const DEFAULT: Self = Self {
        components: Policy::Warn,
        versions: Versions::Wasm,
        compatibility: Policy::Warn,
        signing: NamespaceSigning::Inherit,
    };
}

/// As events tell it: every setting with its value.
impl std::fmt::Display for Policies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            components,
            versions,
            compatibility,
            signing,
        } = self;
        write!(
            f,
            "components={components} versions={versions} compatibility={compatibility} signing={signing}"
        )
    }
}

#[derive(FromRow)]
struct PoliciesRow {
    components: String,
    versions: String,
    compatibility: String,
    signing: String,
}

impl TryFrom<PoliciesRow> for Policies {
    type Error = super::Error;

    fn try_from(row: PoliciesRow) -> Result<Self> {
        Ok(Self {
            components: parse(&row.components, "namespaces", "components")?,
            versions: parse(&row.versions, "namespaces", "versions")?,
            compatibility: parse(&row.compatibility, "namespaces", "compatibility")?,
            signing: parse(&row.signing, "namespaces", "signing")?,
        })
    }
}

#[derive(FromRow)]
struct NamespaceRow {
    name: String,
    #[sqlx(flatten)]
    policies: PoliciesRow,
    #[sqlx(flatten)]
    pull_rule: PullRuleRow,
    repositories: i64,
}

/// All that is set for a namespace.
#[derive(FromRow)]
struct SettingsRow {
    #[sqlx(flatten)]
    policies: PoliciesRow,
    #[sqlx(flatten)]
    pull_rule: PullRuleRow,
}

impl TryFrom<NamespaceRow> for Namespace {
    type Error = super::Error;

    fn try_from(row: NamespaceRow) -> Result<Self> {
        let policies = Policies::try_from(row.policies)?;
        let pull_rule = PullRule::try_from(row.pull_rule)?;
        Ok(Self {
            name: parse(&row.name, "namespaces", "name")?,
            components: policies.components,
            versions: policies.versions,
            compatibility: policies.compatibility,
            signing: policies.signing,
            pull: pull_rule.policy,
            signers: pull_rule.signers.iter().map(ToString::to_string).collect(),
            repositories: unsigned(row.repositories, "repositories", "count")?,
        })
    }
}

/// '0' is what follows '/' in the order of bytes.
const WITH_COUNTS: &str = "SELECT n.name, n.components, n.versions, n.compatibility, n.signing, n.pull, n.signers,
    (SELECT COUNT(*) FROM repositories r WHERE r.name = n.name OR (r.name > n.name || '/' AND r.name < n.name || '0')) AS repositories
    FROM namespaces n";

const FIND: &str = "SELECT components, versions, compatibility, signing FROM namespaces WHERE name = $1";

impl Metadata {
    /// What is asked of what is pushed to `repository`, which need not be there.
    pub async fn find_policies(&self, repository: &RepositoryName) -> Result<Policies> {
        let namespace = repository.namespace();
        let row: Option<PoliciesRow> =
            on_db!(&*self.db, db => sqlx::query_as(FIND).bind(namespace.as_str()).fetch_optional(db).await)?;
        let mut policies = row.map_or(Ok(Policies::DEFAULT), Policies::try_from)?;
        let settings = self.find_settings(repository).await?;
        match settings.map_or(ComponentPolicy::Inherit, |settings| settings.components) {
            ComponentPolicy::Inherit => {}
            ComponentPolicy::Off => policies.components = Policy::Off,
            ComponentPolicy::Warn => policies.components = Policy::Warn,
            ComponentPolicy::Enforce => policies.components = Policy::Enforce,
        }
        Ok(policies)
    }

    /// A namespace with its settings, if it is there.
    pub async fn find_namespace(&self, name: &name::Namespace) -> Result<Option<Namespace>> {
        let row: Option<NamespaceRow> = on_db!(&*self.db, db => sqlx::query_as(sqlx::AssertSqlSafe(format!("{WITH_COUNTS} WHERE n.name = $1")))
            .bind(name.as_str())
            .fetch_optional(db)
            .await)?;
        row.map(Namespace::try_from).transpose()
    }

    /// At most `limit` namespaces by name, those after `after`.
    pub async fn list_namespaces(&self, after: &str, limit: usize) -> Result<Vec<Namespace>> {
        let statement = format!("{WITH_COUNTS} WHERE n.name > $1 ORDER BY n.name LIMIT $2 + 0");
        let rows: Vec<NamespaceRow> = on_db!(&*self.db, db => sqlx::query_as(sqlx::AssertSqlSafe(statement))
            .bind(text(after))
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(db)
            .await)?;
        rows.into_iter().map(Namespace::try_from).collect()
    }
}

/// Makes sure that a namespace is there.
pub(super) async fn ensure(tx: &mut Tx<'_>, name: &name::Namespace, now: Millis) -> Result<()> {
    let policies = Policies::DEFAULT;
    on_db!(tx, db => sqlx::query(
        "INSERT INTO namespaces (name, components, versions, compatibility, created_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (name) DO NOTHING",
    )
    .bind(name.as_str())
    .bind(policies.components.as_str())
    .bind(policies.versions.as_str())
    .bind(policies.compatibility.as_str())
    .bind(now)
    .execute(db)
    .await
    .map(drop))?;
    Ok(())
}

/// Changes the settings of a namespace, which is made if it is not there. Does nothing where signatures would be asked for and nobody's
/// count; says whether it did.
pub(crate) struct ChangePolicies {
    pub(crate) name: name::Namespace,
    pub(crate) change: NamespaceSettings,
    /// Those of the change, read.
    pub(crate) signers: Option<Vec<Signer>>,
    pub(crate) actor: String,
    pub(crate) now: Millis,
}

impl ChangePolicies {
    /// What the change makes of a rule.
    fn pull_rule(&self, old: PullRule) -> PullRule {
        PullRule {
            policy: self.change.pull.unwrap_or(old.policy),
            signers: self.signers.clone().unwrap_or(old.signers),
        }
    }
}

impl Operation for ChangePolicies {
    type Output = bool;

    fn touched(&self) -> Touched<'_> {
        Touched::Nothing
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool> {
        // What is refused makes no namespace.
        let there: Option<PullRuleRow> = on_db!(tx, db => sqlx::query_as("SELECT pull, signers FROM namespaces WHERE name = $1")
            .bind(self.name.as_str())
            .fetch_optional(db)
            .await)?;
        if self
            .pull_rule(there.map_or(Ok(PullRule::DEFAULT), PullRule::try_from)?)
            .is_of_nobody()
        {
            return Ok(false);
        }
        ensure(tx, &self.name, self.now).await?;
        let row: SettingsRow = on_db!(tx, db => sqlx::query_as(
            // As with repositories: an update that changes nothing locks the row on PostgreSQL.
            "UPDATE namespaces SET created_at = created_at WHERE name = $1
             RETURNING components, versions, compatibility, signing, pull, signers",
        )
        .bind(self.name.as_str())
        .fetch_one(db)
        .await)?;
        let (old, old_rule) = (Policies::try_from(row.policies)?, PullRule::try_from(row.pull_rule)?);
        let new = Policies {
            components: self.change.components.unwrap_or(old.components),
            versions: self.change.versions.unwrap_or(old.versions),
            compatibility: self.change.compatibility.unwrap_or(old.compatibility),
            signing: self.change.signing.unwrap_or(old.signing),
        };
        let rule = self.pull_rule(old_rule.clone());
        if rule.is_of_nobody() {
            return Ok(false);
        }
        if (new, &rule) == (old, &old_rule) {
            return Ok(true);
        }
        on_db!(tx, db => sqlx::query(
            "UPDATE namespaces SET components = $2, versions = $3, compatibility = $4, signing = $5, pull = $6, signers = $7 WHERE name = $1",
        )
            .bind(self.name.as_str())
            .bind(new.components.as_str())
            .bind(new.versions.as_str())
            .bind(new.compatibility.as_str())
            .bind(new.signing.as_str())
            .bind(rule.policy.as_str())
            .bind(rule.signers_as_json())
            .execute(db)
            .await
            .map(drop))?;
        let (before, after) = (format!("{old} {old_rule}"), format!("{new} {rule}"));
        let event = Event {
            at: self.now,
            actor: &self.actor,
            kind: Kind::NamespaceChanged,
            repository: None,
            subject: self.name.as_str(),
            old: Some(&before),
            new: Some(&after),
        };
        events::append(tx, event).await?;
        Ok(true)
    }
}
