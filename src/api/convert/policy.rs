//! `policy.proto` and `condition.proto`: revisions, their layers and their trees of conditions.

use super::super::names::{self, of};
use super::super::time::{Fields, stamp, wire_date, wire_instrument};
use super::facts::{order_signer, status_kind, wire_order_signer, wire_status_kind};
use super::form::{edition, wire_edition};
use super::words;
use crate::domain::agreement::MinimumCoverage;
use crate::domain::clock::{ExclusionRule, Limit, StartRule};
use crate::domain::county::{County, Draft};
use crate::domain::facts::Stamp;
use crate::domain::ids::{CountyId, RevisionId};
use crate::domain::policy::{
    self, Answers, ChargeLeaf, Condition, ConvictionLeaf, Effect, FacialRule, Layer, LayerKind, Leaf, Limits, LookBack, Mode,
    OpenDetainers, Revision, StatusLeaf, WarrantKind,
};
use crate::domain::time::Instant;
use crate::pb;
use pb::condition::Kind;
use std::sync::Arc;

words! {
    /// A kind of administrative warrant; it must be stated.
    warrant_kind, wire_warrant_kind: AdministrativeWarrantKind <=> WarrantKind {
        I200 = WarrantKind::I200,
        I205 = WarrantKind::I205,
    }
    /// What a layer says; it must be stated.
    effect, wire_effect: LayerEffect <=> Effect {
        Mandate = Effect::Mandate,
        Ceiling = Effect::Ceiling,
    }
}

/// The wire form of a coverage.
#[must_use]
pub fn wire_minimum(minimum: MinimumCoverage) -> pb::MinimumCoverage {
    match minimum {
        MinimumCoverage::AllCosts => pb::MinimumCoverage::AllCosts,
        MinimumCoverage::Any => pb::MinimumCoverage::Any,
    }
}

/// A revision, with the instant at which another takes its place.
#[must_use]
pub fn wire_revision(county: &County, found: &Revision) -> pb::PolicyRevision {
    let this = (found.effective.effective, found.effective.seq);
    let later = county.revisions.iter().map(|r| (r.effective.effective, r.effective.seq)).filter(|other| *other > this).min();
    pb::PolicyRevision {
        name: of::revision(&county.id, &found.id),
        effective_time: Some(stamp(found.effective.effective)),
        end_time: later.map(|(at, _)| stamp(at)),
        recorded_time: Some(stamp(found.effective.recorded)),
        sequence: found.effective.seq,
        state: pb::PolicyRevisionState::Activated.into(),
        author: found.author.to_string(),
        approver: found.approver.as_deref().unwrap_or_default().to_owned(),
        ..wire_rules(&county.id, found)
    }
}

/// The rules of a revision alone, as a caller states them: [`read_rules`] reads them back. What the server sets (name,
/// times, author, state) is unset.
#[must_use]
pub fn wire_rules(county: &CountyId, found: &Revision) -> pb::PolicyRevision {
    let open = match found.open_detainers {
        OpenDetainers::Reevaluate => pb::OpenDetainers::Reevaluate,
        OpenDetainers::Leave => pb::OpenDetainers::Leave,
    };
    let facial = match found.facial {
        FacialRule::Default => pb::FacialSufficiency::Default,
        FacialRule::Required => pb::FacialSufficiency::Required,
        FacialRule::NotRequired => pb::FacialSufficiency::NotRequired,
    };
    let minimum = match found.mode {
        Mode::RequireReimbursementGuarantee => wire_minimum(found.minimum),
        _ => pb::MinimumCoverage::Unspecified,
    };
    pb::PolicyRevision {
        mode: wire_mode(found.mode).into(),
        adopted_date: found.adopted.map(wire_date),
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
        condition: found.condition.as_ref().map(wire_condition),
        layers: found.layers.iter().map(wire_layer).collect(),
        notify_where: found.notify_where.as_ref().map(wire_condition),
        transfer_where: found.transfer_where.as_ref().map(wire_condition),
        notice_hours: found.notice_hours.and_then(|hours| i32::try_from(hours).ok()).unwrap_or(0),
        ..Default::default()
    }
}

/// A revision that waits to be activated.
#[must_use]
pub fn wire_draft(county: &County, draft: &Draft) -> pb::PolicyRevision {
    pb::PolicyRevision {
        effective_time: draft.planned.map(stamp),
        end_time: None,
        state: pb::PolicyRevisionState::Draft.into(),
        ..wire_revision(county, &draft.revision)
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
        Mode::Conditional => pb::PolicyMode::Conditional,
    }
}

fn clock(county: &CountyId, found: &Revision) -> pb::ClockRule {
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
        county_days_calendar: if named { of::calendar(county, &found.county_days_calendar) } else { String::new() },
        county_days_instrument: found.county_days_instrument.as_ref().map(wire_instrument),
    }
}

/// Start, limit and exclusion; the defaults where no clock is stated (DOMAIN.md §4).
fn read_clock(fields: &mut Fields, at: &str, clock: Option<&pb::ClockRule>) -> Option<(StartRule, Limit, ExclusionRule)> {
    let Some(clock) = clock else { return Some((StartRule::OtherwiseReleased, Limit::Hours(48), ExclusionRule::AsFormPrints)) };
    let start = match pb::StartRule::try_from(clock.start_rule) {
        Ok(pb::StartRule::OtherwiseReleased) => Some(StartRule::OtherwiseReleased),
        Ok(pb::StartRule::Receipt) => Some(StartRule::Receipt),
        Ok(pb::StartRule::WarrantServed) => Some(StartRule::WarrantServed),
        Ok(pb::StartRule::Unspecified) | Err(_) => None,
    };
    let limit = match clock.limit.as_ref().and_then(|limit| limit.limit) {
        Some(pb::hold_limit::Limit::Hours(hours)) => {
            u32::try_from(hours).ok().filter(|hours| (1..=Limits::HOURS).contains(hours)).map(Limit::Hours)
        }
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
        fields.bad(&format!("{at}clock.start_rule"), "is required");
    }
    if limit.is_none() {
        fields.bad(&format!("{at}clock.limit"), format!("must be 1 to {} hours, or the end of the local day", Limits::HOURS));
    }
    if exclusion.is_none() {
        fields.bad(&format!("{at}clock.exclusion"), "is required");
    }
    if limit == Some(Limit::EndOfLocalDay) && exclusion.is_some_and(|rule| rule != ExclusionRule::None) {
        fields.bad(&format!("{at}clock.exclusion"), "must be EXCLUSION_RULE_NONE with an end-of-day limit");
    }
    if !clock.county_days_calendar.is_empty() && exclusion != Some(ExclusionRule::WeekendsAndHolidays) {
        fields.bad(&format!("{at}clock.county_days_calendar"), "goes only with EXCLUSION_RULE_WEEKENDS_AND_HOLIDAYS");
    }
    Some((start?, limit?, exclusion?))
}

fn read_mode(fields: &mut Fields, at: &str, mode: i32) -> Option<Mode> {
    match pb::PolicyMode::try_from(mode) {
        Ok(pb::PolicyMode::HonorAlways) => Some(Mode::HonorAlways),
        Ok(pb::PolicyMode::RequireReimbursementGuarantee) => Some(Mode::RequireReimbursementGuarantee),
        Ok(pb::PolicyMode::DeclineAll) => Some(Mode::DeclineAll),
        Ok(pb::PolicyMode::NotifyOnly) => Some(Mode::NotifyOnly),
        Ok(pb::PolicyMode::Conditional) => Some(Mode::Conditional),
        Ok(pb::PolicyMode::Unspecified) | Err(_) => {
            fields.bad(&format!("{at}mode"), "is required");
            None
        }
    }
}

fn read_open(fields: &mut Fields, at: &str, open: i32) -> Option<OpenDetainers> {
    match pb::OpenDetainers::try_from(open) {
        Ok(pb::OpenDetainers::Reevaluate) => Some(OpenDetainers::Reevaluate),
        Ok(pb::OpenDetainers::Leave) => Some(OpenDetainers::Leave),
        Ok(pb::OpenDetainers::Unspecified) | Err(_) => {
            fields.bad(&format!("{at}open_detainers"), "is required");
            None
        }
    }
}

fn read_minimum(fields: &mut Fields, at: &str, request: &pb::PolicyRevision) -> MinimumCoverage {
    let stated = pb::MinimumCoverage::try_from(request.minimum_coverage);
    if stated != Ok(pb::MinimumCoverage::Unspecified) && request.mode != pb::PolicyMode::RequireReimbursementGuarantee as i32 {
        fields.bad(&format!("{at}minimum_coverage"), "goes only with REQUIRE_REIMBURSEMENT_GUARANTEE");
    }
    match stated {
        Ok(pb::MinimumCoverage::Any) => MinimumCoverage::Any,
        _ => MinimumCoverage::AllCosts,
    }
}

fn read_facial(fields: &mut Fields, at: &str, facial: i32) -> FacialRule {
    match pb::FacialSufficiency::try_from(facial) {
        Ok(pb::FacialSufficiency::Unspecified | pb::FacialSufficiency::Default) => FacialRule::Default,
        Ok(pb::FacialSufficiency::Required) => FacialRule::Required,
        Ok(pb::FacialSufficiency::NotRequired) => FacialRule::NotRequired,
        Err(_) => {
            fields.bad(&format!("{at}facial_sufficiency"), "must be a value of FacialSufficiency");
            FacialRule::Default
        }
    }
}

/// The rules that a message states. `at` is its path with a dot, empty where the request itself states them; what the
/// server sets (name, times, author) is not read.
pub fn read_rules(fields: &mut Fields, at: &str, county: &CountyId, told: &pb::PolicyRevision) -> Option<Revision> {
    let mode = read_mode(fields, at, told.mode);
    let adopted = fields.date(&format!("{at}adopted_date"), told.adopted_date.as_ref());
    let instrument = fields.instrument(&format!("{at}instrument"), told.instrument.as_ref());
    let open_detainers = read_open(fields, at, told.open_detainers);
    let minimum = read_minimum(fields, at, told);
    let clock = read_clock(fields, at, told.clock.as_ref());
    let days = told.clock.as_ref().filter(|clock| !clock.county_days_calendar.is_empty());
    let calendar = format!("{at}clock.county_days_calendar");
    let named = days.and_then(|clock| fields.name(&calendar, &clock.county_days_calendar, names::calendar));
    if named.as_ref().is_some_and(|(of, _)| of != county) {
        fields.bad(&calendar, "must be a calendar of this county");
    }
    let paper = format!("{at}clock.county_days_instrument");
    let county_days_instrument = days.and_then(|clock| fields.instrument(&paper, clock.county_days_instrument.as_ref()));
    let lent_holds = match (told.box2_holds, &told.box2_instrument) {
        (true, paper) => fields.instrument(&format!("{at}box2_instrument"), paper.as_ref()),
        (false, Some(_)) => {
            fields.bad(&format!("{at}box2_instrument"), "goes only with box2_holds");
            None
        }
        (false, None) => None,
    };
    let facial = read_facial(fields, at, told.facial_sufficiency);
    let answers = told.answers.unwrap_or_default();
    let mut tree = |field: &str, told: Option<&pb::Condition>| match told {
        None => Some(None),
        Some(told) => read_condition(fields, &format!("{at}{field}"), told, 1).map(Some),
    };
    let condition = tree("condition", told.condition.as_ref());
    let notify_where = tree("notify_where", told.notify_where.as_ref());
    let transfer_where = tree("transfer_where", told.transfer_where.as_ref());
    let layers = read_layers(fields, at, &told.layers);
    let notice_hours = match u32::try_from(told.notice_hours) {
        Ok(0) => None,
        Ok(hours) => Some(hours),
        Err(_) => {
            fields.bad(&format!("{at}notice_hours"), "must not be negative");
            None
        }
    };
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
        condition: condition?,
        layers: layers?,
        notify_where: notify_where?,
        transfer_where: transfer_where?,
        notice_hours,
        author: "".into(),
        approver: None,
    };
    for (node, why) in policy::check(&revision) {
        fields.bad(&format!("{at}{node}"), why);
    }
    Some(revision)
}

fn read_layers(fields: &mut Fields, at: &str, told: &[pb::PolicyLayer]) -> Option<Vec<Layer>> {
    if told.len() > Limits::LAYERS {
        fields.bad(&format!("{at}layers"), format!("may have at most {} entries", Limits::LAYERS));
        return None;
    }
    let read: Vec<Option<Layer>> =
        told.iter().enumerate().map(|(n, layer)| read_layer(fields, &format!("{at}layers[{n}]"), layer)).collect();
    read.into_iter().collect()
}

fn read_layer(fields: &mut Fields, at: &str, told: &pb::PolicyLayer) -> Option<Layer> {
    let implied = match pb::LayerKind::try_from(told.kind) {
        Ok(pb::LayerKind::CourtOrder) => Some((LayerKind::CourtOrder, None)),
        Ok(pb::LayerKind::StateCeiling) => Some((LayerKind::State, Some(Effect::Ceiling))),
        Ok(pb::LayerKind::StateMandate) => Some((LayerKind::State, Some(Effect::Mandate))),
        _ => {
            fields.bad(
                &format!("{at}.kind"),
                "must be LAYER_KIND_COURT_ORDER, LAYER_KIND_STATE_CEILING or LAYER_KIND_STATE_MANDATE",
            );
            None
        }
    };
    let stated = match (implied, told.effect) {
        (Some((_, Some(effect))), 0) => Some(effect),
        (_, stated) => effect(fields, &format!("{at}.effect"), stated),
    };
    if let (Some((_, Some(implied))), Some(stated)) = (implied, stated)
        && implied != stated
    {
        fields.bad(&format!("{at}.effect"), "contradicts the kind of the layer");
    }
    let instrument = fields.instrument(&format!("{at}.instrument"), told.instrument.as_ref());
    let from = fields.optional_instant(&format!("{at}.effective_time"), told.effective_time.as_ref());
    let until = fields.optional_instant(&format!("{at}.end_time"), told.end_time.as_ref());
    let condition = match &told.condition {
        Some(condition) => read_condition(fields, &format!("{at}.condition"), condition, 1),
        None => {
            fields.bad(&format!("{at}.condition"), "is required");
            None
        }
    };
    Some(Layer { kind: implied?.0, effect: stated?, instrument: instrument?, from, until, condition: condition? })
}

/// A condition; nothing where a node is bad.
fn read_condition(fields: &mut Fields, at: &str, told: &pb::Condition, depth: usize) -> Option<Condition> {
    if depth > Limits::DEPTH {
        fields.bad(at, format!("nests deeper than {}", Limits::DEPTH));
        return None;
    }
    let Some(kind) = &told.kind else {
        fields.bad(at, "is required: one of the kinds of condition");
        return None;
    };
    let mut list = |word: &str, told: &pb::ConditionList| -> Option<Vec<Condition>> {
        if told.conditions.len() > Limits::ENTRIES {
            fields.bad(&format!("{at}.{word}"), format!("may have at most {} entries", Limits::ENTRIES));
            return None;
        }
        let parts = told.conditions.iter().enumerate();
        let parts: Vec<_> =
            parts.map(|(n, part)| read_condition(fields, &format!("{at}.{word}[{n}]"), part, depth + 1)).collect();
        parts.into_iter().collect()
    };
    match kind {
        Kind::All(parts) => list("all", parts).map(Condition::All),
        Kind::Any(parts) => list("any", parts).map(Condition::Any),
        Kind::Not(part) => {
            read_condition(fields, &format!("{at}.not"), part, depth + 1).map(|part| Condition::Not(Box::new(part)))
        }
        leaf => read_leaf(fields, at, leaf).map(Condition::Leaf),
    }
}

fn words_of(told: &[String]) -> Vec<Arc<str>> {
    told.iter().map(|word| word.as_str().into()).collect()
}

/// A number; negative is refused.
fn count(fields: &mut Fields, at: &str, told: i32) -> Option<u32> {
    fields.take(at, u32::try_from(told).map_err(|_| "must not be negative"))
}

/// A number of years; 0 is not asked.
fn years(fields: &mut Fields, at: &str, told: i32) -> Option<Option<u32>> {
    count(fields, at, told).map(|years| (years > 0).then_some(years))
}

fn each<W: Copy, T>(fields: &mut Fields, at: &str, told: &[W], read: fn(&mut Fields, &str, W) -> Option<T>) -> Option<Vec<T>> {
    let read: Vec<Option<T>> = told.iter().enumerate().map(|(n, one)| read(fields, &format!("{at}[{n}]"), *one)).collect();
    read.into_iter().collect()
}

fn read_leaf(fields: &mut Fields, at: &str, told: &Kind) -> Option<Leaf> {
    Some(match told {
        Kind::All(_) | Kind::Any(_) | Kind::Not(_) => return None,
        Kind::Constant(value) => Leaf::Constant(*value),
        Kind::ReimbursementGuaranteed(told) => Leaf::Guaranteed(match pb::MinimumCoverage::try_from(told.minimum_coverage) {
            Ok(pb::MinimumCoverage::Any) => MinimumCoverage::Any,
            Ok(_) => MinimumCoverage::AllCosts,
            Err(_) => {
                fields.bad(&format!("{at}.reimbursement_guaranteed.minimum_coverage"), "must be a value of MinimumCoverage");
                return None;
            }
        }),
        Kind::JudicialWarrant(told) => Leaf::JudicialWarrant(told.federal_only),
        Kind::JudicialProbableCause(_) => Leaf::ProbableCause,
        Kind::StateJudicialOrder(_) => Leaf::StateOrder,
        Kind::AdministrativeWarrant(told) => {
            Leaf::AdministrativeWarrant(each(fields, &format!("{at}.administrative_warrant.kinds"), &told.kinds, warrant_kind)?)
        }
        Kind::FederalOrder(_) => Leaf::FederalOrder,
        Kind::BookingForm(_) => Leaf::BookingForm,
        Kind::FormEdition(told) => {
            Leaf::FormEdition(each(fields, &format!("{at}.form_edition.editions"), &told.editions, edition)?)
        }
        Kind::FaciallySufficient(_) => Leaf::FaciallySufficient,
        Kind::Conviction(told) => Leaf::Conviction(read_conviction(fields, &format!("{at}.conviction"), told)?),
        Kind::PendingCharge(told) => Leaf::PendingCharge(ChargeLeaf {
            classes: words_of(&told.offense_classes),
            except: words_of(&told.except_classes),
            magistrate_found: told.magistrate_found_probable_cause,
            without_bail: told.without_bail,
        }),
        Kind::PriorConviction(_) => Leaf::PriorConviction,
        Kind::Status(told) => Leaf::Status(StatusLeaf {
            question: status_kind(fields, &format!("{at}.status.status"), told.status)?,
            lists: words_of(&told.lists),
            signers: each(fields, &format!("{at}.status.signed_by"), &told.signed_by, order_signer)?,
        }),
        Kind::AgeAtLeast(told) => Leaf::AgeAtLeast(count(fields, &format!("{at}.age_at_least"), *told)?),
        Kind::StatusProof(_) => Leaf::StatusProof,
        Kind::Served(_) => Leaf::Served,
    })
}

fn read_conviction(fields: &mut Fields, at: &str, told: &pb::ConvictionCondition) -> Option<ConvictionLeaf> {
    let within = match &told.within {
        None => Some(None),
        Some(told) => {
            let conviction_years = years(fields, &format!("{at}.within.conviction_years"), told.conviction_years);
            let release_years = years(fields, &format!("{at}.within.release_years"), told.release_years);
            let tolled = told.tolled_while_incarcerated;
            conviction_years
                .zip(release_years)
                .map(|(conviction_years, release_years)| Some(LookBack { conviction_years, release_years, tolled }))
        }
    };
    let at_least = count(fields, &format!("{at}.at_least"), told.at_least);
    Some(ConvictionLeaf {
        classes: words_of(&told.offense_classes),
        except: words_of(&told.except_classes),
        within: within?,
        at_least: at_least?,
        serving: told.serving_now,
        in_this_booking: told.in_this_booking,
        written_proof: told.proof_in_writing,
    })
}

/// A condition on the wire.
#[must_use]
pub fn wire_condition(condition: &Condition) -> pb::Condition {
    let list = |parts: &[Condition]| pb::ConditionList { conditions: parts.iter().map(wire_condition).collect() };
    pb::Condition {
        kind: Some(match condition {
            Condition::All(parts) => Kind::All(list(parts)),
            Condition::Any(parts) => Kind::Any(list(parts)),
            Condition::Not(part) => Kind::Not(Box::new(wire_condition(part))),
            Condition::Leaf(leaf) => wire_leaf(leaf),
        }),
    }
}

fn wire_leaf(leaf: &Leaf) -> Kind {
    let strings = |words: &[Arc<str>]| words.iter().map(ToString::to_string).collect();
    let number = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
    match leaf {
        Leaf::Constant(value) => Kind::Constant(*value),
        Leaf::Guaranteed(minimum) => {
            Kind::ReimbursementGuaranteed(pb::GuaranteeCondition { minimum_coverage: wire_minimum(*minimum).into() })
        }
        Leaf::JudicialWarrant(federal_only) => {
            Kind::JudicialWarrant(pb::JudicialWarrantCondition { federal_only: *federal_only })
        }
        Leaf::ProbableCause => Kind::JudicialProbableCause(pb::JudicialFindingCondition {}),
        Leaf::StateOrder => Kind::StateJudicialOrder(pb::StateOrderCondition {}),
        Leaf::AdministrativeWarrant(kinds) => Kind::AdministrativeWarrant(pb::AdministrativeWarrantCondition {
            kinds: kinds.iter().map(|kind| wire_warrant_kind(*kind).into()).collect(),
        }),
        Leaf::FederalOrder => Kind::FederalOrder(pb::FederalOrderCondition {}),
        Leaf::BookingForm => Kind::BookingForm(pb::BookingFormCondition {}),
        Leaf::FormEdition(editions) => Kind::FormEdition(pb::FormEditionCondition {
            editions: editions.iter().map(|one| wire_edition(*one).into()).collect(),
        }),
        Leaf::FaciallySufficient => Kind::FaciallySufficient(pb::FacialSufficiencyCondition {}),
        Leaf::Conviction(leaf) => Kind::Conviction(pb::ConvictionCondition {
            offense_classes: strings(&leaf.classes),
            except_classes: strings(&leaf.except),
            within: leaf.within.map(|within| pb::LookBack {
                conviction_years: within.conviction_years.map_or(0, number),
                release_years: within.release_years.map_or(0, number),
                tolled_while_incarcerated: within.tolled,
            }),
            at_least: number(leaf.at_least),
            serving_now: leaf.serving,
            in_this_booking: leaf.in_this_booking,
            proof_in_writing: leaf.written_proof,
        }),
        Leaf::PendingCharge(leaf) => Kind::PendingCharge(pb::PendingChargeCondition {
            offense_classes: strings(&leaf.classes),
            except_classes: strings(&leaf.except),
            magistrate_found_probable_cause: leaf.magistrate_found,
            without_bail: leaf.without_bail,
        }),
        Leaf::PriorConviction => Kind::PriorConviction(pb::PriorConvictionCondition {}),
        Leaf::Status(leaf) => Kind::Status(pb::StatusCondition {
            status: wire_status_kind(leaf.question).into(),
            lists: strings(&leaf.lists),
            signed_by: leaf.signers.iter().map(|signer| wire_order_signer(*signer).into()).collect(),
        }),
        Leaf::AgeAtLeast(years) => Kind::AgeAtLeast(number(*years)),
        Leaf::StatusProof => Kind::StatusProof(pb::StatusProofCondition {}),
        Leaf::Served => Kind::Served(pb::ServedCondition {}),
    }
}

/// The word for where a layer stands.
#[must_use]
pub fn wire_layer_kind(kind: LayerKind, effect: Option<Effect>) -> pb::LayerKind {
    match (kind, effect) {
        (LayerKind::CourtOrder, _) => pb::LayerKind::CourtOrder,
        (LayerKind::State, Some(Effect::Mandate)) => pb::LayerKind::StateMandate,
        (LayerKind::State, _) => pb::LayerKind::StateCeiling,
        (LayerKind::CountyRule, _) => pb::LayerKind::CountyRule,
    }
}

fn wire_layer(layer: &Layer) -> pb::PolicyLayer {
    pb::PolicyLayer {
        kind: wire_layer_kind(layer.kind, Some(layer.effect)).into(),
        effect: wire_effect(layer.effect).into(),
        instrument: Some(wire_instrument(&layer.instrument)),
        effective_time: layer.from.map(stamp),
        end_time: layer.until.map(stamp),
        condition: Some(wire_condition(&layer.condition)),
    }
}
