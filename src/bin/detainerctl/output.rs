//! Answers on standard output, as `--format` says.

use std::io::{self, BufWriter, Write as _};

use detainer::client::Client;
use detainer::pb;
use detainer::sheet::table::{Cell, Look, Sheet, Table, field};
use detainer::sheet::time;

use crate::context::{Context, Failure};

/// Writes a table.
pub fn table(context: &Context, table: &Table) -> Result<(), Failure> {
    write(|out| table.write(out, context.look()))
}

/// Writes a sheet.
pub fn sheet(context: &Context, sheet: &Sheet) -> Result<(), Failure> {
    write(|out| sheet.write(out, context.look()))
}

/// Writes a text as it is.
pub fn text(text: &str) -> Result<(), Failure> {
    write(|out| out.write_all(text.as_bytes()))
}

/// A reader that hangs up, as `head` does, is no failure.
fn write(form: impl FnOnce(&mut dyn io::Write) -> io::Result<()>) -> Result<(), Failure> {
    let mut out = BufWriter::new(io::stdout().lock());
    match form(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

/// Writes what a write recorded: a line for people, the proof for programs.
pub async fn recorded(context: &Context, client: &Client, what: &str, receipt: Option<&pb::Receipt>) -> Result<(), Failure> {
    let Some(receipt) = receipt else {
        return sheet(context, &Sheet { title: format!("{what}: would be recorded; nothing was."), ..Sheet::default() });
    };
    let zone = match context.look() {
        Look { utc: true, .. } => chrono_tz::Tz::UTC,
        // It is recorded, whatever becomes of this question.
        _ => context.county_zone(client, &receipt.county).await.unwrap_or(chrono_tz::Tz::UTC),
    };
    let shown = receipt.recorded_time.as_ref().and_then(time::utc).map(|at| time::show(at, zone)).unwrap_or_default();
    let fields = vec![
        field("county", "", Cell::text(receipt.county.as_str())),
        field("sequence", "", Cell::Int(receipt.sequence)),
        field("recorded_time", "", Cell::time(receipt.recorded_time.as_ref(), zone)),
        field("tree_root", "", Cell::text(hex::encode(&receipt.tree_root))),
        field("etag", "", Cell::text(receipt.etag.as_str())),
    ];
    let title = format!("{what}: recorded at {shown} as number {}.", receipt.sequence);
    sheet(context, &Sheet { title, fields, ..Sheet::default() })
}
