//! PostgreSQL that goes away, in the middle of something or altogether, and one that wants transactions again. These run where the tests
//! are on PostgreSQL: SQLite has no connection to lose.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::future::join_all;
use reqwest::{Response, StatusCode};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    time::timeout,
};
use wreg_oci::Digest;

use crate::{
    flows::is_stored,
    registry::{Options, TestDatabase, TestRegistry, header},
};

/// A guard against hanging, not a measure.
const PATIENCE: Duration = Duration::from_mins(1);

/// What the line between the registry and its database does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    Works,
    /// Nothing comes through, and no end of it is seen.
    Stalls,
    /// Every connection is cut, and new ones at once.
    Down,
}

/// Where a connection is to be cut, once.
#[derive(Debug, Clone, Copy)]
enum Cut {
    /// Before a statement with this text: the database does not see it any more.
    Before(&'static str),
    /// After the end of its transaction: the database has done it, and its answer is lost.
    AfterCommitOf(&'static str),
}

/// A line to the database that can be disturbed.
struct Disturbed {
    registry: TestRegistry,
    line: watch::Sender<Line>,
    cut: Arc<Mutex<Option<Cut>>>,
}

/// A registry on PostgreSQL behind such a line; `None` where this run is on SQLite.
async fn disturbed() -> Option<Disturbed> {
    let TestDatabase::Postgres(url) = TestDatabase::new().await else {
        return None;
    };
    let (before, rest) = url.split_once('@').expect("a password");
    let (server, after) = rest.split_once('/').expect("a database");
    let server: SocketAddr = server.parse().expect("an address of loopback");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("a bound listener has an address");
    let line = watch::Sender::new(Line::Works);
    let cut = Arc::default();
    tokio::spawn(relay_all(listener, server, line.clone(), Arc::clone(&cut)));
    let database = TestDatabase::Postgres(format!("{before}@{address}/{after}"));
    let registry = TestRegistry::with(Options {
        database: Some(database),
        ..Options::default()
    })
    .await;
    Some(Disturbed { registry, line, cut })
}

async fn relay_all(listener: TcpListener, server: SocketAddr, line: watch::Sender<Line>, cut: Arc<Mutex<Option<Cut>>>) {
    while let Ok((client, _)) = listener.accept().await {
        let (line, cut) = (line.subscribe(), Arc::clone(&cut));
        tokio::spawn(async move {
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = TcpStream::connect(server).await.expect("PostgreSQL").into_split();
            let (began, lost) = (AtomicBool::new(false), AtomicBool::new(false));
            let answers = relay(from_server, to_client, line.clone(), |_| lost.load(Ordering::Relaxed));
            let questions = relay(from_client, to_server, line, |bytes| {
                let has = |text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
                let mut armed = cut.lock().expect("nobody panics with it");
                match *armed {
                    Some(Cut::Before(text)) if has(text) => {
                        *armed = None;
                        return true;
                    }
                    Some(Cut::AfterCommitOf(text)) => {
                        let began = began.fetch_or(has(text), Ordering::Relaxed) || has(text);
                        if began && has("COMMIT") {
                            *armed = None;
                            lost.store(true, Ordering::Relaxed);
                        }
                    }
                    _ => {}
                }
                false
            });
            tokio::select! { () = answers => {}, () = questions => {} }
        });
    }
}

/// Passes bytes on until either end closes, the line is cut, or `cut` wants it to be before some bytes.
async fn relay(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut line: watch::Receiver<Line>,
    cut: impl Fn(&[u8]) -> bool,
) {
    let mut buffer = vec![0; 64 * 1024];
    let mut down = line.clone();
    loop {
        let read = tokio::select! {
            read = from.read(&mut buffer) => read.unwrap_or_default(),
            _ = down.wait_for(|line| *line == Line::Down) => 0,
        };
        let bytes = &buffer[..read];
        let passes = line
            .wait_for(|line| *line != Line::Stalls)
            .await
            .is_ok_and(|line| *line == Line::Works);
        if read == 0 || !passes || cut(bytes) || to.write_all(bytes).await.is_err() {
            return;
        }
    }
}

impl Disturbed {
    /// Cuts the line at `cut` in the push of a manifest, which has to be told to try again.
    async fn push_is_cut(&self, cut: Cut) -> serde_json::Value {
        let manifest = self.registry.image("acme/hello", b"layer").await;
        *self.cut.lock().expect("nobody panics with it") = Some(cut);
        is_unavailable(&self.registry.put_manifest("acme/hello", "1.0", &manifest).await);
        assert!(
            self.cut.lock().expect("nobody panics with it").is_none(),
            "nothing was cut"
        );
        manifest
    }

    async fn status(&self, target: &str) -> StatusCode {
        self.registry.send("GET", target).await.status()
    }
}

/// 503, and when to come back: within five seconds.
fn is_unavailable(answer: &Response) {
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(
        header(answer, "retry-after")
            .parse::<u8>()
            .is_ok_and(|seconds| seconds <= 5)
    );
}

const IMAGE: &str = "/v2/acme/hello/manifests/1.0";
const EVENTS: &str = "SELECT COUNT(*) FROM events WHERE kind = 'manifest-put'";

/// **P01** The connection to PostgreSQL is lost in the middle of a transaction → 503, nothing of it is there, and the next try succeeds.
#[tokio::test]
async fn a_transaction_that_is_cut_off_never_was() {
    let Some(disturbed) = disturbed().await else { return };
    let manifest = disturbed.push_is_cut(Cut::Before("INSERT INTO manifests")).await;
    assert_eq!(disturbed.status(IMAGE).await, StatusCode::NOT_FOUND);
    let again = disturbed.registry.put_manifest("acme/hello", "1.0", &manifest).await;
    assert_eq!(again.status(), StatusCode::CREATED);
    assert_eq!(disturbed.status(IMAGE).await, StatusCode::OK);
}

/// **P02** The connection is lost after COMMIT was sent, and the answer with it → 503; it is done, and the client's next try finds it so.
#[tokio::test]
async fn a_commit_whose_answer_is_lost_is_found_by_the_next_try() {
    let Some(disturbed) = disturbed().await else { return };
    let manifest = disturbed.push_is_cut(Cut::AfterCommitOf("INSERT INTO manifests")).await;
    assert_eq!(disturbed.status(IMAGE).await, StatusCode::OK);
    let again = disturbed.registry.put_manifest("acme/hello", "1.0", &manifest).await;
    assert_eq!(again.status(), StatusCode::CREATED);
    assert_eq!(disturbed.registry.count(EVENTS).await, 1);
}

/// **P03** Every connection to PostgreSQL is in use → who waits too long for one is told 503 with `Retry-After`; the others are answered once the database answers.
#[tokio::test]
async fn who_waits_too_long_for_a_connection_is_told_to_come_back() {
    let Some(disturbed) = disturbed().await else { return };
    disturbed.registry.push_image("acme/hello", "1.0", b"layer").await;
    disturbed.line.send_replace(Line::Stalls);
    let asked = (0..40).map(|_| async {
        let answer = disturbed.registry.send("GET", IMAGE).await;
        if answer.status() != StatusCode::OK {
            is_unavailable(&answer);
            // Whoever held a connection may now be answered.
            disturbed.line.send_replace(Line::Works);
        }
        answer.status()
    });
    let statuses = join_all(asked).await;
    assert!(statuses.contains(&StatusCode::SERVICE_UNAVAILABLE));
    assert_eq!(disturbed.status(IMAGE).await, StatusCode::OK);
}

/// **P04** PostgreSQL wants a transaction again, for a conflict or a deadlock → it is tried five times, and 503 after that, never 500.
#[tokio::test]
async fn a_transaction_is_tried_again_where_postgresql_asks_for_it() {
    let Some(disturbed) = disturbed().await else { return };
    let TestDatabase::Postgres(url) = &disturbed.registry.database else {
        return;
    };
    let pool = sqlx::PgPool::connect(url).await.expect("the database answers");
    let refuse = |times: u8, code: &str| {
        let statements = format!(
            "DROP SEQUENCE IF EXISTS tries; CREATE SEQUENCE tries;
             CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF nextval('tries') <= {times} THEN RAISE EXCEPTION 'again' USING ERRCODE = '{code}'; END IF;
                RETURN NEW;
             END $$;
             DROP TRIGGER IF EXISTS refuse ON manifests;
             CREATE TRIGGER refuse BEFORE INSERT ON manifests FOR EACH ROW EXECUTE FUNCTION refuse();"
        );
        let pool = &pool;
        async move {
            sqlx::raw_sql(sqlx::AssertSqlSafe(statements))
                .execute(pool)
                .await
                .expect("a trigger can be made")
        }
    };
    for (number, code) in ["40001", "40P01"].into_iter().enumerate() {
        let manifest = disturbed
            .registry
            .image("acme/hello", &[b'a' + u8::try_from(number).expect("few")])
            .await;
        refuse(5, code).await;
        is_unavailable(&disturbed.registry.put_manifest("acme/hello", "1.0", &manifest).await);
        refuse(4, code).await;
        let pushed = disturbed.registry.put_manifest("acme/hello", "1.0", &manifest).await;
        assert_eq!(pushed.status(), StatusCode::CREATED, "{code}");
    }
    assert_eq!(disturbed.registry.count(EVENTS).await, 2);
    pool.close().await;
}

/// Two servers are pushed to at once, and neither knows the repository yet: each statement of PostgreSQL sees what was committed before it.
#[tokio::test]
async fn a_repository_that_another_server_makes_meanwhile_takes_the_blob() {
    let registry = TestRegistry::start().await;
    let TestDatabase::Postgres(url) = &registry.database else {
        return;
    };
    registry.push_image("acme/other", "1.0", b"layer").await;
    let pool = sqlx::PgPool::connect(url).await.expect("the database answers");
    let mut other = pool.begin().await.expect("a transaction begins");
    // The push is held up where it waits for either: for what the repository is to be, or for its last table.
    let statements =
        "INSERT INTO repositories (name, visibility, immutable_tags, missing_references, deletable, created_at)
                      SELECT 'acme/hello', visibility, immutable_tags, missing_references, deletable, created_at
                      FROM repositories WHERE name = 'acme/other';
                      LOCK TABLE repository_blobs IN SHARE MODE";
    let made = sqlx::raw_sql(statements).execute(&mut *other).await;
    made.expect("a repository can be made");
    let content = b"content";
    let digest = Digest::sha256(content);
    let target = format!("/v2/acme/hello/blobs/uploads/?digest={digest}");
    let push = registry.send_body("POST", &target, content.to_vec());
    let commit = async {
        let asked =
            "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid)))";
        let mut is_waited_for = false;
        while !is_waited_for {
            let answer = sqlx::query_scalar(asked).fetch_one(&mut *other).await;
            is_waited_for = answer.expect("the database answers");
        }
        other.commit().await.expect("it is committed");
    };
    let (pushed, ()) = timeout(PATIENCE, async { tokio::join!(push, commit) })
        .await
        .expect("the push waits for the other");
    assert_eq!(pushed.status(), StatusCode::CREATED);
    is_stored(&registry, "acme/hello", content, &digest).await;
    pool.close().await;
}

/// **P10** The database is down → `/livez` 200, `/readyz` 503, what needs it 503 and not 404; all is as before once it is back.
#[tokio::test]
async fn a_database_that_is_down_is_not_one_that_is_empty() {
    let Some(disturbed) = disturbed().await else { return };
    disturbed.registry.push_image("acme/hello", "1.0", b"layer").await;
    disturbed.line.send_replace(Line::Down);
    let targets = [
        "/readyz",
        IMAGE,
        "/v2/acme/hello/tags/list",
        "/v2/acme/absent/manifests/1.0",
    ];
    for answer in join_all(targets.map(|target| disturbed.registry.send("GET", target))).await {
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE, "{}", answer.url());
    }
    assert_eq!(disturbed.status("/livez").await, StatusCode::OK);
    disturbed.line.send_replace(Line::Works);
    // What is told of it counts for a moment; this asks anew.
    disturbed
        .registry
        .app
        .registry()
        .probe()
        .await
        .expect("it is ready again");
    assert_eq!(disturbed.status(IMAGE).await, StatusCode::OK);
}
