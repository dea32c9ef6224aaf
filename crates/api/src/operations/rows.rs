//! The table, in the order of the document.

use super::{
    Access, Answer, Model, Operation, Parameter, model,
    parameters::{
        ACTION, AFTER, COLLECTION_CURSOR, DEEP, DELETED_LAST, DRY_RUN, ID, LAST, LIMIT, NAMESPACE_NAME, REFERENCE,
        REPAIR, REPOSITORY_NAME, REQUIREMENT, SEARCHED, TAG, WAIT,
    },
};
use crate::{
    COLLECTION, COMPONENT, CreatedToken, DELETED, DeletedList, EVENTS, EventList, FoundList, HISTORY, KEYS, KeyList,
    LOG_SALT, LogSalt, MARKS, MarkChange, Marks, NAMESPACE, NAMESPACES, NamespaceList, NamespaceSettings, NewToken,
    OPENAPI, PUBLICATION, Publication, REPOSITORIES, REPOSITORY, RESOLVE, RepositoryList, RepositorySettings, Resolved,
    SEARCH, SIGNING_KEYS, SigningKeyList, TOKENS, TagHistory, TokenList, Undeleted, VERSIONS, VersionList, WIT,
};

/// Every operation.
pub static OPERATIONS: &[Operation] = &[
    get(OPENAPI, "describe", "This document.", Access::Anybody).answers(Answer::Json(any_object)),
    get(
        REPOSITORIES,
        "listRepositories",
        "What the caller may see, by name.",
        Access::Somebody,
    )
    .takes(&[LIMIT, LAST])
    .answers(Answer::Page(model::<RepositoryList>)),
    get(
        REPOSITORY,
        "getRepository",
        "A repository and its settings.",
        Access::Reader,
    )
    .takes(&[REPOSITORY_NAME])
    .answers(Answer::Json(model::<crate::Repository>)),
    does(
        "PATCH",
        REPOSITORY,
        "changeRepository",
        "Changes settings; the repository is made if it is not there.",
        Access::Writer,
    )
    .takes(&[REPOSITORY_NAME])
    .reads(model::<RepositorySettings>)
    .answers(Answer::Json(model::<crate::Repository>)),
    get(
        NAMESPACES,
        "listNamespaces",
        "Those that hold something or have settings, by name.",
        Access::Server,
    )
    .takes(&[LIMIT, LAST])
    .answers(Answer::Page(model::<NamespaceList>)),
    get(
        NAMESPACE,
        "getNamespace",
        "A namespace and its settings.",
        Access::Server,
    )
    .takes(&[NAMESPACE_NAME])
    .fails(&[404])
    .answers(Answer::Json(model::<crate::Namespace>)),
    does(
        "PATCH",
        NAMESPACE,
        "changeNamespace",
        "Changes settings, also before anything is in it.",
        Access::Server,
    )
    .takes(&[NAMESPACE_NAME])
    .reads(model::<NamespaceSettings>)
    .answers(Answer::Json(model::<crate::Namespace>)),
    get(
        COMPONENT,
        "getComponent",
        "What a Wasm artifact is, and what is not as it should be.",
        Access::Reader,
    )
    .takes(&[REPOSITORY_NAME, REFERENCE])
    .answers(Answer::Json(model::<crate::Component>)),
    get(WIT, "getWit", "The WIT of a Wasm artifact.", Access::Reader)
        .takes(&[REPOSITORY_NAME, REFERENCE])
        .answers(Answer::Text),
    get(
        VERSIONS,
        "listVersions",
        "The tags that are semantic versions, the highest first.",
        Access::Reader,
    )
    .takes(&[REPOSITORY_NAME])
    .answers(Answer::Json(model::<VersionList>)),
    get(
        RESOLVE,
        "resolveVersion",
        "The highest version that is allowed and not yanked, and its manifest.",
        Access::Reader,
    )
    .takes(&[REPOSITORY_NAME, REQUIREMENT])
    .answers(Answer::Json(model::<Resolved>)),
    does(
        "POST",
        MARKS,
        "markVersion",
        "Says something of a version, or takes it back.",
        Access::Writer,
    )
    .takes(&[REPOSITORY_NAME, REFERENCE])
    .reads(model::<MarkChange>)
    .answers(Answer::Json(model::<Marks>)),
    get(
        SEARCH,
        "search",
        "Components by words, and by what they import and export. Other parameters are refused.",
        Access::Anybody,
    )
    .takes(SEARCHED)
    .answers(Answer::Page(model::<FoundList>)),
    get(
        EVENTS,
        "listEvents",
        "What has changed in what the caller may see.",
        Access::Anybody,
    )
    .takes(&[AFTER])
    .answers(Answer::Feed(model::<EventList>)),
    get(
        HISTORY,
        "getTagHistory",
        "Where a tag pointed, the latest change first.",
        Access::Reader,
    )
    .takes(&[REPOSITORY_NAME, TAG])
    .answers(Answer::Json(model::<TagHistory>)),
    get(
        PUBLICATION,
        "getPublication",
        "How far the registry is with logging and signing what was pushed.",
        Access::Reader,
    )
    .takes(&[REPOSITORY_NAME, REFERENCE, WAIT])
    .answers(Answer::Json(model::<Publication>)),
    get(
        LOG_SALT,
        "getLogSalt",
        "What the name of the repository is hashed with in the log of changes.",
        Access::Reader,
    )
    .takes(&[REPOSITORY_NAME])
    .answers(Answer::Json(model::<LogSalt>)),
    get(
        DELETED,
        "listDeleted",
        "What was deleted and can be brought back.",
        Access::Writer,
    )
    .takes(&[REPOSITORY_NAME, DELETED_LAST])
    .answers(Answer::Json(model::<DeletedList>)),
    does(
        "POST",
        DELETED,
        "undelete",
        "Brings back a manifest, and what belongs to it.",
        Access::Writer,
    )
    .takes(&[REPOSITORY_NAME, REFERENCE])
    .fails(&[409, 412])
    .answers(Answer::Json(model::<Undeleted>)),
    get(
        TOKENS,
        "listTokens",
        "Personal tokens, without their secrets, by name.",
        Access::Server,
    )
    .takes(&[LIMIT, LAST])
    .answers(Answer::Page(model::<TokenList>)),
    does(
        "POST",
        TOKENS,
        "createToken",
        "Makes a token. Its secret is in this answer and in no other.",
        Access::Server,
    )
    .reads(model::<NewToken>)
    .fails(&[409])
    .answers(Answer::Created(model::<CreatedToken>)),
    does(
        "DELETE",
        TOKENS,
        "revokeToken",
        "Ends a token and those made with it; all that ended.",
        Access::Server,
    )
    .takes(&[ID])
    .fails(&[404])
    .answers(Answer::Json(model::<TokenList>)),
    get(
        KEYS,
        "listKeys",
        "The keys that sign registry tokens, newest first.",
        Access::Server,
    )
    .answers(Answer::Json(model::<KeyList>)),
    does(
        "POST",
        KEYS,
        "rotateKeys",
        "Retires the keys of all servers.",
        Access::Server,
    )
    .answers(Answer::Json(model::<KeyList>)),
    get(
        SIGNING_KEYS,
        "listSigningKeys",
        "The keys that sign artifacts, newest first.",
        Access::Server,
    )
    .answers(Answer::Json(model::<SigningKeyList>)),
    does(
        "POST",
        SIGNING_KEYS,
        "changeSigningKeys",
        "Announces the next key, or has it sign from now on.",
        Access::Server,
    )
    .takes(&[ACTION])
    .fails(&[409])
    .answers(Answer::Json(model::<SigningKeyList>)),
    does(
        "POST",
        COLLECTION,
        "collect",
        "Removes a bounded part of what nothing refers to, or says what would go.",
        Access::Server,
    )
    .takes(&[DRY_RUN, COLLECTION_CURSOR])
    .answers(Answer::Json(model::<crate::Collected>)),
    does(
        "POST",
        crate::CHECK,
        "check",
        "Checks the store against the database, and tells of it line by line.",
        Access::Server,
    )
    .takes(&[DEEP, REPAIR])
    .answers(Answer::Lines),
];

fn any_object(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
    model::<serde_json::Map<String, serde_json::Value>>(generator)
}

const fn get(path: &'static str, id: &'static str, summary: &'static str, access: Access) -> Operation {
    does("GET", path, id, summary, access)
}

const fn does(
    method: &'static str,
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    access: Access,
) -> Operation {
    Operation {
        path,
        method,
        id,
        summary,
        access,
        parameters: &[],
        body: None,
        answer: Answer::Text,
        errors: &[],
    }
}

impl Operation {
    const fn takes(self, parameters: &'static [Parameter]) -> Self {
        Self { parameters, ..self }
    }

    const fn reads(self, body: Model) -> Self {
        Self {
            body: Some(body),
            ..self
        }
    }

    const fn fails(self, errors: &'static [u16]) -> Self {
        Self { errors, ..self }
    }

    const fn answers(self, answer: Answer) -> Self {
        Self { answer, ..self }
    }
}
