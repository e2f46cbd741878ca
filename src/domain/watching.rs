//! What happens to the holds of a booking, told from its records one after the other: for those who watch.
//!
//! A fold: the same records always tell the same events, so a watcher that comes back goes on exactly where it was. Each
//! thing is told once. What only the clock brings about (an end of authority that comes by itself) is told by the first
//! record of the booking at or after it; the sweeper's warnings see to it that there is one in time.

use super::alerts::ahead_us;
use super::booking::{Alert, AlertLevel, Booking, Custody, Ground, Hold, HoldEnd};
use super::event::Event;
use super::evolve;
use super::ids::{DetainerId, FacilityId, HoldId};
use super::time::Instant;
use std::collections::BTreeSet;

/// What happened.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Happened {
    /// A hold is known to start, or to have started.
    Started,
    /// Its authority ends within 24, 4 or 1 hours.
    Due(AlertLevel),
    /// Its deadline passed.
    DeadlinePassed,
    /// It ended.
    Ended,
    /// A person is in custody that nothing covers.
    OverDetained,
    /// Its deadline or the end of its authority is another one now.
    Changed,
}

/// Why a hold ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum End {
    /// As holds end.
    Reason(HoldEnd),
    /// A correction showed that there was no such hold.
    Corrected,
}

/// On what ground the person is in custody after it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum GroundAfter {
    /// A custody basis.
    Basis,
    /// An honored detainer in effect.
    Detainer,
    /// Nothing.
    None,
    /// The bases are not known.
    NotKnown,
    /// The person is not in custody.
    NotInCustody,
}

/// One event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HoldEvent {
    /// What happened.
    pub happened: Happened,
    /// When.
    pub at: Instant,
    /// The hold; nothing for over-detention that no hold came before.
    pub hold: Option<HoldId>,
    /// The request it rested on at its start.
    pub detainer: Option<DetainerId>,
    /// Where the person is then.
    pub facility: Option<FacilityId>,
    /// The deadline after it.
    pub deadline: Option<Instant>,
    /// The end of authority after it.
    pub until: Option<Instant>,
    /// The deadline before it, where it is another one now.
    pub old_deadline: Option<Instant>,
    /// Why the hold ended, where it did.
    pub end: Option<End>,
    /// On what ground the person is in custody after it.
    pub ground: GroundAfter,
}

/// A booking under watch, as of its last record.
#[derive(Clone, Debug, Default)]
pub struct Watching {
    booking: Option<Booking>,
    /// Holds whose end was told.
    ended: BTreeSet<HoldId>,
}

impl Watching {
    /// Takes the next record of the booking, and tells what it brings.
    pub fn step(&mut self, seq: i64, recorded: Instant, events: &[Event]) -> Vec<HoldEvent> {
        let before = self.booking.as_ref().map(|booking| booking.custody.clone()).unwrap_or_default();
        let mut booking = self.booking.take();
        for event in events {
            booking = evolve::booking(booking, seq, event);
        }
        let Some(booking) = booking else { return Vec::new() };
        let mut told = Vec::new();
        self.described_away(&booking, &before, recorded, &mut told);
        for hold in booking.custody.holds.iter().filter(|hold| !hold.voided) {
            self.hold(&booking, known(&before, &hold.id), hold, recorded, &mut told);
        }
        for event in events {
            if let Event::Alerted(alert) = event {
                told.extend(warned(&booking, alert, recorded));
            }
        }
        self.booking = Some(booking);
        told
    }

    /// Holds that a correction took away.
    fn described_away(&mut self, booking: &Booking, before: &Custody, recorded: Instant, told: &mut Vec<HoldEvent>) {
        for old in before.holds.iter().filter(|hold| !hold.voided) {
            if known(&booking.custody, &old.id).is_none() {
                let happened = if self.ended.insert(old.id.clone()) { Happened::Ended } else { Happened::Changed };
                let end = Some(End::Corrected);
                told.push(HoldEvent { end, ..event(booking, Some(old), happened, recorded, recorded) });
            }
        }
    }

    fn hold(&mut self, booking: &Booking, old: Option<&Hold>, hold: &Hold, recorded: Instant, told: &mut Vec<HoldEvent>) {
        let closed = booking.custody.gaps.iter().any(|gap| gap.t0 == hold.t0 && !gap.end.is_far());
        let over = hold.until <= recorded || closed;
        if !over {
            self.ended.remove(&hold.id);
        }
        let ends_now = over && self.ended.insert(hold.id.clone());
        match old {
            None => told.push(event(booking, Some(hold), Happened::Started, hold.start, hold.start)),
            Some(old) if old.deadline != hold.deadline => {
                let changed = event(booking, Some(hold), Happened::Changed, recorded, recorded);
                told.push(HoldEvent { old_deadline: Some(old.deadline), ..changed });
            }
            // An end that is told says so by itself.
            Some(old) if old.until != hold.until && !ends_now => {
                told.push(event(booking, Some(hold), Happened::Changed, recorded, recorded));
            }
            Some(_) => {}
        }
        if ends_now {
            if hold.reason == HoldEnd::Deadline {
                told.push(event(booking, Some(hold), Happened::DeadlinePassed, hold.until, hold.until));
            }
            let end = Some(End::Reason(hold.reason));
            told.push(HoldEvent { end, ..event(booking, Some(hold), Happened::Ended, hold.until, hold.until) });
        }
    }
}

fn known<'a>(custody: &'a Custody, id: &HoldId) -> Option<&'a Hold> {
    custody.holds.iter().find(|hold| hold.id == *id && !hold.voided)
}

/// What a warning tells. That a deadline passed is told with the end of the hold.
fn warned(booking: &Booking, alert: &Alert, recorded: Instant) -> Option<HoldEvent> {
    let hold = alert.hold.as_ref().and_then(|id| known(&booking.custody, id));
    match (alert.level, ahead_us(alert.level)) {
        (level, Some(ahead)) => {
            let at = alert.until.plus_us(-ahead).max(hold.map_or(Instant::MIN, |hold| hold.start));
            Some(event(booking, hold, Happened::Due(level), at, recorded))
        }
        (AlertLevel::OverDetained, None) => Some(event(booking, hold, Happened::OverDetained, alert.until, alert.until)),
        _ => None,
    }
}

fn event(booking: &Booking, hold: Option<&Hold>, happened: Happened, at: Instant, asked: Instant) -> HoldEvent {
    let ground = match booking.ground_at(asked) {
        Ground::Basis(_) => GroundAfter::Basis,
        Ground::Detainer(..) => GroundAfter::Detainer,
        Ground::None(_) => GroundAfter::None,
        Ground::NotKnown => GroundAfter::NotKnown,
        Ground::NotInCustody => GroundAfter::NotInCustody,
    };
    HoldEvent {
        happened,
        at,
        hold: hold.map(|hold| hold.id.clone()),
        detainer: hold.map(|hold| hold.detainer.clone()),
        facility: booking.facility_at(at).cloned(),
        deadline: hold.map(|hold| hold.deadline),
        until: hold.map(|hold| hold.until),
        old_deadline: None,
        end: None,
        ground,
    }
}

#[cfg(test)]
mod tests {
    use super::super::alerts;
    use super::super::command::BookingCommand;
    use super::super::detainer::Edition;
    use super::super::facts::{CloseReason, EndKind};
    use super::super::policy::Mode;
    use super::super::testing::{World, form, instant, request, revision};
    use super::super::time::Zone;
    use super::*;

    /// Everything told about the booking `b`, as `what at`, the hour only.
    fn told(world: &World) -> Vec<String> {
        let mut watching = Watching::default();
        let own = world.records().iter().filter(|r| r.stream.as_ref().is_some_and(|id| id.as_str() == "b"));
        let events = own.flat_map(|r| watching.step(r.seq, r.recorded, &r.events)).collect::<Vec<_>>();
        events.iter().map(|e| format!("{:?} {} {:?}", e.happened, &e.at.to_string()[8..16], e.ground)).collect()
    }

    /// Gives every warning that is due, as the sweeper does.
    fn sweep(world: &mut World, now: &str) {
        world.at(instant(now));
        while let Some(due) = alerts::due(world.booking("b"), world.now()).into_iter().next() {
            let alerts::Due { alert: Alert { hold, level, until }, .. } = due;
            world.tell("b", BookingCommand::Alert(hold, level, until)).unwrap();
        }
    }

    /// Honor always; booked Thursday noon with a request; the only basis closes on Friday at 17:00.
    fn held() -> World {
        let mut world = World::new(Zone::UTC, instant("2024-03-14T00:00:00Z"));
        world.switch(revision("always", Mode::HonorAlways), instant("2024-03-14T00:00:00Z")).unwrap();
        let booked = instant("2024-03-14T12:00:00Z");
        world.at(booked).book("b", "s", Some(&["A"]), booked).unwrap();
        world.tell("b", BookingCommand::RecordDetainer(request("d", form(Edition::I247D), Some(booked), booked))).unwrap();
        let t0 = instant("2024-03-15T17:00:00Z");
        world.at(t0).close("b", "A", CloseReason::BailPosted, t0).unwrap();
        world
    }

    #[test]
    fn a_hold_to_its_deadline_and_past_it() {
        let mut world = held();
        sweep(&mut world, "2024-03-16T17:00:01Z");
        sweep(&mut world, "2024-03-17T15:00:00Z");
        sweep(&mut world, "2024-03-17T17:00:01Z");
        world.at(instant("2024-03-17T18:00:00Z")).end("b", EndKind::Released, None).unwrap();
        let all = [
            "Started 15T17:00 Detainer",
            "Due(Due24h) 16T17:00 Detainer",
            "Due(Due4h) 17T13:00 Detainer",
            "DeadlinePassed 17T17:00 None",
            "Ended 17T17:00 None",
            "OverDetained 17T17:00 None",
        ];
        assert_eq!(told(&world), all, "nobody swept in the last hour: that it ends soon is not told once it has ended");
    }

    #[test]
    fn a_release_a_lift_and_a_late_release_tell_the_end_once() {
        let mut world = held();
        world.at(instant("2024-03-16T09:00:00Z")).lift("b", "d", instant("2024-03-16T09:00:00Z")).unwrap();
        sweep(&mut world, "2024-03-16T09:00:01Z");
        world.at(instant("2024-03-16T10:00:00Z")).end("b", EndKind::Released, None).unwrap();
        let expected = ["Started 15T17:00 Detainer", "Ended 16T09:00 None", "OverDetained 16T09:00 None"];
        let told_now: Vec<String> = told(&world).into_iter().filter(|t| !t.starts_with("Due")).collect();
        assert_eq!(told_now, expected);

        let mut world = held();
        sweep(&mut world, "2024-03-17T17:00:01Z");
        let released = Some(instant("2024-03-17T12:00:00Z"));
        world.at(instant("2024-03-17T19:00:00Z")).end("b", EndKind::Released, released).unwrap();
        let told: Vec<String> = told(&world).into_iter().filter(|t| t.starts_with("Ended") || t.starts_with("Ch")).collect();
        assert_eq!(told, ["Ended 17T17:00 None", "Changed 17T19:00 NotInCustody"], "the end that was told is another one now");
    }
}
