//! What a write costs in rows, counted where they are written, on both engines (DESIGN.md §5).
//!
//! *Rows per command decide.* RecordDetainer before T0 adds four: the record in `journal`, the request in `requests`, the
//! request's row in `detainers` and its answer in `decisions`. No row of a table that people read is changed in place or
//! ended. The one row that is updated is the county's own in `heads`: every write moves it, for it is the lock, the fence
//! against another server and the end of the journal, and nothing is a write without it.

mod common;

use common::told;

use detainer::domain::command::{BookingCommand, CountyCommand, CreateBooking, NewFacility, NewRevision};
use detainer::domain::detainer::Edition;
use detainer::domain::ids::{BookingId, CountyId, FacilityId, SubjectId};
use detainer::domain::policy::Mode;
use detainer::domain::testing::{self, instant};
use detainer::ledger::{Call, Command};
use detainer::rows::tables::JOURNAL;
use detainer::rows::{Cell, Row};
use std::collections::BTreeMap;

fn call(request: &str) -> Call {
    Call { history: false, ..told::call(request) }
}

fn booking(command: BookingCommand) -> Command {
    Command::Booking(BookingId::trusted("b1"), command)
}

/// A county that honors always, a stay with an open charge, and a first detainer.
fn before() -> Vec<Command> {
    let zone = "America/New_York".parse().unwrap();
    let jail = NewFacility { id: FacilityId::trusted("jail"), name: "Jail".into(), zone: Some(zone), city: "".into() };
    let revision = testing::revision("always", Mode::HonorAlways);
    let revision = NewRevision { id: None, effective: Some(instant("2024-03-01T00:00:00Z")), revision };
    let booked = instant("2024-03-19T16:00:00Z");
    let create = CreateBooking {
        booking: BookingId::trusted("b1"),
        subject: SubjectId::trusted("s1"),
        identity: None,
        booked,
        source: testing::source(),
        facility: FacilityId::trusted("jail"),
        bases: Some(vec![testing::basis("A", booked)]),
        facts: Vec::new(),
    };
    vec![
        Command::County(CountyCommand::Create(CountyId::trusted("c"), testing::profile(zone))),
        Command::County(CountyCommand::CreateFacility(jail)),
        Command::County(CountyCommand::Switch(Box::new(revision))),
        booking(BookingCommand::Create(create)),
        detainer("d1", Edition::I247Of2012),
    ]
}

fn detainer(id: &str, edition: Edition) -> Command {
    let received = instant("2024-03-20T11:00:00Z");
    booking(BookingCommand::RecordDetainer(testing::request(id, testing::form(edition), Some(received), received)))
}

fn counts(rows: &[(&'static str, u64)]) -> BTreeMap<&'static str, u64> {
    rows.iter().copied().collect()
}

/// What was counted since.
fn since(now: &BTreeMap<&'static str, u64>, then: &BTreeMap<&'static str, u64>) -> BTreeMap<&'static str, u64> {
    let more = |(table, rows): (&&'static str, &u64)| (*table, rows - then.get(table).copied().unwrap_or(0));
    now.iter().map(more).filter(|(_, rows)| *rows > 0).collect()
}

/// A switch decides every open detainer again, in one transaction: all or nothing, however many there are. How long it
/// takes is the benchmark's to say.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_switch_over_a_thousand_open_detainers_is_one_transaction_and_one_run_of_records() {
    const OPEN: usize = 1_000;
    for fresh in common::engines().await {
        let ledger = told::ledger(&fresh.store, "2024-03-20T12:00:00Z");
        for (n, command) in before().into_iter().take(3).enumerate() {
            ledger.write(call(&n.to_string()), command).await.unwrap();
        }
        for (word, command) in [("arrival", told::arrival as fn(usize) -> Command), ("paper", told::paper)] {
            let writes = (0..OPEN).map(|n| ledger.write(told::call(&format!("{word} {n}")), command(n)));
            for written in futures_util::future::join_all(writes).await {
                written.unwrap();
            }
        }
        let revision = testing::revision("none", Mode::DeclineAll);
        let revision = NewRevision { id: None, effective: None, revision };
        let then = fresh.store.tally();
        let written = ledger.write(call("switch"), Command::County(CountyCommand::Switch(Box::new(revision)))).await.unwrap();
        let now = fresh.store.tally();
        assert_eq!(now.commits - then.commits, 1, "in one transaction, on {:?}", fresh.engine());
        let added = since(&now.inserted, &then.inserted);
        assert_eq!(added.get("decisions"), Some(&(OPEN as u64)), "each was decided again");

        // One run of records, each of which names the last of them.
        let tail = "where t.county = 'c' and t.seq >= $1 order by t.seq";
        let records = fresh.store.rows(&JOURNAL, tail, &[written.first_seq.into()]).await.unwrap();
        let of = |row: &Row, column: &str| row.get(column).and_then(Cell::as_int).unwrap();
        assert_eq!(records.len(), OPEN + 1, "the switch, and each decision that followed");
        assert!(records.iter().all(|record| of(&record.row, "last_seq") == written.pair.seq));
        assert_eq!(of(&records.last().unwrap().row, "seq"), written.pair.seq);
        ledger.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_detainer_recorded_before_t0_adds_four_rows_and_changes_none() {
    for fresh in common::engines().await {
        let ledger = told::ledger(&fresh.store, "2024-03-20T12:00:00Z");
        for (n, command) in before().into_iter().enumerate() {
            ledger.write(call(&n.to_string()), command).await.unwrap();
        }
        for (id, edition) in [("d2", Edition::I247Of2012), ("d3", Edition::I247A), ("d4", Edition::I247N)] {
            let then = fresh.store.tally();
            let written = ledger.write(call(id), detainer(id, edition)).await.unwrap();
            assert!(written.booking.is_some_and(|b| b.detainers.last().is_some_and(|d| d.decisions.len() == 1)));
            let now = fresh.store.tally();
            let added = counts(&[("journal", 1), ("requests", 1), ("detainers", 1), ("decisions", 1)]);
            assert_eq!(since(&now.inserted, &then.inserted), added, "{id} on {:?}", fresh.engine());
            assert_eq!(since(&now.updated, &then.updated), counts(&[("heads", 1)]), "{id} on {:?}", fresh.engine());
            assert_eq!(now.commits - then.commits, 1, "in one transaction");
        }
    }
}
