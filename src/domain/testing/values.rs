//! Values with many fields, made short: places, papers, rules, promises, prices.

use crate::domain::agreement::{Agreement, MinimumCoverage, Scope, Term};
use crate::domain::booking::{Booking, CorrectedFact, Correction};
use crate::domain::clock::{ExclusionRule, Limit, StartRule};
use crate::domain::command::{BookingCommand, NewService, OpenBasis, OverrideDecision, RecordDetainer};
use crate::domain::county::Profile;
use crate::domain::decision::OverrideAnswer;
use crate::domain::detainer::{Boxes, Component, Document, DocumentKind, Edition, Form, ServiceMethod};
use crate::domain::facts::{BasisKind, Conviction, Fact, Paper, PaperKind, Source, SourceKind, Stamp, TextRef, Tri};
use crate::domain::ids::{AgreementId, BasisId, DetainerId, FacilityId, RateId, RevisionId};
use crate::domain::money::Cents;
use crate::domain::policy::{Answers, FacialRule, Instrument, Mode, OpenDetainers, Revision};
use crate::domain::rate::{DayCount, Rate};
use crate::domain::time::{Date, Instant, Span, Zone};

/// An instant from RFC 3339.
#[must_use]
pub fn instant(text: &str) -> Instant {
    text.parse().unwrap_or_else(|e| panic!("{text}: {e}"))
}

/// A local day.
#[must_use]
pub fn day(text: &str) -> Date {
    text.parse().unwrap_or_else(|e| panic!("{text}: {e}"))
}

/// Where a test knows things from.
#[must_use]
pub fn source() -> Source {
    Source { kind: SourceKind::JailRecord, reference: "".into() }
}

/// A paper of the county's.
#[must_use]
pub fn instrument(title: &str) -> Instrument {
    Instrument { title: title.into(), citation: "".into(), date: None, sha256: None }
}

/// A county's settings.
#[must_use]
pub fn profile(zone: Zone) -> Profile {
    Profile {
        name: "County".into(),
        state: "".into(),
        zone,
        currency: "USD".into(),
        two_person_switch: false,
        preview_required: false,
        allowance_us: 0,
    }
}

/// A charge that opens.
#[must_use]
pub fn basis(id: &str, at: Instant) -> OpenBasis {
    OpenBasis { basis: Some(BasisId::trusted(id)), kind: BasisKind::Charge, at, source: source(), reference: "".into() }
}

/// A rule: 48 hours from T0, no days excluded, open requests decided again.
#[must_use]
pub fn revision(id: &str, mode: Mode) -> Revision {
    let none = Stamp { effective: Instant::MIN, recorded: Instant::MIN, known: Instant::MIN, seq: 0 };
    Revision {
        id: RevisionId::trusted(id),
        mode,
        adopted: None,
        effective: none,
        open_detainers: OpenDetainers::Reevaluate,
        instrument: instrument("Resolution"),
        minimum: MinimumCoverage::AllCosts,
        start: StartRule::OtherwiseReleased,
        limit: Limit::Hours(48),
        exclusion: ExclusionRule::None,
        county_days: Vec::new(),
        county_days_instrument: None,
        county_days_calendar: "".into(),
        facial: FacialRule::Default,
        lent_holds: None,
        answers: Answers::default(),
        condition: None,
        layers: Vec::new(),
        notify_where: None,
        transfer_where: None,
        notice_hours: None,
        author: "".into(),
        approver: None,
    }
}

/// A signed promise to pay all costs from a day on, without end or ceiling.
#[must_use]
pub fn agreement(id: &str, zone: Zone, start: Date) -> Agreement {
    Agreement {
        id: AgreementId::trusted(id),
        instrument: instrument("Agreement"),
        counterparty: "".into(),
        seq: 0,
        signed: Some(zone.start_of(start)),
        start,
        end: None,
        zone,
        scope: Scope::default(),
        term: Term::AllCosts,
        budget: None,
        filing_window_days: None,
        terminated: None,
    }
}

/// A price of the jail, by the day.
#[must_use]
pub fn rate(id: &str, per_day: &str, day_count: DayCount, effective: Date) -> Rate {
    Rate {
        id: RateId::trusted(id),
        facility: FacilityId::trusted("jail"),
        effective,
        end: None,
        per_day: cents(per_day),
        marginal: None,
        per_hold: None,
        day_count,
    }
}

/// An amount such as `126.00`.
#[must_use]
pub fn cents(text: &str) -> Cents {
    text.parse().unwrap_or_else(|e| panic!("{text} {e}"))
}

/// A form that asks to hold and to notify, signed, with a probable-cause box and an I-200.
#[must_use]
pub fn form(edition: Edition) -> Form {
    let boxes = Boxes {
        hold: edition.can_hold(),
        notify: true,
        lent: false,
        upon_conviction: false,
        cancels: None,
        read: true,
        final_order: true,
        pending_proceedings: false,
        biometric_match: false,
        statements: false,
    };
    Form {
        edition,
        boxes,
        signed: Tri::Yes,
        office: "MIA".into(),
        office_name: "".into(),
        component: Component::IceEro,
        officer: None,
        form_date: None,
        event_number: "".into(),
        a_number: None,
        documents: vec![document(DocumentKind::I200)],
    }
}

/// A document that came with a form.
#[must_use]
pub fn document(kind: DocumentKind) -> Document {
    Document {
        n: 1,
        kind,
        sha256: None,
        signed: None,
        is_signed: None,
        media_type: "".into(),
        content: None,
        attached: None,
        source: None,
    }
}

/// A request.
#[must_use]
pub fn request(id: &str, form: Form, served: Option<Instant>, received: Instant) -> RecordDetainer {
    let (source, service) = (source(), served.map(service));
    RecordDetainer { detainer: Some(DetainerId::trusted(id)), form, received, source, remarks: None, service }
}

/// A copy handed over.
#[must_use]
pub fn service(at: Instant) -> NewService {
    NewService { at, method: ServiceMethod::InPerson, language: "es".into(), by: None, source: source() }
}

/// A correction of one instant.
#[must_use]
pub fn correction(fact: CorrectedFact, subject: &str, old: Option<Instant>, new: Option<Instant>) -> Correction {
    Correction {
        fact,
        subject: subject.into(),
        old,
        new,
        kind: None,
        close_reason: None,
        end_kind: None,
        old_end_kind: None,
        fact_instead: None,
        old_fact: None,
        service: None,
        closed: None,
        facility: None,
        old_facility: None,
        reference: "".into(),
        source: source(),
        reason: TextRef([0; 32]),
        stamp: Stamp { effective: Instant::MIN, recorded: Instant::MIN, known: Instant::MIN, seq: 0 },
    }
}

/// An override that a person proposes.
#[must_use]
pub fn overriding(detainer: &str, answer: OverrideAnswer, at: Option<Instant>) -> BookingCommand {
    let detainer = DetainerId::trusted(detainer);
    BookingCommand::Override(OverrideDecision { detainer, answer, at, source: source(), reason: None })
}

/// A conviction in this booking.
#[must_use]
pub fn conviction() -> Fact {
    Fact::Conviction(Conviction {
        classes: Vec::new(),
        convicted: None,
        released: None,
        serving: false,
        written_proof: true,
        this_booking: true,
    })
}

/// A paper of some kind.
#[must_use]
pub fn paper(kind: PaperKind) -> Fact {
    Fact::Paper(Paper { kind, signed: None, sha256: None, detainer: None })
}

/// The custody after T0 that a booking's holds cover, as spans.
#[must_use]
pub fn held(booking: &Booking) -> Vec<Span> {
    let segments = booking.custody.gaps.iter().flat_map(|g| &g.segments);
    segments.filter(|s| s.is_held()).map(|s| s.span).collect()
}
