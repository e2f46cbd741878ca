//! A batch in the making: counties as the transaction sees them, one command after the other, and what they have to
//! write.
//!
//! A command is worked out in memory. Where it must find bookings that nobody named (a switch, an agreement's end), what
//! the batch has so far is written first, inside the transaction, so that a query sees it.

mod run;
mod sink;

use super::core::Core;
use super::load::Reader;
use super::memory::{Latest, Settle};
use super::{Call, Command, LedgerError, Pair, Written};
use crate::domain::booking::Booking;
use crate::domain::command::BookingCommand;
use crate::domain::county::County;
use crate::domain::ids::{BookingId, CountyId, SubjectId};
use crate::domain::impact::Impact;
use crate::domain::time::Instant;
use crate::identity::CountyKey;
use crate::journal::record::{FORMAT, Stream};
use crate::journal::tree::{Frontier, Hash};
use crate::rows::tables::{REQUESTS, SECRETS, SUBJECTS};
use crate::rows::{Cell, Row};
use crate::store::{Head, Tx};
use run::{Run, Undo};
use sink::{Draft, Sink, subject_key};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// How far the machine's clock may lie behind the last record.
const BEHIND_US: i64 = 5_000_000;

/// What became of a command.
pub(super) enum Fate {
    /// Worked out; true once the batch is committed.
    Done(Result<Box<Written>, LedgerError>),
    /// It was recorded before, from one sequence to another.
    Replay(i64, i64),
}

/// A county as the transaction sees it.
pub(super) struct Work {
    pub id: CountyId,
    head: Option<Head>,
    pub seq: i64,
    pub recorded: Option<Instant>,
    frontier: Frontier,
    pub county: Option<Arc<County>>,
    pub since: i64,
    pub settle: Option<Settle>,
    pub key: Arc<CountyKey>,
    /// Where the batch found it, and the last leaf that the batch added.
    pub found_at: i64,
    pub leaf: Option<Hash>,
    /// Bookings read or changed; nothing where there is none.
    pub bookings: HashMap<BookingId, Option<Arc<Booking>>>,
    /// Bookings of subjects as stored, and those that this batch made.
    stays: BTreeMap<SubjectId, Vec<BookingId>>,
    made: BTreeMap<SubjectId, Vec<BookingId>>,
    /// Requests answered before, stored or in this batch.
    requests: HashMap<Arc<str>, ([u8; 32], i64, i64)>,
    /// Wrapped keys of the subjects that calls bring, stored or of this batch.
    keys: HashMap<Arc<str>, Cell>,
}

/// A batch under way.
pub(super) struct Turn<'a> {
    core: &'a Core,
    pub tx: Tx,
    sink: Sink,
    pub works: BTreeMap<CountyId, Work>,
    /// The database's own clock, where it told it.
    pub told: Option<Instant>,
}

impl<'a> Turn<'a> {
    /// Begins: locks the heads and reads what the commands name.
    pub async fn begin(core: &'a Core, jobs: &[(&Call, &Command)]) -> Result<Self, LedgerError> {
        let counties: BTreeSet<&CountyId> = jobs.iter().map(|(call, _)| &call.county).collect();
        let counties: Vec<CountyId> = counties.into_iter().cloned().collect();
        let mut tx = core.store.begin().await?;
        let mut heads: BTreeMap<CountyId, Head> =
            tx.lock_heads(&counties).await?.into_iter().map(|head| (head.county.clone(), head)).collect();
        let mut turn = Self { core, tx, sink: Sink::default(), works: BTreeMap::new(), told: None };
        for county in counties {
            let work = turn.work(&county, heads.remove(&county)).await?;
            turn.works.insert(county, work);
        }
        turn.read_requests(jobs).await?;
        // What was answered before is answered from its records.
        let known = |call: &Call| turn.works.get(&call.county).is_some_and(|work| work.requests.contains_key(&call.request_id));
        let new: Vec<(&Call, &Command)> = jobs.iter().filter(|(call, _)| !known(call)).copied().collect();
        turn.read_keys(&new).await?;
        turn.read_bookings(&new).await?;
        Ok(turn)
    }

    async fn work(&mut self, county: &CountyId, head: Option<Head>) -> Result<Work, LedgerError> {
        let seq = head.as_ref().map_or(0, |head| head.seq);
        let frontier = match &head {
            Some(head) => Frontier::from_bytes(&head.frontier).map_err(|_| LedgerError::Defect("a head's frontier"))?,
            None => Frontier::new(),
        };
        if head.as_ref().is_some_and(|head| head.format > i64::from(FORMAT)) {
            return Err(LedgerError::Defect("records of a newer format"));
        }
        let latest = if head.is_some() { Some(self.core.latest(county, seq).await?) } else { None };
        let Latest { recorded, county: state, since, settle, .. } =
            latest.unwrap_or(Latest { seq, recorded: None, county: None, since: 0, settle: None });
        let key = self.key(county).await?;
        Ok(Work {
            id: county.clone(),
            head,
            seq,
            recorded,
            frontier,
            county: state,
            since,
            settle,
            key,
            found_at: seq,
            leaf: None,
            bookings: HashMap::new(),
            stays: BTreeMap::new(),
            made: BTreeMap::new(),
            requests: HashMap::new(),
            keys: HashMap::new(),
        })
    }

    async fn key(&mut self, county: &CountyId) -> Result<Arc<CountyKey>, LedgerError> {
        if let Some(key) = self.core.memory.key(county) {
            return Ok(key);
        }
        let defect = |_| LedgerError::Defect("the county's key does not open under this master key");
        let params = [county.as_str().into(), "county key".into()];
        let found = self.tx.rows(&SECRETS, "where t.county = $1 and t.kind = $2", &params).await?;
        if let Some(sealed) = found.first().and_then(|version| version.row.get("sealed")).and_then(Cell::as_bytes) {
            let key = Arc::new(self.core.keys.unwrap_county(county, sealed).map_err(defect)?);
            self.core.memory.remember_key(county, key.clone());
            return Ok(key);
        }
        CountyKey::generate(county, &*self.core.entropy).map(Arc::new).map_err(|_| LedgerError::Defect("no random bytes"))
    }

    async fn read_requests(&mut self, jobs: &[(&Call, &Command)]) -> Result<(), LedgerError> {
        let key = |(call, _): &(&Call, &Command)| vec![Cell::from(call.county.as_str()), Cell::from(call.request_id.clone())];
        let keys: Vec<Vec<Cell>> = jobs.iter().map(key).collect();
        for version in self.tx.rows_by(&REQUESTS, &["county", "request_id"], &keys, "").await? {
            let row = &version.row;
            let word = |name| row.get(name).and_then(Cell::as_text);
            let number = |name| row.get(name).and_then(Cell::as_int);
            let fingerprint = row.get("fingerprint").and_then(Cell::as_bytes).and_then(|bytes| bytes.try_into().ok());
            let (Some(county), Some(id)) = (word("county"), word("request_id")) else { continue };
            let (Some(fingerprint), Some(first), Some(last)) = (fingerprint, number("first_seq"), number("last_seq")) else {
                return Err(LedgerError::Defect("a request's row"));
            };
            if let Some(work) = self.works.get_mut(&CountyId::trusted(county)) {
                work.requests.insert(id.into(), (fingerprint, first, last));
            }
        }
        Ok(())
    }

    /// Reads the keys of the subjects that calls bring.
    async fn read_keys(&mut self, jobs: &[(&Call, &Command)]) -> Result<(), LedgerError> {
        let subjects = jobs.iter().flat_map(|(call, _)| &call.sealed).filter(|row| row.table == &SUBJECTS);
        let keys: Vec<Vec<Cell>> = subjects.map(|row| row.key.clone()).collect();
        if keys.is_empty() {
            return Ok(());
        }
        for version in self.tx.rows_by(&SUBJECTS, &["county", "subject"], &keys, "").await? {
            let (Some((county, subject)), Some(key)) = (subject_key(&version.row), version.row.get("wrapped_key")) else {
                continue;
            };
            if let Some(work) = self.works.get_mut(&CountyId::trusted(county)) {
                work.keys.insert(subject.into(), key.clone());
            }
        }
        Ok(())
    }

    /// Reads the bookings that commands name, and the other stays of their subjects, all at once.
    async fn read_bookings(&mut self, jobs: &[(&Call, &Command)]) -> Result<(), LedgerError> {
        let mut named: BTreeMap<&CountyId, Vec<BookingId>> = BTreeMap::new();
        for (call, command) in jobs {
            if let Command::Booking(id, _) = command {
                named.entry(&call.county).or_default().push(id.clone());
            }
        }
        for (county, ids) in named {
            let Some(mut work) = self.works.remove(county) else { continue };
            self.load(&mut work, &ids).await?;
            let subjects = jobs.iter().filter(|(call, _)| call.county == *county).filter_map(|(_, command)| {
                let Command::Booking(id, command) = command else { return None };
                subject_of(command, work.bookings.get(id)?.as_deref()).cloned()
            });
            let subjects: BTreeSet<SubjectId> = subjects.collect();
            self.load_stays(&mut work, &subjects).await?;
            self.works.insert(county.clone(), work);
        }
        Ok(())
    }

    async fn load_stays(&mut self, work: &mut Work, subjects: &BTreeSet<SubjectId>) -> Result<(), LedgerError> {
        if !subjects.is_empty() {
            let stays = Reader::Tx(&mut self.tx).stays(&work.id, subjects).await?;
            let ids: Vec<BookingId> = stays.values().flatten().cloned().collect();
            work.stays.extend(stays);
            self.load(work, &ids).await?;
        }
        Ok(())
    }

    /// Makes sure that bookings are at hand.
    async fn load(&mut self, work: &mut Work, ids: &[BookingId]) -> Result<(), LedgerError> {
        let mut missing = Vec::new();
        // Several commands of a batch may name the same one.
        for id in ids.iter().collect::<BTreeSet<_>>() {
            if !work.bookings.contains_key(id) {
                // Nothing was changed yet in this batch, so it is as it was at the batch's start.
                match self.core.memory.booking(&work.id, id, work.found_at) {
                    Some(booking) => {
                        work.bookings.insert(id.clone(), Some(booking));
                    }
                    None => missing.push(id.clone()),
                }
            }
        }
        if missing.is_empty() || work.found_at == 0 {
            work.bookings.extend(missing.into_iter().map(|id| (id, None)));
            return Ok(());
        }
        let mut found = Reader::Tx(&mut self.tx).bookings(&work.id, &missing, work.found_at).await?;
        work.bookings.extend(missing.into_iter().map(|id| {
            let booking = found.remove(&id);
            (id, booking)
        }));
        Ok(())
    }

    /// Does one command. An error ends the batch: nothing of it can be committed.
    pub async fn job(&mut self, call: &Call, command: &Command) -> Result<Fate, LedgerError> {
        let Some(mut work) = self.works.remove(&call.county) else { return Err(LedgerError::Defect("a county without work")) };
        let fate = self.job_in(&mut work, call, command).await;
        self.works.insert(call.county.clone(), work);
        fate
    }

    async fn job_in(&mut self, work: &mut Work, call: &Call, command: &Command) -> Result<Fate, LedgerError> {
        let refused = |error| Ok(Fate::Done(Err(error)));
        let fingerprint = work.key.fingerprint(call.method, &call.body);
        if let Some((known, first, last)) = work.requests.get(&call.request_id) {
            return if *known == fingerprint { Ok(Fate::Replay(*first, *last)) } else { refused(LedgerError::RequestIdReused) };
        }
        let clock = self.core.clock.now();
        if work.recorded.is_some_and(|last| clock < last.plus_us(-BEHIND_US)) {
            return refused(LedgerError::ClockBehind);
        }
        if call.sealed.iter().any(|row| work.has_other_key(row)) {
            return refused(LedgerError::OtherKey);
        }
        let undo = Undo::at(work);
        let at = Pair { seq: undo.seq, recorded: undo.recorded, root: (undo.seq > 0).then(|| work.frontier.root()) };
        let mut run = Run { turn: self, work, call, clock, drafts: Vec::new(), undo, impact: Impact::default() };
        let done = run.command(command).await;
        let Run { drafts, undo, impact, .. } = run;
        let written = match done {
            Err(error @ LedgerError::Store(_)) => return Err(error),
            Err(error) => {
                undo.restore(work);
                return refused(error);
            }
            Ok(false) => {
                undo.restore(work);
                answered(work, &Undo::at(work), command, &[], impact)
            }
            Ok(true) => answered(work, &undo, command, &drafts, impact),
        };
        let Some(mut written) = written else { return refused(LedgerError::Defect("a command without a county")) };
        written.pair = match done {
            Ok(true) if !call.validate_only => self.sink.command(self.core, work, &undo, call, fingerprint, drafts)?,
            Ok(true) => {
                undo.restore(work);
                at
            }
            _ => at,
        };
        Ok(Fate::Done(Ok(Box::new(written))))
    }

    /// Writes what is left.
    pub async fn flush(&mut self) -> Result<(), LedgerError> {
        let told = self.sink.flush(&mut self.tx).await?;
        self.told = told.or(self.told);
        Ok(())
    }
}

/// The subject whose other stays a command looks at.
fn subject_of<'a>(command: &'a BookingCommand, booking: Option<&'a Booking>) -> Option<&'a SubjectId> {
    use BookingCommand as Of;
    match command {
        Of::Create(create) => Some(&create.subject),
        Of::RecordDetainer(_) | Of::Replace(..) | Of::Correct(_) | Of::Confirm(_) | Of::Inherit => booking.map(|b| &b.subject),
        _ => None,
    }
}

impl Work {
    /// Whether a subject's row was sealed under another key than the one that is kept: somebody else made it meanwhile.
    fn has_other_key(&self, row: &Row) -> bool {
        let known = subject_key(row).and_then(|(_, subject)| self.keys.get(subject));
        known.is_some_and(|known| Some(known) != row.get("wrapped_key"))
    }

    /// Lets go of a booking that was only looked at. One that this batch changed stays.
    fn forget_unchanged(&mut self, id: &BookingId) {
        let changed = |booking: &Arc<Booking>| booking.seq > self.found_at;
        if !self.bookings.get(id).and_then(Option::as_ref).is_some_and(changed) {
            self.bookings.remove(id);
        }
    }
}

pub(super) fn own_stream(command: &Command) -> Stream {
    match command {
        Command::County(_) => Stream::County,
        Command::Booking(id, _) => Stream::Booking(id.clone()),
    }
}

fn answered(work: &Work, undo: &Undo, command: &Command, drafts: &[Draft], followed: Impact) -> Option<Written> {
    let county = work.county.clone()?;
    let booking = match command {
        Command::Booking(id, _) => work.bookings.get(id).cloned().flatten(),
        Command::County(_) => None,
    };
    let own = own_stream(command);
    Some(Written {
        pair: Pair::default(),
        first_seq: undo.seq + i64::from(!drafts.is_empty()),
        county,
        booking,
        events: drafts.iter().filter(|draft| draft.stream == own).flat_map(|draft| draft.events.clone()).collect(),
        followed,
        replayed: false,
    })
}
