//! What the ledger takes: bookings and requests recorded, one switch over all of them, and the answer to "may this person
//! be held right now?". On SQLite, and on PostgreSQL where `DETAINER_TEST_POSTGRES` names a server; acknowledged records
//! survive a power cut on both.
//!
//! `cargo bench --bench ledger [-- PEOPLE]`; 5,000 people where no number is given.

#![allow(clippy::print_stdout, reason = "it prints its figures")]

#[path = "../tests/common/mod.rs"]
mod common;

use common::told::{arrival, call, ledger, paper};

use detainer::domain::command::{CountyCommand, NewFacility, NewRevision};
use detainer::domain::ids::{BookingId, CountyId, FacilityId};
use detainer::domain::policy::Mode;
use detainer::domain::testing::{self, instant};
use detainer::ledger::{AsOf, Command, Ledger};
use detainer::store::{Durability, Options};
use futures_util::StreamExt as _;
use std::time::Instant as Watch;

/// Commands on their way at the same time.
const IN_FLIGHT: usize = 64;

fn switch(mode: Mode, at: &str) -> Command {
    let revision = NewRevision { id: None, effective: Some(instant(at)), revision: testing::revision(at, mode) };
    Command::County(CountyCommand::Switch(Box::new(revision)))
}

async fn each(ledger: &Ledger, people: usize, name: &str, command: fn(usize) -> Command) {
    let begun = Watch::now();
    let write = |n| async move { ledger.write(call(&format!("{name}-{n}")), command(n)).await.expect("recorded") };
    futures_util::stream::iter((0..people).map(write)).buffer_unordered(IN_FLIGHT).for_each(|_| async {}).await;
    let rate = people as f64 / begun.elapsed().as_secs_f64();
    println!("  {name:<40} {rate:>10.0} a second, {IN_FLIGHT} in flight");
}

async fn run(people: usize) {
    let options = Options { durability: Durability::Full, ..Options::default() };
    for fresh in common::engines_with(options).await {
        println!("{:?}, {people} people", fresh.engine());
        let ledger = ledger(&fresh.store, "2024-03-20T12:00:00Z");
        let zone = "America/New_York".parse().expect("a zone");
        let jail = NewFacility { id: FacilityId::trusted("jail"), name: "Jail".into(), zone: Some(zone), city: "".into() };
        let setup = [
            Command::County(CountyCommand::Create(CountyId::trusted("c"), testing::profile(zone))),
            Command::County(CountyCommand::CreateFacility(jail)),
            switch(Mode::HonorAlways, "2017-01-26T20:00:00Z"),
        ];
        for (n, command) in setup.into_iter().enumerate() {
            ledger.write(call(&format!("setup-{n}")), command).await.expect("set up");
        }
        each(&ledger, people, "CreateBooking", arrival).await;
        each(&ledger, people, "RecordDetainer before T0", paper).await;

        let begun = Watch::now();
        let commits = fresh.store.tally().commits;
        let written = ledger.write(call("switch"), switch(Mode::DeclineAll, "2024-03-20T12:00:00Z")).await.expect("switched");
        let took = begun.elapsed().as_secs_f64();
        let (turned, commits) = (written.followed.from_honor(), fresh.store.tally().commits - commits);
        println!("  {:<40} {took:>10.3} s, {turned} turned, {commits} transaction", "a switch over all of them");

        let begun = Watch::now();
        for n in 0..people {
            let (_, booking) =
                ledger.booking(&CountyId::trusted("c"), &BookingId::trusted(&format!("n{n}")), AsOf::Latest).await.expect("read");
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
