//! A registry in this process, on a port of loopback, with whatever the test wants to go wrong.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use reqwest::{Certificate, Client, Method, RequestBuilder, Response, StatusCode};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};
use uuid::Uuid;
use wreg_oci::{Digest, MediaType};
use wreg_registry::{App, Clock, Faults, StartError, Surroundings, config::Config, http::connection::ConnectionLimits};

use crate::bucket::TestBucket;

/// What a registry is started with.
#[derive(Default)]
pub(crate) struct Options {
    /// Lines of a configuration file.
    pub(crate) config: &'static str,
    /// The folder of a certificate for TLS.
    pub(crate) certificates: Option<PathBuf>,
    /// Clock and faults.
    pub(crate) surroundings: Surroundings,
    /// Deadlines and sizes of connections.
    pub(crate) limits: ConnectionLimits,
    /// A data folder that outlives the registry.
    pub(crate) data: Option<Arc<TempDir>>,
    /// Whether uploads may be left open at the end.
    pub(crate) may_leave_uploads: bool,
    /// The database of an earlier registry on the same data folder, or of others that run.
    pub(crate) database: Option<TestDatabase>,
    /// What stands in front of the object storage.
    pub(crate) bucket_endpoint: Option<String>,
    /// Whether the data folder's administrator's token is to count, whatever a shared database says.
    pub(crate) reset_admin_token: bool,
}

impl Options {
    /// Nothing special but what goes wrong with the store; blobs are files, however small, and are read and not mapped.
    pub(crate) fn failing(faults: Faults) -> Self {
        let surroundings = Surroundings {
            faults,
            ..Surroundings::default()
        };
        Self {
            config: "small_blob_bytes = 0\nmapped_bytes = 0\n",
            surroundings,
            ..Self::default()
        }
    }

    /// Nothing special but the clock, which the test moves.
    pub(crate) fn at(clock: &Clock) -> Self {
        let clock = clock.clone();
        Self {
            surroundings: Surroundings {
                clock,
                ..Surroundings::default()
            },
            ..Self::default()
        }
    }
}

/// The database that a registry uses.
#[derive(Debug, Clone)]
pub(crate) enum TestDatabase {
    /// In the data folder.
    Sqlite,
    /// A schema of its own in the PostgreSQL that the task runner brought up: the URL that leads into it.
    Postgres(String),
}

impl TestDatabase {
    /// A new one, of the kind that this run of the tests is for.
    pub(crate) async fn new() -> Self {
        let Some(server) = wreg_harness::database() else {
            return Self::Sqlite;
        };
        let schema = format!("test_{}", Uuid::new_v4().simple());
        let pool = sqlx::PgPool::connect(&server)
            .await
            .expect("the PostgreSQL of the task runner answers");
        let create = sqlx::AssertSqlSafe(format!("CREATE SCHEMA {schema}"));
        sqlx::query(create).execute(&pool).await.expect("a schema can be made");
        pool.close().await;
        let separator = if server.contains('?') { '&' } else { '?' };
        Self::Postgres(format!("{server}{separator}options=-c%20search_path%3D{schema}"))
    }

    /// Changes it, whether or not a server runs on it with this data folder; how many rows.
    pub(crate) async fn execute(&self, data: &Path, statement: &'static str) -> u64 {
        match self {
            Self::Sqlite => {
                let options = sqlx::sqlite::SqliteConnectOptions::new().filename(data.join("wreg.db"));
                let pool = sqlx::SqlitePool::connect_with(options).await.expect("it opens");
                let done = sqlx::query(statement).execute(&pool).await.expect("a statement");
                pool.close().await;
                done.rows_affected()
            }
            Self::Postgres(url) => {
                let pool = sqlx::PgPool::connect(url).await.expect("it answers");
                let done = sqlx::query(statement).execute(&pool).await.expect("a statement");
                pool.close().await;
                done.rows_affected()
            }
        }
    }
}

/// A running registry. Dropping it asserts that no upload is left.
pub(crate) struct TestRegistry {
    pub(crate) app: App,
    pub(crate) address: SocketAddr,
    scheme: &'static str,
    pub(crate) data: Arc<TempDir>,
    pub(crate) database: TestDatabase,
    /// Where the blobs are, unless they are files.
    pub(crate) bucket: Option<TestBucket>,
    /// The administrator's token; empty where the data folder has none.
    pub(crate) token: String,
    pub(crate) client: Client,
    may_leave_uploads: bool,
    stop: Option<oneshot::Sender<()>>,
    serving: Option<JoinHandle<std::io::Result<()>>>,
}

impl TestRegistry {
    /// Starts one with nothing special.
    pub(crate) async fn start() -> Self {
        Self::with(Options::default()).await
    }

    /// Starts one.
    pub(crate) async fn with(options: Options) -> Self {
        // On the heap: the future of every test would carry it.
        Box::pin(Self::try_with(options)).await.expect("the registry starts")
    }

    /// Starts one, or gives the reason why it does not start.
    pub(crate) async fn try_with(options: Options) -> Result<Self, StartError> {
        let data = options
            .data
            .unwrap_or_else(|| Arc::new(tempfile::tempdir().expect("a temporary folder")));
        let database = match options.database {
            Some(database) => database,
            None => TestDatabase::new().await,
        };
        let database_line = match &database {
            TestDatabase::Sqlite => String::new(),
            TestDatabase::Postgres(url) => format!("database = \"{url}\"\n"),
        };
        let folder = options.certificates.as_ref().map(|folder| folder.display());
        let tls_lines = folder.map_or_else(String::new, |folder| {
            format!("tls_certificate = \"{folder}/tls.crt\"\ntls_key = \"{folder}/tls.key\"\n")
        });
        let bucket = match &database {
            TestDatabase::Sqlite => None,
            TestDatabase::Postgres(url) => TestBucket::of(url),
        };
        let endpoint = options.bucket_endpoint;
        let bucket_lines = bucket
            .as_ref()
            .map_or_else(String::new, |bucket| bucket.settings(endpoint));
        // What the registry puts beside artifacts by itself would be in the way of those that count what is there.
        let signing = if options.config.contains("signing") {
            ""
        } else {
            "signing = \"off\"\n"
        };
        let lines = format!("{signing}{database_line}{bucket_lines}{tls_lines}{}", options.config);
        let mut config = Config::parse(data.path(), &lines).expect("a valid configuration");
        config.reset_admin_token = options.reset_admin_token;
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let app = open(&config, options.surroundings).await?;
        let (stop, stopped) = oneshot::channel();
        let stopped = async move {
            let _ = stopped.await;
        };
        let serving = tokio::spawn(wreg_registry::serve(app.clone(), listener, options.limits, stopped));
        let token = std::fs::File::open(data.path().join("admin-token"))
            .and_then(std::io::read_to_string)
            .unwrap_or_default();
        Ok(Self {
            app,
            address,
            scheme: if options.certificates.is_some() {
                "https"
            } else {
                "http"
            },
            data,
            database,
            bucket,
            token: token.trim().to_owned(),
            client: client(options.certificates.as_deref()),
            may_leave_uploads: options.may_leave_uploads,
            stop: Some(stop),
            serving: Some(serving),
        })
    }

    /// Ends it as SIGTERM would, and waits until data folder and database are free for another one.
    pub(crate) async fn stop(mut self) -> (Arc<TempDir>, TestDatabase) {
        self.stop.take().map(|stop| stop.send(()));
        if let Some(serving) = self.serving.take() {
            serving
                .await
                .expect("the server does not panic")
                .expect("the server ends well");
        }
        (Arc::clone(&self.data), self.database.clone())
    }

    /// A request without credentials. `target` is a path with query, or an absolute URL.
    pub(crate) fn anonymous(&self, method: &str, target: &str) -> RequestBuilder {
        let url = if target.starts_with("http") {
            target.to_owned()
        } else {
            format!("{}://{}{target}", self.scheme, self.address)
        };
        self.client.request(method.parse::<Method>().expect("a method"), url)
    }

    /// A request by the administrator, the token sent as Basic.
    pub(crate) fn request(&self, method: &str, target: &str) -> RequestBuilder {
        self.anonymous(method, target).basic_auth("admin", Some(&self.token))
    }

    /// Sends a request of the administrator without a body.
    pub(crate) async fn send(&self, method: &str, target: &str) -> Response {
        self.request(method, target).send().await.expect("an answer")
    }

    /// Sends a request of the administrator with a body.
    pub(crate) async fn send_body(&self, method: &str, target: &str, body: impl Into<reqwest::Body>) -> Response {
        self.request(method, target).body(body).send().await.expect("an answer")
    }

    /// A registry token for a scope, by the administrator's token or without credentials.
    pub(crate) async fn registry_token(&self, scope: &str, anonymous: bool) -> String {
        let target = format!("/token?service=wreg&scope={scope}");
        let request = if anonymous {
            self.anonymous("GET", &target)
        } else {
            self.request("GET", &target)
        };
        let answer: Value = request.send().await.expect("an answer").json().await.expect("JSON");
        answer["token"].as_str().expect("a token").to_owned()
    }

    /// A personal token with these scopes, made by the administrator; its secret.
    pub(crate) async fn personal_token(&self, name: &str, scopes: &[&str]) -> String {
        let request = self.request("POST", "/api/v1/tokens");
        let request = request.json(&json!({ "name": name, "scopes": scopes }));
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::CREATED);
        let created: Value = answer.json().await.expect("JSON");
        created["secret"].as_str().expect("a secret").to_owned()
    }

    /// Pushes a blob in one request.
    pub(crate) async fn push_blob(&self, repository: &str, content: &[u8]) -> Digest {
        let digest = Digest::sha256(content);
        let answer = self
            .send_body(
                "POST",
                &format!("/v2/{repository}/blobs/uploads/?digest={digest}"),
                content.to_vec(),
            )
            .await;
        assert_eq!(answer.status(), StatusCode::CREATED);
        digest
    }

    /// Opens an upload; gives the path of its session.
    pub(crate) async fn start_upload(&self, repository: &str) -> String {
        let answer = self.send("POST", &format!("/v2/{repository}/blobs/uploads/")).await;
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
        header(&answer, "location")
    }

    /// Pushes a manifest under a tag or digest.
    pub(crate) async fn put_manifest(&self, repository: &str, selector: &str, manifest: &Value) -> Response {
        let unnamed = MediaType::IMAGE_MANIFEST;
        let media_type = manifest["mediaType"].as_str().unwrap_or(unnamed.as_str());
        self.put_bytes(repository, selector, media_type, manifest.to_string())
            .await
    }

    /// Pushes bytes as a manifest, with a `Content-Type`.
    pub(crate) async fn put_bytes(
        &self,
        repository: &str,
        selector: &str,
        content_type: &str,
        content: impl Into<reqwest::Body>,
    ) -> Response {
        let request = self.request("PUT", &format!("/v2/{repository}/manifests/{selector}"));
        let request = request.header("content-type", content_type).body(content);
        request.send().await.expect("an answer")
    }

    /// Changes settings of a repository, which is made if it is not there.
    pub(crate) async fn set(&self, repository: &str, settings: &Value) {
        let request = self.request("PATCH", &format!("/api/v1/repository?repository={repository}"));
        let answer = request.json(settings).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK);
    }

    /// Pushes an image with one layer of `content` under a tag; gives the manifest's digest.
    pub(crate) async fn push_image(&self, repository: &str, tag: &str, content: &[u8]) -> Digest {
        let manifest = self.image(repository, content).await;
        let answer = self.put_manifest(repository, tag, &manifest).await;
        assert_eq!(answer.status(), StatusCode::CREATED);
        header(&answer, "docker-content-digest").parse().expect("a digest")
    }

    /// Pushes the blobs of an image with one layer of `content`; gives the manifest that names them.
    pub(crate) async fn image(&self, repository: &str, content: &[u8]) -> Value {
        let config = self.push_blob(repository, b"{}").await;
        let layer = self.push_blob(repository, content).await;
        json!({
            "schemaVersion": 2,
            "mediaType": MediaType::IMAGE_MANIFEST,
            "config": { "mediaType": MediaType::EMPTY, "digest": config, "size": 2 },
            "layers": [{ "mediaType": "application/octet-stream", "digest": layer, "size": content.len() }],
        })
    }

    /// Changes the database behind the server's back.
    pub(crate) async fn execute(&self, statement: &'static str) -> u64 {
        self.database.execute(self.data.path(), statement).await
    }

    /// A number that a statement gives, asked of the database behind the server's back.
    pub(crate) async fn count(&self, statement: &'static str) -> i64 {
        let (count,): (i64,) = match &self.database {
            TestDatabase::Sqlite => {
                let file: PathBuf = self.data.path().join("wreg.db");
                let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file).read_only(true);
                let pool = sqlx::SqlitePool::connect_with(options)
                    .await
                    .expect("the database opens");
                sqlx::query_as(statement).fetch_one(&pool).await.expect("a number")
            }
            TestDatabase::Postgres(url) => {
                let pool = sqlx::PgPool::connect(url).await.expect("the database answers");
                sqlx::query_as(statement).fetch_one(&pool).await.expect("a number")
            }
        };
        count
    }

    /// The files of blobs, or their objects.
    pub(crate) fn blob_files(&self) -> Vec<PathBuf> {
        if let Some(bucket) = &self.bucket {
            return bucket.blobs();
        }
        let mut folders = vec![self.data.path().join("blobs")];
        let mut files = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                let kind = if path.is_dir() { &mut folders } else { &mut files };
                kind.push(path);
            }
        }
        files
    }

    /// The files of uploads that are under way, or what a bucket has of them.
    pub(crate) fn upload_files(&self) -> Vec<PathBuf> {
        if let Some(bucket) = &self.bucket {
            return bucket.uploads();
        }
        let folder = self.data.path().join("uploads");
        let entries = std::fs::read_dir(folder).into_iter().flatten();
        entries.map(|entry| entry.expect("an entry").path()).collect()
    }
}

impl Drop for TestRegistry {
    fn drop(&mut self) {
        if !self.may_leave_uploads && !std::thread::panicking() {
            assert_eq!(self.upload_files(), Vec::<PathBuf>::new(), "uploads are left");
        }
    }
}

/// Opens the server, patiently where another one seems to have the data folder. Tests of this process start programs meanwhile, and
/// between fork and exec such a program holds a copy of every lock that this process has or has just let go of.
async fn open(config: &Config, mut surroundings: Surroundings) -> Result<App, StartError> {
    // This program is the test.
    surroundings.analyser = env!("CARGO_BIN_EXE_wreg-registry").into();
    let mut attempts = 0..100;
    loop {
        match App::open(config, surroundings.clone()).await {
            Err(StartError::DataDir(_)) if attempts.next().is_some() => {
                tokio::time::sleep_until(tokio::time::Instant::now() + Duration::from_millis(5)).await;
            }
            result => return result,
        }
    }
}

/// A client that follows no redirect, and trusts the authority in the folder if there is one.
fn client(certificates: Option<&Path>) -> Client {
    let builder = Client::builder().redirect(reqwest::redirect::Policy::none());
    let builder = match certificates {
        None => builder,
        Some(folder) => {
            let authority = CertificateDer::from_pem_file(folder.join("ca.pem")).expect("a certificate");
            let authority = Certificate::from_der(&authority).expect("a certificate");
            builder.tls_certs_only([authority])
        }
    };
    builder.build().expect("a client")
}

/// A header of an answer, which must have it.
pub(crate) fn header(answer: &Response, name: &str) -> String {
    let value = answer
        .headers()
        .get(name)
        .unwrap_or_else(|| panic!("no {name} in {answer:?}"));
    value.to_str().expect("text").to_owned()
}

/// Where the `Link` of an answer leads, if it has one.
pub(crate) fn next_page(answer: &Response) -> Option<String> {
    answer.headers().contains_key("link").then(|| {
        let link = header(answer, "link");
        let path = link
            .strip_prefix('<')
            .and_then(|link| link.strip_suffix(">; rel=\"next\""));
        path.unwrap_or_else(|| panic!("{link}")).to_owned()
    })
}

/// Asserts status and code of an error, and gives its body.
pub(crate) async fn refused(answer: Response, status: u16, code: &str) -> Value {
    let found = answer.status().as_u16();
    let content_type = answer.headers().get("content-type").cloned();
    let text = answer.text().await.expect("a body");
    let body: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{found} with no JSON: {text}"));
    assert_eq!(
        (found, body["errors"][0]["code"].as_str()),
        (status, Some(code)),
        "{body}"
    );
    assert_eq!(content_type, Some("application/json".parse().expect("a header")));
    body
}
