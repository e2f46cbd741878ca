//! The server: opens what it stands on, serves every method over one port, and stops in an orderly way.
//!
//! Every limit that is not in the contract is a constant here, with its unit.

use crate::api::auth::{authenticate, counties_text, roles_text};
use crate::api::{Api, error, services};
use crate::domain::time::Instant;
use crate::identity::token::{new_token, token_hash};
use crate::identity::{Entropy, MasterKey, MasterKeyError, NoEntropy, SealError};
use crate::ledger::sweeper::Sweeper;
use crate::ledger::{Clock, Ledger, LedgerError};
use crate::pb::{self, ErrorReason, Role};
use crate::rows::tables::{PRINCIPALS, SECRETS};
use crate::rows::{Cell, ColType, Row};
use crate::store::{Store, StoreError};
use futures_util::FutureExt as _;
use prost::Message as _;
use std::convert::Infallible;
use std::future::Future;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tonic::body::Body;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tower::{Layer, Service};

/// Calls in progress on the whole server; more are refused at once.
const CALLS: usize = 1_024;
/// Streams of one connection.
const STREAMS: u32 = 256;
/// Bytes of headers of one call.
const HEADERS: u32 = 16 * 1024;
/// Streams that a peer may have had reset for its errors before the connection is closed.
const RESETS: usize = 256;
/// How long a call may take until its answer begins.
const LONGEST_CALL: Duration = Duration::from_secs(60);
/// How often a silent peer is asked whether it is there, and how long it may take to answer.
const KEEPALIVE: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(20));
/// How long calls in progress have to end once the server stops.
pub const DRAIN: Duration = Duration::from_secs(10);

/// Why the server does not run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The master key.
    #[error(transparent)]
    Key(#[from] MasterKeyError),
    /// The master key of a new database could not be used.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// A database with keys, and no master key for them.
    #[error("there is no master key file {path}, and a new key could not open what is in this database. {SHARED}")]
    NoMasterKey {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// A database whose keys are under another master key.
    #[error("the master key in {path} does not open the keys in this database: they were made under another one. {SHARED}")]
    OtherMasterKey {
        /// The key's file.
        path: PathBuf,
    },
    /// No random bytes.
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
    /// The descriptors of the contract.
    #[error("reflection: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// The transport.
    #[error("the transport: {0}")]
    Transport(#[from] tonic::transport::Error),
    /// A file or a socket.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// What to do about it.
const SHARED: &str = "All servers of a database share one master key, and a database that is moved takes it along: bring the \
    file master.key of the first server's data folder here, or name it with --master-key (DETAINERD_MASTER_KEY_FILE)";

/// The master key in a file, made there where neither file nor database knows one. A database is marked with the key of
/// the first server on it, and no server with another key gets past this.
///
/// # Errors
/// [`ServeError::NoMasterKey`], [`ServeError::OtherMasterKey`]; the file's or the store's.
pub async fn master_key(store: &Store, path: &Path, entropy: &dyn Entropy) -> Result<MasterKey, ServeError> {
    let stored = || async {
        let sql = "select sealed from secrets order by county limit 1";
        let found = store.query(sql, &[], &[ColType::Bytes]).await?;
        Ok::<_, StoreError>(found.into_iter().next().and_then(|row| row.first().and_then(Cell::as_bytes).map(<[u8]>::to_vec)))
    };
    let mut known = stored().await?;
    let keys = match known {
        Some(_) => MasterKey::load(path).map_err(|error| match error {
            MasterKeyError::File { path, source } if source.kind() == ErrorKind::NotFound => ServeError::NoMasterKey { path },
            error => error.into(),
        })?,
        None => MasterKey::load_or_create(path, entropy)?.0,
    };
    if known.is_none() {
        let mark = Row { table: &SECRETS, key: vec!["".into(), "mark".into()], body: vec![keys.mark(entropy)?.into()] };
        let mut tx = store.begin().await?;
        match tx.insert(&[mark]).await {
            Ok(()) => tx.commit().await.map(|_| ())?,
            // Another server was first.
            Err(StoreError::Duplicate(_)) => {
                tx.rollback().await;
                known = stored().await?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    match known {
        Some(stored) if !keys.wrapped(&stored) => Err(ServeError::OtherMasterKey { path: path.to_owned() }),
        _ => Ok(keys),
    }
}

/// Makes the first credential where there is none yet, and answers its token: records, administrator and auditor, for
/// every county. Make narrower ones with it.
///
/// # Errors
/// The store's, or no random bytes.
pub async fn first_credential(store: &Store, entropy: &dyn Entropy, now: Instant) -> Result<Option<String>, ServeError> {
    let known = store.query("select id from principals limit 1", &[], &[ColType::Text]).await?;
    if !known.is_empty() {
        return Ok(None);
    }
    let token = new_token(entropy)?;
    let roles = [Role::Records, Role::Administrator, Role::Auditor];
    let row = Row {
        table: &PRINCIPALS,
        key: vec!["admin".into()],
        body: vec![
            token_hash(&token).to_vec().into(),
            "first credential".into(),
            "admin".into(),
            roles_text(&roles).into(),
            counties_text(None).into(),
            now.into(),
            Cell::Null,
            Cell::Null,
        ],
    };
    let mut tx = store.begin().await?;
    tx.insert(&[row]).await?;
    tx.commit().await?;
    Ok(Some(token.to_string()))
}

/// Serves until `stop` is cancelled; then lets calls in progress end for at most [`DRAIN`].
///
/// # Errors
/// [`ServeError`].
pub async fn serve(listener: TcpListener, ledger: Ledger, stop: CancellationToken) -> Result<(), ServeError> {
    let api = Api::new(ledger.clone(), stop.clone());
    let (reporter, health) = tonic_health::server::health_reporter();
    let names = service_names();
    for name in &names {
        reporter.set_service_status(name, tonic_health::ServingStatus::Serving).await;
    }
    let described = || {
        let known = tonic_reflection::server::Builder::configure().register_encoded_file_descriptor_set(pb::DESCRIPTORS);
        known.register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let routes =
        services(&api).add_service(health).add_service(described().build_v1()?).add_service(described().build_v1alpha()?);

    let gate = GateLayer { api, calls: Arc::new(Semaphore::new(CALLS)) };
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true)).with_keepalive(Some(Duration::from_secs(60)));
    let serving = Server::builder()
        .accept_http1(true)
        .max_concurrent_streams(STREAMS)
        .http2_max_header_list_size(HEADERS)
        .http2_max_local_error_reset_streams(Some(RESETS))
        .http2_max_pending_accept_reset_streams(Some(RESETS))
        .http2_keepalive_interval(Some(KEEPALIVE.0))
        .http2_keepalive_timeout(Some(KEEPALIVE.1))
        .layer(tonic_web::GrpcWebLayer::new())
        .layer(gate)
        .add_routes(routes)
        .serve_with_incoming_shutdown(incoming, stop.clone().cancelled_owned());

    let sweeping = tokio::spawn(Sweeper::new(ledger.clone()).run(stop.clone()));
    let overdue = async {
        stop.cancelled().await;
        for name in &names {
            reporter.set_service_status(name, tonic_health::ServingStatus::NotServing).await;
        }
        tokio::time::sleep(DRAIN).await;
    };
    let served = tokio::select! {
        served = serving => served,
        () = overdue => Ok(()),
    };
    stop.cancel();
    // A defect of the sweeper has been logged by its task; the server's own end counts.
    let _ = sweeping.await;
    ledger.stop().await;
    served.map_err(ServeError::from)
}

/// What health is asked about: the whole server, which is `""`, and each service of the contract.
fn service_names() -> Vec<String> {
    let files = prost_types::FileDescriptorSet::decode(pb::DESCRIPTORS).unwrap_or_default().file;
    let named = files.iter().flat_map(|file| file.service.iter().map(|one| format!("{}.{}", file.package(), one.name())));
    std::iter::once(String::new()).chain(named).collect()
}

/// A server of one's own, for stories over a real socket.
#[derive(Debug)]
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// The token of its first credential; nothing where the store had one already.
    pub token: Option<String>,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<Result<(), ServeError>>,
}

impl Running {
    /// Stops it and waits for its end.
    ///
    /// # Errors
    /// What it ended with.
    pub async fn stop(self) -> Result<(), ServeError> {
        self.stop.cancel();
        self.task.await.unwrap_or_else(|panic| Err(std::io::Error::other(panic).into()))
    }
}

/// Starts a server on a free port of this machine.
///
/// # Errors
/// [`ServeError`].
pub async fn spawn(
    store: Store,
    keys: Arc<MasterKey>,
    entropy: Arc<dyn Entropy>,
    clock: Arc<dyn Clock>,
) -> Result<Running, ServeError> {
    let token = first_credential(&store, &*entropy, clock.now()).await?;
    let ledger = Ledger::start(store, keys, entropy, clock)?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let stop = CancellationToken::new();
    let task = tokio::spawn(serve(listener, ledger, stop.clone()));
    Ok(Running { address, token, stop, task })
}

/// Puts a [`Gate`] in front of the services.
#[derive(Clone)]
struct GateLayer {
    api: Api,
    calls: Arc<Semaphore>,
}

impl<S> Layer<S> for GateLayer {
    type Service = Gate<S>;
    fn layer(&self, inner: S) -> Gate<S> {
        Gate { inner, api: self.api.clone(), calls: self.calls.clone() }
    }
}

/// What every call passes: a place among the calls in progress, the caller's credential, a deadline, a net under
/// panics, and our own words for what the transport refuses by itself.
#[derive(Clone)]
struct Gate<S> {
    inner: S,
    api: Api,
    calls: Arc<Semaphore>,
}

type Answer = Result<http::Response<Body>, Infallible>;

impl<S> Service<http::Request<Body>> for Gate<S>
where
    S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Answer> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        // The clone has not been asked whether it is ready; the one that was goes into the future.
        let ready = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, ready);
        let (api, calls) = (self.api.clone(), self.calls.clone());
        Box::pin(async move {
            let Ok(_place) = calls.try_acquire_owned() else {
                let full = error::status(ErrorReason::LimitExceeded, "the server has too many calls in progress; try again");
                return Ok(full.into_http());
            };
            Ok(pass(inner, &api, request).await.unwrap_or_else(Status::into_http))
        })
    }
}

async fn pass<S>(mut inner: S, api: &Api, mut request: http::Request<Body>) -> Result<http::Response<Body>, Status>
where
    S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible> + Send,
    S::Future: Send,
{
    let path = request.uri().path().to_owned();
    if !path.starts_with("/grpc.health.") {
        let header = request.headers().get(http::header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let principal = authenticate(api.ledger.store(), api.ledger.now(), header, &path).await?;
        request.extensions_mut().insert(principal);
    }
    let longest = deadline(request.headers()).map_or(LONGEST_CALL, |asked| asked.min(LONGEST_CALL));
    let answered = tokio::time::timeout(longest, AssertUnwindSafe(inner.call(request)).catch_unwind()).await;
    match answered {
        Ok(Ok(Ok(response))) => Ok(renamed(response)),
        Ok(Ok(Err(never))) => match never {},
        Ok(Err(_)) => {
            tracing::error!(path, "a handler panicked");
            Err(error::status(ErrorReason::Internal, "a defect of the server; its log has more"))
        }
        Err(_) => Err(error::status(ErrorReason::DeadlinePassed, "the deadline passed; try again with the same request id")),
    }
}

/// The caller's deadline, a little early, so that the answer is ours and not the transport's.
fn deadline(headers: &http::HeaderMap) -> Option<Duration> {
    let text = headers.get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let n: u64 = digits.parse().ok()?;
    let asked = match unit {
        "H" => Duration::from_secs(n.saturating_mul(3_600)),
        "M" => Duration::from_secs(n.saturating_mul(60)),
        "S" => Duration::from_secs(n),
        "m" => Duration::from_millis(n),
        "u" => Duration::from_micros(n),
        "n" => Duration::from_nanos(n),
        _ => return None,
    };
    Some(asked - (asked / 20).min(Duration::from_millis(10)))
}

/// What the transport refuses by itself gets a reason.
fn renamed(response: http::Response<Body>) -> http::Response<Body> {
    match Status::from_header_map(response.headers()) {
        Some(status) if status.details().is_empty() => {
            let ours = error::of_transport(status);
            if ours.details().is_empty() { response } else { ours.into_http() }
        }
        _ => response,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_are_read() {
        let of = |text: &str| {
            let mut headers = http::HeaderMap::new();
            headers.insert("grpc-timeout", text.parse().unwrap());
            deadline(&headers)
        };
        assert_eq!(of("100m"), Some(Duration::from_millis(95)));
        assert_eq!(of("5S"), Some(Duration::from_millis(4_990)));
        assert_eq!(of("x"), None);
        assert_eq!(of("5é"), None);
    }
}
