//! What a report was asked and what it rests on: for people as lines, for programs as JSON.

use chrono_tz::Tz;
use serde_json::{Map, Value, json};

use crate::pb;
use crate::sheet::table::Cell;
use crate::sheet::{names, time, words};

/// A date range for people: its last day is in it.
#[must_use]
pub fn days(period: Option<&pb::DateInterval>) -> String {
    let day = |date: Option<&pb::Date>| date.and_then(time::day);
    let (from, to) = (day(period.and_then(|p| p.start_date.as_ref())), day(period.and_then(|p| p.end_date.as_ref())));
    match (from, to.and_then(|to| to.pred_opt())) {
        (Some(from), Some(last)) => format!("{from} to {last}"),
        _ => String::new(),
    }
}

/// Labels and values, in the order of reading.
#[must_use]
pub fn lines(manifest: &pb::ReportManifest, zone: Tz) -> Vec<(&'static str, String)> {
    let pb::ReportManifest {
        query,
        as_of_pair,
        accrue_until,
        tree_root,
        report_version,
        policy_revisions,
        row_count,
        zone_rule,
        sha256,
    } = manifest;
    let query = query.clone().unwrap_or_default();
    let pair = as_of_pair.unwrap_or_default();
    let at = |stamp: Option<&prost_types::Timestamp>| Cell::time(stamp, zone).shown(false);
    let ids = |names: &[String]| names.iter().map(|name| names::id(name)).collect::<Vec<_>>().join(", ");
    // What is asked of no days is asked of no facilities and rests on no policy: lists about claims.
    let sliced = |told: String| if query.period.is_some() { told } else { String::new() };
    let revisions = if policy_revisions.is_empty() { "none".to_owned() } else { ids(policy_revisions) };
    let mut lines = vec![
        ("County", names::id(&query.county).to_owned()),
        ("Days, the last one included", days(query.period.as_ref())),
        ("How days are read", zone_rule.clone()),
    ];
    lines.extend(narrowed(&query).into_iter().map(|(label, _, values)| (label, values.join(", "))));
    lines.extend([
        ("As of record", pair.sequence.to_string()),
        ("recorded", at(pair.recorded_time.as_ref())),
        ("Custody that goes on is counted to", at(accrue_until.as_ref())),
        ("Policy revisions", sliced(revisions)),
        ("Rows", Cell::Int(*row_count).shown(false)),
        ("Version of the report's rules", report_version.clone()),
        ("Root of the county's tree at that record", hex::encode(tree_root)),
        ("SHA-256 of the canonical CSV", hex::encode(sha256)),
    ]);
    lines.retain(|(_, value)| !value.is_empty());
    lines
}

/// By what a query is narrowed: the label, the contract's name, and the values. A field of the query that is new has to be
/// told here, or a reader would take a part for the whole.
fn narrowed(query: &pb::ReportQuery) -> Vec<(&'static str, &'static str, Vec<String>)> {
    fn words<W: words::Word>(values: &[i32]) -> Vec<String> {
        values.iter().map(|value| words::word_of::<W>(*value)).collect()
    }
    let pb::ReportQuery {
        county: _,
        period: _,
        as_of: _,
        accrue_until: _,
        facilities,
        office_codes,
        components,
        form_editions,
        policy_revisions,
        policy_modes,
        agreements,
        end_reasons,
        decision_reasons,
        without,
        by_books,
    } = query;
    let ids = |names: &[String]| names.iter().map(|name| names::id(name).to_owned()).collect::<Vec<_>>();
    let mut all = vec![
        ("Only facilities", "facilities", ids(facilities)),
        ("Only issuing offices", "office_codes", office_codes.clone()),
        ("Only issuing components", "components", words::<pb::IssuingComponent>(components)),
        ("Only form editions", "form_editions", words::<pb::FormEdition>(form_editions)),
        ("Only policy revisions", "policy_revisions", ids(policy_revisions)),
        ("Only policy modes", "policy_modes", words::<pb::PolicyMode>(policy_modes)),
        ("Only agreements", "agreements", ids(agreements)),
        ("Only holds that ended by", "end_reasons", words::<pb::HoldEndReason>(end_reasons)),
        ("Only decisions because of", "decision_reasons", words::<pb::DecisionReason>(decision_reasons)),
        ("Also what has no", "without", words::<pb::GroupBy>(without)),
        (
            "Counted",
            "by_books",
            by_books.then(|| "by the books: each posting on the day it is accounted on".to_owned()).into_iter().collect(),
        ),
    ];
    all.retain(|(_, _, values)| !values.is_empty());
    all
}

/// The manifest for programs, under the contract's own names; instants in the county's zone, bytes in hex.
#[must_use]
pub fn json(manifest: &pb::ReportManifest, zone: Tz) -> Value {
    let at = |stamp: Option<&prost_types::Timestamp>| Cell::time(stamp, zone).json(false);
    let day = |date: Option<&pb::Date>| Cell::day(date).json(false);
    let query = manifest.query.as_ref().map(|query| {
        let mut told = Map::new();
        told.insert("county".to_owned(), json!(query.county));
        told.insert("start_date".to_owned(), day(query.period.as_ref().and_then(|period| period.start_date.as_ref())));
        told.insert("end_date".to_owned(), day(query.period.as_ref().and_then(|period| period.end_date.as_ref())));
        told.extend(narrowed(query).into_iter().map(|(_, name, values)| (name.to_owned(), json!(values))));
        Value::Object(told)
    });
    json!({
        "query": query,
        "as_of_sequence": manifest.as_of_pair.map(|pair| pair.sequence),
        "as_of_recorded_time": at(manifest.as_of_pair.as_ref().and_then(|pair| pair.recorded_time.as_ref())),
        "accrue_until": at(manifest.accrue_until.as_ref()),
        "tree_root": hex::encode(&manifest.tree_root),
        "report_version": manifest.report_version,
        "policy_revisions": manifest.policy_revisions,
        "row_count": manifest.row_count,
        "zone_rule": manifest.zone_rule,
        "sha256": hex::encode(&manifest.sha256),
    })
}
