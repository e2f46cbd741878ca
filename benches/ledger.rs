//! What the ledger takes: bookings and requests recorded, one switch over all of them, and the answer to "may this person
//! be held right now?". On SQLite, and on PostgreSQL where `DETAINER_TEST_POSTGRES` names a server; acknowledged records
//! survive a power cut on both.
//!
//! `cargo bench --bench ledger [-- PEOPLE]`; 5,000 people where no number is given.

#![allow(clippy::print_stdout, reason = "it prints its figures")]

#[path = "../tests/common/mod.rs"]
mod common;

use detainer::domain::command::{BookingCommand, CountyCommand, CreateBooking, NewFacility, NewRevision};
use detainer::domain::detainer::Edition;
use detainer::domain::ids::{BookingId, CountyId, FacilityId, SubjectId};
use detainer::domain::policy::Mode;
use detainer::domain::testing::{self, instant};
use detainer::domain::time::Instant;
use detainer::identity::{MasterKey, SeededEntropy};
use detainer::ledger::{AsOf, Call, Clock, Command, Ledger};
use detainer::store::{Durability, Options};
use futures_util::StreamExt as _;
use std::sync::Arc;
use std::time::Instant as Watch;

/// Commands on their way at the same time.
const IN_FLIGHT: usize = 64;

struct Still(Instant);

impl Clock for Still {
    fn now(&self) -> Instant {
        self.0
    }
}

fn call(request: String) -> Call {
    Call {
        county: CountyId::trusted("c"),
        actor: "jail-desk".into(),
        person: "ann".into(),
        method: "Bench",
        body: request.as_bytes().to_vec(),
        request_id: request.into(),
        validate_only: false,
        etag: None,
        history: true,
        sealed: Vec::new(),
    }
}

fn id(n: usize) -> BookingId {
    BookingId::trusted(&format!("{n:08}"))
}

fn arrival(n: usize) -> Command {
    let booked = instant("2024-03-14T16:00:00Z");
    let create = CreateBooking {
        booking: id(n),
        subject: SubjectId::trusted(&format!("person-{n}")),
        identity: None,
        booked,
        source: testing::source(),
        facility: FacilityId::trusted("jail"),
        bases: Some(vec![testing::basis("A", booked)]),
        facts: Vec::new(),
    };
    Command::Booking(id(n), BookingCommand::Create(create))
}

fn request(n: usize) -> Command {
    let received = instant("2024-03-14T18:00:00Z");
    let request = testing::request("d1", testing::form(Edition::I247Of2012), None, received);
    Command::Booking(id(n), BookingCommand::RecordDetainer(request))
}

fn switch(mode: Mode, at: &str) -> Command {
    let revision = NewRevision { id: None, effective: Some(instant(at)), revision: testing::revision(at, mode) };
    Command::County(CountyCommand::Switch(Box::new(revision)))
}

async fn each(ledger: &Ledger, people: usize, name: &str, command: fn(usize) -> Command) {
    let begun = Watch::now();
    let write = |n| async move { ledger.write(call(format!("{name}-{n}")), command(n)).await.expect("recorded") };
    futures_util::stream::iter((0..people).map(write)).buffer_unordered(IN_FLIGHT).for_each(|_| async {}).await;
    let rate = people as f64 / begun.elapsed().as_secs_f64();
    println!("  {name:<40} {rate:>10.0} a second, {IN_FLIGHT} in flight");
}

async fn run(people: usize) {
    let options = Options { durability: Durability::Full, ..Options::default() };
    for fresh in common::engines_with(options).await {
        println!("{:?}, {people} people", fresh.engine());
        let keys = Arc::new(MasterKey::from_hex(&"5a".repeat(32)).expect("a key"));
        let clock = Arc::new(Still(instant("2024-03-20T12:00:00Z")));
        let ledger = Ledger::start(fresh.store.clone(), keys, Arc::new(SeededEntropy::new(7)), clock).expect("a ledger");
        let zone = "America/New_York".parse().expect("a zone");
        let jail = NewFacility { id: FacilityId::trusted("jail"), name: "Jail".into(), zone: Some(zone), city: "".into() };
        let setup = [
            Command::County(CountyCommand::Create(CountyId::trusted("c"), testing::profile(zone))),
            Command::County(CountyCommand::CreateFacility(jail)),
            switch(Mode::HonorAlways, "2017-01-26T20:00:00Z"),
        ];
        for (n, command) in setup.into_iter().enumerate() {
            ledger.write(call(format!("setup-{n}")), command).await.expect("set up");
        }
        each(&ledger, people, "CreateBooking", arrival).await;
        each(&ledger, people, "RecordDetainer before T0", request).await;

        let begun = Watch::now();
        let commits = fresh.store.tally().commits;
        let written =
            ledger.write(call("switch".into()), switch(Mode::DeclineAll, "2024-03-20T12:00:00Z")).await.expect("switched");
        let took = begun.elapsed().as_secs_f64();
        let (turned, commits) = (written.followed.from_honor, fresh.store.tally().commits - commits);
        println!("  {:<40} {took:>10.3} s, {turned} turned, {commits} transaction", "a switch over all of them");

        let begun = Watch::now();
        for n in 0..people {
            let (_, booking) = ledger.booking(&CountyId::trusted("c"), &id(n), AsOf::Latest).await.expect("read");
            assert!(booking.is_some());
        }
        let each = begun.elapsed().as_secs_f64() / people as f64 * 1e6;
        println!("  {:<40} {each:>10.0} µs each", "a booking read at the head");
        ledger.stop().await;
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // Test runners ask every target for its tests: there are none here.
    if arguments.iter().any(|word| word == "--list") || !arguments.iter().any(|word| word == "--bench") {
        return;
    }
    let people = arguments.iter().find_map(|word| word.parse().ok()).unwrap_or(5_000);
    tokio::runtime::Runtime::new().expect("a runtime").block_on(run(people));
}
