//! The stays that a report reads, in order of booking, part by part. Rows tell most; bookings whose custody after T0 goes
//! on at the instant counted to are folded.

use super::super::{Api, error};
use super::query::Asked;
use super::{NAMES, uncounted};
use crate::domain::booking::Booking;
use crate::domain::ids::BookingId;
use crate::report::cells;
use crate::report::lines;
use crate::report::load::{self, Found};
use crate::report::select;
use crate::report::stay::Stay;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use tonic::Status;

/// Bookings read at a time.
pub(super) const PART: usize = 256;

/// Stays with custody after T0 that may touch the days asked for.
pub(super) struct Stays {
    names: VecDeque<BookingId>,
    /// The last name looked up; nothing once there are no more.
    after: Option<BookingId>,
    more: bool,
    /// Only those whose custody goes on beyond the instant counted to.
    beyond: bool,
}

impl Stays {
    /// Of one booking, or of all.
    pub fn new(only: Option<BookingId>) -> Self {
        Self { more: only.is_none(), names: only.into_iter().collect(), after: None, beyond: false }
    }

    /// Of all whose custody after T0 goes on beyond the instant counted to.
    pub fn beyond() -> Self {
        Self { beyond: true, ..Self::new(None) }
    }

    /// The next of them; nothing at the end.
    pub async fn next(&mut self, api: &Api, asked: &Asked) -> Result<Option<Vec<Stay>>, Status> {
        if self.names.is_empty() && self.more {
            let (store, seq) = (api.ledger.store(), asked.pair.seq);
            let (query, after) = (&asked.query, self.after.as_ref());
            let names = match self.beyond {
                true => cells::beyond(store, &asked.id, seq, query.until, after, NAMES).await,
                false => select::with_custody(store, &asked.id, seq, query, after, NAMES).await,
            };
            self.names = names.map_err(|error| error::of_store(&error))?.into();
            self.more = u32::try_from(self.names.len()).is_ok_and(|found| found == NAMES);
            self.after = self.names.back().cloned();
        }
        if self.names.is_empty() {
            return Ok(None);
        }
        let part: Vec<BookingId> = self.names.drain(..PART.min(self.names.len())).collect();
        of(api, asked, &part).await.map(Some)
    }
}

/// The stays of some bookings, in the order asked for.
pub(super) async fn of(api: &Api, asked: &Asked, bookings: &[BookingId]) -> Result<Vec<Stay>, Status> {
    let (store, until) = (api.ledger.store(), asked.query.until);
    let found = load::stays(store, &asked.id, asked.pair.seq, bookings, until).await;
    let found = found.map_err(|error| error::of_store(&error))?;
    let running = |found: &Found| if let Found::Running(id) = found { Some(id.clone()) } else { None };
    let folded = states(api, asked, &found.iter().filter_map(running).collect::<Vec<_>>()).await?;
    let mut postings = match asked.query.by_books {
        true => load::postings(store, &asked.id, asked.pair.seq, bookings).await.map_err(|error| error::of_store(&error))?,
        false => BTreeMap::new(),
    };
    let mut stays = Vec::with_capacity(found.len());
    for found in found {
        match found {
            Found::Stay(stay) => stays.push(*stay),
            Found::Running(id) => {
                if let Some(booking) = folded.get(&id) {
                    stays.push(Stay::of(&asked.county, booking, until).map_err(|error| uncounted(&error))?);
                }
            }
        }
    }
    if asked.query.by_books {
        for stay in &mut stays {
            let mut lines = match folded.get(&stay.booking) {
                Some(booking) => lines::unposted(&asked.county, booking, stay, until).map_err(|error| uncounted(&error))?,
                None => Vec::new(),
            };
            for row in postings.remove(&stay.booking).unwrap_or_default() {
                lines.push(load::booked(stay, &row, until).map_err(|error| error::of_store(&error))?);
            }
            lines.sort_by_key(|line| (line.cost.span.start, line.cost.span.end, line.seq));
            stay.lines = lines;
        }
    }
    Ok(stays)
}

/// The states of some bookings as they were known; those that were not there are missing.
pub(super) async fn states(api: &Api, asked: &Asked, bookings: &[BookingId]) -> Result<HashMap<BookingId, Arc<Booking>>, Status> {
    if bookings.is_empty() {
        return Ok(HashMap::new());
    }
    api.ledger.bookings(&asked.id, bookings, asked.pair).await.map_err(|error| error::of_ledger("", error))
}
