//! Where commands wait their turn: lanes, each with a bounded queue. A lane takes what has gathered, does it in one
//! transaction, and answers.
//!
//! SQLite has one writer and so one lane; on PostgreSQL counties are spread over a few. The caller waits in its own
//! task: it may go away at any time, and a command that has begun is carried through.

use super::core::Core;
use super::load::Reader;
use super::memory::Memory;
use super::turn::Fate;
use super::{AsOf, Call, Clock, Command, LedgerError, Pair, Written};
use crate::domain::booking::Booking;
use crate::domain::county::County;
use crate::domain::ids::{BookingId, CountyId};
use crate::domain::time::Instant;
use crate::identity::{Entropy, MasterKey};
use crate::journal::record::Record;
use crate::rows::ColType;
use crate::store::{Engine, Store};
use futures_util::FutureExt as _;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Commands of one batch.
const BATCH: usize = 256;
/// Commands that wait in one lane.
const QUEUE: usize = 1_024;
/// How long a command waits for a place in the queue.
const PATIENCE: Duration = Duration::from_secs(2);
/// Lanes on PostgreSQL.
const LANES: usize = 4;

struct Job {
    call: Call,
    command: Command,
    reply: oneshot::Sender<Result<Written, LedgerError>>,
}

/// Writes and reads counties. Cheap to clone.
#[derive(Clone)]
pub struct Ledger {
    core: Arc<Core>,
    lanes: Arc<Lanes>,
}

struct Lanes {
    queues: Vec<mpsc::Sender<Job>>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
    stop: CancellationToken,
}

impl Ledger {
    /// Over a store. Its lanes are tasks of the runtime it is called in.
    ///
    /// # Errors
    /// None today.
    pub fn start(
        store: Store,
        keys: Arc<MasterKey>,
        entropy: Arc<dyn Entropy>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, LedgerError> {
        let count = if store.engine() == Engine::Sqlite { 1 } else { LANES };
        let core = Arc::new(Core { store, keys, entropy, clock, memory: Memory::default(), past: tokio::sync::Mutex::default() });
        let stop = CancellationToken::new();
        let (mut queues, mut tasks) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let (sender, queue) = mpsc::channel(QUEUE);
            queues.push(sender);
            tasks.push(tokio::spawn(lane(core.clone(), queue, stop.clone())));
        }
        Ok(Self { core, lanes: Arc::new(Lanes { queues, tasks: Mutex::new(tasks), stop }) })
    }

    /// Now, by the ledger's clock.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.core.clock.now()
    }

    /// The store beneath.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.core.store
    }

    /// The master key.
    #[must_use]
    pub fn keys(&self) -> &MasterKey {
        &self.core.keys
    }

    /// Random bytes.
    #[must_use]
    pub fn entropy(&self) -> &dyn Entropy {
        &*self.core.entropy
    }

    /// Takes no more commands, and waits for those that were taken.
    pub async fn stop(&self) {
        self.lanes.stop.cancel();
        let tasks = std::mem::take(&mut *self.lanes.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        for task in tasks {
            // A lane that panicked has said so already.
            let _ = task.await;
        }
    }

    /// Records a command, or answers what a retry was answered before.
    ///
    /// # Errors
    /// [`LedgerError`]; nothing was recorded, but where the outcome of the commit is not known.
    pub async fn write(&self, call: Call, command: Command) -> Result<Written, LedgerError> {
        let mut hasher = DefaultHasher::new();
        call.county.hash(&mut hasher);
        let lane = usize::try_from(hasher.finish() % self.lanes.queues.len() as u64).unwrap_or(0);
        let Some(queue) = self.lanes.queues.get(lane) else { return Err(LedgerError::ShuttingDown) };
        if self.lanes.stop.is_cancelled() {
            return Err(LedgerError::ShuttingDown);
        }
        let (reply, answer) = oneshot::channel();
        match queue.send_timeout(Job { call, command, reply }, PATIENCE).await {
            Ok(()) => answer.await.unwrap_or(Err(LedgerError::Defect("a command did not come to its end"))),
            Err(mpsc::error::SendTimeoutError::Timeout(_)) => Err(LedgerError::QueueFull),
            Err(mpsc::error::SendTimeoutError::Closed(_)) => Err(LedgerError::ShuttingDown),
        }
    }

    /// A county as of a point, with the point.
    ///
    /// # Errors
    /// [`LedgerError::BeyondHead`], the store's, an unreadable record.
    pub async fn county(&self, county: &CountyId, as_of: AsOf) -> Result<(Pair, Option<Arc<County>>), LedgerError> {
        let pair = self.as_of(county, as_of).await?;
        Ok((pair, self.core.county_at(county, pair.seq).await?))
    }

    /// A booking as of a point, with the point.
    ///
    /// # Errors
    /// As [`Ledger::county`].
    pub async fn booking(
        &self,
        county: &CountyId,
        booking: &BookingId,
        as_of: AsOf,
    ) -> Result<(Pair, Option<Arc<Booking>>), LedgerError> {
        let pair = self.as_of(county, as_of).await?;
        let mut found = self.core.bookings_at(county, std::slice::from_ref(booking), pair.seq).await?;
        Ok((pair, found.remove(booking)))
    }

    /// Bookings as they were at a point; those that were not there then are missing.
    ///
    /// # Errors
    /// The store's, an unreadable record.
    pub async fn bookings(
        &self,
        county: &CountyId,
        bookings: &[BookingId],
        pair: Pair,
    ) -> Result<HashMap<BookingId, Arc<Booking>>, LedgerError> {
        self.core.bookings_at(county, bookings, pair.seq).await
    }

    /// What was recorded of some bookings after one record and up to another, in order.
    ///
    /// # Errors
    /// The store's, an unreadable record.
    pub async fn since(
        &self,
        county: &CountyId,
        bookings: &[BookingId],
        after: i64,
        up_to: i64,
    ) -> Result<HashMap<BookingId, Vec<Record>>, LedgerError> {
        Reader::Store(&self.core.store).since(county, bookings, after, up_to).await
    }

    /// What was recorded of the county's own settings after one record and up to another, in order.
    ///
    /// # Errors
    /// The store's, an unreadable record.
    pub async fn own_since(&self, county: &CountyId, after: i64, up_to: i64) -> Result<Vec<Record>, LedgerError> {
        Reader::Store(&self.core.store).own_since(county, after, up_to).await
    }

    /// The exact point that a question is about.
    ///
    /// # Errors
    /// [`LedgerError::BeyondHead`], the store's.
    pub async fn as_of(&self, county: &CountyId, as_of: AsOf) -> Result<Pair, LedgerError> {
        let sql = "select h.seq, j.recorded_at, j.root from heads h \
                   join journal j on j.county = h.county and j.seq = h.seq where h.county = $1";
        let types = [ColType::Int, ColType::Int, ColType::Bytes];
        let found = self.core.store.query(sql, &[county.as_str().into()], &types).await?;
        let head = match found.first().map(Vec::as_slice) {
            Some([seq, recorded, root]) => Pair {
                seq: seq.as_int().unwrap_or(0),
                recorded: recorded.as_int().map(Instant::from_micros),
                root: root.as_bytes().and_then(|root| root.try_into().ok()),
            },
            _ => Pair::default(),
        };
        if head.seq > 0 {
            self.core.catch_up(county, head.seq).await?;
        }
        match as_of {
            AsOf::Latest => Ok(head),
            AsOf::Sequence(seq) if seq > head.seq => Err(LedgerError::BeyondHead(head.seq)),
            AsOf::Sequence(seq) => self.core.pair(county, seq).await,
            AsOf::Recorded(at) => self.core.pair_by(county, head.seq, at).await,
        }
    }

    /// Records after one and up to another, in order.
    ///
    /// # Errors
    /// The store's, or an unreadable record.
    pub async fn records(&self, county: &CountyId, after: i64, up_to: i64, limit: usize) -> Result<Vec<Record>, LedgerError> {
        super::load::Reader::Store(&self.core.store).records(county, after, up_to, limit).await
    }
}

async fn lane(core: Arc<Core>, mut queue: mpsc::Receiver<Job>, stop: CancellationToken) {
    let mut jobs = Vec::with_capacity(BATCH);
    let mut open = true;
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled(), if open => {
                queue.close();
                open = false;
                continue;
            }
            taken = queue.recv_many(&mut jobs, BATCH) => if taken == 0 { return },
        }
        // Whoever is gone before their command has begun asked for nothing.
        jobs.retain(|job| !job.reply.is_closed());
        batch(&core, std::mem::take(&mut jobs)).await;
    }
}

async fn batch(core: &Arc<Core>, jobs: Vec<Job>) {
    if jobs.is_empty() {
        return;
    }
    let asked: Vec<(&Call, &Command)> = jobs.iter().map(|job| (&job.call, &job.command)).collect();
    let Ok(fates) = AssertUnwindSafe(core.batch(&asked)).catch_unwind().await else {
        tracing::error!("a batch panicked: what is remembered of its counties is forgotten");
        for job in &jobs {
            core.memory.forget(&job.call.county);
        }
        // Dropping the jobs answers them.
        return;
    };
    for (job, fate) in jobs.into_iter().zip(fates) {
        let Job { call, command, reply } = job;
        match fate {
            // An error says that nobody waits any more.
            Fate::Done(answer) => drop(reply.send(answer.map(|written| *written))),
            Fate::Replay(first, last) => {
                let core = core.clone();
                tokio::spawn(async move { drop(reply.send(core.replayed(&call, &command, first, last).await)) });
            }
        }
    }
}
