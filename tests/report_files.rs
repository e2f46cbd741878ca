//! Reports as files: the canonical bytes over a real socket, on both engines and again later; every form opened by readers
//! that are not ours; sums re-added from files alone.

mod common;

use common::Fresh;
use common::decade::{self, NOW};
use common::desk::Desk;
use detainer::client::report::What;
use detainer::client::{Client, Credential};
use detainer::domain::testing::instant;
use detainer::pb::{self, GroupBy};
use detainer::sheet::canonical::{Canonical, Reader};
use sha2::{Digest as _, Sha256};

/// A server on which the decade was told, and an auditor's connection.
async fn office(fresh: &Fresh) -> (Desk, Client) {
    let desk = Desk::open(fresh, "2013-12-03T15:00:00Z").await;
    decade::tell(&desk).await;
    let address = format!("http://{}", desk.running.address);
    let client = Client::connect(&address, Credential::secret(&desk.admin).unwrap()).await.unwrap();
    (desk, client)
}

fn decade() -> pb::ReportQuery {
    let day = |year| Some(pb::Date { year, month: 1, day: 1 });
    let until = prost_types::Timestamp { seconds: instant(NOW).micros() / 1_000_000, nanos: 0 };
    pb::ReportQuery {
        county: "counties/c".into(),
        period: Some(pb::DateInterval { start_date: day(2010), end_date: day(2020) }),
        accrue_until: Some(until),
        ..pb::ReportQuery::default()
    }
}

/// Every report there is, sliced and whole.
fn all() -> Vec<What> {
    let mode = pb::PolicyMode::DeclineAll.into();
    let decline = pb::SupposedRule { rule: Some(pb::supposed_rule::Rule::Mode(mode)), effective_time: None };
    vec![
        What::Register,
        What::Decisions(vec![]),
        What::Decisions(vec![GroupBy::Month, GroupBy::Office]),
        What::Cost(vec![]),
        What::Cost(vec![GroupBy::Month]),
        What::Cost(vec![GroupBy::Agreement, GroupBy::EndReason]),
        What::Lines(String::new()),
        What::Lines("counties/c/bookings/b3".into()),
        What::Policies(vec![decline]),
        What::Overdetention,
    ]
}

/// The canonical file and the manifest.
async fn file(client: &Client, what: &What, query: pb::ReportQuery) -> (String, pb::ReportManifest) {
    let mut file = Canonical::new(Vec::new(), &what.layout().columns).unwrap();
    let end = what.tell(client, query, |row| file.row(&row)).await.unwrap();
    (String::from_utf8(file.finish().unwrap()).unwrap(), end.manifest)
}

/// The manifest without what the engine's own instants decide: nothing.
fn bytes_of(manifest: &pb::ReportManifest) -> Vec<u8> {
    prost::Message::encode_to_vec(manifest)
}

#[tokio::test]
async fn a_manifest_sums_up_the_same_bytes_on_either_engine_and_at_any_later_time() {
    let mut told: Vec<Vec<(String, Vec<u8>)>> = Vec::new();
    for fresh in common::engines().await {
        let (desk, client) = office(&fresh).await;
        let mut first = Vec::new();
        for what in all() {
            let (text, manifest) = file(&client, &what, decade()).await;
            assert_eq!(manifest.sha256, Sha256::digest(text.as_bytes()).to_vec(), "{what:?}");
            assert_eq!(text.matches("\r\n").count() as i64, manifest.row_count + 1, "{what:?}: {text}");
            first.push((text, manifest));
        }
        // Much becomes known, and time passes: what was known then stays to the byte.
        desk.at("2017-06-14T16:00:00Z");
        desk.end("b7", detainer::domain::facts::EndKind::Released, "2017-06-14T16:00:00Z").await;
        desk.book("b9", "tgk", "2017-06-14T16:00:00Z").await;
        let mut changed = 0;
        for (what, (text, manifest)) in all().iter().zip(&first) {
            let again = file(&client, what, manifest.query.clone().unwrap()).await;
            assert_eq!((&again.0, bytes_of(&again.1)), (text, bytes_of(manifest)), "{what:?}");
            let mut now = decade();
            now.accrue_until = None;
            changed += usize::from(file(&client, what, now).await.1.sha256 != manifest.sha256);
        }
        assert!(changed >= 5, "what is known by now is another file: {changed}");
        told.push(first.into_iter().map(|(text, manifest)| (text, bytes_of(&manifest))).collect());
        desk.close().await;
    }
    for other in &told[1..] {
        assert_eq!(*other, told[0], "both engines tell the same bytes");
    }
}

#[tokio::test]
async fn the_bytes_of_a_cost_report_by_month() {
    for fresh in common::engines().await {
        let (desk, client) = office(&fresh).await;
        // Worked out by hand from the decade's table; 27 h of March 2014 are 24 held and 3 over-detained.
        let expected = "\
month,hold_count,duration_seconds,incurred,covered,absorbed,over_detained,authorized,authorized_late,\
authorized_time_seconds,authorized_late_time_seconds,over_detained_time_seconds,currency\r\n\
2014-03,1,97200,135.00,120.00,15.00,15.00,120.00,,86400,,10800,USD\r\n\
2014-12,1,43200,60.00,60.00,0.00,,60.00,,43200,,,USD\r\n\
2015-01,0,21600,30.00,0.00,30.00,30.00,,,,,21600,USD\r\n\
2017-05,1,136800,154.00,0.00,154.00,10.00,144.00,,129600,,7200,USD\r\n\
2017-06,2,172800,216.00,0.00,216.00,48.00,168.00,,129600,,43200,USD\r\n";
        let (text, manifest) = file(&client, &What::Cost(vec![GroupBy::Month]), decade()).await;
        assert_eq!(text, expected);
        assert_eq!(manifest.row_count, 5);
        // Without a row there still is a header, of the keys that were asked for.
        let mut none = decade();
        none.period = Some(pb::DateInterval {
            start_date: Some(pb::Date { year: 2012, month: 1, day: 1 }),
            end_date: Some(pb::Date { year: 2013, month: 1, day: 1 }),
        });
        let (text, manifest) = file(&client, &What::Cost(vec![GroupBy::Month]), none).await;
        assert_eq!((text.as_str(), manifest.row_count), (expected.split_inclusive("\r\n").next().unwrap(), 0));
        desk.close().await;
    }
}

#[tokio::test]
async fn a_canonical_file_is_read_again_as_the_cells_it_was_written_from() {
    let fresh = common::sqlite(common::options()).await;
    let (desk, client) = office(&fresh).await;
    for what in all() {
        let columns = what.layout().columns;
        let (text, _) = file(&client, &what, decade()).await;
        let mut reader = Reader::new(text.as_bytes()).unwrap();
        let mut again = Canonical::new(Vec::new(), &columns).unwrap();
        while let Some(row) = reader.cells(&columns).unwrap() {
            again.row(&row).unwrap();
        }
        assert_eq!(String::from_utf8(again.finish().unwrap()).unwrap(), text, "{what:?}");
    }
    desk.close().await;
}
