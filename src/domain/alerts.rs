//! Warnings about people in custody with no basis open: the authority to hold ends soon, it has ended, nobody is covered.
//!
//! Which warnings are due is a function of the booking alone, so it can be kept in a table and looked up by time. Who asks
//! the clock is the ledger's sweeper; a warning becomes a record by an ordinary command. No answer of the system rests on
//! one: authority ends at its instant whether or not anybody was warned (DOMAIN.md §8.2).

use super::booking::{Alert, AlertLevel, Booking, Hold, HoldEnd};
use super::time::{HOUR_US, Instant};

/// A warning that has not been given yet, and when it falls due.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Due {
    /// When.
    pub at: Instant,
    /// What.
    pub alert: Alert,
}

/// How long before the end of authority each warning falls due, the earliest first.
const AHEAD: [(AlertLevel, i64); 3] =
    [(AlertLevel::Due24h, 24 * HOUR_US), (AlertLevel::Due4h, 4 * HOUR_US), (AlertLevel::Due1h, HOUR_US)];

/// How long before the end of authority a warning of this level falls due; nothing for those that come at the end.
#[must_use]
pub fn ahead_us(level: AlertLevel) -> Option<i64> {
    AHEAD.iter().find(|(known, _)| *known == level).map(|(_, us)| *us)
}

/// Every warning about the open stretch after the last T0 that was not given yet, in the order in which they fall due.
///
/// A hold that begins less than 24 hours before its end is warned of at its start, once, by the nearest level. A person
/// whom nothing covers from T0 on is warned of at T0; one whom a hold covered, at its end.
#[must_use]
pub fn pending(booking: &Booking) -> Vec<Due> {
    let Some(gap) = booking.open_gap() else { return Vec::new() };
    let hold = booking.hold_of(gap);
    let mut all = Vec::new();
    if hold.is_none_or(|hold| gap.t0 < hold.start) {
        all.push(alert(gap.t0, None, AlertLevel::OverDetained, gap.t0));
    }
    if let Some(hold) = hold {
        all.extend(ahead_of_end(hold));
        if hold.reason == HoldEnd::Deadline {
            all.push(alert(hold.until, Some(hold), AlertLevel::DeadlinePassed, hold.until));
        }
        all.push(alert(hold.until, Some(hold), AlertLevel::OverDetained, hold.until));
    }
    all.retain(|due| !booking.alerts.iter().any(|given| says_as_much(given, &due.alert)));
    all.sort_by_key(|due| (due.at, due.alert.level));
    all
}

/// The warnings to give at an instant, in order. That authority ends soon is not said once it has ended.
#[must_use]
pub fn due(booking: &Booking, now: Instant) -> Vec<Due> {
    let mut all = pending(booking);
    all.retain(|due| due.at <= now);
    let over: Vec<Alert> = all.iter().map(|due| due.alert.clone()).filter(|alert| ahead_us(alert.level).is_none()).collect();
    all.retain(|due| ahead_us(due.alert.level).is_none() || !over.iter().any(|over| over.hold == due.alert.hold));
    all
}

/// Whether a warning that was given makes another needless: the same of this end; of two that come before an end, one that
/// spoke of a later end of the same hold; and before an end none is needed that was told to have come.
fn says_as_much(given: &Alert, alert: &Alert) -> bool {
    if given.hold != alert.hold || (given.level == alert.level && given.until == alert.until) {
        return given.hold == alert.hold;
    }
    let (ahead, over) = (ahead_us(alert.level).is_some(), ahead_us(given.level).is_none());
    ahead && ((given.level == alert.level && given.until >= alert.until) || (over && given.until == alert.until))
}

fn alert(at: Instant, hold: Option<&Hold>, level: AlertLevel, until: Instant) -> Due {
    Due { at, alert: Alert { hold: hold.map(|hold| hold.id.clone()), level, until } }
}

fn ahead_of_end(hold: &Hold) -> impl Iterator<Item = Due> + '_ {
    let begun = AHEAD.iter().rposition(|(_, us)| hold.until.plus_us(-us) <= hold.start).unwrap_or(0);
    AHEAD.iter().skip(begun).map(|(level, us)| alert(hold.until.plus_us(-us).max(hold.start), Some(hold), *level, hold.until))
}

#[cfg(test)]
mod tests {
    use super::super::detainer::Edition;
    use super::super::facts::{CloseReason, EndKind};
    use super::super::policy::Mode;
    use super::super::testing::{World, form, instant, request, revision};
    use super::super::time::Zone;
    use super::*;
    use crate::domain::command::BookingCommand;

    fn told(booking: &Booking) -> Vec<(String, AlertLevel)> {
        pending(booking).into_iter().map(|due| (due.at.to_string(), due.alert.level)).collect()
    }

    /// Honor always; a stay from Thursday noon whose only basis closes at the time given.
    fn world(closed: &str) -> World {
        let mut world = World::new(Zone::UTC, instant("2024-03-14T00:00:00Z"));
        world.switch(revision("always", Mode::HonorAlways), instant("2024-03-14T00:00:00Z")).unwrap();
        world.at(instant("2024-03-14T12:00:00Z")).book("b", "s", Some(&["A"]), instant("2024-03-14T12:00:00Z")).unwrap();
        world.at(instant(closed)).close("b", "A", CloseReason::BailPosted, instant(closed)).unwrap();
        world
    }

    #[test]
    fn over_detention_is_told_from_t0_and_ends_with_custody() {
        let mut world = world("2024-03-15T17:00:00Z");
        let over = [("2024-03-15T17:00:00Z".to_owned(), AlertLevel::OverDetained)];
        assert_eq!(told(world.booking("b")), over);
        world.tell("b", BookingCommand::Alert(None, AlertLevel::OverDetained, instant("2024-03-15T17:00:00Z"))).unwrap();
        assert_eq!(told(world.booking("b")), [], "once");
        world.end("b", EndKind::Released, None).unwrap();
        assert_eq!(told(world.booking("b")), []);
    }

    #[test]
    fn a_hold_is_told_ahead_of_its_end_and_at_it() {
        let mut world = world("2024-03-15T17:00:00Z");
        let received = instant("2024-03-15T17:00:00Z");
        world.tell("b", BookingCommand::RecordDetainer(request("d", form(Edition::I247D), Some(received), received))).unwrap();
        let all = [
            ("2024-03-16T17:00:00Z".to_owned(), AlertLevel::Due24h),
            ("2024-03-17T13:00:00Z".to_owned(), AlertLevel::Due4h),
            ("2024-03-17T16:00:00Z".to_owned(), AlertLevel::Due1h),
            ("2024-03-17T17:00:00Z".to_owned(), AlertLevel::DeadlinePassed),
            ("2024-03-17T17:00:00Z".to_owned(), AlertLevel::OverDetained),
        ];
        assert_eq!(told(world.booking("b")), all);
        let hold = world.booking("b").custody.holds[0].id.clone();
        let until = instant("2024-03-17T17:00:00Z");
        let early = BookingCommand::Alert(Some(hold), AlertLevel::Due24h, until);
        world.at(instant("2024-03-16T16:59:59Z")).tell("b", early.clone()).unwrap();
        assert_eq!(told(world.booking("b")), all, "not before its time");
        world.at(instant("2024-03-16T17:00:00Z")).tell("b", early).unwrap();
        assert_eq!(told(world.booking("b")), all[1..]);

        // The end comes earlier: what was said ahead of the later end is not said again; past it only that it is over.
        world.at(instant("2024-03-16T18:00:00Z")).lift("b", "d", instant("2024-03-16T18:00:00Z")).unwrap();
        let left: Vec<_> = due(world.booking("b"), world.now()).into_iter().map(|due| due.alert.level).collect();
        assert_eq!(left, [AlertLevel::OverDetained]);
        let hold = world.booking("b").custody.holds[0].id.clone();
        let over = BookingCommand::Alert(Some(hold), AlertLevel::OverDetained, instant("2024-03-16T18:00:00Z"));
        world.tell("b", over).unwrap();
        assert_eq!(told(world.booking("b")), []);
    }

    #[test]
    fn a_short_hold_is_told_once_at_its_start_by_the_nearest_level() {
        let mut world = World::new(Zone::UTC, instant("2024-03-14T00:00:00Z"));
        let mut short = revision("day", Mode::HonorAlways);
        short.limit = crate::domain::clock::Limit::EndOfLocalDay;
        short.exclusion = crate::domain::clock::ExclusionRule::None;
        world.switch(short, instant("2024-03-14T00:00:00Z")).unwrap();
        world.at(instant("2024-03-14T12:00:00Z")).book("b", "s", Some(&["A"]), instant("2024-03-14T12:00:00Z")).unwrap();
        let received = instant("2024-03-14T13:00:00Z");
        world.at(received);
        world.tell("b", BookingCommand::RecordDetainer(request("d", form(Edition::I247D), Some(received), received))).unwrap();
        world
            .at(instant("2024-03-14T21:00:00Z"))
            .close("b", "A", CloseReason::BailPosted, instant("2024-03-14T21:00:00Z"))
            .unwrap();
        let told = told(world.booking("b"));
        let levels: Vec<_> = told.iter().map(|(at, level)| (&at[11..16], *level)).collect();
        assert_eq!(levels[..2], [("21:00", AlertLevel::Due4h), ("23:00", AlertLevel::Due1h)]);
    }
}
