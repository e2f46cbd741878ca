//! The ledger: commands in, records out, one transaction each; reads as of any point.
//!
//! One command at a time. Counties are kept in memory, folded from their journals when they are first asked for and
//! whenever another server has written. A command runs in a task of its own, so a caller that goes away stops nothing.

use super::world::{Run, World, followed, sealed_record, touched};
use super::{AsOf, Call, Command, LedgerError, Pair, Written};
use crate::domain::booking::Booking;
use crate::domain::county::County;
use crate::domain::ids::{BookingId, CountyId};
use crate::domain::time::Instant;
use crate::identity::{CountyKey, Entropy, MasterKey};
use crate::journal::record::{FORMAT, Record, RequestKey, Stream};
use crate::journal::tree::{Frontier, leaf_hash};
use crate::rows::tables::{JOURNAL, REQUESTS, SEALED, SECRETS};
use crate::rows::{Batch, Cell, ColType, Kind, Row, state};
use crate::store::{Head, HeadMove, Param, Store, Tx};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Mutex;

/// How far the machine's clock may lie behind the last record.
const BEHIND_US: i64 = 5_000_000;

/// What time it is.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Instant;
}

/// The machine's own clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct MachineClock;

impl Clock for MachineClock {
    #[expect(clippy::disallowed_methods, reason = "the one place where the machine is asked")]
    fn now(&self) -> Instant {
        Instant::from_utc(chrono::Utc::now())
    }
}

/// Writes and reads counties. Cheap to clone.
#[derive(Clone)]
pub struct Ledger {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    keys: Arc<MasterKey>,
    entropy: Arc<dyn Entropy>,
    clock: Arc<dyn Clock>,
    worlds: Mutex<HashMap<CountyId, World>>,
    stopping: AtomicBool,
}

impl Ledger {
    /// Over a store.
    ///
    /// # Errors
    /// None today.
    pub fn start(
        store: Store,
        keys: Arc<MasterKey>,
        entropy: Arc<dyn Entropy>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, LedgerError> {
        let inner = Inner { store, keys, entropy, clock, worlds: Mutex::default(), stopping: AtomicBool::new(false) };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Now, by the ledger's clock.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.inner.clock.now()
    }

    /// The store beneath.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// The master key.
    #[must_use]
    pub fn keys(&self) -> &MasterKey {
        &self.inner.keys
    }

    /// Random bytes.
    #[must_use]
    pub fn entropy(&self) -> &dyn Entropy {
        &*self.inner.entropy
    }

    /// Takes no more commands, and waits for the one under way.
    pub async fn stop(&self) {
        self.inner.stopping.store(true, Ordering::Release);
        drop(self.inner.worlds.lock().await);
    }

    /// Records a command, or answers what a retry was answered before.
    ///
    /// # Errors
    /// [`LedgerError`]; nothing was recorded, but where the outcome of the commit is not known.
    pub async fn write(&self, call: Call, command: Command) -> Result<Written, LedgerError> {
        if self.inner.stopping.load(Ordering::Acquire) {
            return Err(LedgerError::ShuttingDown);
        }
        let own = self.clone();
        let task = tokio::spawn(async move { own.write_alone(&call, &command).await });
        task.await.unwrap_or(Err(LedgerError::Defect("a command did not come to its end")))
    }

    async fn write_alone(&self, call: &Call, command: &Command) -> Result<Written, LedgerError> {
        let mut worlds = self.inner.worlds.lock().await;
        // Out of the map while it is worked on: what fails is folded anew from the journal.
        let known = worlds.remove(&call.county);
        let mut tx = self.inner.store.begin().await?;
        let head = tx.lock_heads(std::slice::from_ref(&call.county)).await?.into_iter().next();
        let at = head.as_ref().map_or(0, |head| head.seq);
        let world = match known {
            Some(world) if world.seq == at => world,
            _ => self.folded(&call.county, at).await?,
        };
        let kept = world.clone();
        let result = self.in_transaction(&mut tx, call, command, head, world).await;
        match result {
            Ok((written, Some(after))) => {
                tx.commit().await?;
                self.inner.store.notify(&call.county, after.seq);
                worlds.insert(call.county.clone(), after);
                Ok(written)
            }
            Ok((written, None)) => {
                tx.rollback().await;
                worlds.insert(call.county.clone(), kept);
                Ok(written)
            }
            Err(error) => {
                tx.rollback().await;
                worlds.insert(call.county.clone(), kept);
                Err(error)
            }
        }
    }

    async fn in_transaction(
        &self,
        tx: &mut Tx,
        call: &Call,
        command: &Command,
        head: Option<Head>,
        before: World,
    ) -> Result<(Written, Option<World>), LedgerError> {
        let (key, wrapped) = self.county_key(tx, &call.county).await?;
        let fingerprint = key.fingerprint(call.method, &call.body);
        let params = [Param::from(call.county.as_str()), Param::from(&*call.request_id)];
        let known = tx.rows(&REQUESTS, "where t.county = $1 and t.request_id = $2", &params).await?;
        if let Some(known) = known.first() {
            return Ok((self.replayed(call, command, &known.row, &fingerprint).await?, None));
        }
        let clock = self.now();
        if before.recorded.is_some_and(|last| clock < last.plus_us(-BEHIND_US)) {
            return Err(LedgerError::ClockBehind);
        }
        let mut run = Run { world: before.clone(), drafts: Vec::new(), call, clock };
        run.command(command)?;
        let Run { world: after, drafts, .. } = run;
        let counted = followed(&before, &after, &drafts);
        let own = own_stream(command);
        let events = drafts.iter().find(|draft| draft.stream == own).map(|draft| draft.events.clone()).unwrap_or_default();
        let mut written = answered(&after, command, events)?;
        written.followed = counted;
        written.first_seq = before.seq + i64::from(!drafts.is_empty());
        if call.validate_only || drafts.is_empty() {
            let pair = self.pair_at(&call.county, before.seq).await?;
            return Ok((Written { pair, ..written }, None));
        }

        let (first, last) = (before.seq + 1, after.seq);
        let mut frontier = match &head {
            Some(head) => Frontier::from_bytes(&head.frontier).map_err(|_| LedgerError::Defect("a head's frontier"))?,
            None => Frontier::new(),
        };
        let mut batch = Batch::new();
        changes(&mut batch, &before, &after, &drafts)?;
        let mut recorded_at = clock;
        for draft in drafts {
            let mut record = sealed_record(draft, &call.county, call, first, last);
            if record.seq == first {
                record.request = Some(RequestKey { id: call.request_id.clone(), fingerprint });
            }
            recorded_at = record.recorded;
            let payload = record.encode();
            let leaf = leaf_hash(&payload);
            frontier.append(leaf);
            let root = (record.seq == last).then(|| frontier.root());
            let body = vec![
                Cell::from(record.stream.key()),
                last.into(),
                record.recorded.into(),
                payload.into(),
                leaf.to_vec().into(),
                Cell::from(root.map(|root| root.to_vec())),
            ];
            batch.append(Row::new(&JOURNAL, vec![call.county.as_str().into(), record.seq.into()], body));
        }
        let body = vec![Cell::from(fingerprint.to_vec()), first.into(), last.into()];
        batch.append(Row::new(&REQUESTS, vec![call.county.as_str().into(), Cell::from(call.request_id.clone())], body));

        let zero = Head {
            county: call.county.clone(),
            seq: 0,
            frontier: Frontier::new().to_bytes().into(),
            recorded_at: Instant::MIN,
            format: i64::from(FORMAT),
            epoch: 0,
        };
        if head.is_none() {
            tx.create_heads(std::slice::from_ref(&zero)).await?;
            tx.upsert(&[Row::new(&SECRETS, vec![call.county.as_str().into(), "county key".into()], vec![wrapped.into()])])
                .await?;
        }
        keep_sealed(tx, &call.sealed).await?;
        let to = Head { seq: last, frontier: frontier.to_bytes().into(), recorded_at, ..head.unwrap_or(zero) };
        tx.flush(&batch, &[HeadMove { expect_seq: before.seq, to }]).await?;
        written.pair = Pair { seq: last, recorded: Some(recorded_at), root: Some(frontier.root()) };
        Ok((written, Some(after)))
    }

    async fn county_key(&self, tx: &mut Tx, county: &CountyId) -> Result<(CountyKey, Vec<u8>), LedgerError> {
        let defect = |_| LedgerError::Defect("the county's key does not open under this master key");
        let params = [Param::from(county.as_str()), Param::from("county key")];
        let found = tx.rows(&SECRETS, "where t.county = $1 and t.kind = $2", &params).await?;
        let sealed = found.first().and_then(|version| version.row.get("sealed")).and_then(Cell::as_bytes);
        if let Some(sealed) = sealed {
            return Ok((self.keys().unwrap_county(county, sealed).map_err(defect)?, sealed.to_vec()));
        }
        let key = CountyKey::generate(county, self.entropy()).map_err(defect)?;
        let wrapped = self.keys().wrap_county(&key, self.entropy()).map_err(defect)?;
        Ok((key, wrapped))
    }

    async fn replayed(&self, call: &Call, command: &Command, row: &Row, fingerprint: &[u8; 32]) -> Result<Written, LedgerError> {
        let known = row.get("fingerprint").and_then(Cell::as_bytes);
        if known != Some(fingerprint.as_slice()) {
            return Err(LedgerError::RequestIdReused);
        }
        let number = |name| row.get(name).and_then(Cell::as_int).ok_or(LedgerError::Defect("a request's row"));
        let (first, last) = (number("first_seq")?, number("last_seq")?);
        let before = self.folded(&call.county, first - 1).await?;
        let mut after = before.clone();
        let own = own_stream(command);
        let mut events = Vec::new();
        let mut drafts = Vec::new();
        for record in self.records(&call.county, first - 1, last, usize::MAX).await? {
            after.fold(&record);
            let Record { stream, seq, recorded, events: these, .. } = record;
            if stream == own && events.is_empty() {
                events.clone_from(&these);
            }
            drafts.push(super::world::Draft { stream, seq, recorded, events: these });
        }
        let pair = self.pair_at(&call.county, last).await?;
        let followed = followed(&before, &after, &drafts);
        Ok(Written { pair, first_seq: first, followed, replayed: true, ..answered(&after, command, events)? })
    }

    /// The state after the record `seq`, from the journal.
    async fn folded(&self, county: &CountyId, seq: i64) -> Result<World, LedgerError> {
        let mut world = World::default();
        while world.seq < seq {
            let part = self.records(county, world.seq, seq, 1_000).await?;
            if part.is_empty() {
                return Err(LedgerError::Defect("the journal ends before its head"));
            }
            for record in &part {
                world.fold(record);
            }
        }
        Ok(world)
    }

    async fn world_at(&self, county: &CountyId, seq: i64) -> Result<World, LedgerError> {
        let known = self.inner.worlds.lock().await.get(county).filter(|world| world.seq == seq).cloned();
        match known {
            Some(world) => Ok(world),
            None => self.folded(county, seq).await,
        }
    }

    /// A county as of a point, with the point.
    ///
    /// # Errors
    /// [`LedgerError::BeyondHead`], the store's, an unreadable record.
    pub async fn county(&self, county: &CountyId, as_of: AsOf) -> Result<(Pair, Option<Arc<County>>), LedgerError> {
        let pair = self.as_of(county, as_of).await?;
        Ok((pair, self.world_at(county, pair.seq).await?.county))
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
        Ok((pair, self.world_at(county, pair.seq).await?.bookings.get(booking).cloned()))
    }

    /// The exact point that a question is about.
    ///
    /// # Errors
    /// [`LedgerError::BeyondHead`], the store's.
    pub async fn as_of(&self, county: &CountyId, as_of: AsOf) -> Result<Pair, LedgerError> {
        let sql = "select seq from heads where county = $1";
        let found = self.inner.store.query(sql, &[county.as_str().into()], &[ColType::Int]).await?;
        let head = found.first().and_then(|row| row.first()?.as_int()).unwrap_or(0);
        match as_of {
            AsOf::Latest => self.pair_at(county, head).await,
            AsOf::Sequence(seq) if seq > head => Err(LedgerError::BeyondHead(head)),
            AsOf::Sequence(seq) => self.pair_at(county, seq).await,
            AsOf::Recorded(at) => self.pair_by(county, head, at).await,
        }
    }

    async fn pair_at(&self, county: &CountyId, seq: i64) -> Result<Pair, LedgerError> {
        self.pair_by(county, seq, Instant::FAR).await
    }

    /// The last whole command up to a record and an instant.
    async fn pair_by(&self, county: &CountyId, seq: i64, at: Instant) -> Result<Pair, LedgerError> {
        let sql = "select seq, recorded_at, root from journal where county = $1 and seq <= $2 and last_seq = seq \
                   and recorded_at <= $3 order by seq desc limit 1";
        let params = [Param::from(county.as_str()), Param::from(seq), Param::from(at)];
        let found = self.inner.store.query(sql, &params, &[ColType::Int, ColType::Int, ColType::Bytes]).await?;
        let Some([seq, recorded, root]) = found.first().map(Vec::as_slice) else { return Ok(Pair::default()) };
        Ok(Pair {
            seq: seq.as_int().unwrap_or(0),
            recorded: recorded.as_int().map(Instant::from_micros),
            root: root.as_bytes().and_then(|root| root.try_into().ok()),
        })
    }

    /// Records after one and up to another, in order.
    ///
    /// # Errors
    /// The store's, or an unreadable record.
    pub async fn records(&self, county: &CountyId, after: i64, up_to: i64, limit: usize) -> Result<Vec<Record>, LedgerError> {
        let sql = "select seq, payload from journal where county = $1 and seq > $2 and seq <= $3 order by seq limit $4";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let params = [Param::from(county.as_str()), Param::from(after), Param::from(up_to), Param::from(limit)];
        let rows = self.inner.store.query(sql, &params, &[ColType::Int, ColType::Bytes]).await?;
        let read = |row: &Vec<Cell>| {
            let (seq, bytes) = (row.first().and_then(Cell::as_int), row.get(1).and_then(Cell::as_bytes));
            let seq = seq.unwrap_or(0);
            Record::decode(bytes.unwrap_or_default()).map_err(|error| LedgerError::Unreadable { seq, error })
        };
        rows.iter().map(read).collect()
    }
}

/// Rows that the command changed and added.
fn changes(batch: &mut Batch, before: &World, after: &World, drafts: &[super::world::Draft]) -> Result<(), LedgerError> {
    let Some(county) = &after.county else { return Err(LedgerError::Defect("records without a county")) };
    let ids = touched(drafts);
    let turns = ids.iter().filter_map(|id| {
        let of = |draft: &&super::world::Draft| draft.stream == Stream::Booking(id.clone());
        let events = drafts.iter().filter(of).map(|draft| draft.events.as_slice()).collect();
        let before = before.bookings.get(id).map(|b| &**b);
        after.bookings.get(id).map(|after| state::Touched { before, after, events })
    });
    state::command(batch, before.county.as_deref(), county, turns, after.seq)
        .map_err(|_| LedgerError::Defect("two rows with one key"))
}

/// Keeps sealed identity, in place, and sealed texts, each once: a text that is there under its digest is the same text.
async fn keep_sealed(tx: &mut Tx, rows: &[Row]) -> Result<(), LedgerError> {
    let (subjects, texts): (Vec<Row>, Vec<Row>) = rows.iter().cloned().partition(|row| row.table.kind == Kind::Live);
    if !subjects.is_empty() {
        tx.upsert(&subjects).await?;
    }
    if texts.is_empty() {
        return Ok(());
    }
    let keys: Vec<Vec<Cell>> = texts.iter().map(|row| row.key.clone()).collect();
    let mut there: Vec<Vec<Cell>> = Vec::new();
    for version in tx.rows_by(&SEALED, &["county", "digest"], &keys, "").await? {
        there.push(version.row.key);
    }
    let mut new: Vec<Row> = Vec::new();
    for row in texts {
        if !there.contains(&row.key) {
            there.push(row.key.clone());
            new.push(row);
        }
    }
    if !new.is_empty() {
        tx.insert(&new).await?;
    }
    Ok(())
}

fn own_stream(command: &Command) -> Stream {
    match command {
        Command::County(_) => Stream::County,
        Command::Booking(id, _) => Stream::Booking(id.clone()),
    }
}

fn answered(after: &World, command: &Command, events: Vec<crate::domain::event::Event>) -> Result<Written, LedgerError> {
    let county = after.county.clone().ok_or(LedgerError::Defect("a command without a county"))?;
    let booking = match command {
        Command::Booking(id, _) => after.bookings.get(id).cloned(),
        Command::County(_) => None,
    };
    let (pair, followed) = (Pair::default(), super::Followed::default());
    Ok(Written { pair, first_seq: after.seq, county, booking, events, followed, replayed: false })
}
