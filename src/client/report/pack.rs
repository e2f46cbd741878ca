//! The board pack: all reports of a quarter as files, every one as of the same record, with an index page and a list of
//! digests. The folder is there whole or not at all.
//!
//! To add a report: one entry in [`ENTRIES`].

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use chrono::{Months, NaiveDate};
use chrono_tz::Tz;

use super::write::{Place, Target, Written, manifest, text, write};
use super::{ReportError, What};
use crate::client::Client;
use crate::pb::{self, GroupBy};
use crate::sheet::table::Cell;
use crate::sheet::write::html::figures::Figures;
use crate::sheet::write::html::pack::{Index, Listed, page};
use crate::sheet::write::{Form, about};
use crate::sheet::{names, reports, time};

/// In which forms each report is.
const FORMS: [Form; 3] = [Form::Csv, Form::Xlsx, Form::Html];

/// The days of a report in the pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Days {
    /// Those of the quarter.
    Quarter,
    /// Those of the four quarters up to its end.
    Year,
    /// The last of the quarter, for each jail by itself.
    LastOfEachJail,
    /// None: the instant counted to.
    Moment,
}

/// A report of the pack.
struct Entry {
    /// How its files are called, without their ends.
    stem: &'static str,
    days: Days,
    /// By the books.
    by_books: bool,
    /// The report, with instants in the county's zone.
    what: fn(Tz) -> What,
}

const fn entry(stem: &'static str, what: fn(Tz) -> What) -> Entry {
    Entry { stem, days: Days::Quarter, by_books: false, what }
}

/// How far ahead last days to file are told: to the end of the quarter that follows.
const AHEAD: i32 = 92;

/// Whose totals are the headline figures, and whose months the charts.
const DECISIONS: &str = "decisions-by-month";
const COST: &str = "cost-by-month";
const YEAR: &str = "cost-by-month-of-the-year";
const REGISTER: &str = "hold-register";

/// The reports, in order of the index.
const ENTRIES: &[Entry] = &[
    entry(DECISIONS, |_| What::Decisions(vec![GroupBy::Month])),
    entry("decisions-by-office", |_| What::Decisions(vec![GroupBy::Office])),
    entry("decisions-by-reason", |_| What::Decisions(vec![GroupBy::DecisionReason])),
    entry("not-honored", |_| What::Declined),
    entry("duties", |_| What::Duties(Vec::new())),
    entry("duties-by-office", |_| What::Duties(vec![GroupBy::Office])),
    entry(REGISTER, |_| What::Register),
    entry("hold-statistics", |_| What::Statistics(vec![GroupBy::Month])),
    entry("hold-statistics-by-end", |_| What::Statistics(vec![GroupBy::EndReason])),
    entry(COST, |_| What::Cost(vec![GroupBy::Month])),
    entry("cost-by-facility", |_| What::Cost(vec![GroupBy::Facility])),
    entry("cost-by-agreement", |_| What::Cost(vec![GroupBy::Agreement])),
    entry("cost-by-policy", |_| What::Cost(vec![GroupBy::Revision, GroupBy::Mode])),
    entry("cost-by-end-of-hold", |_| What::Cost(vec![GroupBy::EndReason])),
    Entry { stem: YEAR, days: Days::Year, by_books: false, what: |_| What::Cost(vec![GroupBy::Month]) },
    entry("cost-lines", |_| What::Lines(String::new())),
    Entry {
        stem: "books-by-month",
        days: Days::Quarter,
        by_books: true,
        what: |_| What::Cost(vec![GroupBy::Month, GroupBy::CustodyMonth]),
    },
    entry("claims", |zone| What::Claims { agreement: String::new(), state: pb::ClaimState::Unspecified, zone }),
    entry("claim-report", |_| What::ClaimReport { date: None }),
    entry("unclaimed-holds", |zone| What::UnclaimedHolds { date: None, within_days: AHEAD, zone }),
    entry("over-detention", |_| What::Overdetention),
    entry("policies-compared", |_| What::Policies(Vec::new())),
    entry("georgia-quarterly", |_| What::Georgia),
    Entry { stem: "north-carolina-of-the-year", days: Days::Year, by_books: false, what: |_| What::NorthCarolina },
    Entry { stem: "bail-eligible", days: Days::Moment, by_books: false, what: |_| What::BailEligible },
    Entry { stem: "certificate", days: Days::LastOfEachJail, by_books: false, what: |_| What::Certificate },
];

/// Three months of a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quarter {
    year: i32,
    number: u32,
}

impl FromStr for Quarter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let told = || format!("`{text}` is no quarter: write 2014Q1");
        let (year, number) = text.split_once(['Q', 'q']).ok_or_else(told)?;
        let (year, number) = (year.parse().map_err(|_| told())?, number.parse().map_err(|_| told())?);
        if !(1900..=9_000).contains(&year) || !(1..=4).contains(&number) {
            return Err(told());
        }
        Ok(Self { year, number })
    }
}

impl fmt::Display for Quarter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}Q{}", self.year, self.number)
    }
}

impl Quarter {
    /// The quarter before the one of a day.
    #[must_use]
    pub fn before(day: NaiveDate) -> Self {
        use chrono::Datelike as _;
        let (year, number) = (day.year(), day.month0() / 3);
        if number == 0 { Self { year: year - 1, number: 4 } } else { Self { year, number } }
    }

    /// Its first day and the first day after it.
    #[must_use]
    pub fn days(self) -> (NaiveDate, NaiveDate) {
        let first = NaiveDate::from_ymd_opt(self.year, self.number * 3 - 2, 1).unwrap_or_default();
        (first, first + Months::new(3))
    }

    fn period(self, days: Days) -> Option<pb::DateInterval> {
        let (first, end) = self.days();
        let first = match days {
            Days::Quarter => first,
            Days::Year => end - Months::new(12),
            Days::LastOfEachJail => end.pred_opt().unwrap_or(first),
            Days::Moment => return None,
        };
        Some(reports::period(first, end))
    }

    fn words(self) -> String {
        let which = ["first", "second", "third", "fourth"].get(self.number as usize - 1).copied().unwrap_or_default();
        format!("{which} quarter of {}", self.year)
    }
}

/// What was made of an entry.
struct Made {
    stem: String,
    /// The jail that it is of alone.
    jail: Option<String>,
    title: &'static str,
    written: Written,
    layout: reports::Layout,
    by: Vec<GroupBy>,
}

/// Writes the pack of a quarter into a folder that is not there yet, or empty; the names of its files. Of the query only
/// what is no period is taken. `seen` is told each report and the number of its rows so far.
///
/// # Errors
/// [`ReportError`]; then no folder is there.
pub async fn pack(
    client: &Client,
    quarter: Quarter,
    query: pb::ReportQuery,
    folder: &Path,
    mut seen: impl FnMut(&str, u64),
) -> Result<Vec<String>, ReportError> {
    let whole = folder_for(folder)?;
    let (mut query, mut place, mut made) = (query, None::<Place>, Vec::new());
    let mut sums: Vec<(String, [u8; 32])> = Vec::new();
    for entry in ENTRIES {
        for jail in jails(client, &query, entry.days, quarter).await? {
            let known = match &place {
                Some(place) => place.clone(),
                None => Place::of(client, &query.county, query.as_of).await?,
            };
            let (what, mut asked) = ((entry.what)(known.zone), query.clone());
            asked.period = quarter.period(entry.days);
            if entry.by_books {
                // Books count custody that goes on to the point of knowledge.
                (asked.by_books, asked.accrue_until) = (true, None);
            }
            asked
                .facilities
                .splice(.., jail.iter().cloned().chain(if jail.is_none() { query.facilities.clone() } else { Vec::new() }));
            let jail = jail.map(|jail| names::id(&jail).to_owned());
            let stem = jail.as_ref().map_or(entry.stem.to_owned(), |jail| format!("{}-{jail}", entry.stem));
            let heading = known.heading(what.layout(), Vec::new());
            let targets = FORMS.map(|form| Target { form, path: whole.path().join(named(&stem, form.extension())) });
            let written = write(client, &what, asked, &heading, &targets, |rows| seen(&stem, rows)).await?;
            if place.is_none() {
                // The point of the first report is that of all: whatever is recorded from now on is in none.
                let asked = written.end.manifest.query.clone().unwrap_or_default();
                (query.as_of, query.accrue_until) = (asked.as_of, asked.accrue_until);
                place = Some(Place::of(client, &query.county, query.as_of).await?);
            }
            sums.extend(FORMS.iter().zip(&written.sums).map(|(form, sum)| (named(&stem, form.extension()), *sum)));
            let name = named(&stem, "manifest.json");
            let told = format!("{:#}\n", manifest(&heading, &written, &targets));
            sums.push((name.clone(), text(&whole.path().join(name), &told)?));
            let by = what.keys().to_vec();
            made.push(Made { stem, jail, title: heading.layout.title, written, layout: heading.layout, by });
        }
    }
    let Some((first, place)) = made.first().zip(place) else { return Err(ReportError::Cut) };
    let index = Index {
        title: format!("Board pack, {}", quarter.words()),
        heading: &place.heading(first.layout.clone(), Vec::new()),
        manifest: &first.written.end.manifest,
        cards: cards(&made),
        figures: charts(&made),
        reports: made.iter().map(listed).collect(),
        forms: &FORMS,
    };
    sums.push(("index.html".to_owned(), text(&whole.path().join("index.html"), &page(&index))?));
    sums.sort();
    let list: String = sums.iter().map(|(name, sum)| format!("{}  {name}\n", hex::encode(sum))).collect();
    text(&whole.path().join("SHA256SUMS"), &list)?;
    std::fs::rename(whole.path(), folder).map_err(|error| at(folder, &error))?;
    // It is no longer where it would be taken away from.
    let _ = whole.keep();
    Ok(sums.into_iter().map(|(name, _)| name).chain(["SHA256SUMS".to_owned()]).collect())
}

/// The jails that a report is asked for one by one; one that is none stands for all at once. A day that has not begun by the
/// instant counted to certifies nothing.
async fn jails(
    client: &Client,
    query: &pb::ReportQuery,
    days: Days,
    quarter: Quarter,
) -> Result<Vec<Option<String>>, ReportError> {
    if days != Days::LastOfEachJail {
        return Ok(vec![None]);
    }
    let last = quarter.days().1.pred_opt().unwrap_or_default();
    let until = query.accrue_until.as_ref().and_then(time::utc);
    let (mut jails, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = pb::ListFacilitiesRequest { parent: query.county.clone(), as_of: query.as_of, page_size: 500, page_token };
        let page = client.list_facilities(request).await?;
        let wanted = page.facilities.into_iter().filter(|jail| {
            let begins = time::start_of_day(last, time::zone_or_utc(&jail.time_zone)).ok();
            let asked = query.facilities.is_empty() || query.facilities.contains(&jail.name);
            asked && begins.is_some_and(|begins| until.is_none_or(|until| begins < until))
        });
        jails.extend(wanted.map(|jail| Some(jail.name)));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(jails);
        }
    }
}

fn named(stem: &str, extension: &str) -> String {
    format!("{stem}.{extension}")
}

fn at(folder: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", folder.display()))
}

/// A folder beside the one that shall be, which may be there if it is empty.
fn folder_for(folder: &Path) -> io::Result<tempfile::TempDir> {
    match std::fs::read_dir(folder) {
        Ok(mut entries) => {
            if entries.next().is_some() {
                let why = io::Error::new(io::ErrorKind::DirectoryNotEmpty, "is not empty: name a new folder");
                return Err(at(folder, &why));
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(at(folder, &error)),
    }
    let parent: PathBuf = match folder.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".pack-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(std::fs::Permissions::from_mode(0o777));
    }
    builder.tempdir_in(&parent).map_err(|error| at(folder, &error))
}

fn listed(made: &Made) -> Listed {
    let manifest = &made.written.end.manifest;
    let keys: Vec<String> = reports::key_columns(&made.by).iter().map(|column| column.heading.to_lowercase()).collect();
    let by = if keys.is_empty() { String::new() } else { format!(", by {}", keys.join(" and ")) };
    let books = manifest.query.as_ref().is_some_and(|query| query.by_books);
    let by = if books { format!(", by the books{by}") } else { by };
    Listed {
        stem: made.stem.clone(),
        title: format!("{}{by}{}", made.title, made.jail.as_ref().map(|jail| format!(", {jail}")).unwrap_or_default()),
        days: match manifest.query.as_ref().and_then(|query| query.period.as_ref()) {
            Some(period) => about::days(Some(period)),
            None => "as of the record".to_owned(),
        },
        rows: manifest.row_count,
        sha256: hex::encode(&manifest.sha256),
    }
}

/// The headline figures: of the totals of two reports.
fn cards(made: &[Made]) -> Vec<(&'static str, String)> {
    let of = |stem: &str, key: &str| {
        let one = made.iter().find(|one| one.stem == stem)?;
        let cell = one.written.end.total.as_ref()?.get(one.layout.place(key)?)?;
        (*cell != Cell::Empty).then(|| cell.shown(false))
    };
    let wanted = [
        ("detainers received", DECISIONS, "received"),
        ("honored", DECISIONS, "honored"),
        ("declined", DECISIONS, "declined"),
        ("waiting for review", DECISIONS, "needs_review"),
        ("holds with time in the quarter", COST, "hold_count"),
        ("in custody after T0", COST, "duration"),
        ("of it without authority", COST, "over_detained_time"),
        ("incurred", COST, "incurred"),
        ("covered by agreements", COST, "covered"),
        ("absorbed by the county", COST, "absorbed"),
    ];
    wanted.into_iter().map(|(label, stem, key)| (label, of(stem, key).unwrap_or_else(|| "none".to_owned()))).collect()
}

/// The year for what goes by month, the register for how long people were held.
fn charts(made: &[Made]) -> Vec<&Figures> {
    [YEAR, REGISTER].iter().filter_map(|stem| made.iter().find(|one| one.stem == *stem)).map(|one| &one.written.figures).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn quarters() {
        let day = |y, m, d| NaiveDate::from_ymd_opt(y, m, d).unwrap();
        let quarter: Quarter = "2014Q4".parse().unwrap();
        assert_eq!((quarter.days(), quarter.to_string()), ((day(2014, 10, 1), day(2015, 1, 1)), "2014Q4".to_owned()));
        assert_eq!(quarter.period(Days::Year), Some(reports::period(day(2014, 1, 1), day(2015, 1, 1))));
        assert_eq!(quarter.period(Days::LastOfEachJail), Some(reports::period(day(2014, 12, 31), day(2015, 1, 1))));
        assert_eq!(quarter.words(), "fourth quarter of 2014");
        for wrong in ["2014", "2014Q0", "2014Q5", "Q1", "2014Q", "2014-Q1x", "99999999Q1"] {
            assert_eq!(wrong.parse::<Quarter>(), Err(format!("`{wrong}` is no quarter: write 2014Q1")));
        }
        assert_eq!(Quarter::before(day(2014, 1, 1)).to_string(), "2013Q4");
        assert_eq!(Quarter::before(day(2014, 12, 31)).to_string(), "2014Q3");
    }

    #[test]
    fn no_two_reports_share_a_name_and_the_headlines_are_there() {
        let stems: BTreeSet<&str> = ENTRIES.iter().map(|entry| entry.stem).collect();
        assert_eq!(stems.len(), ENTRIES.len());
        for stem in [DECISIONS, COST, YEAR, REGISTER] {
            assert!(stems.contains(stem), "{stem}");
        }
    }
}
