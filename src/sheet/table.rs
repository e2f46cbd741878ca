//! Answers laid out: as a table for people, as CSV for spreadsheets, as JSON for programs. Pure.
//!
//! A [`Table`] has typed cells, so that each form writes a time, an amount or a length in its own way: a person reads
//! `2014-01-01 00:00 EST` and `$5.25`, a program `2014-01-01T00:00:00-05:00` and `5.25`. Columns marked `more` are
//! left out for people, who have a hundred columns of screen.

use std::io::{self, Write};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table as Grid, TableComponent, Width, presets};
use prost_types::{Duration, Timestamp};
use serde_json::{Map, Value, json};

use super::canonical::guarded;
use super::time;
use super::words::{self, Word};
use crate::pb;

/// How answers are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// A table for people.
    #[default]
    Table,
    /// Comma-separated values, one header line.
    Csv,
    /// One JSON document.
    Json,
}

/// How answers look.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// In which form.
    pub format: Format,
    /// Times in UTC rather than in the zone of the place.
    pub utc: bool,
    /// Columns of the screen.
    pub width: u16,
}

impl Default for Look {
    fn default() -> Self {
        Self { format: Format::Table, utc: false, width: 100 }
    }
}

/// What stands in one place of a table.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Nothing.
    Empty,
    /// Words.
    Text(String),
    /// A word of the contract, as `honor-always`; people read `honor always`. In capitals where they must not miss it.
    Word(String),
    /// A number.
    Int(i64),
    /// Yes or no.
    Flag(bool),
    /// An amount: ISO code and hundredths.
    Money(String, i64),
    /// An instant and the zone of its place.
    Time(DateTime<Utc>, Tz),
    /// A length of time.
    Length(TimeDelta),
    /// A local day.
    Day(NaiveDate),
    /// The value of a key that has none: `(none)` for people, nothing for programs.
    None,
}

impl Cell {
    /// Words; nothing where there are none.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        if text.is_empty() { Self::Empty } else { Self::Text(text) }
    }

    /// A value of one of the contract's enums; nothing for the unspecified one.
    #[must_use]
    pub fn word<W: Word>(number: i32) -> Self {
        let word = words::word_of::<W>(number);
        if word.is_empty() { Self::Empty } else { Self::Word(word) }
    }

    /// An instant of the wire.
    #[must_use]
    pub fn time(at: Option<&Timestamp>, zone: Tz) -> Self {
        at.and_then(time::utc).map_or(Self::Empty, |at| Self::Time(at, zone))
    }

    /// A length of the wire.
    #[must_use]
    pub fn length(length: Option<&Duration>) -> Self {
        length.and_then(time::delta).map_or(Self::Empty, Self::Length)
    }

    /// An amount of the wire.
    #[must_use]
    pub fn money(money: Option<&pb::Money>) -> Self {
        money.map_or(Self::Empty, |money| Self::Money(money.currency_code.clone(), money.cents))
    }

    /// A day of the wire.
    #[must_use]
    pub fn day(date: Option<&pb::Date>) -> Self {
        date.and_then(time::day).map_or(Self::Empty, Self::Day)
    }

    /// As a person reads it.
    #[must_use]
    pub fn shown(&self, utc: bool) -> String {
        match self {
            Self::Empty => String::new(),
            Self::None => "(none)".to_owned(),
            Self::Text(text) => text.clone(),
            Self::Word(word) => word.replace('-', " "),
            Self::Int(number) => grouped(&number.to_string()),
            Self::Flag(flag) => if *flag { "yes" } else { "no" }.to_owned(),
            Self::Money(code, cents) => money(code, *cents),
            Self::Time(at, zone) => time::show(*at, if utc { Tz::UTC } else { *zone }),
            Self::Length(length) => time::show_length(*length),
            Self::Day(day) => day.to_string(),
        }
    }

    /// As a program reads it. Lengths are seconds, exact to the microsecond, so that they add up.
    pub(super) fn plain(&self, utc: bool) -> String {
        match self {
            Self::None => String::new(),
            Self::Word(word) => word.to_ascii_lowercase(),
            Self::Int(number) => number.to_string(),
            Self::Flag(flag) => flag.to_string(),
            Self::Money(_, cents) => decimal(*cents),
            Self::Time(at, zone) => time::exact(*at, if utc { Tz::UTC } else { *zone }),
            Self::Length(length) => seconds(*length),
            _ => self.shown(utc),
        }
    }

    /// As a spreadsheet reads it: no text of it is taken for a formula.
    pub(super) fn in_csv(&self, utc: bool) -> String {
        let plain = self.plain(utc);
        if matches!(self, Self::Text(_) | Self::Word(_)) { guarded(plain) } else { plain }
    }

    /// As JSON has it: lengths in seconds and microseconds, amounts in cents.
    pub(super) fn json(&self, utc: bool) -> Value {
        match self {
            Self::Empty | Self::None => Value::Null,
            Self::Int(number) => json!(number),
            Self::Flag(flag) => json!(flag),
            Self::Money(code, cents) => json!({ "currency_code": code, "cents": cents }),
            Self::Length(length) => json!({ "seconds": length.num_seconds(), "micros": length.subsec_nanos() / 1_000 }),
            _ => json!(self.plain(utc)),
        }
    }

    /// The narrowest it can be shown without breaking a word; times, amounts and short texts are never broken.
    fn narrowest(&self, utc: bool) -> usize {
        let shown = self.shown(utc);
        let words = matches!(self, Self::Text(_) | Self::Word(_)) && shown.len() > 14;
        let widths = shown.split(if words { ' ' } else { '\0' }).map(|word| word.chars().count());
        widths.max().unwrap_or(0)
    }

    fn is_number(&self) -> bool {
        matches!(self, Self::Int(_) | Self::Money(..) | Self::Length(_))
    }
}

/// `1234567` as `1,234,567`.
fn grouped(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    let mut out = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    format!("{sign}{out}")
}

/// Hundredths as a decimal number.
pub(super) fn decimal(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    let whole = cents.unsigned_abs();
    format!("{sign}{}.{:02}", whole / 100, whole % 100)
}

/// An amount for people: `$1,234.50`, `-$3.00`, `12.00 CAD`.
#[must_use]
pub fn money(code: &str, cents: i64) -> String {
    let number = decimal(cents);
    let (whole, part) = number.split_once('.').unwrap_or((&number, "00"));
    let whole = grouped(whole);
    match (code, whole.strip_prefix('-')) {
        ("USD", Some(whole)) => format!("-${whole}.{part}"),
        ("USD", None) => format!("${whole}.{part}"),
        _ => format!("{whole}.{part} {code}"),
    }
}

/// A length in seconds, with as many decimals as it needs.
pub(super) fn seconds(length: TimeDelta) -> String {
    let micros = i128::from(length.num_seconds()) * 1_000_000 + i128::from(length.subsec_nanos() / 1_000);
    let sign = if micros < 0 { "-" } else { "" };
    let whole = micros.unsigned_abs();
    let part = format!("{:06}", whole % 1_000_000);
    let part = part.trim_end_matches('0');
    let dot = if part.is_empty() { "" } else { "." };
    format!("{sign}{}{dot}{part}", whole / 1_000_000)
}

/// What stands in a column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// Words, also those of the contract.
    #[default]
    Text,
    /// Numbers.
    Int,
    /// Yes or no.
    Flag,
    /// Amounts.
    Money,
    /// Instants.
    Time,
    /// Lengths of time.
    Length,
    /// Local days.
    Day,
}

/// A column.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its name in CSV and JSON.
    pub key: &'static str,
    /// Its heading for people.
    pub heading: &'static str,
    /// Left out for people.
    pub more: bool,
    /// What stands in it.
    pub kind: Kind,
}

impl Column {
    /// The same for cells of a kind.
    #[must_use]
    pub const fn of(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }
}

/// A column for every form.
#[must_use]
pub const fn column(key: &'static str, heading: &'static str) -> Column {
    Column { key, heading, more: false, kind: Kind::Text }
}

/// A column for programs only.
#[must_use]
pub const fn more(key: &'static str) -> Column {
    Column { key, heading: "", more: true, kind: Kind::Text }
}

/// A named cell.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its name in CSV and JSON.
    pub key: &'static str,
    /// Its heading for people; empty: left out for them.
    pub heading: &'static str,
    /// What stands there.
    pub cell: Cell,
}

/// A named cell.
#[must_use]
pub fn field(key: &'static str, heading: &'static str, cell: Cell) -> Field {
    Field { key, heading, cell }
}

/// Rows under columns.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// What it shows. Empty: no line for it.
    pub title: String,
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows, each as wide as the columns.
    pub rows: Vec<Vec<Cell>>,
    /// A last row that adds up the others.
    pub total: Option<Vec<Cell>>,
    /// What the answer rests on: the as-of pair and the like.
    pub about: Vec<Field>,
    /// Said to people where there is no row.
    pub nothing: &'static str,
}

/// One thing with its parts.
#[derive(Clone, Debug, Default)]
pub struct Sheet {
    /// What it shows.
    pub title: String,
    /// Its fields.
    pub fields: Vec<Field>,
    /// Its parts, each under a name. Left out of CSV.
    pub parts: Vec<(&'static str, Table)>,
    /// Sentences for people.
    pub notes: Vec<String>,
}

impl Table {
    /// A table without rows.
    #[must_use]
    pub fn new(title: impl Into<String>, columns: Vec<Column>, nothing: &'static str) -> Self {
        Self { title: title.into(), columns, nothing, ..Self::default() }
    }

    /// Writes it.
    ///
    /// # Errors
    /// As the writer's.
    pub fn write(&self, out: &mut dyn Write, look: Look) -> io::Result<()> {
        match look.format {
            Format::Table => self.write_grid(out, look),
            Format::Csv => self.write_csv(out, look),
            Format::Json => writeln!(out, "{:#}", self.json(look)),
        }
    }

    fn write_grid(&self, out: &mut dyn Write, look: Look) -> io::Result<()> {
        if !self.title.is_empty() {
            writeln!(out, "{}", self.title)?;
        }
        if self.rows.is_empty() {
            writeln!(out, "{}", if self.nothing.is_empty() { "Nothing." } else { self.nothing })?;
        } else {
            writeln!(out, "{}", self.grid(look))?;
        }
        write_about(&self.about, out, look)
    }

    fn grid(&self, look: Look) -> String {
        let shown: Vec<usize> = (0..self.columns.len()).filter(|n| !self.columns[*n].more && self.is_used(*n)).collect();
        let mut grid = bare_grid(look);
        grid.set_header(shown.iter().map(|n| comfy_table::Cell::new(self.columns[*n].heading)));
        let mut add = |row: &Vec<Cell>| {
            grid.add_row(shown.iter().map(|n| grid_cell(row.get(*n).unwrap_or(&Cell::Empty), look)));
        };
        self.rows.iter().for_each(&mut add);
        if let Some(total) = &self.total {
            add(&vec![Cell::Text(String::new()); self.columns.len()]);
            add(total);
        }
        for (place, n) in shown.iter().enumerate() {
            let Some(column) = grid.column_mut(place) else { continue };
            if self.rows.iter().any(|row| row.get(*n).is_some_and(Cell::is_number)) {
                column.set_cell_alignment(CellAlignment::Right);
            }
            let cells = self.rows.iter().chain(&self.total).filter_map(|row| row.get(*n)).map(|cell| cell.narrowest(look.utc));
            let words = self.columns[*n].heading.split(' ').map(|word| word.chars().count());
            let narrowest = cells.chain(words).max().unwrap_or(0);
            // A long word of a tree may stand wider than its lines are meant to be: no line of it is broken again.
            let steps = self.rows.iter().filter_map(|row| row.get(*n)).flat_map(|cell| hung(cell, look));
            let step = steps.map(|line| line.chars().count()).max().unwrap_or(0);
            let most = if step == 0 { look.width / 2 } else { look.width / 3 * 2 };
            let padded = u16::try_from(narrowest.max(step) + 2).unwrap_or(u16::MAX).min(most);
            column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(padded)));
        }
        trimmed(&grid.to_string())
    }

    /// Whether any row says something in a column: empty ones take no room on a screen.
    fn is_used(&self, n: usize) -> bool {
        self.rows.iter().chain(&self.total).any(|row| row.get(n).is_some_and(|cell| *cell != Cell::Empty))
    }

    fn write_csv(&self, out: &mut dyn Write, look: Look) -> io::Result<()> {
        let mut csv = csv::Writer::from_writer(out);
        csv.write_record(self.columns.iter().map(|column| column.key))?;
        for row in &self.rows {
            csv.write_record(row.iter().map(|cell| cell.in_csv(look.utc)))?;
        }
        csv.flush()
    }

    fn json(&self, look: Look) -> Value {
        let object = |row: &Vec<Cell>| -> Value {
            let pairs = self.columns.iter().zip(row).map(|(column, cell)| (column.key.to_owned(), cell.json(look.utc)));
            Value::Object(pairs.collect())
        };
        let mut all = Map::new();
        all.insert("rows".to_owned(), self.rows.iter().map(object).collect());
        if let Some(total) = &self.total {
            all.insert("total".to_owned(), object(total));
        }
        all.extend(self.about.iter().map(|field| (field.key.to_owned(), field.cell.json(look.utc))));
        Value::Object(all)
    }
}

impl Sheet {
    /// Writes it.
    ///
    /// # Errors
    /// As the writer's.
    pub fn write(&self, out: &mut dyn Write, look: Look) -> io::Result<()> {
        match look.format {
            Format::Table => self.write_sheet(out, look),
            Format::Csv => {
                let mut csv = csv::Writer::from_writer(out);
                csv.write_record(self.fields.iter().map(|field| field.key))?;
                csv.write_record(self.fields.iter().map(|field| field.cell.in_csv(look.utc)))?;
                csv.flush()
            }
            Format::Json => {
                let fields = self.fields.iter().map(|field| (field.key.to_owned(), field.cell.json(look.utc)));
                let mut all: Map<String, Value> = fields.collect();
                for (key, table) in &self.parts {
                    let rows = table.json(look).get("rows").cloned().unwrap_or_default();
                    all.insert((*key).to_owned(), rows);
                }
                writeln!(out, "{:#}", Value::Object(all))
            }
        }
    }

    fn write_sheet(&self, out: &mut dyn Write, look: Look) -> io::Result<()> {
        if !self.title.is_empty() {
            writeln!(out, "{}", self.title)?;
        }
        let shown: Vec<&Field> =
            self.fields.iter().filter(|field| !field.heading.is_empty() && field.cell != Cell::Empty).collect();
        let width = shown.iter().map(|field| field.heading.chars().count()).max().unwrap_or(0);
        for field in shown {
            writeln!(out, "  {:width$}  {}", field.heading, field.cell.shown(look.utc))?;
        }
        for (_, table) in self.parts.iter().filter(|(_, table)| !table.rows.is_empty()) {
            writeln!(out)?;
            table.write_grid(out, look)?;
        }
        for note in &self.notes {
            writeln!(out, "{note}")?;
        }
        Ok(())
    }
}

fn bare_grid(look: Look) -> Grid {
    let mut grid = Grid::new();
    grid.load_preset(presets::NOTHING).set_width(look.width).set_content_arrangement(ContentArrangement::Dynamic);
    grid.set_style(TableComponent::HeaderLines, '─').set_style(TableComponent::MiddleHeaderIntersections, '─');
    grid
}

fn grid_cell(cell: &Cell, look: Look) -> comfy_table::Cell {
    match hung(cell, look) {
        lines if lines.is_empty() => comfy_table::Cell::new(cell.shown(look.utc)),
        lines => comfy_table::Cell::new(lines.join("\n")),
    }
}

/// The lines of a text that is indented as in a tree, none wider than half of the screen, each with its indent. No line:
/// it is not indented.
fn hung(cell: &Cell, look: Look) -> Vec<String> {
    let text = cell.shown(look.utc);
    let half = usize::from(look.width / 2).saturating_sub(2);
    let indent: String = text.chars().take_while(|letter| *letter == ' ').take(half / 2).collect();
    if indent.is_empty() {
        return Vec::new();
    }
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut().filter(|line| line.chars().count() + 1 + word.chars().count() <= half) {
            Some(line) => line.extend([" ", word]),
            None => lines.push(format!("{indent}{word}")),
        }
    }
    lines
}

/// Without the blanks at line ends that fixed columns leave.
fn trimmed(grid: &str) -> String {
    grid.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

fn write_about(about: &[Field], out: &mut dyn Write, look: Look) -> io::Result<()> {
    let shown: Vec<String> = about
        .iter()
        .filter(|field| !field.heading.is_empty() && field.cell != Cell::Empty)
        .map(|field| format!("{} {}", field.heading, field.cell.shown(look.utc)))
        .collect();
    if shown.is_empty() { Ok(()) } else { writeln!(out, "{}", shown.join("; ")) }
}

/// What an answer rests on.
#[must_use]
pub fn about(pair: Option<&pb::AsOfPair>, zone: Tz) -> Vec<Field> {
    let Some(pair) = pair else { return Vec::new() };
    vec![
        field("as_of_sequence", "as of sequence", Cell::Int(pair.sequence)),
        field("as_of_recorded_time", "recorded", Cell::time(pair.recorded_time.as_ref(), zone)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(table: &Table, look: Look) -> String {
        let mut out = Vec::new();
        table.write(&mut out, look).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn sample() -> Table {
        let at = DateTime::parse_from_rfc3339("2014-01-01T05:00:00Z").unwrap().to_utc();
        let columns = vec![column("name", "NAME"), column("since", "SINCE"), column("cost", "COST"), more("length")];
        let mut table = Table::new("Two rows", columns, "No row.");
        let zone = Tz::America__New_York;
        table.rows = vec![
            vec![Cell::text("a, b"), Cell::Time(at, zone), Cell::Money("USD".into(), 525), Cell::Length(TimeDelta::minutes(150))],
            vec![Cell::text("c"), Cell::Empty, Cell::Money("USD".into(), -123_456_789), Cell::Empty],
        ];
        table.total = Some(vec![Cell::text("total"), Cell::Empty, Cell::Money("USD".into(), -123_456_264), Cell::Empty]);
        table.about = vec![field("sequence", "as of sequence", Cell::Int(1_234))];
        table
    }

    #[test]
    fn for_people() {
        let expected = "\
Two rows
 NAME    SINCE                            COST
───────────────────────────────────────────────
 a, b    2014-01-01 00:00 EST            $5.25
 c                              -$1,234,567.89

 total                          -$1,234,562.64
as of sequence 1,234
";
        assert_eq!(written(&sample(), Look::default()), expected);
        let utc = written(&sample(), Look { utc: true, ..Look::default() });
        assert!(utc.contains("2014-01-01 05:00 UTC"), "{utc}");
    }

    #[test]
    fn for_spreadsheets_and_programs() {
        let csv = written(&sample(), Look { format: Format::Csv, ..Look::default() });
        assert_eq!(csv, "name,since,cost,length\n\"a, b\",2014-01-01T00:00:00-05:00,5.25,9000\nc,,-1234567.89,\n");
        let json = written(&sample(), Look { format: Format::Json, ..Look::default() });
        let value: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(value["rows"][0]["cost"]["cents"], json!(525));
        assert_eq!(value["rows"][0]["length"]["seconds"], json!(9_000));
        assert_eq!(value["rows"][1]["since"], Value::Null);
        assert_eq!(value["sequence"], json!(1_234));
    }

    #[test]
    fn amounts_and_seconds() {
        assert_eq!(money("USD", -5), "-$0.05");
        assert_eq!(money("CAD", 100_000), "1,000.00 CAD");
        assert_eq!(seconds(TimeDelta::microseconds(-1_500_000)), "-1.5");
        assert_eq!(seconds(TimeDelta::hours(48)), "172800");
        assert_eq!(seconds(TimeDelta::microseconds(1)), "0.000001");
    }

    #[test]
    fn no_heading_and_no_total_is_broken_inside_a_word() {
        let mut table = Table::new("", vec![column("a", "AGREEMENT"), column("l", "OF IT OVER-DETAINED")], "");
        table.rows = vec![vec![Cell::text("x"), Cell::Length(TimeDelta::hours(1))]];
        table.total = Some(vec![Cell::text("total"), Cell::Length(TimeDelta::minutes(74_237))]);
        let text = written(&table, Look { width: 44, ..Look::default() });
        assert!(text.contains("AGREEMENT") && text.contains("OVER-DETAINED") && text.contains("51 d 13 h 17 min"), "{text}");
    }

    #[test]
    fn a_step_of_a_tree_keeps_its_indent_on_each_line() {
        let mut table = Table::new("", vec![column("c", "CONDITION"), column("v", "VALUE"), column("r", "READ")], "");
        let read = Cell::text("a fact that takes many words to tell, many more than there is room for beside the tree");
        let rows = [
            "all",
            "  any",
            "    a conviction of a serious or violent felony within ten years",
            "      one of ca_serious_or_violent_felony",
        ];
        table.rows = rows.iter().map(|row| vec![Cell::text(*row), Cell::text("unknown"), read.clone()]).collect();
        let text = written(&table, Look { width: 60, ..Look::default() });
        let step: Vec<&str> = text.lines().skip_while(|line| !line.starts_with("     a conviction")).take(4).collect();
        let said: String = step.iter().flat_map(|line| line.chars().take(29)).collect();
        let words: Vec<&str> = said.split_whitespace().collect();
        assert!(words.join(" ").starts_with("a conviction of a serious or violent felony within ten years"), "{text}");
        for line in step.iter().take(3) {
            assert!(line.starts_with("     ") && !line.starts_with("      "), "{text}");
        }
        assert!(text.contains("\n       ca_serious_or_violent_felony"), "{text}");
    }

    #[test]
    fn nothing_is_said_in_words() {
        let table = Table::new("", vec![column("a", "A")], "No hold runs.");
        assert_eq!(written(&table, Look::default()), "No hold runs.\n");
    }
}
