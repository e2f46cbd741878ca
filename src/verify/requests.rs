//! Requests that are kept and that no record speaks of.

use super::{Report, compare};
use crate::journal::record::Record;
use crate::rows::tables::{JOURNAL, REQUESTS};
use crate::rows::{Cell, ColType, Version};
use crate::store::{Param, Store, StoreError};
use std::collections::HashSet;

/// Tells requests that are kept and do not follow from the journal. Those that do were compared along it, and there were
/// `known` of them; only where there are more are they looked for.
pub(super) async fn compare(store: &Store, upto: i64, known: u64, report: &mut Report<'_>) -> Result<(), StoreError> {
    let sql = "select count(*) from requests where county = $1 and last_seq <= $2";
    let count = store.query(sql, &[report.county.as_str().into(), Param::from(upto)], &[ColType::Int]).await?;
    let count = count.first().and_then(|row| row.first()).and_then(Cell::as_int).unwrap_or(0);
    if u64::try_from(count).is_ok_and(|count| count <= known) {
        return Ok(());
    }
    let mut after = String::new();
    loop {
        let tail = "where t.county = $1 and t.request_id > $2 and t.last_seq <= $3 order by t.request_id limit 256";
        let params = [report.county.as_str().into(), Param::from(after.as_str()), Param::from(upto)];
        let part = store.rows(&REQUESTS, tail, &params).await?;
        let Some(last) = part.last() else { return Ok(()) };
        last.row.key.get(1).and_then(Cell::as_text).unwrap_or_default().clone_into(&mut after);
        let firsts: Vec<Vec<Cell>> = part.iter().filter_map(first).collect();
        let records = store.rows_by(&JOURNAL, &["county", "seq"], &firsts, "").await?;
        let told: HashSet<(Cell, Cell)> = records.iter().filter_map(request).collect();
        for version in &part {
            let key = version.row.key.get(1).cloned().zip(version.row.get("first_seq").cloned());
            if !key.is_some_and(|key| told.contains(&key)) {
                report.tell(compare::place(&version.row), "the row does not follow from the journal");
            }
        }
    }
}

fn first(version: &Version) -> Option<Vec<Cell>> {
    Some(vec![version.row.key.first()?.clone(), version.row.get("first_seq")?.clone()])
}

/// The request that a record speaks of, with its place.
fn request(version: &Version) -> Option<(Cell, Cell)> {
    let record = Record::decode(version.row.get("payload")?.as_bytes()?).ok()?;
    Some((Cell::from(record.request?.id), record.seq.into()))
}
