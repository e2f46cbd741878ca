//! A report written to files, in as many forms as are asked for while its rows pass once.

use std::io;
use std::path::{Path, PathBuf};

use chrono_tz::Tz;
use serde_json::{Value, json};

use super::file::Pending;
use super::{End, ReportError, What};
use crate::client::{Client, ClientError};
use crate::pb;
use crate::sheet::reports::{self, Layout};
use crate::sheet::write::html::figures::Figures;
use crate::sheet::write::{Ending, Form, Heading, Mark, Writer, about};
use crate::sheet::{names, time, words};

/// What all reports of a county have in their headings.
#[derive(Clone, Debug)]
pub struct Place {
    /// The county's name for people.
    pub name: String,
    /// Its zone.
    pub zone: Tz,
    /// When its policy was switched.
    pub marks: Vec<Mark>,
}

impl Place {
    /// Asks for it, as it was known at a point.
    ///
    /// # Errors
    /// As the calls.
    pub async fn of(client: &Client, county: &str, as_of: Option<pb::AsOf>) -> Result<Self, ClientError> {
        let answer = client.get_county(pb::GetCountyRequest { name: county.to_owned(), as_of }).await?;
        let known = answer.county.unwrap_or_default();
        let zone = time::zone_or_utc(&known.time_zone);
        let name = if known.display_name.is_empty() { names::id(county).to_owned() } else { known.display_name };
        Ok(Self { name, zone, marks: marks(client, county, zone, as_of).await? })
    }

    /// The heading of a report.
    #[must_use]
    pub fn heading(&self, layout: Layout, notes: Vec<String>) -> Heading {
        Heading { layout, place: self.name.clone(), zone: self.zone, marks: self.marks.clone(), notes }
    }
}

/// The switches of a county's policy, the earliest first.
async fn marks(client: &Client, county: &str, zone: Tz, as_of: Option<pb::AsOf>) -> Result<Vec<Mark>, ClientError> {
    let (mut marks, mut page_token) = (Vec::new(), String::new());
    loop {
        let parent = county.to_owned();
        let request = pb::ListPolicyRevisionsRequest { parent, as_of, page_size: 500, page_token };
        let page = client.list_policy_revisions(request).await?;
        let switched = page.policy_revisions.iter().filter(|one| one.state() == pb::PolicyRevisionState::Activated);
        marks.extend(switched.filter_map(|one| {
            let at = one.effective_time.as_ref().and_then(time::utc)?;
            let label = words::plain_of::<pb::PolicyMode>(one.mode);
            Some((at, Mark { day: at.with_timezone(&zone).date_naive(), label }))
        }));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            marks.sort_by_key(|(at, _)| *at);
            return Ok(marks.into_iter().map(|(_, mark)| mark).collect());
        }
    }
}

/// A file that is to be.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its form.
    pub form: Form,
    /// Its place.
    pub path: PathBuf,
}

/// A report that is there.
#[derive(Debug)]
pub struct Written {
    /// Its manifest and its row of totals.
    pub end: End,
    /// What its charts show.
    pub figures: Figures,
    /// SHA-256 of each file, in the order asked for.
    pub sums: Vec<[u8; 32]>,
}

/// Writes a report to files. None of them is there before all are whole. `seen` is told the number of rows so far.
///
/// # Errors
/// [`ReportError`]; then no file is there that was not before.
pub async fn write(
    client: &Client,
    what: &What,
    query: pb::ReportQuery,
    heading: &Heading,
    targets: &[Target],
    mut seen: impl FnMut(u64),
) -> Result<Written, ReportError> {
    let begun = targets.iter().map(|target| target.form.begin(heading, Pending::new(&target.path)?));
    let mut writers: Vec<Box<dyn Writer<Pending>>> = begun.collect::<io::Result<_>>()?;
    let (mut figures, mut count) = (Figures::of(&heading.layout), 0);
    let end = what.tell(client, query, |row| {
        count += 1;
        seen(count);
        figures.row(&row);
        writers.iter_mut().try_for_each(|writer| writer.row(&row))
    });
    let end = end.await?;
    figures.period(&end.manifest);
    let ending = Ending { manifest: &end.manifest, total: end.total.as_deref() };
    let whole = writers.into_iter().map(|writer| writer.finish(ending)).collect::<io::Result<Vec<_>>>()?;
    let sums = whole.into_iter().map(Pending::keep).collect::<io::Result<Vec<_>>>()?;
    Ok(Written { end, figures, sums })
}

/// The manifest as a file of its own: of which report, with the SHA-256 of each file.
#[must_use]
pub fn manifest(heading: &Heading, written: &Written, targets: &[Target]) -> Value {
    let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let files = targets
        .iter()
        .zip(&written.sums)
        .map(|(target, sum)| json!({ "name": name(&target.path), "form": target.form.extension(), "sha256": hex::encode(sum) }));
    let mut told = json!({
        "report": heading.layout.name,
        "title": heading.layout.title,
        "place": heading.place,
        "notes": heading.notes,
        "manifest": about::json(&written.end.manifest, heading.zone),
        "files": files.collect::<Vec<_>>(),
    });
    if let (Some(all), Some(change)) = (told.as_object_mut(), &written.end.change) {
        all.insert("change".to_owned(), reports::change::json(change));
    }
    told
}

/// Writes a text to a file, whole or not at all; its SHA-256.
///
/// # Errors
/// As the file's.
pub fn text(path: &Path, text: &str) -> io::Result<[u8; 32]> {
    let mut file = Pending::new(path)?;
    io::Write::write_all(&mut file, text.as_bytes())?;
    file.keep()
}
