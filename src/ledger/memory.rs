//! What the ledger remembers between batches: counties as they are at their heads, and the bookings last used.
//!
//! Everything here can be had from the database again; nothing here is believed beyond the sequence it was true at.

use crate::domain::booking::Booking;
use crate::domain::county::County;
use crate::domain::evolve;
use crate::domain::ids::{BookingId, CountyId};
use crate::domain::settling;
use crate::domain::time::Instant;
use crate::identity::CountyKey;
use crate::journal::record::{Record, Stream};
use lru::LruCache;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Counties remembered.
const COUNTIES: NonZeroUsize = NonZeroUsize::new(512).unwrap();
/// Bookings remembered, of all counties.
const BOOKINGS: NonZeroUsize = NonZeroUsize::new(6_144).unwrap();
/// Earlier states of one county remembered. They share what did not change between them.
const PAST: usize = 12;

/// A county from one sequence to another, without the latter.
#[derive(Clone, Debug)]
pub(super) struct Era {
    pub from: i64,
    pub to: i64,
    pub county: Option<Arc<County>>,
}

/// A county at its head.
#[derive(Clone, Debug)]
pub(super) struct Latest {
    pub seq: i64,
    pub recorded: Option<Instant>,
    /// As it is since `since`.
    pub county: Option<Arc<County>>,
    pub since: i64,
    /// Nothing where it has to be looked up.
    pub settle: Option<Settle>,
}

/// Which bookings may have a balance to settle, and from when on: never later than it is due.
#[derive(Clone, Debug, Default)]
pub(super) struct Settle {
    by_time: BTreeSet<(Instant, BookingId)>,
    by_booking: HashMap<BookingId, Instant>,
}

impl Settle {
    /// The first one.
    pub fn first(&self) -> Option<&(Instant, BookingId)> {
        self.by_time.first()
    }

    /// Puts a booking in its place, or takes it out.
    pub fn set(&mut self, id: &BookingId, at: Option<Instant>) {
        if let Some(old) = self.by_booking.remove(id) {
            self.by_time.remove(&(old, id.clone()));
        }
        if let Some(at) = at {
            self.by_booking.insert(id.clone(), at);
            self.by_time.insert((at, id.clone()));
        }
    }

    /// As [`Settle::set`], from a booking's state.
    pub fn put(&mut self, booking: &Booking) {
        self.set(&booking.id, settling::pending(booking));
    }
}

struct Entry {
    /// Bookings remembered under another generation are not of this entry.
    generation: u64,
    latest: Latest,
    past: BTreeMap<i64, Era>,
}

struct Inner {
    counties: LruCache<CountyId, Entry>,
    bookings: LruCache<(CountyId, BookingId), (u64, Arc<Booking>)>,
    keys: LruCache<CountyId, Arc<CountyKey>>,
    generation: u64,
}

/// See the module.
pub(super) struct Memory {
    inner: Mutex<Inner>,
}

impl Default for Memory {
    fn default() -> Self {
        let (counties, bookings, keys) = (LruCache::new(COUNTIES), LruCache::new(BOOKINGS), LruCache::new(COUNTIES));
        Self { inner: Mutex::new(Inner { counties, bookings, keys, generation: 0 }) }
    }
}

impl Memory {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The county as it is at its head, as far as is known here.
    pub fn latest(&self, county: &CountyId) -> Option<Latest> {
        self.inner().counties.get(county).map(|entry| entry.latest.clone())
    }

    /// How far a county is known here.
    pub fn seq(&self, county: &CountyId) -> Option<i64> {
        self.inner().counties.get(county).map(|entry| entry.latest.seq)
    }

    /// The county at a sequence, if it is remembered.
    pub fn county(&self, county: &CountyId, seq: i64) -> Option<Option<Arc<County>>> {
        let mut inner = self.inner();
        let Entry { latest, past, .. } = inner.counties.get(county)?;
        if (latest.since..=latest.seq).contains(&seq) {
            return Some(latest.county.clone());
        }
        let (_, era) = past.range(..=seq).next_back()?;
        (seq < era.to).then(|| era.county.clone())
    }

    /// The last remembered state of a county before a sequence, at which it was another.
    pub fn before(&self, county: &CountyId, seq: i64) -> Option<Era> {
        let mut inner = self.inner();
        let (_, era) = inner.counties.get(county)?.past.range(..=seq).next_back()?;
        Some(era.clone())
    }

    /// Keeps an earlier state of a county that is known here.
    pub fn remember_era(&self, county: &CountyId, era: Era) {
        let mut inner = self.inner();
        let Some(entry) = inner.counties.get_mut(county) else { return };
        if entry.past.len() >= PAST {
            // Questions about the past mostly go forward.
            entry.past.pop_first();
        }
        entry.past.insert(era.from, era);
    }

    /// A booking at a sequence, if it is remembered and has not changed since.
    pub fn booking(&self, county: &CountyId, id: &BookingId, seq: i64) -> Option<Arc<Booking>> {
        let mut inner = self.inner();
        let entry = inner.counties.get(county)?;
        let (generation, known) = (entry.generation, entry.latest.seq);
        let (of, booking) = inner.bookings.get(&(county.clone(), id.clone()))?;
        (*of == generation && booking.seq <= seq && seq <= known).then(|| booking.clone())
    }

    /// Keeps a booking as it is at a sequence, where that is still the county's head.
    pub fn remember(&self, county: &CountyId, seq: i64, booking: &Arc<Booking>) {
        let mut inner = self.inner();
        let Some(entry) = inner.counties.get(county) else { return };
        let generation = entry.generation;
        if entry.latest.seq == seq {
            inner.bookings.put((county.clone(), booking.id.clone()), (generation, booking.clone()));
        }
    }

    /// A county's key.
    pub fn key(&self, county: &CountyId) -> Option<Arc<CountyKey>> {
        self.inner().keys.get(county).cloned()
    }

    /// Keeps a county's key, once it is stored.
    pub fn remember_key(&self, county: &CountyId, key: Arc<CountyKey>) {
        self.inner().keys.put(county.clone(), key);
    }

    /// Forgets a county and its bookings.
    pub fn forget(&self, county: &CountyId) {
        self.inner().counties.pop(county);
    }

    /// Learns of a county, from the database or from a batch that was committed: with the bookings that it changed or
    /// read. Older knowledge never takes the place of newer.
    pub fn learn(&self, county: &CountyId, latest: Latest, bookings: impl Iterator<Item = Arc<Booking>>) {
        let mut inner = self.inner();
        inner.generation += 1;
        let fresh = inner.generation;
        let generation = match inner.counties.get_mut(county) {
            Some(entry) if entry.latest.seq > latest.seq => return,
            Some(entry) => {
                entry.latest = latest;
                entry.generation
            }
            None => {
                inner.counties.put(county.clone(), Entry { generation: fresh, latest, past: BTreeMap::new() });
                fresh
            }
        };
        for booking in bookings {
            inner.bookings.put((county.clone(), booking.id.clone()), (generation, booking));
        }
    }

    /// Follows records that another server wrote, from where the county is known here.
    pub fn follow(&self, county: &CountyId, records: &[Record]) {
        let mut guard = self.inner();
        let Inner { counties, bookings, .. } = &mut *guard;
        let Some(Entry { generation, latest, .. }) = counties.get_mut(county) else { return };
        if records.first().is_none_or(|first| first.seq != latest.seq + 1) {
            return;
        }
        latest.settle = None;
        for record in records {
            let changed = apply_shared(&mut latest.county, record.seq, &record.stream, &record.events);
            if changed {
                latest.since = record.last_seq;
            }
            if let Stream::Booking(id) = &record.stream
                && let Some((_, booking)) = bookings.get_mut(&(county.clone(), id.clone())).filter(|(of, _)| of == generation)
            {
                let mut next = Some(Arc::unwrap_or_clone(booking.clone()));
                for event in &record.events {
                    next = evolve::booking(next, record.seq, event);
                }
                if let Some(next) = next {
                    *booking = Arc::new(next);
                }
            }
            latest.seq = record.seq;
            latest.recorded = Some(record.recorded);
        }
    }
}

/// What a record changes in the county; whether it changes anything.
pub(super) fn apply_shared(
    county: &mut Option<Arc<County>>,
    seq: i64,
    stream: &Stream,
    events: &[crate::domain::event::Event],
) -> bool {
    match stream {
        Stream::County => {
            let mut next = county.take().map(Arc::unwrap_or_clone);
            for event in events {
                next = evolve::county(next, seq, event);
            }
            *county = next.map(Arc::new);
            true
        }
        Stream::Booking(_) => {
            let Some(county) = county else { return false };
            let mut changed = false;
            for event in events {
                if evolve::is_shared(county, event) {
                    evolve::shared(Arc::make_mut(county), event);
                    changed = true;
                }
            }
            changed
        }
    }
}
