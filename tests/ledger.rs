//! The ledger on both engines: one booking's story as records, rows and answers, and what is never kept twice.

mod common;

use common::told::{self, call};

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
use detainer::journal::tree::{Hash, leaf_hash, root_of};
use detainer::ledger::{AsOf, Call, Command, Ledger, LedgerError, Written};
use detainer::rows::tables::{BOOKINGS, DECISIONS, DETAINERS, HOLDS, JOURNAL, POSTINGS, SEALED, SUBJECTS};
use detainer::rows::{Cell, Row, Table, state};
use detainer::store::Store;

fn ledger(store: &Store) -> Ledger {
    told::ledger(store, "2024-03-20T12:00:00Z")
}

fn county() -> CountyId {
    CountyId::trusted("c")
}

fn booking() -> BookingId {
    BookingId::trusted("b1")
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
    let jail = NewFacility { id: FacilityId::trusted("jail"), name: "Jail".into(), zone: Some(zone), city: "".into() };
    let revision = NewRevision {
        id: None,
        effective: Some(instant("2017-01-26T20:00:00Z")),
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

async fn recorded(ledger: &Ledger, upto: usize) -> Vec<Written> {
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
        let written = recorded(&ledger, 8).await;
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
        let written = recorded(&ledger, 8).await;
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
        let written = recorded(&ledger, 6).await;
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
async fn a_switch_counts_what_turns_at_its_own_instant() {
    let switch = |id: &str, mode, effective: &str| {
        let revision = NewRevision { id: None, effective: Some(instant(effective)), revision: testing::revision(id, mode) };
        Command::County(CountyCommand::Switch(Box::new(revision)))
    };
    for fresh in common::engines().await {
        let ledger = ledger(&fresh.store);
        // A detainer that is honored, its charge still open.
        recorded(&ledger, 6).await;
        let mut counts = Vec::new();
        for (request, command) in [
            ("ahead", switch("none", Mode::DeclineAll, "2024-06-01T04:00:00Z")),
            ("now", switch("again", Mode::HonorAlways, "2024-03-20T12:00:01Z")),
            ("later", switch("guaranteed", Mode::RequireReimbursementGuarantee, "2024-07-01T04:00:00Z")),
            ("back", switch("always again", Mode::HonorAlways, "2024-08-01T04:00:00Z")),
        ] {
            let written = ledger.write(call(request), command).await.unwrap();
            counts.push((written.followed.decided, written.followed.to_honor(), written.followed.from_honor()));
        }
        // Declined from June on; the rule of today changes no answer; declined already in July; honored from August on.
        assert_eq!(counts, [(1, 0, 1), (1, 0, 0), (1, 0, 0), (1, 1, 0)]);
    }
}

#[tokio::test]
async fn a_sealed_text_is_kept_once_however_often_it_comes() {
    for fresh in common::engines().await {
        let ledger = ledger(&fresh.store);
        recorded(&ledger, 6).await;
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

fn arrival(n: usize) -> (Call, Command) {
    (call(&format!("arrival-{n}")), told::arrival(n))
}

fn paper(n: usize) -> (Call, Command) {
    (call(&format!("paper-{n}")), told::paper(n))
}

/// All at once: tasks of a runtime with one thread begin in their order, so they queue in it, and gather in batches.
async fn at_once(ledger: &Ledger, all: Vec<(Call, Command)>) -> Vec<Result<Written, LedgerError>> {
    let task = |(call, command)| {
        let ledger = ledger.clone();
        tokio::spawn(async move { ledger.write(call, command).await })
    };
    let tasks: Vec<_> = all.into_iter().map(task).collect();
    let mut written = Vec::new();
    for task in tasks {
        written.push(task.await.unwrap());
    }
    written
}

#[tokio::test]
async fn what_gathers_is_committed_together_and_recorded_as_if_one_by_one() {
    let mut journals = Vec::new();
    for fresh in common::engines().await {
        let ledger = ledger(&fresh.store);
        recorded(&ledger, 6).await;
        let before = fresh.store.tally().commits;
        let mut all: Vec<(Call, Command)> = (0..100).flat_map(|n| [arrival(n), paper(n)]).collect();
        // A refusal, a retry and a stay of the same person in the midst change nothing for the others.
        all.insert(30, (call("early"), close("2024-03-14T15:00:00Z")));
        all.insert(31, arrival(3));
        all.insert(60, (call("7"), close("2024-03-15T21:00:00Z")));
        let written = at_once(&ledger, all.clone()).await;
        assert!(matches!(&written[30], Err(LedgerError::Refused(refusal)) if refusal.why == Why::TimeOutOfOrder));
        let (first, retry) = (written[6].as_ref().unwrap(), written[31].as_ref().unwrap());
        assert!(retry.replayed && retry.pair == first.pair && retry.booking == first.booking);
        let refused: Vec<_> = written.iter().enumerate().filter_map(|(n, w)| w.as_ref().err().map(|e| (n, e))).collect();
        assert_eq!(refused.len(), 1, "{refused:?}");
        let commits = fresh.store.tally().commits - before;
        assert!(commits < 10, "{commits} commits for {} commands", all.len());
        for (n, one) in written.iter().enumerate().filter(|(n, _)| *n != 31) {
            let Ok(one) = one else { continue };
            let (_, read) =
                ledger.booking(&county(), &one.booking.as_ref().unwrap().id, AsOf::Sequence(one.pair.seq)).await.unwrap();
            assert_eq!(read, one.booking, "{n}");
        }
        journals.push(payloads(&fresh.store).await);

        let alone = common::sqlite(common::options()).await;
        let slow = self::ledger(&alone.store);
        recorded(&slow, 6).await;
        for (call, command) in all {
            let _ = slow.write(call, command).await;
        }
        journals.push(payloads(&alone.store).await);
    }
    assert!(journals.windows(2).all(|pair| pair[0] == pair[1]), "journals are equal to the byte");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_commands_to_one_stay_find_it_after_a_restart() {
    for fresh in common::engines().await {
        recorded(&ledger(&fresh.store), 6).await;
        let restarted = ledger(&fresh.again().await);
        // The first goes alone; the others gather meanwhile, and none of them has the stay in memory.
        let mut all = vec![arrival(1)];
        for n in 0..6 {
            let open = BookingCommand::OpenBasis(testing::basis(&format!("N{n}"), instant("2024-03-14T20:00:00Z")));
            all.push((call(&format!("open {n}")), Command::Booking(booking(), open)));
        }
        for written in at_once(&restarted, all).await {
            written.unwrap();
        }
        let (_, stay) = restarted.booking(&county(), &booking(), AsOf::Latest).await.unwrap();
        assert_eq!(stay.unwrap().bases.len(), 7);
    }
}

#[tokio::test]
async fn servers_on_one_database_take_turns_and_see_each_other() {
    for fresh in common::engines().await {
        let (one, two) = (ledger(&fresh.store), ledger(&fresh.again().await));
        // Both make the county at once.
        let (_, create) = story().swap_remove(0);
        let (a, b) = tokio::join!(one.write(call("1"), create.clone()), two.write(call("1"), create));
        let (a, b) = (a.unwrap(), b.unwrap());
        assert_eq!(a.pair, b.pair, "one made it, the other was a retry");
        recorded(&one, 6).await;
        let mut waiting = Vec::new();
        for n in 0..40 {
            let server = if n % 2 == 0 { &one } else { &two };
            let (call, command) = arrival(n);
            waiting.push(server.write(call, command));
        }
        for written in futures_util::future::join_all(waiting).await {
            written.unwrap();
        }
        for n in 0..40 {
            let (server, other) = if n % 2 == 0 { (&two, &one) } else { (&one, &two) };
            let (call, command) = paper(n);
            let written = server.write(call, command).await.unwrap();
            let (pair, read) = other.booking(&county(), &BookingId::trusted(&format!("n{n}")), AsOf::Latest).await.unwrap();
            assert_eq!((pair, read), (written.pair, written.booking), "{n}");
        }
        let (_, known) = two.county(&county(), AsOf::Latest).await.unwrap();
        assert_eq!(known, one.county(&county(), AsOf::Latest).await.unwrap().1);
        let journal = payloads(&fresh.store).await;
        let leaves: Vec<Hash> = journal.iter().map(|bytes| leaf_hash(bytes)).collect();
        let (pair, _) = two.county(&county(), AsOf::Latest).await.unwrap();
        assert_eq!((pair.seq, pair.root), (i64::try_from(journal.len()).unwrap(), Some(root_of(&leaves))));
    }
}

#[tokio::test]
async fn a_switch_turns_every_open_request_in_one_transaction() {
    let people = 300;
    for fresh in common::engines().await {
        let ledger = ledger(&fresh.store);
        recorded(&ledger, 6).await;
        for written in at_once(&ledger, (0..people).flat_map(|n| [arrival(n), paper(n)]).collect()).await {
            written.unwrap();
        }
        let before = fresh.store.tally();
        let decline = NewRevision {
            id: None,
            effective: Some(instant("2024-03-20T12:00:01Z")),
            revision: testing::revision("none", Mode::DeclineAll),
        };
        let switch = Command::County(CountyCommand::Switch(Box::new(decline)));
        let written = ledger.write(call("switch"), switch).await.unwrap();
        assert_eq!(fresh.store.tally().commits - before.commits, 1);
        // They count from the switch's own instant on, a second ahead of the records.
        let turned = i64::try_from(people).unwrap() + 1;
        assert_eq!(written.followed.decided, turned);
        assert_eq!(written.pair.seq - written.first_seq, turned, "one record for the county, one for each booking");
        let (_, one) = ledger.booking(&county(), &BookingId::trusted("n7"), AsOf::Latest).await.unwrap();
        let last = one.unwrap().detainers[0].decisions.last().map(|d| d.outcome);
        assert_eq!(last, Some(Outcome::Decline));
    }
}

#[tokio::test]
async fn a_stopped_ledger_finishes_what_it_took_and_takes_no_more() {
    for fresh in common::engines().await {
        let ledger = ledger(&fresh.store);
        recorded(&ledger, 6).await;
        let taken: Vec<_> = (0..50).map(arrival).collect();
        let writing = tokio::spawn({
            let ledger = ledger.clone();
            async move { at_once(&ledger, taken).await }
        });
        tokio::task::yield_now().await;
        ledger.stop().await;
        let recorded = writing.await.unwrap().into_iter().filter(|w| w.is_ok()).count();
        let (call, command) = arrival(99);
        assert!(matches!(ledger.write(call, command).await, Err(LedgerError::ShuttingDown)));
        let rows = fresh.store.rows(&BOOKINGS, "", &[]).await.unwrap();
        assert_eq!(rows.len(), recorded + 1, "what was answered is there, and nothing else");
    }
}

#[tokio::test]
async fn a_subject_keeps_the_first_key_that_was_made_for_them() {
    let row = |key: &[u8]| {
        let body = vec![key.to_vec().into(), Cell::Null, vec![1_u8; 32].into(), Cell::Null, Cell::Null, Cell::Null, Cell::Null];
        Row::new(&SUBJECTS, vec!["c".into(), "person-1".into()], body)
    };
    let under = |request: &str, key: &[u8]| Call { sealed: vec![row(key)], ..call(request) };
    for fresh in common::engines().await {
        let ledger = ledger(&fresh.store);
        recorded(&ledger, 4).await;
        let (_, command) = arrival(1);
        ledger.write(under("one", b"first"), command).await.unwrap();
        let late = ledger.write(under("two", b"second"), paper(1).1).await;
        assert!(matches!(late, Err(LedgerError::OtherKey)), "{late:?}");
        ledger.write(under("two", b"first"), paper(1).1).await.unwrap();
        // The same within one batch.
        let rival = |n: usize, key: &[u8]| {
            let mut rival = row(key);
            rival.key = vec!["c".into(), "person-2".into()];
            (Call { sealed: vec![rival], ..call(&format!("rival-{n}")) }, arrival(n).1)
        };
        let both = at_once(&ledger, vec![rival(2, b"first"), rival(3, b"second")]).await;
        assert!(both[0].is_ok() && matches!(both[1], Err(LedgerError::OtherKey)), "{both:?}");
        let kept = fresh.store.rows(&SUBJECTS, "", &[]).await.unwrap();
        assert!(kept.iter().all(|v| v.row.get("wrapped_key").unwrap().as_bytes() == Some(b"first")));
    }
}
