//! Reports as files. Each writer takes a heading, rows one by one, and at the end the manifest; none keeps the rows, so
//! memory does not grow with the report.
//!
//! [`Form::Csv`] is the canonical file ([`super::canonical`]) and [`Form::Jsonl`] the same for programs: one object a row,
//! the last one the manifest. [`Form::Xlsx`] has typed cells ([`xlsx`]), [`Form::Html`] is for reading and printing
//! ([`html`]). No writer reads a clock: the same report gives the same file.
//!
//! To add a form: a case of [`Form`] and its file here with a [`Writer`].

pub mod about;
pub mod html;
mod jsonl;
mod xlsx;

use std::io::{self, Write};

use chrono::NaiveDate;
use chrono_tz::Tz;

use super::canonical::Canonical;
use super::reports::Layout;
use super::table::Cell;
use crate::pb;

/// In what form a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Comma-separated values: the canonical file.
    Csv,
    /// One JSON object a line.
    Jsonl,
    /// An Office Open XML workbook.
    Xlsx,
    /// A page for reading and printing.
    Html,
}

impl Form {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Csv, Self::Jsonl, Self::Xlsx, Self::Html];

    /// How files of it end.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
            Self::Xlsx => "xlsx",
            Self::Html => "html",
        }
    }

    /// The form of a file that ends so, whatever its case.
    #[must_use]
    pub fn of_extension(extension: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.extension().eq_ignore_ascii_case(extension))
    }

    /// Begins a file.
    ///
    /// # Errors
    /// As the file's.
    pub fn begin<W: Write + Send + 'static>(self, heading: &Heading, out: W) -> io::Result<Box<dyn Writer<W>>> {
        Ok(match self {
            Self::Csv => Box::new(Plain(Canonical::new(out, &heading.layout.columns)?)),
            Self::Jsonl => Box::new(jsonl::Lines::new(heading, out)),
            Self::Xlsx => Box::new(xlsx::Workbook::new(heading, out)?),
            Self::Html => Box::new(html::Page::new(heading, out)?),
        })
    }
}

/// What stands above a report's rows.
#[derive(Clone, Debug)]
pub struct Heading {
    /// Its columns, and how it is called.
    pub layout: Layout,
    /// Whose it is, in words: the county's name.
    pub place: String,
    /// The county's zone, for the instants of the manifest.
    pub zone: Tz,
    /// Where in time the policy was switched.
    pub marks: Vec<Mark>,
    /// Sentences that a reader needs.
    pub notes: Vec<String>,
}

/// A point in time that charts show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Its local day.
    pub day: NaiveDate,
    /// What happened, in a few words.
    pub label: String,
}

/// What stands below a report's rows.
#[derive(Clone, Copy, Debug)]
pub struct Ending<'a> {
    /// What it was asked and what it rests on.
    pub manifest: &'a pb::ReportManifest,
    /// A row that adds up the others.
    pub total: Option<&'a [Cell]>,
}

/// Writes one report.
pub trait Writer<W> {
    /// Writes a row, as wide as the layout's columns.
    ///
    /// # Errors
    /// As the file's; where the form cannot hold the row.
    fn row(&mut self, cells: &[Cell]) -> io::Result<()>;

    /// Ends the file and gives it back.
    ///
    /// # Errors
    /// As the file's.
    fn finish(self: Box<Self>, ending: Ending<'_>) -> io::Result<W>;
}

/// The canonical file.
struct Plain<W: Write>(Canonical<W>);

impl<W: Write> Writer<W> for Plain<W> {
    fn row(&mut self, cells: &[Cell]) -> io::Result<()> {
        self.0.row(cells)
    }

    fn finish(self: Box<Self>, _: Ending<'_>) -> io::Result<W> {
        self.0.finish()
    }
}
