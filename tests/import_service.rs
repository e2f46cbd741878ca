//! Files of earlier records over a real socket: one result per row, in order; a bad row spoils no other; a second run
//! records nothing; what is taken in is bounded.

mod common;

use common::Fresh;
use common::desk::{Desk, fields, reason, with};
use detainer::domain::gap::Authority;
use detainer::domain::ids::BookingId;
use detainer::domain::policy::Mode;
use detainer::domain::rate::DayCount;
use detainer::domain::testing::{self, day};
use detainer::ledger::AsOf;
use detainer::pb::import_operation::Operation;
use detainer::pb::import_request::Part;
use detainer::pb::import_response::Part as Answer;
use detainer::pb::import_service_client::ImportServiceClient;
use detainer::pb::{self, ImportOutcome, Role};
use detainer::rows::ColType;
use detainer::verify;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tonic::{Code, Status, Streaming};

const NOW: &str = "2024-06-01T12:00:00Z";

/// A county that honors, with one jail that costs $126.00 a day, in June 2024.
async fn open(fresh: &Fresh) -> Desk {
    let desk = Desk::open(fresh, NOW).await;
    desk.found("America/New_York", &[("jail", "America/New_York")]).await;
    desk.switch(testing::revision("always", Mode::HonorAlways), "2017-01-26T20:00:00Z").await;
    desk.price(testing::rate("r1", "126.00", DayCount::Hourly, day("2017-01-01"))).await;
    desk
}

fn header(source: &str) -> pb::ImportHeader {
    pb::ImportHeader { county: "counties/c".into(), source_name: source.into(), history: true, ..Default::default() }
}

fn at(day: u32, hour: i64) -> Option<prost_types::Timestamp> {
    let midnight = testing::instant(&format!("2024-03-{day:02}T00:00:00Z")).micros() / 1_000_000;
    Some(prost_types::Timestamp { seconds: midnight + hour * 3_600, nanos: 0 })
}

fn source() -> Option<pb::Source> {
    Some(pb::Source { kind: pb::SourceKind::ImportedFile.into(), reference: "a test".into() })
}

fn create(booking: &str) -> Operation {
    use pb::create_booking_request::Bases;
    let charge = pb::NewBasis {
        basis_id: "A".into(),
        kind: pb::BasisKind::Charge.into(),
        open_time: at(14, 12),
        source: source(),
        ..Default::default()
    };
    Operation::CreateBooking(pb::CreateBookingRequest {
        parent: "counties/c".into(),
        booking_id: booking.into(),
        booked_time: at(14, 12),
        source: source(),
        facility: "counties/c/facilities/jail".into(),
        bases: Some(Bases::FirstBases(pb::FirstBases { bases: vec![charge] })),
        ..Default::default()
    })
}

fn detainer(booking: &str) -> Operation {
    let office = pb::IssuingOffice { code: "MIA".into(), component: pb::IssuingComponent::IceEro.into(), ..Default::default() };
    let form = pb::DetainerForm {
        edition: pb::FormEdition::I247201212.into(),
        hold_requested: true,
        notify_requested: true,
        signed: pb::TriState::Unknown.into(),
        office: Some(office),
        form_date: Some(pb::Date { year: 2024, month: 3, day: 14 }),
        ..Default::default()
    };
    Operation::RecordDetainer(pb::RecordDetainerRequest {
        parent: format!("counties/c/bookings/{booking}"),
        received_time: at(14, 14),
        source: source(),
        detainer_id: "1".into(),
        form: Some(form),
        ..Default::default()
    })
}

fn close(booking: &str, basis: &str, hour: i64) -> Operation {
    Operation::CloseBasis(pb::CloseBasisRequest {
        name: format!("counties/c/bookings/{booking}/bases/{basis}"),
        effective_time: at(15, hour),
        source: source(),
        reason: pb::BasisCloseReason::BailPosted.into(),
        ..Default::default()
    })
}

fn release(booking: &str) -> Operation {
    Operation::ReleaseBooking(pb::ReleaseBookingRequest {
        name: format!("counties/c/bookings/{booking}"),
        effective_time: at(16, 21),
        source: source(),
        kind: pb::BookingEndKind::FederalCustody.into(),
        receiving_agency: "ICE ERO".into(),
        ..Default::default()
    })
}

fn row(id: &str, operations: Vec<Operation>) -> pb::ImportRow {
    let operations = operations.into_iter().map(|one| pb::ImportOperation { operation: Some(one) }).collect();
    pb::ImportRow { row_id: id.into(), operations }
}

/// A whole stay in one row: held for a day after T0 on Friday the 15th at 21:00.
fn stay(n: usize) -> pb::ImportRow {
    let id = format!("b{n}");
    row(&n.to_string(), vec![create(&id), detainer(&id), close(&id, "A", 21), release(&id)])
}

fn message(part: Part) -> pb::ImportRequest {
    pb::ImportRequest { part: Some(part) }
}

fn whole(header: pb::ImportHeader, rows: Vec<pb::ImportRow>) -> Vec<pb::ImportRequest> {
    std::iter::once(Part::Header(header)).chain(rows.into_iter().map(Part::Row)).map(message).collect()
}

async fn begin(desk: &Desk, token: &str, messages: Vec<pb::ImportRequest>) -> Result<Streaming<pb::ImportResponse>, Status> {
    let mut service = ImportServiceClient::new(desk.channel.clone());
    service.import(with(token, tokio_stream::iter(messages))).await.map(tonic::Response::into_inner)
}

/// Reads a stream to its end: results, then the summary or what it ended with.
async fn read(
    mut answers: Streaming<pb::ImportResponse>,
) -> (Vec<pb::ImportRowResult>, Result<Option<pb::ImportSummary>, Status>) {
    let (mut results, mut summary) = (Vec::new(), None);
    loop {
        match answers.message().await {
            Ok(None) => return (results, Ok(summary)),
            Err(status) => return (results, Err(status)),
            Ok(Some(pb::ImportResponse { part: Some(Answer::RowResult(result)) })) => {
                assert_eq!(summary, None, "the summary comes last");
                results.push(result);
            }
            Ok(Some(pb::ImportResponse { part: Some(Answer::Summary(last)) })) => summary = Some(last),
            Ok(Some(empty)) => panic!("{empty:?}"),
        }
    }
}

async fn import(
    desk: &Desk,
    header: pb::ImportHeader,
    rows: Vec<pb::ImportRow>,
) -> (Vec<pb::ImportRowResult>, pb::ImportSummary) {
    let answers = begin(desk, &desk.admin, whole(header, rows)).await.unwrap();
    let (results, summary) = read(answers).await;
    (results, summary.unwrap().expect("a summary"))
}

async fn count(fresh: &Fresh, table: &str) -> i64 {
    let rows = fresh.store.query(format!("select count(*) from {table}"), &[], &[ColType::Int]).await.unwrap();
    rows[0][0].as_int().unwrap()
}

fn outcomes(results: &[pb::ImportRowResult]) -> Vec<ImportOutcome> {
    results.iter().map(pb::ImportRowResult::outcome).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_are_answered_in_order_and_a_second_run_records_nothing() {
    const ROWS: usize = 60;
    for fresh in common::engines().await {
        let desk = open(&fresh).await;
        let before = count(&fresh, "journal").await;
        let (first, summary) = import(&desk, header("file"), (0..ROWS).map(stay).collect()).await;
        let ids: Vec<String> = first.iter().map(|result| result.row_id.clone()).collect();
        assert_eq!(ids, (0..ROWS).map(|n| n.to_string()).collect::<Vec<_>>());
        assert_eq!(outcomes(&first), [ImportOutcome::Recorded; ROWS], "{:?}", first[0]);
        let recorded = count(&fresh, "journal").await;
        assert_eq!(recorded - before, 4 * ROWS as i64, "one record for each operation");
        let all = ROWS as i64;
        assert_eq!((summary.row_count, summary.recorded_count, summary.already_recorded_count), (all, all, 0));
        assert_eq!(summary.as_of_pair.unwrap().sequence, recorded);
        assert!(first.iter().all(|result| result.receipt.as_ref().is_some_and(|receipt| receipt.tree_root.len() == 32)));

        let (second, summary) = import(&desk, header("file"), (0..ROWS).map(stay).collect()).await;
        assert_eq!(outcomes(&second), [ImportOutcome::AlreadyRecorded; ROWS]);
        assert_eq!((summary.recorded_count, summary.already_recorded_count, summary.rejected_count), (0, all, 0));
        assert!(first.iter().zip(&second).all(|(a, b)| a.receipt == b.receipt), "the same receipts");
        assert_eq!(count(&fresh, "journal").await, recorded);

        // A file that grew, and a row of it that says something else now.
        let mut grown = vec![stay(0), stay(ROWS)];
        grown[0].operations[2] = row("", vec![close("b0", "A", 20)]).operations.remove(0);
        let (third, _) = import(&desk, header("file"), grown).await;
        assert_eq!(outcomes(&third), [ImportOutcome::Rejected, ImportOutcome::Recorded]);
        assert_eq!((third[0].reason(), third[0].rejected_operation), (pb::ErrorReason::RequestIdReused, 2));

        let mut found = Vec::new();
        verify::check(&fresh.store, &mut |difference| found.push(difference.to_string())).await.unwrap();
        assert_eq!(found, [""; 0], "the tables are those of the journal");
        desk.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_row_is_named_and_spoils_no_other() {
    use pb::ErrorReason as Reason;
    for fresh in common::engines().await {
        let desk = open(&fresh).await;
        let (foreign, mut own_id, mut undated) = (detainer("b1"), create("x3"), release("b1"));
        let foreign = match foreign {
            Operation::RecordDetainer(request) => {
                Operation::RecordDetainer(pb::RecordDetainerRequest { parent: "counties/other/bookings/b1".into(), ..request })
            }
            other => other,
        };
        if let Operation::CreateBooking(request) = &mut own_id {
            (request.request_id, request.validate_only) = ("mine".into(), true);
        }
        if let Operation::ReleaseBooking(request) = &mut undated {
            request.effective_time = None;
        }
        let mut taken = create("b1");
        if let Operation::CreateBooking(request) = &mut taken {
            request.booked_time = at(14, 11);
        }
        let unset = pb::ImportRow { row_id: "unset".into(), operations: vec![pb::ImportOperation { operation: None }] };
        // A row, the reason of its refusal, the operation refused, and the fields named.
        let bad: Vec<(pb::ImportRow, Reason, i32, &[&str])> = vec![
            (row("", vec![create("x0")]), Reason::FieldInvalid, 0, &["row_id"]),
            (row("empty", vec![]), Reason::FieldInvalid, 0, &["operations"]),
            (row("many", vec![release("b1"); 101]), Reason::FieldInvalid, 0, &["operations"]),
            (unset, Reason::FieldInvalid, 0, &["operation"]),
            (row("own-id", vec![own_id]), Reason::FieldInvalid, 0, &["request_id", "validate_only"]),
            (row("foreign", vec![create("x1"), foreign]), Reason::FieldInvalid, 1, &["parent"]),
            (row("undated", vec![undated]), Reason::FieldInvalid, 0, &["effective_time"]),
            (row("nobody", vec![release("nobody")]), Reason::ResourceNotFound, 0, &[]),
            (row("taken", vec![taken]), Reason::IdTaken, 0, &[]),
            (
                row("third", vec![create("x2"), detainer("x2"), close("x2", "Z", 21), release("x2")]),
                Reason::ResourceNotFound,
                2,
                &[],
            ),
        ];
        let mut rows = vec![stay(1)];
        for (n, (row, ..)) in bad.iter().enumerate() {
            rows.extend([row.clone(), stay(100 + n)]);
        }
        let (results, summary) = import(&desk, header("file"), rows).await;
        assert_eq!(results.len(), 1 + 2 * bad.len());
        for (n, (row, why, operation, named)) in bad.iter().enumerate() {
            let (result, next) = (&results[1 + 2 * n], &results[2 + 2 * n]);
            let found: Vec<&str> = result.field_violations.iter().map(|violation| violation.field.as_str()).collect();
            assert_eq!((result.reason(), result.rejected_operation), (*why, *operation), "{}: {result:?}", row.row_id);
            assert!(named.is_empty() || found == *named, "{}: {result:?}", row.row_id);
            assert!(result.code != 0 && !result.message.is_empty(), "{}: {result:?}", row.row_id);
            assert_eq!(next.outcome(), ImportOutcome::Recorded, "the row after {}: {next:?}", row.row_id);
        }
        let rejected = bad.len() as i64;
        assert_eq!((summary.rejected_count, summary.recorded_count), (rejected, rejected + 1));

        // What came before the refused operation stays.
        let third = &results[2 * bad.len() - 1];
        let kept = third.receipt.as_ref().expect("the receipt of what was recorded").sequence;
        let (_, booking) = desk.ledger.booking(&desk.county, &BookingId::trusted("x2"), AsOf::Latest).await.unwrap();
        let booking = booking.expect("x2 was recorded");
        assert_eq!((booking.detainers.len(), booking.seq, booking.ending.is_none()), (1, kept, true));
        desk.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_of_one_booking_are_carried_out_in_the_order_of_the_file() {
    for fresh in common::engines().await {
        let desk = open(&fresh).await;
        // Each row opens a basis and closes the one before it: in any other order a basis would be missing.
        let open_basis = |n: i64| {
            Operation::OpenBasis(pb::OpenBasisRequest {
                parent: "counties/c/bookings/b".into(),
                effective_time: at(14, 13),
                source: source(),
                basis_id: format!("B{n}"),
                kind: pb::BasisKind::Charge.into(),
                ..Default::default()
            })
        };
        let mut rows = vec![row("0", vec![create("b"), open_basis(0)])];
        for n in 1..80 {
            rows.push(row(&n.to_string(), vec![open_basis(n)]));
            rows.push(row(&format!("{n}-close"), vec![close("b", &format!("B{n}"), 20)]));
        }
        let (results, _) = import(&desk, header("file"), rows).await;
        let bad: Vec<_> = results.iter().filter(|result| result.outcome() != ImportOutcome::Recorded).collect();
        assert!(bad.is_empty(), "{bad:?}");
        let sequences: Vec<i64> = results.iter().map(|result| result.receipt.as_ref().unwrap().sequence).collect();
        assert!(sequences.is_sorted(), "{sequences:?}");
        desk.close().await;
    }
}

#[tokio::test]
async fn history_gives_authority_from_the_rows_own_time() {
    for (history, expected) in [(true, Authority::Authorized), (false, Authority::AuthorizedLate)] {
        for fresh in common::engines().await {
            let desk = open(&fresh).await;
            let (results, _) = import(&desk, pb::ImportHeader { history, ..header("file") }, vec![stay(1)]).await;
            assert_eq!(outcomes(&results), [ImportOutcome::Recorded], "{results:?}");
            let (_, booking) = desk.ledger.booking(&desk.county, &BookingId::trusted("b1"), AsOf::Latest).await.unwrap();
            let booking = booking.unwrap();
            let mut net: BTreeMap<Authority, i64> = BTreeMap::new();
            for posting in &booking.postings {
                *net.entry(posting.line.authority).or_default() += posting.line.incurred.get();
            }
            net.retain(|_, cents| *cents != 0);
            assert_eq!(net, BTreeMap::from([(expected, 12_600)]), "a day at $126.00; history: {history}");
            desk.close().await;
        }
    }
}

#[tokio::test]
async fn validating_decides_each_row_and_records_nothing() {
    for fresh in common::engines().await {
        let desk = open(&fresh).await;
        let before = count(&fresh, "journal").await;
        let mut bad = stay(2);
        if let Some(Operation::RecordDetainer(request)) = &mut bad.operations[1].operation {
            request.form = None;
        }
        let rows = vec![stay(1), bad, row("3", vec![release("b1")])];
        let (results, summary) = import(&desk, pb::ImportHeader { validate_only: true, ..header("file") }, rows).await;
        assert_eq!(
            outcomes(&results),
            [ImportOutcome::Recorded, ImportOutcome::Rejected, ImportOutcome::Rejected],
            "{results:?}"
        );
        assert_eq!(results[1].rejected_operation, 1);
        assert!(results.iter().all(|result| result.receipt.is_none()));
        assert_eq!((summary.row_count, summary.rejected_count), (3, 2));
        assert_eq!((count(&fresh, "journal").await, count(&fresh, "requests").await), (before, before));

        let (results, _) = import(&desk, header("file"), vec![stay(1)]).await;
        assert_eq!(outcomes(&results), [ImportOutcome::Recorded], "validating used up no request id");
        desk.close().await;
    }
}

/// A credential, what is sent, and the code, reason and fields of the refusal.
type Refused<'a> = (&'a str, Vec<pb::ImportRequest>, Code, &'a str, &'a [&'a str]);

#[tokio::test]
async fn who_may_not_import_and_what_is_no_import_is_refused() {
    let fresh = common::sqlite(common::options()).await;
    let desk = open(&fresh).await;
    let auditor = desk.token(Role::Auditor, &[]).await;
    let elsewhere = desk.token(Role::Records, &["counties/other"]).await;
    let records = desk.token(Role::Records, &["counties/c"]).await;
    let good = || whole(header("file"), vec![stay(1)]);
    let of = |header| whole(header, vec![stay(1)]);
    let cases: Vec<Refused<'_>> = vec![
        (&auditor, good(), Code::PermissionDenied, "ROLE_REQUIRED", &[]),
        (&elsewhere, good(), Code::PermissionDenied, "COUNTY_NOT_ALLOWED", &[]),
        (&records, vec![message(Part::Row(stay(1)))], Code::InvalidArgument, "FIELD_INVALID", &["header"]),
        (&records, vec![], Code::InvalidArgument, "FIELD_INVALID", &["header"]),
        (
            &records,
            of(pb::ImportHeader { county: "c".into(), source_name: "a b".into(), source_sha256: vec![1], ..header("") }),
            Code::InvalidArgument,
            "FIELD_INVALID",
            &["header.county", "header.source_name", "header.source_sha256"],
        ),
        (
            &desk.admin,
            of(pb::ImportHeader { county: "counties/none".into(), ..header("file") }),
            Code::NotFound,
            "RESOURCE_NOT_FOUND",
            &[],
        ),
    ];
    for (token, messages, code, why, named) in cases {
        let refused = begin(&desk, token, messages).await.err().unwrap_or_else(|| panic!("{why} {named:?}"));
        assert_eq!((refused.code(), reason(&refused).as_str()), (code, why), "{refused:?}");
        assert_eq!(fields(&refused), named);
    }

    // A second header, and a message that is too large, end the stream after what came before them was answered.
    let mut large = stay(3);
    large.operations = vec![large.operations[0].clone(); 3_000];
    for (part, code, why) in [
        (Part::Header(header("file")), Code::InvalidArgument, "FIELD_INVALID"),
        (Part::Row(large), Code::ResourceExhausted, "LIMIT_EXCEEDED"),
    ] {
        let mut messages = good();
        messages.push(message(part));
        let (results, end) = read(begin(&desk, &records, messages).await.unwrap()).await;
        let end = end.unwrap_err();
        assert_eq!((end.code(), reason(&end).as_str()), (code, why), "{end:?}");
        assert_eq!(results.len(), 1);
    }
    desk.close().await;
}

/// Waits until the journal has grown beyond a length and then has not grown for a while; its length.
async fn settled(fresh: &Fresh, beyond: i64) -> i64 {
    let mut last = beyond;
    loop {
        let now = count(fresh, "journal").await;
        if now == last && now > beyond {
            return now;
        }
        last = now;
        tokio::time::sleep(Duration::from_millis(600)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_who_reads_nothing_is_not_served_on_and_one_who_goes_stops_it() {
    const ROWS: usize = 4_000;
    let fresh = common::sqlite(common::options()).await;
    let desk = open(&fresh).await;
    let before = count(&fresh, "journal").await;
    let rows = || (0..ROWS).map(|n| row(&n.to_string(), vec![create(&format!("b{n}"))])).collect::<Vec<_>>();
    // A connection with little room for what is not read.
    let narrow = Channel::from_shared(format!("http://{}", desk.running.address)).unwrap().initial_stream_window_size(65_535);
    let mut service = ImportServiceClient::new(narrow.connect().await.unwrap());
    let messages = tokio_stream::iter(whole(header("file"), rows()));
    let answers = service.import(with(&desk.admin, messages)).await.unwrap().into_inner();
    let unread = settled(&fresh, before).await - before;
    assert!(unread < ROWS as i64, "{unread} of {ROWS} rows were recorded while nobody read");
    drop(answers);
    let gone = settled(&fresh, before).await - before;
    assert!(gone < ROWS as i64, "{gone} of {ROWS} rows were recorded after the caller went");

    let (results, summary) = import(&desk, header("file"), rows()).await;
    assert_eq!(results.len(), ROWS);
    let (recorded, already) = (summary.recorded_count, summary.already_recorded_count);
    assert_eq!((recorded, already), (ROWS as i64 - gone, gone), "it goes on where it stopped");
    desk.close().await;
}

#[tokio::test]
async fn a_server_that_stops_ends_the_stream() {
    let fresh = common::sqlite(common::options()).await;
    let desk = open(&fresh).await;
    let (rows, sent) = mpsc::channel(8);
    for message in whole(header("file"), vec![stay(1)]) {
        rows.send(message).await.unwrap();
    }
    let mut service = ImportServiceClient::new(desk.channel.clone());
    let mut answers = service.import(with(&desk.admin, ReceiverStream::new(sent))).await.unwrap().into_inner();
    let first = answers.message().await.unwrap().unwrap();
    assert!(matches!(first.part, Some(Answer::RowResult(result)) if result.outcome() == ImportOutcome::Recorded));
    let begun = std::time::Instant::now();
    let stopped = tokio::spawn(desk.close());
    let end = answers.message().await.unwrap_err();
    assert_eq!((end.code(), reason(&end).as_str()), (Code::Unavailable, "SHUTTING_DOWN"), "{end:?}");
    stopped.await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(8), "it did not wait for rows that never came");
    drop(rows);
}
