//! What a report is asked: read, checked against the county, and pinned to one point and one instant.

use super::super::Api;
use super::super::auth::Principal;
use super::super::error;
use super::super::names::{self, of};
use super::super::paging::Resume;
use super::super::time::{Fields, stamp, wire_date, wire_pair};
use super::filter::{self, MOST_ENTRIES};
use crate::domain::county::County;
use crate::domain::ids::{CountyId, FacilityId, RevisionId};
use crate::domain::time::{Date, Instant};
use crate::ledger::{AsOf, Pair};
use crate::pb;
use crate::report::{GroupBy, Query};
use crate::sheet::canonical::Sum;
use std::collections::BTreeSet;
use std::sync::Arc;
use tonic::Status;

/// How local days are read, in words.
const ZONE_RULE: &str = "Each day is a local day of the facility that a row belongs to.";

/// A report as it was understood.
pub(super) struct Asked {
    pub id: CountyId,
    pub county: Arc<County>,
    /// What was known.
    pub pair: Pair,
    /// What is counted, and until when.
    pub query: Query,
    /// Asked about the one instant counted to, not about days; the query's day is then the county's local day of it.
    pub moment: bool,
}

impl Asked {
    /// Reads a query; other bad fields of the request are in `fields` already. A page that goes on takes point and
    /// instant from the page before.
    pub async fn read(
        api: &Api,
        caller: &Principal,
        fields: Fields,
        query: Option<&pb::ReportQuery>,
        resume: Option<&Resume>,
    ) -> Result<Self, Status> {
        Self::read_for(api, caller, fields, query, resume, &GroupBy::ALL).await
    }

    /// The same for a report to which only some keys mean anything: lists of others are refused.
    pub async fn read_for(
        api: &Api,
        caller: &Principal,
        mut fields: Fields,
        query: Option<&pb::ReportQuery>,
        resume: Option<&Resume>,
        applies: &[GroupBy],
    ) -> Result<Self, Status> {
        let days = query.map(|query| period(&mut fields, query.period.as_ref()));
        Self::read_days(api, caller, fields, query, resume, applies, days.map(|days| (days, false))).await
    }

    /// The same for a list about the one instant counted to: days are refused.
    pub async fn read_moment(
        api: &Api,
        caller: &Principal,
        mut fields: Fields,
        query: Option<&pb::ReportQuery>,
        resume: Option<&Resume>,
        applies: &[GroupBy],
    ) -> Result<Self, Status> {
        if query.is_some_and(|query| query.period.is_some()) {
            fields.bad("query.period", "must be unset: the list is of one instant, accrue_until");
        }
        let today = query.map(|_| (Some((Date::MIN, Date::MAX)), true));
        Self::read_days(api, caller, fields, query, resume, applies, today).await
    }

    async fn read_days(
        api: &Api,
        caller: &Principal,
        mut fields: Fields,
        query: Option<&pb::ReportQuery>,
        resume: Option<&Resume>,
        applies: &[GroupBy],
        days: Option<(Option<(Date, Date)>, bool)>,
    ) -> Result<Self, Status> {
        let Some((query, (days, moment))) = query.zip(days) else {
            fields.bad("query", "is required");
            return Err(fields.refusal());
        };
        let id = fields.name("query.county", &query.county, names::county);
        let facilities = facilities(&mut fields, id.as_ref(), &query.facilities);
        let mut offices = offices(&mut fields, &query.office_codes);
        let mut only = filter::read(&mut fields, id.as_ref(), query, applies);
        if only.remove(&GroupBy::Office).is_some() {
            offices.insert("".into());
        }
        if query.by_books && !applies.contains(&GroupBy::CustodyMonth) {
            fields.bad("query.by_books", "must be unset: only money has books");
        }
        if query.by_books && query.accrue_until.is_some() && resume.is_none() {
            fields.bad("query.accrue_until", "must be unset by the books, which are as of their record");
        }
        let as_of = as_of(&mut fields, query.as_of.as_ref());
        let until = fields.optional_instant("query.accrue_until", query.accrue_until.as_ref());
        let (Some(id), Some((start, end))) = (id, days) else { return Err(fields.refusal()) };
        caller.allow(&id)?;
        fields.finish()?;

        let as_of = resume.map_or(as_of, |resume| AsOf::Sequence(resume.seq));
        let (pair, county) = api.county_at(caller, &id, as_of).await?;
        if let Some(missing) = facilities.iter().find(|facility| !county.facilities.contains_key(*facility)) {
            return Err(error::not_found("facility", &of::facility(&id, missing)));
        }
        filter::are_there(&id, &county, &only)?;
        // Now is never earlier than the last recorded time.
        let now = pair.recorded.map_or(api.ledger.now(), |recorded| api.ledger.now().max(recorded));
        let until = match (resume, until) {
            (Some(resume), _) => Instant::from_micros(resume.at),
            (None, Some(asked)) if asked > now => {
                let why = "may not lie ahead of now: custody that is still to come is not counted";
                let bad = vec![("query.accrue_until".to_owned(), why.to_owned())];
                return Err(error::bad_fields(pb::ErrorReason::FieldInvalid, bad));
            }
            (None, Some(asked)) => asked,
            (None, None) if as_of == AsOf::Latest => now,
            (None, None) => api.moment(None, as_of, pair).min(now),
        };
        let today = county.profile.zone.date(until);
        let (start, end) = if moment { (today, today.succ_opt().unwrap_or(today)) } else { (start, end) };
        Ok(Self {
            id,
            county,
            pair,
            query: Query { start, end, facilities, offices, only, by_books: query.by_books, until },
            moment,
        })
    }

    /// What the report rests on, and what its file comes to. The query in it asks for exactly this report again.
    pub fn manifest(&self, version: &str, revisions: &BTreeSet<RevisionId>, file: Sum) -> pb::ReportManifest {
        let Query { start, end, until, .. } = &self.query;
        let asked = pb::ReportQuery {
            period: (!self.moment)
                .then(|| pb::DateInterval { start_date: Some(wire_date(*start)), end_date: Some(wire_date(*end)) }),
            as_of: Some(pb::AsOf { point: Some(pb::as_of::Point::Sequence(self.pair.seq)) }),
            // By the books it follows from the point of knowledge.
            accrue_until: (!self.query.by_books).then(|| stamp(*until)),
            ..filter::wire(&self.id, &self.query)
        };
        pb::ReportManifest {
            query: Some(asked),
            as_of_pair: Some(wire_pair(self.pair)),
            accrue_until: Some(stamp(*until)),
            tree_root: self.pair.root.map(|root| root.to_vec()).unwrap_or_default(),
            report_version: version.to_owned(),
            policy_revisions: revisions.iter().map(|revision| of::revision(&self.id, revision)).collect(),
            row_count: file.rows,
            zone_rule: ZONE_RULE.to_owned(),
            sha256: file.sha256.to_vec(),
        }
    }
}

fn period(fields: &mut Fields, period: Option<&pb::DateInterval>) -> Option<(Date, Date)> {
    let Some(period) = period else {
        fields.bad("query.period", "is required");
        return None;
    };
    let start = fields.date("query.period.start_date", period.start_date.as_ref());
    let end = fields.date("query.period.end_date", period.end_date.as_ref());
    let (start, end) = (start?, end?);
    if start >= end {
        fields.bad("query.period.end_date", "must be after start_date; it is the first day not reported on");
        return None;
    }
    Some((start, end))
}

/// The facilities asked for.
fn facilities(fields: &mut Fields, county: Option<&CountyId>, names: &[String]) -> BTreeSet<FacilityId> {
    filter::named(fields, county, "query.facilities", names, names::facility).into_iter().collect()
}

fn offices(fields: &mut Fields, codes: &[String]) -> BTreeSet<Arc<str>> {
    let codes = codes.iter().enumerate().take(MOST_ENTRIES);
    codes.map(|(n, code)| fields.required_text(&format!("query.office_codes[{n}]"), code, 50)).collect()
}

/// As [`Fields::as_of`], under the name it has here.
fn as_of(fields: &mut Fields, asked: Option<&pb::AsOf>) -> AsOf {
    as_of_in(fields, "query.as_of", asked)
}

/// The same under another name.
pub(super) fn as_of_in(fields: &mut Fields, field: &str, asked: Option<&pb::AsOf>) -> AsOf {
    match asked.and_then(|as_of| as_of.point.as_ref()) {
        Some(pb::as_of::Point::Sequence(seq)) if *seq < 0 => {
            fields.bad(&format!("{field}.sequence"), "may not be negative");
            AsOf::Latest
        }
        Some(pb::as_of::Point::Sequence(seq)) => AsOf::Sequence(*seq),
        Some(pb::as_of::Point::RecordedTime(at)) => {
            fields.optional_instant(&format!("{field}.recorded_time"), Some(at)).map_or(AsOf::Latest, AsOf::Recorded)
        }
        None => AsOf::Latest,
    }
}

/// The keys to slice by: each at most once, of those that mean something in the report.
pub(super) fn group_by(fields: &mut Fields, asked: &[i32], applies: &[GroupBy]) -> Vec<GroupBy> {
    let mut by: Vec<GroupBy> = Vec::new();
    for (n, number) in asked.iter().enumerate().take(MOST_ENTRIES) {
        let one = filter::by_number(*number);
        match one {
            Some(one) if !applies.contains(&one) => fields.bad(&format!("group_by[{n}]"), "slices nothing in this report"),
            Some(one) if by.contains(&one) => fields.bad(&format!("group_by[{n}]"), "comes twice"),
            Some(one) => by.push(one),
            None => fields.bad(&format!("group_by[{n}]"), "must be a value of GroupBy"),
        }
    }
    by
}
