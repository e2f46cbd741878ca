//! A report as one page for reading and printing: a table, charts above it, the manifest at its foot. It needs nothing but
//! itself, no script and no other file. Rows wait in a file of their own, since the charts above them are known last.
//!
//! Markup is made by `maud`, which escapes every text. The page shows the columns for people; the CSV has all.

mod chart;
pub mod figures;
pub mod pack;

use std::io::{self, BufReader, BufWriter, Read as _, Seek as _, Write};

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{Ending, Heading, Writer, about};
use crate::pb;
use crate::sheet::table::{Cell, Kind};
use figures::Figures;

const STYLE: &str = include_str!("style.css");

pub(super) struct Page<W> {
    out: W,
    heading: Heading,
    /// The columns for people.
    shown: Vec<usize>,
    rows: BufWriter<std::fs::File>,
    count: u64,
    figures: Figures,
}

impl<W: Write> Page<W> {
    pub fn new(heading: &Heading, out: W) -> io::Result<Self> {
        let columns = heading.layout.columns.iter().enumerate();
        let shown = columns.filter(|(_, column)| !column.more).map(|(n, _)| n).collect();
        let figures = Figures::of(&heading.layout);
        let rows = BufWriter::new(tempfile::tempfile()?);
        Ok(Self { out, heading: heading.clone(), shown, rows, count: 0, figures })
    }

    fn cells(&self, cells: &[Cell]) -> Markup {
        let shown = self.shown.iter().filter_map(|n| cells.get(*n)).enumerate();
        html! {
            tr {
                @for (n, cell) in shown {
                    @if n == 0 {
                        th scope="row" { (cell.shown(false)) }
                    } @else {
                        td .number[is_number(cell)] { (cell.shown(false)) }
                    }
                }
            }
        }
    }

    fn header(&self) -> Markup {
        let columns = self.shown.iter().filter_map(|n| self.heading.layout.columns.get(*n));
        html! {
            thead {
                tr {
                    @for column in columns {
                        @let number = matches!(column.kind, Kind::Int | Kind::Money | Kind::Length);
                        th scope="col" .number[number] { (sentence(column.heading)) }
                    }
                }
            }
        }
    }

    /// All that stands before the rows.
    fn above(&self, manifest: &pb::ReportManifest) -> String {
        let layout = &self.heading.layout;
        let days = about::days(manifest.query.as_ref().and_then(|query| query.period.as_ref()));
        let mut place = self.heading.place.clone();
        if !days.is_empty() {
            place = format!("{place}, {days}");
        }
        let charts = chart::all(&self.figures, &self.heading.marks).into_string();
        let body = html! {
            a .skip href="#rows" { "To the rows" }
            header {
                h1 { (layout.title) }
                p { (place) }
                p .soft { (as_of(manifest, &self.heading)) }
                @for note in &self.heading.notes { p { (note) } }
            }
        };
        let mut page = opening(&format!("{}, {place}", layout.title));
        page.push_str(&body.into_string());
        page.push_str("<main>");
        if !charts.is_empty() {
            page.push_str(&format!("<section aria-label=\"Charts\">{charts}</section>"));
        }
        page.push_str("<section id=\"rows\" aria-label=\"Rows\">");
        if self.count == 0 {
            page.push_str(&html! { p { (layout.nothing) } }.into_string());
        } else {
            let label = layout.title;
            let caption = html! { caption { (label) ", " (Cell::Int(manifest.row_count).shown(false)) " rows" } };
            page.push_str("<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Table of rows\"><table>");
            page.push_str(&caption.into_string());
            page.push_str(&self.header().into_string());
            page.push_str("<tbody>\n");
        }
        page
    }

    /// All that stands after them.
    fn below(&self, ending: &Ending<'_>) -> String {
        let mut page = String::new();
        if self.count > 0 {
            page.push_str("</tbody>");
            if let Some(total) = ending.total {
                page.push_str(&html! { tfoot { (self.cells(total)) } }.into_string());
            }
            page.push_str("</table></div>");
        }
        page.push_str("</section></main>");
        page.push_str(&foot(ending.manifest, &self.heading).into_string());
        page.push_str("</body></html>\n");
        page
    }
}

fn is_number(cell: &Cell) -> bool {
    matches!(cell, Cell::Int(_) | Cell::Money(..) | Cell::Length(_))
}

/// `OF IT OVER-DETAINED` as `Of it over-detained`.
fn sentence(heading: &str) -> String {
    match heading {
        "T0" | "PAST 48 H" => heading.replace("PAST", "Past").replace(" H", " h"),
        _ => {
            let lower = heading.to_lowercase();
            let mut letters = lower.chars();
            letters.next().map(char::to_uppercase).into_iter().flatten().chain(letters).collect()
        }
    }
}

/// The start of a page up to its body. The page may load nothing and run nothing.
fn opening(title: &str) -> String {
    let head = html! {
        (DOCTYPE)
        (PreEscaped("<html lang=\"en\">"))
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:";
            title { (title) }
            style { (PreEscaped(STYLE)) }
        }
        (PreEscaped("<body>"))
    };
    head.into_string()
}

fn as_of(manifest: &pb::ReportManifest, heading: &Heading) -> String {
    let pair = manifest.as_of_pair.unwrap_or_default();
    let at = |stamp: Option<&prost_types::Timestamp>| Cell::time(stamp, heading.zone).shown(false);
    let recorded = at(pair.recorded_time.as_ref());
    let until = at(manifest.accrue_until.as_ref());
    let recorded = if recorded.is_empty() { String::new() } else { format!(", recorded {recorded}") };
    let until = if until.is_empty() { String::new() } else { format!("; custody that goes on is counted to {until}") };
    format!("As it was known with record {}{recorded}{until}.", pair.sequence)
}

/// The manifest at the foot.
fn foot(manifest: &pb::ReportManifest, heading: &Heading) -> Markup {
    html! {
        footer {
            h2 { "Manifest" }
            p .soft {
                "Whoever asks the same at the same record gets the same rows. The digest is that of the report's canonical CSV."
            }
            table .manifest {
                caption { "What was asked, and what the answer rests on" }
                tbody {
                    @for (label, value) in about::lines(manifest, heading.zone) {
                        tr { th scope="row" { (label) } td { (value) } }
                    }
                }
            }
        }
    }
}

impl<W: Write> Writer<W> for Page<W> {
    fn row(&mut self, cells: &[Cell]) -> io::Result<()> {
        self.count += 1;
        self.figures.row(cells);
        let markup = self.cells(cells).into_string();
        self.rows.write_all(markup.as_bytes())?;
        self.rows.write_all(b"\n")
    }

    fn finish(mut self: Box<Self>, ending: Ending<'_>) -> io::Result<W> {
        self.figures.period(ending.manifest);
        let (above, below) = (self.above(ending.manifest), self.below(&ending));
        let mut rows = self.rows.into_inner().map_err(io::IntoInnerError::into_error)?;
        rows.rewind()?;
        self.out.write_all(above.as_bytes())?;
        io::copy(&mut BufReader::new(rows).by_ref(), &mut self.out)?;
        self.out.write_all(below.as_bytes())?;
        Ok(self.out)
    }
}
