//! What a batch has to write: the records, rows and sealed texts of its commands, until they are flushed.

use super::Work;
use super::run::Undo;
use crate::domain::event::Event;
use crate::domain::ids::{BookingId, CountyId};
use crate::domain::time::Instant;
use crate::journal::record::{FORMAT, Record, RequestKey, Stream};
use crate::journal::tree::{Frontier, leaf_hash};
use crate::ledger::core::Core;
use crate::ledger::{Call, LedgerError, Pair};
use crate::rows::tables::{JOURNAL, REQUESTS, SEALED, SECRETS, SUBJECTS};
use crate::rows::{Batch, Cell, Kind, Row, state};
use crate::store::{Head, HeadMove, StoreError, Tx};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One record in the making.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub stream: Stream,
    pub seq: i64,
    pub recorded: Instant,
    pub events: Vec<Event>,
}

/// What a batch has to write.
#[derive(Default)]
pub(super) struct Sink {
    batch: Batch,
    sealed: Vec<Row>,
    new_heads: Vec<Head>,
    secrets: Vec<Row>,
    moves: BTreeMap<CountyId, HeadMove>,
}

impl Sink {
    fn is_empty(&self) -> bool {
        self.moves.is_empty()
    }

    pub(super) async fn flush(&mut self, tx: &mut Tx) -> Result<Option<Instant>, StoreError> {
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

    /// Takes in what a command did; answers with its receipt.
    pub(super) fn command(
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

/// County and subject of a row of subjects.
pub(super) fn subject_key(row: &Row) -> Option<(&str, &str)> {
    match row.key.as_slice() {
        [county, subject] if row.table == &SUBJECTS => county.as_text().zip(subject.as_text()),
        _ => None,
    }
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
