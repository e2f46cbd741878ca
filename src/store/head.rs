//! The head of a county's journal as a value.

use super::StoreError;
use crate::domain::ids::CountyId;
use crate::domain::time::Instant;
use crate::rows::tables::HEADS;
use crate::rows::{Cell, Row};
use std::sync::Arc;

/// How far a county's journal goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Head {
    /// The county.
    pub county: CountyId,
    /// The last sequence given out; 0 before the first record.
    pub seq: i64,
    /// Hashes of the complete subtrees of the journal's tree.
    pub frontier: Arc<[u8]>,
    /// The last recorded instant.
    pub recorded_at: Instant,
    /// The format of the records written.
    pub format: i64,
    /// Counts the operators' acceptances of a clock that went back.
    pub epoch: i64,
}

/// A head's step forward, fenced by where it must stand.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HeadMove {
    /// The sequence at which the head must stand.
    pub expect_seq: i64,
    /// What it becomes.
    pub to: Head,
}

impl Head {
    /// As a row of `heads`.
    #[must_use]
    pub fn row(&self) -> Row {
        let body =
            vec![self.seq.into(), self.frontier.clone().into(), self.recorded_at.into(), self.format.into(), self.epoch.into()];
        Row::new(&HEADS, vec![self.county.as_str().into()], body)
    }

    /// From a row of `heads`.
    ///
    /// # Errors
    /// Names the column that cannot be read.
    pub fn of(row: &Row) -> Result<Self, StoreError> {
        let number = |name: &'static str| row.get(name).and_then(Cell::as_int).ok_or_else(|| unreadable(row, name));
        let county = row.key.first().and_then(Cell::as_text).ok_or_else(|| unreadable(row, "county"))?;
        let frontier = match row.get("frontier") {
            Some(Cell::Bytes(bytes)) => bytes.clone(),
            _ => return Err(unreadable(row, "frontier")),
        };
        Ok(Self {
            county: CountyId::trusted(county),
            seq: number("seq")?,
            frontier,
            recorded_at: Instant::from_micros(number("recorded_at")?),
            format: number("format")?,
            epoch: number("epoch")?,
        })
    }
}

fn unreadable(row: &Row, column: &'static str) -> StoreError {
    StoreError::Unreadable {
        table: row.table.name.to_owned(),
        column: column.to_owned(),
        id: row.id(),
        why: "is missing or of another type",
    }
}
