//! `ImportService`: files of earlier records, row by row.
//!
//! Rows are carried out by the same calls that record one thing at a time ([`row`]), many rows at once, so that the
//! ledger can commit them together. Two rows that speak of the same booking, subject or row id go one after the other,
//! in the order of the file ([`order`]); results leave in the order of the rows. What is taken in is bounded in number
//! and in bytes, and a caller who does not read results is sent none and asked for none.
//!
//! A refusal belongs to its row. What is no fault of a row, such as a database that does not answer, ends the stream; the
//! same file sent again then goes on where it stopped, for each operation's request id is made from the source's name,
//! the row's id and its place.

mod order;
mod recorded;
mod row;

use super::auth::{Principal, principal};
use super::time::{Fields, wire_pair};
use super::{Api, error, names};
use crate::domain::ids::{CountyId, check_id};
use crate::ledger::AsOf;
use crate::pb::{self, ErrorReason, ImportOutcome};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesOrdered;
use order::Order;
use pb::import_request::Part;
use pb::import_response::Part as Answer;
use prost::Message as _;
pub(super) use recorded::Recorded;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

/// Rows being carried out at a time.
const WINDOW: usize = 256;
/// Bytes of rows being carried out at a time, but for one row more.
const WINDOW_BYTES: usize = 8 << 20;
/// Results that wait for the caller to read them.
const UNREAD: usize = 64;

/// One stream: who imports what.
struct Import {
    api: Api,
    /// The caller, marked as loading history where the header says so.
    caller: Principal,
    county: CountyId,
    source: String,
    validate_only: bool,
}

type Answers = mpsc::Sender<Result<pb::ImportResponse, Status>>;

#[tonic::async_trait]
impl pb::import_service_server::ImportService for Api {
    type ImportStream = ReceiverStream<Result<pb::ImportResponse, Status>>;

    async fn import(&self, request: Request<Streaming<pb::ImportRequest>>) -> Result<Response<Self::ImportStream>, Status> {
        let caller = principal(&request)?;
        let mut requests = request.into_inner();
        let first = requests.message().await.map_err(error::of_transport)?;
        let Some(Part::Header(header)) = first.and_then(|first| first.part) else {
            return Err(bad_part("header", "must be the first message of the stream"));
        };
        let import = self.begun(caller, header).await?;
        let (answers, read) = mpsc::channel(UNREAD);
        tokio::spawn(async move {
            // An error says that the caller went away.
            let _ = import.run(requests, &answers).await;
        });
        Ok(Response::new(ReceiverStream::new(read)))
    }
}

fn bad_part(field: &str, why: &str) -> Status {
    error::bad_fields(ErrorReason::FieldInvalid, vec![(field.to_owned(), why.to_owned())])
}

/// The caller went away.
struct Gone;

impl Api {
    /// Checks the header.
    async fn begun(&self, caller: Principal, header: pb::ImportHeader) -> Result<Import, Status> {
        let mut fields = Fields::new();
        let county = fields.name("header.county", &header.county, names::county);
        fields.take("header.source_name", check_id(&header.source_name));
        fields.digest("header.source_sha256", &header.source_sha256);
        let Some(county) = county else { return Err(fields.refusal()) };
        fields.finish()?;
        self.county_at(&caller, &county, AsOf::Latest).await?;
        tracing::info!(%county, source = header.source_name, sha256 = hex::encode(&header.source_sha256), "an import begins");
        let caller = Principal { history: header.history, ..caller };
        Ok(Import { api: self.clone(), caller, county, source: header.source_name, validate_only: header.validate_only })
    }
}

impl Import {
    async fn run(self, mut requests: Streaming<pb::ImportRequest>, answers: &Answers) -> Result<(), Gone> {
        let import = Arc::new(self);
        let stopping = import.api.stopping.clone();
        let mut order = Order::default();
        let mut under_way = FuturesOrdered::new();
        let mut summary = pb::ImportSummary::default();
        let mut bytes = 0;
        // Why no more rows are taken: nothing, while some are; the end of the file; or what is wrong.
        let mut end: Option<Result<(), Status>> = None;
        while end.is_none() || !under_way.is_empty() {
            let may_take = end.is_none() && under_way.len() < WINDOW && bytes < WINDOW_BYTES;
            tokio::select! {
                biased;
                () = stopping.cancelled() => {
                    let stopped = error::status(ErrorReason::ShuttingDown, "the server stops; send the file again");
                    return answers.send(Err(stopped)).await.map_err(|_| Gone);
                }
                () = answers.closed() => return Err(Gone),
                Some((result, size)) = under_way.next() => {
                    bytes -= size;
                    let result: pb::ImportRowResult = match result {
                        Ok(result) => result,
                        Err(status) => return answers.send(Err(status)).await.map_err(|_| Gone),
                    };
                    count(&mut summary, &result);
                    let answer = pb::ImportResponse { part: Some(Answer::RowResult(result)) };
                    tokio::select! {
                        sent = answers.send(Ok(answer)) => sent.map_err(|_| Gone)?,
                        () = stopping.cancelled() => {}
                    }
                }
                message = requests.message(), if may_take => match message {
                    Ok(None) => end = Some(Ok(())),
                    Ok(Some(pb::ImportRequest { part: Some(Part::Row(row)) })) => {
                        let size = row.encoded_len();
                        bytes += size;
                        let (import, turn) = (import.clone(), order.enter(row::keys(&row)));
                        under_way.push_back(async move {
                            let _turn = turn.come().await;
                            (import.row(row).await, size)
                        });
                    }
                    Ok(Some(_)) => end = Some(Err(bad_part("row", "must be set in every message after the first"))),
                    Err(status) => end = Some(Err(error::of_transport(status))),
                },
            }
        }
        let last = match end.unwrap_or(Ok(())) {
            Ok(()) => import.finished(summary).await,
            Err(status) => Err(status),
        };
        answers.send(last).await.map_err(|_| Gone)
    }

    async fn finished(&self, summary: pb::ImportSummary) -> Result<pb::ImportResponse, Status> {
        let pair = self.api.ledger.as_of(&self.county, AsOf::Latest).await.map_err(|error| error::of_ledger("Import", error))?;
        tracing::info!(county = %self.county, source = self.source, ?summary, "an import is through");
        let summary = pb::ImportSummary { as_of_pair: Some(wire_pair(pair)), ..summary };
        Ok(pb::ImportResponse { part: Some(Answer::Summary(summary)) })
    }
}

fn count(summary: &mut pb::ImportSummary, result: &pb::ImportRowResult) {
    summary.row_count += 1;
    match result.outcome() {
        ImportOutcome::Recorded => summary.recorded_count += 1,
        ImportOutcome::AlreadyRecorded => summary.already_recorded_count += 1,
        ImportOutcome::Rejected | ImportOutcome::Unspecified => summary.rejected_count += 1,
    }
}
