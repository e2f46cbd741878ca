//! A preview, then the activation: exactly what the preview said, in random counties told to the real ledger, on both
//! engines.

use super::common::{self, Fresh};
use super::county::{self, rule, runner, stories, zone};
use detainer::domain::booking::Booking;
use detainer::domain::command::{CountyCommand, NewRevision};
use detainer::domain::decision::Outcome;
use detainer::domain::detainer::{Detainer, Edition};
use detainer::domain::facts::CloseReason;
use detainer::domain::ids::{BookingId, CountyId, RevisionId};
use detainer::domain::impact::{EndedHold, Flip};
use detainer::domain::policy::Revision;
use detainer::domain::refusal::Why;
use detainer::domain::testing::{self, Told, World};
use detainer::domain::time::{HOUR_US, Instant};
use detainer::identity::{MasterKey, SeededEntropy};
use detainer::ledger::{AsOf, Call, Clock, Command, Ledger, LedgerError, Pair, Written};
use detainer::verify;
use proptest::strategy::{Strategy as _, ValueTree as _};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// A clock that says what it is told to say.
#[derive(Default)]
struct Hand(AtomicI64);

impl Clock for Hand {
    fn now(&self) -> Instant {
        Instant::from_micros(self.0.load(Ordering::Acquire))
    }
}

/// One county, and the rule that it is asked to switch to.
struct Case {
    county: CountyId,
    world: World,
    rule: Revision,
    effective: Instant,
}

fn cases() -> Vec<Case> {
    let mut runner = runner();
    let many = std::env::var("DETAINER_TEST_HISTORIES").ok().and_then(|n| n.parse().ok()).unwrap_or(30);
    let case = |n: usize| {
        let name = format!("county-{n:03}");
        let story = stories(24).new_tree(&mut runner).expect("a story").current();
        let (rule, hours) = (rule(), -3i64..60).new_tree(&mut runner).expect("a rule").current();
        let mut world = county::tell(&name, &story);
        // Two who are past their T0 when the switch is asked about.
        for id in ["Y", "Z"] {
            let now = world.now();
            world.book(id, id, Some(&["A"]), now).expect("booked");
            world.receive(id, "D", testing::form(Edition::I247D), Some(now), now).expect("received");
            world.close(id, "A", CloseReason::BailPosted, now).expect("closed");
        }
        // A clock that has not gone on since the last record; an instant ahead, now, or just past.
        let effective = world.now().plus_us(HOUR_US + hours * HOUR_US);
        Case { county: CountyId::trusted(&name), world, rule: county::named(&rule, "candidate"), effective }
    };
    (0..many).map(case).collect()
}

fn call(county: &CountyId, request: &str, person: &str) -> Call {
    Call {
        county: county.clone(),
        actor: format!("token of {person}").into(),
        person: person.into(),
        method: "Test",
        request_id: request.into(),
        body: request.as_bytes().to_vec(),
        validate_only: false,
        etag: None,
        preview: None,
        history: false,
        sealed: Vec::new(),
    }
}

/// The same commands, told to the ledger: answered as in memory.
async fn tell(ledger: &Ledger, clock: &Hand, case: &Case) {
    for (n, told) in case.world.told().iter().enumerate() {
        clock.0.store(told.clock.micros(), Ordering::Release);
        let Told { command, answer, person, .. } = told;
        let command = match command.clone() {
            testing::Command::County(command) => Command::County(command),
            testing::Command::Booking(id, command) => Command::Booking(id, command),
        };
        let written = ledger.write(call(&case.county, &format!("told {n}"), person), command).await;
        assert_eq!(written.as_ref().map(|w| w.pair.seq).ok(), answer.as_ref().ok().copied(), "command {n} of {}", case.county);
    }
    clock.0.store(case.world.now().plus_us(HOUR_US).micros(), Ordering::Release);
}

async fn bookings(ledger: &Ledger, county: &CountyId, ids: &[BookingId]) -> BTreeMap<BookingId, Booking> {
    let mut all = BTreeMap::new();
    for id in ids {
        let (_, found) = ledger.booking(county, id, AsOf::Latest).await.expect("a booking");
        all.insert(id.clone(), found.expect("it is there").as_ref().clone());
    }
    all
}

fn switch(case: &Case) -> Command {
    let (id, effective) = (Some(case.rule.id.clone()), Some(case.effective));
    Command::County(CountyCommand::Switch(Box::new(NewRevision { id, effective, revision: case.rule.clone() })))
}

async fn preview(ledger: &Ledger, case: &Case) -> Result<Written, LedgerError> {
    ledger.write(Call { validate_only: true, ..call(&case.county, "", "ann") }, switch(case)).await
}

async fn activate(ledger: &Ledger, case: &Case, request: &str, digest: [u8; 32]) -> Result<Written, LedgerError> {
    ledger.write(Call { preview: Some(digest), ..call(&case.county, request, "ann") }, switch(case)).await
}

/// Who turned, as the states before and after say by themselves: the first instant at which another answer is in force.
fn turned(before: &BTreeMap<BookingId, Booking>, after: &BTreeMap<BookingId, Booking>) -> BTreeSet<String> {
    let mut turned = BTreeSet::new();
    for (id, booking) in after {
        for (detainer, old) in booking.detainers.iter().zip(&before[id].detainers) {
            let outcome = |detainer: &Detainer, at| detainer.decision_at(at).map(|decision| decision.outcome);
            let instants: BTreeSet<Instant> = detainer.decisions.iter().map(|decision| decision.at.effective).collect();
            let first = instants.into_iter().find(|at| outcome(old, *at) != outcome(detainer, *at));
            turned.extend(first.map(|at| {
                let is = outcome(detainer, at).expect("an answer");
                said(id, detainer.id.as_str(), outcome(old, at), is)
            }));
        }
    }
    turned
}

fn said(booking: &BookingId, detainer: &str, was: Option<Outcome>, is: Outcome) -> String {
    format!("{booking}/{detainer}: {was:?} -> {is:?}")
}

/// Whose hold ends earlier than it would have.
fn shortened(before: &BTreeMap<BookingId, Booking>, after: &BTreeMap<BookingId, Booking>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (id, booking) in before {
        for hold in &booking.custody.holds {
            let now = after[id].custody.holds.iter().find(|other| other.id == hold.id).expect("a hold stays");
            assert!(now.deadline <= hold.deadline, "no deadline moves later");
            if now.until < hold.until {
                found.insert(format!("{id}/{}: {} -> {}", hold.id, hold.until, now.until));
            }
        }
    }
    found
}

fn told_flips(flips: &[Flip]) -> BTreeSet<String> {
    flips.iter().map(|flip| said(&flip.booking, flip.detainer.as_str(), flip.before, flip.after)).collect()
}

fn told_ends(ended: &[EndedHold]) -> BTreeSet<String> {
    ended.iter().map(|hold| format!("{}/{}: {} -> {}", hold.booking, hold.hold, hold.before, hold.after)).collect()
}

/// Another person comes in with a request of the county's own office, served, with nothing known of them.
async fn arrives(ledger: &Ledger, case: &Case) {
    let mut world = World::new(zone(), ledger.now());
    let now = ledger.now();
    world.book("late", "late", Some(&["A"]), now).unwrap();
    world.switch(testing::revision("any", detainer::domain::policy::Mode::HonorAlways), now).unwrap();
    world.receive("late", "D", testing::form(Edition::I247D), Some(now), now).unwrap();
    let told: Vec<&Told> = world.told().iter().filter(|told| matches!(told.command, testing::Command::Booking(..))).collect();
    for (n, told) in told.into_iter().enumerate() {
        let testing::Command::Booking(id, command) = told.command.clone() else { continue };
        let command = Command::Booking(id, command);
        ledger.write(call(&case.county, &format!("late {n}"), "ann"), command).await.expect("it is recorded");
    }
}

/// What happened over all counties, so that nothing is shown by nothing happening.
#[derive(Default)]
struct Tally {
    flips: usize,
    ended: usize,
    differed: usize,
    same: usize,
    refused: usize,
}

async fn head(ledger: &Ledger, county: &CountyId) -> Pair {
    ledger.county(county, AsOf::Latest).await.expect("a county").0
}

async fn one(ledger: &Ledger, clock: &Hand, case: &Case, meanwhile: bool, tally: &mut Tally) {
    tell(ledger, clock, case).await;
    let mut ids: Vec<BookingId> = case.world.bookings().map(|booking| booking.id.clone()).collect();
    let at = head(ledger, &case.county).await;
    let seen = match preview(ledger, case).await {
        Ok(seen) => seen,
        // Into the past, over what was decided: the activation is refused for the same reason.
        Err(LedgerError::Refused(why)) => {
            let refused = activate(ledger, case, "refused", [0; 32]).await.expect_err("refused too");
            assert!(matches!(&refused, LedgerError::Refused(other) if *other == why), "{refused} is not {why}");
            assert_eq!(why.why, Why::PastSwitchDisplacesDecisions, "{}: {why}", case.county);
            tally.refused += 1;
            return;
        }
        Err(other) => panic!("{}: {other}", case.county),
    };
    assert_eq!(head(ledger, &case.county).await, at, "a preview records nothing");
    let again = preview(ledger, case).await.expect("asked again");
    assert_eq!(again.followed, seen.followed, "asked again it says the same");
    let mut seen = seen;
    if meanwhile {
        arrives(ledger, case).await;
        ids.push(BookingId::trusted("late"));
        let Ok(now) = preview(ledger, case).await else {
            // What came in was decided where the switch would begin, in the past.
            assert!(case.effective <= ledger.now(), "{}", case.county);
            activate(ledger, case, "stale", seen.followed.digest()).await.expect_err("refused as its preview is");
            tally.refused += 1;
            return;
        };
        if now.followed.digest() == seen.followed.digest() {
            tally.same += 1;
        } else {
            let (before, point) = (bookings(ledger, &case.county, &ids).await, head(ledger, &case.county).await);
            let refused = activate(ledger, case, "stale", seen.followed.digest()).await.expect_err("it would do something else");
            assert!(matches!(&refused, LedgerError::Refused(why) if why.why == Why::PreviewDiffers), "{refused}");
            assert_eq!(head(ledger, &case.county).await, point, "nothing is recorded");
            assert_eq!(bookings(ledger, &case.county, &ids).await, before, "nothing is changed");
            let (_, county) = ledger.county(&case.county, AsOf::Latest).await.expect("a county");
            assert!(county.expect("it is there").revision(&RevisionId::trusted("candidate")).is_none());
            tally.differed += 1;
        }
        seen = now;
    }
    let before = bookings(ledger, &case.county, &ids).await;
    let done = activate(ledger, case, "go", seen.followed.digest()).await.expect("what was previewed");
    assert_eq!(done.followed.digest(), seen.followed.digest());
    // Times of record apart, all that was listed: flips with reason and instant, holds with both ends, new holds.
    let (said, did) = (&seen.followed, &done.followed);
    assert_eq!((&did.flips, &did.ended, &did.started, did.decided), (&said.flips, &said.ended, &said.started, said.decided));
    // And it is so: by the states before and after, which know nothing of previews.
    let after = bookings(ledger, &case.county, &ids).await;
    let name = &case.county;
    assert_eq!(turned(&before, &after), told_flips(&said.flips), "{name}");
    assert_eq!(shortened(&before, &after), told_ends(&said.ended), "{name}");
    tally.flips += said.flips.len();
    tally.ended += said.ended.len();
}

async fn on(fresh: &Fresh, cases: &[Case]) -> Vec<usize> {
    let clock = Arc::new(Hand::default());
    let keys = Arc::new(MasterKey::from_hex(&"5a".repeat(32)).expect("a key"));
    let ledger = Ledger::start(fresh.store.clone(), keys, Arc::new(SeededEntropy::new(7)), clock.clone()).expect("a ledger");
    let mut tally = Tally::default();
    for (n, case) in cases.iter().enumerate() {
        one(&ledger, &clock, case, n % 2 == 1, &mut tally).await;
    }
    let mut differences = Vec::new();
    verify::check(&fresh.store, &mut |difference| differences.push(difference.to_string())).await.expect("a check");
    assert_eq!(differences, Vec::<String>::new());
    vec![tally.flips, tally.ended, tally.differed, tally.same, tally.refused]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_activation_does_what_its_preview_said_or_nothing() {
    let cases = cases();
    let mut told = Vec::new();
    for fresh in common::engines().await {
        told.push(on(&fresh, &cases).await);
    }
    assert!(told.windows(2).all(|pair| pair[0] == pair[1]), "{told:?}");
    let [flips, ended, differed, ..] = told[0][..] else { panic!("a tally") };
    assert!(flips > cases.len() / 2 && ended > 3 && differed > 3, "flips, ended, differed, same, refused: {told:?}");
}
