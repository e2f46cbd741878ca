//! The daily certificate of one jail: who was in custody there on one local day, who on a hold, and every person whom
//! neither a basis nor an authority to hold covered at any moment of it: since when, and for how long that day.
//!
//! It is counted from bookings as they were known; how long a stretch goes on after the day is not its matter.

use crate::domain::booking::Booking;
use crate::domain::gap::Authority;
use crate::domain::ids::{BookingId, FacilityId, RevisionId};
use crate::domain::time::{Instant, Span};

/// What is certified.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Day {
    /// The jail.
    pub facility: FacilityId,
    /// The local day there, as far as it is over at the instant counted to.
    pub span: Span,
}

/// A stretch of custody that nothing covered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UncoveredRow {
    /// The booking.
    pub booking: BookingId,
    /// The T0 it follows.
    pub t0: Instant,
    /// Since when nothing covers the custody; may lie before the day, and in another jail.
    pub since: Instant,
    /// When it ended; nothing where it goes on past the time counted.
    pub ended: Option<Instant>,
    /// Microseconds of it on that day, in that jail.
    pub us: i64,
}

/// The counts of a day: of stays, each once. `at_end` is the last microsecond counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// In custody at any moment.
    pub in_custody: i64,
    /// In custody at the end.
    pub in_custody_at_end: i64,
    /// On a hold at any moment.
    pub on_hold: i64,
    /// On a hold at the end.
    pub on_hold_at_end: i64,
    /// On a hold that rested, at some moment, on a fact that was recorded only later.
    pub on_hold_late: i64,
    /// Covered by nothing at any moment.
    pub uncovered: i64,
    /// Covered by nothing at the end.
    pub uncovered_at_end: i64,
    /// In custody at any moment on bases that are not known.
    pub bases_not_known: i64,
}

/// The revisions that a stay's holds of a day rest on.
pub fn revisions<'b>(day: &Day, booking: &'b Booking) -> impl Iterator<Item = &'b RevisionId> {
    let segments = booking.custody.gaps.iter().flat_map(|gap| &gap.segments);
    let held = segments.filter(|one| one.is_held() && one.facility == day.facility && one.span.meet(&day.span).is_some());
    held.filter_map(|one| one.rests_on.as_ref()).map(|rests| &rests.revision)
}

/// What one stay adds to the counts of a day, and its stretches without cover, in order.
#[must_use]
pub fn of_booking(day: &Day, booking: &Booking) -> (Counts, Vec<UncoveredRow>) {
    let mut counts = Counts::default();
    let last = day.span.end.plus_us(-1);
    let stays = booking.stays();
    let here: Vec<Span> =
        stays.iter().filter(|(_, jail)| **jail == day.facility).filter_map(|(span, _)| span.meet(&day.span)).collect();
    if here.is_empty() {
        return (counts, Vec::new());
    }
    counts.in_custody = 1;
    counts.in_custody_at_end = i64::from(here.iter().any(|span| span.contains(last)));
    let unknown = unknown(booking);
    counts.bases_not_known = i64::from(here.iter().any(|span| span.meet(&unknown).is_some()));
    let segments = booking.custody.gaps.iter().flat_map(|gap| &gap.segments).filter(|segment| segment.facility == day.facility);
    for segment in segments {
        let Some(span) = segment.span.meet(&day.span) else { continue };
        let at_end = i64::from(span.contains(last));
        if segment.authority == Authority::OverDetained {
            counts.uncovered = 1;
            counts.uncovered_at_end |= at_end;
        } else {
            counts.on_hold = 1;
            counts.on_hold_at_end |= at_end;
            counts.on_hold_late |= i64::from(segment.authority == Authority::AuthorizedLate);
        }
    }
    (counts, uncovered(day, booking))
}

/// The stretch of a stay whose bases are not known: up to the first recorded one.
fn unknown(booking: &Booking) -> Span {
    let first = booking.bases.iter().map(|basis| basis.opened.effective).min().unwrap_or(Instant::FAR);
    let end = if booking.bases_known { booking.booked.effective } else { first.min(booking.ended()) };
    Span::new(booking.booked.effective, end)
}

fn uncovered(day: &Day, booking: &Booking) -> Vec<UncoveredRow> {
    let mut rows = Vec::new();
    for gap in &booking.custody.gaps {
        let is_over = |segment: &crate::domain::gap::Segment| segment.authority == Authority::OverDetained;
        for stretch in gap.segments.chunk_by(|a, b| is_over(a) == is_over(b)).filter(|stretch| stretch.iter().all(is_over)) {
            let (Some(first), Some(end)) = (stretch.first(), stretch.last().map(|segment| segment.span.end)) else { continue };
            let there = stretch.iter().filter(|segment| segment.facility == day.facility);
            let us: i64 = there.filter_map(|segment| segment.span.meet(&day.span)).map(|span| span.len_us()).sum();
            if us > 0 {
                rows.push(UncoveredRow {
                    booking: booking.id.clone(),
                    t0: gap.t0,
                    since: first.span.start,
                    ended: (end <= day.span.end).then_some(end),
                    us,
                });
            }
        }
    }
    rows
}

impl Counts {
    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            in_custody: self.in_custody + other.in_custody,
            in_custody_at_end: self.in_custody_at_end + other.in_custody_at_end,
            on_hold: self.on_hold + other.on_hold,
            on_hold_at_end: self.on_hold_at_end + other.on_hold_at_end,
            on_hold_late: self.on_hold_late + other.on_hold_late,
            uncovered: self.uncovered + other.uncovered,
            uncovered_at_end: self.uncovered_at_end + other.uncovered_at_end,
            bases_not_known: self.bases_not_known + other.bases_not_known,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::detainer::Edition;
    use crate::domain::facts::{CloseReason, EndKind};
    use crate::domain::policy::Mode;
    use crate::domain::testing::{World, day, form, instant, revision};
    use crate::domain::time::{HOUR_US, Zone};

    const ZONE: &str = "America/New_York";

    /// Booked on Monday 2024-03-04, T0 on Friday the 8th at 12:00, held until Sunday the 10th at 13:00 (a clock change lies
    /// between), then by nothing until Monday the 11th at 06:00. Moved to the annex, in the same zone, on Sunday at 18:00.
    fn world() -> World {
        let zone: Zone = ZONE.parse().expect("a zone");
        let start = instant("2024-03-01T00:00:00-05:00");
        let mut world = World::new(zone, start);
        world.facility("annex", zone);
        world.switch(revision("r1", Mode::HonorAlways), start.plus_us(HOUR_US)).expect("a revision");
        let booked = instant("2024-03-04T08:00:00-05:00");
        world.at(booked).book("b1", "s1", Some(&["c1"]), booked).expect("a booking");
        world.receive("b1", "d1", form(Edition::I247A), Some(booked), booked).expect("a detainer");
        world.book("b2", "s2", None, booked).expect("a booking whose bases are not known");
        let t0 = instant("2024-03-08T12:00:00-05:00");
        world.at(t0).close("b1", "c1", CloseReason::BailPosted, t0).expect("T0");
        let moved = instant("2024-03-10T18:00:00-04:00");
        world.at(moved).transfer("b1", "annex", moved).expect("a move");
        let end = instant("2024-03-11T06:00:00-04:00");
        world.at(end).end("b1", EndKind::Released, Some(end)).expect("an end");
        world
    }

    fn certified(jail: &str, date: &str, until: &str) -> (Counts, Vec<(i64, Option<String>)>) {
        let (world, zone) = (world(), ZONE.parse::<Zone>().expect("a zone"));
        let span = Span::new(zone.start_of(day(date)), zone.end_of(day(date)).min(instant(until)));
        let day = Day { facility: FacilityId::trusted(jail), span };
        let (mut counts, mut rows) = (Counts::default(), Vec::new());
        for booking in world.bookings() {
            let (more, some) = of_booking(&day, booking);
            counts = counts.plus(more);
            rows.extend(some);
        }
        let since = instant("2024-03-10T13:00:00-04:00");
        assert!(rows.iter().all(|row| row.since == since && row.booking.as_str() == "b1"), "{rows:?}");
        (counts, rows.into_iter().map(|row| (row.us / 60_000_000, row.ended.map(|at| at.to_string()))).collect())
    }

    #[test]
    fn each_day_of_each_jail() {
        let (far, noon) = ("2030-01-01T00:00:00Z", "2024-03-10T14:00:00-04:00");
        let ended = Some("2024-03-11T10:00:00Z".to_owned());
        // Jail, day, counted to; in custody, at its end; on hold, at its end; uncovered, at its end; not known; minutes.
        type Case = (&'static str, &'static str, &'static str, [i64; 7], Vec<(i64, Option<String>)>);
        let cases: [Case; 9] = [
            ("jail", "2024-03-03", far, [0; 7], vec![]),
            ("jail", "2024-03-04", far, [2, 2, 0, 0, 0, 0, 1], vec![]),
            ("jail", "2024-03-08", far, [2, 2, 1, 1, 0, 0, 1], vec![]),
            ("jail", "2024-03-09", far, [2, 2, 1, 1, 0, 0, 1], vec![]),
            // From 13:00 to 18:00 in the jail, the rest of Sunday and six hours of Monday in the annex.
            ("jail", "2024-03-10", far, [2, 1, 1, 0, 1, 0, 1], vec![(300, None)]),
            ("annex", "2024-03-10", far, [1, 1, 0, 0, 1, 1, 0], vec![(360, None)]),
            ("annex", "2024-03-11", far, [1, 0, 0, 0, 1, 0, 0], vec![(360, ended)]),
            ("annex", "2024-03-12", far, [0; 7], vec![]),
            // A day that is not over: counted as far as it is.
            ("jail", "2024-03-10", noon, [2, 2, 1, 0, 1, 1, 1], vec![(60, None)]),
        ];
        for (jail, date, until, expected, rows) in cases {
            let (counts, found) = certified(jail, date, until);
            let shown = [
                counts.in_custody,
                counts.in_custody_at_end,
                counts.on_hold,
                counts.on_hold_at_end,
                counts.uncovered,
                counts.uncovered_at_end,
                counts.bases_not_known,
            ];
            assert_eq!((shown, found, counts.on_hold_late), (expected, rows, 0), "{jail} {date} to {until}");
        }
    }

    /// Minutes of all days and jails are the over-detention there was.
    #[test]
    fn days_and_jails_add_up() {
        let days = ["2024-03-08", "2024-03-09", "2024-03-10", "2024-03-11", "2024-03-12"];
        let all = ["jail", "annex"].iter().flat_map(|jail| days.iter().map(move |day| (jail, day)));
        let minutes: i64 = all.flat_map(|(jail, day)| certified(jail, day, "2030-01-01T00:00:00Z").1).map(|row| row.0).sum();
        assert_eq!(minutes, 17 * 60);
    }
}
