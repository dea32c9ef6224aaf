//! The table itself: every kind of error with its status and codes. `docs/reference/errors.md` is printed from it.

use std::fmt::Write as _;

use axum::http::StatusCode;
use serde_json::{Value, json};
use wreg_oci::{ErrorCode, ErrorEntry, InvalidEndpoint};

use super::ApiError;
use crate::{
    auth::{InvalidCredentials, Refusal},
    domain,
};

/// One kind of error.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) status: StatusCode,
    pub(super) code: ErrorCode,
    pub(super) wreg_code: &'static str,
    meaning: &'static str,
}

impl Row {
    pub(super) fn entry(&self, message: &str, detail: Value) -> ErrorEntry {
        let mut detail = if detail.is_null() { json!({}) } else { detail };
        detail["wreg_code"] = self.wreg_code.into();
        ErrorEntry {
            code: self.code,
            message: message.to_owned(),
            detail,
        }
    }
}

macro_rules! rows {
    ($($name:ident: $status:ident $code:ident $wreg_code:literal = $meaning:literal;)+) => {
        $(static $name: Row = Row {
            status: StatusCode::$status,
            code: ErrorCode::$code,
            wreg_code: $wreg_code,
            meaning: $meaning,
        };)+
        static ALL: &[&Row] = &[$(&$name),+];
    };
}

rows! {
    CONTENT_RANGE: BAD_REQUEST SizeInvalid "content-range-invalid" = "The Content-Range of a chunk is not written `first-last`.";
    CONTENT_TYPE: BAD_REQUEST ManifestInvalid "content-type-invalid" = "A manifest came without a Content-Type, or with one that is no media type.";
    CREDENTIALS_MALFORMED: BAD_REQUEST Unauthorized "credentials-malformed" = "There are several Authorization headers, or one that is no text.";
    DIGEST_INVALID: BAD_REQUEST DigestInvalid "digest-invalid" = "A digest is missing, outside the grammar, or of an algorithm other than sha256 and sha512.";
    DIGEST_MISMATCH: BAD_REQUEST DigestInvalid "digest-mismatch" = "The content is not what the digest names. An upload ends with this.";
    FILTER_INVALID: BAD_REQUEST Unsupported "artifact-type-invalid" = "artifactType is no media type.";
    GRANT_TYPE: BAD_REQUEST Unsupported "grant-type-unknown" = "The token endpoint knows the grant types password and refresh_token.";
    IN_USE: BAD_REQUEST Unsupported "in-use" = "A manifest of the repository is made of what was to be deleted. Delete that first.";
    JSON_INVALID: BAD_REQUEST Unsupported "body-invalid" = "The JSON of a request to wreg's own API is not what is expected.";
    MANIFEST_INVALID: BAD_REQUEST ManifestInvalid "manifest-invalid" = "The manifest is not JSON, is ambiguous, or lacks what it must have; the message says what and where.";
    COMPONENT_REFUSED: BAD_REQUEST ManifestInvalid "component-refused" = "The policy refuses WebAssembly that is not valid, or not what its config, repository or tag says: one entry for each finding.";
    MANIFEST_BLOB_UNKNOWN: BAD_REQUEST ManifestBlobUnknown "manifest-content-unknown" = "The manifest names content that the repository does not hold: one entry for each digest.";
    MANIFEST_SIZE: BAD_REQUEST ManifestInvalid "manifest-size-differs" = "The manifest gives content another size than it has.";
    MARK_INVALID: BAD_REQUEST Unsupported "mark-invalid" = "What was to be said of a version is empty, too long, or too much.";
    SEARCH_INVALID: BAD_REQUEST Unsupported "search-invalid" = "A condition of a search cannot be understood; the message says which.";
    NAME_INVALID: BAD_REQUEST NameInvalid "name-invalid" = "The repository name is outside the grammar.";
    PAGE_INVALID: BAD_REQUEST Unsupported "page-invalid" = "n is not a whole number from 0 on.";
    PARAMETER_INVALID: BAD_REQUEST Unsupported "parameter-invalid" = "A parameter of a request to wreg's own API is missing or not what is expected.";
    SIZE_MISMATCH: BAD_REQUEST SizeInvalid "size-mismatch" = "More or fewer bytes came than Content-Range or Content-Length announced. Nothing of the chunk counts.";
    SIGNERS_INVALID: BAD_REQUEST Unsupported "signers-invalid" = "The signers of a namespace are not public keys or `registry`, are too many, or none where what is pulled is to be signed.";
    TOKEN_LIFETIME: BAD_REQUEST Unsupported "token-lifetime-invalid" = "A token lives from 1 second to 365 days.";
    TAG_INVALID: BAD_REQUEST ManifestInvalid "tag-invalid" = "The tag to be written is outside the grammar.";
    BODY_BROKEN: BAD_REQUEST BlobUploadInvalid "body-broken" = "The body of the request broke off or stalled. An upload keeps what arrived.";
    CREDENTIALS_WRONG: UNAUTHORIZED Unauthorized "credentials-wrong" = "The credentials are unknown, expired, or of no form.";
    UNAUTHORIZED: UNAUTHORIZED Unauthorized "unauthorized" = "Credentials, or a token for the scope in the challenge, are needed.";
    NOT_SIGNED_FOR_NOBODY: UNAUTHORIZED Unauthorized "not-signed-anonymous" = "As `not-signed`, and no credentials came: whoever may push can read it all the same. With a token for the scope in the challenge the answer is final.";
    DENIED: FORBIDDEN Denied "denied" = "The caller may read the repository, and may not do this; `detail.needs` is the scope that a token for it has.";
    TAG_DENIED: FORBIDDEN Denied "tag-denied" = "The caller may push, but not create (or not move) this tag; `detail.needs` says what a token for it has.";
    NOT_SIGNED: FORBIDDEN Denied "not-signed" = "The namespace lets only be pulled what one of its signers has signed, and nobody of them has signed this; the message says what there is.";
    TOKEN_EXCEEDS_MAKER: FORBIDDEN Denied "token-exceeds-its-maker" = "A token was to give more, or to live longer, than the one that it is made with.";
    ADMINISTRATORS_TOKEN: FORBIDDEN Denied "administrators-token" = "The administrator's own token cannot be revoked; another one can take its place.";
    BLOB_UNKNOWN: NOT_FOUND BlobUnknown "blob-unknown" = "The repository holds no such blob.";
    MANIFEST_UNKNOWN: NOT_FOUND ManifestUnknown "manifest-unknown" = "The repository holds no such manifest, or no such tag.";
    NO_VERSION: NOT_FOUND ManifestUnknown "no-version" = "No version that is not yanked fits the requirement; `detail.highest` is the highest that there is.";
    NOT_WASM: NOT_FOUND Unsupported "not-wasm" = "The artifact is there, and holds no WebAssembly.";
    NO_WIT: NOT_FOUND Unsupported "no-wit" = "The artifact has no WIT: it is a core module, or not analysed (yet).";
    NAME_UNKNOWN: NOT_FOUND NameUnknown "name-unknown" = "There is no such repository, or none that the caller may know of.";
    NAMESPACE_UNKNOWN: NOT_FOUND NameUnknown "namespace-unknown" = "Nothing has been pushed to this namespace, and nothing set for it.";
    TOKEN_UNKNOWN: NOT_FOUND Unsupported "token-unknown" = "There is no token with this id: it never was, or was revoked.";
    PATH_UNKNOWN: NOT_FOUND Unsupported "path-unknown" = "There is nothing at this path.";
    UPLOAD_UNKNOWN: NOT_FOUND BlobUploadUnknown "upload-unknown" = "There is no such upload for this caller: it never was, has ended or expired, or is somebody else's.";
    DELETION_DISABLED: METHOD_NOT_ALLOWED Unsupported "deletion-disabled" = "The repository's settings forbid to delete.";
    METHOD: METHOD_NOT_ALLOWED Unsupported "method-not-allowed" = "The path is known and the method is not; Allow lists those that are.";
    TOKEN_EXISTS: CONFLICT Denied "token-exists" = "A token that is still good has this name.";
    SIGNING_KEY: CONFLICT Denied "signing-key" = "The keys that sign artifacts do not allow this now: there is a next one already, or none, or the server that answers has not the one that signs.";
    TAG_IMMUTABLE: CONFLICT Denied "tag-immutable" = "The tag points to another manifest, or did when it was deleted, and the repository lets such tags not move.";
    PRECONDITION: PRECONDITION_FAILED Denied "precondition-failed" = "What If-Match or If-None-Match expects is not so, or the tag that was to be brought back is there again.";
    BLOB_TOO_LARGE: PAYLOAD_TOO_LARGE SizeInvalid "blob-too-large" = "The blob is larger than this server takes.";
    BODY_TOO_LARGE: PAYLOAD_TOO_LARGE SizeInvalid "body-too-large" = "The body of a request to wreg's own API or to the token endpoint is too large.";
    MANIFEST_TOO_LARGE: PAYLOAD_TOO_LARGE ManifestInvalid "manifest-too-large" = "The manifest has more than 4 MiB.";
    TOO_MANY_TAGS: URI_TOO_LONG Unsupported "too-many-tags" = "More than 10 tags were given with one manifest.";
    CONTENT_ENCODING: UNSUPPORTED_MEDIA_TYPE Unsupported "content-encoding" = "The body has a content coding. Digests are over the bytes as they are stored, so none is taken off.";
    RANGE: RANGE_NOT_SATISFIABLE SizeInvalid "range-not-satisfiable" = "The Range selects nothing of the blob.";
    UPLOAD_BUSY: RANGE_NOT_SATISFIABLE BlobUploadInvalid "upload-busy" = "Another request writes to the upload. Range says where it stands.";
    UPLOAD_OUT_OF_ORDER: RANGE_NOT_SATISFIABLE BlobUploadInvalid "upload-out-of-order" = "The chunk does not begin where the upload stands. Go on at the end of Range.";
    TOO_MANY_FAILURES: TOO_MANY_REQUESTS TooManyRequests "too-many-failed-logins" = "Wrong credentials came too often from this address with this user name.";
    TOO_MANY_UPLOADS: TOO_MANY_REQUESTS TooManyRequests "too-many-uploads" = "The caller has too many uploads open.";
    PANICKED: INTERNAL_SERVER_ERROR Unsupported "internal" = "A fault of this program. Please report it with what the log says.";
    UNAVAILABLE: SERVICE_UNAVAILABLE Unsupported "unavailable" = "The database or the store does not answer, or takes no writes. It is worth trying again.";
    NO_SPACE: INSUFFICIENT_STORAGE Unsupported "no-space" = "The store or the database is full. Reading goes on.";
}

impl ApiError {
    /// The row of this error. Exhaustive on purpose: a new kind of error has to be given a place here before anything compiles.
    pub(super) fn row(&self) -> &'static Row {
        match self {
            Self::Domain(error) => domain_row(error),
            Self::UploadElsewhere(elsewhere) => domain_row(&elsewhere.error),
            Self::UnsignedForNobody { .. } => &NOT_SIGNED_FOR_NOBODY,
            Self::Endpoint(error) => endpoint_row(error),
            Self::Refused(Refusal::Challenge { .. } | Refusal::Insufficient { .. }) => &UNAUTHORIZED,
            Self::Refused(Refusal::Denied { .. }) => &DENIED,
            Self::Refused(Refusal::Hidden) => &NAME_UNKNOWN,
            Self::Refused(Refusal::Unchecked(_)) | Self::Credentials(InvalidCredentials::Unchecked(_)) => &UNAVAILABLE,
            Self::Credentials(InvalidCredentials::Malformed) => &CREDENTIALS_MALFORMED,
            Self::Credentials(InvalidCredentials::Wrong) => &CREDENTIALS_WRONG,
            Self::Credentials(InvalidCredentials::TooMany { .. }) => &TOO_MANY_FAILURES,
            Self::NotFound => &PATH_UNKNOWN,
            Self::MethodNotAllowed(_) => &METHOD,
            Self::ContentEncoding => &CONTENT_ENCODING,
            Self::ContentRange(_) => &CONTENT_RANGE,
            Self::ContentType => &CONTENT_TYPE,
            Self::IfMatch => &PRECONDITION,
            Self::RangeNotSatisfiable { .. } => &RANGE,
            Self::BodyTooLarge { .. } => &BODY_TOO_LARGE,
            Self::Json(_) => &JSON_INVALID,
            Self::Parameter(_) => &PARAMETER_INVALID,
            Self::GrantType => &GRANT_TYPE,
            Self::Panicked => &PANICKED,
        }
    }
}

fn endpoint_row(error: &InvalidEndpoint) -> &'static Row {
    match error {
        InvalidEndpoint::Path => &PATH_UNKNOWN,
        InvalidEndpoint::Method(_) => &METHOD,
        InvalidEndpoint::Name(_) => &NAME_INVALID,
        InvalidEndpoint::Digest(_) => &DIGEST_INVALID,
        InvalidEndpoint::TagToWrite(_) => &TAG_INVALID,
        InvalidEndpoint::TagToRead(_) => &MANIFEST_UNKNOWN,
        InvalidEndpoint::TooManyTags => &TOO_MANY_TAGS,
        InvalidEndpoint::Page(_) => &PAGE_INVALID,
        InvalidEndpoint::ArtifactType(_) => &FILTER_INVALID,
    }
}

fn domain_row(error: &domain::Error) -> &'static Row {
    use domain::Error;
    match error {
        Error::NameUnknown(_) => &NAME_UNKNOWN,
        Error::NoVersion { .. } => &NO_VERSION,
        Error::MarkInvalid => &MARK_INVALID,
        Error::SearchInvalid(_) => &SEARCH_INVALID,
        Error::NotWasm(_) => &NOT_WASM,
        Error::NoWit(_) => &NO_WIT,
        Error::ComponentRefused(_) => &COMPONENT_REFUSED,
        Error::NamespaceUnknown(_) => &NAMESPACE_UNKNOWN,
        Error::BlobUnknown(_) => &BLOB_UNKNOWN,
        Error::ManifestUnknown(_) => &MANIFEST_UNKNOWN,
        Error::UploadUnknown => &UPLOAD_UNKNOWN,
        Error::UploadOutOfOrder { .. } => &UPLOAD_OUT_OF_ORDER,
        Error::UploadBusy { .. } => &UPLOAD_BUSY,
        Error::TooManyUploads { .. } => &TOO_MANY_UPLOADS,
        Error::DigestMismatch { .. } => &DIGEST_MISMATCH,
        Error::SizeMismatch { .. } => &SIZE_MISMATCH,
        Error::BlobTooLarge { .. } => &BLOB_TOO_LARGE,
        Error::ManifestTooLarge { .. } => &MANIFEST_TOO_LARGE,
        Error::ManifestInvalid(_) => &MANIFEST_INVALID,
        Error::ManifestSizeDiffers(_) => &MANIFEST_SIZE,
        Error::ManifestBlobUnknown(_) => &MANIFEST_BLOB_UNKNOWN,
        Error::TagImmutable { .. } => &TAG_IMMUTABLE,
        Error::TagDenied { .. } => &TAG_DENIED,
        Error::TokenExists(_) => &TOKEN_EXISTS,
        Error::TokenUnknown => &TOKEN_UNKNOWN,
        Error::TokenExceedsMaker { .. } => &TOKEN_EXCEEDS_MAKER,
        Error::TokenLifetime { .. } => &TOKEN_LIFETIME,
        Error::AdministratorsToken => &ADMINISTRATORS_TOKEN,
        Error::SigningKey(_) => &SIGNING_KEY,
        Error::NotSigned(_) => &NOT_SIGNED,
        Error::SignersInvalid(_) => &SIGNERS_INVALID,
        Error::PreconditionFailed => &PRECONDITION,
        Error::DeletionDisabled => &DELETION_DISABLED,
        Error::InUse { .. } => &IN_USE,
        Error::BodyBroken(_) => &BODY_BROKEN,
        Error::NoSpace(_) => &NO_SPACE,
        Error::Unavailable(_) => &UNAVAILABLE,
    }
}

/// The page `docs/reference/errors.md`.
pub fn errors_reference() -> String {
    let mut page = String::from(
        "# Errors\n\nEvery answer of 4xx and 5xx has a JSON body, `{\"errors\":[{\"code\",\"message\",\"detail\"}]}`. `code` is one of the OCI distribution\nspecification's fourteen; `detail.wreg_code` is wreg's own, finer one. An answer of 5xx says nothing more: the reason is in the server's\nlog, under the id that the answer's `x-request-id` header gives.\n\n<!-- Printed by `wreg-registry reference errors`; `cargo xtask docs` writes it. -->\n\n| status | code | wreg_code | when |\n|---|---|---|---|\n",
    );
    for row in ALL {
        let code = serde_json::to_value(row.code).unwrap_or_default();
        let (status, code) = (row.status.as_u16(), code.as_str().unwrap_or_default());
        let _ = writeln!(page, "| {status} | {code} | `{}` | {} |", row.wreg_code, row.meaning);
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_has_a_code_of_its_own_and_statuses_are_in_order() {
        let mut codes: Vec<_> = ALL.iter().map(|row| row.wreg_code).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), ALL.len());
        assert!(ALL.is_sorted_by_key(|row| row.status.as_u16()));
    }
}
