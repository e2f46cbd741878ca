//! Why the cost report changed between two points: told booking by booking from the journal, and checked against the report
//! itself at both points.

use super::super::Api;
use super::super::auth::Principal;
use super::super::error;
use super::super::names::of;
use super::super::time::{Fields, stamp, wire_duration, wire_pair};
use super::super::watch::Sender;
use super::file::File;
use super::query::{self, Asked};
use super::stays::{PART, Stays};
use super::{NAMES, send, uncounted, version, wire};
use crate::domain::ids::BookingId;
use crate::ledger::AsOf;
use crate::pb::{self, ErrorReason};
use crate::report::change::{self, Amount, Cause, Change, Points};
use crate::report::{lines, select};
use crate::sheet::reports as sheets;
use std::collections::{BTreeMap, BTreeSet};
use tonic::Status;

/// The same report at two points.
pub(super) struct Two {
    before: Asked,
    after: Asked,
}

impl Two {
    /// Reads both.
    pub async fn read(api: &Api, caller: &Principal, request: &pb::ExplainChangeRequest) -> Result<Self, Status> {
        let mut fields = Fields::new();
        let earlier = query::as_of_in(&mut fields, "before", request.before.as_ref());
        if earlier == AsOf::Latest {
            fields.bad("before", "is required");
        }
        let counted = fields.optional_instant("before_accrue_until", request.before_accrue_until.as_ref());
        let after = Asked::read(api, caller, fields, request.query.as_ref(), None).await?;
        let query = pb::ReportQuery {
            as_of: request.before,
            accrue_until: counted.map(stamp),
            ..request.query.clone().unwrap_or_default()
        };
        let before = Asked::read(api, caller, Fields::new(), Some(&query), None).await?;
        if before.pair.seq > after.pair.seq {
            let why = "must not be later than the point that the query asks for";
            return Err(error::bad_fields(ErrorReason::FieldInvalid, vec![("before".into(), why.into())]));
        }
        Ok(Self { before, after })
    }

    /// The next bookings, in order, that either point may count.
    async fn names(&self, api: &Api, after: Option<&BookingId>) -> Result<Vec<BookingId>, Status> {
        let mut names = BTreeSet::new();
        let mut end: Option<BookingId> = None;
        for asked in [&self.before, &self.after] {
            let store = api.ledger.store();
            let found = select::with_custody(store, &asked.id, asked.pair.seq, &asked.query, after, NAMES).await;
            let found = found.map_err(|error| error::of_store(&error))?;
            if u32::try_from(found.len()).is_ok_and(|count| count == NAMES) {
                // What lies beyond the end of a full page comes with the next.
                end = match (end, found.last().cloned()) {
                    (Some(one), Some(two)) => Some(one.min(two)),
                    (one, two) => one.or(two),
                };
            }
            names.extend(found);
        }
        Ok(names.into_iter().filter(|name| end.as_ref().is_none_or(|end| name <= end)).collect())
    }
}

/// What the report itself says at a point.
async fn counted(api: &Api, asked: &Asked) -> Result<Amount, Status> {
    let (mut sum, mut stays) = (Amount::default(), Stays::new(None));
    while let Some(some) = stays.next(api, asked).await? {
        for stay in some {
            let one = Amount::of(&lines::asked(&asked.query, &stay)).map_err(|error| uncounted(&error))?;
            sum = sum.plus(one).map_err(|error| uncounted(&error))?;
        }
    }
    Ok(sum)
}

/// Tells the changes, then what they come to.
pub(super) async fn tell(api: Api, two: Two, sender: Sender<pb::ExplainChangeResponse>) -> Result<(), Status> {
    use pb::explain_change_response::Part;
    let part = |part| pb::ExplainChangeResponse { part: Some(part) };
    let Two { before, after } = &two;
    let of_ledger = |error| error::of_ledger("", error);
    send(&sender, part(Part::AsOfPair(wire_pair(after.pair)))).await;
    let own = api.ledger.own_since(&before.id, before.pair.seq, after.pair.seq).await.map_err(of_ledger)?;
    let shared = change::shared(&before.county, &own);
    let points = Points { query: &after.query, county: &before.county, before: before.query.until, after: after.query.until };
    let mut file = File::new(&sheets::change::layout())?;
    let mut causes: BTreeMap<Cause, (i64, Amount)> = BTreeMap::new();
    let mut last: Option<BookingId> = None;
    loop {
        let names = two.names(&api, last.as_ref()).await?;
        for ids in names.chunks(PART) {
            let mut states = api.ledger.bookings(&before.id, ids, before.pair).await.map_err(of_ledger)?;
            let mut records = api.ledger.since(&before.id, ids, before.pair.seq, after.pair.seq).await.map_err(of_ledger)?;
            for id in ids {
                let records = records.remove(id).unwrap_or_default();
                let found = change::of_booking(&points, states.remove(id), &records, &shared);
                for change in found.map_err(|error| uncounted(&error))? {
                    let sum = causes.entry(change.cause).or_default();
                    *sum = (sum.0 + 1, sum.1.plus(change.amount).map_err(|error| uncounted(&error))?);
                    let change = wire_change(after, id, &change)?;
                    file.row(&sheets::change::row(&change))?;
                    send(&sender, part(Part::Change(change))).await;
                }
            }
        }
        last = names.into_iter().next_back();
        if last.is_none() {
            break;
        }
    }
    let summary = summary(&api, &two, &causes).await?;
    send(&sender, part(Part::Summary(summary))).await;
    send(&sender, part(Part::Manifest(after.manifest(version::CHANGE, &BTreeSet::new(), file.sum()?)))).await;
    Ok(())
}

async fn summary(api: &Api, two: &Two, causes: &BTreeMap<Cause, (i64, Amount)>) -> Result<pb::ChangeSummary, Status> {
    let Two { before, after } = two;
    let (was, is) = (counted(api, before).await?, counted(api, after).await?);
    let told = causes.values().try_fold(was, |sum, (_, amount)| sum.plus(*amount));
    let residual = told.and_then(|told| is.less(told)).map_err(|error| uncounted(&error))?;
    if !residual.is_zero() {
        tracing::error!(?residual, "a change of the cost report that no record explains");
    }
    let by_cause = |(cause, (count, amount)): (&Cause, &(i64, Amount))| {
        Ok(pb::ChangeByCause {
            cause: wire_cause(*cause).into(),
            change_count: *count,
            amount: Some(wire_amount(after, *amount)?),
        })
    };
    Ok(pb::ChangeSummary {
        before_pair: Some(wire_pair(before.pair)),
        before_accrue_until: Some(stamp(before.query.until)),
        before: Some(wire_amount(after, was)?),
        after_pair: Some(wire_pair(after.pair)),
        after_accrue_until: Some(stamp(after.query.until)),
        after: Some(wire_amount(after, is)?),
        causes: causes.iter().map(by_cause).collect::<Result<_, Status>>()?,
        residual: Some(wire_amount(after, residual)?),
    })
}

fn wire_amount(asked: &Asked, amount: Amount) -> Result<pb::ChangeAmount, Status> {
    let totals = wire::totals(asked, amount.totals())?;
    Ok(pb::ChangeAmount { duration: Some(wire_duration(amount.us)), totals: Some(totals) })
}

fn wire_cause(cause: Cause) -> pb::ChangeCause {
    match cause {
        Cause::LateFact => pb::ChangeCause::LateFact,
        Cause::Correction => pb::ChangeCause::Correction,
        Cause::Rate => pb::ChangeCause::Rate,
        Cause::Agreement => pb::ChangeCause::Agreement,
        Cause::Policy => pb::ChangeCause::Policy,
        Cause::TimePassing => pb::ChangeCause::TimePassing,
    }
}

fn wire_change(asked: &Asked, booking: &BookingId, change: &Change) -> Result<pb::Change, Status> {
    let (sequence, command_sequence, recorded) = match change.record {
        Some((seq, first, recorded)) => (seq, first, Some(stamp(recorded))),
        None => (0, 0, None),
    };
    Ok(pb::Change {
        cause: wire_cause(change.cause).into(),
        booking: of::booking(&asked.id, booking),
        sequence,
        command_sequence,
        record_time: recorded,
        amount: Some(wire_amount(asked, change.amount)?),
    })
}
