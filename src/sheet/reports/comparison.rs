//! Policies side by side, on the same facts.

use crate::pb;
use crate::sheet::table::{Cell, Field, Table, column, more};
use crate::sheet::words;

/// Policies side by side: a row each.
#[must_use]
pub fn table(policies: &[pb::PolicyColumn], about: Vec<Field>) -> Table {
    let columns = vec![
        column("policy", "POLICY"),
        column("detainer_count", "DETAINERS"),
        column("honored_count", "HONORED"),
        column("declined_count", "DECLINED"),
        column("needs_review_count", "REVIEW"),
        column("hold_count", "HOLDS"),
        column("held", "HELD"),
        column("over_detained", "OVER-DETAINED"),
        column("incurred", "INCURRED"),
        column("covered", "COVERED"),
        column("absorbed", "ABSORBED"),
        column("further", "FURTHER AT MOST"),
        more("authorized_late"),
        more("notified_count"),
        more("transferred_count"),
        more("over_detained_stay_count"),
        more("released_early_count"),
        more("further_incurred"),
        more("further_covered"),
    ];
    let mut table = Table::new("", columns, "No policy.");
    table.about = about;
    table.rows = policies.iter().map(row).collect();
    table
}

fn row(one: &pb::PolicyColumn) -> Vec<Cell> {
    let totals = |amount: &Option<pb::ComparedAmount>| amount.as_ref().and_then(|one| one.totals.clone()).unwrap_or_default();
    let length = |amount: &Option<pb::ComparedAmount>| Cell::length(amount.as_ref().and_then(|one| one.duration.as_ref()));
    let (custody, further) = (totals(&one.custody), totals(&one.further));
    vec![
        Cell::text(words::parse::<pb::PolicyMode>(&one.label).map_or_else(|| one.label.clone(), words::word)),
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
    ]
}
