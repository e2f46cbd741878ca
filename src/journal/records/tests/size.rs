//! How many bytes the journal grows by when a request comes in.

use super::super::super::record::{FORMAT, Record, RequestKey, Stream};
use super::agrees;
use crate::domain::booking::Booking;
use crate::domain::clock::{ExclusionRule, Limit, StartRule};
use crate::domain::command::{BookingCommand, CreateBooking, OpenBasis, RecordDetainer};
use crate::domain::county::{County, Facility, Profile};
use crate::domain::decide::{Context, booking as decide};
use crate::domain::event::{CountyCreated, Event};
use crate::domain::facts::{BasisKind, SourceKind};
use crate::domain::ids::{BookingId, CountyId, FacilityId, RevisionId, SubjectId};
use crate::domain::policy::{Answers, FacialRule, Instrument, Mode, OpenDetainers, Revision};
use crate::domain::time::{DAY_US, Instant, Zone};
use crate::domain::{agreement::MinimumCoverage, evolve};

use super::samples::{at, form, source, stamp, zone};

fn county() -> County {
    let profile = Profile {
        name: "Miami-Dade".into(),
        state: "FL".into(),
        zone: zone(),
        currency: "USD".into(),
        two_person_switch: false,
        allowance_us: 0,
        preview_required: false,
    };
    let facility = Facility {
        id: FacilityId::trusted("tgk"),
        name: "Turner Guilford Knight".into(),
        city: "Miami".into(),
        created: at(),
        seq: 2,
        zone: Zone::UTC,
        in_use: true,
    };
    let revision = Revision {
        id: RevisionId::trusted("r-1008-13"),
        mode: Mode::RequireReimbursementGuarantee,
        adopted: None,
        effective: stamp(),
        open_detainers: OpenDetainers::Leave,
        instrument: Instrument { title: "R-1008-13".into(), citation: "".into(), date: None, sha256: None },
        minimum: MinimumCoverage::AllCosts,
        start: StartRule::OtherwiseReleased,
        limit: Limit::Hours(48),
        exclusion: ExclusionRule::AsFormPrints,
        county_days: Vec::new(),
        county_days_instrument: None,
        facial: FacialRule::Default,
        lent_holds: None,
        county_days_calendar: "".into(),
        answers: Answers::default(),
        condition: None,
        layers: Vec::new(),
        notify_where: None,
        transfer_where: None,
        notice_hours: None,
        author: "clerk".into(),
        approver: None,
    };
    let created = CountyCreated { county: CountyId::trusted("miami-dade"), profile, created: at() };
    let events = [Event::CountyCreated(created), Event::FacilitySet(facility), Event::RevisionActivated(revision)];
    events.iter().fold(None, |county, event| evolve::county(county, 1, event)).unwrap()
}

fn context(now: Instant, seq: i64) -> Context {
    Context { now, seq, actor: "jms".into(), person: "jms".into(), history: false }
}

fn booked(county: &County) -> Booking {
    let create = CreateBooking {
        booking: BookingId::trusted("2017-000123"),
        subject: SubjectId::trusted("0192f0c1-7b1c-7d3e-8a55-0a5b6c7d8e9f"),
        identity: None,
        booked: at(),
        source: source(),
        facility: FacilityId::trusted("tgk"),
        bases: Some(vec![OpenBasis {
            basis: None,
            kind: BasisKind::Charge,
            at: at(),
            source: source(),
            reference: "F17-001".into(),
        }]),
        facts: Vec::new(),
    };
    let events = decide(county, None, &[], &BookingCommand::Create(create), &context(at().plus_us(1), 4)).unwrap();
    events.iter().fold(None, |booking, event| evolve::booking(booking, 4, event)).unwrap()
}

/// A request with a box ticked, an event number and a form date; the decision declines it with its explanation.
#[test]
fn a_request_before_t0() {
    let county = county();
    let booking = booked(&county);
    let now = at().plus_us(DAY_US);
    // The sample ticks every box, also those that no printed form has together.
    let boxes = crate::domain::detainer::Boxes { lent: false, upon_conviction: false, ..form().boxes };
    let form = crate::domain::detainer::Form { boxes, documents: Vec::new(), officer: None, a_number: None, ..form() };
    assert_ne!(source().kind, SourceKind::Other);
    let record =
        RecordDetainer { detainer: None, form, received: now.plus_us(-1), source: source(), remarks: None, service: None };
    let events = decide(&county, Some(&booking), &[], &BookingCommand::RecordDetainer(record), &context(now, 5)).unwrap();
    let kinds: Vec<String> = events.iter().map(|event| format!("{event:?}").split('(').next().unwrap().to_owned()).collect();
    assert_eq!(kinds, ["DetainerRecorded", "Decided", "DutiesSet"]);
    let sizes: Vec<usize> = events.iter().map(|event| super::encode(event).len()).collect();
    let record = Record {
        format: FORMAT,
        county: county.id.clone(),
        seq: 5,
        first_seq: 5,
        last_seq: 5,
        stream: Stream::Booking(booking.id.clone()),
        recorded: now,
        actor: "jms".into(),
        person: "jms".into(),
        method: "RecordDetainer".into(),
        request: Some(RequestKey { id: "0192f0c1-7b1c-7d3e-8a55-0a5b6c7d8e9f".into(), fingerprint: [7; 32] }),
        history: false,
        events,
    };
    let bytes = agrees(&record);
    println!("RecordDetainer before T0: {} bytes, of which {kinds:?} {sizes:?}", bytes.len());
    assert!(bytes.len() <= 640, "{} bytes", bytes.len());
}
