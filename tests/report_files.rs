//! Reports as files: the canonical bytes over a real socket, on both engines and again later; every form opened by readers
//! that are not ours; sums re-added from files alone.

mod common;

use calamine::{Data, Reader as _};
use common::Fresh;
use common::decade::{self, NOW};
use common::desk::{Desk, Hand};
use detainer::client::report::pack;
use detainer::client::report::write::{Place, Target, Written, write};
use detainer::client::report::{ReportError, What};
use detainer::client::{Client, Credential};
use detainer::domain::detainer::Edition;
use detainer::domain::policy::Mode;
use detainer::domain::testing::{self, instant};
use detainer::pb::{self, GroupBy};
use detainer::sheet::canonical::{Canonical, Reader};
use detainer::sheet::write::Form;
use scraper::{ElementRef, Html, Selector};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

/// A server on which the decade was told, its clock, and an auditor's connection.
struct Office {
    desk: Desk,
    client: Client,
    servers: Arc<Hand>,
    /// The last record of the decade. The server may go on and settle what falls due.
    seq: i64,
}

async fn office(fresh: &Fresh) -> Office {
    let (desk, servers) = Desk::apart(fresh, "2013-12-03T15:00:00Z").await;
    decade::tell(&desk).await;
    let client = client(&desk).await;
    let known = client.get_county(pb::GetCountyRequest { name: "counties/c".into(), as_of: None }).await.unwrap();
    servers.set(NOW);
    Office { desk, client, servers, seq: known.as_of_pair.unwrap().sequence }
}

impl Office {
    /// The whole decade as it was told.
    fn decade(&self) -> pb::ReportQuery {
        pb::ReportQuery { as_of: as_of(self.seq), ..decade() }
    }
}

fn as_of(seq: i64) -> Option<pb::AsOf> {
    Some(pb::AsOf { point: Some(pb::as_of::Point::Sequence(seq)) })
}

async fn client(desk: &Desk) -> Client {
    let address = format!("http://{}", desk.running.address);
    Client::connect(&address, Credential::secret(&desk.admin).unwrap()).await.unwrap()
}

/// New Year's Day.
fn date(year: i32) -> Option<pb::Date> {
    Some(pb::Date { year, month: 1, day: 1 })
}

fn decade() -> pb::ReportQuery {
    let until = prost_types::Timestamp { seconds: instant(NOW).micros() / 1_000_000, nanos: 0 };
    pb::ReportQuery {
        county: "counties/c".into(),
        period: Some(pb::DateInterval { start_date: date(2010), end_date: date(2020) }),
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
        What::Statistics(vec![]),
        What::Statistics(vec![GroupBy::Facility, GroupBy::Week]),
        What::Decisions(vec![]),
        What::Decisions(vec![GroupBy::Month, GroupBy::Office]),
        What::Declined,
        What::Duties(vec![]),
        What::Duties(vec![GroupBy::Month, GroupBy::Office]),
        What::Cost(vec![]),
        What::Cost(vec![GroupBy::Month]),
        What::Cost(vec![GroupBy::Agreement, GroupBy::EndReason]),
        What::Cost(vec![GroupBy::Week, GroupBy::Component]),
        What::Lines(String::new()),
        What::Lines("counties/c/bookings/b3".into()),
        What::Policies(vec![decline]),
        What::Overdetention,
        What::Certificate,
        What::BailEligible,
        What::Georgia,
        What::NorthCarolina,
        What::Claims { agreement: String::new(), state: pb::ClaimState::Unspecified, zone: chrono_tz::America::New_York },
        What::ClaimReport { date: date(2018) },
        What::UnclaimedHolds { date: None, within_days: 30, zone: chrono_tz::America::New_York },
        What::Change { before: as_of(20).unwrap(), before_accrue_until: None },
    ]
}

/// The query as a report takes it: a certificate is of one jail and day, a list of one instant has no days.
fn fit(what: &What, query: pb::ReportQuery) -> pb::ReportQuery {
    let day = |day| Some(pb::Date { year: 2017, month: 6, day });
    match what {
        What::Certificate => pb::ReportQuery {
            period: Some(pb::DateInterval { start_date: day(1), end_date: day(2) }),
            facilities: vec!["counties/c/facilities/annex".into()],
            ..query
        },
        What::BailEligible => pb::ReportQuery { period: None, ..query },
        _ => query,
    }
}

/// The canonical file and the manifest.
async fn file(client: &Client, what: &What, query: pb::ReportQuery) -> (String, pb::ReportManifest) {
    let mut file = Canonical::new(Vec::new(), &what.layout().columns).unwrap();
    let end = what.tell(client, fit(what, query), |row| file.row(&row)).await.unwrap();
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
        let office = office(&fresh).await;
        let (desk, client) = (&office.desk, &office.client);
        let mut first = Vec::new();
        for what in all() {
            let (text, manifest) = file(client, &what, office.decade()).await;
            assert_eq!(manifest.sha256, Sha256::digest(text.as_bytes()).to_vec(), "{what:?}");
            assert_eq!(text.matches("\r\n").count() as i64, manifest.row_count + 1, "{what:?}: {text}");
            first.push((text, manifest));
        }
        // Much becomes known, and time passes: what was known then stays to the byte.
        desk.at("2017-06-14T16:00:00Z");
        office.servers.set("2017-06-14T16:00:00Z");
        desk.end("b7", detainer::domain::facts::EndKind::Released, "2017-06-14T16:00:00Z").await;
        desk.book("b9", "tgk", "2017-06-14T16:00:00Z").await;
        let mut changed = 0;
        for (what, (text, manifest)) in all().iter().zip(&first) {
            let again = file(client, what, manifest.query.clone().unwrap()).await;
            assert_eq!((&again.0, bytes_of(&again.1)), (text, bytes_of(manifest)), "{what:?}");
            let mut now = decade();
            now.accrue_until = None;
            changed += usize::from(file(client, what, now).await.1.sha256 != manifest.sha256);
        }
        assert!(changed >= 5, "what is known by now is another file: {changed}");
        told.push(first.into_iter().map(|(text, manifest)| (text, bytes_of(&manifest))).collect());
        office.desk.close().await;
    }
    for other in &told[1..] {
        assert_eq!(*other, told[0], "both engines tell the same bytes");
    }
}

#[tokio::test]
async fn the_bytes_of_a_cost_report_by_month() {
    for fresh in common::engines().await {
        let office = office(&fresh).await;
        let client = &office.client;
        // Worked out by hand from the decade's table; 27 h of March 2014 are 24 held and 3 over-detained.
        let expected = "\
month,hold_count,duration_seconds,incurred,covered,absorbed,over_detained,authorized,authorized_late,\
authorized_time_seconds,authorized_late_time_seconds,over_detained_time_seconds,currency,marginal\r\n\
2014-03,1,97200,135.00,120.00,15.00,15.00,120.00,,86400,,10800,USD,\r\n\
2014-12,1,43200,60.00,60.00,0.00,,60.00,,43200,,,USD,\r\n\
2015-01,0,21600,30.00,0.00,30.00,30.00,,,,,21600,USD,\r\n\
2017-05,1,136800,154.00,0.00,154.00,10.00,144.00,,129600,,7200,USD,\r\n\
2017-06,2,172800,216.00,0.00,216.00,48.00,168.00,,129600,,43200,USD,\r\n";
        let (text, manifest) = file(client, &What::Cost(vec![GroupBy::Month]), decade()).await;
        assert_eq!(text, expected);
        assert_eq!(manifest.row_count, 5);
        // Without a row there still is a header, of the keys that were asked for.
        let mut none = decade();
        none.period = Some(pb::DateInterval { start_date: date(2012), end_date: date(2013) });
        let (text, manifest) = file(client, &What::Cost(vec![GroupBy::Month]), none).await;
        assert_eq!((text.as_str(), manifest.row_count), (expected.split_inclusive("\r\n").next().unwrap(), 0));
        office.desk.close().await;
    }
}

#[tokio::test]
async fn a_canonical_file_is_read_again_as_the_cells_it_was_written_from() {
    let fresh = common::sqlite(common::options()).await;
    let office = office(&fresh).await;
    for what in all() {
        let columns = what.layout().columns;
        let (text, _) = file(&office.client, &what, office.decade()).await;
        let mut reader = Reader::new(text.as_bytes()).unwrap();
        let mut again = Canonical::new(Vec::new(), &columns).unwrap();
        while let Some(row) = reader.cells(&columns).unwrap() {
            again.row(&row).unwrap();
        }
        assert_eq!(String::from_utf8(again.finish().unwrap()).unwrap(), text, "{what:?}");
    }
    office.desk.close().await;
}

/// A report in every form in a folder, under a name.
async fn written(client: &Client, what: &What, query: pb::ReportQuery, folder: &Path, name: &str) -> (Vec<Target>, Written) {
    let place = Place::of(client, "counties/c", None).await.unwrap();
    let heading = place.heading(what.layout(), vec!["A <note> & more.".into()]);
    let path = |form: Form| folder.join(format!("{name}.{}", form.extension()));
    let targets: Vec<Target> = Form::ALL.into_iter().map(|form| Target { form, path: path(form) }).collect();
    let written = write(client, what, fit(what, query), &heading, &targets, |_| ()).await.unwrap();
    (targets, written)
}

/// A CSV file as a reader that is not ours has it: the header, and rows by header.
fn table(path: &Path) -> (Vec<String>, Vec<BTreeMap<String, String>>) {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let header = reader.headers().unwrap().iter().map(str::to_owned).collect();
    (header, reader.deserialize().map(|row| row.unwrap()).collect())
}

/// A sum of money, in cents.
fn cents(text: &str) -> i64 {
    let (whole, part) = text.split_once('.').unwrap_or_else(|| panic!("{text:?} is no money"));
    assert_eq!(part.len(), 2, "{text:?}");
    format!("{whole}{part}").parse().unwrap()
}

#[tokio::test]
async fn every_form_is_opened_by_a_reader_that_is_not_ours() {
    let fresh = common::sqlite(common::options()).await;
    let office = office(&fresh).await;
    let folder = tempfile::tempdir().unwrap();
    for (n, what) in all().iter().enumerate() {
        let (targets, written) = written(&office.client, what, office.decade(), folder.path(), &format!("report-{n}")).await;
        let manifest = &written.end.manifest;
        let bytes: Vec<Vec<u8>> = targets.iter().map(|target| std::fs::read(&target.path).unwrap()).collect();
        for (bytes, sum) in bytes.iter().zip(&written.sums) {
            assert_eq!(Sha256::digest(bytes).to_vec(), sum.to_vec());
        }
        assert_eq!(written.sums[0].to_vec(), manifest.sha256, "the CSV file is what the manifest sums up");
        let (header, rows) = table(&targets[0].path);
        assert_eq!(rows.len() as i64, manifest.row_count);
        assert_eq!(python_rows(&targets[0].path).unwrap_or(rows.len()), rows.len());
        lines_of_json(&bytes[1], &rows, manifest);
        workbook(&targets[2].path, &header, &rows, written.end.total.is_some());
        page(&String::from_utf8(bytes[3].clone()).unwrap(), what, &rows, manifest);
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), all().len() * Form::ALL.len(), "and nothing else is left");
    office.desk.close().await;
}

/// How many rows Python's reader finds, where there is a Python.
fn python_rows(path: &Path) -> Option<usize> {
    let program =
        "import csv, sys; print(sum(1 for _ in csv.DictReader(open(sys.argv[1], newline='', encoding='utf-8'), strict=True)))";
    let done = std::process::Command::new("python3").args(["-c", program]).arg(path).output().ok()?;
    let said = String::from_utf8(done.stdout).ok()?;
    done.status.success().then(|| said.trim().parse().unwrap())
}

/// JSON lines say what the CSV says.
fn lines_of_json(bytes: &[u8], rows: &[BTreeMap<String, String>], manifest: &pb::ReportManifest) {
    let text = std::str::from_utf8(bytes).unwrap();
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), rows.len() + 1);
    let last = &lines.last().unwrap()["manifest"];
    assert_eq!(last["sha256"], hex::encode(&manifest.sha256));
    assert_eq!(last["as_of_sequence"], manifest.as_of_pair.unwrap().sequence);
    for (line, row) in lines.iter().zip(rows) {
        assert_eq!(line.as_object().unwrap().len(), row.len());
        for (key, value) in line.as_object().unwrap() {
            use serde_json::Value;
            let field = row.get(key).or_else(|| row.get(&format!("{key}_seconds"))).unwrap();
            match value {
                Value::Null => assert_eq!(field, ""),
                Value::Object(parts) if parts.contains_key("cents") => assert_eq!(parts["cents"], cents(field)),
                Value::Object(parts) => assert_eq!(parts["seconds"].to_string(), *field, "whole seconds in this story"),
                Value::String(text) => assert_eq!(text, field.strip_prefix('\'').unwrap_or(field)),
                other => assert_eq!(other.to_string(), *field),
            }
        }
    }
}

/// The workbook has the CSV's rows with cells of their kinds, and the manifest on a sheet of its own.
fn workbook(path: &Path, header: &[String], rows: &[BTreeMap<String, String>], total: bool) {
    let mut book: calamine::Xlsx<_> = calamine::open_workbook(path).unwrap();
    assert_eq!(book.sheet_names(), ["Rows", "Manifest"]);
    let sheet = book.worksheet_range("Rows").unwrap();
    let cells: Vec<&[Data]> = sheet.rows().collect();
    assert_eq!(cells.len(), 1 + rows.len() + usize::from(total));
    assert_eq!(cells[0].len(), header.len());
    let money = ["incurred", "covered", "absorbed"];
    for (cells, row) in cells[1..].iter().zip(rows) {
        for (cell, key) in cells.iter().zip(header) {
            let field = &row[key];
            match cell {
                Data::Empty => assert_eq!(field, "", "{key}"),
                Data::Float(number) if key.ends_with("_seconds") => {
                    assert_eq!((number * 3_600.0).round() as i64, field.parse::<i64>().unwrap(), "{key}");
                }
                Data::Float(number) if field.contains('.') => assert_eq!((number * 100.0).round() as i64, cents(field), "{key}"),
                Data::Float(number) => assert_eq!(number.to_string(), *field, "{key}"),
                Data::DateTime(at) if field.len() == "2014-01-31".len() => {
                    assert_eq!(
                        at.as_datetime().unwrap().format("%Y-%m-%dT%H:%M:%S").to_string(),
                        format!("{field}T00:00:00"),
                        "{key}"
                    );
                }
                Data::DateTime(at) => {
                    // The place's own clock, as the CSV has it before its offset.
                    let shown = at.as_datetime().unwrap().format("%Y-%m-%dT%H:%M:%S").to_string();
                    let is_day = shown.strip_suffix("T00:00:00").is_some_and(|day| day == field);
                    assert!(field.starts_with(&shown) || is_day, "{key}: {shown} of {field}");
                }
                Data::Bool(flag) => assert_eq!(flag.to_string(), *field, "{key}"),
                Data::String(text) if field.is_empty() => assert_eq!(text, "(none)", "{key}"),
                Data::String(text) => {
                    assert_eq!(text.replace(' ', "-"), field.trim_start_matches('\'').replace(' ', "-"), "{key}")
                }
                other => panic!("{key}: {other:?}"),
            }
            if money.contains(&key.as_str()) || key.ends_with("_seconds") || key.ends_with("count") {
                assert!(matches!(cell, Data::Float(_) | Data::Empty), "{key} is no number: {cell:?}");
            }
            if key.ends_with("_time") && key != "in_time" && !field.is_empty() {
                assert!(matches!(cell, Data::DateTime(_)), "{key} is no date: {cell:?}");
            }
        }
    }
    let about = book.worksheet_range("Manifest").unwrap();
    assert!(
        about.rows().any(|row| row[0] == Data::String("SHA-256 of the canonical CSV".into()) && row[1].to_string().len() == 64)
    );
    assert!(book.worksheet_formula("Rows").unwrap().is_empty(), "no text is a formula");
}

fn selector(text: &str) -> Selector {
    Selector::parse(text).unwrap()
}

fn texts<'a>(elements: impl Iterator<Item = ElementRef<'a>>) -> Vec<String> {
    elements.map(|element| element.text().collect::<String>()).collect()
}

/// What every page of ours keeps, whatever it shows.
fn sound(text: &str) -> Html {
    let page = Html::parse_document(text);
    assert_eq!(page.errors.iter().map(ToString::to_string).collect::<Vec<_>>(), Vec::<String>::new());
    for (what, count) in [("h1", 1), ("title", 1), ("main", 1), ("html[lang=en]", 1), ("meta[charset]", 1)] {
        let wanted = selector(what);
        let found = page.select(&wanted).filter(|element| element.value().name() != "title" || !in_chart(element));
        assert_eq!(found.count(), count, "{what}");
    }
    assert_eq!(page.select(&selector("script, iframe, img, link, object, [onload], [onclick]")).count(), 0);
    for element in page.select(&selector("[href], [src]")) {
        let value = element.value();
        let target = value.attr("href").or(value.attr("src")).unwrap();
        assert!(!target.contains(':') && !target.starts_with('/'), "{target} leads away");
    }
    let ids: Vec<&str> = page.select(&selector("[id]")).filter_map(|element| element.value().id()).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "ids are used once: {ids:?}");
    for table in page.select(&selector("table")) {
        assert_eq!(table.select(&selector("caption")).count(), 1);
        assert_eq!(table.select(&selector("th:not([scope])")).count(), 0, "every heading says what it is a heading of");
    }
    for chart in page.select(&selector("svg")) {
        let named = chart.value().attr("aria-labelledby").unwrap();
        for id in named.split(' ') {
            let named = page.select(&selector(&format!("#{id}"))).next().expect("what names it is there");
            assert!(!named.text().collect::<String>().trim().is_empty());
        }
        assert_eq!(chart.value().attr("role"), Some("img"));
    }
    for figure in page.select(&selector("figure")) {
        assert_eq!(figure.select(&selector("svg")).count(), 1);
        assert_eq!(figure.select(&selector("details table")).count(), 1, "behind each chart are its figures");
    }
    page
}

fn in_chart(element: &ElementRef<'_>) -> bool {
    element.ancestors().filter_map(ElementRef::wrap).any(|above| above.value().name() == "svg")
}

/// The page shows the rows, the total, the charts and the manifest.
fn page(text: &str, what: &What, rows: &[BTreeMap<String, String>], manifest: &pb::ReportManifest) {
    let page = sound(text);
    let shown = page.select(&selector("#rows tbody tr")).count();
    assert_eq!(shown, rows.len());
    let layout = what.layout();
    let first = layout.columns[0].key;
    let keys = texts(page.select(&selector("#rows tbody th[scope=row]")));
    for (key, row) in keys.iter().zip(rows) {
        assert!(key.replace(' ', "-") == row[first].replace(' ', "-") || (key == "(none)" && row[first].is_empty()), "{key}");
    }
    if let Some(place) = layout.columns.iter().filter(|column| !column.more).position(|column| column.key == "incurred") {
        let column = format!("#rows tbody tr > :nth-child({})", place + 1);
        for (shown, row) in texts(page.select(&selector(&column))).iter().zip(rows) {
            assert_eq!(cents(&shown.replace(['$', ','], "")), cents(&row["incurred"]));
        }
    }
    let manifest_shown = texts(page.select(&selector("footer .manifest td")));
    assert!(manifest_shown.contains(&hex::encode(&manifest.sha256)), "{manifest_shown:?}");
    assert!(texts(page.select(&selector("header p"))).contains(&"A <note> & more.".to_owned()));
    let charts = texts(page.select(&selector("figcaption")));
    let expected: &[&str] = match what {
        What::Register => {
            &["Holds and dollars by month", "When holds ended, against both 48-hour lines", "Covered against absorbed, by month"]
        }
        What::Cost(by) if *by == [GroupBy::Month] => &["Holds and dollars by month", "Covered against absorbed, by month"],
        What::Lines(_) => &["Covered against absorbed, by month"],
        _ => &[],
    };
    assert_eq!(charts, expected, "{what:?}");
    if let What::Cost(by) = what
        && *by == [GroupBy::Month]
    {
        // The figures behind the chart are the report's.
        let figures = texts(page.select(&selector("figure:last-of-type details tbody tr")));
        let of = |month: &str| figures.iter().find(|row| row.starts_with(month)).expect("a month").clone();
        assert_eq!(of("2014-03"), "2014-03$120.00$15.00");
        assert_eq!(of("2017-01"), "2017-01, from 2017-01-26 honor always$0.00$0.00");
        assert!(texts(page.select(&selector("svg desc")))[0].contains("From 2017-01-26 on the policy was: honor always."));
    }
}

#[tokio::test]
async fn hostile_texts_stay_texts_in_every_form() {
    let fresh = common::sqlite(common::options()).await;
    let desk = Desk::open(&fresh, "2024-01-02T15:00:00Z").await;
    let zone = "America/New_York";
    desk.found(zone, &[("tgk", zone)]).await;
    desk.switch(testing::revision("always", Mode::HonorAlways), "2024-01-02T15:00:00Z").await;
    let offices = ["=HYPERLINK(\"x\")", "<script>alert(1)</script>", "'quoted", "\"a\", &amp; b", "@cmd|' /C calc'!A0", "-1+2"];
    for (n, office) in offices.iter().enumerate() {
        let id = format!("b{n}");
        desk.book(&id, "tgk", "2024-01-02T15:00:00Z").await;
        desk.receive(&id, office, Edition::I247D, true, "2024-01-02T15:00:00Z").await;
        desk.bail(&id, "2024-01-02T15:00:00Z").await;
    }
    desk.at("2024-01-03T15:00:00Z");
    let client = client(&desk).await;
    let folder = tempfile::tempdir().unwrap();
    let year = pb::ReportQuery {
        county: "counties/c".into(),
        period: Some(pb::DateInterval { start_date: date(2024), end_date: date(2025) }),
        ..pb::ReportQuery::default()
    };
    let (targets, report) = written(&client, &What::Decisions(vec![GroupBy::Office]), year, folder.path(), "offices").await;
    assert_eq!(report.end.manifest.row_count, offices.len() as i64);
    let all: BTreeSet<&str> = offices.into_iter().collect();

    let text = std::fs::read_to_string(&targets[0].path).unwrap();
    let mut reader = Reader::new(text.as_bytes()).unwrap();
    let mut read = BTreeSet::new();
    while let Some(row) = reader.fields().unwrap() {
        read.insert(row[0].clone());
    }
    assert_eq!(read.iter().map(String::as_str).collect::<BTreeSet<_>>(), all);
    for (raw, row) in table(&targets[0].path).1.iter().map(|row| (row["office"].clone(), row)) {
        assert!(!raw.starts_with(['=', '+', '-', '@', '\t', '\r']), "a spreadsheet reads a formula: {row:?}");
    }

    let mut book: calamine::Xlsx<_> = calamine::open_workbook(&targets[2].path).unwrap();
    let sheet = book.worksheet_range("Rows").unwrap();
    let cells: Vec<String> = sheet.rows().skip(1).map(|row| row[0].to_string()).collect();
    assert_eq!(cells.iter().map(String::as_str).filter(|text| *text != "total").collect::<BTreeSet<_>>(), all);
    assert!(book.worksheet_formula("Rows").unwrap().is_empty());

    let page = sound(&std::fs::read_to_string(&targets[3].path).unwrap());
    let shown = texts(page.select(&selector("#rows tbody th")));
    assert_eq!(shown.iter().map(String::as_str).collect::<BTreeSet<_>>(), all);
    desk.close().await;
}

/// A way to the server that ends after so many bytes of its answers; where it is.
async fn cutting(server: std::net::SocketAddr, bytes: usize) -> std::net::SocketAddr {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (client, _) = listener.accept().await.unwrap();
        let server = tokio::net::TcpStream::connect(server).await.unwrap();
        let ((mut from_client, mut to_client), (mut from_server, mut to_server)) = (client.into_split(), server.into_split());
        let asking = tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
        let (mut left, mut buffer) = (bytes, [0_u8; 512]);
        while left > 0 {
            let most = left.min(buffer.len());
            let Ok(read @ 1..) = from_server.read(&mut buffer[..most]).await else { break };
            if to_client.write_all(&buffer[..read]).await.is_err() {
                break;
            }
            left -= read;
        }
        asking.abort();
    });
    address
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_that_is_cut_short_anywhere_leaves_nothing() {
    let fresh = common::sqlite(common::options()).await;
    let desk = Desk::open(&fresh, "2024-03-14T14:00:00Z").await;
    common::desk::stays(&desk.ledger, &desk.clock, 40).await;
    desk.at("2024-03-16T21:00:00Z");
    let year = pb::ReportQuery {
        county: "counties/c".into(),
        period: Some(pb::DateInterval { start_date: date(2024), end_date: date(2025) }),
        ..pb::ReportQuery::default()
    };
    let direct = client(&desk).await;
    let heading = Place::of(&direct, "counties/c", None).await.unwrap().heading(What::Register.layout(), Vec::new());
    let (mut whole, mut cut) = (0, 0);
    for bytes in (200..24_000).step_by(700) {
        let folder = tempfile::tempdir().unwrap();
        let targets: Vec<Target> = Form::ALL
            .into_iter()
            .map(|form| Target { form, path: folder.path().join(format!("holds.{}", form.extension())) })
            .collect();
        let address = format!("http://{}", cutting(desk.running.address, bytes).await);
        let credential = Credential::secret(&desk.admin).unwrap();
        let report = async {
            let client = Client::connect(&address, credential).await.map_err(ReportError::from)?;
            write(&client, &What::Register, year.clone(), &heading, &targets, |_| ()).await
        };
        let report = report.await;
        let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        match report {
            Ok(written) => {
                assert_eq!((left.len(), written.end.manifest.row_count), (Form::ALL.len(), 40), "{bytes} bytes");
                whole += 1;
            }
            Err(_) => {
                assert!(left.is_empty(), "{bytes} bytes left {left:?}");
                cut += 1;
            }
        }
    }
    assert!(cut >= 10 && whole >= 3, "the cuts lie within the answer: {cut} cut, {whole} whole");
    desk.close().await;
}

/// Microseconds between two instants, as the file has them.
fn micros(row: &BTreeMap<String, String>) -> i64 {
    let at = |key: &str| chrono::DateTime::parse_from_rfc3339(&row[key]).unwrap().timestamp_micros();
    at("end_time") - at("start_time")
}

/// Seconds as the file has them, in microseconds.
fn length(text: &str) -> i64 {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    whole.parse::<i64>().unwrap() * 1_000_000 + format!("{part:0<6}").parse::<i64>().unwrap()
}

/// Time, incurred, covered, absorbed.
type Sums = (i64, i64, i64, i64);

fn add(sums: &mut Sums, more: Sums) {
    *sums = (sums.0 + more.0, sums.1 + more.1, sums.2 + more.2, sums.3 + more.3);
}

/// What an auditor does with nothing but the files: every cost report is the sum of the lines, however it is sliced; every
/// hold of the register, and every stretch of over-detention, is the sum of its own.
#[tokio::test]
async fn every_report_is_added_up_again_from_the_lines_as_a_file() {
    for fresh in common::engines().await {
        let office = office(&fresh).await;
        let folder = tempfile::tempdir().unwrap();
        let file = async |what: What, name: &str| {
            let (targets, _) = written(&office.client, &what, office.decade(), folder.path(), name).await;
            table(&targets[0].path).1
        };
        let lines = file(What::Lines(String::new()), "lines").await;
        let of = |line: &BTreeMap<String, String>| {
            (micros(line), cents(&line["incurred"]), cents(&line["covered"]), cents(&line["absorbed"]))
        };
        let keys = [
            (GroupBy::Month, "month"),
            (GroupBy::Week, "week"),
            (GroupBy::Facility, "facility"),
            (GroupBy::Component, "component"),
            (GroupBy::Office, "office"),
            (GroupBy::Revision, "policy_revision"),
            (GroupBy::Mode, "policy_mode"),
            (GroupBy::Agreement, "agreement"),
            (GroupBy::FormEdition, "form_edition"),
            (GroupBy::EndReason, "end_reason"),
            (GroupBy::DecisionReason, "decision_reason"),
        ];
        // A line lies in one local month and one local week, which its start names.
        let value = |line: &BTreeMap<String, String>, key: &str| match key {
            "month" => line["start_time"][..7].to_owned(),
            "week" => chrono::DateTime::parse_from_rfc3339(&line["start_time"]).unwrap().format("%G-W%V").to_string(),
            key => line[key].clone(),
        };
        let mut slicings: Vec<Vec<(GroupBy, &str)>> = vec![vec![]];
        slicings.extend(keys.iter().map(|key| vec![*key]));
        slicings.extend(keys.windows(2).map(<[_]>::to_vec));
        slicings.push(keys.to_vec());
        for (n, slicing) in slicings.iter().enumerate() {
            let report = file(What::Cost(slicing.iter().map(|(by, _)| *by).collect()), &format!("cost-{n}")).await;
            let mut again: BTreeMap<Vec<String>, (Sums, BTreeSet<String>)> = BTreeMap::new();
            for line in &lines {
                let slice = slicing.iter().map(|(_, key)| value(line, key)).collect();
                let (sums, holds) = again.entry(slice).or_default();
                add(sums, of(line));
                holds.extend(Some(line["hold"].clone()).filter(|hold| !hold.is_empty()));
            }
            let again: BTreeMap<Vec<String>, (Sums, i64)> =
                again.into_iter().map(|(slice, (sums, holds))| (slice, (sums, holds.len() as i64))).collect();
            let told = report.iter().map(|row| {
                let sums =
                    (length(&row["duration_seconds"]), cents(&row["incurred"]), cents(&row["covered"]), cents(&row["absorbed"]));
                (slicing.iter().map(|(_, key)| row[*key].clone()).collect(), (sums, row["hold_count"].parse().unwrap()))
            });
            assert_eq!(told.collect::<BTreeMap<Vec<String>, (Sums, i64)>>(), again, "{slicing:?}");
        }

        let mut by_hold: BTreeMap<String, Sums> = BTreeMap::new();
        let mut over: BTreeMap<String, Sums> = BTreeMap::new();
        for line in &lines {
            if line["authority"] == "over-detained" {
                add(over.entry(line["booking"].clone()).or_default(), of(line));
            } else {
                add(by_hold.entry(line["hold"].clone()).or_default(), of(line));
            }
        }
        let register = file(What::Register, "register").await;
        let told: BTreeMap<String, Sums> = register
            .iter()
            .map(|row| {
                let sums =
                    (length(&row["held_seconds"]), cents(&row["incurred"]), cents(&row["covered"]), cents(&row["absorbed"]));
                (row["hold"].clone(), sums)
            })
            .collect();
        assert_eq!((told.len(), told), (4, by_hold));
        let mut told: BTreeMap<String, Sums> = BTreeMap::new();
        for row in file(What::Overdetention, "over").await {
            let cost = cents(&row["incurred"]);
            add(told.entry(row["booking"].clone()).or_default(), (length(&row["duration_seconds"]), cost, 0, cost));
        }
        assert_eq!((told.len(), told), (4, over));
        office.desk.close().await;
    }
}

/// Runs detainerctl in a folder as a clerk would; its output, its complaint, whether it succeeded.
async fn detainerctl(desk: &Desk, folder: &Path, words: &str) -> (String, String, bool) {
    std::fs::write(folder.join("token"), &desk.admin).unwrap();
    let mut program = tokio::process::Command::new(env!("CARGO_BIN_EXE_detainerctl"));
    program.current_dir(folder).arg("--server").arg(format!("http://{}", desk.running.address)).args(["--token-file", "token"]);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("DETAINER")) {
        program.env_remove(name);
    }
    let done = program.args(words.split_whitespace()).output().await.unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&done.stdout), text(&done.stderr), done.status.success())
}

/// `sha256sum -c` in a folder, where there is such a program.
fn sha256sum(folder: &Path, list: &str) -> Option<bool> {
    let done =
        std::process::Command::new("sha256sum").current_dir(folder).args(["--quiet", "--strict", "-c", list]).output().ok()?;
    Some(done.status.success())
}

/// The pack's list of digests, checked against its files: name to digest.
fn digests(folder: &Path) -> BTreeMap<String, String> {
    let list = std::fs::read_to_string(folder.join("SHA256SUMS")).unwrap();
    let listed: BTreeMap<String, String> =
        list.lines().map(|line| line.split_once("  ").unwrap()).map(|(sum, name)| (name.to_owned(), sum.to_owned())).collect();
    for (name, sum) in &listed {
        assert_eq!(hex::encode(Sha256::digest(std::fs::read(folder.join(name)).unwrap())), *sum, "{name}");
    }
    assert_ne!(sha256sum(folder, "SHA256SUMS"), Some(false));
    listed
}

/// The records that the reports of a pack are as of, each with its digest in its own manifest.
fn points(folder: &Path) -> BTreeSet<i64> {
    let all = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let manifests = all.filter(|path| path.to_string_lossy().ends_with(".manifest.json"));
    let point = |path: std::path::PathBuf| {
        let told: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let csv = &told["files"][0];
        assert_eq!((&csv["form"], &csv["sha256"]), (&"csv".into(), &told["manifest"]["sha256"]), "{path:?}");
        told["manifest"]["as_of_sequence"].as_i64().unwrap()
    };
    manifests.map(point).collect()
}

const PACK: &str = "--county c report board-pack --quarter 2017Q2 --accrue-until 2017-06-13T16:00:00Z --out";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_board_pack_is_one_quarter_at_one_point_with_all_its_digests() {
    let mut packs: Vec<BTreeMap<String, String>> = Vec::new();
    for fresh in common::engines().await {
        let office = office(&fresh).await;
        let (desk, client) = (&office.desk, &office.client);
        let folder = tempfile::tempdir().unwrap();
        let (said, complaint, done) = detainerctl(desk, folder.path(), &format!("{PACK} pack --as-of {}", office.seq)).await;
        assert!(done, "{complaint}");
        let pack = folder.path().join("pack");
        let first = digests(&pack);
        assert_eq!(said, format!("pack: {} files of 2017Q2; begin with index.html.\n", first.len() + 1));
        let found: BTreeSet<String> =
            std::fs::read_dir(&pack).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        let listed: BTreeSet<String> = first.keys().cloned().chain(["SHA256SUMS".to_owned()]).collect();
        assert_eq!(found, listed, "every file is listed, and no other is there");

        // The index leads to every file, and its figures are the decade's of that quarter.
        let index = sound(&std::fs::read_to_string(pack.join("index.html")).unwrap());
        let links: BTreeSet<&str> = index.select(&selector("a[href]")).filter_map(|link| link.value().attr("href")).collect();
        let expected: BTreeSet<&str> = found.iter().map(String::as_str).filter(|name| *name != "index.html").collect();
        assert_eq!(links, expected);
        let cards = texts(index.select(&selector(".cards li")));
        for card in ["4detainers received", "$370.00incurred", "$0.00covered by agreements", "$370.00absorbed by the county"] {
            assert!(cards.iter().any(|found| found == card), "{card} in {cards:?}");
        }
        assert_eq!(index.select(&selector("figure svg")).count(), 3);
        // The books and the claims are in it, each as of the same record as the rest.
        let titles = texts(index.select(&selector("tbody th[scope=row]")));
        for title in [
            "What custody after T0 cost, and who pays, by the books, by month and of month",
            "What agreements owe, and what became of it",
            "Holds that have to be claimed soon",
        ] {
            assert!(titles.iter().any(|found| found.starts_with(title)), "{title} in {titles:?}");
        }
        let (_, owed) = table(&pack.join("claim-report.csv"));
        let owed: Vec<[&str; 4]> =
            owed.iter().map(|row| ["agreement", "owed", "unclaimed", "date"].map(|key| row[key].as_str())).collect();
        assert_eq!(owed, [["ice", "180.00", "180.00", "2017-06-12"]]);
        let (_, books) = table(&pack.join("books-by-month.csv"));
        let told: Vec<(&str, &str)> = books.iter().map(|row| (row["month"].as_str(), row["custody_month"].as_str())).collect();
        assert_eq!(told, [("2017-05", "2017-05"), ("2017-06", "2017-06")]);
        // Books count the stay that runs to the record: it has just begun there, and its 120.00 are not in them yet.
        assert_eq!(books.iter().map(|row| cents(&row["incurred"])).sum::<i64>(), 37_000 - 12_000);
        assert_eq!(points(&pack), [office.seq].into());

        // What is recorded while the pack is written is in none of its reports.
        let late = folder.path().join("late");
        let mut told = false;
        let query = pb::ReportQuery { county: "counties/c".into(), accrue_until: decade().accrue_until, ..Default::default() };
        let packed = pack::pack(client, "2017Q2".parse().unwrap(), query, &late, |_, _| {
            if !std::mem::replace(&mut told, true) {
                let recorded = desk.end("b7", detainer::domain::facts::EndKind::Released, NOW);
                tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(recorded));
            }
        });
        packed.await.unwrap();
        let point = points(&late);
        assert_eq!(point.len(), 1, "{point:?}");
        // The same point later: the same bytes. Without it the pack is another.
        for (name, seq, same) in [("again", office.seq, &first), ("late-again", *point.first().unwrap(), &digests(&late))] {
            assert!(detainerctl(desk, folder.path(), &format!("{PACK} {name} --as-of {seq}")).await.2);
            assert_eq!(digests(&folder.path().join(name)), *same, "{name}");
        }
        assert!(detainerctl(desk, folder.path(), &format!("{PACK} now")).await.2);
        assert_ne!(digests(&folder.path().join("now"))["hold-register.csv"], first["hold-register.csv"]);

        // A folder with something in it is not touched; a pack that fails leaves none.
        let (_, complaint, done) = detainerctl(desk, folder.path(), &format!("{PACK} pack")).await;
        assert!(!done && complaint.contains("pack: is not empty"), "{complaint}");
        let (_, complaint, done) = detainerctl(desk, folder.path(), &format!("{PACK} none --as-of 99999")).await;
        assert!(!done, "{complaint}");
        let left: BTreeSet<String> =
            std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        assert_eq!(left, ["again", "late", "late-again", "now", "pack", "token"].map(str::to_owned).into());
        packs.push(first);
        office.desk.close().await;
    }
    for other in &packs[1..] {
        assert_eq!(*other, packs[0], "both engines write the same pack");
    }
}

#[tokio::test]
async fn a_clerk_writes_a_report_to_a_file() {
    let fresh = common::sqlite(common::options()).await;
    let Office { desk, .. } = office(&fresh).await;
    let folder = tempfile::tempdir().unwrap();
    let period = "--from 2010-01-01 --to 2020-01-01";
    let (said, complaint, done) =
        detainerctl(&desk, folder.path(), &format!("--county c report cost-lines {period} --out lines.csv")).await;
    assert!(done && complaint.is_empty(), "{complaint}");
    assert!(said.starts_with("lines.csv: 9 rows as of record "), "{said}");
    let manifest = std::fs::read_to_string(folder.path().join("lines.csv.manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    let bytes = std::fs::read(folder.path().join("lines.csv")).unwrap();
    assert_eq!(manifest["manifest"]["sha256"], hex::encode(Sha256::digest(&bytes)));
    assert_eq!(manifest["files"][0]["name"], "lines.csv");
    // The same bytes on standard output, which can be summed up too.
    let (out, _, done) = detainerctl(&desk, folder.path(), &format!("--county c report cost-lines {period} --format csv")).await;
    assert!(done);
    assert_eq!(out.as_bytes(), bytes);

    let cases = [
        ("report holds --out holds.json --format json", None),
        ("report holds --out holds", Some("holds: in what form? End its name in .csv, .jsonl, .xlsx or .html")),
        ("report holds --out holds.xlsx --format csv", Some("ends as another form than --format says")),
        ("report holds --out holds.csv --utc", Some("a file has each time with the offset of its place")),
        ("report holds --out no/such/holds.csv", Some("no/such/holds.csv")),
        ("report board-pack --quarter 2014Q7 --out pack", Some("`2014Q7` is no quarter: write 2014Q1")),
        ("report board-pack --office MIA --out pack", Some("rests on no office")),
    ];
    for (words, expected) in cases {
        let (_, complaint, done) = detainerctl(&desk, folder.path(), &format!("--county c {words}")).await;
        match expected {
            None => assert!(done, "{words}: {complaint}"),
            Some(expected) => assert!(!done && complaint.contains(expected), "{words}: {complaint}"),
        }
    }
    let left: BTreeSet<String> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let expected = ["holds.json", "holds.json.manifest.json", "lines.csv", "lines.csv.manifest.json", "token"];
    assert_eq!(left, expected.map(str::to_owned).into());
    desk.close().await;
}
