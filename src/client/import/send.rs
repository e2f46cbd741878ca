//! Rows sent and results taken, with a bounded number of rows on the way.

use std::collections::VecDeque;

use futures_util::{Stream, StreamExt as _};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::{ImportError, ImportTotals, RowOutcome};
use crate::client::Client;
use crate::client::error::ClientError;
use crate::client::mapping::RowProblem;
use crate::pb;
use pb::import_request::Part as Request;
use pb::import_response::Part as Response;

/// How many rows may be on the way, sent and not yet answered.
pub const WINDOW: usize = 512;

/// A row to be sent, or one that cannot be, with whatever the caller wants back beside its result.
#[derive(Clone, Debug)]
pub enum Entry<T> {
    /// To be sent.
    Row(pb::ImportRow, T),
    /// Not to be sent; its result takes its place.
    Unreadable(RowProblem, T),
}

/// A row's result.
#[derive(Clone, Debug)]
pub struct Answered<T> {
    /// The row's id; empty where it was never read.
    pub row_id: String,
    /// What became of it.
    pub outcome: RowOutcome,
    /// What the caller gave with it.
    pub with: T,
}

/// A row on the way.
struct Waiting<T> {
    row_id: String,
    unreadable: Option<RowProblem>,
    with: T,
}

/// Sends rows and hands each result to `done`, in the order of the rows.
///
/// # Errors
/// A call failed, the stream broke off, or the answers do not fit the rows. What was answered before stays recorded.
pub async fn send<T, S>(
    client: &Client,
    header: pb::ImportHeader,
    mut entries: S,
    mut done: impl FnMut(Answered<T>),
) -> Result<ImportTotals, ImportError>
where
    S: Stream<Item = Result<Entry<T>, ImportError>> + Unpin,
{
    let (requests, outgoing) = mpsc::channel::<pb::ImportRequest>(WINDOW + 1);
    let first = pb::ImportRequest { part: Some(Request::Header(header)) };
    requests.try_send(first).map_err(|_| broken("the stream is closed"))?;
    let mut answers = client.import(ReceiverStream::new(outgoing)).await?;
    let mut requests = Some(requests);
    let mut waiting: VecDeque<Waiting<T>> = VecDeque::new();
    let mut totals = ImportTotals::default();
    loop {
        let may_send = requests.is_some() && waiting.len() < WINDOW;
        tokio::select! {
            entry = entries.next(), if may_send => match entry {
                None => requests = None,
                Some(entry) => {
                    let sent = accept(entry?, &mut waiting);
                    if let (Some(row), Some(requests)) = (sent, &requests) {
                        // The channel has room for the header and a whole window; if the server hung up, the
                        // answer says why.
                        let _hung_up = requests.try_send(pb::ImportRequest { part: Some(Request::Row(row)) });
                    }
                }
            },
            answer = answers.message() => {
                let answer = answer.map_err(|status| client.error(&status))?;
                match answer.and_then(|answer| answer.part) {
                    Some(Response::RowResult(result)) => settle(&result, &mut waiting, &mut totals, &mut done)?,
                    Some(Response::Summary(summary)) => {
                        totals.head = summary.as_of_pair.map_or(0, |pair| pair.sequence);
                        flush(&mut waiting, &mut totals, &mut done);
                        return finish(&waiting, requests.is_none(), totals);
                    }
                    None => return Err(broken("it ended without a summary")),
                }
            }
        }
        flush(&mut waiting, &mut totals, &mut done);
    }
}

fn broken(detail: &str) -> ImportError {
    ImportError::Call(ClientError::Answer(format!("import: {detail}")))
}

fn accept<T>(entry: Entry<T>, waiting: &mut VecDeque<Waiting<T>>) -> Option<pb::ImportRow> {
    match entry {
        Entry::Row(row, with) => {
            waiting.push_back(Waiting { row_id: row.row_id.clone(), unreadable: None, with });
            Some(row)
        }
        Entry::Unreadable(problem, with) => {
            waiting.push_back(Waiting { row_id: String::new(), unreadable: Some(problem), with });
            None
        }
    }
}

fn settle<T>(
    result: &pb::ImportRowResult,
    waiting: &mut VecDeque<Waiting<T>>,
    totals: &mut ImportTotals,
    done: &mut impl FnMut(Answered<T>),
) -> Result<(), ImportError> {
    flush(waiting, totals, done);
    let Some(row) = waiting.pop_front().filter(|row| row.row_id == result.row_id) else {
        return Err(broken(&format!("row {} was answered out of order", result.row_id)));
    };
    let outcome = RowOutcome::of(result);
    totals.count(&outcome);
    done(Answered { row_id: row.row_id, outcome, with: row.with });
    Ok(())
}

/// Hands out the results of rows at the front that were never sent.
fn flush<T>(waiting: &mut VecDeque<Waiting<T>>, totals: &mut ImportTotals, done: &mut impl FnMut(Answered<T>)) {
    while waiting.front().is_some_and(|row| row.unreadable.is_some()) {
        let Some(Waiting { row_id, unreadable: Some(problem), with }) = waiting.pop_front() else { return };
        let outcome = RowOutcome::Unreadable(problem);
        totals.count(&outcome);
        done(Answered { row_id, outcome, with });
    }
}

fn finish<T>(waiting: &VecDeque<Waiting<T>>, all_sent: bool, totals: ImportTotals) -> Result<ImportTotals, ImportError> {
    match (waiting.len(), all_sent) {
        (0, true) => Ok(totals),
        (left, _) => Err(broken(&format!("the summary came while {left} rows had no answer"))),
    }
}
