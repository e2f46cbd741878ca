//! What happens to a booking: it begins, bases open and close, facts come in, the person moves, custody ends.

use super::super::auth::Principal;
use super::super::convert::booking::{Shown, wire_booking};
use super::super::convert::custody::{basis_kind, close_reason, end_kind, identity, new_basis};
use super::super::convert::facts::{About, age, new_fact, wire_record};
use super::super::error::{self, Called};
use super::super::names::{self, of};
use super::super::time::{Fields, receipt};
use super::super::{Api, write};
use super::{after, called, whole};
use crate::domain::command::{BookingCommand, CloseBasis, CreateBooking, EndBooking, MoveBooking, NewFact, OpenBasis};
use crate::domain::decide::own_record;
use crate::domain::event::Event;
use crate::domain::facts::{AgeYears, CloseReason, Fact, Source};
use crate::domain::ids::{BasisId, BookingId, CountyId, FacilityId, SubjectId};
use crate::domain::time::Instant;
use crate::identity::{Identity, Label};
use crate::ledger::{AsOf, Command, Written};
use crate::pb;
use sha2::{Digest as _, Sha256};
use tonic::Status;

/// The most facts of one call, and the most bases at booking.
const MOST: usize = 100;

impl Api {
    /// Records a booking.
    pub(in crate::api) async fn create_booking_for(
        &self,
        caller: &Principal,
        request: pb::CreateBookingRequest,
    ) -> Result<pb::CreateBookingResponse, Status> {
        let mut fields = Fields::new();
        let county = fields.name("parent", &request.parent, names::county);
        let call = write::begin(&mut fields, caller, "CreateBooking", county.as_ref(), &request)?;
        let told = self.who(&mut fields, caller, county.as_ref(), &request).await?;
        let read = read_stay(&mut fields, county.as_ref(), &request);
        let (mut call, mut stay) = whole(fields, call, read)?;
        let county = call.county.clone();
        // Kept until the command is written: see `Sealer`.
        let mut sealer = None;
        if let Some((person, years)) = told {
            let mut own = self.sealer(&county, &stay.subject).await?;
            stay.identity = Some(own.identity(&person).await?);
            call.sealed = own.rows();
            sealer = Some(own);
            let reckoned = years.filter(|_| stay.facts.is_empty()).map(|years| Fact::AgeYears(AgeYears { years }));
            stay.facts.extend(reckoned.map(|fact| NewFact { at: stay.booked, source: stay.source.clone(), fact }));
        }
        let called = Called::default()
            .resource("booking_id", "booking", of::booking(&county, &stay.booking))
            .resource("facility", "facility", of::facility(&county, &stay.facility))
            .resource("county", "county", of::county(&county))
            .field("facts[0].effective_time", "booked_time");
        let command = Command::Booking(stay.booking.clone(), BookingCommand::Create(stay));
        let written = self.write_called(call, command, &called).await?;
        drop(sealer);
        let (booking, receipt) = answer(&county, &written, request.validate_only)?;
        Ok(pb::CreateBookingResponse { booking: Some(booking), receipt })
    }

    /// Who the person is, where that is told, with their age at booking.
    async fn who(
        &self,
        fields: &mut Fields,
        caller: &Principal,
        county: Option<&CountyId>,
        request: &pb::CreateBookingRequest,
    ) -> Result<Option<(Identity, Option<u32>)>, Status> {
        let (Some(told), Some(county)) = (&request.identity, county) else { return Ok(None) };
        let (_, county) = self.county_at(caller, county, AsOf::Latest).await?;
        let Some(person) = identity(fields, told, county.profile.zone.date(self.ledger.now())) else { return Ok(None) };
        if person.is_empty() {
            return Ok(None);
        }
        let zone = names::facility(&request.facility).map_or(county.profile.zone, |(_, facility)| county.zone_of(&facility));
        let booked = request.booked_time.as_ref().and_then(|time| super::super::time::instant(time).ok());
        let years = booked.and_then(|booked| person.age_on(zone.date(booked))).filter(|years| *years <= 130);
        Ok(Some((person, years)))
    }

    /// Records that a basis opened.
    pub(in crate::api) async fn open_basis_for(
        &self,
        caller: &Principal,
        request: pb::OpenBasisRequest,
    ) -> Result<pb::OpenBasisResponse, Status> {
        let mut fields = Fields::new();
        let name = fields.name("parent", &request.parent, names::booking);
        let call = write::begin(&mut fields, caller, "OpenBasis", name.as_ref().map(|(county, _)| county), &request)?;
        let basis = fields.optional_id("basis_id", &request.basis_id, BasisId::new);
        let kind = basis_kind(&mut fields, "kind", request.kind);
        let at = fields.instant("effective_time", request.effective_time.as_ref());
        let source = fields.source("source", request.source.as_ref());
        let reference = fields.text("reference", &request.reference, 200);
        let read = name.zip(kind).zip(at).zip(source);
        let (call, (((name, kind), at), source)) = whole(fields, call, read)?;
        let (county, booking) = name;
        let mut called = called("parent", &county, &booking).field("basis", "basis_id");
        if let Some(basis) = &basis {
            called = called.resource("basis_id", "basis", of::basis(&county, &booking, basis));
        }
        let open = OpenBasis { basis: basis.clone(), kind, at, source, reference };
        let command = Command::Booking(booking.clone(), BookingCommand::OpenBasis(open));
        let written = self.write_called(call, command, &called).await?;
        let opened = written.events.iter().find_map(|event| match event {
            Event::BasisOpened(opened) => Some(opened.id.clone()),
            _ => None,
        });
        let opened = opened.or(basis).map(|basis| of::basis(&county, &booking, &basis));
        let (booking, receipt) = answer(&county, &written, request.validate_only)?;
        Ok(pb::OpenBasisResponse { booking: Some(booking), receipt, basis: opened.unwrap_or_default() })
    }

    /// Records that a basis closed.
    pub(in crate::api) async fn close_basis_for(
        &self,
        caller: &Principal,
        request: pb::CloseBasisRequest,
    ) -> Result<pb::CloseBasisResponse, Status> {
        let mut fields = Fields::new();
        let name = fields.name("name", &request.name, names::basis);
        let call = write::begin(&mut fields, caller, "CloseBasis", name.as_ref().map(|(county, ..)| county), &request)?;
        let at = fields.instant("effective_time", request.effective_time.as_ref());
        let source = fields.source("source", request.source.as_ref());
        let reason = close_reason(&mut fields, "reason", request.reason);
        let text = match reason {
            Some(CloseReason::Other) => fields.required_text("reason_text", &request.reason_text, 1_000),
            _ => fields.text("reason_text", &request.reason_text, 1_000),
        };
        let read = name.zip(at).zip(source).zip(reason);
        let (mut call, (((name, at), source), reason)) = whole(fields, call, read)?;
        let (county, booking, basis) = name;
        let called = called("name", &county, &booking).resource("basis", "basis", of::basis(&county, &booking, &basis));
        let mut close = CloseBasis { basis, at, reason, text: None, source };
        let mut sealer = None;
        if !text.is_empty() {
            let (_, _, known) = self.booking_at(caller, &county, &booking, AsOf::Latest).await?;
            let mut own = self.sealer(&county, &known.subject).await?;
            close.text = own.text(Label::Text, &text)?;
            call.sealed = own.rows();
            sealer = Some(own);
        }
        let command = Command::Booking(booking, BookingCommand::CloseBasis(close));
        let written = self.write_called(call, command, &called).await?;
        drop(sealer);
        let (booking, receipt) = answer(&county, &written, request.validate_only)?;
        Ok(pb::CloseBasisResponse { booking: Some(booking), receipt })
    }

    /// Records facts, all or none.
    pub(in crate::api) async fn update_facts_for(
        &self,
        caller: &Principal,
        request: pb::UpdateFactsRequest,
    ) -> Result<pb::UpdateFactsResponse, Status> {
        let mut fields = Fields::new();
        let name = fields.name("name", &request.name, names::booking);
        let call = write::begin(&mut fields, caller, "UpdateFacts", name.as_ref().map(|(county, _)| county), &request)?;
        if !(1..=MOST).contains(&request.facts.len()) {
            fields.bad("facts", format!("must have 1 to {MOST} entries"));
        }
        let Some((county, booking)) = name else { return Err(fields.refusal()) };
        let (_, shared, known) = self.booking_if(caller, &county, &booking, AsOf::Latest).await?;
        let facility = known.as_ref().and_then(|known| known.facility());
        let about = About { county: &shared, booking: &booking, facility };
        let some = request.facts.iter().take(MOST).enumerate();
        let facts: Vec<Option<NewFact>> =
            some.map(|(n, told)| new_fact(&mut fields, &format!("facts[{n}]"), about, told)).collect();
        let facts: Option<Vec<NewFact>> = facts.into_iter().collect();
        let (call, facts) = whole(fields, call, facts)?;
        if known.is_none() {
            return Err(error::not_found("booking", &request.name));
        }
        let called = called("name", &county, &booking);
        let command = Command::Booking(booking.clone(), BookingCommand::UpdateFacts(facts));
        let written = self.write_called(call, command, &called).await?;
        let facts = written.events.iter().filter_map(|event| match event {
            Event::FactRecorded(record) => Some(wire_record(&written.county, &booking, record)),
            _ => None,
        });
        let (facts, decisions) = (facts.collect(), decisions(&county, &booking, &written.events));
        let (booking, receipt) = answer(&county, &written, request.validate_only)?;
        Ok(pb::UpdateFactsResponse { booking: Some(booking), receipt, facts, decisions })
    }

    /// Records a move.
    pub(in crate::api) async fn move_booking_for(
        &self,
        caller: &Principal,
        request: pb::MoveBookingRequest,
    ) -> Result<pb::MoveBookingResponse, Status> {
        let mut fields = Fields::new();
        let name = fields.name("name", &request.name, names::booking);
        let call = write::begin(&mut fields, caller, "MoveBooking", name.as_ref().map(|(county, _)| county), &request)?;
        let at = fields.optional_instant("effective_time", request.effective_time.as_ref());
        let source = source_or_own(&mut fields, request.source.as_ref());
        let facility = facility_of(&mut fields, "facility", name.as_ref().map(|(county, _)| county), &request.facility);
        let (call, ((name, source), facility)) = whole(fields, call, name.zip(source).zip(facility))?;
        let (county, booking) = name;
        let called = called("name", &county, &booking).field("move", "name").resource(
            "facility",
            "facility",
            of::facility(&county, &facility),
        );
        let command = Command::Booking(booking, BookingCommand::Move(MoveBooking { facility, at, source }));
        let written = self.write_called(call, command, &called).await?;
        let (booking, receipt) = answer(&county, &written, request.validate_only)?;
        Ok(pb::MoveBookingResponse { booking: Some(booking), receipt })
    }

    /// Records the end of a booking.
    pub(in crate::api) async fn release_booking_for(
        &self,
        caller: &Principal,
        request: pb::ReleaseBookingRequest,
    ) -> Result<pb::ReleaseBookingResponse, Status> {
        let mut fields = Fields::new();
        let name = fields.name("name", &request.name, names::booking);
        let call = write::begin(&mut fields, caller, "ReleaseBooking", name.as_ref().map(|(county, _)| county), &request)?;
        let at = fields.optional_instant("effective_time", request.effective_time.as_ref());
        let source = source_or_own(&mut fields, request.source.as_ref());
        let kind = end_kind(&mut fields, "kind", request.kind);
        let agency = fields.text("receiving_agency", request.receiving_agency.trim(), 200);
        let officer = fields.text("receiving_officer", request.receiving_officer.trim(), 100);
        let (mut call, ((name, source), kind)) = whole(fields, call, name.zip(source).zip(kind))?;
        let (county, booking) = name;
        let called = called("name", &county, &booking);
        let mut end = EndBooking { kind, at, agency: Some(agency).filter(|agency| !agency.is_empty()), officer: None, source };
        let mut sealer = None;
        if !officer.is_empty() {
            let (_, _, known) = self.booking_at(caller, &county, &booking, AsOf::Latest).await?;
            let mut own = self.sealer(&county, &known.subject).await?;
            end.officer = own.text(Label::Officer, &officer)?;
            call.sealed = own.rows();
            sealer = Some(own);
        }
        let command = Command::Booking(booking, BookingCommand::End(end));
        let written = self.write_called(call, command, &called).await?;
        drop(sealer);
        let (booking, receipt) = answer(&county, &written, request.validate_only)?;
        Ok(pb::ReleaseBookingResponse { booking: Some(booking), receipt })
    }
}

/// The booking and the proof, as every write answers them.
fn answer(county: &CountyId, written: &Written, validate_only: bool) -> Result<(pb::Booking, Option<pb::Receipt>), Status> {
    let known = after(written)?;
    let receipt = receipt(county, written.pair, known.seq, validate_only);
    Ok((wire_booking(county, &known, Shown::default()), receipt))
}

/// The names of the decisions among events.
fn decisions(county: &CountyId, booking: &BookingId, events: &[Event]) -> Vec<String> {
    let name = |event: &Event| match event {
        Event::Decided(decided) => Some(of::decision(county, booking, &decided.detainer, decided.decision.n)),
        _ => None,
    };
    events.iter().filter_map(name).collect()
}

fn source_or_own(fields: &mut Fields, told: Option<&pb::Source>) -> Option<Source> {
    match told {
        None => Some(own_record()),
        told => fields.source("source", told),
    }
}

/// A facility, which has to be of the county.
fn facility_of(fields: &mut Fields, field: &str, county: Option<&CountyId>, name: &str) -> Option<FacilityId> {
    let (of, facility) = fields.name(field, name, names::facility)?;
    if county.is_some_and(|county| of != *county) {
        fields.bad(field, "must be a facility of this county");
        return None;
    }
    Some(facility)
}

/// An id from words that a retry repeats.
fn made_id(prefix: &str, words: &[&str]) -> String {
    let digest = Sha256::digest(words.join("/"));
    format!("{prefix}-{}", hex::encode(&digest[..10]))
}

fn read_stay(fields: &mut Fields, county: Option<&CountyId>, request: &pb::CreateBookingRequest) -> Option<CreateBooking> {
    use pb::create_booking_request::Bases;
    let booking = match request.booking_id.as_str() {
        "" => county.map(|county| BookingId::trusted(&made_id("b", &[county.as_str(), "request", &request.request_id]))),
        id => fields.take("booking_id", BookingId::new(id)),
    };
    let booked = fields.instant("booked_time", request.booked_time.as_ref());
    let source = fields.source("source", request.source.as_ref());
    let subject = match request.subject.as_str() {
        "" => county
            .zip(booking.as_ref())
            .map(|(county, booking)| SubjectId::trusted(&made_id("s", &[county.as_str(), booking.as_str()]))),
        name => match fields.name("subject", name, names::subject) {
            Some((of, subject)) if county.is_none_or(|county| of == *county) => Some(subject),
            Some(_) => {
                fields.bad("subject", "must be a subject of this county");
                None
            }
            None => None,
        },
    };
    let facility = facility_of(fields, "facility", county, &request.facility);
    let bases = match &request.bases {
        None => {
            fields.bad("bases", "is required: first_bases, which may be empty, or bases_not_known");
            None
        }
        Some(Bases::BasesNotKnown(_)) => Some(None),
        Some(Bases::FirstBases(first)) => first_bases(fields, &first.bases).map(Some),
    };
    let years = match request.age_years {
        None => Some(None),
        Some(years) => age(fields, "age_years", years).map(Some),
    };
    let (booked, source) = (booked?, source?);
    let facts = years?.into_iter().map(|age| stated_age(booked, &source, age)).collect();
    Some(CreateBooking {
        booking: booking?,
        subject: subject?,
        identity: None,
        booked,
        source,
        facility: facility?,
        bases: bases?,
        facts,
    })
}

fn stated_age(booked: Instant, source: &Source, age: AgeYears) -> NewFact {
    NewFact { at: booked, source: source.clone(), fact: Fact::AgeYears(age) }
}

fn first_bases(fields: &mut Fields, told: &[pb::NewBasis]) -> Option<Vec<OpenBasis>> {
    if told.len() > MOST {
        fields.bad("first_bases.bases", format!("may have at most {MOST} entries"));
        return None;
    }
    let read: Vec<Option<OpenBasis>> =
        told.iter().enumerate().map(|(n, basis)| new_basis(fields, &format!("first_bases.bases[{n}]"), basis)).collect();
    read.into_iter().collect()
}
