//! Closed periods: books that are never rewritten (DOMAIN.md §6 *Postings*).
//!
//! A close names a day and says: all days before it are done. Custody that goes on across it is posted up to it by the same
//! record, so that the closed days hold all that was known of them. Whatever a later record makes of a closed day is posted
//! beside, never over it: its posting keeps the day it is about and is *accounted* on the first day that was open when it
//! was recorded. So the sum of what is accounted in a closed period stays the same for good, and the adjustment shows in
//! the next one with the period it is about.
//!
//! Closes only go forward, and none is taken back. Nothing here adds up money.

use super::booking::PostingCause;
use super::county::County;
use super::time::{Date, Instant};
use std::sync::Arc;

/// All days before one are closed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PeriodClose {
    /// The first local day that is still open, in each facility's zone.
    pub end: Date,
    /// When that was recorded.
    pub closed: Instant,
    /// The record that closed it: reports as of it show the period as it was closed.
    pub seq: i64,
    /// With which credential.
    pub actor: Arc<str>,
    /// The person behind it.
    pub person: Arc<str>,
}

impl County {
    /// The first local day that is open; nothing while no period was closed.
    #[must_use]
    pub fn open_from(&self) -> Option<Date> {
        self.closes.last().map(|close| close.end)
    }

    /// The day on which a posting about a day is accounted, where that is not the day itself: its own is closed. What the
    /// closing record itself posts belongs to the period that it closes.
    #[must_use]
    pub fn accounted(&self, day: Date, cause: PostingCause) -> Option<Date> {
        let closing = usize::from(cause == PostingCause::PeriodClosed);
        let open = self.closes.iter().rev().nth(closing).map(|close| close.end);
        open.filter(|open| day < *open)
    }

    /// The first day of the books that a day belongs to, and the first no longer in them; nothing at an end that is open.
    #[must_use]
    pub fn books_of(&self, day: Date) -> (Option<Date>, Option<Date>) {
        let before = self.closes.iter().map(|close| close.end).filter(|end| *end <= day).max();
        let after = self.closes.iter().map(|close| close.end).find(|end| day < *end);
        (before, after)
    }

    /// The instant by which a day has begun in every facility: from then on the days before it are over everywhere.
    #[must_use]
    pub fn begun_everywhere(&self, day: Date) -> Instant {
        let zones = self.facilities.values().map(|facility| facility.zone).chain([self.profile.zone]);
        zones.map(|zone| zone.start_of(day)).max().unwrap_or(Instant::FAR)
    }
}
