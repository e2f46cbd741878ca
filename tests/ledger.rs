//! The ledger on both engines: one booking's story as records, rows and answers, and what is never kept twice.

mod common;

use detainer::domain::booking::Ground;
use detainer::domain::command::{BookingCommand, CloseBasis, CountyCommand, CreateBooking, EndBooking, NewFacility, NewRevision};
use detainer::domain::decision::Outcome;
use detainer::domain::detainer::Edition;
use detainer::domain::facts::{CloseReason, EndKind};
use detainer::domain::ids::{BasisId, BookingId, CountyId, FacilityId, SubjectId};
use detainer::domain::policy::Mode;
use detainer::domain::rate::DayCount;
use detainer::domain::refusal::Why;
use detainer::domain::testing::{self, day, instant};
use detainer::domain::time::Instant;
use detainer::identity::{MasterKey, SeededEntropy};
use detainer::journal::tree::{Hash, leaf_hash, root_of};
use detainer::ledger::{AsOf, Call, Clock, Command, Ledger, LedgerError, Written};
use detainer::rows::tables::{BOOKINGS, DECISIONS, DETAINERS, HOLDS, JOURNAL, POSTINGS, SEALED};
use detainer::rows::{Cell, Row, Table, state};
use detainer::store::Store;
use std::sync::Arc;

/// Always the same time: recorded times then grow by a microsecond.
struct Still(Instant);

impl Clock for Still {
    fn now(&self) -> Instant {
        self.0
    }
}

fn ledger(store: &Store) -> Ledger {
    let keys = Arc::new(MasterKey::from_hex(&"5a".repeat(32)).unwrap());
    let now = Still(instant("2024-03-20T12:00:00Z"));
    Ledger::start(store.clone(), keys, Arc::new(SeededEntropy::new(7)), Arc::new(now)).unwrap()
}

fn county() -> CountyId {
    CountyId::trusted("c")
}

fn booking() -> BookingId {
    BookingId::trusted("b1")
}

fn call(request: &str) -> Call {
    Call {
        county: county(),
        actor: "jail-desk".into(),
        person: "ann".into(),
        method: "Test",
        request_id: request.into(),
        body: request.as_bytes().to_vec(),
        validate_only: false,
        etag: None,
        history: true,
        sealed: Vec::new(),
    }
}

fn close(at: &str) -> Command {
    let close = CloseBasis {
        basis: BasisId::trusted("A"),
        at: instant(at),
        reason: CloseReason::BailPosted,
        text: None,
        source: testing::source(),
    };
    Command::Booking(booking(), BookingCommand::CloseBasis(close))
}

/// A county, honor always, $126.00 a day by the hour; a stay from Thursday noon, bail on Friday 17:00 New York, taken by
/// federal officers a day later.
fn story() -> Vec<(&'static str, Command)> {
    let zone = "America/New_York".parse().unwrap();
    let jail = NewFacility { id: FacilityId::trusted("jail"), name: "Jail".into(), zone, city: "".into() };
    let revision = NewRevision {
        id: None,
        effective: instant("2017-01-26T20:00:00Z"),
        revision: testing::revision("always", Mode::HonorAlways),
    };
    let rate = testing::rate("r1", "126.00", DayCount::Hourly, day("2017-01-01"));
    let rate = detainer::domain::command::NewRate { id: Some(rate.id.clone()), rate };
    let booked = instant("2024-03-14T16:00:00Z");
    let create = CreateBooking {
        booking: booking(),
        subject: SubjectId::trusted("s1"),
        identity: None,
        booked,
        source: testing::source(),
        facility: FacilityId::trusted("jail"),
        bases: Some(vec![testing::basis("A", booked)]),
        facts: Vec::new(),
    };
    let received = instant("2024-03-14T18:00:00Z");
    let request = testing::request("d1", testing::form(Edition::I247Of2012), None, received);
    let end = EndBooking {
        kind: EndKind::FederalCustody,
        at: Some(instant("2024-03-16T21:00:00Z")),
        agency: Some("ERO".into()),
        officer: None,
        source: testing::source(),
    };
    vec![
        ("1", Command::County(CountyCommand::Create(county(), testing::profile(zone)))),
        ("2", Command::County(CountyCommand::CreateFacility(jail))),
        ("3", Command::County(CountyCommand::Switch(Box::new(revision)))),
        ("4", Command::County(CountyCommand::SetRate(rate))),
        ("5", Command::Booking(booking(), BookingCommand::Create(create))),
        ("6", Command::Booking(booking(), BookingCommand::RecordDetainer(request))),
        ("7", close("2024-03-15T21:00:00Z")),
        ("8", Command::Booking(booking(), BookingCommand::End(end))),
    ]
}

async fn told(ledger: &Ledger, upto: usize) -> Vec<Written> {
    let mut all = Vec::new();
    for (request, command) in story().into_iter().take(upto) {
        all.push(ledger.write(call(request), command).await.unwrap_or_else(|e| panic!("request {request}: {e}")));
    }
    all
}

async fn payloads(store: &Store) -> Vec<Vec<u8>> {
    let rows = store.rows(&JOURNAL, "order by t.seq", &[]).await.unwrap();
    rows.iter().map(|v| v.row.get("payload").unwrap().as_bytes().unwrap().to_vec()).collect()
}

async fn current(store: &Store, table: &'static Table) -> Vec<Row> {
    let rows = store.rows(table, "where t.to_seq is null order by t.booking", &[]).await.unwrap();
    rows.into_iter().map(|v| v.row).collect()
}

#[tokio::test]
async fn a_stay_is_recorded_held_priced_and_read_back_alike_on_both_engines() {
    let mut journals = Vec::new();
    for fresh in common::engines().await {
        let ledger = ledger(&fresh.store);
        let written = told(&ledger, 8).await;
        let stay = written[7].booking.clone().unwrap();
        let detainer = &stay.detainers[0];
        assert_eq!(detainer.decisions.last().map(|d| d.outcome), Some(Outcome::Honor));
        let held = instant("2024-03-16T12:00:00Z");
        assert!(matches!(stay.ground_at(held), Ground::Detainer(..)), "{:?}", stay.ground_at(held));
        assert_eq!(stay.custody.holds[0].readings.contiguous, instant("2024-03-17T21:00:00Z"));
        let incurred: i64 = stay.postings.iter().map(|p| p.line.incurred.get()).sum();
        assert_eq!(incurred, 12_600, "twenty-four hours at $126.00 a day");

        // A ledger that knows nothing folds the same state, and the rows are that state's.
        let again = self::ledger(&fresh.again().await);
        let (pair, read) = again.booking(&county(), &booking(), AsOf::Latest).await.unwrap();
        assert_eq!((pair.seq, read.as_deref()), (written[7].pair.seq, Some(&*stay)));
        let (_, settings) = again.county(&county(), AsOf::Latest).await.unwrap();
        let settings = settings.unwrap();
        assert_eq!(settings, written[7].county);
        let expected = state::booking(&settings, &stay);
        for table in [&BOOKINGS, &DETAINERS, &HOLDS] {
            let of_table: Vec<Row> = expected.iter().filter(|row| row.table == table).cloned().collect();
            assert_eq!(current(&fresh.store, table).await, of_table, "{}", table.name);
        }
        for (table, count) in [(&DECISIONS, detainer.decisions.len()), (&POSTINGS, stay.postings.len())] {
            assert_eq!(fresh.store.rows(table, "", &[]).await.unwrap().len(), count, "{}", table.name);
        }

        // What was known before the basis closed, and the root of every receipt.
        let (_, earlier) = again.booking(&county(), &booking(), AsOf::Sequence(written[5].pair.seq)).await.unwrap();
        assert_eq!(earlier.as_ref(), written[5].booking.as_ref());
        let journal = payloads(&fresh.store).await;
        let leaves: Vec<Hash> = journal.iter().map(|bytes| leaf_hash(bytes)).collect();
        for one in &written {
            let upto = usize::try_from(one.pair.seq).unwrap();
            assert_eq!(one.pair.root, Some(root_of(&leaves[..upto])), "the receipt at {upto}");
        }
        journals.push(journal);
    }
    assert!(journals.windows(2).all(|pair| pair[0] == pair[1]), "journals are equal to the byte");
}

#[tokio::test]
async fn a_retry_gets_the_first_answer_and_nothing_is_recorded_twice() {
    for fresh in common::engines().await {
        let ledger = ledger(&fresh.store);
        let written = told(&ledger, 8).await;
        let before = payloads(&fresh.store).await;
        let (_, command) = story().swap_remove(6);
        let again = self::ledger(&fresh.again().await).write(call("7"), command.clone()).await.unwrap();
        assert!(again.replayed);
        assert_eq!((again.pair, &again.booking), (written[6].pair, &written[6].booking), "the state right after it, not now");

        let other = Call { body: b"another".to_vec(), ..call("7") };
        let refused = ledger.write(other, command.clone()).await.unwrap_err();
        assert!(matches!(refused, LedgerError::RequestIdReused), "{refused:?}");
        let tried = Call { validate_only: true, ..call("9") };
        ledger.write(tried, command).await.unwrap();
        assert_eq!(payloads(&fresh.store).await, before);
    }
}

#[tokio::test]
async fn a_refusal_and_a_stale_etag_change_nothing() {
    for fresh in common::engines().await {
        let ledger = ledger(&fresh.store);
        let written = told(&ledger, 6).await;
        let before = payloads(&fresh.store).await;
        let seen = written[4].pair.seq;
        let stale = Call { etag: Some(seen), ..call("7") };
        for (call, command, why) in [
            (stale, close("2024-03-15T21:00:00Z"), Why::StaleEtag),
            (call("8"), close("2024-03-14T15:00:00Z"), Why::TimeOutOfOrder),
            (call("9"), close("2024-03-20T12:06:00Z"), Why::TimeInFuture),
        ] {
            let refused = ledger.write(call, command).await.unwrap_err();
            assert!(matches!(&refused, LedgerError::Refused(refusal) if refusal.why == why), "{why:?}: {refused:?}");
        }
        assert_eq!(payloads(&fresh.store).await, before);
        let current = Call { etag: Some(written[5].pair.seq), ..call("7") };
        ledger.write(current, close("2024-03-15T21:00:00Z")).await.unwrap();
    }
}

#[tokio::test]
async fn a_sealed_text_is_kept_once_however_often_it_comes() {
    for fresh in common::engines().await {
        let ledger = ledger(&fresh.store);
        told(&ledger, 6).await;
        let text = |bytes: &[u8]| {
            let key = vec![Cell::from("c"), Cell::from(vec![7_u8; 32])];
            Row::new(&SEALED, key, vec!["text".into(), Cell::Null, bytes.to_vec().into()])
        };
        let closing = Call { sealed: vec![text(b"one"), text(b"two")], ..call("7") };
        ledger.write(closing, close("2024-03-15T21:00:00Z")).await.unwrap();
        let (_, end) = story().swap_remove(7);
        ledger.write(Call { sealed: vec![text(b"three")], ..call("8") }, end).await.unwrap();
        let kept = fresh.store.rows(&SEALED, "", &[]).await.unwrap();
        let kept: Vec<&[u8]> = kept.iter().filter_map(|v| v.row.get("sealed")?.as_bytes()).collect();
        assert_eq!(kept, [b"one"], "a retry seals anew; the text under its digest stays");
    }
}
