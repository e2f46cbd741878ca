//! Values on their way to a statement, for either engine.

use crate::domain::time::Instant;
use crate::rows::{Cell, ColType};
use sqlx::Arguments as _;
use sqlx::postgres::PgArguments;
use sqlx::sqlite::SqliteArguments;
use std::sync::Arc;

/// A typed value that may be nothing. The type is there also where the value is not: PostgreSQL asks for it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Param {
    /// A number, an instant in microseconds, a day number.
    Int(Option<i64>),
    /// Text.
    Text(Option<Arc<str>>),
    /// Bytes.
    Bytes(Option<Arc<[u8]>>),
}

impl Param {
    /// A cell of a column with this type. A cell of another type becomes nothing; rows are checked before.
    #[must_use]
    pub fn of(ty: ColType, cell: &Cell) -> Self {
        match (ty, cell) {
            (ColType::Int, Cell::Int(n)) => Self::Int(Some(*n)),
            (ColType::Int, _) => Self::Int(None),
            (ColType::Text, Cell::Text(s)) => Self::Text(Some(s.clone())),
            (ColType::Text, _) => Self::Text(None),
            (ColType::Bytes, Cell::Bytes(b)) => Self::Bytes(Some(b.clone())),
            (ColType::Bytes, _) => Self::Bytes(None),
        }
    }
}

macro_rules! param_from {
    ($($from:ty => $variant:ident |$value:ident| $made:expr;)+) => {$(
        impl From<$from> for Param {
            fn from($value: $from) -> Self {
                Self::$variant(Some($made))
            }
        }

        impl From<Option<$from>> for Param {
            fn from(value: Option<$from>) -> Self {
                Self::$variant(value.map(|$value| $made))
            }
        }
    )+};
}

param_from! {
    i64 => Int |n| n;
    Instant => Int |at| at.micros();
    &str => Text |s| s.into();
    String => Text |s| s.into();
    Arc<str> => Text |s| s;
    &[u8] => Bytes |b| b.into();
    Vec<u8> => Bytes |b| b.into();
    Arc<[u8]> => Bytes |b| b;
}

/// The values of one statement, encoded for the engine that will run it.
pub(super) enum Args {
    Sqlite(SqliteArguments),
    Postgres(PgArguments),
}

/// Why values could not be encoded: only ever their size.
pub(super) struct TooLarge;

/// Encodes single values for SQLite.
pub(super) fn sqlite_args<'a>(params: impl ExactSizeIterator<Item = &'a Param>) -> Result<Args, TooLarge> {
    let mut args = SqliteArguments::default();
    args.reserve(params.len(), 0);
    for param in params {
        match param {
            Param::Int(n) => args.add(*n),
            Param::Text(s) => args.add(s.clone()),
            Param::Bytes(b) => args.add(b.clone()),
        }
        .map_err(|_| TooLarge)?;
    }
    Ok(Args::Sqlite(args))
}

/// Encodes single values for PostgreSQL.
pub(super) fn postgres_args<'a>(params: impl ExactSizeIterator<Item = &'a Param>) -> Result<Args, TooLarge> {
    let mut args = PgArguments::default();
    args.reserve(params.len(), params.len() * 16);
    for param in params {
        match param {
            Param::Int(n) => args.add(*n),
            Param::Text(s) => args.add(s.as_deref()),
            Param::Bytes(b) => args.add(b.as_deref()),
        }
        .map_err(|_| TooLarge)?;
    }
    Ok(Args::Postgres(args))
}

/// A table of values, row by row, in columns of known types: what multi-row statements take.
#[derive(Clone, Copy)]
pub(super) struct Grid<'a> {
    /// The type of each column.
    pub types: &'a [ColType],
    /// The rows; each has one cell per column.
    pub rows: &'a [Vec<&'a Cell>],
}

/// Encodes a grid for SQLite: one value after the other, and rows of nothing until there are `padded_to`.
pub(super) fn sqlite_grid(grid: Grid<'_>, padded_to: usize) -> Result<Args, TooLarge> {
    let mut args = SqliteArguments::default();
    args.reserve(grid.types.len() * padded_to, 0);
    for row in grid.rows {
        for cell in row {
            match cell {
                Cell::Int(n) => args.add(*n),
                Cell::Text(s) => args.add(s.clone()),
                Cell::Bytes(b) => args.add(b.clone()),
                Cell::Null => args.add(None::<i64>),
            }
            .map_err(|_| TooLarge)?;
        }
    }
    for _ in 0..padded_to.saturating_sub(grid.rows.len()) * grid.types.len() {
        args.add(None::<i64>).map_err(|_| TooLarge)?;
    }
    Ok(Args::Sqlite(args))
}

/// Encodes grids for PostgreSQL: one array per column, grid after grid.
pub(super) fn postgres_grids<'a>(grids: impl Iterator<Item = Grid<'a>>) -> Result<Args, TooLarge> {
    let mut args = PgArguments::default();
    for grid in grids {
        for (at, ty) in grid.types.iter().enumerate() {
            let column = grid.rows.iter().map(|row| row.get(at).copied().unwrap_or(&Cell::Null));
            match ty {
                ColType::Int => args.add(column.map(Cell::as_int).collect::<Vec<_>>()),
                ColType::Text => args.add(column.map(Cell::as_text).collect::<Vec<_>>()),
                ColType::Bytes => args.add(column.map(Cell::as_bytes).collect::<Vec<_>>()),
            }
            .map_err(|_| TooLarge)?;
        }
    }
    Ok(Args::Postgres(args))
}
