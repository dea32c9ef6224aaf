//! What a registry has in its bucket, looked at behind its back.

use std::{path::PathBuf, thread};

use aws_sdk_s3::{
    Client,
    config::{BehaviorVersion, Builder, Credentials, Region},
};
use wreg_harness::ObjectStorage;

/// Whether the registries of this run keep their blobs in files. What a test does with the files themselves, it does on those alone:
/// every run has a part on files.
pub(crate) fn on_files() -> bool {
    wreg_harness::object_storage().is_none()
}

/// A registry's part of the bucket.
#[derive(Debug, Clone)]
pub(crate) struct TestBucket {
    storage: ObjectStorage,
    /// What the names of its objects begin with; it ends in a slash.
    prefix: String,
}

impl TestBucket {
    /// The part of the registry that has this database, if this run is on object storage.
    pub(crate) fn of(database: &str) -> Option<Self> {
        let (_, name) = database.rsplit_once("search_path%3D")?;
        Some(Self {
            storage: wreg_harness::object_storage()?,
            prefix: format!("api/{name}/"),
        })
    }

    /// Lines of a configuration file, with another endpoint if one is given.
    pub(crate) fn settings(&self, endpoint: Option<String>) -> String {
        let mut storage = self.storage.clone();
        storage.endpoint = endpoint.unwrap_or(storage.endpoint);
        storage.settings(&self.prefix)
    }

    /// The same for a server that is a process of its own: variables of its environment.
    pub(crate) fn variables(&self) -> [(&'static str, String); 7] {
        self.storage.variables(&self.prefix)
    }

    /// The names of the objects of blobs.
    pub(crate) fn blobs(&self) -> Vec<PathBuf> {
        self.clone()
            .look(|bucket, client| async move { bucket.objects(&client, "blobs/").await })
    }

    /// The names of what there is of uploads: objects, and multipart uploads that are open. The probe has some of its own.
    pub(crate) fn uploads(&self) -> Vec<PathBuf> {
        self.clone().look(|bucket, client| async move {
            let mut names = bucket.objects(&client, "uploads/").await;
            let request = client.list_multipart_uploads().bucket(&bucket.storage.bucket);
            let open = request
                .prefix(format!("{}data/", bucket.prefix))
                .send()
                .await
                .expect("a listing");
            let open = open.uploads.unwrap_or_default().into_iter();
            names.extend(open.map(|upload| PathBuf::from(upload.key.expect("a key"))));
            names
        })
    }

    /// Begins a multipart upload of the object with this name, as if a server had died right after.
    pub(crate) fn begin_multipart(&self, name: &str) {
        let key = format!("{}{name}", self.prefix);
        self.clone().look(|bucket, client| async move {
            let begun = client.create_multipart_upload().bucket(&bucket.storage.bucket);
            begun.key(key).send().await.expect("it begins");
        });
    }

    /// Takes every blob away.
    pub(crate) fn remove_blobs(&self) {
        self.clone().look(|bucket, client| async move {
            for name in bucket.objects(&client, "blobs/").await {
                let key = name.to_str().expect("it is text").to_owned();
                let removed = client.delete_object().bucket(&bucket.storage.bucket).key(key);
                removed.send().await.expect("it is ours");
            }
        });
    }

    async fn objects(&self, client: &Client, folder: &str) -> Vec<PathBuf> {
        let request = client.list_objects_v2().bucket(&self.storage.bucket);
        let listed = request
            .prefix(format!("{}{folder}", self.prefix))
            .send()
            .await
            .expect("a listing");
        let objects = listed.contents.unwrap_or_default().into_iter();
        objects
            .map(|object| PathBuf::from(object.key.expect("a key")))
            .collect()
    }

    /// Asks from a thread of its own, because values are dropped where nothing can be awaited.
    fn look<T, F>(self, ask: impl FnOnce(Self, Client) -> F + Send + 'static) -> T
    where
        T: Send + 'static,
        F: Future<Output = T>,
    {
        let asking = thread::spawn(move || {
            let ObjectStorage {
                endpoint,
                access_key_id,
                secret_access_key,
                ..
            } = &self.storage;
            let config = Builder::new()
                .behavior_version(BehaviorVersion::latest())
                .region(Region::new("garage"))
                .endpoint_url(endpoint)
                .force_path_style(true)
                .credentials_provider(Credentials::new(access_key_id, secret_access_key, None, None, "tests"));
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let client = Client::from_conf(config.build());
            runtime.expect("a runtime").block_on(ask(self, client))
        });
        asking.join().expect("the object storage answers")
    }
}
