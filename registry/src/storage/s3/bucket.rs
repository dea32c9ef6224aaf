//! Every request to the bucket, each a step that [`Faults`] can fail. Objects are named relative to the configured prefix.

use std::{ops::Range, sync::Arc, time::Duration};

use aws_sdk_s3::{
    Client,
    operation::{list_multipart_uploads::ListMultipartUploadsOutput, list_objects_v2::ListObjectsV2Output},
    presigning::PresigningConfig,
    primitives::{ByteStream, SdkBody},
    types::{CompletedMultipartUpload, CompletedPart},
};
use bytes::Bytes;

use super::{
    super::{Error, ErrorKind, Faults, Operation, S3Settings},
    failure::{Cause, Failure, present},
    state::Part,
};

/// How long a client may use a URL that leads it to the bucket.
const REDIRECT: Duration = Duration::from_mins(5);

/// The bucket, under the configured prefix. Cheap to clone.
#[derive(Clone)]
pub(super) struct Bucket {
    client: Client,
    place: Arc<Place>,
}

struct Place {
    bucket: String,
    prefix: String,
    faults: Faults,
}

impl Bucket {
    pub(super) fn new(client: Client, settings: &S3Settings, faults: Faults) -> Self {
        let place = Place {
            bucket: settings.bucket.clone(),
            prefix: settings.prefix.clone(),
            faults,
        };
        Self {
            client,
            place: Arc::new(place),
        }
    }

    /// The name of an object relative to the prefix, if it is under it.
    pub(super) fn relative<'k>(&self, key: &'k str) -> Option<&'k str> {
        key.strip_prefix(&*self.place.prefix)
    }

    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.place.prefix)
    }

    /// The fault that a test asked for.
    fn check(&self, operation: Operation, name: &str) -> Result<(), Failure> {
        self.place.faults.check(operation, name).map_err(|source| Failure {
            cause: Cause::Other,
            error: Error::new(operation, name, source),
        })
    }

    /// Stores an object.
    pub(super) async fn put(&self, name: &str, bytes: Bytes) -> Result<(), Failure> {
        self.check(Operation::Write, name)?;
        let put = self.client.put_object().bucket(&self.place.bucket).key(self.key(name));
        let put = put.body(ByteStream::new(SdkBody::from(bytes)));
        let sent = put.send().await;
        sent.map(drop)
            .map_err(|error| Failure::of(Operation::Write, name, &error))
    }

    /// The length of an object in bytes.
    pub(super) async fn size(&self, name: &str) -> Result<Option<u64>, Error> {
        present(self.inspect(name).await)
    }

    async fn inspect(&self, name: &str) -> Result<u64, Failure> {
        self.check(Operation::Inspect, name)?;
        let head = self.client.head_object().bucket(&self.place.bucket).key(self.key(name));
        let found = head.send().await;
        let found = found.map_err(|error| Failure::of(Operation::Inspect, name, &error))?;
        length(Operation::Inspect, name, found.content_length())
    }

    /// The bytes `range` of an object, at least one.
    pub(super) async fn get(&self, name: &str, range: &Range<u64>) -> Result<ByteStream, Failure> {
        self.check(Operation::Read, name)?;
        let get = self.client.get_object().bucket(&self.place.bucket).key(self.key(name));
        let got = get
            .range(format!("bytes={}-{}", range.start, range.end - 1))
            .send()
            .await;
        let got = got.map_err(|error| Failure::of(Operation::Read, name, &error))?;
        // A server that does not know ranges sends all of it.
        let length = length(Operation::Read, name, got.content_length())?;
        if length == range.end - range.start {
            return Ok(got.body);
        }
        let why = format!("{length} bytes come where {} were asked for", range.end - range.start);
        Err(Failure {
            cause: Cause::OutOfRange,
            error: Error::of_kind(Operation::Read, name, ErrorKind::Broken, why),
        })
    }

    /// Removes an object, if it is there.
    pub(super) async fn delete(&self, name: &str) -> Result<(), Error> {
        self.check(Operation::Unlink, name)?;
        let delete = self
            .client
            .delete_object()
            .bucket(&self.place.bucket)
            .key(self.key(name));
        let deleted = delete.send().await;
        present(deleted.map_err(|error| Failure::of(Operation::Unlink, name, &error))).map(drop)
    }

    /// Asks for the bucket itself. What it says to be absent is so only if there is a bucket.
    pub(super) async fn confirm(&self) -> Result<(), Error> {
        self.check(Operation::Inspect, "the bucket")?;
        let head = self.client.head_bucket().bucket(&self.place.bucket).send().await;
        head.map(drop)
            .map_err(|error| Failure::of(Operation::Inspect, "the bucket", &error).error)
    }

    /// One page of the objects whose names begin with `prefix`, in the order of their names.
    pub(super) async fn list(&self, prefix: &str, token: Option<String>) -> Result<ListObjectsV2Output, Error> {
        self.check(Operation::List, prefix)?;
        let list = self
            .client
            .list_objects_v2()
            .bucket(&self.place.bucket)
            .prefix(self.key(prefix));
        let listed = list.set_continuation_token(token).send().await;
        listed.map_err(|error| Failure::of(Operation::List, prefix, &error).error)
    }

    /// Begins a multipart upload; its id.
    pub(super) async fn create_multipart(&self, name: &str) -> Result<String, Failure> {
        self.check(Operation::Create, name)?;
        let create = self
            .client
            .create_multipart_upload()
            .bucket(&self.place.bucket)
            .key(self.key(name));
        let created = create.send().await;
        let created = created.map_err(|error| Failure::of(Operation::Create, name, &error))?;
        created
            .upload_id
            .ok_or_else(|| lacking(Operation::Create, name, "an upload id"))
    }

    /// Stores a part.
    pub(super) async fn upload_part(&self, name: &str, id: &str, number: u16, bytes: Bytes) -> Result<Part, Failure> {
        self.check(Operation::Write, name)?;
        let upload = self.client.upload_part().bucket(&self.place.bucket).key(self.key(name));
        let upload = upload.upload_id(id).part_number(i32::from(number));
        let sent = upload.body(ByteStream::new(SdkBody::from(bytes))).send().await;
        let sent = sent.map_err(|error| Failure::of(Operation::Write, name, &error))?;
        let etag = sent
            .e_tag
            .ok_or_else(|| lacking(Operation::Write, name, "the ETag of a part"))?;
        Ok(Part { number, etag })
    }

    /// Joins these parts, in their order, to the object.
    pub(super) async fn complete_multipart(&self, name: &str, id: &str, parts: &[Part]) -> Result<(), Failure> {
        self.check(Operation::Join, name)?;
        let named = parts.iter().map(|part| {
            let number = i32::from(part.number);
            CompletedPart::builder().part_number(number).e_tag(&part.etag).build()
        });
        let parts = CompletedMultipartUpload::builder().set_parts(Some(named.collect()));
        let complete = self
            .client
            .complete_multipart_upload()
            .bucket(&self.place.bucket)
            .key(self.key(name));
        let completed = complete.upload_id(id).multipart_upload(parts.build()).send().await;
        completed
            .map(drop)
            .map_err(|error| Failure::of(Operation::Join, name, &error))
    }

    /// Throws a multipart upload away, if it is there.
    pub(super) async fn abort_multipart(&self, name: &str, id: &str) -> Result<(), Error> {
        self.check(Operation::Unlink, name)?;
        let abort = self
            .client
            .abort_multipart_upload()
            .bucket(&self.place.bucket)
            .key(self.key(name));
        let aborted = abort.upload_id(id).send().await;
        present(aborted.map_err(|error| Failure::of(Operation::Unlink, name, &error))).map(drop)
    }

    /// One page of the multipart uploads of objects whose names begin with `prefix`.
    pub(super) async fn list_multiparts(
        &self,
        prefix: &str,
        after: Option<(String, String)>,
    ) -> Result<ListMultipartUploadsOutput, Error> {
        self.check(Operation::List, prefix)?;
        let (key, id) = after.unzip();
        let list = self
            .client
            .list_multipart_uploads()
            .bucket(&self.place.bucket)
            .prefix(self.key(prefix));
        let listed = list.set_key_marker(key).set_upload_id_marker(id).send().await;
        listed.map_err(|error| Failure::of(Operation::List, prefix, &error).error)
    }

    /// A URL by which anybody can read this one object, for a short while.
    pub(super) async fn presign(&self, name: &str) -> Result<String, Error> {
        let invalid =
            |error: &dyn std::error::Error| Error::of_kind(Operation::Read, name, ErrorKind::Broken, error.to_string());
        let window = PresigningConfig::expires_in(REDIRECT).map_err(|error| invalid(&error))?;
        let get = self.client.get_object().bucket(&self.place.bucket).key(self.key(name));
        let signed = get.presigned(window).await;
        signed
            .map(|request| request.uri().to_owned())
            .map_err(|error| Failure::of(Operation::Read, name, &error).error)
    }
}

fn length(operation: Operation, name: &str, length: Option<i64>) -> Result<u64, Failure> {
    length
        .and_then(|length| u64::try_from(length).ok())
        .ok_or_else(|| lacking(operation, name, "a length"))
}

/// An answer that lacks what S3 promises.
fn lacking(operation: Operation, name: &str, what: &str) -> Failure {
    let why = format!("the answer of the object storage lacks {what}");
    Failure {
        cause: Cause::Other,
        error: Error::of_kind(operation, name, ErrorKind::Broken, why),
    }
}
