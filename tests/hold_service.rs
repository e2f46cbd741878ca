//! HoldService over a real socket, on both engines: the board at several instants, a hold read back, and a watch that
//! tells each thing once, dropped and taken up again by its cursor, while the server's own sweeper makes records of what a
//! set clock brings about.

mod common;

use common::desk::{Desk, fields, reason, with};
use detainer::domain::detainer::Edition;
use detainer::domain::facts::{EndKind, Fact};
use detainer::domain::policy::Mode;
use detainer::domain::testing;
use detainer::identity::SeededEntropy;
use detainer::journal::record::Record;
use detainer::ledger::Ledger;
use detainer::ledger::sweeper::Sweeper;
use detainer::pb::hold_service_client::HoldServiceClient;
use detainer::pb::{self, BoardState, HoldEventKind as Kind};
use detainer::rows::tables::JOURNAL;
use detainer::store::Engine;
use prost_types::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tonic::transport::Channel;
use tonic::{Code, Streaming};

type Client = HoldServiceClient<Channel>;

fn at(text: &str) -> Option<Timestamp> {
    let us = testing::instant(text).micros();
    Some(Timestamp { seconds: us.div_euclid(1_000_000), nanos: i32::try_from(us.rem_euclid(1_000_000) * 1_000).unwrap() })
}

/// A county in two zones that honors always, on Thursday at 15:00 UTC.
async fn opened(fresh: &common::Fresh) -> (Desk, Client) {
    let desk = Desk::open(fresh, "2024-03-14T15:00:00Z").await;
    desk.found("America/New_York", &[("main", "America/New_York"), ("west", "America/Chicago")]).await;
    desk.switch(testing::revision("always", Mode::HonorAlways), "2017-01-26T20:00:00Z").await;
    let calls = Client::new(desk.channel.clone());
    (desk, calls)
}

/// Booked on Thursday with a request served at once; the charge ends on Friday at the time given.
async fn held(desk: &Desk, id: &str, jail: &str, office: &str) {
    desk.book(id, jail, "2024-03-14T14:00:00Z").await;
    desk.receive(id, office, Edition::I247D, true, "2024-03-14T14:30:00Z").await;
}

fn board(time: &str) -> pb::ListHoldsRequest {
    pb::ListHoldsRequest { parent: "counties/c".into(), at_time: at(time), ..pb::ListHoldsRequest::default() }
}

/// Each entry in words: booking, state.
fn seen(board: &pb::ListHoldsResponse) -> Vec<(&str, BoardState)> {
    board.entries.iter().map(|entry| (entry.booking.trim_start_matches("counties/c/bookings/"), entry.state())).collect()
}

async fn list(calls: &mut Client, desk: &Desk, ask: pb::ListHoldsRequest) -> pb::ListHoldsResponse {
    calls.list_holds(with(&desk.admin, ask)).await.unwrap().into_inner()
}

#[tokio::test]
async fn the_board_at_several_instants() {
    for fresh in common::engines().await {
        let (desk, mut calls) = opened(&fresh).await;
        held(&desk, "A", "main", "MIA").await;
        held(&desk, "B", "west", "ATL").await;
        desk.book("C", "main", "2024-03-14T14:00:00Z").await;
        desk.book("D", "main", "2024-03-14T14:00:00Z").await;
        desk.at("2024-03-15T23:00:00Z");
        desk.bail("A", "2024-03-15T21:00:00Z").await;
        desk.bail("B", "2024-03-15T22:00:00Z").await;
        let before_c = desk.bail("C", "2024-03-15T22:30:00Z").await - 1;
        desk.booking(
            "B",
            detainer::domain::command::BookingCommand::UpdateFacts(vec![detainer::domain::command::NewFact {
                at: testing::instant("2024-03-15T22:00:00Z"),
                source: testing::source(),
                fact: Fact::CitizenshipClaim,
            }]),
        )
        .await;

        // Before T0 of anybody; then three of them, over first; near the first end; past it.
        use BoardState::{DueSoon, Ended, Over, Running};
        assert_eq!(seen(&list(&mut calls, &desk, board("2024-03-15T20:59:59Z")).await), []);
        let now = list(&mut calls, &desk, pb::ListHoldsRequest { at_time: None, ..board("2024-03-15T23:00:00Z") }).await;
        assert_eq!(seen(&now), [("C", Over), ("A", Running), ("B", Running)]);
        let (over, first, second) = (&now.entries[0], &now.entries[1], &now.entries[2]);
        assert_eq!((over.over_since, &over.hold, over.office_code.as_str()), (at("2024-03-15T22:30:00Z"), &None, ""));
        assert_eq!((first.office_code.as_str(), first.time_zone.as_str()), ("MIA", "America/New_York"));
        let hold = first.hold.as_ref().unwrap();
        assert_eq!((hold.name.as_str(), hold.authority_until), ("counties/c/bookings/A/holds/1", at("2024-03-17T21:00:00Z")));
        let clock = hold.clock.as_ref().unwrap();
        assert_eq!(
            (clock.contiguous_deadline, clock.business_deadline),
            (at("2024-03-17T21:00:00Z"), at("2024-03-19T21:00:00Z"))
        );
        assert_eq!((clock.start_time, clock.time_zone.as_str()), (at("2024-03-15T21:00:00Z"), "America/New_York"));
        let exact = list(&mut calls, &desk, board("2024-03-15T23:00:00Z")).await;
        assert_eq!(exact.entries[1].remaining, Some(prost_types::Duration { seconds: 46 * 3_600, nanos: 0 }));
        assert_eq!((second.citizenship_claimed, first.citizenship_claimed), (true, false));
        assert_eq!(second.time_zone, "America/Chicago");

        let near = list(&mut calls, &desk, board("2024-03-17T17:00:00Z")).await;
        assert_eq!(seen(&near), [("C", Over), ("A", DueSoon), ("B", Running)]);
        let wide = prost_types::Duration { seconds: 5 * 3_600, nanos: 0 };
        let near =
            list(&mut calls, &desk, pb::ListHoldsRequest { due_within: Some(wide), ..board("2024-03-17T17:00:00Z") }).await;
        assert_eq!(seen(&near), [("C", Over), ("A", DueSoon), ("B", DueSoon)]);
        let past = list(&mut calls, &desk, board("2024-03-17T21:00:00Z")).await;
        assert_eq!(seen(&past), [("C", Over), ("A", Over), ("B", DueSoon)], "at the deadline the person must be out");
        assert_eq!(past.entries[1].over_since, at("2024-03-17T21:00:00Z"));
        assert_eq!(past.entries[1].hold.as_ref().unwrap().end_reason(), pb::HoldEndReason::Deadline);

        // What was known before the charge of C ended.
        let earlier = pb::AsOf { point: Some(pb::as_of::Point::Sequence(before_c)) };
        let earlier =
            list(&mut calls, &desk, pb::ListHoldsRequest { as_of: Some(earlier), ..board("2024-03-15T22:45:00Z") }).await;
        assert_eq!(seen(&earlier), [("A", Running), ("B", Running)]);

        // Filters, orders, pages.
        let with_filter = |filter| pb::ListHoldsRequest { filter: Some(filter), ..board("2024-03-15T23:00:00Z") };
        let west = pb::BoardFilter { facility: "counties/c/facilities/west".into(), ..pb::BoardFilter::default() };
        assert_eq!(seen(&list(&mut calls, &desk, with_filter(west)).await), [("B", Running)]);
        let office = pb::BoardFilter { office_code: "MIA".into(), ..pb::BoardFilter::default() };
        assert_eq!(seen(&list(&mut calls, &desk, with_filter(office)).await), [("A", Running)]);
        let over = pb::BoardFilter { states: vec![Over.into()], ..pb::BoardFilter::default() };
        assert_eq!(seen(&list(&mut calls, &desk, with_filter(over)).await), [("C", Over)]);
        let one = pb::BoardFilter { booking: "counties/c/bookings/B".into(), ..pb::BoardFilter::default() };
        assert_eq!(seen(&list(&mut calls, &desk, with_filter(one)).await), [("B", Running)]);
        let by_office = pb::ListHoldsRequest { order: pb::BoardOrder::Office.into(), ..board("2024-03-15T23:00:00Z") };
        assert_eq!(seen(&list(&mut calls, &desk, by_office.clone()).await), [("C", Over), ("B", Running), ("A", Running)]);
        let (mut token, mut paged) = (String::new(), Vec::new());
        loop {
            let ask = pb::ListHoldsRequest { page_size: 1, page_token: token, ..by_office.clone() };
            let page = list(&mut calls, &desk, ask).await;
            assert_eq!(page.at_time, at("2024-03-15T23:00:00Z"));
            paged.extend(page.entries.iter().map(|entry| entry.booking.clone()));
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
            // What happens between two pages is not on the second.
            desk.end("D", EndKind::Released, "2024-03-15T23:00:00Z").await;
        }
        assert_eq!(paged, ["C", "B", "A"].map(|id| format!("counties/c/bookings/{id}")));

        // Taken by federal officers: no longer on the board, but among those that ended; and the past stays as it was.
        desk.at("2024-03-16T12:00:00Z").end("A", EndKind::FederalCustody, "2024-03-16T11:00:00Z").await;
        assert_eq!(seen(&list(&mut calls, &desk, board("2024-03-16T12:00:00Z")).await), [("C", Over), ("B", Running)]);
        let ended = pb::BoardFilter { states: vec![Ended.into()], ..pb::BoardFilter::default() };
        let ended = pb::ListHoldsRequest { filter: Some(ended), ..board("2024-03-16T12:00:00Z") };
        let ended = list(&mut calls, &desk, ended).await;
        assert_eq!(seen(&ended), [("A", Ended)]);
        assert_eq!(ended.entries[0].hold.as_ref().unwrap().end_reason(), pb::HoldEndReason::FederalCustody);
        // As known now, the authority of A ends within the hour that is asked about.
        let past = list(&mut calls, &desk, board("2024-03-16T10:00:00Z")).await;
        assert_eq!(seen(&past), [("C", Over), ("A", DueSoon), ("B", Running)]);

        let get = pb::GetHoldRequest { name: "counties/c/bookings/A/holds/1".into(), ..pb::GetHoldRequest::default() };
        let read = calls.get_hold(with(&desk.admin, get.clone())).await.unwrap().into_inner().hold.unwrap();
        assert_eq!((read.state(), read.end_time), (pb::HoldState::Ended, at("2024-03-16T11:00:00Z")));
        assert_eq!(read.stretches.len(), 1);
        let then = pb::GetHoldRequest { at_time: at("2024-03-16T10:00:00Z"), ..get };
        let then = calls.get_hold(with(&desk.admin, then)).await.unwrap().into_inner().hold.unwrap();
        assert_eq!((then.state(), then.end_time, then.end_reason), (pb::HoldState::Running, None, 0));
        assert_eq!(then.decision, "counties/c/bookings/A/detainers/D/decisions/1");
        let none = pb::GetHoldRequest { name: "counties/c/bookings/A/holds/9".into(), ..pb::GetHoldRequest::default() };
        assert_eq!(reason(&calls.get_hold(with(&desk.admin, none)).await.unwrap_err()), "RESOURCE_NOT_FOUND");

        let bad =
            pb::BoardFilter { states: vec![0, 99], facility: "counties/x/facilities/y".into(), ..pb::BoardFilter::default() };
        let length = prost_types::Duration { seconds: -1, nanos: 0 };
        let bad = pb::ListHoldsRequest { order: 9, due_within: Some(length), filter: Some(bad), ..board("2024-03-16T12:00:00Z") };
        let bad = calls.list_holds(with(&desk.admin, bad)).await.unwrap_err();
        assert_eq!(fields(&bad), ["due_within", "filter.facility", "order", "filter.states[0]", "filter.states[1]"]);
        desk.close().await;
    }
}

/// A stream and the last cursor seen on it.
struct Watch {
    stream: Streaming<pb::WatchHoldsResponse>,
    cursor: String,
}

impl Watch {
    async fn open(calls: &mut Client, desk: &Desk, cursor: &str, facility: &str) -> Self {
        let ask = pb::WatchHoldsRequest { parent: "counties/c".into(), cursor: cursor.into(), facility: facility.into() };
        let stream = calls.watch_holds(with(&desk.admin, ask)).await.unwrap().into_inner();
        Self { stream, cursor: cursor.into() }
    }

    async fn message(&mut self) -> pb::WatchHoldsResponse {
        let next = tokio::time::timeout(Duration::from_secs(60), self.stream.message());
        let message = next.await.expect("a message in time").unwrap().expect("a stream that goes on");
        self.cursor.clone_from(&message.cursor);
        message
    }

    /// The next events, in words: what, of which booking.
    async fn next(&mut self, count: usize) -> Vec<(Kind, String)> {
        let mut found = Vec::new();
        while found.len() < count {
            let Some(event) = self.message().await.event else { continue };
            found.push((event.kind(), event.booking.trim_start_matches("counties/c/bookings/").to_owned()));
        }
        found
    }
}

fn told(kinds: &[Kind], booking: &str) -> Vec<(Kind, String)> {
    kinds.iter().map(|kind| (*kind, booking.to_owned())).collect()
}

#[tokio::test]
async fn a_watch_tells_each_thing_once_and_goes_on_where_it_was() {
    for fresh in common::engines().await {
        let (desk, mut calls) = opened(&fresh).await;
        held(&desk, "A", "main", "MIA").await;
        desk.book("C", "west", "2024-03-14T14:00:00Z").await;
        let mut watch = Watch::open(&mut calls, &desk, "", "").await;
        assert_eq!(watch.message().await.event, None, "at once: where it stands");

        desk.at("2024-03-15T21:00:00Z").bail("A", "2024-03-15T21:00:00Z").await;
        let started = watch.message().await.event.unwrap();
        assert_eq!((started.kind(), started.hold.as_str()), (Kind::Started, "counties/c/bookings/A/holds/1"));
        assert_eq!((started.event_time, started.ground()), (at("2024-03-15T21:00:00Z"), pb::Ground::Detainer));
        assert_eq!((started.deadline, started.authority_until), (at("2024-03-17T21:00:00Z"), at("2024-03-17T21:00:00Z")));
        assert_eq!(started.detainer, "counties/c/bookings/A/detainers/D");

        // The clock alone: the sweeper of the server makes the records.
        desk.at("2024-03-16T21:00:00Z");
        let due = watch.message().await.event.unwrap();
        assert_eq!((due.kind(), due.event_time), (Kind::Due24h, at("2024-03-16T21:00:00Z")));

        // Dropped; what happens meanwhile is told when the watcher comes back, and nothing again.
        let cursor = watch.cursor.clone();
        drop(watch);
        desk.at("2024-03-17T17:00:00Z");
        let mut watch = Watch::open(&mut calls, &desk, &cursor, "").await;
        assert_eq!(watch.next(1).await, told(&[Kind::Due4h], "A"));
        desk.at("2024-03-17T20:00:00Z");
        assert_eq!(watch.next(1).await, told(&[Kind::Due1h], "A"));
        desk.at("2024-03-17T21:00:00Z");
        let passed = watch.message().await;
        let ended = watch.message().await;
        assert_eq!(passed.event.as_ref().unwrap().sequence, ended.event.as_ref().unwrap().sequence, "one record tells both");
        assert_eq!(passed.event.unwrap().kind(), Kind::DeadlinePassed);
        assert_eq!(ended.event.as_ref().unwrap().end_reason(), pb::HoldEndReason::Deadline);
        let over = watch.message().await.event.unwrap();
        assert_eq!(
            (over.kind(), over.event_time, over.ground()),
            (Kind::OverDetained, at("2024-03-17T21:00:00Z"), pb::Ground::None)
        );

        // Between two events of one record: the second comes, the first does not come again.
        let mut between = Watch::open(&mut calls, &desk, &passed.cursor, "").await;
        assert_eq!(between.next(2).await, told(&[Kind::Ended, Kind::OverDetained], "A"));

        // A person whom no hold ever covered; and the release of the first, which ends nothing twice.
        desk.at("2024-03-17T22:00:00Z").end("A", EndKind::FederalCustody, "2024-03-17T21:30:00Z").await;
        desk.bail("C", "2024-03-17T22:00:00Z").await;
        let none = watch.message().await.event.unwrap();
        assert_eq!((none.kind(), none.hold.as_str(), none.booking.as_str()), (Kind::OverDetained, "", "counties/c/bookings/C"));
        assert_eq!(none.facility, "counties/c/facilities/west");

        // A stay that is over at once: a hold from its first instant on.
        desk.book("E", "main", "2024-03-17T22:00:00Z").await;
        desk.receive("E", "MIA", Edition::I247D, true, "2024-03-17T22:00:00Z").await;
        desk.bail("E", "2024-03-17T22:00:00Z").await;
        assert_eq!(watch.next(1).await, told(&[Kind::Started], "E"));

        // From the beginning: the same, each once, for one facility only its own.
        let mut all = Watch::open(&mut calls, &desk, "0", "").await;
        let again = all.next(9).await;
        let expected = [
            told(&[Kind::Started, Kind::Due24h, Kind::Due4h, Kind::Due1h, Kind::DeadlinePassed, Kind::Ended], "A"),
            told(&[Kind::OverDetained], "A"),
            told(&[Kind::OverDetained], "C"),
            told(&[Kind::Started], "E"),
        ]
        .concat();
        assert_eq!(again, expected);
        let mut west = Watch::open(&mut calls, &desk, "0", "counties/c/facilities/west").await;
        assert_eq!(west.next(1).await, told(&[Kind::OverDetained], "C"));

        let foreign = pb::WatchHoldsRequest { parent: "counties/c".into(), cursor: "nonsense".into(), facility: String::new() };
        let refused = calls.watch_holds(with(&desk.admin, foreign)).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::OutOfRange, "CURSOR_INVALID"));

        // The server stops: the watcher is told so.
        let closing = tokio::spawn(desk.close());
        let end = loop {
            match tokio::time::timeout(Duration::from_secs(60), all.stream.message()).await.expect("an end in time") {
                Ok(Some(_)) => {}
                other => break other.unwrap_err(),
            }
        };
        assert_eq!((end.code(), reason(&end).as_str()), (Code::Unavailable, "SHUTTING_DOWN"));
        closing.await.unwrap();
    }
}

#[tokio::test]
async fn any_number_of_sweepers_records_each_thing_once() {
    for fresh in common::engines().await {
        // No server: nobody else sweeps here.
        let clock = Arc::new(common::desk::Hand::default());
        clock.set("2024-03-14T15:00:00Z");
        let ledger = |store: &detainer::store::Store, seed| {
            Ledger::start(store.clone(), common::desk::keys(), Arc::new(SeededEntropy::new(seed)), clock.clone()).unwrap()
        };
        let (mine, other) = match fresh.engine() {
            // One process writes; its ledgers share the store.
            Engine::Sqlite => (ledger(&fresh.store, 1), ledger(&fresh.store, 2)),
            Engine::Postgres => (ledger(&fresh.store, 1), ledger(&fresh.again().await, 2)),
        };
        common::desk::stays(&mine, &clock, 20).await;
        let count = || async { fresh.store.rows(&JOURNAL, "", &[]).await.unwrap().len() };
        let before = count().await;
        let (mut first, mut second) = (Sweeper::new(mine.clone()), Sweeper::new(other.clone()));
        assert_eq!(first.sweep().await.unwrap(), 0, "nothing is due yet");
        clock.set("2024-03-17T21:00:00Z");
        let (one, two) = tokio::join!(first.sweep(), second.sweep());
        // Each hold: the deadline and over-detention. That it ends soon is not said once it has ended.
        assert_eq!(one.unwrap() + two.unwrap(), 40);
        assert_eq!(count().await, before + 40);
        assert_eq!((first.sweep().await.unwrap(), second.sweep().await.unwrap()), (0, 0));
        let after = [i64::try_from(before).unwrap().into()];
        for row in fresh.store.rows(&JOURNAL, "where t.seq > $1 order by t.seq", &after).await.unwrap() {
            let record = Record::decode(row.row.get("payload").unwrap().as_bytes().unwrap()).unwrap();
            assert_eq!((&*record.actor, &*record.method), ("system", "Sweep"));
        }
        mine.stop().await;
        other.stop().await;
    }
}
