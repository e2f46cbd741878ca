//! The journal over a real socket: listed, watched, dropped and taken up again; nothing missed, nothing twice.

mod common;

use common::desk::{Desk, fields, reason, with};
use detainer::domain::detainer::Edition;
use detainer::domain::ids::CountyId;
use detainer::domain::policy::Mode;
use detainer::domain::testing;
use detainer::journal::tree::leaf_hash;
use detainer::pb::journal_service_client::JournalServiceClient;
use detainer::pb::{self, Role};
use std::time::Duration;
use tonic::transport::Channel;
use tonic::{Code, Status, Streaming};

/// A county with two stays: eight records, of which `b1` has three and `b2` two.
async fn told(desk: &Desk) {
    desk.found("America/New_York", &[("jail", "America/New_York")]).await;
    desk.switch(testing::revision("always", Mode::HonorAlways), "2024-03-14T13:00:00Z").await;
    desk.book("b1", "jail", "2024-03-14T12:10:00Z").await;
    desk.receive("b1", "MIA", Edition::I247A, true, "2024-03-14T12:20:00Z").await;
    desk.book("b2", "jail", "2024-03-14T12:30:00Z").await;
    desk.receive("b2", "NYC", Edition::I247A, false, "2024-03-14T12:40:00Z").await;
    desk.bail("b1", "2024-03-14T13:00:00Z").await;
}

async fn open(fresh: &common::Fresh) -> (Desk, JournalServiceClient<Channel>) {
    let desk = Desk::apart(fresh, "2024-03-14T13:00:00Z").await.0;
    told(&desk).await;
    let journal = JournalServiceClient::new(desk.channel.clone());
    (desk, journal)
}

fn list(stream: &str, after: i64, newest_first: bool) -> pb::ListEventsRequest {
    let (parent, stream) = ("counties/c".into(), stream.into());
    pb::ListEventsRequest { parent, stream, after_sequence: after, newest_first, page_size: 2, ..Default::default() }
}

/// All pages of a list, with how many there were.
async fn pages(
    journal: &mut JournalServiceClient<Channel>,
    token: &str,
    mut ask: pb::ListEventsRequest,
) -> (Vec<pb::Event>, usize) {
    let (mut found, mut count) = (Vec::new(), 0);
    loop {
        let page = journal.list_events(with(token, ask.clone())).await.unwrap().into_inner();
        assert!(page.events.len() <= 2);
        found.extend(page.events);
        count += 1;
        if page.next_page_token.is_empty() {
            return (found, count);
        }
        ask.page_token = page.next_page_token;
    }
}

fn numbers(events: &[pb::Event]) -> Vec<i64> {
    events.iter().map(|event| event.sequence).collect()
}

#[tokio::test]
async fn records_are_listed_in_pages_of_one_snapshot() {
    for fresh in common::engines().await {
        let (desk, mut journal) = open(&fresh).await;
        let admin = desk.admin.clone();
        let all = pages(&mut journal, &admin, list("", 0, false)).await;
        assert_eq!((numbers(&all.0), all.1), (vec![1, 2, 3, 4, 5, 6, 7, 8], 4));
        for (ask, expected) in [
            (list("", 0, true), vec![8, 7, 6, 5, 4, 3, 2, 1]),
            (list("", 5, false), vec![6, 7, 8]),
            (list("", 5, true), vec![8, 7, 6]),
            (list("counties/c", 0, false), vec![1, 2, 3]),
            (list("counties/c/bookings/b1", 0, false), vec![4, 5, 8]),
            (list("counties/c/bookings/b1", 0, true), vec![8, 5, 4]),
            (list("counties/c/bookings/nobody", 0, false), vec![]),
        ] {
            assert_eq!(numbers(&pages(&mut journal, &admin, ask.clone()).await.0), expected, "{ask:?}");
        }

        let booked = &all.0[3];
        assert_eq!(booked.name, "counties/c/events/4");
        assert_eq!((booked.stream.as_str(), booked.actor.as_str()), ("counties/c/bookings/b1", "ann"));
        assert_eq!(booked.kinds.first().map(String::as_str), Some("BookingCreated"));
        assert_eq!((booked.last_sequence, booked.leaf_hash.as_slice()), (4, leaf_hash(&booked.record).as_slice()));

        // What is recorded between two pages belongs to neither.
        let first = journal.list_events(with(&admin, list("", 5, false))).await.unwrap().into_inner();
        assert_eq!(first.as_of_pair.unwrap().sequence, 8);
        desk.serve("b2", "2024-03-14T12:50:00Z").await;
        let next = pb::ListEventsRequest { page_token: first.next_page_token.clone(), ..list("", 5, false) };
        let rest = journal.list_events(with(&admin, next)).await.unwrap().into_inner();
        assert_eq!((numbers(&rest.events), rest.as_of_pair.unwrap().sequence), (vec![8], 8));
        let other = pb::ListEventsRequest { page_token: first.next_page_token, ..list("", 4, false) };
        assert_eq!(reason(&journal.list_events(with(&admin, other)).await.unwrap_err()), "PAGE_TOKEN_INVALID");

        let then = pb::AsOf { point: Some(pb::as_of::Point::Sequence(4)) };
        let then = pb::ListEventsRequest { as_of: Some(then), ..list("counties/c/bookings/b1", 0, false) };
        assert_eq!(numbers(&pages(&mut journal, &admin, then).await.0), [4]);
        desk.close().await;
    }
}

#[tokio::test]
async fn who_may_see_what() {
    for fresh in common::engines().await {
        let (mut desk, mut journal) = open(&fresh).await;
        desk.county = CountyId::trusted("d");
        desk.found("America/New_York", &[]).await;
        let clerk = desk.token(Role::Records, &["counties/c"]).await;
        let auditor = desk.token(Role::Auditor, &["counties/c"]).await;

        assert_eq!(numbers(&pages(&mut journal, &clerk, list("", 0, false)).await.0), [4, 5, 6, 7, 8], "bookings alone");
        assert_eq!(numbers(&pages(&mut journal, &clerk, list("", 0, true)).await.0), [8, 7, 6, 5, 4]);
        assert_eq!(numbers(&pages(&mut journal, &auditor, list("", 0, false)).await.0).len(), 8);
        let own = journal.list_events(with(&clerk, list("counties/c", 0, false))).await.unwrap_err();
        assert_eq!((own.code(), reason(&own).as_str()), (Code::PermissionDenied, "ROLE_REQUIRED"));
        let foreign = pb::ListEventsRequest { parent: "counties/d".into(), ..Default::default() };
        let foreign = journal.list_events(with(&auditor, foreign)).await.unwrap_err();
        assert_eq!(reason(&foreign), "COUNTY_NOT_ALLOWED");
        let watched = pb::WatchEventsRequest { parent: "counties/d".into(), ..Default::default() };
        assert_eq!(reason(&journal.watch_events(with(&auditor, watched)).await.unwrap_err()), "COUNTY_NOT_ALLOWED");
        let none = pb::WatchEventsRequest { parent: "counties/none".into(), ..Default::default() };
        assert_eq!(reason(&journal.watch_events(with(&desk.admin, none)).await.unwrap_err()), "RESOURCE_NOT_FOUND");

        let bad = pb::ListEventsRequest { after_sequence: -1, ..list("counties/d/bookings/b1", 0, false) };
        assert_eq!(fields(&journal.list_events(with(&desk.admin, bad)).await.unwrap_err()), ["after_sequence", "stream"]);
        desk.close().await;
    }
}

fn watch(cursor: &str, stream: &str) -> pb::WatchEventsRequest {
    pb::WatchEventsRequest { parent: "counties/c".into(), cursor: cursor.into(), stream: stream.into() }
}

/// The next message, which must not take long.
async fn next(stream: &mut Streaming<pb::WatchEventsResponse>) -> Result<pb::WatchEventsResponse, Status> {
    let soon = tokio::time::timeout(Duration::from_secs(20), stream.message()).await.expect("a message in time");
    soon.map(|message| message.expect("the stream goes on"))
}

/// The next so many records, with the cursor after the last.
async fn take(stream: &mut Streaming<pb::WatchEventsResponse>, count: usize) -> (Vec<i64>, String) {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    while found.len() < count {
        let message = next(stream).await.unwrap();
        cursor = message.cursor;
        found.extend(message.event.map(|event| event.sequence));
    }
    (found, cursor)
}

#[tokio::test]
async fn a_watcher_that_drops_and_comes_back_misses_nothing_and_sees_nothing_twice() {
    for fresh in common::engines().await {
        let (mut desk, mut journal) = open(&fresh).await;
        let admin = desk.admin.clone();
        let mut stream = journal.watch_events(with(&admin, watch("0", ""))).await.unwrap().into_inner();
        let (first, cursor) = take(&mut stream, 5).await;
        drop(stream);
        desk.serve("b2", "2024-03-14T12:50:00Z").await;
        let mut stream = journal.watch_events(with(&admin, watch(&cursor, ""))).await.unwrap().into_inner();
        let (second, _) = take(&mut stream, 4).await;
        assert_eq!([first, second].concat(), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
        // What comes while it is watched: told by another ledger on the same database.
        desk.bail("b2", "2024-03-14T13:00:00Z").await;
        let (third, cursor) = take(&mut stream, 1).await;
        assert_eq!(third, [10]);

        // From now on: the first message says where that is.
        let mut late = journal.watch_events(with(&admin, watch("", "counties/c/bookings/b1"))).await.unwrap().into_inner();
        let here = next(&mut late).await.unwrap();
        assert_eq!(here.event, None);
        desk.lift("b2", "2024-03-14T13:00:00Z").await;
        desk.lift("b1", "2024-03-14T13:00:00Z").await;
        assert_eq!(take(&mut late, 1).await.0, [12], "records of other bookings are not told");
        let mut again = journal.watch_events(with(&admin, watch(&here.cursor, ""))).await.unwrap().into_inner();
        assert_eq!(take(&mut again, 2).await.0, [11, 12]);

        desk.county = CountyId::trusted("d");
        desk.found("America/New_York", &[]).await;
        let foreign = pb::WatchEventsRequest { parent: "counties/d".into(), ..watch(&cursor, "") };
        for wrong in [foreign, watch("1", ""), watch(&cursor[1..], "")] {
            let refused = journal.watch_events(with(&admin, wrong)).await.unwrap_err();
            assert_eq!((refused.code(), reason(&refused).as_str()), (Code::OutOfRange, "CURSOR_INVALID"));
        }

        // The server stops: the stream says so, and the last cursor is good on the next server.
        let (_, cursor) = take(&mut stream, 2).await;
        let stopping = tokio::spawn(desk.close());
        let ended = next(&mut stream).await.unwrap_err();
        assert_eq!((ended.code(), reason(&ended).as_str()), (Code::Unavailable, "SHUTTING_DOWN"));
        drop((stream, late, again));
        stopping.await.unwrap();
        assert!(!cursor.is_empty());
    }
}

#[tokio::test]
async fn a_stream_with_nothing_to_tell_says_that_it_is_alive() {
    let fresh = common::sqlite(common::options()).await;
    let (desk, mut journal) = open(&fresh).await;
    let mut stream = journal.watch_events(with(&desk.admin, watch("0", "counties/c/bookings/b2"))).await.unwrap().into_inner();
    let (told, cursor) = take(&mut stream, 2).await;
    assert_eq!(told, [6, 7]);
    let alive = next(&mut stream).await.unwrap();
    assert_eq!(alive.event, None);
    assert_ne!(alive.cursor, cursor, "what was passed over need not be read again");
    desk.close().await;
}

/// Many writers, many watchers that come and go: each record once, in order, whoever looks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watchers_under_way_see_what_writers_record() {
    for fresh in common::engines().await {
        let (desk, journal) = open(&fresh).await;
        let admin = desk.admin.clone();
        let mut watchers = Vec::new();
        for patience in 1..=3_usize {
            let (mut journal, admin) = (journal.clone(), admin.clone());
            watchers.push(tokio::spawn(async move {
                let (mut seen, mut cursor) = (Vec::new(), "0".to_owned());
                while seen.len() < 48 {
                    let mut stream = journal.watch_events(with(&admin, watch(&cursor, ""))).await.unwrap().into_inner();
                    let some = take(&mut stream, patience.min(48 - seen.len())).await;
                    seen.extend(some.0);
                    cursor = some.1;
                }
                seen
            }));
        }
        for n in 0..40 {
            desk.book(&format!("n{n:02}"), "jail", "2024-03-14T12:59:00Z").await;
        }
        for watcher in watchers {
            assert_eq!(watcher.await.unwrap(), (1..=48).collect::<Vec<i64>>());
        }
        desk.close().await;
    }
}
