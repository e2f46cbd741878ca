//! Revisions before they are in force: made, previewed, activated, with a second person where the county asks for one.

use super::auth::Principal;
use super::convert::correction::wire_proposal;
use super::convert::decision::{wire_outcome, wire_reason};
use super::convert::facts::About;
use super::convert::policy::{read_rules, wire_draft, wire_revision};
use super::names::{self, of};
use super::time::{Fields, receipt, stamp, wire_money, wire_pair};
use super::{Api, error, write};
use crate::domain::command::{CountyCommand, NewRevision, When};
use crate::domain::county::County;
use crate::domain::event::Event;
use crate::domain::ids::{BookingId, CountyId, FacilityId, RevisionId};
use crate::domain::impact::Impact;
use crate::domain::money::Cents;
use crate::domain::policy::Revision;
use crate::domain::time::Instant;
use crate::ledger::{AsOf, Call, Command, Written};
use crate::pb;
use crate::rows::{Cell, ColType};
use std::collections::BTreeMap;
use tonic::Status;

/// How many flips, and how many ended holds, a preview lists.
const LISTED: usize = 10_000;

/// What waits for a second person, if the act was proposed.
pub(super) fn proposed(written: &Written) -> Option<pb::Proposal> {
    let nobody = BookingId::trusted("");
    let about = About { county: &written.county, booking: &nobody, facility: None };
    written.events.iter().find_map(|event| match event {
        Event::Proposed(proposal) => Some(wire_proposal(about, proposal, String::new(), proposal.proposed)),
        _ => None,
    })
}

/// The digest of a preview; nothing where none is given.
pub(super) fn read_digest(fields: &mut Fields, told: &[u8]) -> Option<[u8; 32]> {
    if told.is_empty() {
        return None;
    }
    fields.take("preview_digest", told.try_into().map_err(|_| "must be the 32 bytes of the preview's digest"))
}

/// When a rule is to take effect.
fn read_when(fields: &mut Fields, told: Option<&prost_types::Timestamp>, when_recorded: bool) -> When {
    match (fields.optional_instant("effective_time", told), when_recorded) {
        (None, false) => When::Planned,
        (None, true) => When::Recorded,
        (Some(at), false) => When::At(at),
        (Some(at), true) => {
            fields.bad("effective_when_recorded", "does not go with effective_time: set one of them");
            When::At(at)
        }
    }
}

/// Rules that a caller states: what the server sets must be left to it.
pub(super) fn read_candidate(
    fields: &mut Fields,
    county: &CountyId,
    at: &str,
    told: Option<&pb::PolicyRevision>,
) -> Option<NewRevision> {
    let Some(told) = told else {
        fields.bad(at, "is required");
        return None;
    };
    for (field, set) in [
        ("name", !told.name.is_empty()),
        ("end_time", told.end_time.is_some()),
        ("recorded_time", told.recorded_time.is_some()),
        ("sequence", told.sequence != 0),
        ("state", told.state != 0),
        ("author", !told.author.is_empty()),
        ("approver", !told.approver.is_empty()),
    ] {
        if set {
            fields.bad(&format!("{at}.{field}"), "must be unset: the server sets it");
        }
    }
    let effective = fields.optional_instant(&format!("{at}.effective_time"), told.effective_time.as_ref());
    let revision = read_rules(fields, &format!("{at}."), county, told)?;
    Some(NewRevision { id: None, effective, revision })
}

impl Api {
    /// Makes a revision that waits to be activated.
    pub(super) async fn create_policy_revision_for(
        &self,
        caller: &Principal,
        request: pb::CreatePolicyRevisionRequest,
    ) -> Result<pb::CreatePolicyRevisionResponse, Status> {
        let mut fields = Fields::new();
        let Some(county) = fields.name("parent", &request.parent, names::county) else { return Err(fields.refusal()) };
        let call = write::call(&mut fields, caller, "CreatePolicyRevision", &county, &request)?;
        let id = fields.optional_id("revision_id", &request.revision_id, RevisionId::new);
        let new = read_candidate(&mut fields, &county, "policy_revision", request.policy_revision.as_ref());
        let Some(new) = new else { return Err(fields.refusal()) };
        fields.finish()?;
        let new = NewRevision { id: id.clone(), ..new };
        let written = self.write(call, Command::County(CountyCommand::Draft(Box::new(new)))).await?;
        let made = written.events.iter().find_map(|event| match event {
            Event::RevisionDrafted(draft) => Some(draft.clone()),
            _ => None,
        });
        // The same draft again is the one that is there.
        let made = made.or_else(|| id.and_then(|id| written.county.draft(&id).cloned()));
        Ok(pb::CreatePolicyRevisionResponse {
            policy_revision: made.map(|draft| wire_draft(&written.county, &draft)),
            receipt: receipt(&county, written.pair, written.county.policy_seq, request.validate_only),
        })
    }

    /// Says what activating a revision would do.
    pub(super) async fn preview_policy_revision_for(
        &self,
        caller: &Principal,
        request: pb::PreviewPolicyRevisionRequest,
    ) -> Result<pb::PreviewPolicyRevisionResponse, Status> {
        use pb::preview_policy_revision_request::Subject;
        let mut fields = Fields::new();
        let when = read_when(&mut fields, request.effective_time.as_ref(), request.effective_when_recorded);
        let (county, command) = match &request.subject {
            None => {
                fields.bad("subject", "is required: a name, or a candidate");
                return Err(fields.refusal());
            }
            Some(Subject::Name(name)) => {
                let Some((county, id)) = fields.name("name", name, names::revision) else { return Err(fields.refusal()) };
                (county, CountyCommand::Activate(id, when))
            }
            Some(Subject::Candidate(told)) => {
                let county = fields.name("candidate.parent", &told.parent, names::county);
                let Some(county) = county else { return Err(fields.refusal()) };
                let at_field = "candidate.policy_revision";
                let new = read_candidate(&mut fields, &county, at_field, told.policy_revision.as_ref());
                let Some(new) = new else { return Err(fields.refusal()) };
                let new = NewRevision { effective: when.instant(new.effective), ..new };
                (county, CountyCommand::Switch(Box::new(new)))
            }
        };
        fields.finish()?;
        caller.allow(&county)?;
        let call = Call {
            county: county.clone(),
            actor: caller.actor.clone(),
            person: caller.person.clone(),
            method: "PreviewPolicyRevision",
            // No caller's request can have this id.
            request_id: "".into(),
            body: Vec::new(),
            validate_only: true,
            etag: None,
            preview: None,
            history: false,
            sealed: Vec::new(),
        };
        let written = self.write(call, Command::County(command)).await?;
        let rule = written.events.iter().find_map(|event| match event {
            Event::RevisionActivated(rule) => Some(rule),
            Event::Proposed(proposal) => proposal.switch.as_deref(),
            _ => None,
        });
        let rule = rule.ok_or_else(|| error::status(pb::ErrorReason::Internal, "a preview without a revision"))?;
        let effective = rule.effective.effective;
        let impact = &written.followed;
        let running = self.running_at(&county, effective).await?;
        let (_, now) = self.county_at(caller, &county, AsOf::Latest).await?;
        Ok(pb::PreviewPolicyRevisionResponse {
            policy_revision: Some(wire_revision(&written.county, rule)),
            effective_time: Some(stamp(effective)),
            detainers_decided: impact.decided,
            flips: impact.flips.iter().take(LISTED).map(|flip| wire_flip(&county, rule.mode, flip)).collect(),
            flip_count: count(impact.flips.len()),
            turned_to_honor: impact.to_honor(),
            turned_from_honor: impact.from_honor(),
            ended_holds: impact.ended.iter().take(LISTED).map(|ended| wire_ended(&county, ended)).collect(),
            ended_count: impact.holds_ended(),
            released_count: count(impact.ended.iter().filter(|ended| ended.after == effective).count()),
            facility_days: facility_days(&now, impact, effective, running),
            preview_digest: impact.digest().to_vec(),
            as_of_pair: Some(wire_pair(written.pair)),
            etag: now.policy_seq.to_string(),
        })
    }

    /// Activates a revision that was made, or proposes that to a second person.
    pub(super) async fn activate_policy_revision_for(
        &self,
        caller: &Principal,
        request: pb::ActivatePolicyRevisionRequest,
    ) -> Result<pb::ActivatePolicyRevisionResponse, Status> {
        let mut fields = Fields::new();
        let name = fields.name("name", &request.name, names::revision);
        let county = name.as_ref().map(|(county, _)| county);
        let call = write::begin(&mut fields, caller, "ActivatePolicyRevision", county, &request)?;
        if request.etag.is_empty() {
            fields.bad("etag", "is required: two who switch at once must not both succeed");
        }
        let when = read_when(&mut fields, request.effective_time.as_ref(), request.effective_when_recorded);
        let preview = read_digest(&mut fields, &request.preview_digest);
        let (Some((county, id)), Some(call)) = (name, call) else { return Err(fields.refusal()) };
        fields.finish()?;
        let call = Call { preview, ..call };
        let written = self.write(call, Command::County(CountyCommand::Activate(id, when))).await?;
        let made = written.events.iter().find_map(|event| match event {
            Event::RevisionActivated(rule) => Some(wire_revision(&written.county, rule)),
            _ => None,
        });
        Ok(pb::ActivatePolicyRevisionResponse {
            policy_revision: made,
            receipt: receipt(&county, written.pair, written.county.policy_seq, request.validate_only),
            detainers_decided: written.followed.decided,
            turned_to_honor: written.followed.to_honor(),
            turned_from_honor: written.followed.from_honor(),
            holds_ended: written.followed.holds_ended(),
            impact_digest: written.followed.digest().to_vec(),
            proposal: proposed(&written),
        })
    }

    /// What an activated revision has done at its effective time, as known after a record.
    pub(super) async fn effect(&self, county: &CountyId, rule: &Revision, seq: i64) -> Result<pb::SwitchEffect, Status> {
        let sql = "with a as (select last_seq from journal where county = $1 and seq = $4), \
                   d as (select c.booking, c.detainer, max(case when c.seq <= a.last_seq then c.n end) as told, max(c.n) as now \
                   from decisions c cross join a where c.county = $1 and c.revision = $2 and c.effective_at = $3 and c.seq <= $5 \
                   group by c.booking, c.detainer) \
                   select cast(count(d.told) as bigint), \
                   cast(sum(case when d.told is null then 1 else 0 end) as bigint), \
                   cast(sum(case when t.outcome <> n.outcome then 1 else 0 end) as bigint) from d \
                   join decisions n on n.county = $1 and n.booking = d.booking and n.detainer = d.detainer and n.n = d.now \
                   left join decisions t on t.county = $1 and t.booking = d.booking and t.detainer = d.detainer and t.n = d.told";
        let at = rule.effective;
        let params = [county.as_str().into(), rule.id.as_str().into(), at.effective.into(), at.seq.into(), seq.into()];
        let found = self.ledger.store().query(sql, &params, &[ColType::Int, ColType::Int, ColType::Int]).await;
        let found = found.map_err(|error| error::of_store(&error))?;
        let number = |n: usize| found.first().and_then(|row| row.get(n)?.as_int()).unwrap_or(0);
        Ok(pb::SwitchEffect { decided_at_activation: number(0), decided_since: number(1), turned_since: number(2) })
    }

    /// How many holds run at an instant, by facility, as known now.
    async fn running_at(&self, county: &CountyId, at: Instant) -> Result<BTreeMap<FacilityId, i64>, Status> {
        let sql = "select h.facility, cast(count(*) as bigint) from holds h where h.county = $1 and h.to_seq is null \
                   and h.voided = 0 and h.started_at <= $2 and h.authority_until > $2 \
                   and (h.gap_end is null or h.gap_end > $2) group by h.facility";
        let params = [county.as_str().into(), at.into()];
        let found = self.ledger.store().query(sql, &params, &[ColType::Text, ColType::Int]).await;
        let row = |row: &Vec<Cell>| Some((FacilityId::trusted(row.first()?.as_text()?), row.get(1)?.as_int()?));
        Ok(found.map_err(|error| error::of_store(&error))?.iter().filter_map(row).collect())
    }
}

fn count(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn wire_flip(county: &CountyId, mode: crate::domain::policy::Mode, flip: &crate::domain::impact::Flip) -> pb::PolicyFlip {
    pb::PolicyFlip {
        detainer: of::detainer(county, &flip.booking, &flip.detainer),
        facility: flip.facility.as_ref().map(|facility| of::facility(county, facility)).unwrap_or_default(),
        before: flip.before.map_or(0, |before| wire_outcome(before).into()),
        after: wire_outcome(flip.after).into(),
        reason: wire_reason(flip.reason, Some(mode)).into(),
        effective_time: Some(stamp(flip.at)),
    }
}

fn wire_ended(county: &CountyId, ended: &crate::domain::impact::EndedHold) -> pb::EndedHold {
    pb::EndedHold {
        hold: of::hold(county, &ended.booking, &ended.hold),
        facility: of::facility(county, &ended.facility),
        former_authority_until: super::time::stamp_unless_far(ended.before),
        authority_until: super::time::stamp_unless_far(ended.after),
    }
}

/// Holds and a full day's cost before and after an instant, by facility.
fn facility_days(county: &County, impact: &Impact, at: Instant, running: BTreeMap<FacilityId, i64>) -> Vec<pb::FacilityDay> {
    let mut days: BTreeMap<FacilityId, (i64, i64)> = running.into_iter().map(|(id, n)| (id, (n, n))).collect();
    for ended in impact.ended.iter().filter(|ended| ended.after <= at && ended.before > at) {
        days.entry(ended.facility.clone()).or_default().1 -= 1;
    }
    for started in impact.started.iter().filter(|started| started.start <= at && started.until > at) {
        days.entry(started.facility.clone()).or_default().1 += 1;
    }
    let day = |facility: &FacilityId, holds: i64| {
        let rate = county.rates.in_force(facility, county.zone_of(facility).date(at))?;
        let cents = rate.per_day.get().checked_mul(holds)?;
        Some(wire_money(Cents::new(cents), &county.profile.currency))
    };
    let row = |(facility, (before, after)): (&FacilityId, &(i64, i64))| pb::FacilityDay {
        facility: of::facility(&county.id, facility),
        holds_before: *before,
        holds_after: *after,
        day_before: day(facility, *before),
        day_after: day(facility, *after),
    };
    days.iter().map(row).collect()
}
