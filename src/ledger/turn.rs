//! A batch in the making: counties as the transaction sees them, one command after the other, and what they have to
//! write.
//!
//! A command is worked out in memory. Where it must find bookings that nobody named (a switch, an agreement's end), what
//! the batch has so far is written first, inside the transaction, so that a query sees it.

use super::core::Core;
use super::load::Reader;
use super::memory::{Latest, Settle, apply_shared};
use super::{Call, Command, Followed, LedgerError, Pair, Written};
use crate::domain::booking::{Booking, PostingCause};
use crate::domain::command::{BookingCommand, CountyCommand, EarlierStay, Follow};
use crate::domain::county::County;
use crate::domain::decide::{self, Affected, Context};
use crate::domain::decision::{Outcome, Trigger};
use crate::domain::detainer::Detainer;
use crate::domain::event::Event;
use crate::domain::evolve;
use crate::domain::ids::{BookingId, CountyId, SubjectId};
use crate::domain::refusal::{Refusal, Why};
use crate::domain::settling;
use crate::domain::time::Instant;
use crate::identity::CountyKey;
use crate::journal::record::{FORMAT, Record, RequestKey, Stream};
use crate::journal::tree::{Frontier, Hash, leaf_hash};
use crate::rows::tables::{JOURNAL, REQUESTS, SEALED, SECRETS, SUBJECTS};
use crate::rows::{Batch, Cell, Kind, Row, state};
use crate::store::{Head, HeadMove, StoreError, Tx};
use futures_util::future::BoxFuture;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

/// How many bookings one command may touch.
const MOST: usize = 100_000;
/// Bookings looked at together when many may have to follow.
const CHUNK: usize = 1_000;
/// How far the machine's clock may lie behind the last record.
const BEHIND_US: i64 = 5_000_000;

/// What became of a command.
pub(super) enum Fate {
    /// Worked out; true once the batch is committed.
    Done(Result<Box<Written>, LedgerError>),
    /// It was recorded before, from one sequence to another.
    Replay(i64, i64),
}

/// One record in the making.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub stream: Stream,
    pub seq: i64,
    pub recorded: Instant,
    pub events: Vec<Event>,
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

/// What a batch has to write.
#[derive(Default)]
struct Sink {
    batch: Batch,
    sealed: Vec<Row>,
    new_heads: Vec<Head>,
    secrets: Vec<Row>,
    moves: BTreeMap<CountyId, HeadMove>,
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

impl Sink {
    fn is_empty(&self) -> bool {
        self.moves.is_empty()
    }

    async fn flush(&mut self, tx: &mut Tx) -> Result<Option<Instant>, StoreError> {
        if self.is_empty() {
            return Ok(None);
        }
        let Self { batch, sealed, new_heads, secrets, moves } = std::mem::take(self);
        if !new_heads.is_empty() {
            tx.create_heads(&new_heads).await?;
            tx.upsert(&secrets).await?;
        }
        keep_sealed(tx, sealed).await?;
        tx.flush(&batch, &moves.into_values().collect::<Vec<_>>()).await
    }
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
        let mut run = Run { turn: self, work, call, clock, drafts: Vec::new(), undo };
        let done = run.command(command).await;
        let Run { drafts, undo, .. } = run;
        let written = match done {
            Err(error @ LedgerError::Store(_)) => return Err(error),
            Err(error) => {
                undo.restore(work);
                return refused(error);
            }
            Ok(false) => {
                undo.restore(work);
                answered(work, &Undo::at(work), command, &[])
            }
            Ok(true) => answered(work, &undo, command, &drafts),
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

impl Sink {
    /// Takes in what a command did; answers with its receipt.
    fn command(
        &mut self,
        core: &Core,
        work: &mut Work,
        undo: &Undo,
        call: &Call,
        fingerprint: [u8; 32],
        drafts: Vec<Draft>,
    ) -> Result<Pair, LedgerError> {
        let Some(county) = work.county.clone() else { return Err(LedgerError::Defect("records without a county")) };
        let (first, last) = (undo.seq + 1, work.seq);
        if !undo.county.as_ref().is_some_and(|before| Arc::ptr_eq(before, &county)) {
            work.since = last;
        }
        let mut events: BTreeMap<&BookingId, Vec<&[Event]>> = BTreeMap::new();
        for draft in &drafts {
            if let Stream::Booking(id) = &draft.stream {
                events.entry(id).or_default().push(&draft.events);
            }
        }
        let touched = events.into_iter().filter_map(|(id, events)| {
            let before = undo.bookings.get(id).and_then(Option::as_deref);
            let after = work.bookings.get(id).and_then(Option::as_deref)?;
            Some(state::Touched { before, after, events })
        });
        state::command(&mut self.batch, undo.county.as_deref(), &county, touched, last)
            .map_err(|_| LedgerError::Defect("two rows with one key"))?;

        let mut pair = Pair::default();
        for draft in drafts {
            let Draft { stream, seq, recorded, events } = draft;
            if let (Stream::Booking(id), Some(Event::BookingCreated(created))) = (&stream, events.first()) {
                work.made.entry(created.subject.clone()).or_default().push(id.clone());
            }
            let record = Record {
                format: FORMAT,
                county: work.id.clone(),
                seq,
                first_seq: first,
                last_seq: last,
                stream,
                recorded,
                actor: call.actor.clone(),
                person: call.person.clone(),
                method: call.method.into(),
                request: (seq == first).then(|| RequestKey { id: call.request_id.clone(), fingerprint }),
                history: call.history,
                events,
            };
            let payload = record.encode();
            let leaf = leaf_hash(&payload);
            work.frontier.append(leaf);
            work.leaf = Some(leaf);
            let root = (seq == last).then(|| work.frontier.root());
            let body = vec![
                Cell::from(record.stream.key()),
                last.into(),
                recorded.into(),
                payload.into(),
                leaf.to_vec().into(),
                Cell::from(root.map(|root| root.to_vec())),
            ];
            self.batch.append(Row::new(&JOURNAL, vec![work.id.as_str().into(), seq.into()], body));
            pair = Pair { seq, recorded: Some(recorded), root };
        }
        let body = vec![Cell::from(fingerprint.to_vec()), first.into(), last.into()];
        self.batch.append(Row::new(&REQUESTS, vec![work.id.as_str().into(), Cell::from(call.request_id.clone())], body));
        work.requests.insert(call.request_id.clone(), (fingerprint, first, last));
        for row in &call.sealed {
            if let (Some((_, subject)), Some(key)) = (subject_key(row), row.get("wrapped_key")) {
                work.keys.insert(subject.into(), key.clone());
            }
            self.sealed.push(row.clone());
        }
        self.moved(core, work, undo.seq)?;
        Ok(pair)
    }

    fn moved(&mut self, core: &Core, work: &mut Work, from: i64) -> Result<(), LedgerError> {
        let zero = || Head {
            county: work.id.clone(),
            seq: 0,
            frontier: Frontier::new().to_bytes().into(),
            recorded_at: Instant::MIN,
            format: i64::from(FORMAT),
            epoch: 0,
        };
        if work.head.is_none() {
            let wrapped = core.keys.wrap_county(&work.key, &*core.entropy).map_err(|_| LedgerError::Defect("no random bytes"))?;
            let key = vec![work.id.as_str().into(), "county key".into()];
            self.secrets.push(Row::new(&SECRETS, key, vec![wrapped.into()]));
            self.new_heads.push(zero());
        }
        let head = work.head.get_or_insert_with(zero);
        head.seq = work.seq;
        head.frontier = work.frontier.to_bytes().into();
        head.recorded_at = work.recorded.unwrap_or(Instant::MIN);
        let expect_seq = self.moves.get(&work.id).map_or(from, |known| known.expect_seq);
        self.moves.insert(work.id.clone(), HeadMove { expect_seq, to: head.clone() });
        Ok(())
    }
}

/// What a command changed, as it was.
struct Undo {
    county: Option<Arc<County>>,
    since: i64,
    seq: i64,
    recorded: Option<Instant>,
    bookings: BTreeMap<BookingId, Option<Arc<Booking>>>,
}

impl Undo {
    fn at(work: &Work) -> Self {
        let Work { county, since, seq, recorded, .. } = work;
        Self { county: county.clone(), since: *since, seq: *seq, recorded: *recorded, bookings: BTreeMap::new() }
    }

    /// As if nothing had been asked.
    fn restore(&self, work: &mut Work) {
        let same = |old: &Option<Arc<County>>, new: &Option<Arc<County>>| match (old, new) {
            (Some(old), Some(new)) => Arc::ptr_eq(old, new),
            (old, new) => old.is_none() && new.is_none(),
        };
        if !same(&self.county, &work.county) {
            // Budgets may be others again.
            work.settle = None;
        }
        work.county.clone_from(&self.county);
        (work.since, work.seq, work.recorded) = (self.since, self.seq, self.recorded);
        for (id, booking) in &self.bookings {
            if let Some(settle) = &mut work.settle {
                settle.set(id, booking.as_deref().and_then(settling::pending));
            }
            work.bookings.insert(id.clone(), booking.clone());
        }
    }
}

/// A command under way.
struct Run<'r, 'a> {
    turn: &'r mut Turn<'a>,
    work: &'r mut Work,
    call: &'r Call,
    clock: Instant,
    drafts: Vec<Draft>,
    undo: Undo,
}

/// Runs a piece of the domain; a panic is the command's own misfortune.
fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, LedgerError> {
    std::panic::catch_unwind(AssertUnwindSafe(work)).map_err(|_| LedgerError::Defect("a command panicked"))
}

impl Run<'_, '_> {
    /// Does a command and all that follows from it; whether anything was recorded.
    async fn command(&mut self, command: &Command) -> Result<bool, LedgerError> {
        if let Command::Booking(id, _) = command {
            self.turn.load(self.work, std::slice::from_ref(id)).await?;
        }
        let current = etag(self.work, command);
        if self.call.etag.is_some_and(|seen| current.is_some_and(|current| current != seen)) {
            return Err(Refusal::new(Why::StaleEtag, "etag", "it has changed since: read it again and decide again").into());
        }
        self.settle_due().await?;
        match command {
            Command::County(command) => self.county(command).await,
            Command::Booking(id, command) => {
                let recorded = self.booking(id, command).await?;
                // Whoever asks only that what is due be settled has got that, also where nothing is left to follow.
                Ok(recorded || (matches!(command, BookingCommand::Follow(_)) && !self.drafts.is_empty()))
            }
        }
    }

    fn context(&self) -> Context {
        Context {
            now: self.work.recorded.map_or(self.clock, |last| self.clock.max(last.plus_us(1))),
            seq: self.work.seq + 1,
            actor: self.call.actor.clone(),
            person: self.call.person.clone(),
            history: self.call.history,
        }
    }

    /// Folds a new record into the state.
    fn record(&mut self, stream: Stream, ctx: &Context, events: Vec<Event>) -> Result<(), LedgerError> {
        let work = &mut *self.work;
        guarded(|| apply_shared(&mut work.county, ctx.seq, &stream, &events))?;
        match &stream {
            Stream::County => {
                if events.iter().any(|event| matches!(event, Event::AgreementSet(_))) {
                    work.settle = None;
                }
            }
            Stream::Booking(id) => {
                let before = work.bookings.get(id).cloned().flatten();
                self.undo.bookings.entry(id.clone()).or_insert_with(|| before.clone());
                let after = guarded(|| {
                    let start = before.as_deref().cloned();
                    events.iter().fold(start, |state, event| evolve::booking(state, ctx.seq, event))
                })?;
                let after = after.ok_or(LedgerError::Defect("a booking's record without a booking"))?;
                if let Some(settle) = &mut work.settle {
                    settle.put(&after);
                }
                work.bookings.insert(id.clone(), Some(Arc::new(after)));
            }
        }
        (work.seq, work.recorded) = (ctx.seq, Some(ctx.now));
        self.drafts.push(Draft { stream, seq: ctx.seq, recorded: ctx.now, events });
        if self.drafts.len() > MOST + 1 {
            let detail = format!("more than {MOST} bookings would follow: one command takes no more");
            return Err(Refusal::new(Why::TooManyAffected, "", detail).into());
        }
        Ok(())
    }

    async fn county(&mut self, command: &CountyCommand) -> Result<bool, LedgerError> {
        let ctx = self.context();
        let county = self.work.county.clone();
        let span = match &county {
            Some(county) => guarded(|| decide::displaced(county, command, ctx.now))?,
            None => None,
        };
        let decided = match span {
            Some(span) => {
                self.turn.flush().await?;
                let stored = Reader::Tx(&mut self.turn.tx).decided_in(&self.work.id, span).await?;
                let here = self.undo.bookings.keys().filter_map(|id| self.work.bookings.get(id)?.as_deref());
                let here = here.flat_map(|booking| &booking.detainers).flat_map(|d| &d.decisions);
                here.map(|d| d.at.effective).filter(|at| span.contains(*at)).chain(stored).max()
            }
            None => None,
        };
        let answer = guarded(|| decide::county(county.as_deref(), decided, command, &ctx))??;
        if answer.events.is_empty() {
            return Ok(false);
        }
        self.record(Stream::County, &ctx, answer.events)?;
        if let Some(affected) = answer.affected {
            self.fan_out(&affected).await?;
        }
        Ok(true)
    }

    /// Boxed, for what follows from a booking's command may be other bookings' commands.
    fn booking<'s>(&'s mut self, id: &'s BookingId, command: &'s BookingCommand) -> BoxFuture<'s, Result<bool, LedgerError>> {
        Box::pin(async move {
            let ctx = self.context();
            let Some(before) = self.work.county.clone() else {
                return Err(Refusal::new(Why::NotFound, "county", "there is no such county").into());
            };
            self.turn.load(self.work, std::slice::from_ref(id)).await?;
            let state = self.work.bookings.get(id).cloned().flatten();
            let earlier = self.earlier(id, state.as_deref(), command).await?;
            let events = guarded(|| decide::booking(&before, state.as_deref(), &earlier, command, &ctx))??;
            if events.is_empty() {
                return Ok(false);
            }
            self.record(Stream::Booking(id.clone()), &ctx, events)?;
            let turned = match &self.work.county {
                Some(after) if !Arc::ptr_eq(&before, after) => settling::balances_turned(&before, after),
                _ => Vec::new(),
            };
            for agreement in turned {
                let at = self.context().now;
                let trigger = Some((Trigger::Balance(agreement), at));
                let cause = PostingCause::Agreement;
                self.fan_out(&Affected { open_detainers: true, since: at, costs_since: None, trigger, cause }).await?;
            }
            let after = self.work.bookings.get(id).cloned().flatten();
            if let (Some(before), Some(after)) = (state, after)
                && guarded(|| decide::passes_on(&before, &after))?
            {
                let later = |other: &Arc<Booking>| other.booked.effective > after.booked.effective;
                let mut stays: Vec<Arc<Booking>> = self.other_stays(id, &after.subject).await?;
                stays.retain(later);
                stays.sort_by_key(|other| (other.booked.effective, other.id.clone()));
                for stay in stays {
                    self.booking(&stay.id, &BookingCommand::Inherit).await?;
                }
            }
            Ok(true)
        })
    }

    /// The other stays of the same subject, where the command looks at them.
    async fn earlier(
        &mut self,
        id: &BookingId,
        booking: Option<&Booking>,
        command: &BookingCommand,
    ) -> Result<Vec<EarlierStay>, LedgerError> {
        let Some(subject) = subject_of(command, booking).cloned() else { return Ok(Vec::new()) };
        let others = self.other_stays(id, &subject).await?;
        guarded(|| others.iter().map(|other| decide::earlier_stay(other)).collect())
    }

    /// The other stays of a subject, by id.
    async fn other_stays(&mut self, id: &BookingId, subject: &SubjectId) -> Result<Vec<Arc<Booking>>, LedgerError> {
        if !self.work.stays.contains_key(subject) {
            self.turn.load_stays(self.work, &BTreeSet::from([subject.clone()])).await?;
        }
        let of = |map: &BTreeMap<SubjectId, Vec<BookingId>>| map.get(subject).cloned().unwrap_or_default();
        let ids = of(&self.work.stays).into_iter().chain(of(&self.work.made)).filter(|other| other != id);
        let ids: Vec<BookingId> = ids.collect::<BTreeSet<_>>().into_iter().collect();
        // One that was only looked at may have been let go since.
        self.turn.load(self.work, &ids).await?;
        let work = &*self.work;
        Ok(ids.iter().filter_map(|other| work.bookings.get(other).cloned().flatten()).collect())
    }

    /// Reservations and returns that have come due, the earliest first (DOMAIN.md §10.25).
    async fn settle_due(&mut self) -> Result<(), LedgerError> {
        loop {
            let Some(county) = self.work.county.clone() else { return Ok(()) };
            if county.balances.is_empty() && county.agreements.values().all(|agreement| agreement.budget.is_none()) {
                return Ok(());
            }
            if self.work.settle.is_none() {
                self.turn.flush().await?;
                let mut settle = Reader::Tx(&mut self.turn.tx).unsettled(&self.work.id).await?;
                for id in self.undo.bookings.keys() {
                    if let Some(booking) = self.work.bookings.get(id).and_then(Option::as_deref) {
                        settle.put(booking);
                    }
                }
                self.work.settle = Some(settle);
            }
            let now = self.context().now;
            let Some(settle) = &self.work.settle else { return Ok(()) };
            let Some((at, id)) = settle.first().filter(|(at, _)| *at <= now).cloned() else { return Ok(()) };
            self.turn.load(self.work, std::slice::from_ref(&id)).await?;
            let booking = self.work.bookings.get(&id).and_then(Option::as_deref);
            let exact = guarded(|| booking.and_then(|booking| settling::next(&county, booking)))?;
            if exact != Some(at) {
                if let Some(settle) = &mut self.work.settle {
                    settle.set(&id, exact);
                }
                continue;
            }
            let follow = BookingCommand::Follow(Follow { trigger: None, cause: PostingCause::Agreement });
            if !self.booking(&id, &follow).await? {
                return Ok(());
            }
        }
    }

    async fn fan_out(&mut self, affected: &Affected) -> Result<(), LedgerError> {
        let Some(county) = self.work.county.clone() else { return Ok(()) };
        self.turn.flush().await?;
        let mut ids = Reader::Tx(&mut self.turn.tx).may_follow(&self.work.id, affected).await?;
        ids.extend(self.undo.bookings.keys().cloned());
        let ids: Vec<BookingId> = ids.into_iter().collect();
        let follow = BookingCommand::Follow(Follow { trigger: affected.trigger.clone(), cause: affected.cause });
        for chunk in ids.chunks(CHUNK) {
            self.turn.load(self.work, chunk).await?;
            for id in chunk {
                let booking = self.work.bookings.get(id).and_then(Option::as_deref);
                if guarded(|| booking.is_some_and(|booking| decide::follows(&county, affected, booking)))? {
                    self.booking(id, &follow).await?;
                } else if !self.undo.bookings.contains_key(id) {
                    self.work.forget_unchanged(id);
                }
            }
        }
        Ok(())
    }
}

/// County and subject of a row of subjects.
fn subject_key(row: &Row) -> Option<(&str, &str)> {
    match row.key.as_slice() {
        [county, subject] if row.table == &SUBJECTS => county.as_text().zip(subject.as_text()),
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

/// The etag of what a command changes; nothing where it is not there or has none.
fn etag(work: &Work, command: &Command) -> Option<i64> {
    let county = work.county.as_ref()?;
    match command {
        Command::Booking(id, _) => work.bookings.get(id)?.as_ref().map(|booking| booking.seq),
        Command::County(command) => match command {
            CountyCommand::UpdateFacility(change) => county.facilities.get(&change.id).map(|one| one.seq),
            CountyCommand::SetCalendar(set) => county.calendars.get(&set.id).map(|one| one.seq),
            CountyCommand::AmendAgreement(set) => county.agreements.get(&set.id).map(|one| one.seq),
            CountyCommand::TerminateAgreement(id, _) => county.agreements.get(id).map(|one| one.seq),
            CountyCommand::Switch(_) => Some(county.policy_seq),
            _ => Some(county.seq),
        },
    }
}

pub(super) fn own_stream(command: &Command) -> Stream {
    match command {
        Command::County(_) => Stream::County,
        Command::Booking(id, _) => Stream::Booking(id.clone()),
    }
}

fn answered(work: &Work, undo: &Undo, command: &Command, drafts: &[Draft]) -> Option<Written> {
    let county = work.county.clone()?;
    let booking = match command {
        Command::Booking(id, _) => work.bookings.get(id).cloned().flatten(),
        Command::County(_) => None,
    };
    let own = own_stream(command);
    let touched = undo.bookings.iter().filter_map(|(id, before)| {
        let after = work.bookings.get(id).and_then(Option::as_deref)?;
        Some((before.as_deref(), after))
    });
    Some(Written {
        pair: Pair::default(),
        first_seq: undo.seq + i64::from(!drafts.is_empty()),
        county,
        booking,
        events: drafts.iter().filter(|draft| draft.stream == own).flat_map(|draft| draft.events.clone()).collect(),
        followed: followed(touched),
        replayed: false,
    })
}

/// What following bookings did between two states. A request that was decided has turned where the answer in force from
/// the first of its new decisions on is another than the one that was known for that instant, ahead or past.
pub(super) fn followed<'b>(touched: impl Iterator<Item = (Option<&'b Booking>, &'b Booking)>) -> Followed {
    let mut count = Followed::default();
    for (before, booking) in touched {
        for (n, detainer) in booking.detainers.iter().enumerate() {
            let was = before.and_then(|b| b.detainers.get(n));
            let known = was.map_or(0, |d| d.decisions.len());
            let Some(from) = detainer.decisions.iter().skip(known).map(|d| d.at.effective).min() else { continue };
            let honored = |detainer: &Detainer| detainer.decision_at(from).is_some_and(|d| d.outcome == Outcome::Honor);
            count.decided += 1;
            let (was, is) = (was.is_some_and(honored), honored(detainer));
            count.to_honor += i64::from(!was && is);
            count.from_honor += i64::from(was && !is);
        }
        let old = before.map(|b| b.custody.holds.as_slice()).unwrap_or_default();
        let ended = old.iter().zip(&booking.custody.holds).filter(|(old, new)| new.until < old.until).count();
        count.holds_ended += i64::try_from(ended).unwrap_or(i64::MAX);
    }
    count
}

/// Keeps sealed identity, in place, and sealed texts, each once: a text that is there under its digest is the same text.
async fn keep_sealed(tx: &mut Tx, rows: Vec<Row>) -> Result<(), StoreError> {
    let (subjects, texts): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(|row| row.table.kind == Kind::Live);
    // Of several of one key the last stands: one statement may not change a row twice.
    let subjects: BTreeMap<Vec<Cell>, Row> = subjects.into_iter().map(|row| (row.key.clone(), row)).collect();
    if !subjects.is_empty() {
        tx.upsert(&subjects.into_values().collect::<Vec<_>>()).await?;
    }
    let mut texts: BTreeMap<Vec<Cell>, Row> = texts.into_iter().rev().map(|row| (row.key.clone(), row)).collect();
    if texts.is_empty() {
        return Ok(());
    }
    let keys: Vec<Vec<Cell>> = texts.keys().cloned().collect();
    for version in tx.rows_by(&SEALED, &["county", "digest"], &keys, "").await? {
        texts.remove(&version.row.key);
    }
    if !texts.is_empty() {
        tx.insert(&texts.into_values().collect::<Vec<_>>()).await?;
    }
    Ok(())
}
