//! The board: where everybody stands whose custody rests on no basis, at one instant. The tables say who may be concerned;
//! the rules say, booking by booking, what is so.

use super::Api;
use super::convert::hold::{resting, wire_hold};
use super::error::{of_ledger, of_refusal, of_store};
use super::names::of;
use super::time::{stamp, wire_duration};
use crate::domain::booking::{Booking, Ground, Hold};
use crate::domain::county::County;
use crate::domain::detainer::Detainer;
use crate::domain::facts::Fact;
use crate::domain::ids::{BookingId, CountyId, FacilityId};
use crate::domain::release;
use crate::domain::time::Instant;
use crate::ledger::{AsOf, Pair};
use crate::pb::{self, BoardState};
use crate::rows::{Cell, ColType};
use crate::store::Param;
use std::borrow::Cow;
use tonic::Status;

/// Bookings folded at a time.
const CHUNK: usize = 500;
/// Records after the point asked about, up to which the newest rows are looked at and corrected by them.
const RECENT: i64 = 2_000;

/// What a board is asked for.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    /// The instant.
    pub at: Instant,
    /// What counts as due soon, in microseconds.
    pub due_within_us: i64,
    /// In which states.
    pub states: Vec<BoardState>,
    /// Only there.
    pub facility: Option<FacilityId>,
    /// Only of this issuing office.
    pub office: Option<String>,
    /// Only this booking.
    pub booking: Option<BookingId>,
    /// In which order.
    pub order: pb::BoardOrder,
}

/// One line of the board.
struct Line<'a> {
    state: BoardState,
    hold: Option<&'a Hold>,
    detainer: Option<&'a Detainer>,
    facility: Option<&'a FacilityId>,
    over_since: Option<Instant>,
}

impl Asked {
    /// Where a booking stands; nothing where no custody after T0 is or was on a detainer, and nobody is over-detained.
    fn line<'a>(&self, booking: &'a Booking) -> Option<Line<'a>> {
        let at = self.at;
        let begun = booking.custody.holds.iter().filter(|hold| !hold.voided && hold.start <= at);
        let hold = begun.max_by_key(|hold| hold.start);
        let (state, over_since) = match booking.ground_at(at) {
            Ground::None(gap) => (BoardState::Over, Some(booking.over_since(at).unwrap_or(gap.t0))),
            Ground::Detainer(..) => {
                let due = hold.is_some_and(|hold| hold.until.micros() - at.micros() <= self.due_within_us);
                (if due { BoardState::DueSoon } else { BoardState::Running }, None)
            }
            Ground::Basis(_) | Ground::NotKnown | Ground::NotInCustody => {
                hold?;
                (BoardState::Ended, None)
            }
        };
        let open = || {
            let received = booking.detainers.iter().filter(|d| d.received.effective <= at && booking.is_open(d, at));
            received.min_by_key(|d| (d.received.effective, d.received.seq))
        };
        let detainer = hold.map_or_else(open, |hold| booking.detainer(resting(booking, hold, at)));
        Some(Line { state, hold, detainer, facility: booking.facility_at(at), over_since })
    }

    fn wants(&self, line: &Line<'_>) -> bool {
        let office = line.detainer.map_or("", |detainer| &detainer.form.office);
        self.states.contains(&line.state)
            && self.facility.as_ref().is_none_or(|wanted| line.facility == Some(wanted))
            && self.office.as_ref().is_none_or(|wanted| office == wanted)
    }

    /// The place of a line: over first, by since when; then by the end of authority; then by booking.
    fn key(&self, booking: &Booking, line: &Line<'_>) -> String {
        let facility = line.facility.map(FacilityId::as_str).unwrap_or_default();
        let office = line.detainer.map_or("", |detainer| &detainer.form.office);
        let group = match self.order {
            pb::BoardOrder::Unspecified | pb::BoardOrder::Deadline => "",
            pb::BoardOrder::Facility => facility,
            pb::BoardOrder::Office => office,
        };
        let until = line.hold.map_or(Instant::FAR, |hold| hold.until);
        let (class, since) = line.over_since.map_or((1, until), |since| (0, since));
        let place = since.micros().wrapping_sub(i64::MIN).cast_unsigned();
        format!("{group} {class} {place:020} {}", booking.id)
    }

    fn entry(&self, county: &County, booking: &Booking, line: &Line<'_>) -> pb::BoardEntry {
        let (id, at) = (&county.id, self.at);
        let runs = matches!(line.state, BoardState::Running | BoardState::DueSoon);
        let left = line.hold.filter(|_| runs).map(|hold| hold.until.micros() - at.micros());
        let t0 = booking.custody.gaps.iter().map(|gap| gap.t0).filter(|t0| *t0 <= at).max();
        pb::BoardEntry {
            booking: of::booking(id, &booking.id),
            hold: line.hold.map(|hold| wire_hold(county, booking, hold, at)),
            state: line.state.into(),
            facility: line.facility.map(|facility| of::facility(id, facility)).unwrap_or_default(),
            office_code: line.detainer.map(|detainer| detainer.form.office.to_string()).unwrap_or_default(),
            office_display_name: line.detainer.map(|detainer| detainer.form.office_name.to_string()).unwrap_or_default(),
            remaining: left.map(wire_duration),
            over_since: line.over_since.map(stamp),
            citizenship_claimed: booking.facts.iter().any(|fact| matches!(fact.fact, Fact::CitizenshipClaim)),
            time_zone: line.facility.map_or(county.profile.zone, |facility| county.zone_of(facility)).to_string(),
            t0: t0.map(stamp),
        }
    }
}

/// A booking as it is at an instant, worked out as CheckRelease does: the board never says more than that.
pub(super) fn afresh<'a>(county: &County, booking: &'a Booking, pair: Pair, at: Instant) -> Result<Cow<'a, Booking>, Status> {
    let recorded = pair.recorded.unwrap_or(Instant::MIN);
    release::afresh(county, booking, recorded, at).map_err(|refusal| of_refusal("", &refusal))
}

impl Api {
    /// The places of all lines that are wanted, in order, each with its booking.
    pub(super) async fn board(&self, county: &County, pair: Pair, asked: &Asked) -> Result<Vec<(String, BookingId)>, Status> {
        let concerned = self.concerned(&county.id, pair, asked).await?;
        let mut places = Vec::new();
        for some in concerned.chunks(CHUNK) {
            let known = self.ledger.bookings(&county.id, some, pair).await.map_err(|error| of_ledger("ListHolds", error))?;
            for booking in known.values() {
                let now = afresh(county, booking, pair, asked.at)?;
                if let Some(line) = asked.line(&now).filter(|line| asked.wants(line)) {
                    places.push((asked.key(&now, &line), booking.id.clone()));
                }
            }
        }
        places.sort_unstable();
        Ok(places)
    }

    /// The lines of some bookings, in the order given.
    pub(super) async fn board_entries(
        &self,
        county: &County,
        pair: Pair,
        asked: &Asked,
        ids: &[BookingId],
    ) -> Result<Vec<pb::BoardEntry>, Status> {
        let known = self.ledger.bookings(&county.id, ids, pair).await.map_err(|error| of_ledger("ListHolds", error))?;
        let mut entries = Vec::with_capacity(ids.len());
        for booking in ids.iter().filter_map(|id| known.get(id)) {
            let now = afresh(county, booking, pair, asked.at)?;
            entries.extend(asked.line(&now).map(|line| asked.entry(county, &now, &line)));
        }
        Ok(entries)
    }

    /// Bookings whose last stretch after T0 ends after the instant asked about, as they were at a point: everybody who may
    /// be held or over-detained then. With ended holds: everybody who ever had such a stretch.
    async fn concerned(&self, county: &CountyId, pair: Pair, asked: &Asked) -> Result<Vec<BookingId>, Status> {
        if let Some(booking) = &asked.booking {
            return Ok(vec![booking.clone()]);
        }
        let from = if asked.states.contains(&BoardState::Ended) { Instant::MIN } else { asked.at };
        let head = self.ledger.as_of(county, AsOf::Latest).await.map_err(|error| of_ledger("ListHolds", error))?;
        // The newest rows are found by an index; what was recorded after the point may have been otherwise then.
        let recent = "select b.booking from bookings b where b.county = $1 and b.to_seq is null and b.gap_end > $3 \
                      and b.booked_at <= $4 union select substr(j.stream, 3) from journal j \
                      where j.county = $1 and j.seq > $2 and j.stream like 'b/%'";
        let versions = "select b.booking from bookings b where b.county = $1 and b.from_seq <= $2 \
                        and (b.to_seq is null or b.to_seq > $2) and b.gap_end > $3 and b.booked_at <= $4";
        let sql = if head.seq - pair.seq <= RECENT { recent } else { versions };
        let params = [Param::from(county.as_str()), pair.seq.into(), from.into(), asked.at.into()];
        let rows = self.ledger.store().query(sql, &params, &[ColType::Text]).await.map_err(|error| of_store(&error))?;
        Ok(rows.iter().filter_map(|row| row.first().and_then(Cell::as_text)).map(BookingId::trusted).collect())
    }
}
