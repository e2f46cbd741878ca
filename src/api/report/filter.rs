//! The filters of a query, both ways: lists of values of each key that reports are sliced by. A report that a key means
//! nothing to refuses its list by name, rather than answering for more than was asked.

use super::super::convert::decision::wire_reason;
use super::super::convert::form::{wire_component, wire_edition};
use super::super::convert::hold::wire_hold_end;
use super::super::convert::policy::wire_mode;
use super::super::names::{self, BadName, of};
use super::super::time::Fields;
use super::super::{error, names::of::county as county_name};
use super::wire::group;
use crate::domain::county::County;
use crate::domain::decision::Reason;
use crate::domain::ids::CountyId;
use crate::domain::numbered::Numbered;
use crate::domain::policy::Mode;
use crate::pb;
use crate::report::{GroupBy, Key, Query, Why};
use std::collections::{BTreeMap, BTreeSet};
use tonic::Status;

/// Entries of one list of a query.
pub(super) const MOST_ENTRIES: usize = 1_000;
/// Keys that something may have no value of.
const MAY_BE_NONE: [GroupBy; 8] = [
    GroupBy::Office,
    GroupBy::Component,
    GroupBy::Edition,
    GroupBy::Revision,
    GroupBy::Mode,
    GroupBy::Agreement,
    GroupBy::EndReason,
    GroupBy::DecisionReason,
];

type Only = BTreeMap<GroupBy, BTreeSet<Key>>;

/// Reads the lists of all keys but facilities and offices, which a query keeps by themselves; `without` may ask for no
/// office too, which is the empty code.
pub(super) fn read(fields: &mut Fields, county: Option<&CountyId>, query: &pb::ReportQuery, applies: &[GroupBy]) -> Only {
    refuse_idle(fields, query, applies);
    let mut only = Only::new();
    let mut keep = |by, keys: BTreeSet<Key>| {
        if !keys.is_empty() {
            only.insert(by, keys);
        }
    };
    let words = words(fields, "query.components", &query.components, wire_component);
    keep(GroupBy::Component, words.into_iter().map(|case| Key::Component(Some(case))).collect());
    let words = self::words(fields, "query.form_editions", &query.form_editions, wire_edition);
    keep(GroupBy::Edition, words.into_iter().map(|case| Key::Edition(Some(case))).collect());
    let words = self::words(fields, "query.policy_modes", &query.policy_modes, wire_mode);
    keep(GroupBy::Mode, words.into_iter().map(|case| Key::Mode(Some(case))).collect());
    let words = self::words(fields, "query.end_reasons", &query.end_reasons, wire_hold_end);
    keep(GroupBy::EndReason, words.into_iter().map(|case| Key::EndReason(Some(case))).collect());
    let whys = reasons(fields, &query.decision_reasons);
    keep(GroupBy::DecisionReason, whys.into_iter().map(|why| Key::DecisionReason(Some(why))).collect());
    let found = named(fields, county, "query.policy_revisions", &query.policy_revisions, names::revision);
    keep(GroupBy::Revision, found.into_iter().map(|id| Key::Revision(Some(id))).collect());
    let found = named(fields, county, "query.agreements", &query.agreements, names::agreement);
    keep(GroupBy::Agreement, found.into_iter().map(|id| Key::Agreement(Some(id))).collect());
    for (n, number) in query.without.iter().enumerate().take(MOST_ENTRIES) {
        let field = format!("query.without[{n}]");
        match by_number(*number) {
            Some(by) if !applies.contains(&by) => fields.bad(&field, IDLE),
            Some(by) => match none_of(by) {
                Some(none) => {
                    only.entry(by).or_default().insert(none);
                }
                None => fields.bad(&field, "must be a key that may have no value, which month, week and facility always have"),
            },
            None => fields.bad(&field, "must be a value of GroupBy"),
        }
    }
    only
}

const IDLE: &str = "must be empty: it means nothing in this report";

/// Refuses lists of keys that the report is not about.
fn refuse_idle(fields: &mut Fields, query: &pb::ReportQuery, applies: &[GroupBy]) {
    let lists = [
        (GroupBy::Facility, "facilities", query.facilities.len()),
        (GroupBy::Office, "office_codes", query.office_codes.len()),
        (GroupBy::Component, "components", query.components.len()),
        (GroupBy::Edition, "form_editions", query.form_editions.len()),
        (GroupBy::Revision, "policy_revisions", query.policy_revisions.len()),
        (GroupBy::Mode, "policy_modes", query.policy_modes.len()),
        (GroupBy::Agreement, "agreements", query.agreements.len()),
        (GroupBy::EndReason, "end_reasons", query.end_reasons.len()),
        (GroupBy::DecisionReason, "decision_reasons", query.decision_reasons.len()),
    ];
    for (by, name, entries) in lists {
        let field = format!("query.{name}");
        if entries > 0 && !applies.contains(&by) {
            fields.bad(&field, IDLE);
        } else if entries > MOST_ENTRIES {
            fields.bad(&field, format!("may have at most {MOST_ENTRIES} entries"));
        }
    }
}

/// Refuses revisions and agreements that the county does not have at the point asked about.
///
/// # Errors
/// `RESOURCE_NOT_FOUND`.
pub(super) fn are_there(id: &CountyId, county: &County, only: &Only) -> Result<(), Status> {
    for key in only.values().flatten() {
        match key {
            Key::Revision(Some(revision)) if county.revision(revision).is_none() => {
                return Err(error::not_found("policy revision", &of::revision(id, revision)));
            }
            Key::Agreement(Some(agreement)) if !county.agreements.contains_key(agreement) => {
                return Err(error::not_found("agreement", &of::agreement(id, agreement)));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The filters of a query as the wire carries them, sorted.
pub(super) fn wire(id: &CountyId, query: &Query) -> pb::ReportQuery {
    let mut asked = pb::ReportQuery {
        by_books: query.by_books,
        county: county_name(id),
        facilities: query.facilities.iter().map(|facility| of::facility(id, facility)).collect(),
        office_codes: query.offices.iter().filter(|code| !code.is_empty()).map(ToString::to_string).collect(),
        ..pb::ReportQuery::default()
    };
    let mut without: Vec<pb::GroupBy> = query.offices.contains("").then_some(pb::GroupBy::Office).into_iter().collect();
    let mut words = BTreeSet::new();
    for (by, keys) in &query.only {
        for key in keys {
            match key {
                Key::Component(Some(component)) => asked.components.push(wire_component(*component).into()),
                Key::Edition(Some(edition)) => asked.form_editions.push(wire_edition(*edition).into()),
                Key::Revision(Some(revision)) => asked.policy_revisions.push(of::revision(id, revision)),
                Key::Mode(Some(mode)) => asked.policy_modes.push(wire_mode(*mode).into()),
                Key::Agreement(Some(agreement)) => asked.agreements.push(of::agreement(id, agreement)),
                Key::EndReason(Some(end)) => asked.end_reasons.push(wire_hold_end(*end).into()),
                // Several reasons, told apart by their mode, have one word.
                Key::DecisionReason(Some(why)) => {
                    words.insert(i32::from(wire_reason(why.reason, why.mode)));
                }
                _ => without.push(group(*by)),
            }
        }
    }
    asked.decision_reasons = words.into_iter().collect();
    asked.without = without.into_iter().map(i32::from).collect();
    asked
}

/// The key of a number.
pub(super) fn by_number(number: i32) -> Option<GroupBy> {
    GroupBy::OF_MONEY.into_iter().find(|by| i32::from(group(*by)) == number)
}

fn none_of(by: GroupBy) -> Option<Key> {
    MAY_BE_NONE.contains(&by).then_some(match by {
        GroupBy::Component => Key::Component(None),
        GroupBy::Edition => Key::Edition(None),
        GroupBy::Revision => Key::Revision(None),
        GroupBy::Mode => Key::Mode(None),
        GroupBy::Agreement => Key::Agreement(None),
        GroupBy::EndReason => Key::EndReason(None),
        GroupBy::DecisionReason => Key::DecisionReason(None),
        GroupBy::Office | GroupBy::Month | GroupBy::CustodyMonth | GroupBy::Week | GroupBy::Facility => Key::Office("".into()),
    })
}

/// Cases by their numbers on the wire.
fn words<T, W>(fields: &mut Fields, field: &str, numbers: &[i32], wire: fn(T) -> W) -> Vec<T>
where
    T: Numbered + Copy,
    W: Into<i32>,
{
    let mut found = Vec::new();
    for (n, number) in numbers.iter().enumerate().take(MOST_ENTRIES) {
        match T::ALL.iter().find(|case| wire(**case).into() == *number) {
            Some(case) => found.push(*case),
            None => fields.bad(&format!("{field}[{n}]"), "must be a value of its enumeration, other than UNSPECIFIED"),
        }
    }
    found
}

/// All reasons, with their modes, that have the words asked for.
fn reasons(fields: &mut Fields, numbers: &[i32]) -> BTreeSet<Why> {
    let modes = || Mode::ALL.iter().copied().map(Some).chain([None]);
    let all = || Reason::ALL.iter().flat_map(|reason| modes().map(|mode| Why::of(*reason, mode)));
    let mut found = BTreeSet::new();
    for (n, number) in numbers.iter().enumerate().take(MOST_ENTRIES) {
        let before = found.len();
        let same = |why: &Why| i32::from(wire_reason(why.reason, why.mode)) == *number;
        found.extend(all().filter(same));
        if found.len() == before && !all().any(|why| same(&why)) {
            let field = format!("query.decision_reasons[{n}]");
            fields.bad(&field, "must be a value of its enumeration, other than UNSPECIFIED");
        }
    }
    found
}

/// Ids of resources of the county.
pub(super) fn named<T>(
    fields: &mut Fields,
    county: Option<&CountyId>,
    field: &str,
    names: &[String],
    read: fn(&str) -> Result<(CountyId, T), BadName>,
) -> Vec<T> {
    let mut found = Vec::new();
    for (n, name) in names.iter().enumerate().take(MOST_ENTRIES) {
        let field = format!("{field}[{n}]");
        match fields.name(&field, name, read) {
            Some((of, id)) if county.is_none_or(|county| of == *county) => found.push(id),
            Some(_) => fields.bad(&field, "must be of the county that is asked about"),
            None => {}
        }
    }
    found
}
