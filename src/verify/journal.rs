//! The records themselves: their places, hashes, roots and bytes; and the county folded along them.

use super::{Place, Report, compare};
use crate::domain::county::County;
use crate::domain::evolve;
use crate::domain::time::Instant;
use crate::journal::record::{FORMAT, Record, Stream};
use crate::journal::tree::{Frontier, Hash, leaf_hash};
use crate::rows::tables::{JOURNAL, REQUESTS};
use crate::rows::{Batch, Cell, Row, Version, state};
use crate::store::{Head, Param, Store, StoreError};
use std::sync::Arc;

/// Records read at a time.
const PART: i64 = 500;

/// What a county's journal gives.
#[derive(Default)]
pub(super) struct Folded {
    /// The county after its last record.
    pub county: Option<Arc<County>>,
    /// All versions of its settings and balances; nothing where a record is missing or unreadable.
    pub settings: Option<Vec<Version>>,
    /// How many commands kept their request.
    pub requests: u64,
}

/// A journal on its way.
struct Walk {
    seq: i64,
    recorded: Instant,
    frontier: Frontier,
    /// Whether roots can still be compared: nothing is missing, and none has differed.
    rooted: bool,
    /// Whether all records so far were there and could be read.
    foldable: bool,
    /// First and last record of the command under way.
    command: Option<(i64, i64)>,
    /// The county before that command, and now.
    before: Option<Arc<County>>,
    county: Option<Arc<County>>,
    settings: Batch,
    requests: u64,
}

/// Folds the county's journal up to a record, and tells what does not agree with itself, with the head or with the
/// requests kept.
pub(super) async fn fold(store: &Store, head: Option<&Head>, upto: i64, report: &mut Report<'_>) -> Result<Folded, StoreError> {
    let mut walk = Walk {
        seq: 0,
        recorded: Instant::MIN,
        frontier: Frontier::new(),
        rooted: true,
        foldable: true,
        command: None,
        before: None,
        county: None,
        settings: Batch::new(),
        requests: 0,
    };
    let at_head = head.map_or(0, |head| head.seq);
    loop {
        let tail = "where t.county = $1 and t.seq > $2 and t.seq <= $3 order by t.seq limit $4";
        let params = [report.county.as_str().into(), Param::from(walk.seq), Param::from(upto), Param::from(PART)];
        let part = store.rows(&JOURNAL, tail, &params).await?;
        if part.is_empty() {
            break;
        }
        let mut requests = Vec::new();
        for version in &part {
            requests.extend(walk.step(&version.row, report));
            if let Some(head) = head.filter(|head| head.seq == walk.seq) {
                walk.at_head(head, report);
            }
        }
        walk.requests += u64::try_from(requests.len()).unwrap_or(0);
        let keys: Vec<Vec<Cell>> = requests.iter().map(|version| version.row.key.clone()).collect();
        let stored = store.rows_by(&REQUESTS, &["county", "request_id"], &keys, "").await?;
        compare::compare(requests, stored, report);
    }
    if walk.seq < at_head {
        walk.foldable = false;
        report.tell(Place::Head, format!("the journal ends at record {}, but the head says {at_head}", walk.seq));
    }
    if head.is_none() && walk.seq > 0 {
        report.tell(Place::Head, "it is missing, but there are records");
    }
    if walk.command.is_some() && walk.foldable {
        walk.foldable = false;
        report.tell(Place::Record(walk.seq), "the last command is not whole: its other records are missing");
    }
    let settings = walk.foldable.then(|| compare::of_batch(&walk.settings));
    Ok(Folded { county: walk.county, settings, requests: walk.requests })
}

impl Walk {
    /// Takes one row of the journal; answers the request that it has to have kept, if it has.
    fn step(&mut self, row: &Row, report: &mut Report<'_>) -> Option<Version> {
        report.done.records += 1;
        let number = |name| row.get(name).and_then(Cell::as_int).unwrap_or(0);
        let seq = number("seq");
        if seq != self.seq + 1 {
            let (first, last) = (self.seq + 1, seq - 1);
            let what = if first == last { "it is missing".to_owned() } else { format!("it is missing, and all up to {last}") };
            report.tell(Place::Record(first), what);
            (self.rooted, self.foldable) = (false, false);
        }
        self.seq = seq;
        let payload = row.get("payload").and_then(Cell::as_bytes).unwrap_or_default();
        self.hash(row, payload, report);
        match Record::decode(payload) {
            Err(error) => {
                self.foldable = false;
                report.tell(Place::Record(seq), format!("its bytes cannot be read: {error}"));
                None
            }
            Ok(record) => {
                self.columns(row, &record, report);
                if self.foldable {
                    self.fold(&record, report);
                }
                let request = record.request?;
                let key = vec![report.county.as_str().into(), Cell::from(request.id)];
                let body = vec![request.fingerprint.to_vec().into(), record.first_seq.into(), record.last_seq.into()];
                Some(Version { row: Row::new(&REQUESTS, key, body), from_seq: 0, to_seq: None })
            }
        }
    }

    /// Compares leaf and root. The tree goes on with the leaf that is stored, so that one changed record is told once,
    /// and not again at every root after it.
    fn hash(&mut self, row: &Row, payload: &[u8], report: &mut Report<'_>) {
        let computed = leaf_hash(payload);
        let stored: Option<Hash> = row.get("leaf").and_then(Cell::as_bytes).and_then(|leaf| leaf.try_into().ok());
        if stored != Some(computed) {
            report.tell(Place::Record(self.seq), "its bytes have another hash than the leaf that is stored beside them");
        }
        self.frontier.append(stored.unwrap_or(computed));
        let ends = row.get("last_seq").and_then(Cell::as_int) == Some(self.seq);
        let root = row.get("root").filter(|root| !root.is_null());
        let root = match (root, ends) {
            (None, false) => return,
            (None, true) => return report.tell(Place::Record(self.seq), "it ends a command and has no root"),
            (Some(_), false) => return report.tell(Place::Record(self.seq), "it ends no command and has a root"),
            (Some(root), true) => root.as_bytes(),
        };
        if self.rooted && root != Some(self.frontier.root().as_slice()) {
            self.rooted = false;
            let what = "its root is not that of the records up to it; it or a record before it was changed, \
                        and later roots are not compared";
            report.tell(Place::Record(self.seq), what);
        }
    }

    /// Compares what is stored beside the bytes with what the bytes say.
    fn columns(&mut self, row: &Row, record: &Record, report: &mut Report<'_>) {
        let of = |name| row.get(name).cloned().unwrap_or(Cell::Null);
        let pairs: [(&str, Cell, Cell); 5] = [
            ("county", of("county"), record.county.as_str().into()),
            ("seq", of("seq"), record.seq.into()),
            ("stream", of("stream"), record.stream.key().into()),
            ("last_seq", of("last_seq"), record.last_seq.into()),
            ("recorded_at", of("recorded_at"), record.recorded.into()),
        ];
        for (name, stored, read) in pairs {
            if stored != read {
                self.foldable = false;
                report.tell(Place::Record(self.seq), format!("its {name} is stored as {stored:?}; its bytes say {read:?}"));
            }
        }
        if record.recorded <= self.recorded {
            report.tell(Place::Record(self.seq), "it was recorded no later than the record before it");
        }
        self.recorded = record.recorded;
        let command = (record.first_seq, record.last_seq);
        let begins = record.seq == record.first_seq && record.last_seq >= record.first_seq;
        if self.command.map_or(!begins, |under_way| under_way != command) {
            self.foldable = false;
            report.tell(Place::Record(self.seq), "it does not follow on the records of the command before it");
        }
        self.command = (record.seq < record.last_seq).then_some(command);
    }

    /// Folds a record into the county; at the end of its command its settings and balances are what they became.
    fn fold(&mut self, record: &Record, report: &mut Report<'_>) {
        for event in &record.events {
            match &record.stream {
                Stream::County => {
                    let county = self.county.take().map(Arc::unwrap_or_clone);
                    self.county = evolve::county(county, record.seq, event).map(Arc::new);
                }
                Stream::Booking(_) => {
                    if let Some(county) = self.county.as_mut().filter(|county| evolve::is_shared(county, event)) {
                        evolve::shared(Arc::make_mut(county), event);
                    }
                }
            }
        }
        if record.seq < record.last_seq {
            return;
        }
        let Some(county) = &self.county else { return };
        if state::command(&mut self.settings, self.before.as_deref(), county, [], record.last_seq).is_err() {
            self.foldable = false;
            report.tell(Place::Record(record.seq), "the settings after it give two rows one key");
        }
        self.before = Some(county.clone());
    }

    fn at_head(&self, head: &Head, report: &mut Report<'_>) {
        if self.rooted && *head.frontier != *self.frontier.to_bytes() {
            report.tell(Place::Head, "its tree is not that of the records");
        }
        if head.recorded_at != self.recorded {
            report.tell(Place::Head, "its last recorded time is not that of the last record");
        }
        if head.format != i64::from(FORMAT) {
            report.tell(Place::Head, format!("it says format {}; the records have {FORMAT}", head.format));
        }
    }
}
