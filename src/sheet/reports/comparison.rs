//! Policies side by side, on the same facts.

use super::{Layout, amount, count, currency, length};
use crate::pb;
use crate::sheet::table::{Cell, Field, Kind, Table, column, more};
use crate::sheet::words;

/// What it looks like: a row each policy.
#[must_use]
pub fn layout() -> Layout {
    let columns = vec![
        column("policy", "POLICY"),
        count("detainer_count", "DETAINERS"),
        count("honored_count", "HONORED"),
        count("declined_count", "DECLINED"),
        count("needs_review_count", "REVIEW"),
        count("hold_count", "HOLDS"),
        length("held", "HELD"),
        length("over_detained", "OVER-DETAINED"),
        amount("incurred", "INCURRED"),
        amount("covered", "COVERED"),
        amount("absorbed", "ABSORBED"),
        length("further", "FURTHER AT MOST"),
        more("authorized_late").of(Kind::Length),
        more("notified_count").of(Kind::Int),
        more("transferred_count").of(Kind::Int),
        more("over_detained_stay_count").of(Kind::Int),
        more("released_early_count").of(Kind::Int),
        more("further_incurred").of(Kind::Money),
        more("further_covered").of(Kind::Money),
        more("currency"),
    ];
    Layout { name: "policies-compared", title: "One period under several policies", columns, nothing: "No policy." }
}

/// All of them as a table.
#[must_use]
pub fn table(policies: &[pb::PolicyColumn], about: Vec<Field>) -> Table {
    let mut table = layout().table("");
    table.about = about;
    table.rows = policies.iter().map(row).collect();
    table
}

/// One policy.
#[must_use]
pub fn row(one: &pb::PolicyColumn) -> Vec<Cell> {
    let totals = |amount: &Option<pb::ComparedAmount>| amount.as_ref().and_then(|one| one.totals.clone()).unwrap_or_default();
    let length = |amount: &Option<pb::ComparedAmount>| Cell::length(amount.as_ref().and_then(|one| one.duration.as_ref()));
    let (custody, further) = (totals(&one.custody), totals(&one.further));
    vec![
        words::parse::<pb::PolicyMode>(&one.label).map_or_else(|| Cell::text(&one.label), |mode| Cell::Text(words::word(mode))),
        Cell::Int(one.detainer_count),
        Cell::Int(one.honored_count),
        Cell::Int(one.declined_count),
        Cell::Int(one.needs_review_count),
        Cell::Int(one.hold_count),
        length(&one.held),
        length(&one.over_detained),
        Cell::money(custody.incurred.as_ref()),
        Cell::money(custody.covered.as_ref()),
        Cell::money(custody.absorbed.as_ref()),
        length(&one.further),
        length(&one.authorized_late),
        Cell::Int(one.notified_count),
        Cell::Int(one.transferred_count),
        Cell::Int(one.over_detained_stay_count),
        Cell::Int(one.released_early_count),
        Cell::money(further.incurred.as_ref()),
        Cell::money(further.covered.as_ref()),
        currency(&custody),
    ]
}
