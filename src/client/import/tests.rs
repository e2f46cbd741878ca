//! The importer against a stub of the service on a loopback port, and the reader against files of our own.

use std::io::Write as _;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use futures_util::Stream;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, Streaming};

use super::file::{Job, Step, run};
use super::{ImportTotals, RowOutcome};
use crate::client::{Client, Credential};
use crate::pb;
use pb::import_service_server::{ImportService, ImportServiceServer};

/// Answers rows as a server does: `bad` ids are refused, ids seen before are known.
#[derive(Clone, Default)]
struct Stub {
    seen: Arc<Mutex<std::collections::HashSet<String>>>,
    header: Arc<Mutex<Option<pb::ImportHeader>>>,
}

#[tonic::async_trait]
impl ImportService for Stub {
    type ImportStream = Pin<Box<dyn Stream<Item = Result<pb::ImportResponse, Status>> + Send>>;

    async fn import(&self, request: Request<Streaming<pb::ImportRequest>>) -> Result<Response<Self::ImportStream>, Status> {
        if request.metadata().get("authorization").is_none_or(|v| v != "Bearer secret") {
            return Err(Status::unauthenticated("no credential"));
        }
        let mut rows = request.into_inner();
        let stub = self.clone();
        let (answers, stream) = tokio::sync::mpsc::channel(4);
        tokio::spawn(async move {
            let mut count = 0;
            while let Some(Ok(message)) = rows.next().await {
                match message.part {
                    Some(pb::import_request::Part::Header(header)) => *stub.header.lock().unwrap() = Some(header),
                    Some(pb::import_request::Part::Row(row)) => {
                        count += 1;
                        let part = pb::import_response::Part::RowResult(stub.answer(row));
                        answers.send(Ok(pb::ImportResponse { part: Some(part) })).await.unwrap();
                    }
                    None => {}
                }
            }
            let summary = pb::ImportSummary { row_count: count, ..Default::default() };
            let part = pb::import_response::Part::Summary(summary);
            answers.send(Ok(pb::ImportResponse { part: Some(part) })).await.unwrap();
        });
        Ok(Response::new(Box::pin(tokio_stream::wrappers::ReceiverStream::new(stream))))
    }
}

impl Stub {
    fn answer(&self, row: pb::ImportRow) -> pb::ImportRowResult {
        let mut seen = self.seen.lock().unwrap();
        let outcome = if row.row_id.starts_with("bad") {
            pb::ImportOutcome::Rejected
        } else if seen.contains(&row.row_id) {
            pb::ImportOutcome::AlreadyRecorded
        } else {
            seen.insert(row.row_id.clone());
            pb::ImportOutcome::Recorded
        };
        pb::ImportRowResult { row_id: row.row_id, outcome: outcome.into(), message: "no".to_owned(), ..Default::default() }
    }
}

struct NoFacilities;

#[tonic::async_trait]
impl pb::county_service_server::CountyService for NoFacilities {
    async fn create_county(&self, _: Request<pb::CreateCountyRequest>) -> Result<Response<pb::CreateCountyResponse>, Status> {
        Err(Status::unimplemented("stub"))
    }
    async fn get_county(&self, _: Request<pb::GetCountyRequest>) -> Result<Response<pb::GetCountyResponse>, Status> {
        Err(Status::unimplemented("stub"))
    }
    async fn update_county(&self, _: Request<pb::UpdateCountyRequest>) -> Result<Response<pb::UpdateCountyResponse>, Status> {
        Err(Status::unimplemented("stub"))
    }
    async fn list_counties(&self, _: Request<pb::ListCountiesRequest>) -> Result<Response<pb::ListCountiesResponse>, Status> {
        Err(Status::unimplemented("stub"))
    }
    async fn create_facility(
        &self,
        request: Request<pb::CreateFacilityRequest>,
    ) -> Result<Response<pb::CreateFacilityResponse>, Status> {
        assert_eq!(request.into_inner().facility_id, "jail");
        Ok(Response::new(pb::CreateFacilityResponse::default()))
    }
    async fn update_facility(
        &self,
        _: Request<pb::UpdateFacilityRequest>,
    ) -> Result<Response<pb::UpdateFacilityResponse>, Status> {
        Err(Status::unimplemented("stub"))
    }
    async fn list_facilities(
        &self,
        _: Request<pb::ListFacilitiesRequest>,
    ) -> Result<Response<pb::ListFacilitiesResponse>, Status> {
        Ok(Response::new(pb::ListFacilitiesResponse::default()))
    }
    async fn set_calendar(&self, _: Request<pb::SetCalendarRequest>) -> Result<Response<pb::SetCalendarResponse>, Status> {
        Err(Status::unimplemented("stub"))
    }
    async fn get_calendar(&self, _: Request<pb::GetCalendarRequest>) -> Result<Response<pb::GetCalendarResponse>, Status> {
        Err(Status::unimplemented("stub"))
    }
}

const MAPPING: &str = r#"
format = 1
title = "test"
source_name = "test"
[file]
row_id = "{id}"
group_by = "{id}"
[time]
zone = "America/Denver"
formats = ["%Y-%m-%d"]
[facility]
id = "jail"
name = "Jail"
[booking]
id = "{id}"
booked = "{day}"
bases = "known"
[[basis]]
id = "{#}"
kind = "charge"
open = "{day}"
"#;

async fn serve(stub: Stub) -> Client {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = tonic::transport::Server::builder()
        .add_service(ImportServiceServer::new(stub))
        .add_service(pb::county_service_server::CountyServiceServer::new(NoFacilities))
        .serve_with_incoming(TcpListenerStream::new(listener));
    tokio::spawn(server);
    Client::connect(&address, Credential::secret("secret").unwrap()).await.unwrap()
}

fn job(folder: &tempfile::TempDir, csv: &[u8]) -> Job {
    let (file, mapping_file) = (folder.path().join("rows.csv.gz"), folder.path().join("map.toml"));
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(csv).unwrap();
    std::fs::write(&file, packed.finish().unwrap()).unwrap();
    std::fs::write(&mapping_file, MAPPING).unwrap();
    Job { county: "c".to_owned(), file, mapping_file, validate_only: false }
}

#[tokio::test]
async fn every_row_has_its_result_in_order_also_those_never_sent() {
    let stub = Stub::default();
    let client = serve(stub.clone()).await;
    let folder = tempfile::tempdir().unwrap();
    let job = job(&folder, b"id,day\na,2024-01-01\na,2024-01-01\nb,never\nbad1,2024-01-02\nc,2024-01-03\nd,2024-01-03,x\n");
    let mut results = Vec::new();
    let mut scanned = (0, 0);
    let totals = run(&client, Some(&client), &job, |step| match step {
        Step::Row(answered) => results.push((answered.row_id, answered.outcome, answered.with.len())),
        Step::Scanned { rows, facilities, .. } => scanned = (rows, facilities),
        Step::FacilityMade => {}
    })
    .await
    .unwrap();
    assert_eq!(scanned, (5, 1));
    let shown: Vec<String> = results
        .iter()
        .map(|(id, outcome, records)| format!("{id} {} {records} {}", outcome.word(), outcome.reason().unwrap_or_default()))
        .collect();
    assert_eq!(
        shown,
        [
            "a recorded 2 ",
            " rejected 1 line 4, booking.booked: `never` is no time like %Y-%m-%d",
            "bad1 rejected 1 operation 1: no []",
            "c recorded 1 ",
            " rejected 1 line 7: it has 3 columns, and the header has 2",
        ]
    );
    let expected = ImportTotals { rows: 5, recorded: 2, already_recorded: 0, rejected: 3, facilities_created: 1, head: 0 };
    assert_eq!(totals, expected);
    assert_eq!(stub.header.lock().unwrap().as_ref().map(|h| (h.history, h.source_sha256.len())), Some((true, 32)));

    let again = run(&client, Some(&client), &job, |_| {}).await.unwrap();
    assert_eq!((again.recorded, again.already_recorded, again.rejected), (0, 2, 3));
}

#[tokio::test]
async fn far_more_rows_than_the_window_come_back_in_order() {
    let client = serve(Stub::default()).await;
    let folder = tempfile::tempdir().unwrap();
    let mut csv = String::from("id,day\n");
    for n in 0..3_000 {
        let day = if n % 7 == 0 { "never" } else { "2024-01-01" };
        csv += &format!("r{n},{day}\n");
    }
    let mut next = 0;
    let totals = run(&client, Some(&client), &job(&folder, csv.as_bytes()), |step| {
        if let Step::Row(answered) = step {
            assert_eq!(answered.with[0].fields.get(0), Some(format!("r{next}").as_str()));
            assert_eq!(matches!(answered.outcome, RowOutcome::Unreadable(_)), next % 7 == 0);
            next += 1;
        }
    })
    .await
    .unwrap();
    assert_eq!((totals.rows, totals.rejected), (3_000, 429));
}

/// The folder of real files that this repository does not hold. A test that needs them passes over their absence.
fn shared(name: &str) -> Option<std::path::PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data");
    let named = std::env::var("DETAINER_SHARED_DATA").ok();
    let file = std::path::Path::new(named.as_deref().unwrap_or(beside)).join(name);
    assert!(named.is_none() || file.exists(), "DETAINER_SHARED_DATA names a folder without {name}");
    Some(file).filter(|file| file.exists())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_real_files_map_and_only_rows_without_a_facility_are_left_out() {
    let cases = [
        ("ice_detainers_fy2015ytd_national.csv.gz", "national-detainers-fy2015.toml", 79_053, 6, 2_751),
        ("jail_charges_with_holds.csv", "jail-charges.toml", 204, 0, 1),
    ];
    for (file, mapping, rows, rejected, facilities) in cases {
        let Some(file) = shared(file) else { continue };
        let client = serve(Stub::default()).await;
        let mapping_file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings").join(mapping);
        let job = Job { county: "c".to_owned(), file, mapping_file, validate_only: true };
        let mut missing = 0;
        let totals = run(&client, None, &job, |step| match step {
            Step::Scanned { facilities, .. } => missing = facilities,
            Step::Row(answered) => {
                let reason = answered.outcome.reason().unwrap_or_else(|| "facility: the row has no facility".to_owned());
                assert!(reason.ends_with("facility: the row has no facility"), "{reason}");
            }
            Step::FacilityMade => {}
        })
        .await
        .unwrap();
        assert_eq!((totals.rows, totals.rejected, missing), (rows, rejected, facilities), "{mapping}");
    }
}
