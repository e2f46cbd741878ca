//! Random histories of one county: commands of every kind, on time and late, refused and accepted.
//!
//! Steps are small numbers, so that they shrink to a short story. A number that names a booking, a basis or a detainer
//! is read modulo how many there are.

use detainer::domain::agreement::{Agreement, MinimumCoverage, Term};
use detainer::domain::booking::CorrectedFact;
use detainer::domain::clock::{ExclusionRule, Limit, StartRule};
use detainer::domain::command::{AttachDocument, BookingCommand, CountyCommand, DeclineReview, FormReading};
use detainer::domain::decision::OverrideAnswer;
use detainer::domain::detainer::{Component, DocumentKind, Edition, Form};
use detainer::domain::event::Event;
use detainer::domain::facts::{CloseReason, Disposition, EndKind, Fact, PaperKind, StatusProof, Tri};
use detainer::domain::ids::{AgreementId, DetainerId, FacilityId};
use detainer::domain::policy::{Mode, OpenDetainers, Revision};
use detainer::domain::rate::{DayCount, Rate};
use detainer::domain::refusal::Refusal;
use detainer::domain::testing::{self, World};
use detainer::domain::time::{HOUR_US, Instant, Zone};
use proptest::prelude::*;

/// What is done next.
#[derive(Clone, Debug)]
pub enum Act {
    Book {
        subject: u8,
        bases: u8,
    },
    Open {
        booking: u8,
    },
    Close {
        booking: u8,
        basis: u8,
        dismissed: bool,
    },
    Receive {
        booking: u8,
        form: u8,
        served: bool,
    },
    Serve {
        booking: u8,
        detainer: u8,
    },
    Lift {
        booking: u8,
        detainer: u8,
    },
    Replace {
        booking: u8,
        detainer: u8,
        form: u8,
        served: bool,
    },
    Fact {
        booking: u8,
        fact: u8,
    },
    Attach {
        booking: u8,
        detainer: u8,
    },
    Read {
        booking: u8,
        detainer: u8,
    },
    Decline {
        booking: u8,
        detainer: u8,
    },
    /// Two persons, or one, in place of the rule.
    Override {
        booking: u8,
        detainer: u8,
        answer: u8,
        hours: u8,
        confirmed: bool,
    },
    Move {
        booking: u8,
        west: bool,
    },
    End {
        booking: u8,
        kind: u8,
    },
    Correct {
        booking: u8,
        what: u8,
        which: u8,
        by: i8,
        confirmed: bool,
    },
    /// Released, booked again so many hours later, and the same office asks again.
    Again {
        booking: u8,
        hours: u8,
        form: u8,
    },
    Confirm {
        booking: u8,
    },
    Switch {
        mode: u8,
        terms: u8,
        leave: bool,
        ahead: i8,
    },
    Promise {
        term: u8,
        budget: u8,
        from: i8,
        days: u8,
        signed: bool,
    },
    Amend {
        agreement: u8,
        days: u8,
    },
    Terminate {
        agreement: u8,
    },
    Price {
        west: bool,
        count: u8,
        from: i8,
        days: u8,
    },
    Sweep,
    /// The days before one are closed.
    CloseBooks {
        back: u8,
    },
}

/// One step: how many hours pass, how many hours late it is told, what.
#[derive(Clone, Debug)]
pub struct Step {
    pub pass: u8,
    pub late: u8,
    pub act: Act,
}

/// A history, and whether all rules share one limit and exclusion.
#[derive(Clone, Debug)]
pub struct History {
    pub terms: u8,
    pub mode: u8,
    pub same_terms: bool,
    pub steps: Vec<Step>,
}

fn act() -> impl Strategy<Value = Act> {
    // The newest booking first: most of what happens, happens there.
    let b = prop_oneof![4 => Just(0u8), 1 => 1u8..3];
    let id = 0u8..3;
    let forms = prop_oneof![3 => 0u8..3, 1 => 3u8..12];
    let served = prop::bool::weighted(0.7);
    prop_oneof![
        2 => (0u8..2, 0u8..4).prop_map(|(subject, bases)| Act::Book { subject, bases }),
        6 => b.clone().prop_map(|booking| Act::Open { booking }),
        9 => (b.clone(), id.clone(), prop::bool::weighted(0.2))
            .prop_map(|(booking, basis, dismissed)| Act::Close { booking, basis, dismissed }),
        4 => (b.clone(), forms.clone(), served)
            .prop_map(|(booking, form, served)| Act::Receive { booking, form, served }),
        3 => (b.clone(), id.clone()).prop_map(|(booking, detainer)| Act::Serve { booking, detainer }),
        3 => (b.clone(), id.clone()).prop_map(|(booking, detainer)| Act::Lift { booking, detainer }),
        1 => (b.clone(), id.clone(), forms, served)
            .prop_map(|(booking, detainer, form, served)| Act::Replace { booking, detainer, form, served }),
        2 => (b.clone(), 0u8..8).prop_map(|(booking, fact)| Act::Fact { booking, fact }),
        1 => (b.clone(), id.clone()).prop_map(|(booking, detainer)| Act::Attach { booking, detainer }),
        1 => (b.clone(), id.clone()).prop_map(|(booking, detainer)| Act::Read { booking, detainer }),
        1 => (b.clone(), id.clone()).prop_map(|(booking, detainer)| Act::Decline { booking, detainer }),
        4 => (b.clone(), id.clone(), 0u8..3, prop_oneof![2 => Just(0u8), 1 => 1u8..9], prop::bool::weighted(0.8))
            .prop_map(|(booking, detainer, answer, hours, confirmed)| Act::Override { booking, detainer, answer, hours, confirmed }),
        1 => (b.clone(), any::<bool>()).prop_map(|(booking, west)| Act::Move { booking, west }),
        1 => (b.clone(), 0u8..5).prop_map(|(booking, kind)| Act::End { booking, kind }),
        6 => (b.clone(), 0u8..12, id.clone(), -9i8..14, any::<bool>())
            .prop_map(|(booking, what, which, by, confirmed)| Act::Correct { booking, what, which, by, confirmed }),
        1 => (b.clone(), 0u8..30, prop_oneof![Just(1u8), Just(8u8)])
            .prop_map(|(booking, hours, form)| Act::Again { booking, hours, form }),
        2 => b.prop_map(|booking| Act::Confirm { booking }),
        4 => (0u8..6, 0u8..7, prop::bool::weighted(0.3), -4i8..30)
            .prop_map(|(mode, terms, leave, ahead)| Act::Switch { mode, terms, leave, ahead }),
        3 => (0u8..4, 0u8..4, -3i8..2, 0u8..4, prop::bool::weighted(0.8))
            .prop_map(|(term, budget, from, days, signed)| Act::Promise { term, budget, from, days, signed }),
        2 => (id.clone(), 0u8..5).prop_map(|(agreement, days)| Act::Amend { agreement, days }),
        1 => id.prop_map(|agreement| Act::Terminate { agreement }),
        2 => (any::<bool>(), 0u8..4, -4i8..3, 0u8..4)
            .prop_map(|(west, count, from, days)| Act::Price { west, count, from, days }),
        1 => Just(Act::Sweep),
        2 => (0u8..4).prop_map(|back| Act::CloseBooks { back }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let late = prop_oneof![3 => Just(0u8), 1 => 1u8..16];
    let pass = prop_oneof![3 => 0u8..6, 1 => 6u8..40];
    (pass, late, act()).prop_map(|(pass, late, act)| Step { pass, late, act })
}

/// Histories that begin with a booking, a form, a promise and often a T0, so that something happens.
pub fn histories(most: usize) -> impl Strategy<Value = History> {
    let form = prop_oneof![5 => 0u8..3, 1 => 3u8..12];
    let opening =
        (form, prop::bool::weighted(0.8), 0u8..4, prop::bool::weighted(0.8)).prop_map(|(form, served, budget, closed)| {
            let step = |pass, act| Step { pass, late: 0, act };
            let mut steps = vec![
                step(1, Act::Promise { term: 0, budget, from: -1, days: 0, signed: true }),
                step(1, Act::Book { subject: 0, bases: 2 }),
                step(3, Act::Receive { booking: 0, form, served }),
            ];
            if closed {
                steps.push(step(5, Act::Close { booking: 0, basis: 0, dismissed: false }));
            }
            steps
        });
    let steps = (opening, prop::collection::vec(step(), most / 3..most)).prop_map(|(mut steps, more)| {
        steps.extend(more);
        steps
    });
    let terms = prop_oneof![2 => 0u8..2, 1 => 2u8..6, 2 => Just(6u8)];
    let mode = prop_oneof![2 => Just(0u8), 1 => 2u8..4];
    (terms, mode, any::<bool>(), steps).prop_map(|(terms, mode, same_terms, steps)| History { terms, mode, same_terms, steps })
}

/// The world around one step.
pub struct Around<'a> {
    pub before: &'a World,
    pub after: &'a World,
    pub act: &'a Act,
    pub result: &'a Result<(), Refusal>,
}

impl Around<'_> {
    /// Whether two persons' correction was applied in this step.
    pub fn corrected_by_two(&self) -> bool {
        let has = |wanted: fn(&Event) -> bool| self.recorded().any(wanted);
        has(|e| matches!(e, Event::Confirmed(_))) && has(|e| matches!(e, Event::Corrected(_)))
    }

    /// What was recorded in this step.
    pub fn recorded(&self) -> impl Iterator<Item = &Event> {
        self.after.records().iter().skip(self.before.records().len()).flat_map(|record| &record.events)
    }
}

/// Eastern time: the county's and its first jail's.
pub fn zone() -> Zone {
    "America/New_York".parse().unwrap()
}

/// Tells a history and lets `see` look at every step.
pub fn tell(history: &History, see: impl FnMut(&Around<'_>) -> Result<(), TestCaseError>) -> Result<World, TestCaseError> {
    tell_of("county", history, see)
}

/// Tells a history of a county of this name.
pub fn tell_of(
    county: &str,
    history: &History,
    mut see: impl FnMut(&Around<'_>) -> Result<(), TestCaseError>,
) -> Result<World, TestCaseError> {
    let start = testing::instant("2024-03-05T14:00:00Z");
    let mut world = World::named(county, zone(), start);
    world.facility("west", "America/Denver".parse().unwrap());
    world.price(testing::rate("r1", "126.00", DayCount::Hourly, testing::day("2024-01-01"))).unwrap();
    let mut west = testing::rate("r2", "90.00", DayCount::CalendarDay, testing::day("2024-01-01"));
    west.facility = FacilityId::trusted("west");
    west.per_hold = Some(testing::cents("20.00"));
    world.price(west).unwrap();
    world.switch(revision("R", history.mode, history.terms), start).unwrap();
    let mut clock = start;
    for (n, step) in history.steps.iter().enumerate() {
        clock = clock.plus_us(i64::from(step.pass) * HOUR_US).max(world.now());
        let before = world.clone();
        world.at(clock);
        let at = clock.plus_us(-i64::from(step.late) * HOUR_US);
        let result = act_on(&mut world, n, &step.act, at, history);
        see(&Around { before: &before, after: &world, act: &step.act, result: &result })?;
    }
    Ok(world)
}

/// A name that no booking, basis or detainer has.
const NOBODY: &str = "nobody";

fn pick<T>(all: &[T], n: u8, name: impl Fn(&T) -> String) -> String {
    if all.is_empty() { NOBODY.into() } else { name(&all[usize::from(n) % all.len()]) }
}

fn booking_named(world: &World, n: u8) -> String {
    let mut all: Vec<_> = world.bookings().collect();
    all.reverse();
    pick(&all, n, |b| b.id.to_string())
}

fn detainer_named(world: &World, booking: &str, n: u8) -> String {
    world.find(booking).map_or_else(|| NOBODY.into(), |b| pick(&b.detainers, n, |d| d.id.to_string()))
}

fn act_on(world: &mut World, n: usize, act: &Act, at: Instant, history: &History) -> Result<(), Refusal> {
    world.by("ann");
    match *act {
        Act::Book { subject, bases } => {
            let names: Vec<String> = (1..bases).map(|b| format!("A{b}")).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            world.book(&format!("B{n:02}"), &format!("S{subject}"), (bases > 0).then_some(&names[..]), at)
        }
        Act::Open { booking } => world.open(&booking_named(world, booking), &format!("N{n}"), at),
        Act::Close { booking, basis, dismissed } => {
            let booking = booking_named(world, booking);
            let open = world.find(&booking).map(|b| b.bases.iter().filter(|b| b.closed.is_none()).cloned().collect::<Vec<_>>());
            let basis = pick(&open.unwrap_or_default(), basis, |b| b.id.to_string());
            let reason = if dismissed { CloseReason::Dismissed } else { CloseReason::BailPosted };
            world.close(&booking, &basis, reason, at)
        }
        Act::Receive { booking, form: which, served } => {
            world.receive(&booking_named(world, booking), &format!("D{n:02}"), form(which), served.then_some(at), at)
        }
        Act::Serve { booking, detainer } => {
            let booking = booking_named(world, booking);
            world.serve(&booking, &detainer_named(world, &booking, detainer), at)
        }
        Act::Lift { booking, detainer } => {
            let booking = booking_named(world, booking);
            world.lift(&booking, &detainer_named(world, &booking, detainer), at)
        }
        Act::Replace { booking, detainer, form: which, served } => {
            let booking = booking_named(world, booking);
            let old = DetainerId::trusted(&detainer_named(world, &booking, detainer));
            let new = testing::request(&format!("D{n:02}"), form(which), served.then_some(at), at);
            world.tell(&booking, BookingCommand::Replace(old, new))
        }
        Act::Fact { booking, fact: which } => world.fact(&booking_named(world, booking), fact(which), at),
        Act::Attach { booking, detainer } => {
            let booking = booking_named(world, booking);
            let detainer = DetainerId::trusted(&detainer_named(world, &booking, detainer));
            let document = testing::document(DocumentKind::I200);
            let attach = AttachDocument { detainer, document, at: Some(at), source: testing::source() };
            world.tell(&booking, BookingCommand::Attach(attach))
        }
        Act::Read { booking, detainer } => {
            let booking = booking_named(world, booking);
            let reading = FormReading {
                detainer: DetainerId::trusted(&detainer_named(world, &booking, detainer)),
                final_order: true,
                pending_proceedings: false,
                biometric_match: false,
                statements: false,
                signed: Tri::Yes,
                at: Some(at),
                source: testing::source(),
            };
            world.tell(&booking, BookingCommand::ReadForm(reading))
        }
        Act::Decline { booking, detainer } => {
            let booking = booking_named(world, booking);
            let detainer = DetainerId::trusted(&detainer_named(world, &booking, detainer));
            world.tell(&booking, BookingCommand::DeclineReview(DeclineReview { detainer, reason: None }))
        }
        Act::Override { booking, detainer, answer, hours, confirmed } => {
            let name = booking_named(world, booking);
            let detainer = detainer_named(world, &name, detainer);
            let answer = [OverrideAnswer::Honor, OverrideAnswer::Decline, OverrideAnswer::Rule][usize::from(answer)];
            let since =
                (hours > 0 && answer == OverrideAnswer::Decline).then(|| world.now().plus_us(-i64::from(hours) * HOUR_US));
            world.tell(&name, testing::overriding(&detainer, answer, since))?;
            if confirmed {
                world.by("bea");
                return world.confirm_last(&name);
            }
            Ok(())
        }
        Act::Move { booking, west } => world.transfer(&booking_named(world, booking), if west { "west" } else { "jail" }, at),
        Act::End { booking, kind } => {
            let kinds = [EndKind::Released, EndKind::FederalCustody, EndKind::TransferredOut, EndKind::Escaped, EndKind::Died];
            world.end(&booking_named(world, booking), kinds[usize::from(kind)], Some(at))
        }
        Act::Correct { booking, what, which, by, confirmed } => {
            let name = booking_named(world, booking);
            let waiting = |world: &World| world.find(&name).map_or(0, |b| b.proposals.len());
            let before = waiting(world);
            correct(world, n, booking, what, which, by, at)?;
            if confirmed && waiting(world) > before {
                world.by("bea");
                return world.confirm_last(&name);
            }
            Ok(())
        }
        Act::Again { booking, hours, form: which } => {
            let name = booking_named(world, booking);
            let subject = world.find(&name).map_or_else(|| NOBODY.into(), |b| b.subject.to_string());
            let _ = world.end(&name, EndKind::Released, None);
            let now = world.now().plus_us(i64::from(hours) * HOUR_US);
            world.at(now);
            let id = format!("B{n:02}");
            world.book(&id, &subject, Some(&[]), now)?;
            world.receive(&id, "D", form(which), None, now)
        }
        Act::Confirm { booking } => {
            world.by("bea");
            world.confirm_last(&booking_named(world, booking))
        }
        Act::Switch { mode, terms, leave, ahead } => {
            let terms = if history.same_terms { history.terms } else { terms };
            let mut revision = revision(&format!("R{n:02}"), mode, terms);
            revision.open_detainers = if leave { OpenDetainers::Leave } else { OpenDetainers::Reevaluate };
            let effective = world.now().plus_us(i64::from(ahead) * HOUR_US);
            world.switch(revision, effective)
        }
        Act::Promise { term, budget, from, days, signed } => {
            let agreement = agreement(&format!("G{n:02}"), at, (term, budget, from, days), signed);
            world.promise(agreement)
        }
        Act::Amend { agreement, days } => {
            let Some(known) = agreement_named(world, agreement) else { return Ok(()) };
            let end = (days > 0).then(|| known.start + chrono::Days::new(u64::from(days)));
            world.county(CountyCommand::AmendAgreement(Agreement { end, ..known }))
        }
        Act::Terminate { agreement } => {
            let id = agreement_named(world, agreement).map_or_else(|| AgreementId::trusted(NOBODY), |a| a.id);
            world.county(CountyCommand::TerminateAgreement(id, at))
        }
        Act::Price { west, count, from, days } => world.price(rate(&format!("P{n:02}"), at, (west, count, from, days))),
        Act::Sweep => {
            world.sweep();
            Ok(())
        }
        Act::CloseBooks { back } => {
            let today = world.state().profile.zone.date(at);
            world.county(CountyCommand::ClosePeriod(today - chrono::Days::new(u64::from(back))))
        }
    }
}

fn agreement_named(world: &World, n: u8) -> Option<Agreement> {
    let all: Vec<&Agreement> = world.state().agreements.values().collect();
    (!all.is_empty()).then(|| all[usize::from(n) % all.len()].clone())
}

fn correct(world: &mut World, n: usize, booking: u8, what: u8, which: u8, by: i8, at: Instant) -> Result<(), Refusal> {
    let name = booking_named(world, booking);
    let Some(known) = world.find(&name) else { return Ok(()) };
    let basis = (!known.bases.is_empty()).then(|| &known.bases[usize::from(which) % known.bases.len()]);
    let detainer = (!known.detainers.is_empty()).then(|| &known.detainers[usize::from(which) % known.detainers.len()]);
    let moved = |old: Option<Instant>| old.map(|at| at.plus_us(i64::from(by) * HOUR_US));
    let basis_id = basis.map_or(NOBODY, |b| b.id.as_str());
    let detainer_id = detainer.map_or(NOBODY, |d| d.id.as_str());
    let closed = basis.and_then(|b| b.closed.as_ref()).map(|c| c.at.effective);
    let served = detainer.and_then(|d| d.service.as_ref()).map(|s| s.at.effective);
    let lifted = detainer.and_then(|d| d.lift.as_ref()).map(|l| l.at.effective);
    let ended = known.ending.as_ref().map(|e| e.at.effective);
    let opened = basis.map(|b| b.opened.effective);
    let received = detainer.map(|d| d.received.effective);
    // Every third says that it never happened.
    let never = by % 3 == 0;
    let new = |old| if never { None } else { moved(old) };
    let correction = match what {
        0 => testing::correction(CorrectedFact::BasisClosed, basis_id, closed, new(closed)),
        1 => testing::correction(CorrectedFact::BasisOpened, basis_id, opened, moved(opened)),
        2 => testing::correction(CorrectedFact::BasisVoided, basis_id, opened, None),
        3 => {
            let mut added = testing::correction(CorrectedFact::BasisAdded, &format!("X{n}"), None, Some(at));
            added.closed = (by > 0).then(|| at.plus_us(i64::from(by) * HOUR_US / 2));
            added
        }
        4 => testing::correction(CorrectedFact::Received, detainer_id, received, moved(received)),
        5 => testing::correction(CorrectedFact::Served, detainer_id, served, new(served)),
        6 => testing::correction(CorrectedFact::Lifted, detainer_id, lifted, new(lifted)),
        7 => testing::correction(CorrectedFact::Ending, "", ended, new(ended)),
        9 | 10 => {
            let known = &known.arrivals[usize::from(which) % known.arrivals.len()];
            let old = (what == 9).then_some(known.at.effective);
            let mut arrival =
                testing::correction(CorrectedFact::Arrival, "", old, if never && what == 9 { None } else { Some(at) });
            arrival.facility = Some(FacilityId::trusted(if by > 0 { "west" } else { "jail" }));
            arrival
        }
        8 => {
            let booked = Some(known.booked.effective);
            testing::correction(CorrectedFact::BookedTime, "", booked, moved(booked))
        }
        _ => {
            let fact = known.facts.last();
            let n = fact.map_or_else(|| NOBODY.to_owned(), |f| f.n.to_string());
            testing::correction(CorrectedFact::FactChanged, &n, fact.map(|f| f.at.effective), None)
        }
    };
    world.correct(&name, correction)
}

/// Forms of every edition, complete and not.
fn form(n: u8) -> Form {
    let editions = [Edition::I247A, Edition::I247Of2012, Edition::I247X, Edition::I247N, Edition::I247Of2011, Edition::I247A];
    let mut form = testing::form(editions[usize::from(n) % 6]);
    form.component = if n.is_multiple_of(2) { Component::IceEro } else { Component::Cbp };
    match n {
        4 => form.boxes.upon_conviction = true,
        5 => form.signed = Tri::Unknown,
        6 => form.documents.clear(),
        8 => {
            form.event_number = "E1".into();
            form.form_date = Some(testing::day("2024-03-01"));
        }
        10 => form.boxes.cancels = Some(testing::day("2024-03-01")),
        11 => {
            form.boxes.hold = false;
            form.boxes.lent = true;
        }
        _ => {}
    }
    form
}

fn fact(n: u8) -> Fact {
    match n {
        0 => Fact::StatusProof(StatusProof::Citizen),
        1 => Fact::CitizenshipClaim,
        2 | 3 => testing::conviction(),
        4 => Fact::Disposition(Disposition { acquitted: false, charge: 0 }),
        _ => testing::paper(PaperKind::WarrantServed),
    }
}

/// A rule: six modes by number, seven sets of terms by number.
pub fn revision(id: &str, mode: u8, terms: u8) -> Revision {
    let modes = [
        Mode::HonorAlways,
        Mode::HonorAlways,
        Mode::RequireReimbursementGuarantee,
        Mode::RequireReimbursementGuarantee,
        Mode::DeclineAll,
        Mode::NotifyOnly,
    ];
    let mut revision = testing::revision(id, modes[usize::from(mode)]);
    if mode == 3 {
        revision.minimum = MinimumCoverage::Any;
    }
    (revision.start, revision.limit, revision.exclusion) = match terms {
        0 => (StartRule::OtherwiseReleased, Limit::Hours(48), ExclusionRule::None),
        1 => (StartRule::OtherwiseReleased, Limit::Hours(48), ExclusionRule::Weekends),
        2 => (StartRule::OtherwiseReleased, Limit::Hours(24), ExclusionRule::WeekendsAndHolidays),
        3 => (StartRule::Receipt, Limit::Hours(48), ExclusionRule::None),
        4 => (StartRule::WarrantServed, Limit::Hours(36), ExclusionRule::None),
        5 => (StartRule::OtherwiseReleased, Limit::EndOfLocalDay, ExclusionRule::None),
        _ => (StartRule::OtherwiseReleased, Limit::Hours(48), ExclusionRule::AsFormPrints),
    };
    revision
}

fn agreement(id: &str, at: Instant, (term, budget, from, days): (u8, u8, i8, u8), signed: bool) -> Agreement {
    let zone = zone();
    let start = zone.date(at) + chrono::Duration::days(i64::from(from));
    let mut agreement = testing::agreement(id, zone, start);
    agreement.term = match term {
        0 | 1 => Term::AllCosts,
        2 => Term::PerDiem { per_day: testing::cents("70.00"), day_count: DayCount::CalendarDay },
        _ => Term::FlatPerHold { amount: testing::cents("50.00"), up_to_hours: 20 },
    };
    agreement.budget = [None, Some("10.00"), Some("252.00"), Some("400.00")][usize::from(budget)].map(testing::cents);
    agreement.end = (days > 0).then(|| start + chrono::Days::new(u64::from(days)));
    agreement.signed = signed.then(|| zone.start_of(start));
    agreement
}

/// A price that takes the place of the standing one from a day on, in one of four day counts.
fn rate(id: &str, at: Instant, (west, count, from, days): (bool, u8, i8, u8)) -> Rate {
    let counts = [DayCount::Hourly, DayCount::CalendarDay, DayCount::Midnight, DayCount::Per24h];
    let start = zone().date(at) + chrono::Duration::days(i64::from(from));
    let mut rate = testing::rate(id, "139.45", counts[usize::from(count) % 4], start);
    rate.end = (days > 0).then(|| start + chrono::Days::new(u64::from(days)));
    if west {
        rate.facility = FacilityId::trusted("west");
    }
    rate
}
