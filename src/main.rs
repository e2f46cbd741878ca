//! `detainerd`: the server. Thin: everything it does is in the library.

mod demo;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use detainer::identity::OsEntropy;
use detainer::ledger::{Clock as _, Ledger, MachineClock};
use detainer::server;
use detainer::store::{Migrations, Options, Store};
use detainer::verify;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// The system of record for immigration detainers in county jails.
#[derive(Parser)]
#[command(name = "detainerd", version)]
struct Cli {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Serves gRPC until it is told to stop.
    Serve(Serve),
    /// Serves, loads a county that never was through the public calls, shows its board and its cost, and stays up.
    Demo(Serve),
    /// Brings the database up to date, and ends.
    Migrate(Place),
    /// Folds the journal again, from empty, and tells where the database differs from it. It may run beside a server.
    Replay(Replay),
}

#[derive(Args)]
struct Replay {
    #[command(flatten)]
    place: Place,
    /// Compare, and change nothing: hashes, roots, heads, requests and every table, row for row, with all versions. The
    /// exit code is 1 where anything differs.
    #[arg(long, required = true)]
    check: bool,
}

#[derive(Args)]
struct Place {
    /// Where keys, the first credential and, unless another is named, the database lie.
    #[arg(long, env = "DETAINERD_DATA_DIR", default_value = "./detainer-data")]
    data_dir: PathBuf,
    /// `sqlite://PATH` or `postgres://...`; the SQLite file `detainer.db` in the data folder where nothing is named.
    #[arg(long, env = "DETAINERD_DATABASE", hide_env_values = true)]
    database: Option<String>,
}

#[derive(Args)]
struct Serve {
    #[command(flatten)]
    place: Place,
    /// The file that holds the master key; `master.key` in the data folder where nothing is named. It is made where the
    /// database is new. All servers of one database share it.
    #[arg(long, env = "DETAINERD_MASTER_KEY_FILE", value_name = "FILE")]
    master_key: Option<PathBuf>,
    /// Where to listen.
    #[arg(long, env = "DETAINERD_LISTEN", default_value = "127.0.0.1:50051")]
    listen: SocketAddr,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn".into());
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter(filter).init();
    match Cli::parse().what {
        What::Serve(serve) => run(serve, false).await?,
        What::Demo(serve) => run(serve, true).await?,
        What::Migrate(place) => {
            let store = open(&place).await?;
            store.close().await;
            eprintln!("detainerd: the database is up to date");
        }
        What::Replay(replay) => return check(&replay.place).await,
    }
    Ok(ExitCode::SUCCESS)
}

impl Place {
    fn url(&self) -> String {
        self.database.clone().unwrap_or_else(|| format!("sqlite://{}", self.data_dir.join("detainer.db").display()))
    }
}

async fn open(place: &Place) -> anyhow::Result<Store> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&place.data_dir)
        .with_context(|| format!("the data folder {}", place.data_dir.display()))?;
    let options = Options { migrations: Migrations::Run, ..Options::default() };
    Ok(Store::open(&place.url(), options).await?)
}

/// Tells what differs on standard output, the first thousand in full, and the count at the end.
async fn check(place: &Place) -> anyhow::Result<ExitCode> {
    let options = Options { migrations: Migrations::Refuse, ..Options::default() };
    let url = place.url();
    if let Some(file) = url.strip_prefix("sqlite://") {
        anyhow::ensure!(Path::new(file).exists(), "there is no database {file}");
    }
    let store = Store::open(&url, options).await?;
    let mut told = 0_u64;
    let checked = verify::check(&store, &mut |difference| {
        told += 1;
        if told <= 1_000 {
            println!("{difference}");
        }
    })
    .await?;
    store.close().await;
    let verify::Checked { counties, records, rows, differences } = checked;
    println!("counties: {counties}, records: {records}, rows compared: {rows}, differences: {differences}");
    Ok(if differences == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn run(serve: Serve, demo: bool) -> anyhow::Result<()> {
    let store = open(&serve.place).await?;
    let entropy = Arc::new(OsEntropy);
    let key_file = serve.master_key.clone().unwrap_or_else(|| serve.place.data_dir.join("master.key"));
    let keys = server::master_key(&store, &key_file, &*entropy).await?;
    let clock = Arc::new(MachineClock);
    if let Some(token) = server::first_credential(&store, &*entropy, clock.now()).await? {
        let path = serve.place.data_dir.join("admin.token");
        keep(&path, &token).with_context(|| format!("the first credential's file {}", path.display()))?;
        eprintln!("detainerd: the first credential's token is in {}", path.display());
    }
    let ledger = Ledger::start(store.clone(), Arc::new(keys), entropy, clock)?;
    let listener = TcpListener::bind(serve.listen).await.with_context(|| format!("listening on {}", serve.listen))?;
    let stop = CancellationToken::new();
    tokio::spawn(told_to_stop(stop.clone())?);
    let address = listener.local_addr()?;
    eprintln!("detainerd: ready on {address} (data in {})", serve.place.data_dir.display());
    let mut serving = pin!(server::serve(listener, ledger, stop.clone()));
    let mut shown = Ok(());
    if demo {
        tokio::select! {
            served = &mut serving => served?,
            result = demo::run(address, &serve.place.data_dir) => {
                // A demonstration that fails takes the server with it, unless the server was told to stop meanwhile.
                shown = result.or_else(|error| if stop.is_cancelled() { Ok(()) } else { Err(error) });
                if shown.is_err() {
                    stop.cancel();
                }
                serving.await?;
            }
        }
    } else {
        serving.await?;
    }
    store.close().await;
    shown?;
    eprintln!("detainerd: stopped");
    Ok(())
}

/// Writes a secret to a file that only its owner may read.
fn keep(path: &Path, secret: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(secret.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()
}

/// Waits for SIGTERM or ctrl-c.
fn told_to_stop(stop: CancellationToken) -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        eprintln!("detainerd: stopping; calls in progress have {} s", server::DRAIN.as_secs());
        stop.cancel();
    })
}
