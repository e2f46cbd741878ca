//! One batch on the database, from its begin to its commit; and what a retry is answered.

use super::load::Reader;
use super::memory::{Era, Latest, Memory};
use super::turn::{Fate, Turn, own_stream};
use super::{Call, Clock, Command, LedgerError, Written};
use crate::domain::booking::Booking;
use crate::domain::county::County;
use crate::domain::evolve;
use crate::domain::ids::{BookingId, CountyId};
use crate::domain::impact::Impact;
use crate::domain::time::Instant;
use crate::identity::{Entropy, MasterKey};
use crate::journal::record::Stream;
use crate::journal::tree::Hash;
use crate::rows::ColType;
use crate::store::{Param, Store, StoreError};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// Records of other servers that are followed one by one; more are read as rows.
const FOLLOWED: i64 = 2_000;
/// How often a batch is tried where something was in its way.
const ATTEMPTS: u32 = 6;
/// The pause after the first attempt; doubled after each.
const PAUSE: Duration = Duration::from_millis(10);
/// How far the machine's clock and the database's may differ.
const SKEW_US: i64 = 2_000_000;

/// What lanes and readers share.
pub(super) struct Core {
    pub store: Store,
    pub keys: Arc<MasterKey>,
    pub entropy: Arc<dyn Entropy>,
    pub clock: Arc<dyn Clock>,
    pub memory: Memory,
    /// Held by whoever reads an earlier state of a county.
    pub past: Mutex<()>,
}

/// Why a batch was not committed.
enum Failed {
    /// Nothing of it was.
    Error(LedgerError),
    /// Nobody knows: what the answers would be, and a leaf by which it can be seen.
    Unknown(Vec<Fate>, CountyId, i64, Hash),
}

impl From<LedgerError> for Failed {
    fn from(error: LedgerError) -> Self {
        Self::Error(error)
    }
}

impl Core {
    /// Does commands in one transaction. Each has its answer, in their order.
    pub async fn batch(&self, jobs: &[(&Call, &Command)]) -> Vec<Fate> {
        match self.together(jobs).await {
            Ok(fates) => fates,
            Err(LedgerError::Store(error)) if waits(&error) => all(jobs, &LedgerError::Store(error)),
            Err(error) if jobs.len() < 2 => all(jobs, &error),
            Err(error) => {
                tracing::warn!(%error, commands = jobs.len(), "a batch failed: its commands are done one by one");
                let mut fates = Vec::with_capacity(jobs.len());
                for job in jobs {
                    let alone = self.together(std::slice::from_ref(job)).await;
                    let fate = alone.map(|mut fates| fates.pop());
                    fates.push(match fate {
                        Ok(Some(fate)) => fate,
                        Ok(None) => failed(LedgerError::Defect("a command without an answer")),
                        Err(error) => failed(error),
                    });
                }
                fates
            }
        }
    }

    /// Tries a batch again where something was in its way.
    async fn together(&self, jobs: &[(&Call, &Command)]) -> Result<Vec<Fate>, LedgerError> {
        let mut pause = PAUSE;
        let mut attempt = 1;
        loop {
            let error = match self.attempt(jobs).await {
                Ok(fates) => return Ok(fates),
                Err(Failed::Error(error)) => error,
                Err(Failed::Unknown(fates, county, seq, leaf)) => match self.is_there(&county, seq, &leaf).await {
                    Ok(true) => return Ok(fates),
                    Ok(false) => StoreError::Disconnected("before the commit".into()).into(),
                    Err(_) => return Err(StoreError::CommitUnknown.into()),
                },
            };
            for (call, _) in jobs {
                self.memory.forget(&call.county);
            }
            let again = match &error {
                LedgerError::Store(error) => error.is_retryable() || matches!(**error, StoreError::Duplicate(_)),
                _ => false,
            };
            if !again || attempt == ATTEMPTS {
                return Err(error);
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
            attempt += 1;
        }
    }

    async fn attempt(&self, jobs: &[(&Call, &Command)]) -> Result<Vec<Fate>, Failed> {
        let mut turn = Turn::begin(self, jobs).await?;
        let mut fates = Vec::with_capacity(jobs.len());
        for (call, command) in jobs {
            fates.push(turn.job(call, command).await?);
        }
        turn.flush().await?;
        let Turn { tx, works, told, .. } = turn;
        let Some(proof) = works.values().find_map(|work| work.leaf.map(|leaf| (work.id.clone(), work.seq, leaf))) else {
            tx.rollback().await;
            return Ok(fates);
        };
        if let Some(skew) = told.filter(|_| self.clock.is_machine()).map(|told| self.clock.now().micros() - told.micros())
            && skew.abs() > SKEW_US
        {
            tx.rollback().await;
            return Err(LedgerError::ClockSkew(skew / 1_000).into());
        }
        match tx.commit().await {
            Ok(_) => {}
            Err(StoreError::CommitUnknown) => {
                let (county, seq, leaf) = proof;
                return Err(Failed::Unknown(fates, county, seq, leaf));
            }
            Err(error) => return Err(Failed::Error(error.into())),
        }
        for (county, work) in works {
            let bookings = work.bookings.into_values().flatten();
            let changed = work.seq > work.found_at;
            let latest =
                Latest { seq: work.seq, recorded: work.recorded, county: work.county, since: work.since, settle: work.settle };
            if latest.seq > 0 {
                self.memory.learn(&county, latest, bookings);
                self.memory.remember_key(&county, work.key);
            }
            if changed {
                self.store.notify(&county, work.seq);
            }
        }
        Ok(fates)
    }

    /// Whether a commit of unknown outcome was done. The lock waits for the one that may still be under way.
    async fn is_there(&self, county: &CountyId, seq: i64, leaf: &Hash) -> Result<bool, StoreError> {
        let mut pause = PAUSE;
        for attempt in 1.. {
            match self.look(county, seq, leaf).await {
                Err(error) if error.is_retryable() && attempt < 2 * ATTEMPTS => tokio::time::sleep(pause).await,
                answer => return answer,
            }
            pause *= 2;
        }
        Ok(false)
    }

    async fn look(&self, county: &CountyId, seq: i64, leaf: &Hash) -> Result<bool, StoreError> {
        let mut tx = self.store.begin().await?;
        tx.lock_heads(std::slice::from_ref(county)).await?;
        let sql = "select leaf from journal where county = $1 and seq = $2";
        let found = tx.query(sql, &[county.as_str().into(), seq.into()], &[ColType::Bytes]).await?;
        tx.rollback().await;
        Ok(found.first().and_then(|row| row.first()?.as_bytes()) == Some(leaf.as_slice()))
    }

    /// A county as it is at its head, which is at `seq`.
    pub async fn latest(&self, county: &CountyId, seq: i64) -> Result<Latest, LedgerError> {
        self.catch_up(county, seq).await?;
        if let Some(latest) = self.memory.latest(county).filter(|latest| latest.seq == seq) {
            return Ok(latest);
        }
        self.memory.forget(county);
        self.catch_up(county, seq).await?;
        self.memory.latest(county).filter(|latest| latest.seq == seq).ok_or(LedgerError::Defect("a head that moved back"))
    }

    /// Learns what other servers wrote to a county, up to a committed head.
    pub async fn catch_up(&self, county: &CountyId, seq: i64) -> Result<(), LedgerError> {
        let known = self.memory.seq(county);
        match known {
            Some(known) if known >= seq => Ok(()),
            Some(known) if seq - known <= FOLLOWED => {
                let records = Reader::Store(&self.store).records(county, known, seq, usize::MAX).await?;
                self.memory.follow(county, &records);
                Ok(())
            }
            _ => {
                let Era { from, county: state, .. } = Reader::Store(&self.store).county(county, None, seq).await?;
                let sql = "select recorded_at from journal where county = $1 and seq = $2";
                let found = self.store.query(sql, &[county.as_str().into(), seq.into()], &[ColType::Int]).await?;
                let recorded = found.first().and_then(|row| row.first()?.as_int()).map(Instant::from_micros);
                let latest = Latest { seq, recorded, county: state, since: from, settle: None };
                if known.is_some() {
                    self.memory.forget(county);
                }
                self.memory.learn(county, latest, std::iter::empty());
                Ok(())
            }
        }
    }

    /// A county as it was after a sequence.
    pub async fn county_at(&self, county: &CountyId, seq: i64) -> Result<Option<Arc<County>>, LedgerError> {
        if seq == 0 {
            return Ok(None);
        }
        if let Some(known) = self.memory.county(county, seq) {
            return Ok(known);
        }
        // One after the other: questions about neighbouring records then have the same answer, or the next one.
        let _turn = self.past.lock().await;
        if let Some(known) = self.memory.county(county, seq) {
            return Ok(known);
        }
        let known = self.memory.before(county, seq);
        let era = Reader::Store(&self.store).county(county, known.as_ref(), seq).await?;
        self.memory.remember_era(county, era.clone());
        Ok(era.county)
    }

    /// Bookings as they were after a sequence; those that were not there then are missing.
    pub async fn bookings_at(
        &self,
        county: &CountyId,
        ids: &[BookingId],
        seq: i64,
    ) -> Result<HashMap<BookingId, Arc<Booking>>, LedgerError> {
        let mut found = HashMap::with_capacity(ids.len());
        let mut missing = Vec::new();
        for id in ids {
            match self.memory.booking(county, id, seq) {
                Some(booking) => {
                    found.insert(id.clone(), booking);
                }
                None => missing.push(id.clone()),
            }
        }
        if !missing.is_empty() {
            let read = Reader::Store(&self.store).bookings(county, &missing, seq).await?;
            for booking in read.values() {
                self.memory.remember(county, seq, booking);
            }
            found.extend(read);
        }
        Ok(found)
    }

    /// What a request was answered when it was recorded, from one sequence to another.
    pub async fn replayed(&self, call: &Call, command: &Command, first: i64, last: i64) -> Result<Written, LedgerError> {
        let county = &call.county;
        let records = Reader::Store(&self.store).records(county, first - 1, last, usize::MAX).await?;
        let ids: Vec<BookingId> = records.iter().filter_map(|record| booking_of(&record.stream).cloned()).collect();
        let before = Reader::Store(&self.store).bookings(county, &ids, first - 1).await?;
        let mut after: BTreeMap<BookingId, Option<Booking>> =
            ids.iter().map(|id| (id.clone(), before.get(id).map(|booking| Booking::clone(booking)))).collect();
        let mut events = Vec::new();
        let own = own_stream(command);
        // What was settled before the county's own record did not follow from it.
        let mut start = BTreeMap::new();
        for record in &records {
            if record.stream == Stream::County && own == Stream::County {
                start.clone_from(&after);
            }
            if let Some(booking) = booking_of(&record.stream).and_then(|id| after.get_mut(id)) {
                let start = booking.take();
                *booking = record.events.iter().fold(start, |state, event| evolve::booking(state, record.seq, event));
            }
            if record.stream == own {
                events.extend(record.events.iter().cloned());
            }
        }
        let touched = start.iter().filter_map(|(id, before)| Some((before.as_ref(), after.get(id)?.as_ref()?)));
        let followed = Impact::of(touched);
        let booking = match command {
            Command::Booking(id, _) => after.remove(id).flatten().map(Arc::new),
            Command::County(_) => None,
        };
        let pair = self.pair(county, last).await?;
        let county = self.county_at(county, last).await?.ok_or(LedgerError::Defect("a request without a county"))?;
        Ok(Written { pair, first_seq: first, county, booking, events, followed, replayed: true })
    }

    /// The last whole command up to a record.
    pub async fn pair(&self, county: &CountyId, seq: i64) -> Result<super::Pair, LedgerError> {
        self.pair_by(county, seq, Instant::FAR).await
    }

    /// The last whole command up to a record and an instant.
    pub async fn pair_by(&self, county: &CountyId, seq: i64, at: Instant) -> Result<super::Pair, LedgerError> {
        let sql = "select seq, recorded_at, root from journal where county = $1 and seq <= $2 and last_seq = seq \
                   and recorded_at <= $3 order by seq desc limit 1";
        let params = [Param::from(county.as_str()), Param::from(seq), Param::from(at)];
        let found = self.store.query(sql, &params, &[ColType::Int, ColType::Int, ColType::Bytes]).await?;
        let Some([seq, recorded, root]) = found.first().map(Vec::as_slice) else { return Ok(super::Pair::default()) };
        Ok(super::Pair {
            seq: seq.as_int().unwrap_or(0),
            recorded: recorded.as_int().map(Instant::from_micros),
            root: root.as_bytes().and_then(|root| root.try_into().ok()),
        })
    }
}

fn booking_of(stream: &Stream) -> Option<&BookingId> {
    if let Stream::Booking(id) = stream { Some(id) } else { None }
}

/// Whether the database is what is in the way, and not a command.
fn waits(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::Disconnected(_)
            | StoreError::Busy(_)
            | StoreError::Timeout
            | StoreError::CommitUnknown
            | StoreError::Closed
            | StoreError::Full
            | StoreError::Damaged(_)
    )
}

fn failed(error: LedgerError) -> Fate {
    Fate::Done(Err(error))
}

fn all(jobs: &[(&Call, &Command)], error: &LedgerError) -> Vec<Fate> {
    jobs.iter().map(|_| failed(error.clone())).collect()
}
