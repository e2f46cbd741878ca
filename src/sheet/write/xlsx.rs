//! A workbook with typed cells: times and days as dates in the place's local time, amounts as numbers with cents, lengths as
//! hours, counts as numbers. The last sheet is the manifest. Rows go to disk one by one.
//!
//! A spreadsheet's number has 15 digits and its date thousandths of a second: what does not fit is written as text, and the
//! canonical CSV, not this, is what can be re-added to the microsecond. Texts are never formulas.

use std::io;

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook as Book, Worksheet, XlsxError};

use chrono::{NaiveDate, NaiveDateTime};

use super::{Ending, Heading, Writer, about};
use crate::sheet::table::{Cell, Column, Kind};
use crate::sheet::time;

/// Rows of one sheet under its header.
const MOST_ROWS: u32 = 1_048_575;
/// The largest whole number that a cell holds exactly.
const EXACT: u64 = 1 << 53;
/// Days are counted from here; before 1 March 1900 the count is off by one, as it has been from the first spreadsheet on.
const EPOCH: (NaiveDate, NaiveDate) = match (NaiveDate::from_ymd_opt(1899, 12, 30), NaiveDate::from_ymd_opt(1900, 3, 1)) {
    (Some(epoch), Some(first)) => (epoch, first),
    _ => (NaiveDate::MIN, NaiveDate::MIN),
};

/// How cells of each kind look.
struct Looks {
    header: Format,
    time: Format,
    day: Format,
    money: Format,
    hours: Format,
    count: Format,
    wrapped: Format,
}

pub(super) struct Workbook<W> {
    book: Book,
    out: W,
    heading: Heading,
    looks: Looks,
    /// Sheets of rows.
    sheets: usize,
    /// The next row of the last of them.
    next: u32,
}

fn failed(error: XlsxError) -> io::Error {
    match error {
        XlsxError::IoError(error) => error,
        other => io::Error::other(other),
    }
}

impl<W: io::Write + Send> Workbook<W> {
    pub fn new(heading: &Heading, out: W) -> io::Result<Self> {
        let number = |form: &str| Format::new().set_num_format(form);
        let looks = Looks {
            header: Format::new().set_bold().set_text_wrap(),
            time: number("yyyy-mm-dd hh:mm:ss"),
            day: number("yyyy-mm-dd"),
            money: number("#,##0.00;[Red]-#,##0.00"),
            hours: number("#,##0.00"),
            count: number("#,##0"),
            wrapped: Format::new().set_text_wrap(),
        };
        let mut one = Self { book: Book::new(), out, heading: heading.clone(), looks, sheets: 0, next: 0 };
        one.sheet()?;
        Ok(one)
    }

    /// Begins a sheet of rows: its header, which stays in sight and on every printed page.
    fn sheet(&mut self) -> io::Result<()> {
        self.sheets += 1;
        let name = if self.sheets == 1 { "Rows".to_owned() } else { format!("Rows {}", self.sheets) };
        let sheet = self.book.add_worksheet_with_constant_memory().map_err(failed)?;
        begin(sheet, &name, &self.heading, &self.looks).map_err(failed)?;
        self.next = 1;
        Ok(())
    }

    fn write(&mut self, cells: &[Cell]) -> io::Result<()> {
        if self.next > MOST_ROWS {
            self.sheet()?;
        }
        let sheet = self.book.worksheet_from_index(self.sheets - 1).map_err(failed)?;
        for (n, cell) in (0..).zip(cells) {
            write(sheet, (self.next, n), cell, &self.looks).map_err(failed)?;
        }
        self.next += 1;
        Ok(())
    }

    fn about(&mut self, ending: &Ending<'_>) -> Result<(), XlsxError> {
        let sheet = self.book.add_worksheet_with_constant_memory()?;
        sheet.set_name("Manifest")?;
        sheet.set_column_width(0, 44)?.set_column_width(1, 80)?;
        let mut lines = vec![
            ("Report", self.heading.layout.title.to_owned()),
            ("Place", self.heading.place.clone()),
            ("Times", "local times of the place that a row belongs to".to_owned()),
            ("Lengths", "hours".to_owned()),
        ];
        lines.extend(about::lines(ending.manifest, self.heading.zone));
        lines.extend(self.heading.notes.iter().map(|note| ("Note", note.clone())));
        for (n, (label, value)) in (0..).zip(lines) {
            sheet.write_string_with_format(n, 0, label, &self.looks.header)?;
            sheet.write_string_with_format(n, 1, value, &self.looks.wrapped)?;
        }
        Ok(())
    }
}

/// The heading of a column, as a person writes it, with its unit.
fn title(column: &Column) -> String {
    let words = if column.heading.is_empty() { column.key.replace('_', " ") } else { column.heading.to_lowercase() };
    let mut letters = words.chars();
    let capital = letters.next().map(char::to_uppercase).into_iter().flatten().chain(letters).collect::<String>();
    if column.kind == Kind::Length { format!("{capital} (hours)") } else { capital }
}

fn begin(sheet: &mut Worksheet, name: &str, heading: &Heading, looks: &Looks) -> Result<(), XlsxError> {
    sheet.set_name(name)?.set_freeze_panes(1, 1)?.set_repeat_rows(0, 0)?;
    sheet.set_landscape().set_print_fit_to_pages(1, 0);
    // What stands between & and a letter is an order to the program that prints.
    let print = |text: &str| text.replace('&', "&&");
    sheet.set_header(format!("&L{}&R{}", print(heading.layout.title), print(&heading.place)));
    sheet.set_footer("&R&P / &N");
    for (n, column) in (0..).zip(&heading.layout.columns) {
        let width = match column.kind {
            Kind::Time => 19,
            Kind::Text if column.more => 24,
            Kind::Text => 18,
            Kind::Flag | Kind::Int | Kind::Day => 11,
            Kind::Money | Kind::Length => 14,
        };
        sheet.set_column_width(n, width)?;
        sheet.write_string_with_format(0, n, title(column), &looks.header)?;
    }
    Ok(())
}

fn write(sheet: &mut Worksheet, (row, column): (u32, u16), cell: &Cell, looks: &Looks) -> Result<(), XlsxError> {
    let text = |sheet: &mut Worksheet, text: String| sheet.write_string(row, column, text).map(drop);
    match cell {
        Cell::Empty => Ok(()),
        Cell::Text(_) | Cell::Word(_) | Cell::None => text(sheet, cell.shown(false)),
        Cell::Flag(flag) => sheet.write_boolean(row, column, *flag).map(drop),
        Cell::Int(number) => match exact(*number) {
            Some(number) => sheet.write_number_with_format(row, column, number, &looks.count).map(drop),
            None => text(sheet, number.to_string()),
        },
        Cell::Money(_, cents) => match exact(*cents) {
            Some(cents) => sheet.write_number_with_format(row, column, cents / 100.0, &looks.money).map(drop),
            None => text(sheet, cell.plain(false)),
        },
        Cell::Length(length) => match length.num_microseconds().and_then(exact) {
            Some(micros) => sheet.write_number_with_format(row, column, micros / 3_600_000_000.0, &looks.hours).map(drop),
            None => text(sheet, cell.shown(false)),
        },
        Cell::Time(at, zone) => match serial(at.with_timezone(zone).naive_local()) {
            Some(serial) => sheet.write_number_with_format(row, column, serial, &looks.time).map(drop),
            None => text(sheet, cell.plain(false)),
        },
        Cell::Day(day) => match serial((*day).into()) {
            Some(serial) => sheet.write_number_with_format(row, column, serial, &looks.day).map(drop),
            None => text(sheet, cell.plain(false)),
        },
    }
}

/// A whole number as a cell holds it; nothing where that would be another.
fn exact(number: i64) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "it is small enough to be exact")]
    (number.unsigned_abs() <= EXACT).then_some(number as f64)
}

/// A local time as a spreadsheet counts it, in days; nothing where its calendar does not reach.
fn serial(local: NaiveDateTime) -> Option<f64> {
    let (epoch, first) = EPOCH;
    let date = local.date();
    if date < first || date > NaiveDate::from_ymd_opt(9999, 12, 31)? {
        return None;
    }
    let length = local - epoch.and_time(chrono::NaiveTime::MIN);
    exact(length.num_milliseconds()).map(|millis| millis / 86_400_000.0)
}

impl<W: io::Write + Send> Writer<W> for Workbook<W> {
    fn row(&mut self, cells: &[Cell]) -> io::Result<()> {
        self.write(cells)
    }

    fn finish(mut self: Box<Self>, ending: Ending<'_>) -> io::Result<W> {
        if let Some(total) = ending.total {
            self.write(total)?;
        }
        self.about(&ending).map_err(failed)?;
        let recorded = ending.manifest.as_of_pair.and_then(|pair| pair.recorded_time).and_then(|at| time::utc(&at));
        let mut properties = DocProperties::new().set_title(self.heading.layout.title).set_company(&self.heading.place);
        // The program's own clock is not asked: the same report is the same file.
        if let Ok(at) = ExcelDateTime::from_timestamp(recorded.map_or(0, |at| at.timestamp())) {
            properties = properties.set_creation_datetime(&at);
        }
        self.book.set_properties(&properties);
        self.book.save_to_writer(&mut self.out).map_err(failed)?;
        Ok(self.out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_counted_as_spreadsheets_do() {
        let at = |text: &str| NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").unwrap();
        // 1 January 2014 is day 41640; noon is half a day.
        assert_eq!(serial(at("2014-01-01 00:00:00")), Some(41_640.0));
        assert_eq!(serial(at("2014-01-01 12:00:00")), Some(41_640.5));
        assert_eq!(serial(at("1900-03-01 00:00:00")), Some(61.0));
        assert_eq!(serial(at("1900-02-28 23:59:59")), None);
        assert_eq!((exact(1 << 53), exact((1 << 53) + 1), exact(i64::MIN)), (Some(9_007_199_254_740_992.0), None, None));
    }
}
