//! What it costs to know who asks: `cargo bench -p wreg-registry --bench token`.

use divan::{Bencher, black_box};
use tokio::runtime::Runtime;
use wreg_registry::{App, Surroundings, auth::Identity, config::Config};

fn main() {
    divan::main();
}

#[expect(clippy::disallowed_methods, reason = "a small file of our own server")]
fn text_of(file: &std::path::Path) -> String {
    std::fs::read_to_string(file).expect("a token").trim().to_owned()
}

struct Server {
    runtime: Runtime,
    app: App,
    personal: String,
    _folder: tempfile::TempDir,
}

impl Server {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let runtime = Runtime::new().expect("a runtime");
        let config = Config::for_data_dir(folder.path());
        let app = runtime.block_on(App::open(&config, Surroundings::default()));
        Self {
            app: app.expect("it opens"),
            personal: text_of(&folder.path().join("admin-token")),
            runtime,
            _folder: folder,
        }
    }

    fn identify(&self, authorization: &str) -> Identity {
        let headers = [authorization.as_bytes()];
        let identified = self.runtime.block_on(self.app.auth().identify(&headers, None));
        identified.expect("it is good")
    }

    fn bearer(&self) -> String {
        let personal = self.identify(&format!("Bearer {}", self.personal));
        let grant = self.runtime.block_on(self.app.auth().exchange(&personal, &[]));
        format!("Bearer {}", grant.expect("a token").token)
    }
}

/// A registry token that was seen before.
#[divan::bench]
fn verify_a_registry_token_again(bencher: Bencher<'_, '_>) {
    let server = Server::new();
    let bearer = server.bearer();
    bencher.bench_local(|| server.identify(black_box(&bearer)));
}

/// A registry token that nobody showed yet: its signature is checked.
#[divan::bench(sample_size = 1)]
fn verify_a_new_registry_token(bencher: Bencher<'_, '_>) {
    let server = Server::new();
    bencher
        .with_inputs(|| server.bearer())
        .bench_local_values(|bearer| server.identify(&bearer));
}

#[divan::bench]
fn verify_a_personal_token(bencher: Bencher<'_, '_>) {
    let server = Server::new();
    let bearer = format!("Bearer {}", server.personal);
    bencher.bench_local(|| server.identify(black_box(&bearer)));
}
