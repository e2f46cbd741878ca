//! `PolicyService`: the switch and its revisions; agreements and rates are made in `agreements`.

use super::agreements::{agreement, agreement_state, rate, read_rate, read_terms, wanted_state};
use super::auth::principal;
use super::names::{self, of};
use super::paging::Page;
use super::time::{Fields, receipt, stamp, wire_date, wire_instrument, wire_pair};
use super::{Api, error, write};
use crate::domain::agreement::{Agreement, MinimumCoverage};
use crate::domain::clock::{ExclusionRule, Limit, StartRule};
use crate::domain::command::{CountyCommand, NewRate, NewRevision};
use crate::domain::county::County;
use crate::domain::event::Event;
use crate::domain::facts::Stamp;
use crate::domain::ids::{AgreementId, CountyId, FacilityId, RateId, RevisionId};
use crate::domain::policy::{Answers, FacialRule, Mode, OpenDetainers, Revision};
use crate::domain::time::Instant;
use crate::ledger::{AsOf, Command, Written};
use crate::pb;
use tonic::{Request, Response, Status};

/// A revision, with the instant at which another takes its place.
fn revision(county: &County, found: &Revision) -> pb::PolicyRevision {
    let this = (found.effective.effective, found.effective.seq);
    let later = county.revisions.iter().map(|r| (r.effective.effective, r.effective.seq)).filter(|other| *other > this).min();
    let minimum = match found.minimum {
        MinimumCoverage::AllCosts => pb::MinimumCoverage::AllCosts,
        MinimumCoverage::Any => pb::MinimumCoverage::Any,
    };
    let open = match found.open_detainers {
        OpenDetainers::Reevaluate => pb::OpenDetainers::Reevaluate,
        OpenDetainers::Leave => pb::OpenDetainers::Leave,
    };
    let facial = match found.facial {
        FacialRule::Default => pb::FacialSufficiency::Default,
        FacialRule::Required => pb::FacialSufficiency::Required,
        FacialRule::NotRequired => pb::FacialSufficiency::NotRequired,
    };
    pb::PolicyRevision {
        name: of::revision(&county.id, &found.id),
        mode: wire_mode(found.mode).into(),
        adopted_date: found.adopted.map(wire_date),
        effective_time: Some(stamp(found.effective.effective)),
        end_time: later.map(|(at, _)| stamp(at)),
        instrument: Some(wire_instrument(&found.instrument)),
        open_detainers: open.into(),
        minimum_coverage: minimum.into(),
        clock: Some(clock(county, found)),
        facial_sufficiency: facial.into(),
        box2_holds: found.lent_holds.is_some(),
        box2_instrument: found.lent_holds.as_ref().map(wire_instrument),
        answers: (found.answers != Answers::default()).then_some(pb::AnswerOverrides {
            notify_when_honored: found.answers.notify_honored,
            notify_when_declined: found.answers.notify_declined,
            transfer_when_honored: found.answers.transfer_honored,
            transfer_when_declined: found.answers.transfer_declined,
        }),
        recorded_time: Some(stamp(found.effective.recorded)),
        sequence: found.effective.seq,
    }
}

/// The wire form of a mode.
#[must_use]
pub fn wire_mode(mode: Mode) -> pb::PolicyMode {
    match mode {
        Mode::HonorAlways => pb::PolicyMode::HonorAlways,
        Mode::RequireReimbursementGuarantee => pb::PolicyMode::RequireReimbursementGuarantee,
        Mode::DeclineAll => pb::PolicyMode::DeclineAll,
        Mode::NotifyOnly => pb::PolicyMode::NotifyOnly,
    }
}

fn clock(county: &County, found: &Revision) -> pb::ClockRule {
    let start = match found.start {
        StartRule::OtherwiseReleased => pb::StartRule::OtherwiseReleased,
        StartRule::Receipt => pb::StartRule::Receipt,
        StartRule::WarrantServed => pb::StartRule::WarrantServed,
    };
    let limit = match found.limit {
        Limit::Hours(hours) => pb::hold_limit::Limit::Hours(i32::try_from(hours).unwrap_or(i32::MAX)),
        Limit::EndOfLocalDay => pb::hold_limit::Limit::EndOfLocalDay(true),
    };
    let exclusion = match found.exclusion {
        ExclusionRule::None => pb::ExclusionRule::None,
        ExclusionRule::Weekends => pb::ExclusionRule::Weekends,
        ExclusionRule::WeekendsAndHolidays => pb::ExclusionRule::WeekendsAndHolidays,
        ExclusionRule::AsFormPrints => pb::ExclusionRule::AsFormPrints,
    };
    let named = !found.county_days_calendar.is_empty();
    pb::ClockRule {
        start_rule: start.into(),
        limit: Some(pb::HoldLimit { limit: Some(limit) }),
        exclusion: exclusion.into(),
        county_days_calendar: if named { of::calendar(&county.id, &found.county_days_calendar) } else { String::new() },
        county_days_instrument: found.county_days_instrument.as_ref().map(wire_instrument),
    }
}

/// Start, limit and exclusion; the defaults where no clock is stated (DOMAIN.md §4).
fn read_clock(fields: &mut Fields, clock: Option<&pb::ClockRule>) -> Option<(StartRule, Limit, ExclusionRule)> {
    let Some(clock) = clock else { return Some((StartRule::OtherwiseReleased, Limit::Hours(48), ExclusionRule::AsFormPrints)) };
    let start = match pb::StartRule::try_from(clock.start_rule) {
        Ok(pb::StartRule::OtherwiseReleased) => Some(StartRule::OtherwiseReleased),
        Ok(pb::StartRule::Receipt) => Some(StartRule::Receipt),
        Ok(pb::StartRule::WarrantServed) => Some(StartRule::WarrantServed),
        Ok(pb::StartRule::Unspecified) | Err(_) => None,
    };
    let limit = match clock.limit.as_ref().and_then(|limit| limit.limit) {
        Some(pb::hold_limit::Limit::Hours(hours @ 1..=48)) => u32::try_from(hours).ok().map(Limit::Hours),
        Some(pb::hold_limit::Limit::EndOfLocalDay(true)) => Some(Limit::EndOfLocalDay),
        _ => None,
    };
    let exclusion = match pb::ExclusionRule::try_from(clock.exclusion) {
        Ok(pb::ExclusionRule::None) => Some(ExclusionRule::None),
        Ok(pb::ExclusionRule::Weekends) => Some(ExclusionRule::Weekends),
        Ok(pb::ExclusionRule::WeekendsAndHolidays) => Some(ExclusionRule::WeekendsAndHolidays),
        Ok(pb::ExclusionRule::AsFormPrints) => Some(ExclusionRule::AsFormPrints),
        Ok(pb::ExclusionRule::Unspecified) | Err(_) => None,
    };
    if start.is_none() {
        fields.bad("clock.start_rule", "is required");
    }
    if limit.is_none() {
        fields.bad("clock.limit", "must be 1 to 48 hours, or the end of the local day");
    }
    if exclusion.is_none() {
        fields.bad("clock.exclusion", "is required");
    }
    if limit == Some(Limit::EndOfLocalDay) && exclusion.is_some_and(|rule| rule != ExclusionRule::None) {
        fields.bad("clock.exclusion", "must be EXCLUSION_RULE_NONE with an end-of-day limit");
    }
    if !clock.county_days_calendar.is_empty() && exclusion != Some(ExclusionRule::WeekendsAndHolidays) {
        fields.bad("clock.county_days_calendar", "goes only with EXCLUSION_RULE_WEEKENDS_AND_HOLIDAYS");
    }
    Some((start?, limit?, exclusion?))
}

fn read_mode(fields: &mut Fields, mode: i32) -> Option<Mode> {
    match pb::PolicyMode::try_from(mode) {
        Ok(pb::PolicyMode::HonorAlways) => Some(Mode::HonorAlways),
        Ok(pb::PolicyMode::RequireReimbursementGuarantee) => Some(Mode::RequireReimbursementGuarantee),
        Ok(pb::PolicyMode::DeclineAll) => Some(Mode::DeclineAll),
        Ok(pb::PolicyMode::NotifyOnly) => Some(Mode::NotifyOnly),
        Ok(pb::PolicyMode::Unspecified) | Err(_) => {
            fields.bad("mode", "is required");
            None
        }
    }
}

fn read_open(fields: &mut Fields, open: i32) -> Option<OpenDetainers> {
    match pb::OpenDetainers::try_from(open) {
        Ok(pb::OpenDetainers::Reevaluate) => Some(OpenDetainers::Reevaluate),
        Ok(pb::OpenDetainers::Leave) => Some(OpenDetainers::Leave),
        Ok(pb::OpenDetainers::Unspecified) | Err(_) => {
            fields.bad("open_detainers", "is required");
            None
        }
    }
}

fn read_minimum(fields: &mut Fields, request: &pb::SwitchPolicyModeRequest) -> MinimumCoverage {
    let stated = pb::MinimumCoverage::try_from(request.minimum_coverage);
    if stated != Ok(pb::MinimumCoverage::Unspecified) && request.mode != pb::PolicyMode::RequireReimbursementGuarantee as i32 {
        fields.bad("minimum_coverage", "goes only with REQUIRE_REIMBURSEMENT_GUARANTEE");
    }
    match stated {
        Ok(pb::MinimumCoverage::Any) => MinimumCoverage::Any,
        _ => MinimumCoverage::AllCosts,
    }
}

fn read_facial(fields: &mut Fields, facial: i32) -> FacialRule {
    match pb::FacialSufficiency::try_from(facial) {
        Ok(pb::FacialSufficiency::Unspecified | pb::FacialSufficiency::Default) => FacialRule::Default,
        Ok(pb::FacialSufficiency::Required) => FacialRule::Required,
        Ok(pb::FacialSufficiency::NotRequired) => FacialRule::NotRequired,
        Err(_) => {
            fields.bad("facial_sufficiency", "must be a value of FacialSufficiency");
            FacialRule::Default
        }
    }
}

fn read_switch(fields: &mut Fields, county: &CountyId, request: &pb::SwitchPolicyModeRequest) -> Option<NewRevision> {
    if request.etag.is_empty() {
        fields.bad("etag", "is required: two who switch at once must not both succeed");
    }
    let id = fields.optional_id("revision_id", &request.revision_id, RevisionId::new);
    let effective = fields.optional_instant("effective_time", request.effective_time.as_ref());
    let mode = read_mode(fields, request.mode);
    let adopted = fields.date("adopted_date", request.adopted_date.as_ref());
    let instrument = fields.instrument("instrument", request.instrument.as_ref());
    let open_detainers = read_open(fields, request.open_detainers);
    let minimum = read_minimum(fields, request);
    let clock = read_clock(fields, request.clock.as_ref());
    let days = request.clock.as_ref().filter(|clock| !clock.county_days_calendar.is_empty());
    let named = days.and_then(|clock| fields.name("clock.county_days_calendar", &clock.county_days_calendar, names::calendar));
    if named.as_ref().is_some_and(|(of, _)| of != county) {
        fields.bad("clock.county_days_calendar", "must be a calendar of this county");
    }
    let county_days_instrument =
        days.and_then(|clock| fields.instrument("clock.county_days_instrument", clock.county_days_instrument.as_ref()));
    let lent_holds = match (request.box2_holds, &request.box2_instrument) {
        (true, paper) => fields.instrument("box2_instrument", paper.as_ref()),
        (false, Some(_)) => {
            fields.bad("box2_instrument", "goes only with box2_holds");
            None
        }
        (false, None) => None,
    };
    let facial = read_facial(fields, request.facial_sufficiency);
    let answers = request.answers.unwrap_or_default();
    let (start, limit, exclusion) = clock?;
    let revision = Revision {
        id: RevisionId::trusted(""),
        mode: mode?,
        adopted,
        effective: Stamp { effective: Instant::MIN, recorded: Instant::MIN, known: Instant::MIN, seq: 0 },
        open_detainers: open_detainers?,
        instrument: instrument?,
        minimum,
        start,
        limit,
        exclusion,
        county_days: Vec::new(),
        county_days_instrument,
        facial,
        lent_holds,
        county_days_calendar: named.map_or_else(|| "".into(), |(_, id)| id.as_str().into()),
        answers: Answers {
            notify_honored: answers.notify_when_honored,
            notify_declined: answers.notify_when_declined,
            transfer_honored: answers.transfer_when_honored,
            transfer_declined: answers.transfer_when_declined,
        },
        author: "".into(),
        approver: None,
    };
    Some(NewRevision { id, effective, revision })
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
        let call = write::call(&mut fields, &caller, "SwitchPolicyMode", &id, &request)?;
        let Some(new) = read_switch(&mut fields, &id, &request) else { return Err(fields.refusal()) };
        fields.finish()?;
        let written = self.write(call, Command::County(CountyCommand::Switch(Box::new(new)))).await?;
        let made = written.events.iter().find_map(|event| if let Event::RevisionActivated(r) = event { Some(r) } else { None });
        Ok(Response::new(pb::SwitchPolicyModeResponse {
            policy_revision: made.map(|made| revision(&written.county, made)),
            receipt: receipt(&id, written.pair, written.county.policy_seq, request.validate_only),
            detainers_decided: written.followed.decided,
            turned_to_honor: written.followed.to_honor,
            turned_from_honor: written.followed.from_honor,
            holds_ended: written.followed.holds_ended,
        }))
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
            policy_revision: found.in_force(at).map(|r| revision(&found, r)),
            as_of_pair: Some(wire_pair(pair)),
            etag: found.policy_seq.to_string(),
            at_time: Some(stamp(at)),
            next_policy_revision: next.map(|r| revision(&found, r)),
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
        let one = found.revision(&key).ok_or_else(|| error::not_found("policy revision", &request.name))?;
        Ok(Response::new(pb::GetPolicyRevisionResponse {
            policy_revision: Some(revision(&found, one)),
            as_of_pair: Some(wire_pair(pair)),
        }))
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
            policy_revisions: some.into_iter().map(|(_, r)| revision(&found, r)).collect(),
            as_of_pair: Some(wire_pair(pair)),
            next_page_token,
        }))
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
