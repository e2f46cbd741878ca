//! `PolicyService`: the switch and its revisions; agreements and rates are made in `agreements`.

use super::agreements::{agreement, agreement_state, rate, read_rate, read_terms, wanted_state};
use super::auth::principal;
use super::convert::policy::{read_rules, wire_draft, wire_revision};
use super::names::{self};
use super::paging::Page;
use super::revisions::{proposed, read_digest};
use super::time::{Fields, receipt, stamp, wire_pair};
use super::{Api, error, write};
use crate::domain::agreement::Agreement;
use crate::domain::command::{CountyCommand, NewRate, NewRevision};
use crate::domain::event::Event;
use crate::domain::ids::{AgreementId, CountyId, FacilityId, RateId, RevisionId};
use crate::domain::policy::Revision;
use crate::domain::time::Instant;
use crate::ledger::{AsOf, Command, Written};
use crate::pb;
use tonic::{Request, Response, Status};

fn read_switch(fields: &mut Fields, county: &CountyId, request: &pb::SwitchPolicyModeRequest) -> Option<NewRevision> {
    if request.etag.is_empty() {
        fields.bad("etag", "is required: two who switch at once must not both succeed");
    }
    let id = fields.optional_id("revision_id", &request.revision_id, RevisionId::new);
    let effective = fields.optional_instant("effective_time", request.effective_time.as_ref());
    let told = pb::PolicyRevision {
        mode: request.mode,
        adopted_date: request.adopted_date,
        instrument: request.instrument.clone(),
        open_detainers: request.open_detainers,
        minimum_coverage: request.minimum_coverage,
        clock: request.clock.clone(),
        facial_sufficiency: request.facial_sufficiency,
        box2_holds: request.box2_holds,
        box2_instrument: request.box2_instrument.clone(),
        answers: request.answers,
        condition: request.condition.clone(),
        layers: request.layers.clone(),
        notify_where: request.notify_where.clone(),
        transfer_where: request.transfer_where.clone(),
        notice_hours: request.notice_hours,
        ..pb::PolicyRevision::default()
    };
    let revision = read_rules(fields, "", county, &told);
    Some(NewRevision { id, effective, revision: revision? })
}

fn agreement_of(written: &Written, id: &AgreementId) -> Option<AgreementId> {
    let set =
        written.events.iter().find_map(|event| if let Event::AgreementSet(set) = event { Some(set.id.clone()) } else { None });
    set.or_else(|| written.county.agreements.get(id).map(|known| known.id.clone()))
}

#[tonic::async_trait]
impl pb::policy_service_server::PolicyService for Api {
    async fn switch_policy_mode(
        &self,
        request: Request<pb::SwitchPolicyModeRequest>,
    ) -> Result<Response<pb::SwitchPolicyModeResponse>, Status> {
        let (caller, request) = (principal(&request)?, request.into_inner());
        let mut fields = Fields::new();
        let Some(id) = fields.name("parent", &request.parent, names::county) else { return Err(fields.refusal()) };
        let mut call = write::call(&mut fields, &caller, "SwitchPolicyMode", &id, &request)?;
        call.preview = read_digest(&mut fields, &request.preview_digest);
        let Some(new) = read_switch(&mut fields, &id, &request) else { return Err(fields.refusal()) };
        fields.finish()?;
        let written = self.write(call, Command::County(CountyCommand::Switch(Box::new(new)))).await?;
        let made = written.events.iter().find_map(|event| if let Event::RevisionActivated(r) = event { Some(r) } else { None });
        Ok(Response::new(pb::SwitchPolicyModeResponse {
            impact_digest: written.followed.digest().to_vec(),
            proposal: proposed(&written),
            policy_revision: made.map(|made| wire_revision(&written.county, made)),
            receipt: receipt(&id, written.pair, written.county.policy_seq, request.validate_only),
            detainers_decided: written.followed.decided,
            turned_to_honor: written.followed.to_honor(),
            turned_from_honor: written.followed.from_honor(),
            holds_ended: written.followed.holds_ended(),
        }))
    }

    async fn create_policy_revision(
        &self,
        request: Request<pb::CreatePolicyRevisionRequest>,
    ) -> Result<Response<pb::CreatePolicyRevisionResponse>, Status> {
        let caller = principal(&request)?;
        self.create_policy_revision_for(&caller, request.into_inner()).await.map(Response::new)
    }

    async fn preview_policy_revision(
        &self,
        request: Request<pb::PreviewPolicyRevisionRequest>,
    ) -> Result<Response<pb::PreviewPolicyRevisionResponse>, Status> {
        let caller = principal(&request)?;
        self.preview_policy_revision_for(&caller, request.into_inner()).await.map(Response::new)
    }

    async fn explain_decision(
        &self,
        request: Request<pb::ExplainDecisionRequest>,
    ) -> Result<Response<pb::ExplainDecisionResponse>, Status> {
        let caller = principal(&request)?;
        self.explain_decision_for(&caller, request.into_inner()).await.map(Response::new)
    }

    async fn activate_policy_revision(
        &self,
        request: Request<pb::ActivatePolicyRevisionRequest>,
    ) -> Result<Response<pb::ActivatePolicyRevisionResponse>, Status> {
        let caller = principal(&request)?;
        self.activate_policy_revision_for(&caller, request.into_inner()).await.map(Response::new)
    }

    async fn get_effective_policy(
        &self,
        request: Request<pb::GetEffectivePolicyRequest>,
    ) -> Result<Response<pb::GetEffectivePolicyResponse>, Status> {
        let (caller, request) = (principal(&request)?, request.into_inner());
        let mut fields = Fields::new();
        let id = fields.name("parent", &request.parent, names::county);
        let as_of = fields.as_of(request.as_of.as_ref());
        let at = fields.optional_instant("at_time", request.at_time.as_ref());
        let Some(id) = id else { return Err(fields.refusal()) };
        fields.finish()?;
        let (pair, found) = self.county_at(&caller, &id, as_of).await?;
        let at = self.moment(at, as_of, pair);
        let next = found.revisions.iter().filter(|r| r.effective.effective > at);
        let next = next.min_by_key(|r| (r.effective.effective, std::cmp::Reverse(r.effective.seq)));
        Ok(Response::new(pb::GetEffectivePolicyResponse {
            policy_revision: found.in_force(at).map(|r| wire_revision(&found, r)),
            as_of_pair: Some(wire_pair(pair)),
            etag: found.policy_seq.to_string(),
            at_time: Some(stamp(at)),
            next_policy_revision: next.map(|r| wire_revision(&found, r)),
        }))
    }

    async fn get_policy_revision(
        &self,
        request: Request<pb::GetPolicyRevisionRequest>,
    ) -> Result<Response<pb::GetPolicyRevisionResponse>, Status> {
        let (caller, request) = (principal(&request)?, request.into_inner());
        let mut fields = Fields::new();
        let name = fields.name("name", &request.name, names::revision);
        let as_of = fields.as_of(request.as_of.as_ref());
        let Some((id, key)) = name else { return Err(fields.refusal()) };
        fields.finish()?;
        let (pair, found) = self.county_at(&caller, &id, as_of).await?;
        let drafted = || found.draft(&key).map(|draft| wire_draft(&found, draft));
        let one = found.revision(&key).map(|one| wire_revision(&found, one)).or_else(drafted);
        let one = one.ok_or_else(|| error::not_found("policy revision", &request.name))?;
        let activated = found.revision(&key).filter(|_| request.with_effect);
        let effect = match activated {
            Some(rule) => Some(self.effect(&id, rule, pair.seq).await?),
            None => None,
        };
        let as_of_pair = Some(wire_pair(pair));
        Ok(Response::new(pb::GetPolicyRevisionResponse { policy_revision: Some(one), as_of_pair, effect }))
    }

    async fn list_policy_revisions(
        &self,
        request: Request<pb::ListPolicyRevisionsRequest>,
    ) -> Result<Response<pb::ListPolicyRevisionsResponse>, Status> {
        let (caller, request) = (principal(&request)?, request.into_inner());
        let mut fields = Fields::new();
        let id = fields.name("parent", &request.parent, names::county);
        let as_of = fields.as_of(request.as_of.as_ref());
        let Some(id) = id else { return Err(fields.refusal()) };
        fields.finish()?;
        let query = pb::ListPolicyRevisionsRequest { page_size: 0, page_token: String::new(), ..request.clone() };
        let page = Page::read(&self.opaque, "ListPolicyRevisions", &query, request.page_size, &request.page_token, 500)?;
        let (pair, found) = self.county_at(&caller, &id, page.as_of(as_of)).await?;
        let mut all: Vec<&Revision> = found.revisions.iter().collect();
        all.sort_by_key(|r| std::cmp::Reverse((r.effective.effective, r.effective.seq)));
        let places: Vec<(usize, &Revision)> = all.into_iter().enumerate().collect();
        let (some, next_page_token) = page.cut(&self.opaque, pair.seq, 0, places, |(n, _)| format!("{n:010}"));
        Ok(Response::new(pb::ListPolicyRevisionsResponse {
            policy_revisions: some.into_iter().map(|(_, r)| wire_revision(&found, r)).collect(),
            as_of_pair: Some(wire_pair(pair)),
            next_page_token,
        }))
    }

    type SimulatePolicyStream = super::watch::Sent<pb::SimulatePolicyResponse>;

    async fn simulate_policy(
        &self,
        request: Request<pb::SimulatePolicyRequest>,
    ) -> Result<Response<Self::SimulatePolicyStream>, Status> {
        let (caller, request) = (principal(&request)?, request.into_inner());
        self.simulate_policy_for(&caller, request).await.map(Response::new)
    }

    async fn create_agreement(
        &self,
        request: Request<pb::CreateAgreementRequest>,
    ) -> Result<Response<pb::CreateAgreementResponse>, Status> {
        let (caller, request) = (principal(&request)?, request.into_inner());
        let mut fields = Fields::new();
        let Some(id) = fields.name("parent", &request.parent, names::county) else { return Err(fields.refusal()) };
        let call = write::call(&mut fields, &caller, "CreateAgreement", &id, &request)?;
        let (_, known) = self.county_at(&caller, &id, AsOf::Latest).await?;
        let key = fields.optional_id("agreement_id", &request.agreement_id, AgreementId::new);
        let key = key.unwrap_or_else(|| AgreementId::trusted(""));
        let Some(new) = read_terms(&mut fields, &known, &key, request.terms.as_ref()) else { return Err(fields.refusal()) };
        fields.finish()?;
        let written = self.write(call, Command::County(CountyCommand::CreateAgreement(new))).await?;
        let made = agreement_of(&written, &key).and_then(|id| written.county.agreements.get(&id));
        let now = written.pair.recorded.unwrap_or_else(|| self.ledger.now());
        Ok(Response::new(pb::CreateAgreementResponse {
            agreement: made.map(|made| agreement(&written.county, made, now)),
            receipt: receipt(&id, written.pair, made.map_or(0, |made| made.seq), request.validate_only),
            detainers_decided: written.followed.decided,
        }))
    }

    async fn amend_agreement(
        &self,
        request: Request<pb::AmendAgreementRequest>,
    ) -> Result<Response<pb::AmendAgreementResponse>, Status> {
        let (caller, request) = (principal(&request)?, request.into_inner());
        let mut fields = Fields::new();
        let Some((id, key)) = fields.name("name", &request.name, names::agreement) else { return Err(fields.refusal()) };
        let call = write::call(&mut fields, &caller, "AmendAgreement", &id, &request)?;
        let (_, known) = self.county_at(&caller, &id, AsOf::Latest).await?;
        let Some(new) = read_terms(&mut fields, &known, &key, request.terms.as_ref()) else { return Err(fields.refusal()) };
        fields.finish()?;
        let written = self.write(call, Command::County(CountyCommand::AmendAgreement(new))).await?;
        let made = written.county.agreements.get(&key);
        let now = written.pair.recorded.unwrap_or_else(|| self.ledger.now());
        Ok(Response::new(pb::AmendAgreementResponse {
            agreement: made.map(|made| agreement(&written.county, made, now)),
            receipt: receipt(&id, written.pair, made.map_or(0, |made| made.seq), request.validate_only),
            detainers_decided: written.followed.decided,
        }))
    }

    async fn terminate_agreement(
        &self,
        request: Request<pb::TerminateAgreementRequest>,
    ) -> Result<Response<pb::TerminateAgreementResponse>, Status> {
        let (caller, request) = (principal(&request)?, request.into_inner());
        let mut fields = Fields::new();
        let Some((id, key)) = fields.name("name", &request.name, names::agreement) else { return Err(fields.refusal()) };
        let call = write::call(&mut fields, &caller, "TerminateAgreement", &id, &request)?;
        let Some(end) = fields.date("end_date", request.end_date.as_ref()) else { return Err(fields.refusal()) };
        fields.finish()?;
        let (_, known) = self.county_at(&caller, &id, AsOf::Latest).await?;
        let end = known.agreements.get(&key).map_or(known.profile.zone, |known| known.zone).start_of(end);
        let written = self.write(call, Command::County(CountyCommand::TerminateAgreement(key.clone(), end))).await?;
        let made = written.county.agreements.get(&key);
        let now = written.pair.recorded.unwrap_or_else(|| self.ledger.now());
        Ok(Response::new(pb::TerminateAgreementResponse {
            agreement: made.map(|made| agreement(&written.county, made, now)),
            receipt: receipt(&id, written.pair, made.map_or(0, |made| made.seq), request.validate_only),
            detainers_decided: written.followed.decided,
        }))
    }

    async fn get_agreement(
        &self,
        request: Request<pb::GetAgreementRequest>,
    ) -> Result<Response<pb::GetAgreementResponse>, Status> {
        let (caller, request) = (principal(&request)?, request.into_inner());
        let mut fields = Fields::new();
        let name = fields.name("name", &request.name, names::agreement);
        let as_of = fields.as_of(request.as_of.as_ref());
        let at = fields.optional_instant("at_time", request.at_time.as_ref());
        let Some((id, key)) = name else { return Err(fields.refusal()) };
        fields.finish()?;
        let (pair, found) = self.county_at(&caller, &id, as_of).await?;
        let one = found.agreements.get(&key).ok_or_else(|| error::not_found("agreement", &request.name))?;
        Ok(Response::new(pb::GetAgreementResponse {
            agreement: Some(agreement(&found, one, self.moment(at, as_of, pair))),
            as_of_pair: Some(wire_pair(pair)),
        }))
    }

    async fn list_agreements(
        &self,
        request: Request<pb::ListAgreementsRequest>,
    ) -> Result<Response<pb::ListAgreementsResponse>, Status> {
        let (caller, request) = (principal(&request)?, request.into_inner());
        let mut fields = Fields::new();
        let id = fields.name("parent", &request.parent, names::county);
        let as_of = fields.as_of(request.as_of.as_ref());
        let at = fields.optional_instant("at_time", request.at_time.as_ref());
        let state = wanted_state(&mut fields, request.state);
        let Some(id) = id else { return Err(fields.refusal()) };
        fields.finish()?;
        let query = pb::ListAgreementsRequest { page_size: 0, page_token: String::new(), ..request.clone() };
        let page = Page::read(&self.opaque, "ListAgreements", &query, request.page_size, &request.page_token, 500)?;
        let (pair, found) = self.county_at(&caller, &id, page.as_of(as_of)).await?;
        let at = page.resume.as_ref().map_or_else(|| self.moment(at, as_of, pair), |resume| Instant::from_micros(resume.at));
        let wanted = |one: &&Agreement| state.is_none_or(|state| agreement_state(one, at) == state);
        let mut all: Vec<&Agreement> = found.agreements.values().filter(wanted).collect();
        let key = |one: &&Agreement| format!("{} {}", one.start, one.id);
        all.sort_by_key(key);
        let (some, next_page_token) = page.cut(&self.opaque, pair.seq, at.micros(), all, key);
        Ok(Response::new(pb::ListAgreementsResponse {
            agreements: some.into_iter().map(|one| agreement(&found, one, at)).collect(),
            as_of_pair: Some(wire_pair(pair)),
            next_page_token,
        }))
    }

    async fn set_rate(&self, request: Request<pb::SetRateRequest>) -> Result<Response<pb::SetRateResponse>, Status> {
        let (caller, request) = (principal(&request)?, request.into_inner());
        let mut fields = Fields::new();
        let Some(id) = fields.name("parent", &request.parent, names::county) else { return Err(fields.refusal()) };
        let call = write::call(&mut fields, &caller, "SetRate", &id, &request)?;
        let (_, known) = self.county_at(&caller, &id, AsOf::Latest).await?;
        let key = fields.optional_id("rate_id", &request.rate_id, RateId::new);
        let Some(new) = read_rate(&mut fields, &known, &request) else { return Err(fields.refusal()) };
        fields.finish()?;
        let (facility, day) = (new.facility.clone(), new.effective);
        let written = self.write(call, Command::County(CountyCommand::SetRate(NewRate { id: key, rate: new }))).await?;
        let made = written.county.rates.iter().find(|one| one.facility == facility && one.effective == day);
        Ok(Response::new(pb::SetRateResponse {
            rate: made.map(|made| rate(&written.county, made)),
            receipt: receipt(&id, written.pair, written.pair.seq, request.validate_only),
        }))
    }

    async fn list_rates(&self, request: Request<pb::ListRatesRequest>) -> Result<Response<pb::ListRatesResponse>, Status> {
        let (caller, request) = (principal(&request)?, request.into_inner());
        let mut fields = Fields::new();
        let id = fields.name("parent", &request.parent, names::county);
        let as_of = fields.as_of(request.as_of.as_ref());
        let facility = fields.optional_name("facility", &request.facility, names::facility);
        let Some(id) = id else { return Err(fields.refusal()) };
        if facility.as_ref().is_some_and(|(of, _)| *of != id) {
            fields.bad("facility", "must be a facility of this county");
        }
        fields.finish()?;
        let facility: Option<FacilityId> = facility.map(|(_, facility)| facility);
        let query = pb::ListRatesRequest { page_size: 0, page_token: String::new(), ..request.clone() };
        let page = Page::read(&self.opaque, "ListRates", &query, request.page_size, &request.page_token, 500)?;
        let (pair, found) = self.county_at(&caller, &id, page.as_of(as_of)).await?;
        let all = found.rates.iter().filter(|one| facility.as_ref().is_none_or(|wanted| one.facility == *wanted));
        let all: Vec<_> = all.enumerate().collect();
        let (some, next_page_token) = page.cut(&self.opaque, pair.seq, 0, all, |(n, _)| format!("{n:010}"));
        Ok(Response::new(pb::ListRatesResponse {
            rates: some.into_iter().map(|(_, one)| rate(&found, one)).collect(),
            as_of_pair: Some(wire_pair(pair)),
            next_page_token,
        }))
    }
}
