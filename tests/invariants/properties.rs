//! One property for each invariant.

use super::history::{Act, Around, History, Step, histories, tell, zone};
use detainer::domain::booking::{Booking, Ground, Hold, HoldEnd, Posting, PostingCause};
use detainer::domain::clock::{self, Exclusion, Limit, StartRule};
use detainer::domain::cost::CostLine;
use detainer::domain::county::County;
use detainer::domain::decision::{Decision, Outcome, OverrideAnswer, Reason};
use detainer::domain::detainer::Detainer;
use detainer::domain::event::Event;
use detainer::domain::facts::{CloseReason, EndKind, Fact, Tri};
use detainer::domain::gap::{Authority, Gap, Segment};
use detainer::domain::ids::{AgreementId, BookingId, HoldId, RevisionId};
use detainer::domain::money::Cents;
use detainer::domain::policy::{self, FacialRule, Inputs, Mode, OpenDetainers, Revision};
use detainer::domain::refusal::Why;
use detainer::domain::settling;
use detainer::domain::testing::{self, World};
use detainer::domain::time::{Date, HOUR_US, Instant, Span};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use std::collections::{BTreeMap, BTreeSet};

pub fn cases() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(96);
    ProptestConfig { cases, max_shrink_iters: 4_000, failure_persistence: None, ..ProptestConfig::default() }
}

fn real(booking: &Booking) -> impl Iterator<Item = &Hold> {
    booking.custody.holds.iter().filter(|h| !h.voided)
}

fn real_of<'a>(world: &'a World, id: &str) -> impl Iterator<Item = &'a Hold> {
    world.find(id).into_iter().flat_map(real)
}

fn held(booking: &Booking) -> impl Iterator<Item = (&Gap, &Segment)> {
    let segments = booking.custody.gaps.iter().flat_map(|g| g.segments.iter().map(move |s| (g, s)));
    segments.filter(|(_, s)| s.authority != Authority::OverDetained)
}

fn ground<'a>(booking: &'a Booking, segment: &Segment) -> Option<&'a Detainer> {
    segment.rests_on.as_ref().and_then(|r| booking.detainer(&r.detainer))
}

/// Whether a basis is open at an instant, from the recorded bases alone.
pub fn basis_open(booking: &Booking, at: Instant) -> bool {
    let open =
        |b: &detainer::domain::facts::Basis| b.opened.effective <= at && b.closed.as_ref().is_none_or(|c| at < c.at.effective);
    booking.bases.iter().any(open)
}

/// Whether a form is in effect at an instant, from the recorded facts alone.
fn in_effect(booking: &Booking, detainer: &Detainer, at: Instant) -> bool {
    let served = detainer.service.as_ref().is_some_and(|s| s.at.effective <= at);
    let convicted =
        booking.facts.iter().any(|f| f.at.effective <= at && matches!(&f.fact, Fact::Conviction(c) if c.this_booking));
    let told = booking.facts.iter().any(|f| f.at.effective <= at && matches!(f.fact, Fact::Disposition(_)));
    let cleared = booking
        .bases
        .iter()
        .filter_map(|b| b.closed.as_ref())
        .any(|c| c.at.effective <= at && matches!(c.reason, CloseReason::Dismissed | CloseReason::Acquitted));
    let conditional = detainer.form.boxes.upon_conviction;
    detainer.received.effective <= at
        && at < detainer.ended()
        && (served || !detainer.form.edition.needs_service())
        && (!conditional || (convicted && !told && !cleared))
}

/// Instants at which something may change, and just before and after.
pub fn instants(world: &World, booking: &Booking) -> BTreeSet<Instant> {
    let mut all: BTreeSet<Instant> = BTreeSet::new();
    all.insert(world.now());
    all.extend(booking.custody.gaps.iter().flat_map(|g| [g.t0, g.end]));
    all.extend(booking.custody.gaps.iter().flat_map(|g| &g.segments).flat_map(|s| [s.span.start, s.span.end]));
    all.extend(booking.custody.holds.iter().flat_map(|h| [h.start, h.until, h.deadline]));
    all.extend(booking.detainers.iter().flat_map(|d| &d.decisions).map(|d| d.at.effective));
    all.extend(world.state().revisions.iter().map(|r| r.effective.effective));
    let near: Vec<Instant> = all.iter().flat_map(|at| [at.plus_us(-1), at.plus_us(1)]).collect();
    all.extend(near);
    all.retain(|at| !at.is_far());
    all
}

fn segment_at(booking: &Booking, at: Instant) -> Option<&Segment> {
    booking.custody.gaps.iter().flat_map(|g| &g.segments).find(|s| s.span.contains(at))
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn invariant_01_no_hold_before_t0_or_before_the_form_was_in_effect(history in histories(24)) {
        tell(&history, |around| {
            for booking in around.after.bookings() {
                for (gap, segment) in held(booking) {
                    let on = ground(booking, segment).ok_or_else(|| TestCaseError::fail("it rests on nothing"))?;
                    prop_assert!(gap.t0 <= segment.span.start);
                    for at in [segment.span.start, segment.span.end.plus_us(-1)] {
                        prop_assert!(!basis_open(booking, at), "a basis is open at {at}");
                        prop_assert!(booking.stay().contains(at), "not in custody at {at}");
                        prop_assert!(in_effect(booking, on, at), "{} is not in effect at {at}", on.id);
                    }
                    prop_assert!(on.form.edition.can_hold() && on.form.boxes.hold);
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn invariant_02_no_answer_says_may_hold_at_or_after_the_end_of_authority(history in histories(24)) {
        tell(&history, |around| {
            for booking in around.after.bookings() {
                for at in instants(around.after, booking) {
                    if !matches!(booking.ground_at(at), Ground::Detainer(..)) {
                        continue;
                    }
                    let hold = real(booking).find(|h| h.start <= at && at < h.until);
                    let hold = hold.ok_or_else(|| TestCaseError::fail(format!("no hold at {at}")))?;
                    prop_assert!(hold.until <= hold.deadline && at < hold.deadline);
                    prop_assert!(booking.stay().contains(at) && !basis_open(booking, at));
                    prop_assert!(booking.detainers.iter().any(|d| in_effect(booking, d, at)));
                }
            }
            Ok(())
        })?;
    }

    /// Also §4 *Never again* and §10.2, §10.4: as known at each moment, and for good.
    #[test]
    fn invariant_03_no_record_revives_authority(history in histories(30)) {
        let mut over: BTreeMap<BookingId, Instant> = BTreeMap::new();
        tell(&history, |around| {
            let now = around.after.now();
            for booking in around.after.bookings() {
                let may = around.after.may_hold(booking.id.as_str(), now);
                if let Some(since) = over.get(&booking.id) {
                    prop_assert!(!may, "{} was over at {since} and may hold at {now}", booking.id);
                }
                let ended = real(booking).any(|h| h.reason != HoldEnd::NewBasis && h.until <= now);
                // Taken away while it ran: yes just before this record, and now neither a basis nor a hold.
                let ran = around.before.find(booking.id.as_str()).is_some_and(|b| matches!(b.ground_at(now), Ground::Detainer(..)));
                let taken = ran && !may && matches!(booking.ground_at(now), Ground::None(_));
                if ended || taken {
                    over.entry(booking.id.clone()).or_insert(now);
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn invariant_03_no_deadline_moves_later_without_two_persons(history in histories(30)) {
        tell(&history, |around| {
            if around.corrected_by_two() {
                return Ok(());
            }
            for before in around.before.bookings() {
                let after = around.after.booking(before.id.as_str());
                for old in real(before) {
                    let end = before.custody.gaps.iter().find(|g| g.t0 == old.t0).map_or(old.until, |g| g.end);
                    let place = Span::new(old.t0, end);
                    for new in real(after).filter(|new| new.id == old.id || place.contains(new.t0)) {
                        prop_assert!(new.deadline <= old.deadline, "hold {} of {}: {} to {}", old.id, before.id, old.deadline, new.deadline);
                    }
                }
                for gap in &before.custody.gaps {
                    let still = after.custody.gaps.iter().any(|new| new.t0 <= gap.t0 && gap.t0 < new.end);
                    let gone = gap.t0 >= after.ended() || gap.t0 < after.booked.effective;
                    prop_assert!(still || gone, "T0 {} of {} is under a basis", gap.t0, before.id);
                }
            }
            Ok(())
        })?;
    }

    /// Counted from each T0 on, with every earlier gap and what was inherited, as §4 *Never again* says.
    #[test]
    fn invariant_04_authorized_time_never_exceeds_the_limit(mut history in histories(24)) {
        history.same_terms = true;
        history.terms %= 6;
        let world = tell(&history, |_| Ok(()))?;
        let rule = super::history::revision("R", 0, history.terms);
        for booking in world.bookings() {
            limit_holds(&rule, booking)?;
        }
    }

    #[test]
    fn invariant_05_without_a_decision_honor_in_force_may_hold_is_false(history in histories(24)) {
        tell(&history, |around| {
            for booking in around.after.bookings() {
                for (_, segment) in held(booking) {
                    let on = ground(booking, segment).ok_or_else(|| TestCaseError::fail("it rests on nothing"))?;
                    for at in [segment.span.start, segment.span.end.plus_us(-1)] {
                        let in_force = on.decisions.iter().filter(|d| d.at.effective <= at).max_by_key(|d| (d.at.effective, d.n));
                        let in_force = in_force.ok_or_else(|| TestCaseError::fail("no decision in force"))?;
                        prop_assert_eq!(in_force.outcome, Outcome::Honor);
                        prop_assert!(in_force.authority_from <= at);
                        let then = on.decisions.iter().filter(|d| d.at.effective <= at && d.at.known <= at).max_by_key(|d| (d.at.effective, d.n));
                        let honored = then.is_some_and(|d| d.outcome == Outcome::Honor && d.authority_from <= at);
                        let late = !honored || on.service.as_ref().is_some_and(|s| at < s.at.known && on.form.edition.needs_service());
                        prop_assert!(!late || segment.authority == Authority::AuthorizedLate, "late at {}", at);
                    }
                }
                // One that turned another answer into HONOR gives nothing before its record.
                for decision in booking.detainers.iter().flat_map(|d| &d.decisions).filter(|d| d.n > 1 && d.outcome == Outcome::Honor) {
                    prop_assert!(decision.authority_from >= decision.at.effective);
                }
            }
            Ok(())
        })?;
    }

    /// §10.2, §10.24: what was over-detention as far as was known is at most authorized late; what was authorized is not
    /// late because the same request was decided again.
    #[test]
    fn late_is_what_was_not_known_then(history in histories(30)) {
        tell(&history, |around| {
            let corrected = matches!(around.act, Act::Confirm { .. } | Act::Correct { .. });
            for before in around.before.bookings() {
                let after = around.after.booking(before.id.as_str());
                for at in instants(around.before, before).into_iter().filter(|at| *at < around.before.now()) {
                    let Some((was, is)) = segment_at(before, at).zip(segment_at(after, at)) else { continue };
                    let unknown = was.authority != Authority::Authorized && is.authority == Authority::Authorized;
                    prop_assert!(!unknown, "{:?} at {} of {} became AUTHORIZED", was.authority, at, before.id);
                    let same = was.rests_on.as_ref().map(|on| &on.detainer) == is.rests_on.as_ref().map(|on| &on.detainer);
                    let late = was.authority == Authority::Authorized && is.authority == Authority::AuthorizedLate;
                    prop_assert!(corrected || !(same && late), "AUTHORIZED at {} of {} became late", at, before.id);
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn invariant_06_unknown_never_yields_honor(inputs in inputs(), mode in 0u8..6, facial in 0u8..3) {
        let mut revision = super::history::revision("R", mode, 0);
        revision.facial = [FacialRule::Default, FacialRule::Required, FacialRule::NotRequired][usize::from(facial)];
        let known = policy::evaluate(Some(&revision), &inputs).outcome;
        let unknown = Inputs { facially_sufficient: Tri::Unknown, ..inputs.clone() };
        let unknown = policy::evaluate(Some(&revision), &unknown).outcome;
        prop_assert!(known == Outcome::Honor || unknown != Outcome::Honor, "an unknown turned {known:?} into HONOR");
        if revision.asks_facial_sufficiency(inputs.edition) {
            prop_assert_ne!(unknown, Outcome::Honor);
        }
        let none = policy::evaluate(None, &inputs);
        let waits = if inputs.review_declined { Outcome::Decline } else { Outcome::NeedsReview };
        prop_assert_eq!((none.outcome, none.notify), (waits, false));
        if inputs.status_proof || !inputs.asks_hold || inputs.review_declined {
            prop_assert_ne!(known, Outcome::Honor);
        }
    }

    #[test]
    fn invariant_07_a_recorded_decision_never_changes(history in histories(24)) {
        tell(&history, |around| {
            for before in around.before.bookings() {
                for old in &before.detainers {
                    let new = around.after.detainer(before.id.as_str(), old.id.as_str());
                    prop_assert_eq!(&new.decisions[..old.decisions.len()], &old.decisions[..]);
                }
            }
            for detainer in around.after.bookings().flat_map(|b| &b.detainers) {
                let numbers: Vec<usize> = detainer.decisions.iter().map(|d| d.n as usize).collect();
                prop_assert_eq!(numbers, (1..=detainer.decisions.len()).collect::<Vec<_>>());
                prop_assert!(detainer.decisions.iter().all(|d| !d.explanation.checks.is_empty()));
            }
            Ok(())
        })?;
    }

    #[test]
    fn invariant_08_every_decision_names_the_revision_that_governs(history in histories(24)) {
        tell(&history, |around| {
            let county = around.after.state();
            for booking in around.after.bookings() {
                for detainer in &booking.detainers {
                    for at in instants(around.after, booking) {
                        if at < detainer.received.effective || !booking.is_open(detainer, at) {
                            continue;
                        }
                        let decision = detainer.decision_at(at);
                        let decision = decision.ok_or_else(|| TestCaseError::fail(format!("{} is not decided at {at}", detainer.id)))?;
                        prop_assert_eq!(&decision.revision, &governing(county, detainer.received.effective, at), "{} at {}", detainer.id, at);
                    }
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn invariant_09_no_hold_in_guarantee_mode_without_a_reserved_promise(history in histories(30)) {
        tell(&history, |around| {
            let county = around.after.state();
            let recorded = around.after.records().last().map_or(Instant::MIN, |r| r.recorded);
            for booking in around.after.bookings() {
                for (_, segment) in held(booking) {
                    let Some(decision) = ground(booking, segment).and_then(|d| d.decision_at(segment.span.start)) else { continue };
                    if decision.mode == Some(Mode::RequireReimbursementGuarantee) {
                        guaranteed(county, booking, decision, segment, recorded)?;
                    }
                }
            }
            Ok(())
        })?;
    }

    /// At any point of a history: another detainer, another switch, a lift, a review, a stay that follows.
    #[test]
    fn invariant_10_nothing_restarts_or_lengthens_a_clock(mut history in histories(18), what in 0u8..7) {
        history.same_terms = true;
        history.terms %= 6;
        let mut world = tell(&history, |_| Ok(()))?;
        let before = world.clone();
        let rule = super::history::revision("R", 0, history.terms);
        let now = world.now();
        for booking in before.bookings() {
            let id = booking.id.as_str();
            let first = booking.detainers.first().map_or_else(|| "nobody".to_owned(), |d| d.id.to_string());
            let _ = match what {
                0 => world.receive(id, "again", testing::form(detainer::domain::detainer::Edition::I247Of2012), None, now),
                1 => world.switch(Revision { id: RevisionId::trusted("again"), ..rule.clone() }, now),
                2 => world.lift(id, &first, now),
                3 => world.serve(id, &first, now),
                4 | 5 => {
                    let answers = [OverrideAnswer::Decline, OverrideAnswer::Honor];
                    let (one, other) = if what == 4 { (answers[0], answers[1]) } else { (answers[1], answers[0]) };
                    for answer in [one, other] {
                        let proposed = world.by("ann").tell(id, testing::overriding(&first, answer, None));
                        let _ = proposed.and_then(|()| world.by("bea").confirm_last(id));
                    }
                    Ok(())
                }
                _ => world.end(id, EndKind::Released, None)
                    .and_then(|()| world.book("again", booking.subject.as_str(), Some(&[]), world.now()))
                    .and_then(|()| world.receive("again", "again", testing::form(detainer::domain::detainer::Edition::I247Of2012), None, world.now())),
            };
        }
        for old in before.bookings() {
            let new = world.booking(old.id.as_str());
            let t0s = |b: &Booking| b.custody.gaps.iter().map(|g| g.t0).filter(|t0| *t0 < b.ended()).collect::<Vec<_>>();
            prop_assert!(t0s(old).starts_with(&t0s(new)), "{:?} {:?}", t0s(old), t0s(new));
            for hold in real(old) {
                prop_assert!(real(new).all(|h| h.id != hold.id || h.deadline <= hold.deadline));
            }
        }
        for booking in world.bookings() {
            limit_holds(&rule, booking)?;
        }
        if let Some(again) = world.find("again") {
            let others = world.bookings().filter(|b| b.subject == again.subject && b.id != again.id);
            let day = |b: &&Booking| again.booked.effective <= b.ended().plus_us(24 * HOUR_US);
            let ran = others.filter(day).any(|b| !b.custody.gaps.is_empty());
            prop_assert!(!ran || !again.inherited.is_empty(), "the time used is inherited");
        }
    }

    #[test]
    fn invariant_11_release_is_never_refused(history in histories(24)) {
        tell(&history, |around| {
            for booking in around.after.bookings().filter(|b| b.ending.is_none()) {
                for kind in [EndKind::Released, EndKind::FederalCustody, EndKind::TransferredOut, EndKind::Died] {
                    let mut world = around.after.clone();
                    let told = world.end(booking.id.as_str(), kind, None);
                    prop_assert_eq!(told, Ok(()));
                    prop_assert_eq!(world.booking(booking.id.as_str()).ground_at(world.now()), Ground::NotInCustody);
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn invariant_12_incurred_is_covered_and_absorbed_within_every_limit(history in histories(30)) {
        tell(&history, |around| {
            let world = around.after;
            for agreement in world.state().agreements.values() {
                let balance = world.state().balances.get(&agreement.id).copied().unwrap_or_default();
                prop_assert!(!balance.reserved.is_negative() && !balance.spent.is_negative());
                let used = balance.reserved.try_add(balance.spent).unwrap();
                prop_assert!(agreement.budget.is_none_or(|most| used <= most), "{} used {used}", agreement.id);
            }
            for booking in world.bookings() {
                let lines = world.lines(booking.id.as_str(), world.now().plus_us(100 * HOUR_US));
                for line in &lines {
                    prop_assert_eq!(line.covered.try_add(line.absorbed().unwrap()).unwrap(), line.incurred);
                    prop_assert!(!line.incurred.is_negative() && !line.covered.is_negative());
                    prop_assert!(line.authority != Authority::OverDetained || line.covered == Cents::ZERO);
                    prop_assert!(line.agreement.is_some() || line.covered == Cents::ZERO);
                }
                within_reservations(world, booking, &lines)?;
            }
            Ok(())
        })?;
    }

    /// §6 *Budgets*: after every record what an agreement has spent is the sum of its lines of ended holds, and what it has
    /// reserved is what running holds have.
    #[test]
    fn what_an_agreement_has_spent_is_what_its_lines_say(history in histories(30)) {
        tell(&history, |around| {
            let world = around.after;
            for agreement in world.state().agreements.values().filter(|a| a.budget.is_some()) {
                let (mut spent, mut reserved) = (Cents::ZERO, Cents::ZERO);
                for booking in world.bookings() {
                    let kept = |hold: &HoldId| booking.reservations.iter().find(|r| r.agreement == agreement.id && r.hold == *hold);
                    let lines = world.lines(booking.id.as_str(), world.now().plus_us(100 * HOUR_US));
                    for line in lines.iter().filter(|l| l.agreement.as_ref() == Some(&agreement.id)) {
                        match line.hold.as_ref().and_then(kept) {
                            Some(r) if r.spent.is_some() => spent = spent.try_add(line.covered).unwrap(),
                            Some(r) if r.amount.is_some() => {}
                            _ => prop_assert_eq!(line.covered, Cents::ZERO, "nothing was reserved"),
                        }
                    }
                    for running in booking.reservations.iter().filter(|r| r.agreement == agreement.id && r.spent.is_none()) {
                        reserved = reserved.try_add(running.amount.unwrap_or_default()).unwrap();
                    }
                }
                let balance = world.state().balances.get(&agreement.id).copied().unwrap_or_default();
                prop_assert_eq!((balance.spent, balance.reserved), (spent, reserved), "{}", agreement.id);
            }
            Ok(())
        })?;
    }

    /// §6: a promise recorded later pays only for hours of begun holds that none paid for.
    #[test]
    fn a_new_promise_re_allocates_nothing(history in histories(30)) {
        tell(&history, |around| {
            if !matches!(around.act, Act::Promise { .. }) || around.result.is_err() {
                return Ok(());
            }
            // What was due before it is settled before it.
            let mut settled = around.before.clone();
            settled.at(around.after.now());
            settled.sweep();
            for before in settled.bookings() {
                let until = settled.now().plus_us(100 * HOUR_US);
                let after = around.after.lines(before.id.as_str(), until);
                let begun = |line: &&CostLine| line.agreement.is_some() && real(before).any(|h| Some(&h.id) == line.hold.as_ref() && h.start < settled.now());
                for line in settled.lines(before.id.as_str(), until).iter().filter(begun) {
                    let now = after.iter().find(|l| l.span.contains(line.span.start));
                    let now = now.ok_or_else(|| TestCaseError::fail("custody is gone"))?;
                    if now.hold.is_some() {
                        prop_assert_eq!(&now.agreement, &line.agreement, "{} at {}", before.id, line.span.start);
                        prop_assert_eq!(now.covered, line.covered);
                    }
                }
            }
            Ok(())
        })?;
    }

    /// §5 *Guarantee*: the agreement that a decision rests on is the one that pays, over its dates and terms, but for what
    /// a hold that had begun was allocated to.
    #[test]
    fn the_agreement_that_a_decision_names_pays(history in histories(30)) {
        tell(&history, |around| {
            let world = around.after;
            let until = world.now().plus_us(100 * HOUR_US);
            for booking in world.bookings() {
                let id = booking.id.as_str();
                let known = around.before.find(id).map(|_| around.before.lines(id, until)).unwrap_or_default();
                let begun = |line: &CostLine| real_of(around.before, id).any(|h| Some(&h.id) == line.hold.as_ref() && h.start <= world.now());
                let paid = |line: &CostLine| known.iter().any(|l| l.span.contains(line.span.start) && l.agreement == line.agreement);
                let allocated = |line: &CostLine| begun(line) && paid(line);
                for line in world.lines(id, until).iter().filter(|l| l.hold.is_some() && !allocated(l)) {
                    let on = line.detainer.as_ref().and_then(|id| booking.detainer(id));
                    let named = on.and_then(|d| d.decision_at(line.span.start)).and_then(|d| d.agreement.clone());
                    let Some(named) = named.map(|id| world.state().agreements[&id].clone()) else { continue };
                    let all_costs = named.term == detainer::domain::agreement::Term::AllCosts;
                    let funded = booking.reservations.iter().any(|r| r.agreement == named.id && Some(&r.hold) == line.hold.as_ref() && r.amount > Some(Cents::ZERO));
                    if all_costs && (funded || named.budget.is_none()) && named.pays().is_some_and(|dates| dates.contains(line.span.start)) {
                        prop_assert_eq!(line.agreement.as_ref(), Some(&named.id), "{} at {}", booking.id, line.span.start);
                    }
                }
            }
            Ok(())
        })?;
    }

    /// What was ever posted, taken back and posted again, sums to what closed custody costs now.
    #[test]
    fn invariant_13_postings_add_up_to_what_closed_custody_costs(history in histories(30)) {
        let world = tell(&history, |_| Ok(()))?;
        for booking in world.bookings() {
            let lines = settling::posted_lines(world.state(), booking).unwrap();
            let own = world.records().iter().filter(|r| r.stream.as_ref() == Some(&booking.id));
            let posted: Vec<CostLine> = own
                .flat_map(|r| &r.events)
                .filter_map(|e| match e {
                    Event::Posted(posting) => Some(posting.line.clone()),
                    _ => None,
                })
                .collect();
            let total = |lines: &[CostLine]| sums(lines, |_| ()).remove(&()).unwrap_or_default();
            prop_assert_eq!(total(&posted), total(&lines));
            let by_jail = |line: &CostLine| format!("{} {:?} {}", line.facility, line.authority, line.local_day);
            let mut grouped = sums(&posted, by_jail);
            grouped.retain(|_, sum| *sum != (Cents::ZERO, Cents::ZERO));
            let mut expected = sums(&lines, by_jail);
            expected.retain(|_, sum| *sum != (Cents::ZERO, Cents::ZERO));
            prop_assert_eq!(grouped, expected);
            adjacent_periods(&world, booking)?;
        }
    }

    /// §6: a closed period is never rewritten. What is accounted in it is what was known of its days when it was closed, and
    /// stays so, whatever is recorded later; what is recorded later is accounted in days that were open then.
    #[test]
    fn a_closed_period_is_never_rewritten(history in histories(40)) {
        let mut closed: Vec<(Date, BTreeMap<Date, Money>)> = Vec::new();
        let world = tell(&history, |around| {
            let world = around.after;
            if around.result.is_ok() && world.state().closes.len() > around.before.state().closes.len() {
                let end = world.state().open_from().expect("just closed");
                let until = world.state().begun_everywhere(end);
                let known: Vec<CostLine> = world.bookings().flat_map(|b| world.lines(b.id.as_str(), until)).filter(|l| l.local_day < end).collect();
                let sum = |lines: &[CostLine]| sums(lines, |_| ()).remove(&()).unwrap_or_default();
                let books = accounted(world, end).into_values().fold((Cents::ZERO, Cents::ZERO), plus);
                prop_assert_eq!(books, sum(&known), "what is known is in the books");
                closed.push((end, accounted(world, end)));
            }
            for (end, books) in &closed {
                prop_assert_eq!(&accounted(world, *end), books, "the books before {}", end);
            }
            Ok(())
        })?;
        let all = accounted(&world, Date::MAX).into_values().fold((Cents::ZERO, Cents::ZERO), plus);
        let lines: Vec<CostLine> = world.bookings().flat_map(|b| settling::posted_lines(world.state(), b).unwrap()).collect();
        prop_assert_eq!(all, sums(&lines, |_| ()).remove(&()).unwrap_or_default(), "books and lines add up to the same");
    }

    /// The domain's part: what was recorded once is not recorded twice.
    #[test]
    fn invariant_14_the_same_act_told_twice_is_recorded_once(history in histories(20)) {
        let named = |act: &Act| matches!(act, Act::Close { .. } | Act::Serve { .. } | Act::Lift { .. } | Act::End { .. } | Act::Move { .. });
        tell(&history, |around| {
            if !named(around.act) || around.result.is_err() || around.before.records().len() == around.after.records().len() {
                return Ok(());
            }
            let told = around.after.records().iter().skip(around.before.records().len()).flat_map(|r| &r.events);
            let facts = told.filter(|e| matches!(e, Event::BasisClosed(_) | Event::Served(_) | Event::Lifted(_) | Event::Ended(_) | Event::Moved(_)));
            prop_assert_eq!(facts.count(), 1);
            again(around)
        })?;
    }

    #[test]
    fn invariant_16_folding_every_record_gives_the_current_state(history in histories(24)) {
        let world = tell(&history, |_| Ok(()))?;
        for booking in world.bookings() {
            prop_assert_eq!(world.fold(&booking.id), Some(booking.clone()));
        }
        prop_assert_eq!(world.fold_county(), Some(world.state().clone()));
        let times: Vec<Instant> = world.records().iter().map(|r| r.recorded).collect();
        prop_assert!(times.windows(2).all(|pair| pair[0] < pair[1]), "recorded time only grows");
        let numbers: Vec<i64> = world.records().iter().map(|r| r.seq).collect();
        prop_assert!(numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]), "sequence numbers have no gap");
    }

    #[test]
    fn invariant_21_a_refusal_changes_nothing_and_says_what_is_wrong(history in histories(30)) {
        tell(&history, |around| {
            let Err(refusal) = around.result else { return Ok(()) };
            prop_assert_eq!(around.after.records(), around.before.records());
            prop_assert!(around.after.bookings().eq(around.before.bookings()));
            prop_assert!(!refusal.detail.is_empty());
            prop_assert!(!refusal.field.is_empty() || refusal.why == Why::AmountTooLarge, "{refusal:?} names no field");
            // §8.20: nobody's credential, no sealed text.
            prop_assert!(!refusal.to_string().contains("token of") && !refusal.to_string().contains("TextRef"));
            Ok(())
        })?;
    }

    /// Also §10.14: whatever becomes known of an earlier stay, and whenever.
    #[test]
    fn invariant_10_a_stay_takes_over_the_time_used_before(mut history in histories(18), hours in 0u8..30, late in 0u8..40) {
        // Let go with a charge open, booked again; then it comes out when that charge had closed.
        let step = |pass, late, act| Step { pass, late, act };
        history.steps.extend([
            step(1, 0, Act::Book { subject: 9, bases: 2 }),
            step(6, 0, Act::Receive { booking: 0, form: 1, served: true }),
            step(4, 0, Act::Again { booking: 0, hours, form: 8 }),
            step(0, late, Act::Close { booking: 1, basis: 0, dismissed: false }),
        ]);
        tell(&history, |around| {
            for booking in around.after.bookings() {
                let booked = booking.booked.effective;
                let before = |b: &&Booking| b.subject == booking.subject && b.booked.effective < booked;
                let earlier: Vec<&Booking> = around.after.bookings().filter(before).collect();
                let within_a_day = |b: &&Booking| b.ended() <= booked && booked <= b.ended().plus_us(24 * HOUR_US);
                let same_paper = |b: &&Booking| {
                    let key = |d: &Detainer| d.key();
                    booking.detainers.iter().filter_map(key).any(|paper| b.detainers.iter().filter_map(key).any(|k| k == paper))
                };
                let last = earlier.iter().copied().filter(within_a_day).max_by_key(|b| b.ended());
                for from in earlier.iter().copied().filter(same_paper).chain(last) {
                    for gap in &from.custody.gaps {
                        let ran = Span::new(gap.t0, gap.end);
                        let taken = counted(&booking.inherited, &Exclusion::None, zone());
                        let with: Vec<Span> = booking.inherited.iter().copied().chain([ran]).collect();
                        prop_assert_eq!(counted(&with, &Exclusion::None, zone()), taken, "{} does not count {:?} of {}", booking.id, ran, from.id);
                    }
                }
            }
            Ok(())
        })?;
    }

    /// Gaps are what bases leave of the stay, and segments tile them.
    #[test]
    fn the_timeline_has_no_hole_and_no_overlap(history in histories(24)) {
        tell(&history, |around| {
            for booking in around.after.bookings() {
                for gap in &booking.custody.gaps {
                    prop_assert!(gap.t0 < gap.end);
                    prop_assert_eq!(gap.segments.first().map(|s| s.span.start), Some(gap.t0));
                    prop_assert_eq!(gap.segments.last().map(|s| s.span.end), Some(gap.end));
                    prop_assert!(gap.segments.windows(2).all(|pair| pair[0].span.end == pair[1].span.start));
                    prop_assert!(gap.segments.iter().all(|s| !s.span.is_empty()));
                }
                for at in instants(around.after, booking) {
                    let known = booking.bases_known || booking.bases.iter().any(|b| b.opened.effective <= at);
                    let uncovered = booking.stay().contains(at) && !basis_open(booking, at) && known;
                    let in_gap = booking.custody.gaps.iter().any(|g| g.t0 <= at && at < g.end);
                    prop_assert_eq!(in_gap, uncovered, "at {}", at);
                }
                let ids: BTreeSet<&HoldId> = booking.custody.holds.iter().map(|h| &h.id).collect();
                prop_assert_eq!(ids.len(), booking.custody.holds.len(), "two holds share an id");
            }
            Ok(())
        })?;
    }
}

/// The same act, told again at once: recorded as nothing, or refused.
fn again(around: &Around<'_>) -> Result<(), TestCaseError> {
    let mut world = around.after.clone();
    let last = around.after.records().last().map(|r| r.events.clone()).unwrap_or_default();
    let stream = around.after.records().last().and_then(|r| r.stream.clone());
    let Some(booking) = stream else { return Ok(()) };
    for event in &last {
        let before = world.records().len();
        let told = match event {
            Event::BasisClosed(e) => world.close(booking.as_str(), e.basis.as_str(), e.close.reason, e.close.at.effective),
            Event::Served(e) => world.serve(booking.as_str(), e.detainer.as_str(), e.service.at.effective),
            Event::Ended(e) => world.end(booking.as_str(), e.kind, Some(e.at.effective)),
            Event::Moved(e) => world.transfer(booking.as_str(), e.facility.as_str(), e.at.effective),
            _ => continue,
        };
        prop_assert_eq!(told, Ok(()));
        prop_assert_eq!(world.records().len(), before, "it was recorded twice");
    }
    Ok(())
}

/// What the clock of one rule has used from each T0 to the end of its hold, with every earlier gap and what was
/// inherited, stays within the limit.
fn limit_holds(rule: &Revision, booking: &Booking) -> Result<(), TestCaseError> {
    let exclusion = rule.exclusion.resolve(false, &BTreeSet::new());
    let Some(zone) = booking.custody.zone else { return Ok(()) };
    for hold in real(booking) {
        let earlier = booking.custody.gaps.iter().filter(|g| g.t0 < hold.t0).map(|g| Span::new(g.t0, g.end));
        let mut ran: Vec<Span> = booking.inherited.iter().copied().chain(earlier).collect();
        ran.push(Span::new(hold.t0, hold.until));
        match rule.limit {
            Limit::Hours(hours) => {
                let used = counted(&ran, &exclusion, zone);
                prop_assert!(used <= i64::from(hours) * HOUR_US, "hold {} of {}: {} h", hold.id, booking.id, used / HOUR_US);
            }
            Limit::EndOfLocalDay => {
                prop_assert_eq!(ran.len(), 1, "an interruption leaves nothing");
                prop_assert!(hold.until <= zone.end_of(zone.date(hold.t0)));
            }
        }
        if rule.start == StartRule::Receipt {
            let first = booking.detainers.iter().map(|d| d.received.effective).min().unwrap_or(hold.t0);
            let later = booking.custody.gaps.iter().map(|g| g.t0).find(|t0| *t0 > first);
            let first_t0 = later.unwrap_or(hold.t0).min(hold.t0);
            if first <= hold.t0 {
                ran.push(Span::new(first, first_t0));
                let used = counted(&ran, &exclusion, zone);
                prop_assert!(used <= 48 * HOUR_US, "from receipt: {} h", used / HOUR_US);
            }
        }
    }
    Ok(())
}

/// Counted time of spans that may overlap.
fn counted(spans: &[Span], exclusion: &Exclusion, zone: detainer::domain::time::Zone) -> i64 {
    let mut spans = spans.to_vec();
    spans.sort();
    let (mut total, mut reached) = (0, Instant::MIN);
    for span in spans {
        let rest = Span::new(span.start.max(reached), span.end.max(reached));
        total += clock::counted(rest, exclusion, zone);
        reached = reached.max(span.end);
    }
    total
}

/// The revision that governs, worked out by walking through the switches in order.
fn governing(county: &County, received: Instant, at: Instant) -> Option<RevisionId> {
    let mut all: Vec<&Revision> = county.revisions.iter().collect();
    all.sort_by_key(|r| (r.effective.effective, r.effective.seq));
    let mut governs = None;
    for revision in all {
        let effective = revision.effective.effective;
        let takes_in = effective <= received || revision.open_detainers == OpenDetainers::Reevaluate;
        if effective <= at && takes_in {
            governs = Some(revision.id.clone());
        }
    }
    governs
}

fn guaranteed(
    county: &County,
    booking: &Booking,
    decision: &Decision,
    segment: &Segment,
    recorded: Instant,
) -> Result<(), TestCaseError> {
    if decision.inputs.overridden == Some(true) && decision.reason == Reason::Overridden {
        return by_two_persons(booking, decision, segment);
    }
    let id = decision.agreement.as_ref().ok_or_else(|| TestCaseError::fail("it rests on no promise"))?;
    let agreement = &county.agreements[id];
    let on = ground(booking, segment).ok_or_else(|| TestCaseError::fail("it rests on nothing"))?;
    for at in [segment.span.start, segment.span.end.plus_us(-1)] {
        prop_assert!(agreement.signed.is_some_and(|signed| signed <= at), "{id} is not signed at {at}");
        prop_assert!(agreement.starts_at() <= at && at < agreement.ends_at(), "{id} is not in force at {at}");
        prop_assert!(agreement.covers(&segment.facility, &on.form.office, &booking.id, &on.id));
    }
    let hold = segment.hold.as_ref().and_then(|id| real(booking).find(|h| h.id == *id));
    let begun = hold.is_some_and(|h| h.start <= recorded);
    if begun && agreement.budget.is_some() {
        let kept = booking.reservations.iter().any(|r| r.agreement == *id && r.amount.is_some());
        prop_assert!(kept, "nothing of {id} is reserved for {}", booking.id);
    }
    Ok(())
}

/// Two persons honored under the revision that the decision names, before any of the custody that it covers.
fn by_two_persons(booking: &Booking, decision: &Decision, segment: &Segment) -> Result<(), TestCaseError> {
    let on = ground(booking, segment).ok_or_else(|| TestCaseError::fail("it rests on nothing"))?;
    let act = on.overrides.iter().filter(|o| o.at.effective <= decision.at.effective).max_by_key(|o| (o.at.effective, o.at.seq));
    let act = act.ok_or_else(|| TestCaseError::fail("nobody overrode it"))?;
    prop_assert_eq!((act.answer, Some(&act.revision)), (OverrideAnswer::Honor, decision.revision.as_ref()));
    let proposal = booking.proposals.iter().find(|p| p.id == act.proposal);
    let proposal = proposal.ok_or_else(|| TestCaseError::fail("nobody proposed it"))?;
    prop_assert!(proposal.confirmed_by.as_ref().is_some_and(|second| *second != proposal.person), "by one person");
    prop_assert!(proposal.confirmed.is_some_and(|at| at < proposal.expires && at <= segment.span.start), "too late");
    Ok(())
}

fn within_reservations(world: &World, booking: &Booking, lines: &[CostLine]) -> Result<(), TestCaseError> {
    for agreement in world.state().agreements.values().filter(|a| a.budget.is_some()) {
        let of_it = booking.reservations.iter().filter(|r| r.agreement == agreement.id);
        let kept = Cents::try_sum(of_it.filter_map(|r| r.amount)).unwrap();
        let covered =
            Cents::try_sum(lines.iter().filter(|l| l.agreement.as_ref() == Some(&agreement.id)).map(|l| l.covered)).unwrap();
        prop_assert!(covered <= kept, "{} covers {covered} of {kept} reserved", agreement.id);
    }
    Ok(())
}

/// Up to any instant: the parts before and after add up to the whole.
fn adjacent_periods(world: &World, booking: &Booking) -> Result<(), TestCaseError> {
    let end = world.now().plus_us(60 * HOUR_US);
    let whole = world.lines(booking.id.as_str(), end);
    let mut reached = Cents::ZERO;
    for hours in (0..60).step_by(13) {
        let until = booking.booked.effective.plus_us(i64::from(hours) * 7 * HOUR_US).min(end);
        let part = Cents::try_sum(world.lines(booking.id.as_str(), until).iter().map(|l| l.incurred)).unwrap();
        prop_assert!(part >= reached, "cost up to an instant only grows");
        reached = part;
        let full: Vec<&CostLine> = whole.iter().filter(|l| l.span.end <= until).collect();
        let of_full = Cents::try_sum(full.iter().map(|l| l.incurred)).unwrap();
        prop_assert!(of_full <= part);
    }
    Ok(())
}

fn posted(event: &Event) -> Option<&Posting> {
    match event {
        Event::Posted(posting) => Some(posting),
        _ => None,
    }
}

/// Incurred and covered.
type Money = (Cents, Cents);

fn plus(a: Money, b: Money) -> Money {
    (a.0.try_add(b.0).unwrap(), a.1.try_add(b.1).unwrap())
}

/// What was ever posted, by the day it is accounted on, for the days before one; days that come to nothing left out.
fn accounted(world: &World, end: Date) -> BTreeMap<Date, Money> {
    let mut books: BTreeMap<Date, Money> = BTreeMap::new();
    for posting in world.records().iter().flat_map(|r| &r.events).filter_map(posted) {
        let day = posting.accounted.unwrap_or(posting.line.local_day);
        if day < end {
            let sum = books.entry(day).or_insert((Cents::ZERO, Cents::ZERO));
            *sum = plus(*sum, (posting.line.incurred, posting.line.covered));
        }
    }
    books.retain(|_, sum| *sum != (Cents::ZERO, Cents::ZERO));
    books
}

fn sums<K: Ord>(lines: &[CostLine], key: impl Fn(&CostLine) -> K) -> BTreeMap<K, (Cents, Cents)> {
    let mut sums: BTreeMap<K, (Cents, Cents)> = BTreeMap::new();
    for line in lines {
        let sum = sums.entry(key(line)).or_insert((Cents::ZERO, Cents::ZERO));
        *sum = (sum.0.try_add(line.incurred).unwrap(), sum.1.try_add(line.covered).unwrap());
    }
    sums
}

fn inputs() -> impl Strategy<Value = Inputs> {
    use detainer::domain::detainer::Edition;
    let editions = [Edition::I247A, Edition::I247X, Edition::I247N, Edition::I247Of2012];
    let tri = prop_oneof![Just(Tri::No), Just(Tri::Unknown), Just(Tri::Yes)];
    let agreement = || prop::option::of(Just(AgreementId::trusted("G")));
    (prop::sample::select(editions.to_vec()), any::<[bool; 4]>(), tri, agreement(), agreement()).prop_map(
        |(edition, [asks_hold, status_proof, review_declined, reservation_failed], facially_sufficient, all, any)| Inputs {
            edition,
            asks_hold,
            status_proof,
            facially_sufficient,
            guarantee_all: all,
            guarantee_any: any,
            review_declined,
            reservation_failed,
            exhausted: Vec::new(),
            day: None,
            served: false,
            documents: Vec::new(),
            doubtful: Vec::new(),
            facts: Vec::new(),
            layers: Vec::new(),
            overridden: None,
        },
    )
}

#[test]
fn invariant_11_release_is_not_refused_for_money_or_a_clock_that_lags() {
    let now = testing::instant("2024-03-05T14:00:00Z");
    let mut world = World::new(zone(), now);
    let dearest = testing::rate("r", "1000000.00", detainer::domain::rate::DayCount::CalendarDay, testing::day("1900-01-01"));
    let dearer = detainer::domain::rate::Rate { per_day: Cents::new(100_000_001), ..dearest.clone() };
    assert_eq!(world.price(dearer).map_err(|r| r.why), Err(Why::Invalid));
    world.price(dearest).unwrap();
    let before = testing::instant("1899-12-31T23:59:59Z");
    assert_eq!(world.book("A", "S1", Some(&[]), before).map_err(|r| r.field), Err("booked_time".to_owned()));
    world.book("A", "S1", Some(&[]), testing::instant("1990-01-01T00:00:00Z")).unwrap();
    world.book("B", "S2", Some(&[]), now.plus_us(4 * HOUR_US / 60)).unwrap();
    for booking in ["A", "B"] {
        assert_eq!(world.end(booking, EndKind::Released, None), Ok(()), "{booking}");
    }
}

/// The histories must reach what the properties speak of, or the properties say nothing.
#[test]
fn the_histories_are_rich() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
    for _ in 0..500 {
        let history = histories(30).new_tree(&mut runner).unwrap().current();
        let world = tell(&history, |around| {
            let mut saw = |what: &'static str, so: bool| *seen.entry(what).or_default() += u32::from(so);
            saw("steps", true);
            saw("accepted", around.before.records().len() < around.after.records().len());
            saw("corrections confirmed", around.corrected_by_two());
            saw("overridden", around.recorded().any(|e| matches!(e, detainer::domain::event::Event::Overridden(_))));
            Ok(())
        })
        .unwrap();
        let mut saw = |what: &'static str, so: bool| *seen.entry(what).or_default() += u32::from(so);
        for posting in world.records().iter().flat_map(|r| &r.events).filter_map(posted) {
            saw("posted at a close", posting.cause == PostingCause::PeriodClosed);
            saw("accounted later", posting.accounted.is_some());
        }
        for booking in world.bookings() {
            saw("bookings", true);
            saw("inherited", !booking.inherited.is_empty());
            saw("barred", booking.custody.barred.is_some());
            saw("voided", booking.custody.holds.iter().any(|h| h.voided));
            saw("reserved", booking.reservations.iter().any(|r| r.amount.is_some()));
            saw("refused a reservation", booking.reservations.iter().any(|r| r.amount.is_none()));
            for hold in real(booking) {
                saw("holds", true);
                saw("linked", hold.continues.is_some());
                saw("ended by deadline", hold.reason == HoldEnd::Deadline);
                let on = |d: &&Decision| d.reason == Reason::Overridden && d.outcome == Outcome::Honor;
                let detainer = booking.detainers.iter().find(|d| d.id == hold.detainer);
                saw("held by an override", detainer.and_then(|d| d.decision_at(hold.start)).is_some_and(|d| on(&d)));
                saw("no longer honored", hold.reason == HoldEnd::NoLongerHonored);
            }
            saw("late", held(booking).any(|(_, s)| s.authority == Authority::AuthorizedLate));
            saw("covered", held(booking).any(|(_, s)| s.rests_on.as_ref().is_some_and(|r| !r.agreements.is_empty())));
        }
    }
    println!("{seen:#?}");
    for (what, count) in seen {
        assert!(count >= 2, "only {count} times: {what}");
    }
}

#[test]
fn an_empty_history_breaks_nothing() {
    let history = History { terms: 0, mode: 0, same_terms: true, steps: Vec::new() };
    let world = tell(&history, |_| Ok(())).unwrap();
    assert_eq!(world.bookings().count(), 0);
    assert_eq!(zone().name(), "America/New_York");
}
