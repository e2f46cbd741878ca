//! Checks a database against its own journal.
//!
//! [`check`] folds each county's journal from empty and compares what comes out with what is stored: leaf hashes, roots,
//! head, requests, and every table of [`crate::rows::tables::PROJECTIONS`], row for row, with all versions. It reads in
//! parts: a county's settings are folded along its journal, its bookings stream by stream, so memory grows with the
//! settings and with the longest stay, not with the journal. A server may go on writing meanwhile: what is recorded
//! after the check began is left out.
//!
//! It never writes, and it never mends: what differs is told in words ([`Difference`]), and a person decides.
//!
//! To check another table: put it into [`crate::rows::tables::PROJECTIONS`]. With a column `booking` it is compared stream
//! by stream, without one along the county.

mod compare;
mod difference;
mod journal;
mod requests;
mod settings;
mod streams;

pub use difference::{Difference, Place};

use crate::domain::ids::CountyId;
use crate::rows::tables::{HEADS, JOURNAL, PROJECTIONS, REQUESTS};
use crate::rows::{Cell, ColType, Table};
use crate::store::{Head, Store, StoreError};
use std::collections::BTreeSet;

/// What was checked, and how much of it differs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Checked {
    /// Counties.
    pub counties: u64,
    /// Records folded.
    pub records: u64,
    /// Rows compared, each version of a row counted.
    pub rows: u64,
    /// Differences found.
    pub differences: u64,
}

/// Where differences go; counts them.
pub(crate) struct Report<'a> {
    county: CountyId,
    done: Checked,
    tell: &'a mut (dyn FnMut(Difference) + Send),
}

impl Report<'_> {
    fn tell(&mut self, place: Place, what: impl Into<String>) {
        self.done.differences += 1;
        (self.tell)(Difference { county: self.county.clone(), place, what: what.into() });
    }
}

/// Folds every county's journal from empty and tells each difference from what is stored.
///
/// # Errors
/// The store's. A difference is no error.
pub async fn check(store: &Store, tell: &mut (dyn FnMut(Difference) + Send)) -> Result<Checked, StoreError> {
    let counties = counties(store).await?;
    let mut report = Report { county: CountyId::trusted(""), done: Checked::default(), tell };
    for county in counties {
        report.county = county;
        one(store, &mut report).await?;
        report.done.counties += 1;
    }
    Ok(report.done)
}

/// Every county that any table of the check speaks of.
async fn counties(store: &Store) -> Result<BTreeSet<CountyId>, StoreError> {
    let mut all = BTreeSet::new();
    for table in [&HEADS, &JOURNAL, &REQUESTS].into_iter().chain(PROJECTIONS.iter().copied()) {
        let Table { name, .. } = table;
        let rows = store.query(format!("select distinct county from {name}"), &[], &[ColType::Text]).await?;
        all.extend(rows.iter().filter_map(|row| row.first()?.as_text()).map(CountyId::trusted));
    }
    Ok(all)
}

async fn one(store: &Store, report: &mut Report<'_>) -> Result<(), StoreError> {
    // In this order: a head moves together with its records, so it is never behind what was there before it was read.
    let last = "select coalesce(max(seq), 0) from journal where county = $1";
    let last = store.query(last, &[report.county.as_str().into()], &[ColType::Int]).await?;
    let last = last.first().and_then(|row| row.first()).and_then(Cell::as_int).unwrap_or(0);
    let head = store.rows(&HEADS, "where t.county = $1", &[report.county.as_str().into()]).await?;
    let head = head.first().map(|version| Head::of(&version.row)).transpose()?;
    let seq = head.as_ref().map_or(0, |head| head.seq);
    if last > seq {
        let what = format!("the journal goes on to record {last}, but the head says that it ends at {seq}");
        report.tell(Place::Head, what);
    }
    let upto = seq.max(last);
    let folded = journal::fold(store, head.as_ref(), upto, report).await?;
    requests::compare(store, upto, folded.requests, report).await?;
    let Some(settings) = folded.settings else {
        report.tell(Place::County, "its tables were not compared, because its journal cannot be folded");
        return Ok(());
    };
    settings::compare(store, upto, settings, report).await?;
    match folded.county {
        Some(county) => streams::compare(store, upto, &county, report).await?,
        None => streams::strays(store, upto, report).await?,
    }
    Ok(())
}
