//! `replay --check` on both engines: a county with holds, budgets, postings and a switch agrees with its journal; and
//! each fault that is planted is found and named.

mod common;

use common::Fresh;
use detainer::domain::booking::{CorrectedFact, Ground};
use detainer::domain::command::{
    BookingCommand, CloseBasis, CountyCommand, CreateBooking, EndBooking, NewFacility, NewRate, NewRevision,
};
use detainer::domain::detainer::Edition;
use detainer::domain::facts::{CloseReason, EndKind};
use detainer::domain::ids::{BasisId, BookingId, CountyId, FacilityId, SubjectId};
use detainer::domain::policy::Mode;
use detainer::domain::rate::DayCount;
use detainer::domain::testing::{self, day, instant};
use detainer::domain::time::Instant;
use detainer::identity::{MasterKey, SeededEntropy};
use detainer::journal::tree::leaf_hash;
use detainer::ledger::{AsOf, Call, Clock, Command, Ledger};
use detainer::rows::tables::{BOOKINGS, BUDGETS, DECISIONS, HEADS, HOLDS, JOURNAL, POSTINGS, PROJECTIONS, REQUESTS, SETTINGS};
use detainer::rows::{Cell, Kind, Row, Table, Version};
use detainer::store::{Param, Store};
use detainer::verify;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// Moves when it is told to.
struct Told(AtomicI64);

impl Clock for Told {
    fn now(&self) -> Instant {
        Instant::from_micros(self.0.load(Ordering::Relaxed))
    }
}

fn booking(id: &str, command: BookingCommand) -> Command {
    Command::Booking(BookingId::trusted(id), command)
}

fn create(id: &str, booked: &str) -> Command {
    let booked = instant(booked);
    let create = CreateBooking {
        booking: BookingId::trusted(id),
        subject: SubjectId::trusted(&format!("s-{id}")),
        identity: None,
        booked,
        source: testing::source(),
        facility: FacilityId::trusted("jail"),
        bases: Some(vec![testing::basis("A", booked)]),
        facts: Vec::new(),
    };
    booking(id, BookingCommand::Create(create))
}

fn detainer(id: &str, received: &str) -> Command {
    let request = testing::request("d1", testing::form(Edition::I247Of2012), None, instant(received));
    booking(id, BookingCommand::RecordDetainer(request))
}

fn close(id: &str, at: &str) -> Command {
    let (basis, source, at) = (BasisId::trusted("A"), testing::source(), instant(at));
    booking(id, BookingCommand::CloseBasis(CloseBasis { basis, at, reason: CloseReason::BailPosted, text: None, source }))
}

fn end(id: &str, kind: EndKind, at: &str) -> Command {
    let end = EndBooking { kind, at: Some(instant(at)), agency: None, officer: None, source: testing::source() };
    booking(id, BookingCommand::End(end))
}

/// Proposes that the basis closed at another time: the second person is still to confirm.
fn later(id: &str, old: &str, new: &str) -> Command {
    let (old, new) = (Some(instant(old)), Some(instant(new)));
    booking(id, BookingCommand::Correct(testing::correction(CorrectedFact::BasisClosed, "A", old, new)))
}

fn switch(id: &str, mode: Mode, effective: &str) -> Command {
    let revision = NewRevision { id: None, effective: Some(instant(effective)), revision: testing::revision(id, mode) };
    Command::County(CountyCommand::Switch(Box::new(revision)))
}

/// Instant of the record, and what is recorded. Two stays under a guarantee with a ceiling: one held for a day and handed
/// over, one whose hold a switch ends.
fn story() -> Vec<(&'static str, Command)> {
    let zone = "America/New_York".parse().unwrap();
    let jail = NewFacility { id: FacilityId::trusted("jail"), name: "Jail".into(), zone: Some(zone), city: "".into() };
    let rate = testing::rate("r1", "126.00", DayCount::Hourly, day("2017-01-01"));
    let mut promise = testing::agreement("a1", zone, day("2017-01-01"));
    promise.budget = Some(testing::cents("1000.00"));
    vec![
        ("2024-03-01T12:00:00Z", Command::County(CountyCommand::Create(CountyId::trusted("c"), testing::profile(zone)))),
        ("2024-03-01T12:00:00Z", Command::County(CountyCommand::CreateFacility(jail))),
        ("2024-03-01T12:00:00Z", Command::County(CountyCommand::SetRate(NewRate { id: Some(rate.id.clone()), rate }))),
        ("2024-03-01T12:00:00Z", Command::County(CountyCommand::CreateAgreement(promise))),
        ("2024-03-01T12:00:00Z", switch("guarantee", Mode::RequireReimbursementGuarantee, "2018-01-01T00:00:00Z")),
        ("2024-03-14T16:00:00Z", create("b1", "2024-03-14T16:00:00Z")),
        ("2024-03-14T18:00:00Z", detainer("b1", "2024-03-14T18:00:00Z")),
        ("2024-03-15T21:00:00Z", close("b1", "2024-03-15T21:00:00Z")),
        ("2024-03-16T10:00:00Z", create("b2", "2024-03-16T10:00:00Z")),
        ("2024-03-16T11:00:00Z", detainer("b2", "2024-03-16T11:00:00Z")),
        ("2024-03-16T21:00:00Z", end("b1", EndKind::FederalCustody, "2024-03-16T21:00:00Z")),
        ("2024-03-19T20:00:00Z", close("b2", "2024-03-19T20:00:00Z")),
        ("2024-03-20T08:00:00Z", switch("none", Mode::DeclineAll, "2024-03-20T08:00:00Z")),
        ("2024-03-20T08:30:00Z", later("b1", "2024-03-15T21:00:00Z", "2024-03-15T22:00:00Z")),
        ("2024-03-20T09:00:00Z", end("b2", EndKind::Released, "2024-03-20T09:00:00Z")),
    ]
}

async fn told(store: &Store) {
    let keys = Arc::new(MasterKey::from_hex(&"5a".repeat(32)).unwrap());
    let clock = Arc::new(Told(AtomicI64::new(0)));
    let ledger = Ledger::start(store.clone(), keys, Arc::new(SeededEntropy::new(7)), clock.clone()).unwrap();
    for (n, (at, command)) in story().into_iter().enumerate() {
        clock.0.store(instant(at).micros(), Ordering::Relaxed);
        let request = format!("q{n:02}");
        let call = Call {
            county: CountyId::trusted("c"),
            actor: "jail-desk".into(),
            person: "ann".into(),
            method: "Test",
            request_id: request.as_str().into(),
            body: request.into_bytes(),
            validate_only: false,
            etag: None,
            preview: None,
            history: false,
            sealed: Vec::new(),
        };
        ledger.write(call, command).await.unwrap_or_else(|e| panic!("step {n}: {e}"));
    }
    let (_, held) = ledger.booking(&CountyId::trusted("c"), &BookingId::trusted("b2"), AsOf::Latest).await.unwrap();
    let held = held.unwrap();
    assert!(matches!(held.ground_at(instant("2024-03-20T07:00:00Z")), Ground::Detainer(..)), "b2 was held");
    ledger.stop().await;
}

async fn check(store: &Store) -> (verify::Checked, Vec<String>) {
    let mut found = Vec::new();
    let checked = verify::check(store, &mut |difference| found.push(difference.to_string())).await.unwrap();
    assert_eq!(checked.differences, found.len() as u64);
    (checked, found)
}

async fn rows(store: &Store, table: &'static Table) -> Vec<Version> {
    store.rows(table, "", &[]).await.unwrap()
}

/// Changes exactly one stored row behind the ledger's back.
async fn plant(store: &Store, table: &'static Table, sql: String, params: &[Param]) {
    let mut tx = store.begin().await.unwrap();
    tx.execute(table, sql, params, Some(1)).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn what_the_ledger_wrote_is_what_the_journal_gives() {
    for fresh in common::engines().await {
        told(&fresh.store).await;
        for table in PROJECTIONS {
            assert!(!rows(&fresh.store, table).await.is_empty(), "{} has rows to compare", table.name);
        }
        let stored: usize = {
            let mut all = 0;
            for table in PROJECTIONS.iter().copied().chain([&REQUESTS]) {
                all += rows(&fresh.store, table).await.len();
            }
            all
        };
        let (checked, found) = check(&fresh.store).await;
        assert_eq!(found, [""; 0], "{:?}", fresh.engine());
        assert_eq!((checked.counties, checked.rows), (1, stored as u64), "every version of every row was compared");
        assert_eq!(checked.records, rows(&fresh.store, &JOURNAL).await.len() as u64);
    }
}

/// A fault: what is changed, and what has to be said of it.
type Fault = (&'static Table, &'static str, &'static str);

const FAULTS: &[Fault] = &[
    (
        &BOOKINGS,
        "update bookings set facility = 'annex' where booking = 'b2' and to_seq is null",
        "county c, table bookings, row c/b2: in the version from record # facility is \"annex\"; by the journal it is \"jail\"",
    ),
    (
        &HOLDS,
        "delete from holds where booking = 'b1' and to_seq is null",
        "county c, table holds, row c/b1/#: the version from record # is missing",
    ),
    (
        &BOOKINGS,
        "update bookings set to_seq = to_seq + 1 where booking = 'b1' and from_seq = 6",
        "county c, table bookings, row c/b1: the version from record 6 ends at record #; by the journal it ends at record #",
    ),
    (
        &BOOKINGS,
        "update bookings set to_seq = 15 where booking = 'b2' and to_seq is null",
        "county c, table bookings, row c/b2: the version from record # ends at record 15; by the journal it still stands",
    ),
    (
        &BUDGETS,
        "insert into budgets (county, agreement, reserved_cents, spent_cents, from_seq) values ('c', 'ghost', 0, 0, 4)",
        "county c, table budgets, row c/ghost: the version from record 4 does not follow from the journal",
    ),
    (
        &DECISIONS,
        "insert into decisions (county, booking, detainer, n, seq, effective_at, outcome, reason) values ('c', 'ghost', 'd', 1, 4, 0, 1, 1)",
        "county c, table decisions, row c/ghost/d/1: the row does not follow from the journal",
    ),
    (
        &DECISIONS,
        "update decisions set outcome = 9 where booking = 'b1' and n = 1",
        "county c, table decisions, row c/b1/d1/1: in the row outcome is 9; by the journal it is #",
    ),
    (
        &POSTINGS,
        "update postings set incurred_cents = incurred_cents + 1 where n = 1 and seq = (select min(seq) from postings)",
        "county c, table postings, row c/#/1: in the row incurred_cents is #; by the journal it is #",
    ),
    (
        &SETTINGS,
        "update settings set kind = 'facilities' where kind = 'facility' and to_seq is null",
        "county c, table settings, row c/facilities/jail: the version from record # does not follow from the journal",
    ),
    (&REQUESTS, "delete from requests where request_id = 'q06'", "county c, table requests, row c/q06: the row is missing"),
    (
        &REQUESTS,
        "update requests set first_seq = 2 where request_id = 'q06'",
        "county c, table requests, row c/q06: in the row first_seq is 2; by the journal it is #",
    ),
    (
        &JOURNAL,
        "update journal set stream = 'b/b2' where seq = 6",
        "county c, record 6: its stream is stored as \"b/b2\"; its bytes say \"b/b1\"",
    ),
    (&JOURNAL, "delete from journal where seq = 4", "county c, record 4: it is missing"),
    (&HEADS, "delete from heads where county = 'c'", "county c, head: it is missing, but there are records"),
    (
        &HEADS,
        "update heads set seq = seq - 1",
        "county c, head: the journal goes on to record #, but the head says that it ends at #",
    ),
    (&HEADS, "update heads set seq = seq + 1", "county c, head: the journal ends at record #, but the head says #"),
];

/// Whether a line is the one expected, where `#` stands for any word without a space in it.
fn is_like(line: &str, expected: &str) -> bool {
    let mut rest = line;
    let mut parts = expected.split('#');
    let Some(first) = parts.next().and_then(|first| rest.strip_prefix(first)) else { return false };
    rest = first;
    for part in parts {
        let word = rest.find([' ', ';', ':', ',']).unwrap_or(rest.len());
        let word = if part.starts_with('/') { rest[..word].find('/').unwrap_or(word) } else { word };
        match rest[word..].strip_prefix(part).filter(|_| word > 0) {
            Some(after) => rest = after,
            None => return false,
        }
    }
    rest.is_empty()
}

async fn engines_told() -> Vec<Fresh> {
    let all = common::engines().await;
    for fresh in &all {
        told(&fresh.store).await;
    }
    all
}

#[tokio::test]
async fn each_fault_is_found_and_named() {
    for fresh in engines_told().await {
        for (table, sql, expected) in FAULTS {
            let before = rows(&fresh.store, table).await;
            plant(&fresh.store, table, (*sql).to_owned(), &[]).await;
            let (_, found) = check(&fresh.store).await;
            assert!(found.iter().any(|line| is_like(line, expected)), "{:?}: {sql}\n{found:#?}", fresh.engine());
            mend(&fresh.store, table, before).await;
        }
        assert_eq!(check(&fresh.store).await.1, [""; 0], "every fault was mended");
    }
}

/// Puts a table back as it was.
async fn mend(store: &Store, table: &'static Table, before: Vec<Version>) {
    let mut tx = store.begin().await.unwrap();
    tx.execute(table, format!("delete from {}", table.name), &[], None).await.unwrap();
    if table.kind == Kind::Versioned {
        tx.insert_versions(&before).await.unwrap();
    } else {
        let before: Vec<Row> = before.into_iter().map(|version| version.row).collect();
        tx.insert(&before).await.unwrap();
    }
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_row_that_no_record_made_is_a_request_of_its_own() {
    for fresh in engines_told().await {
        let mut extra = rows(&fresh.store, &REQUESTS).await[3].row.clone();
        extra.key[1] = "forged".into();
        let mut tx = fresh.store.begin().await.unwrap();
        tx.insert(&[extra]).await.unwrap();
        tx.commit().await.unwrap();
        let (_, found) = check(&fresh.store).await;
        assert_eq!(found, ["county c, table requests, row c/forged: the row does not follow from the journal"]);
    }
}

fn payload(row: &Row) -> Vec<u8> {
    row.get("payload").and_then(Cell::as_bytes).unwrap().to_vec()
}

#[tokio::test]
async fn one_changed_byte_is_found_wherever_it_is() {
    let fresh = common::sqlite(common::options()).await;
    told(&fresh.store).await;
    for version in rows(&fresh.store, &JOURNAL).await {
        let seq = version.row.get("seq").and_then(Cell::as_int).unwrap();
        let whole = payload(&version.row);
        let set = |bytes: &[u8]| [Param::from(seq), Param::from(bytes)];
        let sql = || "update journal set payload = $2 where seq = $1".to_owned();
        for at in [0, whole.len() / 3, whole.len() - 1] {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            plant(&fresh.store, &JOURNAL, sql(), &set(&bytes)).await;
            let (_, found) = check(&fresh.store).await;
            let expected =
                format!("county c, record {seq}: its bytes have another hash than the leaf that is stored beside them");
            assert_eq!(found.first(), Some(&expected), "byte {at}: {found:#?}");
        }
        plant(&fresh.store, &JOURNAL, sql(), &set(&whole)).await;
    }
    assert_eq!(check(&fresh.store).await.0.differences, 0, "as it was");
}

#[tokio::test]
async fn a_wrong_root_and_a_forged_leaf_are_found_at_the_first_bad_record() {
    for fresh in engines_told().await {
        let expected = |seq: i64| format!("county c, record {seq}: its root is not that of the records up to it");
        let known = rows(&fresh.store, &JOURNAL).await;
        let at = |seq: i64| &known.iter().find(|v| v.row.key[1] == Cell::Int(seq)).unwrap().row;
        let root = at(7).get("root").and_then(Cell::as_bytes).unwrap();
        let sql = "update journal set root = $1 where seq = 7".to_owned();
        plant(&fresh.store, &JOURNAL, sql.clone(), &[vec![0_u8; 32].into()]).await;
        let (_, found) = check(&fresh.store).await;
        assert!(found.len() == 1 && found[0].starts_with(&expected(7)), "{found:#?}");
        plant(&fresh.store, &JOURNAL, sql, &[root.into()]).await;

        // Bytes and leaf changed together: the tree tells.
        let mut forged = payload(at(3));
        let last = forged.len() - 1;
        forged[last] ^= 1;
        let leaf = leaf_hash(&forged).to_vec();
        let sql = "update journal set payload = $1, leaf = $2 where seq = 3".to_owned();
        plant(&fresh.store, &JOURNAL, sql, &[forged.into(), leaf.into()]).await;
        let (_, found) = check(&fresh.store).await;
        assert!(found[0].starts_with(&expected(3)), "{found:#?}");

        let sql = "update heads set frontier = $1".to_owned();
        plant(&fresh.store, &HEADS, sql, &[vec![0_u8; 8].into()]).await;
        let (_, found) = check(&fresh.store).await;
        assert!(found[0].starts_with(&expected(3)), "{found:#?}");
    }
}

#[tokio::test]
async fn the_program_says_so_with_its_exit_code() {
    for fresh in engines_told().await {
        let run = || async {
            let mut program = tokio::process::Command::new(env!("CARGO_BIN_EXE_detainerd"));
            program.args(["replay", "--check", "--database", &fresh.url]);
            let done = program.output().await.unwrap();
            (done.status.code(), String::from_utf8(done.stdout).unwrap())
        };
        let (code, said) = run().await;
        assert_eq!(code, Some(0), "{said}");
        assert!(said.starts_with("counties: 1, records: ") && said.ends_with(", differences: 0\n"), "{said}");
        plant(&fresh.store, &HOLDS, "update holds set used_us = 7 where booking = 'b2' and to_seq is null".into(), &[]).await;
        let (code, said) = run().await;
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("used_us is 7; by the journal it is "), "{said}");
        assert!(said.ends_with(", differences: 1\n"), "{said}");
    }
    let empty = tempfile::tempdir().unwrap();
    let mut program = tokio::process::Command::new(env!("CARGO_BIN_EXE_detainerd"));
    program.args(["replay", "--check", "--data-dir"]).arg(empty.path().join("none"));
    let done = program.output().await.unwrap();
    assert_eq!(done.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&done.stderr).contains("there is no database "));
    assert!(!empty.path().join("none").exists(), "nothing was made");
}
