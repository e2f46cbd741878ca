//! `fact.proto`: what policies read about a person or a case.

use super::super::names::{self, of};
use super::super::time::{Fields, stamp, wire_date, wire_money, wire_source};
use super::{tri, wire_tri, words};
use crate::domain::command::NewFact;
use crate::domain::county::County;
use crate::domain::facts::{
    AgeYears, BailSet, Charge, Conviction, Disposition, ExpectedRelease, Fact, FactRecord, Hospitalization, JudicialWarrant,
    OrderSigner, Paper, PaperKind, Question, RecordsCheck, Source, Status, StatusProof,
};
use crate::domain::ids::{BookingId, FacilityId};
use crate::pb;
use pb::fact::Kind;
use std::sync::Arc;

words! {
    /// Which paper or judicial act.
    paper_kind, wire_paper_kind: PaperKind <=> PaperKind {
        JudicialProbableCause = PaperKind::ProbableCauseFinding,
        StateJudicialOrder = PaperKind::StateOrder,
        I200 = PaperKind::I200,
        I205 = PaperKind::I205,
        FederalOrder = PaperKind::FederalOrder,
        I203 = PaperKind::I203,
        WarrantServed = PaperKind::WarrantServed,
    }
    /// Which question of history or status.
    status_kind, wire_status_kind: StatusKind <=> Question {
        PendingCriminalCase = Question::PendingCase,
        OutstandingCriminalWarrant = Question::OutstandingWarrant,
        PriorRemovalOrder = Question::PriorRemoval,
        ReentryAfterRemoval = Question::Reentry,
        FinalRemovalOrder = Question::FinalOrder,
        Registry = Question::Registry,
        GangOrWatchList = Question::WatchList,
        ReleaseDatePublic = Question::ReleaseDatePublic,
        OtherPurpose = Question::OtherPurpose,
    }
    /// Who signed an order of removal.
    order_signer, wire_order_signer: OrderSigner <=> OrderSigner {
        Judge = OrderSigner::Judge,
        ImmigrationJudge = OrderSigner::ImmigrationJudge,
        ImmigrationOfficer = OrderSigner::ImmigrationOfficer,
    }
    /// What was proved.
    status_proof, wire_status_proof: StatusProofKind <=> StatusProof {
        Citizenship = StatusProof::Citizen,
        LawfulStatus = StatusProof::LawfulStatus,
    }
}

/// Who asks, where a fact names a detainer or reads a day: the booking and its county.
#[derive(Clone, Copy)]
pub struct About<'a> {
    /// The county.
    pub county: &'a County,
    /// The booking.
    pub booking: &'a BookingId,
    /// Where the person is.
    pub facility: Option<&'a FacilityId>,
}

/// A fact to record. `at` is the path of the message.
pub fn new_fact(fields: &mut Fields, at: &str, about: About<'_>, told: &pb::Fact) -> Option<NewFact> {
    if !told.fact_id.is_empty() {
        fields.bad(&format!("{at}.fact_id"), "must be empty: the server numbers facts");
    }
    let effective = fields.instant(&format!("{at}.effective_time"), told.effective_time.as_ref());
    let source = fields.source(&format!("{at}.source"), told.source.as_ref());
    let fact = kind(fields, at, about, told);
    Some(NewFact { at: effective?, source: source?, fact: fact? })
}

/// What a fact says.
pub fn kind(fields: &mut Fields, at: &str, about: About<'_>, told: &pb::Fact) -> Option<Fact> {
    let Some(kind) = &told.kind else {
        fields.bad(&format!("{at}.kind"), "is required: one of the kinds of fact");
        return None;
    };
    match kind {
        Kind::Charge(told) => charge(fields, &format!("{at}.charge"), told),
        Kind::Conviction(told) => conviction(fields, &format!("{at}.conviction"), told),
        Kind::Disposition(told) => disposition(fields, &format!("{at}.disposition"), told),
        Kind::Age(told) => age(fields, &format!("{at}.age.years"), told.years).map(Fact::AgeYears),
        Kind::CitizenshipClaim(_) => Some(Fact::CitizenshipClaim),
        Kind::StatusProof(told) => status_proof(fields, &format!("{at}.status_proof.proved"), told.proved).map(Fact::StatusProof),
        Kind::JudicialWarrant(told) => judicial_warrant(fields, &format!("{at}.judicial_warrant"), told),
        Kind::Paper(told) => paper(fields, &format!("{at}.paper"), about, told),
        Kind::Status(told) => status(fields, &format!("{at}.status"), told),
        Kind::RecordsCheck(told) => {
            let (convictions, charges) = (told.convictions_complete, told.charges_complete);
            Some(Fact::RecordsCheck(RecordsCheck { convictions, charges }))
        }
        Kind::Bail(told) => bail(fields, &format!("{at}.bail.amount"), about, told),
        Kind::ExpectedRelease(told) => expected_release(fields, &format!("{at}.expected_release"), about, told),
        Kind::Hospitalization(told) => hospitalization(fields, &format!("{at}.hospitalization"), told),
    }
}

fn classes(fields: &mut Fields, at: &str, told: &[String]) -> Vec<Arc<str>> {
    if told.len() > 20 {
        fields.bad(at, "may have at most 20 entries");
        return Vec::new();
    }
    told.iter().enumerate().map(|(n, class)| fields.required_text(&format!("{at}[{n}]"), class, 100)).collect()
}

fn charge(fields: &mut Fields, at: &str, told: &pb::ChargeFact) -> Option<Fact> {
    let classes = classes(fields, &format!("{at}.offense_classes"), &told.offense_classes);
    let code = fields.text(&format!("{at}.description_code"), &told.description_code, 100);
    let found = &format!("{at}.magistrate_found_probable_cause");
    let probable_cause = tri(fields, found, told.magistrate_found_probable_cause);
    let bail_granted = tri(fields, &format!("{at}.bail_granted"), told.bail_granted);
    Some(Fact::Charge(Charge { classes, code, probable_cause: probable_cause?, bail_granted: bail_granted? }))
}

fn conviction(fields: &mut Fields, at: &str, told: &pb::ConvictionFact) -> Option<Fact> {
    Some(Fact::Conviction(Conviction {
        classes: classes(fields, &format!("{at}.offense_classes"), &told.offense_classes),
        convicted: fields.optional_date(&format!("{at}.conviction_date"), told.conviction_date.as_ref()),
        released: fields.optional_date(&format!("{at}.release_date"), told.release_date.as_ref()),
        serving: told.serving_now,
        written_proof: told.proof_in_writing,
        this_booking: told.in_this_booking,
    }))
}

fn disposition(fields: &mut Fields, at: &str, told: &pb::DispositionFact) -> Option<Fact> {
    let acquitted = match pb::Disposition::try_from(told.disposition) {
        Ok(pb::Disposition::Dismissed) => Some(false),
        Ok(pb::Disposition::Acquitted) => Some(true),
        Ok(pb::Disposition::Unspecified) | Err(_) => {
            let words = [pb::Disposition::Dismissed, pb::Disposition::Acquitted].map(|word| word.as_str_name());
            fields.bad(&format!("{at}.disposition"), super::one_of(&words));
            None
        }
    };
    let charge = match told.charge_fact_id.as_str() {
        "" => Some(0),
        id => {
            let number = id.parse::<u32>().ok().filter(|n| *n > 0);
            fields.take(&format!("{at}.charge_fact_id"), number.ok_or("must be the fact_id of a charge of this booking"))
        }
    };
    Some(Fact::Disposition(Disposition { acquitted: acquitted?, charge: charge? }))
}

/// An age in whole years.
pub fn age(fields: &mut Fields, at: &str, years: i32) -> Option<AgeYears> {
    let years = u32::try_from(years).ok().filter(|years| *years <= 130).ok_or("must be 0 to 130");
    fields.take(at, years).map(|years| AgeYears { years })
}

fn judicial_warrant(fields: &mut Fields, at: &str, told: &pb::JudicialWarrantFact) -> Option<Fact> {
    let federal = tri(fields, &format!("{at}.federal"), told.federal);
    let signed = fields.optional_instant(&format!("{at}.signed_time"), told.signed_time.as_ref());
    let court = fields.text(&format!("{at}.court_reference"), &told.court_reference, 200);
    Some(Fact::JudicialWarrant(JudicialWarrant { federal: federal?, signed, court }))
}

fn paper(fields: &mut Fields, at: &str, about: About<'_>, told: &pb::PaperFact) -> Option<Fact> {
    let kind = paper_kind(fields, &format!("{at}.paper"), told.paper);
    let signed = fields.optional_instant(&format!("{at}.signed_time"), told.signed_time.as_ref());
    let sha256 = fields.digest(&format!("{at}.sha256"), &told.sha256);
    let field = &format!("{at}.detainer");
    let detainer = fields.optional_name(field, &told.detainer, names::detainer);
    if detainer.as_ref().is_some_and(|(county, booking, _)| *county != about.county.id || booking != about.booking) {
        fields.bad(field, "must be a detainer of this booking");
    }
    Some(Fact::Paper(Paper { kind: kind?, signed, sha256, detainer: detainer.map(|(_, _, detainer)| detainer) }))
}

fn status(fields: &mut Fields, at: &str, told: &pb::StatusFact) -> Option<Fact> {
    let question = status_kind(fields, &format!("{at}.status"), told.status);
    let answer = tri(fields, &format!("{at}.value"), told.value);
    let signer = match told.signed_by {
        0 => None,
        signer => Some(order_signer(fields, &format!("{at}.signed_by"), signer)?),
    };
    let order = matches!(question, None | Some(Question::PriorRemoval | Question::FinalOrder));
    if signer.is_some() && !order {
        fields.bad(&format!("{at}.signed_by"), "goes only with a removal order");
    }
    let lists = classes(fields, &format!("{at}.lists"), &told.lists);
    let listed = matches!(question, None | Some(Question::Registry | Question::WatchList | Question::OutstandingWarrant));
    if !lists.is_empty() && !listed {
        fields.bad(&format!("{at}.lists"), "goes only with a registry, a watch list or an outstanding warrant");
    }
    Some(Fact::Status(Status { question: question?, answer: answer?, signer, lists }))
}

fn bail(fields: &mut Fields, at: &str, about: About<'_>, told: &pb::BailFact) -> Option<Fact> {
    if told.amount.is_none() {
        fields.bad(at, "is required");
    }
    let amount = fields.money(at, told.amount.as_ref(), &about.county.profile.currency)?;
    Some(Fact::BailSet(BailSet { amount }))
}

fn expected_release(fields: &mut Fields, at: &str, about: About<'_>, told: &pb::ExpectedReleaseFact) -> Option<Fact> {
    use pb::expected_release_fact::Expected;
    let zone = about.facility.map_or(about.county.profile.zone, |facility| about.county.zone_of(facility));
    let (release, day) = match &told.expected {
        None => (None, None),
        Some(Expected::ReleaseTime(time)) => (Some(fields.instant(&format!("{at}.release_time"), Some(time))?), None),
        Some(Expected::ReleaseDate(day)) => {
            let day = fields.date(&format!("{at}.release_date"), Some(day))?;
            (Some(zone.start_of(day)), Some(day))
        }
    };
    Some(Fact::ExpectedRelease(ExpectedRelease { at: release, day, given_out: told.given_out }))
}

fn hospitalization(fields: &mut Fields, at: &str, told: &pb::HospitalizationFact) -> Option<Fact> {
    let start = fields.instant(&format!("{at}.start_time"), told.start_time.as_ref());
    let end = fields.optional_instant(&format!("{at}.end_time"), told.end_time.as_ref());
    if start.zip(end).is_some_and(|(start, end)| end <= start) {
        fields.bad(&format!("{at}.end_time"), "must lie after start_time");
    }
    Some(Fact::Hospitalization(Hospitalization { start: start?, end }))
}

/// A recorded fact.
#[must_use]
pub fn wire_record(county: &County, booking: &BookingId, known: &FactRecord) -> pb::Fact {
    let source = wire_source(&known.source);
    let fact = wire_fact(county, booking, &known.fact);
    pb::Fact {
        fact_id: known.n.to_string(),
        effective_time: Some(stamp(known.at.effective)),
        source: Some(source),
        kind: Some(fact),
    }
}

/// A fact on the wire without its time: for corrections.
#[must_use]
pub fn wire_told(
    county: &County,
    booking: &BookingId,
    fact: &Fact,
    at: crate::domain::time::Instant,
    source: Option<&Source>,
) -> pb::Fact {
    pb::Fact {
        fact_id: String::new(),
        effective_time: Some(stamp(at)),
        source: source.map(wire_source),
        kind: Some(wire_fact(county, booking, fact)),
    }
}

fn wire_fact(county: &County, booking: &BookingId, fact: &Fact) -> Kind {
    let strings = |words: &[Arc<str>]| words.iter().map(ToString::to_string).collect();
    match fact {
        Fact::Charge(known) => Kind::Charge(pb::ChargeFact {
            offense_classes: strings(&known.classes),
            description_code: known.code.to_string(),
            magistrate_found_probable_cause: wire_tri(known.probable_cause).into(),
            bail_granted: wire_tri(known.bail_granted).into(),
        }),
        Fact::Conviction(known) => Kind::Conviction(pb::ConvictionFact {
            offense_classes: strings(&known.classes),
            conviction_date: known.convicted.map(wire_date),
            release_date: known.released.map(wire_date),
            serving_now: known.serving,
            proof_in_writing: known.written_proof,
            in_this_booking: known.this_booking,
        }),
        Fact::Disposition(known) => {
            let disposition = if known.acquitted { pb::Disposition::Acquitted } else { pb::Disposition::Dismissed };
            let charge_fact_id = if known.charge == 0 { String::new() } else { known.charge.to_string() };
            Kind::Disposition(pb::DispositionFact { disposition: disposition.into(), charge_fact_id })
        }
        Fact::AgeYears(known) => Kind::Age(pb::AgeFact { years: i32::try_from(known.years).unwrap_or(i32::MAX) }),
        Fact::CitizenshipClaim => Kind::CitizenshipClaim(pb::CitizenshipClaimFact {}),
        Fact::StatusProof(known) => Kind::StatusProof(pb::StatusProofFact { proved: wire_status_proof(*known).into() }),
        Fact::JudicialWarrant(known) => Kind::JudicialWarrant(pb::JudicialWarrantFact {
            federal: wire_tri(known.federal).into(),
            signed_time: known.signed.map(stamp),
            court_reference: known.court.to_string(),
        }),
        Fact::Paper(known) => Kind::Paper(pb::PaperFact {
            paper: wire_paper_kind(known.kind).into(),
            signed_time: known.signed.map(stamp),
            sha256: known.sha256.map(|digest| digest.0.to_vec()).unwrap_or_default(),
            detainer: known.detainer.as_ref().map(|id| of::detainer(&county.id, booking, id)).unwrap_or_default(),
        }),
        Fact::Status(known) => Kind::Status(pb::StatusFact {
            status: wire_status_kind(known.question).into(),
            value: wire_tri(known.answer).into(),
            signed_by: known.signer.map_or(0, |signer| wire_order_signer(signer).into()),
            lists: strings(&known.lists),
        }),
        Fact::RecordsCheck(known) => {
            Kind::RecordsCheck(pb::RecordsCheckFact { convictions_complete: known.convictions, charges_complete: known.charges })
        }
        Fact::BailSet(known) => Kind::Bail(pb::BailFact { amount: Some(wire_money(known.amount, &county.profile.currency)) }),
        Fact::ExpectedRelease(known) => {
            use pb::expected_release_fact::Expected;
            let expected = match (known.day, known.at) {
                (Some(day), _) => Some(Expected::ReleaseDate(wire_date(day))),
                (None, Some(at)) => Some(Expected::ReleaseTime(stamp(at))),
                (None, None) => None,
            };
            Kind::ExpectedRelease(pb::ExpectedReleaseFact { expected, given_out: known.given_out })
        }
        Fact::Hospitalization(known) => Kind::Hospitalization(pb::HospitalizationFact {
            start_time: Some(stamp(known.start)),
            end_time: known.end.map(stamp),
        }),
    }
}
