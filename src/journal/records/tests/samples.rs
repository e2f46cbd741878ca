//! Values of every kind of event, written by hand: each field has a value somewhere, each case is met.

use crate::domain::agreement::{Agreement, MinimumCoverage, Scope, Term};
use crate::domain::booking::{
    Alert, AlertLevel, CorrectedFact, Correction, Custody, Hold, HoldEnd, Posting, PostingCause, PostingRef, Proposal,
    Reservation, ServedHow,
};
use crate::domain::claim::{Claim, ClaimAct, ClaimEntry, ClaimLines};
use crate::domain::clock::{ClockTerms, Exclusion, ExclusionRule, Limit, Readings, StartRule};
use crate::domain::cost::CostLine;
use crate::domain::county::{Calendar, CalendarDay, Draft, Facility, Profile};
use crate::domain::decision::{Decision, Outcome, Override, OverrideAnswer, Reason, Trigger};
use crate::domain::detainer::{
    Boxes, Component, Detainer, Document, DocumentKind, Done, Duty, DutyKind, Edition, Form, Lift, LiftReason, LinkedDetainer,
    NoticeMethod, Reading, Replacement, ReviewDeclined, Service, ServiceMethod,
};
use crate::domain::event::{
    BasisClosed, BookingCreated, BudgetMoved, ClaimEntered, Confirmed, CountyCreated, Decided, DeclinedOnReview,
    DocumentAttached, DutiesSet, Event, FormRead, Inherited, Lifted, Overridden, Replaced, Served,
};
use crate::domain::facts::{
    AgeYears, Arrival, BailSet, Basis, BasisClose, BasisKind, Charge, CloseReason, Conviction, Disposition, EndKind, Ending,
    ExpectedRelease, Fact, FactRecord, Hospitalization, JudicialWarrant, OrderSigner, Paper, PaperKind, Question, RecordsCheck,
    Source, SourceKind, Stamp, Status, StatusProof, TextRef, Tri,
};
use crate::domain::gap::{Authority, Gap, RestsOn, Segment};
use crate::domain::ids::{
    AgreementId, BasisId, BookingId, ClaimId, CountyId, DetainerId, FacilityId, HoldId, ProposalId, RateId, RevisionId, SubjectId,
};
use crate::domain::money::Cents;
use crate::domain::period::PeriodClose;
use crate::domain::policy::{
    Answers, ChargeLeaf, Condition, ConvictionLeaf, Effect, Explained, Explanation, FacialRule, Inputs, Instrument, Layer,
    LayerExplained, LayerKind, Leaf, LookBack, Mode, OpenDetainers, ReadFact, Revision, StatusLeaf, Step, WarrantKind,
};
use crate::domain::rate::{DayCount, Rate};
use crate::domain::time::{Date, HOUR_US, Instant, Span, Zone};
use std::collections::BTreeSet;

const SEALED: TextRef = TextRef([0xa5; 32]);

pub fn at() -> Instant {
    "2017-03-04T05:06:07.089010Z".parse().unwrap()
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

pub fn zone() -> Zone {
    "America/New_York".parse().unwrap()
}

pub fn stamp() -> Stamp {
    Stamp { effective: at(), recorded: at().plus_us(HOUR_US), known: at().plus_us(HOUR_US), seq: 7 }
}

pub fn source() -> Source {
    Source { kind: SourceKind::JailRecord, reference: "I-247 17-4711".into() }
}

fn facility() -> FacilityId {
    FacilityId::trusted("tgk")
}

fn detainer_id() -> DetainerId {
    DetainerId::trusted("1")
}

fn hold_id() -> HoldId {
    HoldId::trusted("1")
}

fn revision_id() -> RevisionId {
    RevisionId::trusted("r-1008-13")
}

fn agreement_id() -> AgreementId {
    AgreementId::trusted("a-2014")
}

fn document() -> Document {
    Document {
        n: 1,
        kind: DocumentKind::I200,
        sha256: Some(SEALED),
        signed: Some(at()),
        is_signed: Some(Tri::Yes),
        media_type: "application/pdf".into(),
        content: Some(SEALED),
        attached: Some(stamp()),
        source: Some(source()),
    }
}

fn boxes() -> Boxes {
    Boxes {
        hold: true,
        notify: true,
        lent: true,
        upon_conviction: true,
        cancels: Some(day("2017-02-28")),
        read: true,
        final_order: true,
        pending_proceedings: true,
        biometric_match: true,
        statements: true,
    }
}

pub fn form() -> Form {
    Form {
        edition: Edition::I247Of2012,
        boxes: boxes(),
        signed: Tri::Yes,
        office: "MIA".into(),
        office_name: "Miami Field Office".into(),
        component: Component::IceEro,
        officer: Some(SEALED),
        form_date: Some(day("2017-03-03")),
        event_number: "MIA1703000123".into(),
        a_number: Some(SEALED),
        documents: vec![document()],
    }
}

fn service() -> Service {
    Service { at: stamp(), method: ServiceMethod::InPerson, language: "es".into(), by: Some(SEALED), source: source() }
}

fn lift() -> Lift {
    Lift { at: stamp(), reason: LiftReason::LackOfFunds, source: source() }
}

fn replacement() -> Replacement {
    Replacement { at: stamp(), by: DetainerId::trusted("2") }
}

fn declined() -> ReviewDeclined {
    ReviewDeclined { at: stamp(), reason: Some(SEALED) }
}

fn overridden() -> Overridden {
    let act = Override {
        proposal: ProposalId::trusted("1"),
        at: stamp(),
        asked: Some(at()),
        answer: OverrideAnswer::Decline,
        revision: RevisionId::trusted("r1"),
        source: source(),
        reason: Some(SEALED),
    };
    Overridden { detainer: detainer_id(), act }
}

fn duties() -> Vec<Duty> {
    let done = Done { at: stamp(), method: Some(NoticeMethod::Fax), source: source() };
    vec![
        Duty { kind: DutyKind::CopyToSubject, due: at(), done: Some(done) },
        Duty { kind: DutyKind::Acknowledge, due: at(), done: None },
    ]
}

fn detainer() -> Detainer {
    Detainer {
        id: detainer_id(),
        form: form(),
        received: stamp(),
        source: source(),
        remarks: Some(SEALED),
        facility: facility(),
        linked: Some(LinkedDetainer { booking: BookingId::trusted("2016-000001"), detainer: detainer_id() }),
        service: Some(service()),
        lift: Some(lift()),
        replaced: Some(replacement()),
        replaces: Some(DetainerId::trusted("0")),
        declined: Some(declined()),
        overrides: vec![overridden().act],
        readings: vec![Reading { at: stamp(), boxes: boxes(), signed: Tri::Yes, source: source() }],
        decisions: vec![decision(Trigger::Receipt, None)],
        duties: duties(),
    }
}

fn explanation() -> Explanation {
    let step =
        |label: &str, parts| Explanation { step: Step::Not, label: label.into(), value: Tri::No, fact: "facts".into(), parts };
    step("all of", vec![step("any of", vec![step("constant", Vec::new())]), step("not", Vec::new())])
}

fn explained() -> Explained {
    Explained {
        checks: vec![explanation()],
        layers: vec![LayerExplained {
            kind: LayerKind::State,
            effect: Some(Effect::Ceiling),
            instrument: "A law".into(),
            decided: true,
            condition: explanation(),
        }],
        notify: Some(explanation()),
        transfer: Some(explanation()),
    }
}

/// A tree with every kind of leaf.
fn condition() -> Condition {
    let words = || vec!["felony".into()];
    let leaves = [
        Leaf::Constant(true),
        Leaf::Guaranteed(MinimumCoverage::Any),
        Leaf::JudicialWarrant(true),
        Leaf::ProbableCause,
        Leaf::StateOrder,
        Leaf::AdministrativeWarrant(vec![WarrantKind::I200, WarrantKind::I205]),
        Leaf::FederalOrder,
        Leaf::BookingForm,
        Leaf::FormEdition(vec![Edition::I247A]),
        Leaf::FaciallySufficient,
        Leaf::Conviction(ConvictionLeaf {
            classes: words(),
            except: words(),
            within: Some(LookBack { conviction_years: Some(10), release_years: Some(5), tolled: true }),
            at_least: 2,
            serving: true,
            in_this_booking: true,
            written_proof: true,
        }),
        Leaf::PendingCharge(ChargeLeaf { classes: words(), except: words(), magistrate_found: true, without_bail: true }),
        Leaf::PriorConviction,
        Leaf::Status(StatusLeaf { question: Question::FinalOrder, lists: words(), signers: vec![OrderSigner::Judge] }),
        Leaf::AgeAtLeast(18),
        Leaf::StatusProof,
        Leaf::Served,
    ];
    let all = Condition::All(leaves.map(Condition::Leaf).into());
    Condition::Any(vec![Condition::Not(Box::new(all))])
}

fn layer() -> Layer {
    Layer {
        kind: LayerKind::CourtOrder,
        effect: Effect::Mandate,
        instrument: instrument(),
        from: Some(at()),
        until: Some(at()),
        condition: condition(),
    }
}

pub fn decision(trigger: Trigger, terms: Option<ClockTerms>) -> Decision {
    Decision {
        n: 2,
        at: stamp(),
        outcome: Outcome::Honor,
        reason: Reason::RuleSatisfied,
        notify: true,
        transfer: true,
        revision: Some(revision_id()),
        mode: Some(Mode::RequireReimbursementGuarantee),
        trigger,
        authority_from: at(),
        terms,
        agreement: Some(agreement_id()),
        inputs: Inputs {
            edition: Edition::I247Of2012,
            asks_hold: true,
            status_proof: true,
            facially_sufficient: Tri::Unknown,
            guarantee_all: Some(agreement_id()),
            guarantee_any: Some(agreement_id()),
            review_declined: true,
            reservation_failed: true,
            exhausted: vec![agreement_id()],
            day: Some(day("2017-11-24")),
            served: true,
            documents: vec![DocumentKind::I200],
            doubtful: vec![DocumentKind::I205],
            facts: vec![ReadFact { n: 3, fact: Fact::AgeYears(AgeYears { years: 30 }) }],
            layers: vec![1],
            overridden: Some(true),
        },
        explanation: explained(),
        notice_hours: Some(24),
    }
}

fn decided() -> Vec<Event> {
    let terms = |limit, exclusion| Some(ClockTerms { start: StartRule::Receipt, limit, exclusion });
    let county_days = BTreeSet::from([day("2017-11-24"), day("1969-12-31"), day("2017-12-26")]);
    let all = [
        (Trigger::Receipt, None),
        (Trigger::Switch(revision_id()), terms(Limit::Hours(48), Exclusion::None)),
        (Trigger::AgreementStarted(agreement_id()), terms(Limit::Hours(0), Exclusion::Weekends)),
        (Trigger::AgreementEnded(agreement_id()), terms(Limit::EndOfLocalDay, Exclusion::WeekendsAndHolidays { county_days })),
        (Trigger::Balance(agreement_id()), terms(Limit::Hours(72), Exclusion::federal())),
        (Trigger::Reservation(agreement_id()), None),
        (Trigger::FactChanged, None),
        (Trigger::Review, None),
        (Trigger::Correction, None),
        (Trigger::Layer(revision_id()), None),
        (Trigger::LookBack, None),
        (Trigger::Override, None),
    ];
    let event = |(trigger, terms)| Event::Decided(Decided { detainer: detainer_id(), decision: decision(trigger, terms) });
    all.map(event).into()
}

fn instrument() -> Instrument {
    Instrument { title: "Resolution".into(), citation: "R-1008-13".into(), date: Some(day("2013-12-03")), sha256: Some(SEALED) }
}

fn revision() -> Revision {
    Revision {
        id: revision_id(),
        mode: Mode::RequireReimbursementGuarantee,
        adopted: Some(day("2013-12-03")),
        effective: stamp(),
        open_detainers: OpenDetainers::Reevaluate,
        instrument: instrument(),
        minimum: MinimumCoverage::AllCosts,
        start: StartRule::OtherwiseReleased,
        limit: Limit::Hours(48),
        exclusion: ExclusionRule::AsFormPrints,
        county_days: vec![day("2017-11-24")],
        county_days_instrument: Some(instrument()),
        facial: FacialRule::Required,
        lent_holds: Some(instrument()),
        county_days_calendar: "2017".into(),
        answers: Answers {
            notify_honored: Some(true),
            notify_declined: Some(false),
            transfer_honored: Some(true),
            transfer_declined: Some(false),
        },
        condition: Some(condition()),
        layers: vec![layer()],
        notify_where: Some(condition()),
        transfer_where: Some(condition()),
        notice_hours: Some(24),
        author: "clerk".into(),
        approver: Some("counsel".into()),
    }
}

fn agreement(term: Term) -> Event {
    Event::AgreementSet(Agreement {
        id: agreement_id(),
        instrument: instrument(),
        counterparty: "DHS".into(),
        seq: 3,
        signed: Some(at()),
        start: day("2014-01-01"),
        end: Some(day("2014-07-01")),
        zone: zone(),
        scope: Scope {
            facilities: vec![facility()],
            offices: vec!["MIA".into()],
            detainer: Some((BookingId::trusted("2014-000001"), detainer_id())),
        },
        term,
        budget: Some(Cents::new(1_000_000)),
        filing_window_days: Some(90),
        terminated: Some(at()),
    })
}

fn correction(fact_instead: Option<Fact>) -> Correction {
    Correction {
        fact: CorrectedFact::BasisAdded,
        subject: "3".into(),
        old: Some(at()),
        new: Some(at().plus_us(-1)),
        kind: Some(BasisKind::Sentence),
        close_reason: Some(CloseReason::Dismissed),
        end_kind: Some(EndKind::Released),
        old_end_kind: Some(EndKind::Died),
        old_fact: fact_instead.clone(),
        fact_instead,
        service: Some(ServedHow { method: ServiceMethod::ToCounsel, language: "ht".into(), by: Some(SEALED) }),
        closed: Some(at()),
        facility: Some(facility()),
        old_facility: Some(facility()),
        reference: "F17-001".into(),
        source: source(),
        reason: SEALED,
        stamp: stamp(),
    }
}

fn proposal(correction: Option<Correction>, switch: Option<Revision>) -> Event {
    Event::Proposed(Proposal {
        id: ProposalId::trusted("1"),
        person: "jane".into(),
        actor: "jane-laptop".into(),
        proposed: at(),
        expires: at().plus_us(24 * HOUR_US),
        confirmed: Some(at()),
        confirmed_by: Some("joe".into()),
        correction,
        switch: switch.map(Box::new),
        overriding: Some(overridden()),
    })
}

fn facts() -> Vec<Fact> {
    let classes = || vec!["violent-felony".into(), "".into()];
    vec![
        Fact::Charge(Charge { classes: classes(), code: "810.02".into(), probable_cause: Tri::Yes, bail_granted: Tri::No }),
        Fact::Conviction(Conviction {
            classes: classes(),
            convicted: Some(day("1968-02-29")),
            released: Some(day("1970-01-01")),
            serving: true,
            written_proof: true,
            this_booking: true,
        }),
        Fact::Disposition(Disposition { acquitted: true, charge: 4 }),
        Fact::AgeYears(AgeYears { years: 17 }),
        Fact::CitizenshipClaim,
        Fact::StatusProof(StatusProof::Citizen),
        Fact::JudicialWarrant(JudicialWarrant { federal: Tri::Unknown, signed: Some(at()), court: "S.D. Fla.".into() }),
        Fact::Paper(Paper { kind: PaperKind::I203, signed: Some(at()), sha256: Some(SEALED), detainer: Some(detainer_id()) }),
        Fact::Status(Status {
            question: Question::FinalOrder,
            answer: Tri::Yes,
            signer: Some(OrderSigner::ImmigrationJudge),
            lists: vec!["list".into()],
        }),
        Fact::RecordsCheck(RecordsCheck { convictions: true, charges: true }),
        Fact::BailSet(BailSet { amount: Cents::new(500_000) }),
        Fact::ExpectedRelease(ExpectedRelease { at: Some(at()), day: Some(day("2017-04-01")), given_out: true }),
        Fact::Hospitalization(Hospitalization { start: at(), end: Some(at()) }),
        // The same kinds with nothing told.
        Fact::AgeYears(AgeYears { years: 0 }),
        Fact::BailSet(BailSet { amount: Cents::new(0) }),
        Fact::ExpectedRelease(ExpectedRelease { at: None, day: None, given_out: false }),
    ]
}

fn segment(rests_on: Option<RestsOn>) -> Segment {
    Segment { span: Span::from(at()), facility: facility(), authority: Authority::Authorized, hold: Some(hold_id()), rests_on }
}

fn custody() -> Custody {
    let agreements = vec![agreement_id(), AgreementId::trusted("a-2015")];
    let rests_on = RestsOn { detainer: detainer_id(), revision: revision_id(), agreements };
    let hold = Hold {
        id: hold_id(),
        t0: at(),
        start: at(),
        until: at().plus_us(48 * HOUR_US),
        reason: HoldEnd::Deadline,
        deadline: at().plus_us(48 * HOUR_US),
        readings: Readings { contiguous: at().plus_us(48 * HOUR_US), business: Instant::FAR },
        used_us: 3 * HOUR_US,
        contiguous_used_us: 5 * HOUR_US,
        business_used_us: 4 * HOUR_US,
        clock_start: at(),
        continues: Some(HoldId::trusted("0")),
        detainer: detainer_id(),
        revision: revision_id(),
        facility: facility(),
        voided: true,
    };
    let gap = Gap { t0: at(), end: Instant::FAR, segments: vec![segment(Some(rests_on)), segment(None)] };
    Custody { zone: Some(zone()), gaps: vec![gap], holds: vec![hold], barred: Some(Instant::MIN) }
}

fn posting() -> Posting {
    let line = CostLine {
        t0: at(),
        span: Span { start: at(), end: at().plus_us(HOUR_US) },
        local_day: day("2017-03-04"),
        facility: facility(),
        rate: Some(RateId::trusted("2017")),
        hold: Some(hold_id()),
        authority: Authority::AuthorizedLate,
        detainer: Some(detainer_id()),
        revision: Some(revision_id()),
        agreement: Some(agreement_id()),
        incurred: Cents::new(-525),
        covered: Cents::new(-500),
        marginal: Some(Cents::new(-79)),
    };
    Posting {
        seq: 9,
        n: 1,
        line,
        office: "MIA".into(),
        edition: Some(Edition::I247Of2012),
        mode: Some(Mode::HonorAlways),
        cause: PostingCause::LateFact,
        reverses: Some(PostingRef { seq: 8, n: 2 }),
        accounted: Some(day("2017-04-01")),
    }
}

fn claim_entry() -> ClaimEntry {
    ClaimEntry {
        n: 2,
        act: ClaimAct::Paid,
        amount: Cents::new(2_440_800),
        at: stamp(),
        source: source(),
        actor: "joe-desk".into(),
        person: "joe".into(),
        undoes: Some(1),
    }
}

fn claim() -> Claim {
    Claim {
        id: ClaimId::trusted("2017-q1"),
        agreement: agreement_id(),
        start: Some(day("2017-01-01")),
        end: day("2017-04-01"),
        through: 11,
        after: 3,
        window_days: Some(60),
        lines: ClaimLines {
            count: 216,
            holds: 100,
            claimed: Cents::new(2_440_800),
            adjustments: Cents::new(-11_300),
            expired_count: 1,
            expired: Cents::new(11_300),
            sha256: [7; 32],
        },
        made: at(),
        actor: "joe-desk".into(),
        person: "joe".into(),
        entries: vec![claim_entry()],
        seq: 13,
    }
}

/// Events of a county's own stream.
fn of_the_county() -> Vec<Event> {
    let profile = Profile {
        name: "Miami-Dade".into(),
        state: "FL".into(),
        zone: zone(),
        currency: "USD".into(),
        two_person_switch: true,
        allowance_us: HOUR_US,
        preview_required: true,
    };
    let calendar_day = CalendarDay { date: day("2017-11-24"), name: "Day after Thanksgiving".into() };
    let mut all = vec![
        Event::CountyCreated(CountyCreated { county: CountyId::trusted("miami-dade"), profile: profile.clone(), created: at() }),
        Event::CountyUpdated(profile),
        Event::FacilitySet(Facility {
            id: facility(),
            name: "Turner Guilford Knight".into(),
            city: "Miami".into(),
            created: at(),
            seq: 2,
            zone: zone(),
            in_use: true,
        }),
        Event::CalendarSet(Calendar { id: "2017".into(), days: vec![calendar_day], instrument: Some(instrument()), seq: 4 }),
        Event::RevisionActivated(revision()),
        Event::RevisionDrafted(Draft { revision: revision(), planned: Some(at()) }),
        Event::RevisionActivated(Revision { limit: Limit::EndOfLocalDay, approver: None, ..revision() }),
        Event::RateSet(Rate {
            id: RateId::trusted("2017"),
            facility: facility(),
            effective: day("2017-01-01"),
            end: Some(day("2018-01-01")),
            per_day: Cents::new(12_600),
            marginal: Some(Cents::new(1_900)),
            per_hold: Some(Cents::new(0)),
            day_count: DayCount::Per24h,
        }),
        Event::PeriodClosed(PeriodClose {
            end: day("2017-04-01"),
            closed: at(),
            seq: 12,
            actor: "joe-desk".into(),
            person: "joe".into(),
        }),
        Event::ClaimMade(claim()),
        Event::ClaimEntered(ClaimEntered { claim: ClaimId::trusted("2017-q1"), entry: claim_entry() }),
        proposal(None, Some(revision())),
        Event::Confirmed(Confirmed {
            proposal: ProposalId::trusted("1"),
            at: at(),
            actor: "joe-desk".into(),
            person: "joe".into(),
        }),
    ];
    all.extend(
        [
            Term::AllCosts,
            Term::PerDiem { per_day: Cents::new(8_000), day_count: DayCount::Midnight },
            Term::FlatPerHold { amount: Cents::new(30_000), up_to_hours: 48 },
            Term::AfterFirstHours { hours: 48 },
        ]
        .map(agreement),
    );
    all
}

/// Events of a booking's stream but for facts and decisions.
fn of_a_booking() -> Vec<Event> {
    let close = BasisClose { at: stamp(), reason: CloseReason::BailPosted, text: Some(SEALED), source: source() };
    let basis = Basis {
        id: BasisId::trusted("1"),
        kind: BasisKind::Charge,
        opened: stamp(),
        source: source(),
        reference: "F17-001".into(),
        closed: Some(close.clone()),
    };
    let detainer_of = detainer_id;
    vec![
        Event::BookingCreated(BookingCreated {
            booking: BookingId::trusted("2017-000123"),
            subject: SubjectId::trusted("0192f0c1-7b1c-7d3e-8a55-0a5b6c7d8e9f"),
            identity: Some(SEALED),
            booked: stamp(),
            source: source(),
            facility: facility(),
            bases_known: true,
            previous: vec![BookingId::trusted("2016-000001")],
            inherited: vec![Span::from(at())],
            inherits_from: Some(BookingId::trusted("2016-000001")),
        }),
        Event::BasisOpened(basis),
        Event::BasisClosed(BasisClosed { basis: BasisId::trusted("1"), close }),
        Event::Moved(Arrival { at: stamp(), facility: facility(), source: source() }),
        Event::Ended(Ending {
            at: stamp(),
            kind: EndKind::FederalCustody,
            agency: Some("ICE".into()),
            officer: Some(SEALED),
            source: source(),
        }),
        Event::DetainerRecorded(detainer()),
        Event::DocumentAttached(DocumentAttached { detainer: detainer_of(), document: document() }),
        Event::Served(Served { detainer: detainer_of(), service: service() }),
        Event::Lifted(Lifted { detainer: detainer_of(), lift: lift() }),
        Event::Replaced(Replaced { detainer: detainer_of(), replacement: replacement() }),
        Event::ReviewDeclined(DeclinedOnReview { detainer: detainer_of(), declined: declined() }),
        Event::Overridden(overridden()),
        Event::FormRead(FormRead { detainer: detainer_of(), boxes: boxes(), signed: Tri::No, at: stamp(), source: source() }),
        Event::DutiesSet(DutiesSet { detainer: detainer_of(), duties: duties() }),
        Event::DutiesSet(DutiesSet { detainer: detainer_of(), duties: Vec::new() }),
        Event::CustodyDerived(custody()),
        Event::CustodyDerived(Custody::default()),
        Event::BudgetMoved(BudgetMoved {
            agreement: agreement_id(),
            reservation: Reservation {
                agreement: agreement_id(),
                hold: hold_id(),
                at: at(),
                amount: Some(Cents::new(25_200)),
                spent: Some(Cents::new(12_600)),
            },
            reserved: Cents::new(25_200),
            spent: Cents::new(12_600),
        }),
        Event::Posted(posting()),
        Event::Alerted(Alert { hold: Some(hold_id()), level: AlertLevel::Due4h, until: at() }),
        proposal(Some(correction(None)), None),
        Event::Corrected(correction(Some(Fact::CitizenshipClaim))),
        Event::Inherited(Inherited {
            stretches: vec![Span { start: at(), end: at().plus_us(1) }],
            from: Some(BookingId::trusted("2016-000001")),
        }),
    ]
}

/// At least one of every kind.
pub fn events() -> Vec<Event> {
    let mut all = of_the_county();
    all.extend(of_a_booking());
    let record = |(n, fact)| Event::FactRecorded(FactRecord { n, at: stamp(), source: source(), fact });
    all.extend((1..).zip(facts()).map(record));
    all.extend(decided());
    all
}
