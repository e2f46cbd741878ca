//! A form comes in: anew, in another's place, or a second time.

use super::super::auth::Principal;
use super::super::convert::decision::wire_decision;
use super::super::convert::form::{Told, form, service};
use super::super::names::{self, of};
use super::super::sealing::Sealer;
use super::super::time::{Fields, receipt};
use super::super::{Api, write};
use super::{Answer, called, defect, whole};
use crate::domain::command::{BookingCommand, RecordDetainer};
use crate::domain::decide::same_paper;
use crate::domain::event::Event;
use crate::domain::ids::{BookingId, CountyId, DetainerId};
use crate::identity::Label;
use crate::ledger::{AsOf, Call, Command};
use crate::pb;
use tonic::Status;

/// What both calls tell of a form that comes in.
struct Incoming<'a> {
    received_time: Option<&'a prost_types::Timestamp>,
    source: Option<&'a pb::Source>,
    detainer_id: &'a str,
    form: Option<&'a pb::DetainerForm>,
    documents: &'a [pb::Document],
    service: Option<&'a pb::Service>,
}

macro_rules! incoming {
    ($request:expr) => {
        Incoming {
            received_time: $request.received_time.as_ref(),
            source: $request.source.as_ref(),
            detainer_id: &$request.detainer_id,
            form: $request.form.as_ref(),
            documents: &$request.documents,
            service: $request.service.as_ref(),
        }
    };
}

impl Incoming<'_> {
    fn read(&self, fields: &mut Fields) -> Option<(RecordDetainer, Told)> {
        let mut told = Told::default();
        let received = fields.instant("received_time", self.received_time);
        let source = fields.source("source", self.source);
        let detainer = fields.optional_id("detainer_id", self.detainer_id, DetainerId::new);
        let form = form(fields, "form", self.form, self.documents, &mut told);
        let service = match self.service {
            Some(given) => Some(service(fields, "service", given, &mut told)?),
            None => None,
        };
        Some((RecordDetainer { detainer, form: form?, received: received?, source: source?, remarks: None, service }, told))
    }
}

impl Api {
    /// Records a request.
    pub(in crate::api) async fn record_detainer_for(
        &self,
        caller: &Principal,
        request: pb::RecordDetainerRequest,
    ) -> Result<pb::RecordDetainerResponse, Status> {
        let mut fields = Fields::new();
        let parent = fields.name("parent", &request.parent, names::booking);
        let call = write::begin(&mut fields, caller, "RecordDetainer", parent.as_ref().map(|(county, _)| county), &request)?;
        let read = incoming!(request).read(&mut fields);
        let (mut call, ((county, booking), (mut record, told))) = whole(fields, call, parent.zip(read))?;
        let _sealer = self.seal(caller, &county, &booking, (&mut record, &told), &mut call).await?;
        let called = named(called("parent", &county, &booking, None), &county, &booking, &record);
        let command = Command::Booking(booking, BookingCommand::RecordDetainer(record.clone()));
        let written = self.write_called(call, command, &called).await?;

        let answer = Answer::new(self, written, request.validate_only)?;
        if let Some(id) = recorded(&answer.written.events) {
            return Ok(pb::RecordDetainerResponse {
                detainer: Some(answer.shown(&id)?),
                receipt: answer.receipt(&county, request.validate_only),
                decision: answer.decided(&id).next(),
                already_recorded: false,
            });
        }
        let id = same_paper(&answer.booking, &record).ok().flatten().ok_or_else(defect)?;
        let known = answer.detainer(&id)?;
        let receipt = if request.validate_only { None } else { Some(self.first_receipt(&county, known.received.seq).await?) };
        let first =
            known.decisions.first().map(|d| wire_decision(&answer.written.county, &answer.booking, known, d, answer.at, true));
        Ok(pb::RecordDetainerResponse { detainer: Some(answer.shown(&id)?), receipt, decision: first, already_recorded: true })
    }

    /// Records a form that takes another's place.
    pub(in crate::api) async fn replace_detainer_for(
        &self,
        caller: &Principal,
        request: pb::ReplaceDetainerRequest,
    ) -> Result<pb::ReplaceDetainerResponse, Status> {
        let mut fields = Fields::new();
        let name = fields.name("name", &request.name, names::detainer);
        let call = write::begin(&mut fields, caller, "ReplaceDetainer", name.as_ref().map(|(county, ..)| county), &request)?;
        let read = incoming!(request).read(&mut fields);
        let (mut call, ((county, booking, old), (mut record, told))) = whole(fields, call, name.zip(read))?;
        let _sealer = self.seal(caller, &county, &booking, (&mut record, &told), &mut call).await?;
        let called = named(called("name", &county, &booking, Some(&old)), &county, &booking, &record);
        let command = Command::Booking(booking, BookingCommand::Replace(old.clone(), record));
        let written = self.write_called(call, command, &called).await?;

        let answer = Answer::new(self, written, request.validate_only)?;
        let replaced = answer.detainer(&old)?;
        let Some(id) = recorded(&answer.written.events) else {
            let id = replaced.replaced.as_ref().map(|replaced| replaced.by.clone()).ok_or_else(defect)?;
            let known = answer.detainer(&id)?;
            let receipt = if request.validate_only { None } else { Some(self.first_receipt(&county, known.received.seq).await?) };
            let first = known
                .decisions
                .first()
                .map(|d| wire_decision(&answer.written.county, &answer.booking, known, d, answer.at, true));
            let (detainer, replaced) = (Some(answer.shown(&id)?), Some(answer.shown(&old)?));
            return Ok(pb::ReplaceDetainerResponse { detainer, receipt, decision: first, replaced });
        };
        Ok(pb::ReplaceDetainerResponse {
            detainer: Some(answer.shown(&id)?),
            receipt: answer.receipt(&county, request.validate_only),
            decision: answer.decided(&id).next(),
            replaced: Some(answer.shown(&old)?),
        })
    }

    /// Puts the commitments of what is sealed into the command, and the sealed texts beside it.
    async fn seal<'a>(
        &'a self,
        caller: &Principal,
        county: &CountyId,
        booking: &BookingId,
        (record, told): (&mut RecordDetainer, &Told),
        call: &mut Call,
    ) -> Result<Option<Sealer<'a>>, Status> {
        if *told == Told::default() {
            return Ok(None);
        }
        let (_, _, known) = self.booking_at(caller, county, booking, AsOf::Latest).await?;
        let mut sealer = self.sealer(county, &known.subject).await?;
        record.form.officer = sealer.text(Label::Officer, &told.officer)?;
        record.form.a_number = sealer.text(Label::ANumber, &told.a_number)?;
        record.remarks = sealer.text(Label::Text, &told.remarks)?;
        if let Some(service) = &mut record.service {
            service.by = sealer.text(Label::Officer, &told.served_by)?;
        }
        call.sealed = sealer.rows();
        Ok(Some(sealer))
    }

    /// The receipt of the command that wrote a record.
    async fn first_receipt(&self, county: &CountyId, seq: i64) -> Result<pb::Receipt, Status> {
        let of = |error| super::super::error::of_ledger("RecordDetainer", error);
        let records = self.ledger.records(county, seq - 1, seq, 1).await.map_err(of)?;
        let last = records.first().map(|record| record.last_seq).ok_or_else(defect)?;
        let pair = self.ledger.as_of(county, AsOf::Sequence(last)).await.map_err(of)?;
        receipt(county, pair, seq, false).ok_or_else(defect)
    }
}

/// What is taken or conflicts, where the rules say so.
fn named(
    called: super::super::error::Called,
    county: &CountyId,
    booking: &BookingId,
    record: &RecordDetainer,
) -> super::super::error::Called {
    match &record.detainer {
        Some(id) => called.resource("detainer_id", "detainer", of::detainer(county, booking, id)),
        None => called,
    }
}

/// The request that a record is about, where one came in.
fn recorded(events: &[Event]) -> Option<DetainerId> {
    events.iter().find_map(|event| match event {
        Event::DetainerRecorded(detainer) => Some(detainer.id.clone()),
        _ => None,
    })
}
