//! Starting, saying where, and ending.

use std::{
    fmt::Write as _,
    future,
    io::{self, Write as _},
    net::SocketAddr,
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use futures_util::future::OptionFuture;
use tokio::{net::TcpListener, signal::unix, sync::oneshot, time::timeout};
use uuid::Uuid;

use crate::{
    advisories::Followed,
    analyser,
    app::{App, Surroundings},
    auth::administrator,
    config::{Config, Flags, LogFormat, config_reference},
    fsck,
    http::{
        self, HttpService,
        connection::{ConnectionLimits, Terms},
    },
    tls::Tls,
};

/// An OCI registry that understands WebAssembly components.
///
/// Without any option it keeps everything in ./data and listens on 127.0.0.1:5000. The first start makes an administrator's token
/// and prints it with the commands to try next.
#[derive(Debug, Parser)]
#[command(name = "wreg-registry", version)]
pub struct Command {
    #[command(flatten)]
    flags: Flags,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Check the store against the database, while no server uses them
    ///
    /// It deletes nothing. Exit code 0: all is well; 1: something is not, or was not repaired; 2: it could not be told.
    Fsck(fsck::Options),
    /// Analyse the WebAssembly on standard input, for the server, which runs this by itself
    #[command(hide = true)]
    Analyse,
    /// Compare the two interfaces on standard input, in the same way
    #[command(hide = true)]
    Compare,
    /// Print a page of the reference
    #[command(hide = true)]
    Reference {
        /// Which one
        #[arg(value_parser = ["config", "errors", "openapi"])]
        page: String,
    },
}

/// Does what the command line says, until the process is told to end.
pub fn run(command: Command) -> ExitCode {
    // Before there is anything of the server: they take limits on themselves.
    match command.action {
        Some(Action::Analyse) => return analyser::run(),
        Some(Action::Compare) => return analyser::run_comparison(),
        _ => {}
    }
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error:#}");
            return ExitCode::FAILURE;
        }
    };
    let result = match command.action {
        Some(Action::Reference { page }) if page == "config" => return written(&config_reference()),
        Some(Action::Reference { page }) if page == "openapi" => return written(http::openapi_document()),
        Some(Action::Reference { .. }) => return written(&http::errors_reference()),
        Some(Action::Analyse | Action::Compare) => return ExitCode::FAILURE,
        Some(Action::Fsck(options)) => return runtime.block_on(fsck::run(command.flags, &options)),
        None => runtime.block_on(start(command.flags)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn start(flags: Flags) -> anyhow::Result<()> {
    let config = Config::load(flags)?;
    log(&config)?;
    let app = App::open(&config, Surroundings::default()).await?;
    let listener = TcpListener::bind(config.listen)
        .await
        .map_err(|error| anyhow::anyhow!("cannot listen on {}: {error}", config.listen))?;
    let address = listener.local_addr()?;
    // Before anybody knows that there is something to end.
    let (mut terminate, mut interrupt) = (
        unix::signal(unix::SignalKind::terminate())?,
        unix::signal(unix::SignalKind::interrupt())?,
    );
    let mut text = greeting(&app, &config, address).await;
    if let Some(address) = config.metrics_listen {
        let address = start_metrics(&app, address).await?;
        let _ = writeln!(text, "metrics on http://{address}/metrics");
    }
    written(&text);
    let (leaving, delay) = (app.clone(), config.shutdown_delay);
    let mut told = async move || tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} };
    let (found, mut damage) = oneshot::channel();
    let stopped = async move {
        tokio::select! {
            () = told() => {}
            error = leaving.find_damage() => {
                tracing::error!(error = &error as &dyn std::error::Error, "the server ends");
                let _ = found.send(error);
                return;
            }
        }
        leaving.leave();
        if !delay.is_zero() {
            tracing::info!(?delay, "not ready any more: requests should go elsewhere");
            let _ = timeout(delay, told()).await;
        }
    };
    serve(app, listener, ConnectionLimits::default(), stopped).await?;
    damage.try_recv().map_or(Ok(()), |damage| Err(damage.into()))
}

/// Serves metrics for as long as the process runs, its end included. Returns where.
async fn start_metrics(app: &App, address: SocketAddr) -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| anyhow::anyhow!("cannot serve metrics on {address}: {error}"))?;
    let address = listener.local_addr()?;
    let router = http::metrics_router(app.clone());
    tokio::spawn(http::connection::serve(
        listener,
        router,
        Terms::default(),
        future::pending(),
    ));
    Ok(address)
}

/// Serves `app` on `listener` until `shutdown` is done; then answers what is under way, for 30 seconds at most.
pub async fn serve(
    app: App,
    listener: TcpListener,
    limits: ConnectionLimits,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let owner = Uuid::new_v4().to_string();
    let worker = tokio::spawn({
        let (registry, owner) = (app.registry().clone(), owner.clone());
        async move { registry.work_forever(&owner).await }
    });
    let terms = Terms {
        limits,
        tls: app.tls.as_ref().map(Tls::config),
        traffic: app.metrics.traffic.clone(),
        leaving: app.leaving(),
    };
    let follower = tokio::spawn(OptionFuture::from(app.tls.clone().map(Tls::follow_files)));
    let advisories = tokio::spawn(OptionFuture::from(app.advisories.clone().map(Followed::follow)));
    let leaving = app.clone();
    let shutdown = async move {
        shutdown.await;
        leaving.leave();
        tracing::info!("shutting down: answering what is under way");
    };
    let result = http::connection::serve(listener, HttpService::new(app.clone()), terms, shutdown).await;
    follower.abort();
    advisories.abort();
    worker.abort();
    // What it was asking the database has to be over: the last connection to be closed must be the one that writes.
    let _ = worker.await;
    app.registry().end_work(&owner).await;
    app.close().await;
    result
}

/// Where the server is, and at the first start what to do with it. The first line is for programs.
async fn greeting(app: &App, config: &Config, address: SocketAddr) -> String {
    let scheme = if config.tls.is_some() { "https" } else { "http" };
    let mut text = format!("listening on {scheme}://{address}\n");
    if config.dev {
        text += "dev: everything is public, and anybody on this machine may push\n";
    }
    let file = config.data_dir.join(administrator::FILE);
    if app.is_first_start()
        && let Ok(token) = secret(&file).await
    {
        let file = file.display();
        let _ = write!(
            text,
            "
The administrator's token, shown this once and kept in {file}:

    {token}

Try it:

    wreg login {address} --token-stdin < {file}
    wreg push hello.wasm {address}/acme/hello:1.0.0
"
        );
    }
    text
}

async fn secret(file: &std::path::Path) -> io::Result<String> {
    use tokio::io::AsyncReadExt as _;
    let mut text = String::new();
    tokio::fs::File::open(file)
        .await?
        .take(256)
        .read_to_string(&mut text)
        .await?;
    Ok(text.trim_end().to_owned())
}

/// Logs go to standard error, so that standard output holds nothing but the greeting.
fn log(config: &Config) -> anyhow::Result<()> {
    let filter =
        tracing_subscriber::EnvFilter::try_new(&config.log).map_err(|error| anyhow::anyhow!("log: {error}"))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_target(false);
    match config.log_format {
        LogFormat::Text => builder.with_ansi(false).init(),
        LogFormat::Json => builder.json().init(),
    }
    Ok(())
}

fn written(text: &str) -> ExitCode {
    let mut out = io::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
