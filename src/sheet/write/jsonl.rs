//! JSON lines: one object a row under the columns' names, times with their offset, amounts in cents, lengths in seconds and
//! microseconds; the last line is `{"manifest": ..., "total": ...}`. A file without it is cut short.

use std::io::{self, BufWriter, Write};

use serde_json::{Map, Value, json};

use super::{Ending, Heading, Writer, about};
use crate::sheet::table::Cell;

pub(super) struct Lines<W: Write> {
    out: BufWriter<W>,
    heading: Heading,
}

impl<W: Write> Lines<W> {
    pub fn new(heading: &Heading, out: W) -> Self {
        Self { out: BufWriter::new(out), heading: heading.clone() }
    }

    fn object(&self, cells: &[Cell]) -> Value {
        let columns = self.heading.layout.columns.iter();
        Value::Object(columns.zip(cells).map(|(column, cell)| (column.key.to_owned(), cell.json(false))).collect())
    }

    fn line(&mut self, value: &Value) -> io::Result<()> {
        serde_json::to_writer(&mut self.out, value)?;
        self.out.write_all(b"\n")
    }
}

impl<W: Write> Writer<W> for Lines<W> {
    fn row(&mut self, cells: &[Cell]) -> io::Result<()> {
        let object = self.object(cells);
        self.line(&object)
    }

    fn finish(mut self: Box<Self>, ending: Ending<'_>) -> io::Result<W> {
        let mut last = Map::new();
        last.insert("manifest".to_owned(), about::json(ending.manifest, self.heading.zone));
        if let Some(total) = ending.total {
            last.insert("total".to_owned(), self.object(total));
        }
        if !self.heading.notes.is_empty() {
            last.insert("notes".to_owned(), json!(self.heading.notes));
        }
        self.line(&Value::Object(last))?;
        self.out.into_inner().map_err(io::IntoInnerError::into_error)
    }
}
