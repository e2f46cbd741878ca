//! What a state looks like in tables: typed cells, rows, and the difference between two sets of rows.
//!
//! This room is pure. Beside `store` it is the only one that names columns. It never opens a database, never
//! writes SQL and never reads a clock.
//!
//! How to add a column: put it in the table's descriptor in [`tables`], in a new migration file of both
//! engines, and fill it where the state is turned into rows. The conformance suite fails while the descriptor
//! and the real table differ.

mod batch;
mod diff;
pub mod state;
pub mod tables;

pub use batch::{Batch, Closing, Version};
pub use diff::{Changes, DiffError, diff};

use crate::domain::time::Instant;
use std::fmt;
use std::sync::Arc;

/// The three kinds of value a column can hold. Both engines order and compare them in the same way.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ColType {
    /// A signed 64-bit integer: numbers, cents, instants in microseconds, days.
    Int,
    /// Text without NUL, ordered by its bytes.
    Text,
    /// Bytes: hashes, sealed texts, protobuf.
    Bytes,
}

/// One value of a row.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cell {
    /// A number, an instant in microseconds or a day number.
    Int(i64),
    /// Text.
    Text(Arc<str>),
    /// Bytes.
    Bytes(Arc<[u8]>),
    /// Nothing; only in nullable columns.
    Null,
}

impl Cell {
    /// The number, if this is one.
    #[must_use]
    pub fn as_int(&self) -> Option<i64> {
        if let Self::Int(n) = self { Some(*n) } else { None }
    }

    /// The text, if this is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(s) = self { Some(s) } else { None }
    }

    /// The bytes, if these are some.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&[u8]> {
        if let Self::Bytes(b) = self { Some(b) } else { None }
    }

    /// Whether nothing is here.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

/// Numbers and texts as they are; bytes only by their count, for they may be sealed or secret.
impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(n) => write!(f, "{n}"),
            Self::Text(s) => write!(f, "{s:?}"),
            Self::Bytes(b) => write!(f, "<{} bytes>", b.len()),
            Self::Null => f.write_str("null"),
        }
    }
}

macro_rules! cell_from {
    ($($from:ty => |$value:ident| $cell:expr;)+) => {$(
        impl From<$from> for Cell {
            fn from($value: $from) -> Self {
                $cell
            }
        }
    )+};
}

cell_from! {
    i64 => |n| Self::Int(n);
    u32 => |n| Self::Int(i64::from(n));
    i32 => |n| Self::Int(i64::from(n));
    bool => |yes| Self::Int(i64::from(yes));
    Instant => |at| Self::Int(at.micros());
    &str => |s| Self::Text(s.into());
    String => |s| Self::Text(s.into());
    Arc<str> => |s| Self::Text(s);
    &[u8] => |b| Self::Bytes(b.into());
    Vec<u8> => |b| Self::Bytes(b.into());
    Arc<[u8]> => |b| Self::Bytes(b);
}

/// Nothing where there is no value.
impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// One column of a table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Column {
    /// Its name, the same on both engines; never a word that SQL reserves.
    pub name: &'static str,
    /// What it holds.
    pub ty: ColType,
    /// Whether it may hold nothing. Never true in a key.
    pub nullable: bool,
}

impl Column {
    /// A column of numbers, never empty.
    #[must_use]
    pub const fn int(name: &'static str) -> Self {
        Self { name, ty: ColType::Int, nullable: false }
    }

    /// A column of text, never empty.
    #[must_use]
    pub const fn text(name: &'static str) -> Self {
        Self { name, ty: ColType::Text, nullable: false }
    }

    /// A column of bytes, never empty.
    #[must_use]
    pub const fn bytes(name: &'static str) -> Self {
        Self { name, ty: ColType::Bytes, nullable: false }
    }

    /// The same column, which may also hold nothing.
    #[must_use]
    pub const fn null(self) -> Self {
        Self { nullable: true, ..self }
    }

    /// Why a value cannot stand in this column, if it cannot.
    #[must_use]
    pub fn objection(&self, cell: &Cell) -> Option<&'static str> {
        match (self.ty, cell) {
            (_, Cell::Null) if self.nullable => None,
            (_, Cell::Null) => Some("is empty and may not be"),
            (ColType::Text, Cell::Text(s)) if s.contains('\0') => Some("holds a NUL character"),
            (ColType::Int, Cell::Int(_)) | (ColType::Text, Cell::Text(_)) | (ColType::Bytes, Cell::Bytes(_)) => None,
            (ColType::Int, _) => Some("is not a number"),
            (ColType::Text, _) => Some("is not text"),
            (ColType::Bytes, _) => Some("is not bytes"),
        }
    }
}

/// How the rows of a table come and go.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// Every version of a row is kept: it was so from `from_seq` on, until `to_seq` where that is not null. Both
    /// columns are added to the described ones; `from_seq` is the last part of the primary key.
    Versioned,
    /// Rows are added once and never change.
    Append,
    /// Rows are changed in place: heads, and what is not a fold of the journal.
    Live,
}

/// The first sequence at which a version of a row was so.
pub const FROM_SEQ: Column = Column::int("from_seq");
/// The first sequence at which it was no longer so; null while it still is.
pub const TO_SEQ: Column = Column::int("to_seq").null();

/// What a table looks like, on both engines.
#[derive(PartialEq, Eq, Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// How its rows come and go.
    pub kind: Kind,
    /// What tells one row from another (without `from_seq`). The first is the county, but for `principals`.
    pub key: &'static [Column],
    /// Everything else.
    pub body: &'static [Column],
}

impl Table {
    /// The described columns: key, then body.
    pub fn columns(&self) -> impl Iterator<Item = &'static Column> + Clone {
        self.key.iter().chain(self.body)
    }

    /// All columns in the order in which they are stored: key, body, and the two of a versioned table.
    pub fn stored_columns(&self) -> impl Iterator<Item = &'static Column> + Clone {
        let versions: &'static [Column] = if self.kind == Kind::Versioned { &[FROM_SEQ, TO_SEQ] } else { &[] };
        self.columns().chain(versions)
    }
}

/// One row of a table, without its versions.
#[derive(Clone, PartialEq, Eq)]
pub struct Row {
    /// The table it belongs to.
    pub table: &'static Table,
    /// One cell per column of the key.
    pub key: Vec<Cell>,
    /// One cell per column of the body.
    pub body: Vec<Cell>,
}

impl Row {
    /// A row; whether it fits its table is looked at by [`Row::check`], which the store calls on every write.
    #[must_use]
    pub fn new(table: &'static Table, key: Vec<Cell>, body: Vec<Cell>) -> Self {
        Self { table, key, body }
    }

    /// All cells: key, then body.
    pub fn cells(&self) -> impl Iterator<Item = &Cell> {
        self.key.iter().chain(&self.body)
    }

    /// The cell of a named column.
    #[must_use]
    pub fn get(&self, column: &str) -> Option<&Cell> {
        let at = self.table.columns().position(|c| c.name == column)?;
        self.cells().nth(at)
    }

    /// Whether every cell fits its column.
    ///
    /// # Errors
    /// Names the first column that does not, and why.
    pub fn check(&self) -> Result<(), BadRow> {
        let bad = |column, why| Err(BadRow { table: self.table.name, column, why });
        if self.key.len() != self.table.key.len() {
            return bad("the key", "has another number of cells than the table's");
        }
        if self.body.len() != self.table.body.len() {
            return bad("the body", "has another number of cells than the table's");
        }
        for (column, cell) in self.table.columns().zip(self.cells()) {
            if let Some(why) = column.objection(cell) {
                return bad(column.name, why);
            }
        }
        Ok(())
    }

    /// The key for a message about this row: its cells with a slash between them.
    #[must_use]
    pub fn id(&self) -> String {
        id_of(&self.key)
    }
}

#[expect(clippy::missing_fields_in_debug, reason = "key and body are shown by column")]
impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut row = f.debug_struct(self.table.name);
        for (column, cell) in self.table.columns().zip(self.cells()) {
            row.field(column.name, cell);
        }
        row.finish()
    }
}

/// A key for a message: its cells with a slash between them.
#[must_use]
pub fn id_of(key: &[Cell]) -> String {
    let word = |cell: &Cell| match cell {
        Cell::Text(s) => s.to_string(),
        other => format!("{other:?}"),
    };
    key.iter().map(word).collect::<Vec<_>>().join("/")
}

/// A row that does not fit its table.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a row of {table} cannot be stored: {column} {why}")]
pub struct BadRow {
    /// The table.
    pub table: &'static str,
    /// The column at fault.
    pub column: &'static str,
    /// What is wrong with it.
    pub why: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    static PLAIN: Table = Table {
        name: "plain",
        kind: Kind::Append,
        key: &[Column::text("county")],
        body: &[Column::int("n"), Column::bytes("hash").null()],
    };

    /// A key, a body, and the column and complaint expected.
    type Fit = (Vec<Cell>, Vec<Cell>, Option<(&'static str, &'static str)>);

    #[test]
    fn a_row_must_fit_its_table() {
        let cases: [Fit; 7] = [
            (vec!["a".into()], vec![1_i64.into(), Cell::Null], None),
            (vec!["a".into()], vec![1_i64.into(), vec![0_u8].into()], None),
            (vec![], vec![1_i64.into(), Cell::Null], Some(("the key", "has another number of cells than the table's"))),
            (vec!["a".into()], vec![1_i64.into()], Some(("the body", "has another number of cells than the table's"))),
            (vec!["a".into()], vec![Cell::Null, Cell::Null], Some(("n", "is empty and may not be"))),
            (vec!["a\0b".into()], vec![1_i64.into(), Cell::Null], Some(("county", "holds a NUL character"))),
            (vec!["a".into()], vec!["1".into(), Cell::Null], Some(("n", "is not a number"))),
        ];
        for (key, body, expected) in cases {
            let row = Row::new(&PLAIN, key, body);
            let found = row.check().err().map(|bad| (bad.column, bad.why));
            assert_eq!(found, expected, "{row:?}");
        }
    }

    #[test]
    fn bytes_are_not_shown() {
        let row = Row::new(&PLAIN, vec!["a".into()], vec![1_i64.into(), b"secret".as_slice().into()]);
        assert_eq!(format!("{row:?}"), r#"plain { county: "a", n: 1, hash: <6 bytes> }"#);
        assert_eq!(row.id(), "a");
        assert_eq!(row.get("n"), Some(&Cell::Int(1)));
        assert_eq!(row.get("m"), None);
    }
}
