//! The canonical file of a report: the one form whose bytes a manifest's SHA-256 speaks of, and its reader.
//!
//! CSV after RFC 4180, UTF-8 without a mark, every line ended by CR LF, one header line, a field quoted only where it holds
//! a comma, a quote, CR or LF. One line a row and no line of totals, so that a column adds up to its total. In a field:
//!
//! - an instant as RFC 3339 with the offset of its place's zone, with six decimals where it is not of a whole second;
//! - a length in seconds with as many decimals as it needs, under a header that ends in `_seconds`;
//! - an amount as a decimal of two places; the column `currency` says of what;
//! - a day as `2014-01-31`, yes and no as `true` and `false`, a word of the contract as `honor-always`, nothing as nothing;
//! - any other text as it is, but for the guard: one that begins as a formula might, or with an apostrophe, is written with
//!   one apostrophe more, and [`Reader`] takes exactly one away. Numbers are typed and have none.
//!
//! What is written here never changes: another form is another report version. To add a kind of cell: its form in
//! [`super::table`], its way back in [`typed`], and a case in the tests of both.

use std::io::{self, Read, Write};

use chrono::{DateTime, NaiveDate, TimeDelta};
use chrono_tz::Tz;
use sha2::{Digest as _, Sha256};

use super::table::{Cell, Column, Kind};

/// Characters with which a spreadsheet may take a text for a formula, or drop the apostrophe before it.
const GUARDED: [char; 12] = ['=', '+', '-', '@', '\t', '\r', '\n', '\'', '＝', '＋', '－', '＠'];

/// A text as a spreadsheet may open it.
pub(super) fn guarded(text: String) -> String {
    if text.starts_with(GUARDED) { format!("'{text}") } else { text }
}

/// The text that was guarded.
fn unguarded(text: &str) -> &str {
    text.strip_prefix('\'').unwrap_or(text)
}

/// The header of a column.
#[must_use]
pub fn header(column: &Column) -> String {
    if column.kind == Kind::Length { format!("{}_seconds", column.key) } else { column.key.to_owned() }
}

/// Writes the canonical file, row by row.
#[derive(Debug)]
pub struct Canonical<W: Write> {
    csv: csv::Writer<W>,
    utc: bool,
}

impl<W: Write> Canonical<W> {
    /// Writes the header.
    ///
    /// # Errors
    /// As the writer's.
    pub fn new(out: W, columns: &[Column]) -> io::Result<Self> {
        Self::in_zone(out, columns, false)
    }

    /// The same, with every instant in UTC where that is asked: then it is not the canonical file.
    ///
    /// # Errors
    /// As the writer's.
    pub fn in_zone(out: W, columns: &[Column], utc: bool) -> io::Result<Self> {
        let mut csv = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
        csv.write_record(columns.iter().map(header))?;
        Ok(Self { csv, utc })
    }

    /// Writes a row, as wide as the columns.
    ///
    /// # Errors
    /// As the writer's; where it is not as wide.
    pub fn row(&mut self, cells: &[Cell]) -> io::Result<()> {
        Ok(self.csv.write_record(cells.iter().map(|cell| cell.in_csv(self.utc)))?)
    }

    /// Ends the file and gives the writer back.
    ///
    /// # Errors
    /// As the writer's.
    pub fn finish(self) -> io::Result<W> {
        self.csv.into_inner().map_err(csv::IntoInnerError::into_error)
    }
}

/// The canonical file's SHA-256 and number of rows, without the file.
#[derive(Debug)]
pub struct Digest {
    file: Canonical<Sha256>,
    rows: i64,
}

/// What a report's canonical file comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sum {
    /// SHA-256 of its bytes.
    pub sha256: [u8; 32],
    /// Its rows, without the header.
    pub rows: i64,
}

impl Digest {
    /// Of a file with these columns and no row yet.
    ///
    /// # Errors
    /// Where the header cannot be written.
    pub fn new(columns: &[Column]) -> io::Result<Self> {
        Ok(Self { file: Canonical::new(Sha256::new(), columns)?, rows: 0 })
    }

    /// Takes a row in, as wide as the columns.
    ///
    /// # Errors
    /// Where it is not as wide.
    pub fn row(&mut self, cells: &[Cell]) -> io::Result<()> {
        self.rows += 1;
        self.file.row(cells)
    }

    /// What the file comes to.
    ///
    /// # Errors
    /// Where its end cannot be written.
    pub fn finish(self) -> io::Result<Sum> {
        Ok(Sum { rows: self.rows, sha256: self.file.finish()?.finalize().into() })
    }
}

/// Why a canonical file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is no CSV in UTF-8, or a line is not as wide as the header.
    #[error("{0}")]
    Csv(#[from] csv::Error),
    /// Another header than the report has.
    #[error("its header is `{found}` where this report has `{expected}`")]
    Header {
        /// What the file has.
        found: String,
        /// What it should have.
        expected: String,
    },
    /// A field is not of its column's kind.
    #[error("row {row}: {column}: `{found}` is no {kind}")]
    Field {
        /// The row, from 1.
        row: u64,
        /// The column's header.
        column: String,
        /// What stands there.
        found: String,
        /// What should stand there.
        kind: &'static str,
    },
}

/// Reads canonical files.
#[derive(Debug)]
pub struct Reader<R: Read> {
    csv: csv::Reader<R>,
    header: Vec<String>,
    record: csv::StringRecord,
    rows: u64,
}

impl<R: Read> Reader<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// [`ReadError::Csv`].
    pub fn new(file: R) -> Result<Self, ReadError> {
        let mut csv = csv::Reader::from_reader(file);
        let header = csv.headers()?.iter().map(str::to_owned).collect();
        Ok(Self { csv, header, record: csv::StringRecord::new(), rows: 0 })
    }

    /// The names of the columns.
    #[must_use]
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// The next row's fields, every guard taken away; nothing at the end.
    ///
    /// # Errors
    /// [`ReadError::Csv`].
    pub fn fields(&mut self) -> Result<Option<Vec<String>>, ReadError> {
        if !self.csv.read_record(&mut self.record)? {
            return Ok(None);
        }
        self.rows += 1;
        Ok(Some(self.record.iter().map(|field| unguarded(field).to_owned()).collect()))
    }

    /// The next row as cells of a report's columns; nothing at the end. Words of the contract come as texts, instants in
    /// the zone that the row's `time_zone` names, else in UTC.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn cells(&mut self, columns: &[Column]) -> Result<Option<Vec<Cell>>, ReadError> {
        let expected: Vec<String> = columns.iter().map(header).collect();
        if expected != self.header {
            return Err(ReadError::Header { found: self.header.join(","), expected: expected.join(",") });
        }
        let Some(fields) = self.fields()? else { return Ok(None) };
        let named = |key: &str| columns.iter().zip(&fields).find(|(column, _)| column.key == key).map_or("", |(_, field)| field);
        let (zone, currency) = (named("time_zone").parse().unwrap_or(Tz::UTC), named("currency"));
        let cell = |(column, field): (&Column, &String)| {
            typed(column.kind, field, zone, currency).ok_or_else(|| ReadError::Field {
                row: self.rows,
                column: header(column),
                found: field.clone(),
                kind: wanted(column.kind),
            })
        };
        columns.iter().zip(&fields).map(cell).collect::<Result<_, _>>().map(Some)
    }
}

fn wanted(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "text",
        Kind::Int => "whole number",
        Kind::Flag => "true or false",
        Kind::Money => "amount, as -1234.50 is",
        Kind::Time => "time, as 2014-01-01T00:00:00-05:00 is",
        Kind::Length => "number of seconds, with six decimals at most",
        Kind::Day => "day, as 2014-01-31 is",
    }
}

/// A field without its guard as a cell of a kind.
#[must_use]
pub fn typed(kind: Kind, field: &str, zone: Tz, currency: &str) -> Option<Cell> {
    if field.is_empty() {
        return Some(Cell::Empty);
    }
    Some(match kind {
        Kind::Text => Cell::Text(field.to_owned()),
        Kind::Int => Cell::Int(field.parse().ok()?),
        Kind::Flag => Cell::Flag(field.parse().ok()?),
        Kind::Money => Cell::Money(currency.to_owned(), i64::try_from(scaled(field, 2)?).ok()?),
        Kind::Time => Cell::Time(DateTime::parse_from_rfc3339(field).ok()?.to_utc(), zone),
        Kind::Length => {
            let micros = scaled(field, 6)?;
            let whole = TimeDelta::try_seconds(i64::try_from(micros.div_euclid(1_000_000)).ok()?)?;
            Cell::Length(whole.checked_add(&TimeDelta::microseconds(i64::try_from(micros.rem_euclid(1_000_000)).ok()?))?)
        }
        Kind::Day => Cell::Day(NaiveDate::parse_from_str(field, "%Y-%m-%d").ok()?),
    })
}

/// A decimal number as so many of its smallest unit: `-1.5` with two places is -150.
fn scaled(field: &str, places: usize) -> Option<i128> {
    let (sign, digits) = field.strip_prefix('-').map_or((1, field), |rest| (-1, rest));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty()
        || part.len() > places
        || !are_digits(whole)
        || !are_digits(part)
        || (digits.contains('.') && part.is_empty())
    {
        return None;
    }
    let number: i128 = format!("{whole}{part:0<places$}").parse().ok()?;
    number.checked_mul(sign)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sheet::table::{column, more};
    use proptest::prelude::*;

    fn columns() -> Vec<Column> {
        vec![
            column("name", "NAME"),
            more("count").of(Kind::Int),
            more("late").of(Kind::Flag),
            more("cost").of(Kind::Money),
            more("since").of(Kind::Time),
            more("held").of(Kind::Length),
            more("day").of(Kind::Day),
            more("note"),
            more("time_zone"),
            more("currency"),
        ]
    }

    fn file(columns: &[Column], rows: &[Vec<Cell>]) -> Vec<u8> {
        let mut file = Canonical::new(Vec::new(), columns).unwrap();
        rows.iter().for_each(|row| file.row(row).unwrap());
        file.finish().unwrap()
    }

    fn at(text: &str) -> Cell {
        Cell::Time(DateTime::parse_from_rfc3339(text).unwrap().to_utc(), Tz::America__New_York)
    }

    #[test]
    fn the_bytes_of_a_file() {
        let row = |name: &str, note: &str| {
            vec![
                Cell::text(name),
                Cell::Int(-7),
                Cell::Flag(true),
                Cell::Money("USD".into(), -5),
                at("2014-01-01T05:00:00.25Z"),
                Cell::Length(TimeDelta::microseconds(-1_500_000)),
                Cell::Day(NaiveDate::from_ymd_opt(2014, 1, 31).unwrap()),
                Cell::Text(note.into()),
                Cell::text("America/New_York"),
                Cell::text("USD"),
            ]
        };
        let bytes = file(&columns(), &[row("=1+1", "a, \"b\"\r\nc"), row("'tis", "")]);
        let expected = "name,count,late,cost,since,held_seconds,day,note,time_zone,currency\r\n\
            '=1+1,-7,true,-0.05,2014-01-01T00:00:00.250000-05:00,-1.5,2014-01-31,\"a, \"\"b\"\"\r\nc\",America/New_York,USD\r\n\
            ''tis,-7,true,-0.05,2014-01-01T00:00:00.250000-05:00,-1.5,2014-01-31,,America/New_York,USD\r\n";
        assert_eq!(String::from_utf8(bytes.clone()).unwrap(), expected);
        let mut digest = Digest::new(&columns()).unwrap();
        digest.row(&row("=1+1", "a, \"b\"\r\nc")).unwrap();
        digest.row(&row("'tis", "")).unwrap();
        assert_eq!(digest.finish().unwrap(), Sum { rows: 2, sha256: Sha256::digest(&bytes).into() });
    }

    #[test]
    fn what_is_guarded() {
        let guarded = ["=a", "+1", "-1", "@a", "\ta", "\ra", "\na", "'a", "''", "＝a", "＋1", "－1", "＠a"];
        for text in guarded {
            assert_eq!(super::guarded(text.to_owned()), format!("'{text}"));
        }
        for text in ["a=", " =a", "a'", "1", "", "\"=a"] {
            assert_eq!(super::guarded(text.to_owned()), text);
        }
        // A number is none: it has its own kind, and is not touched.
        assert_eq!(Cell::Money("USD".into(), -1).in_csv(false), "-0.01");
        assert_eq!(Cell::Text("-0.01".into()).in_csv(false), "'-0.01");
    }

    #[test]
    fn a_row_of_another_width_is_refused() {
        assert!(Digest::new(&columns()).unwrap().row(&[Cell::Int(1)]).is_err());
    }

    #[test]
    fn what_is_not_of_its_kind_is_named() {
        let cases = [
            (Kind::Int, "1.0"),
            (Kind::Flag, "yes"),
            (Kind::Money, "1.234"),
            (Kind::Money, "$1"),
            (Kind::Money, "1."),
            (Kind::Money, ".5"),
            (Kind::Money, "--1"),
            (Kind::Money, "92233720368547758.08"),
            (Kind::Time, "2014-01-01"),
            (Kind::Length, "0.0000001"),
            (Kind::Length, "1e3"),
            (Kind::Day, "2014-02-30"),
        ];
        for (kind, field) in cases {
            assert_eq!(typed(kind, field, Tz::UTC, "USD"), None, "{kind:?} {field}");
        }
        let mut reader = Reader::new(&b"count\r\none\r\n"[..]).unwrap();
        let error = reader.cells(&[more("count").of(Kind::Int)]).unwrap_err().to_string();
        assert_eq!(error, "row 1: count: `one` is no whole number");
        let mut reader = Reader::new(&b"count\r\n1\r\n"[..]).unwrap();
        let error = reader.cells(&[more("held").of(Kind::Length)]).unwrap_err().to_string();
        assert_eq!(error, "its header is `count` where this report has `held_seconds`");
    }

    /// Texts that a careless form would lose.
    fn texts() -> impl Strategy<Value = String> {
        let hard = prop::sample::select(vec![
            "'", "''", "=", "'=1", "+1", "-1", "@", "\t", "\r", "\n", "\r\n", "\"", "\"\"", ",", "\u{feff}", "\0", "a\rb", "＝1",
        ]);
        let parts = prop_oneof![any::<String>(), hard.prop_map(str::to_owned)];
        prop::collection::vec(parts, 0..4).prop_map(|parts| parts.concat())
    }

    fn rows() -> impl Strategy<Value = Vec<Cell>> {
        let zone = Tz::America__Chicago;
        let length = (-9_000_000_000_000_000_i64..9_000_000_000_000_000).prop_map(TimeDelta::microseconds);
        let time = (-60_000_000_000_000_000_i64..200_000_000_000_000_000).prop_map(DateTime::from_timestamp_micros);
        let day = (1_i32..9_999, 1_u32..=366).prop_map(|(year, day)| NaiveDate::from_yo_opt(year, day));
        let numbers = (any::<i64>(), any::<bool>(), any::<i64>());
        let written = |text: String| if text.is_empty() { Cell::Empty } else { Cell::Text(text) };
        (texts(), numbers, time, length, day, texts()).prop_map(move |(name, (count, late, cents), at, held, day, note)| {
            vec![
                written(name),
                Cell::Int(count),
                Cell::Flag(late),
                Cell::Money("USD".into(), cents),
                at.map_or(Cell::Empty, |at| Cell::Time(at, zone)),
                Cell::Length(held),
                day.map_or(Cell::Empty, Cell::Day),
                written(note),
                Cell::Text(zone.to_string()),
                Cell::Text("USD".into()),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(rows in prop::collection::vec(rows(), 0..5)) {
            let columns = columns();
            let bytes = file(&columns, &rows);
            let mut reader = Reader::new(bytes.as_slice()).unwrap();
            let mut again = Vec::new();
            while let Some(row) = reader.cells(&columns).unwrap() {
                again.push(row);
            }
            prop_assert_eq!(&again, &rows);
            prop_assert_eq!(file(&columns, &again), bytes);
        }

        #[test]
        fn no_text_is_left_as_a_formula(text in texts()) {
            let written = Cell::Text(text.clone()).in_csv(false);
            prop_assert!(!written.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']), "{:?}", written);
            prop_assert_eq!(unguarded(&written), text.as_str());
        }
    }
}
