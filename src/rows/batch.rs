//! What the commands of one batch, taken together, do to the tables.

use super::{Cell, Changes, Row, Table};
use std::collections::HashMap;

/// One version of a row: it was so from `from_seq` on, until `to_seq` where that is known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Version {
    /// The row.
    pub row: Row,
    /// First sequence at which it was so.
    pub from_seq: i64,
    /// First sequence at which it was no longer so.
    pub to_seq: Option<i64>,
}

/// The end of a version that is already stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Closing {
    /// The table.
    pub table: &'static Table,
    /// The key of the row.
    pub key: Vec<Cell>,
    /// First sequence at which it was no longer so.
    pub to_seq: i64,
}

/// Gathers the changes of successive commands, so that each table is written once per batch.
///
/// A row opened by one command and closed by a later one of the same batch is stored once, already closed.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    closings: Vec<Closing>,
    versions: Vec<Version>,
    appended: Vec<Row>,
    /// Where in `versions` the open version of a key stands.
    open: HashMap<(&'static str, Vec<Cell>), usize>,
}

impl Batch {
    /// An empty batch.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds what one command changed; `seq` is the last sequence of its records. Commands are added in their order.
    pub fn add(&mut self, changes: Changes, seq: i64) {
        for (table, key) in changes.closed {
            let place = (table.name, key);
            match self.open.remove(&place) {
                Some(at) => {
                    if let Some(version) = self.versions.get_mut(at) {
                        version.to_seq = Some(seq);
                    }
                }
                None => self.closings.push(Closing { table, key: place.1, to_seq: seq }),
            }
        }
        for row in changes.opened {
            self.open.insert((row.table.name, row.key.clone()), self.versions.len());
            self.versions.push(Version { row, from_seq: seq, to_seq: None });
        }
        self.appended.extend(changes.appended);
    }

    /// Adds one row of an append-only table: a record, a request.
    pub fn append(&mut self, row: Row) {
        self.appended.push(row);
    }

    /// Versions already stored that end.
    #[must_use]
    pub fn closings(&self) -> &[Closing] {
        &self.closings
    }

    /// Versions that begin; some may have ended within the batch.
    #[must_use]
    pub fn versions(&self) -> &[Version] {
        &self.versions
    }

    /// Rows added to append-only tables.
    #[must_use]
    pub fn appended(&self) -> &[Row] {
        &self.appended
    }

    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.closings.is_empty() && self.versions.is_empty() && self.appended.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Column, Kind};
    use super::*;

    static V: Table = Table { name: "v", kind: Kind::Versioned, key: &[Column::text("county")], body: &[Column::int("b")] };

    fn row(county: &str, b: i64) -> Row {
        Row::new(&V, vec![county.into()], vec![b.into()])
    }

    fn replace(county: &str, b: i64) -> Changes {
        Changes { closed: vec![(&V, vec![county.into()])], opened: vec![row(county, b)], appended: vec![] }
    }

    #[test]
    fn a_row_that_came_and_went_within_the_batch_is_stored_closed() {
        let mut batch = Batch::new();
        batch.add(replace("a", 1), 10);
        batch.add(Changes { opened: vec![row("b", 1)], ..Changes::default() }, 11);
        batch.add(replace("a", 2), 12);
        batch.add(Changes { closed: vec![(&V, vec!["b".into()])], ..Changes::default() }, 13);
        assert_eq!(batch.closings(), [Closing { table: &V, key: vec!["a".into()], to_seq: 10 }]);
        let version = |row, from_seq, to_seq| Version { row, from_seq, to_seq };
        assert_eq!(
            batch.versions(),
            [version(row("a", 1), 10, Some(12)), version(row("b", 1), 11, Some(13)), version(row("a", 2), 12, None)]
        );
    }
}
