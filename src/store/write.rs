//! The writes of a transaction.
//!
//! All of them come down to rows of values for operations on tables. SQLite runs each operation in a few multi-row
//! statements; PostgreSQL runs the operations of one call together, as one statement, for there each statement is a
//! round trip.

use super::conn::{Statement, made, written};
use super::param::{Grid, postgres_grids, sqlite_grid};
use super::text::{self, Op};
use super::{Engine, Head, HeadMove, Param, StoreError, Tx};
use crate::domain::time::Instant;
use crate::rows::tables::{self, HEADS};
use crate::rows::{BadRow, Batch, Cell, Closing, ColType, Kind, Row, Table, Version};
use std::borrow::Cow;

/// Rows of one operation in one statement of PostgreSQL.
const CHUNK_ROWS: usize = 1_000;
/// Bytes after which a statement of PostgreSQL takes no further row of an operation.
const CHUNK_BYTES: usize = 4 << 20;

/// An operation on a table, with its rows of values.
struct Part {
    op: Op,
    table: &'static Table,
    rows: Vec<Vec<Cell>>,
    /// Whether each row must count.
    exact: bool,
}

/// Parts that touch different rows, so that they may run together.
type Parts = Vec<Part>;

impl Tx {
    /// Makes the heads that are not there yet; answers with how many it made. It leaves those that are there alone.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn create_heads(&mut self, heads: &[Head]) -> Result<u64, StoreError> {
        let rows: Vec<Row> = heads.iter().map(Head::row).collect();
        let before = self.tally.inserted.get(HEADS.name).copied().unwrap_or(0);
        self.apply(row_parts(Op::InsertMissing, &rows)?).await?;
        Ok(self.tally.inserted.get(HEADS.name).copied().unwrap_or(0) - before)
    }

    /// Moves heads forward, each only from where it is expected to stand. On PostgreSQL it answers with the server's
    /// clock; the locks were had before.
    ///
    /// # Errors
    /// [`StoreError::HeadMoved`] if one of them stands elsewhere or is missing; nothing can be committed then.
    pub async fn update_heads(&mut self, moves: &[HeadMove]) -> Result<Option<Instant>, StoreError> {
        self.apply(head_parts(moves)).await
    }

    /// Adds rows to tables without versions: few statements, whatever the number of rows.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] if one is there already, [`StoreError::BadRow`] if one does not fit.
    pub async fn insert(&mut self, rows: &[Row]) -> Result<(), StoreError> {
        self.apply(row_parts(Op::Insert, rows)?).await.map(|_| ())
    }

    /// Adds rows to tables whose rows are changed in place, or replaces the bodies of those that are there.
    ///
    /// # Errors
    /// [`StoreError::BadRow`] if one does not fit or belongs to another kind of table.
    pub async fn upsert(&mut self, rows: &[Row]) -> Result<(), StoreError> {
        if let Some(row) = rows.iter().find(|row| row.table.kind != Kind::Live) {
            return Err(bad_table(row.table, "is never changed in place"));
        }
        self.apply(row_parts(Op::Upsert, rows)?).await.map(|_| ())
    }

    /// Adds versions of rows.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] if a row already has a current version or one from the same sequence on.
    pub async fn insert_versions(&mut self, versions: &[Version]) -> Result<(), StoreError> {
        self.apply(version_parts(versions)?).await.map(|_| ())
    }

    /// Ends current versions.
    ///
    /// # Errors
    /// [`StoreError::WrongCount`] if a row has no current version; nothing can be committed then.
    pub async fn close_versions(&mut self, closings: &[Closing]) -> Result<(), StoreError> {
        self.apply(closing_parts(closings)?).await.map(|_| ())
    }

    /// Writes all that a batch of commands did: ends versions; then adds versions and rows, and moves the heads, each
    /// only from where it is expected to stand. On PostgreSQL these are two statements, and the answer is the
    /// server's clock.
    ///
    /// # Errors
    /// As for the single writes.
    pub async fn flush(&mut self, batch: &Batch, moves: &[HeadMove]) -> Result<Option<Instant>, StoreError> {
        // A statement of its own: a version that ends and one that begins would meet in the index of current ones.
        self.close_versions(batch.closings()).await?;
        let mut parts = row_parts(Op::Insert, batch.appended())?;
        parts.extend(version_parts(batch.versions())?);
        parts.sort_by_key(|part| place(part.table));
        parts.extend(head_parts(moves));
        self.apply(parts).await
    }

    /// Runs a statement that was written by hand and must change `expected` rows, if a number is given. For tables
    /// whose rows are changed in place; `table` is the one it changes.
    ///
    /// # Errors
    /// [`StoreError::WrongCount`] if it changes another number of rows; nothing can be committed then.
    pub async fn execute(
        &mut self,
        table: &'static Table,
        sql: impl Into<Cow<'static, str>>,
        params: &[Param],
        expected: Option<u64>,
    ) -> Result<u64, StoreError> {
        let statement = Statement::new(self.inner.engine(), written(sql.into()), params)?;
        let found = self.run(vec![statement]).await?;
        *self.tally.updated.entry(table.name).or_default() += found;
        match expected {
            Some(expected) if expected != found => {
                self.failed = true;
                Err(StoreError::WrongCount { table: table.name, expected, found })
            }
            _ => Ok(found),
        }
    }

    /// Runs operations, counts what they did, and fails the transaction where that is not what they had to do.
    async fn apply(&mut self, parts: Parts) -> Result<Option<Instant>, StoreError> {
        let (counts, clock) = match self.inner.engine() {
            Engine::Sqlite => (self.apply_sqlite(&parts).await?, None),
            Engine::Postgres => self.apply_postgres(&parts).await?,
        };
        for (part, found) in parts.iter().zip(counts) {
            let tally = if part.op.adds() { &mut self.tally.inserted } else { &mut self.tally.updated };
            *tally.entry(part.table.name).or_default() += found;
            let expected = part.rows.len() as u64;
            if part.exact && expected != found {
                self.failed = true;
                return Err(wrong_count(part, expected, found));
            }
        }
        Ok(clock)
    }

    /// Each operation by itself, in statements of as few sizes as serve.
    async fn apply_sqlite(&mut self, parts: &[Part]) -> Result<Vec<u64>, StoreError> {
        let mut counts = Vec::with_capacity(parts.len());
        for part in parts {
            let types = part.op.types(part.table);
            let mut statements = Vec::new();
            let mut rest = part.rows.as_slice();
            for size in text::sizes(part.rows.len()) {
                let (now, later) = rest.split_at(size.min(rest.len()));
                rest = later;
                let rows: Vec<Vec<&Cell>> = now.iter().map(|row| row.iter().collect()).collect();
                let args = sqlite_grid(Grid { types: &types, rows: &rows }, size)?;
                let key = (part.op.name(), part.table.name, size, Cow::Borrowed(""));
                let sql = self.inner.text(key, || part.op.sqlite(part.table, size));
                statements.push(Statement { sql: made(sql), args });
            }
            counts.push(self.run(statements).await?);
        }
        Ok(counts)
    }

    /// All operations together; where one has many rows, in several rounds.
    async fn apply_postgres(&mut self, parts: &[Part]) -> Result<(Vec<u64>, Option<Instant>), StoreError> {
        let chunks: Vec<Vec<&[Vec<Cell>]>> = parts.iter().map(|part| chunks(&part.rows)).collect();
        let rounds = chunks.iter().map(Vec::len).max().unwrap_or(0);
        let (mut counts, mut clock) = (vec![0; parts.len()], None);
        for round in 0..rounds {
            let now: Vec<(usize, &[Vec<Cell>])> =
                chunks.iter().enumerate().filter_map(|(at, of)| of.get(round).map(|rows| (at, *rows))).collect();
            let (found, at) = self.round_postgres(parts, &now).await?;
            for ((part, _), found) in now.iter().zip(found) {
                if let Some(count) = counts.get_mut(*part) {
                    *count += found;
                }
            }
            clock = Some(at);
        }
        Ok((counts, clock))
    }

    /// One statement: some rows of some parts, each part by its place.
    async fn round_postgres(&mut self, parts: &[Part], now: &[(usize, &[Vec<Cell>])]) -> Result<(Vec<u64>, Instant), StoreError> {
        let with_parts: Vec<(&Part, &[Vec<Cell>])> =
            now.iter().filter_map(|(at, rows)| parts.get(*at).map(|part| (part, *rows))).collect();
        let types: Vec<Vec<ColType>> = with_parts.iter().map(|(part, _)| part.op.types(part.table)).collect();
        let cells: Vec<Vec<Vec<&Cell>>> =
            with_parts.iter().map(|(_, rows)| rows.iter().map(|row| row.iter().collect()).collect()).collect();
        let args = postgres_grids(types.iter().zip(&cells).map(|(types, rows)| Grid { types, rows }))?;
        let names: Vec<String> = with_parts.iter().map(|(part, _)| format!("{} {}", part.op.name(), part.table.name)).collect();
        let sql = self.inner.text(("bundle", "", 0, names.join(",").into()), || {
            let bundled: Vec<(Op, &Table)> = with_parts.iter().map(|(part, _)| (part.op, part.table)).collect();
            text::bundle(&bundled)
        });
        let answer_types = vec![ColType::Int; with_parts.len() + 1];
        let answer = self.fetch(Statement { sql: made(sql), args }, &answer_types).await?;
        let mut numbers: Vec<i64> = answer.into_iter().flatten().filter_map(|cell| cell.as_int()).collect();
        let clock = Instant::from_micros(numbers.pop().unwrap_or(0));
        Ok((numbers.into_iter().map(i64::unsigned_abs).collect(), clock))
    }
}

/// Rows in pieces that a statement can take: by number and by size.
fn chunks(rows: &[Vec<Cell>]) -> Vec<&[Vec<Cell>]> {
    let size = |cell: &Cell| match cell {
        Cell::Text(s) => s.len(),
        Cell::Bytes(b) => b.len(),
        Cell::Int(_) | Cell::Null => 8,
    };
    let (mut chunks, mut start, mut bytes) = (Vec::new(), 0, 0);
    for (at, row) in rows.iter().enumerate() {
        if at - start == CHUNK_ROWS || bytes > CHUNK_BYTES {
            chunks.extend(rows.get(start..at));
            (start, bytes) = (at, 0);
        }
        bytes += row.iter().map(size).sum::<usize>();
    }
    chunks.extend(rows.get(start..).filter(|rest| !rest.is_empty()));
    chunks
}

fn row_parts(op: Op, rows: &[Row]) -> Result<Parts, StoreError> {
    let mut parts = Parts::new();
    for row in rows {
        if row.table.kind == Kind::Versioned {
            return Err(bad_table(row.table, "is written by version"));
        }
        row.check()?;
        part(&mut parts, op, row.table).rows.push(row.cells().cloned().collect());
    }
    Ok(parts)
}

fn version_parts(versions: &[Version]) -> Result<Parts, StoreError> {
    let mut parts = Parts::new();
    for Version { row, from_seq, to_seq } in versions {
        if row.table.kind != Kind::Versioned {
            return Err(bad_table(row.table, "has no versions"));
        }
        row.check()?;
        let cells = row.cells().cloned().chain([(*from_seq).into(), (*to_seq).into()]).collect();
        part(&mut parts, Op::Insert, row.table).rows.push(cells);
    }
    Ok(parts)
}

fn closing_parts(closings: &[Closing]) -> Result<Parts, StoreError> {
    let mut parts = Parts::new();
    for Closing { table, key, to_seq } in closings {
        if table.kind != Kind::Versioned {
            return Err(bad_table(table, "has no versions"));
        }
        if key.len() != table.key.len() {
            return Err(bad_table(table, "has a key of another length"));
        }
        part(&mut parts, Op::Close, table).rows.push(key.iter().cloned().chain([(*to_seq).into()]).collect());
    }
    Ok(parts)
}

fn head_parts(moves: &[HeadMove]) -> Parts {
    let mut parts = Parts::new();
    for HeadMove { expect_seq, to } in moves {
        let Row { key, body, .. } = to.row();
        part(&mut parts, Op::MoveHeads, &HEADS).rows.push(key.into_iter().chain([(*expect_seq).into()]).chain(body).collect());
    }
    parts
}

/// The part of a table, made on first use, in the order of [`tables::ALL`].
fn part<'a>(parts: &'a mut Parts, op: Op, table: &'static Table) -> &'a mut Part {
    let here = place(table);
    let at = parts.partition_point(|part| place(part.table) < here);
    if parts.get(at).is_none_or(|part| part.table.name != table.name) {
        parts.insert(at, Part { op, table, rows: Vec::new(), exact: op != Op::InsertMissing });
    }
    &mut parts[at]
}

/// Where a table comes in the order of writing.
fn place(table: &Table) -> usize {
    tables::ALL.iter().position(|t| t.name == table.name).unwrap_or(usize::MAX)
}

fn wrong_count(part: &Part, expected: u64, found: u64) -> StoreError {
    match part.op {
        Op::MoveHeads => StoreError::HeadMoved { expected, moved: expected.saturating_sub(found) },
        _ => StoreError::WrongCount { table: part.table.name, expected, found },
    }
}

fn bad_table(table: &'static Table, why: &'static str) -> StoreError {
    StoreError::BadRow(BadRow { table: table.name, column: "the table", why })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_bounded_in_rows_and_bytes() {
        let row = |bytes: usize| vec![Cell::from(vec![0_u8; bytes])];
        let lengths = |rows: &[Vec<Cell>]| chunks(rows).iter().map(|c| c.len()).collect::<Vec<_>>();
        assert_eq!(lengths(&[]), [0_usize; 0]);
        assert_eq!(lengths(&vec![row(1); 2_300]), [1_000, 1_000, 300]);
        assert_eq!(lengths(&vec![row(3 << 20); 5]), [2, 2, 1]);
    }
}
