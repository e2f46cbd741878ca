//! The index of a pack of reports: what it is, its headline figures, its charts, and a link to every file.

use maud::{Markup, html};

use super::figures::Figures;
use super::{as_of, chart, foot, opening};
use crate::pb;
use crate::sheet::table::Cell;
use crate::sheet::write::{Form, Heading};

/// A report of the pack.
#[derive(Clone, Debug)]
pub struct Listed {
    /// How its files are called, without their ends.
    pub stem: String,
    /// Its title.
    pub title: String,
    /// Its days.
    pub days: String,
    /// Its rows.
    pub rows: i64,
    /// SHA-256 of its canonical file, in hex.
    pub sha256: String,
}

/// What the index shows.
#[derive(Debug)]
pub struct Index<'a> {
    /// What the pack is.
    pub title: String,
    /// Place, zone, switches, notes.
    pub heading: &'a Heading,
    /// The manifest of its first report: the point of all of them.
    pub manifest: &'a pb::ReportManifest,
    /// Headline figures: what, and how much.
    pub cards: Vec<(&'static str, String)>,
    /// For the charts, each of what it is enough for.
    pub figures: Vec<&'a Figures>,
    /// Its reports.
    pub reports: Vec<Listed>,
    /// In which forms they are.
    pub forms: &'a [Form],
}

/// The page.
#[must_use]
pub fn page(index: &Index<'_>) -> String {
    let body = html! {
        header {
            h1 { (index.title) }
            p { (index.heading.place) }
            p .soft { (as_of(index.manifest, index.heading)) }
            @for note in &index.heading.notes { p { (note) } }
        }
        main {
            section aria-labelledby="headline" {
                h2 id="headline" { "In short" }
                ul .cards {
                    @for (label, value) in &index.cards { li { strong { (value) } (label) } }
                }
            }
            section aria-labelledby="charts" {
                h2 id="charts" { "Charts" }
                (chart::each(&index.figures, &index.heading.marks))
            }
            section aria-labelledby="reports" {
                h2 id="reports" { "Reports" }
                (reports(index))
                p .soft {
                    a href="SHA256SUMS" { "SHA256SUMS" } " has the digest of every file: "
                    code { "sha256sum -c SHA256SUMS" } " checks them."
                }
            }
        }
        (foot(index.manifest, index.heading))
    };
    format!("{}{}</body></html>\n", opening(&format!("{}, {}", index.title, index.heading.place)), body.into_string())
}

fn reports(index: &Index<'_>) -> Markup {
    html! {
        div .wide tabindex="0" role="region" aria-label="Table of reports" {
            table {
                caption { (index.reports.len()) " reports, all as of one record" }
                thead {
                    tr {
                        th scope="col" { "Report" }
                        th scope="col" { "Days" }
                        th scope="col" .number { "Rows" }
                        th scope="col" { "Files" }
                    }
                }
                tbody {
                    @for one in &index.reports {
                        tr {
                            th scope="row" { (one.title) div .digest { (one.sha256) } }
                            td { (one.days) }
                            td .number { (Cell::Int(one.rows).shown(false)) }
                            td {
                                @for form in index.forms {
                                    a href=(format!("{}.{}", one.stem, form.extension()))
                                        aria-label=(format!("{} as {}", one.title, form.extension().to_uppercase())) {
                                        (form.extension().to_uppercase())
                                    }
                                    " "
                                }
                                a href=(format!("{}.manifest.json", one.stem)) aria-label=(format!("Manifest of: {}", one.title)) {
                                    "manifest"
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
