//! `ExplainDecision`: how a request that nobody made would be answered. Nothing is recorded.

use super::auth::Principal;
use super::convert::decision::wire_answer;
use super::convert::duty::wire_duty_kind;
use super::convert::facts::{About, new_fact};
use super::convert::form::{Told, form_with};
use super::names;
use super::revisions::read_candidate;
use super::time::{Fields, stamp, stamp_unless_far, wire_pair};
use super::{Api, error};
use crate::domain::agreement::MinimumCoverage;
use crate::domain::county::County;
use crate::domain::decide;
use crate::domain::facts::Fact;
use crate::domain::hypothetical::{self, Moment, Payer, Promise};
use crate::domain::ids::{BookingId, CountyId, FacilityId, RevisionId};
use crate::domain::policy::Revision;
use crate::domain::time::Instant;
use crate::pb;
use pb::explain_decision_request::Rules;
use tonic::Status;

/// The most facts that one question may suppose: as many as one call records.
const MOST_FACTS: usize = 100;

/// The rules that are asked about.
enum Asked {
    Governing,
    Named(RevisionId),
    Candidate(Box<Revision>),
}

impl Api {
    /// Says how a request that nobody made would be answered.
    pub(super) async fn explain_decision_for(
        &self,
        caller: &Principal,
        request: pb::ExplainDecisionRequest,
    ) -> Result<pb::ExplainDecisionResponse, Status> {
        let mut fields = Fields::new();
        let as_of = fields.as_of(request.as_of.as_ref());
        let at = fields.optional_instant("at_time", request.at_time.as_ref());
        let Some(id) = fields.name("parent", &request.parent, names::county) else { return Err(fields.refusal()) };
        let (pair, county) = self.county_at(caller, &id, as_of).await?;
        let at = self.moment(at, as_of, pair);

        let facility = fields.name("facility", &request.facility, names::facility);
        if facility.as_ref().is_some_and(|(of, _)| *of != id) {
            fields.bad("facility", "must be a facility of this county");
        }
        let facility = facility.map(|(_, facility)| facility);
        let papers = (request.documents.as_slice(), false);
        let form = form_with(&mut fields, "form", request.form.as_ref(), papers, &mut Told::default());
        let facts = read_facts(&mut fields, &county, facility.as_ref(), at, &request.facts);
        let payer = read_payer(&mut fields, &county, request.guarantee);
        let asked = read_rules(&mut fields, &id, &county, request.rules.as_ref());
        let (Some(facility), Some(form), Some(facts), Some(payer), Some(asked)) = (facility, form, facts, payer, asked) else {
            return Err(fields.refusal());
        };
        let request = hypothetical::Request { form, facility, served: request.served, declined: false, facts };
        for (n, field, why) in request.faults(at) {
            fields.bad(&format!("facts[{n}].{field}"), why);
        }
        fields.finish()?;
        if !county.facilities.contains_key(&request.facility) {
            return Err(error::not_found("facility", &names::of::facility(&id, &request.facility)));
        }
        let revision = match &asked {
            Asked::Governing => county.governing(at, at).map(|revision| (revision, true)),
            Asked::Named(key) => Some(named(&county, key)?),
            Asked::Candidate(rules) => Some((&**rules, false)),
        };

        let moment = Moment { at, dates: county.profile.zone, clock: county.zone_of(&request.facility) };
        let told = hypothetical::told(&request, revision.map(|(revision, _)| revision), payer, moment);
        let hours = i32::try_from(told.decision.notice_hours.unwrap_or(0)).unwrap_or(i32::MAX);
        let duty = |kind: pb::DutyKind, due_time| {
            let hours_from_release = if kind == pb::DutyKind::NoticeOfRelease { hours } else { 0 };
            pb::ExpectedDuty { kind: kind.into(), due_time, hours_from_release }
        };
        let notice = told.notice_of_release.then(|| duty(pb::DutyKind::NoticeOfRelease, None));
        let duties = told.duties.iter().map(|owed| duty(wire_duty_kind(owed.kind), Some(stamp(owed.due)))).chain(notice);
        let shown = wire_answer(&county, revision, &told.decision, true, false);
        let policy_revision = if matches!(asked, Asked::Candidate(_)) { String::new() } else { shown.policy_revision.clone() };
        Ok(pb::ExplainDecisionResponse {
            deadline: told.deadline.and_then(stamp_unless_far),
            duties: duties.collect(),
            decision: Some(pb::Decision { policy_revision, ..shown }),
            at_time: Some(stamp(at)),
            as_of_pair: Some(wire_pair(pair)),
        })
    }
}

/// A revision that was made, with whether it was activated.
fn named<'c>(county: &'c County, key: &RevisionId) -> Result<(&'c Revision, bool), Status> {
    let activated = county.revision(key).map(|revision| (revision, true));
    let drafted = || county.draft(key).map(|draft| (&draft.revision, false));
    activated.or_else(drafted).ok_or_else(|| error::not_found("policy revision", &names::of::revision(&county.id, key)))
}

fn read_rules(fields: &mut Fields, id: &CountyId, county: &County, told: Option<&Rules>) -> Option<Asked> {
    match told {
        None => Some(Asked::Governing),
        Some(Rules::PolicyRevision(name)) => {
            let (of, key) = fields.name("policy_revision", name, names::revision)?;
            if of != *id {
                fields.bad("policy_revision", "must be a revision of this county");
                return None;
            }
            Some(Asked::Named(key))
        }
        Some(Rules::Candidate(told)) => {
            let rules = read_candidate(fields, id, "candidate", Some(told))?.revision;
            let rules = match decide::rule(county, &rules) {
                Ok(rules) => rules,
                Err(refusal) => {
                    fields.bad(&format!("candidate.{}", refusal.field), refusal.detail);
                    return None;
                }
            };
            Some(Asked::Candidate(Box::new(rules)))
        }
    }
}

/// Facts as they are recorded; what is left out of them is as the question has it.
fn read_facts(
    fields: &mut Fields,
    county: &County,
    facility: Option<&FacilityId>,
    at: Instant,
    told: &[pb::Fact],
) -> Option<Vec<(Instant, Fact)>> {
    if told.len() > MOST_FACTS {
        fields.bad("facts", format!("may have at most {MOST_FACTS} entries"));
        return None;
    }
    let nobody = BookingId::trusted("");
    let about = About { county, booking: &nobody, facility };
    let unstated = pb::Source { kind: pb::SourceKind::JailRecord.into(), ..pb::Source::default() };
    let read = |(n, fact): (usize, &pb::Fact)| {
        let fact = pb::Fact {
            effective_time: Some(fact.effective_time.unwrap_or_else(|| stamp(at))),
            source: Some(fact.source.clone().unwrap_or_else(|| unstated.clone())),
            ..fact.clone()
        };
        new_fact(fields, &format!("facts[{n}]"), about, &fact).map(|fact| (fact.at, fact.fact))
    };
    let all: Vec<Option<(Instant, Fact)>> = told.iter().enumerate().map(read).collect();
    all.into_iter().collect()
}

fn read_payer<'c>(fields: &mut Fields, county: &'c County, told: i32) -> Option<Payer<'c>> {
    use pb::SupposedGuarantee as Supposed;
    let promise = match Supposed::try_from(told) {
        Ok(Supposed::Unspecified) => return Some(Payer::Agreements(county)),
        Ok(Supposed::None) => Promise::Nothing,
        Ok(Supposed::AllCosts) => Promise::Signed(MinimumCoverage::AllCosts),
        Ok(Supposed::Any) => Promise::Signed(MinimumCoverage::Any),
        Ok(Supposed::NotReserved) => Promise::NotReserved,
        Err(_) => {
            let words = [Supposed::None, Supposed::AllCosts, Supposed::Any, Supposed::NotReserved].map(|word| word.as_str_name());
            fields.bad("guarantee", super::convert::one_of(&words));
            return None;
        }
    };
    Some(Payer::Supposed(promise))
}
