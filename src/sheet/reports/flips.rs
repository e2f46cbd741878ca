//! Answers that would have been others, under other rules.

use super::{Layout, instant};
use crate::pb;
use crate::sheet::table::{Cell, column, more};
use crate::sheet::{names, time};

/// What they look like.
#[must_use]
pub fn layout() -> Layout {
    let columns = vec![
        column("detainer", "DETAINER"),
        instant("effective_time", "FROM"),
        column("before", "BEFORE"),
        column("after", "AFTER"),
        column("reason", "BECAUSE"),
        more("facility"),
        more("before_reason"),
        more("explanation"),
        more("time_zone"),
    ];
    Layout { name: "flips", title: "Answers that differ", columns, nothing: "No answer differs." }
}

/// One of them.
#[must_use]
pub fn row(flip: &pb::SimulatedFlip) -> Vec<Cell> {
    let outcome = |decision: Option<&pb::Decision>| {
        decision.map_or(Cell::text("none"), |decision| Cell::word::<pb::Outcome>(decision.outcome))
    };
    let (before, after) = (flip.recorded.as_ref(), flip.supposed.as_ref());
    let reason = |decision: Option<&pb::Decision>| Cell::word::<pb::DecisionReason>(decision.map_or(0, |one| one.reason));
    let sentences = after.and_then(|one| one.sentences.iter().find(|told| told.language == "en"));
    vec![
        Cell::text(names::under_booking(&flip.detainer)),
        Cell::time(flip.effective_time.as_ref(), time::zone_or_utc(&flip.time_zone)),
        outcome(before),
        outcome(after),
        reason(after),
        Cell::text(names::id(&flip.facility)),
        reason(before),
        Cell::text(sentences.map(|told| format!("{} {}", told.answer, told.basis)).unwrap_or_default()),
        Cell::text(flip.time_zone.as_str()),
    ]
}
