//! Persons in custody now: each shows one thing that the board must not let anybody miss.

use chrono::{DateTime, TimeDelta, Utc};

use super::history::{form, warrant};
use super::{FACILITIES, request_id};
use crate::client::Client;
use crate::client::error::ClientError;
use crate::pb;
use crate::sheet::{names, time};

/// One person in custody, told from the instant at which the county was made.
#[derive(Clone, Copy, Debug)]
pub struct Stay {
    /// The booking's id; it says what it is for.
    pub booking: &'static str,
    /// Number of the made-up person.
    pub person: u32,
    /// Which facility.
    pub facility: usize,
    /// Minutes before the anchor at which the last charge closed. None: it is open.
    pub t0: Option<i64>,
    /// What happened to the form.
    pub form: Form,
    /// A claim of citizenship is recorded.
    pub claims_citizenship: bool,
    /// Nobody knows the bases.
    pub bases_not_known: bool,
}

/// What happened to the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Complete, and served.
    Served,
    /// Complete, but no copy was given to the person.
    NotServed,
    /// Nobody read its boxes.
    NotRead,
}

const PLAIN: Stay =
    Stay { booking: "", person: 0, facility: 0, t0: None, form: Form::Served, claims_citizenship: false, bases_not_known: false };

/// The persons in custody. 48 hours are 2,880 minutes.
#[must_use]
pub fn stays() -> Vec<Stay> {
    vec![
        Stay { booking: "N-01-running", person: 101, t0: Some(6 * 60), ..PLAIN },
        Stay { booking: "N-02-running", person: 102, facility: 1, t0: Some(20 * 60 + 12), ..PLAIN },
        Stay { booking: "N-03-citizen", person: 103, t0: Some(11 * 60 + 40), claims_citizenship: true, ..PLAIN },
        Stay { booking: "N-04-due-soon", person: 104, t0: Some(2_880 - 150), ..PLAIN },
        Stay { booking: "N-05-due-in-1h", person: 105, facility: 1, t0: Some(2_880 - 50), ..PLAIN },
        Stay { booking: "N-06-over", person: 106, t0: Some(2_880 + 5 * 60 + 20), ..PLAIN },
        Stay { booking: "N-07-unserved", person: 107, t0: Some(3 * 60 + 5), form: Form::NotServed, ..PLAIN },
        Stay { booking: "N-08-review", person: 108, facility: 1, t0: Some(70), form: Form::NotRead, ..PLAIN },
        Stay { booking: "N-09-charged", person: 109, ..PLAIN },
        Stay { booking: "N-10-charged", person: 110, facility: 1, form: Form::NotServed, ..PLAIN },
        Stay { booking: "N-11-unknown", person: 111, bases_not_known: true, ..PLAIN },
    ]
}

fn source(stay: &Stay) -> Option<pb::Source> {
    Some(pb::Source { kind: pb::SourceKind::JailRecord.into(), reference: format!("rehearsal {}", stay.booking) })
}

/// Records one stay by ordinary calls, in the order in which things happened.
///
/// # Errors
/// The first call that was refused.
pub async fn record(client: &Client, county: &str, anchor: DateTime<Utc>, stay: &Stay) -> Result<(), ClientError> {
    let before = |minutes| anchor - TimeDelta::minutes(minutes);
    // Two days in jail before the last charge closed, and the form on the first of them.
    let t0 = stay.t0.unwrap_or(0);
    let (booked, received) = (before(t0 + 2_880), before(t0 + 1_500));
    let booking = names::booking(county, stay.booking);
    client.create_booking(create(county, stay, booked)).await?;
    client.record_detainer(detainer(&booking, stay, received)).await?;
    if stay.claims_citizenship {
        let kind = Some(pb::fact::Kind::CitizenshipClaim(pb::CitizenshipClaimFact {}));
        let at = Some(time::stamp(before(t0 + 60)));
        let fact = pb::Fact { fact_id: String::new(), effective_time: at, source: source(stay), kind };
        let id = request_id(&format!("{} claim", stay.booking));
        let request = pb::UpdateFactsRequest { name: booking.clone(), request_id: id, facts: vec![fact], ..Default::default() };
        client.update_facts(request).await?;
    }
    if stay.t0.is_some() {
        let request = pb::CloseBasisRequest {
            name: names::basis(&booking, "charge-1"),
            request_id: request_id(&format!("{} close", stay.booking)),
            effective_time: Some(time::stamp(before(t0))),
            source: source(stay),
            reason: pb::BasisCloseReason::BailPosted.into(),
            ..Default::default()
        };
        client.close_basis(request).await?;
    }
    Ok(())
}

fn create(county: &str, stay: &Stay, booked: DateTime<Utc>) -> pb::CreateBookingRequest {
    use pb::create_booking_request::Bases;
    let charge = pb::NewBasis {
        basis_id: "charge-1".to_owned(),
        kind: pb::BasisKind::Charge.into(),
        open_time: Some(time::stamp(booked)),
        source: source(stay),
        reference: "made-up charge".to_owned(),
    };
    let bases = if stay.bases_not_known {
        Bases::BasesNotKnown(pb::BasesNotKnown {})
    } else {
        Bases::FirstBases(pb::FirstBases { bases: vec![charge] })
    };
    let identity = pb::Identity {
        family_name: "Person".to_owned(),
        given_name: format!("Synthetic-{:03}", stay.person),
        ..Default::default()
    };
    pb::CreateBookingRequest {
        parent: county.to_owned(),
        request_id: request_id(&format!("{} booking", stay.booking)),
        booking_id: stay.booking.to_owned(),
        booked_time: Some(time::stamp(booked)),
        source: source(stay),
        subject: names::subject(county, &format!("synthetic-{:03}", stay.person)),
        identity: Some(identity),
        facility: names::facility(county, FACILITIES[stay.facility % FACILITIES.len()].0),
        bases: Some(bases),
        ..Default::default()
    }
}

fn detainer(booking: &str, stay: &Stay, received: DateTime<Utc>) -> pb::RecordDetainerRequest {
    let mut form_says = form(pb::FormEdition::I247a, received, &format!("RN{:05}", stay.person));
    if stay.form == Form::NotRead {
        form_says.probable_cause = None;
        form_says.signed = pb::TriState::Unknown.into();
    }
    let service = (stay.form == Form::Served).then(|| pb::Service {
        served_time: Some(time::stamp(received + TimeDelta::minutes(35))),
        method: pb::ServiceMethod::InPerson.into(),
        language: "es".to_owned(),
        served_by: "badge 7".to_owned(),
        source: source(stay),
    });
    pb::RecordDetainerRequest {
        parent: booking.to_owned(),
        request_id: request_id(&format!("{} detainer", stay.booking)),
        received_time: Some(time::stamp(received)),
        source: source(stay),
        detainer_id: "1".to_owned(),
        form: Some(form_says),
        documents: vec![warrant(stay.booking, received)],
        service,
        ..Default::default()
    }
}
