//! What becomes of a request: papers, service, lift, review, notices.

use super::super::auth::Principal;
use super::super::convert::duty::{duty, find, notice_method, wire_duty};
use super::super::convert::facts::{About, new_fact};
use super::super::convert::form::{Told, document, probable_cause, service, wire_document};
use super::super::convert::{detainer::lift_reason, tri};
use super::super::names;
use super::super::time::Fields;
use super::super::{Api, write};
use super::{Answer, called, defect, whole};
use crate::domain::command::{
    AttachDocument, BookingCommand, DeclineReview, FormReading, LiftDetainer, NewFact, RecordNotice, Serve,
};
use crate::domain::facts::{Source, TextRef, Tri};
use crate::domain::ids::DetainerId;
use crate::domain::time::Instant;
use crate::identity::Label;
use crate::ledger::{AsOf, Command};
use crate::pb;
use pb::resolve_review_request::Resolution;
use sha2::{Digest as _, Sha256};
use tonic::Status;

/// The largest paper whose bytes are kept.
const LARGEST_PAPER: usize = 229_376;

impl Api {
    /// Adds a paper.
    pub(in crate::api) async fn attach_document_for(
        &self,
        caller: &Principal,
        request: pb::AttachDocumentRequest,
    ) -> Result<pb::AttachDocumentResponse, Status> {
        let mut fields = Fields::new();
        let parent = fields.name("parent", &request.parent, names::detainer);
        let call = write::begin(&mut fields, caller, "AttachDocument", parent.as_ref().map(|(county, ..)| county), &request)?;
        let at = fields.instant("effective_time", request.effective_time.as_ref());
        let source = fields.source("source", request.source.as_ref());
        if request.content.len() > LARGEST_PAPER {
            fields.bad("content", format!("may have at most {LARGEST_PAPER} bytes"));
        }
        let digest = (!request.content.is_empty()).then(|| TextRef(Sha256::digest(&request.content).into()));
        let paper = match &request.document {
            Some(paper) => document(&mut fields, "document", paper, digest.is_none()),
            None => {
                fields.bad("document", "is required");
                None
            }
        };
        let stated = paper.as_ref().and_then(|paper| paper.sha256);
        if digest.is_some_and(|digest| stated.is_some_and(|stated| stated != digest)) {
            fields.bad("document.sha256", "is not the digest of content");
        }
        let read = parent.zip(at).zip(source).zip(paper);
        let (mut call, ((((county, booking, detainer), at), source), mut paper)) = whole(fields, call, read)?;
        paper.sha256 = paper.sha256.or(digest);
        let mut sealer = None;
        if !request.content.is_empty() {
            let (_, _, known) = self.booking_at(caller, &county, &booking, AsOf::Latest).await?;
            let mut own = self.sealer(&county, &known.subject).await?;
            paper.content = Some(own.bytes(Label::Document, &request.content)?);
            call.sealed = own.rows();
            sealer = Some(own);
        }
        let called = called("parent", &county, &booking, Some(&detainer)).field("document", "document");
        let attach = AttachDocument { detainer: detainer.clone(), document: paper.clone(), at: Some(at), source };
        let command = Command::Booking(booking.clone(), BookingCommand::Attach(attach));
        let written = self.write_called(call, command, &called).await?;
        drop(sealer);

        let answer = Answer::new(self, written, request.validate_only)?;
        let kept = &answer.detainer(&detainer)?.form.documents;
        let kept = kept.iter().rev().find(|known| known.kind == paper.kind && known.sha256 == paper.sha256);
        Ok(pb::AttachDocumentResponse {
            document: kept.map(|kept| wire_document(&county, &booking, &detainer, kept)),
            receipt: answer.receipt(&county, request.validate_only),
            detainer: Some(answer.shown(&detainer)?),
        })
    }

    /// Records a service.
    pub(in crate::api) async fn record_service_for(
        &self,
        caller: &Principal,
        request: pb::RecordServiceRequest,
    ) -> Result<pb::RecordServiceResponse, Status> {
        let mut fields = Fields::new();
        let name = fields.name("name", &request.name, names::detainer);
        let call = write::begin(&mut fields, caller, "RecordService", name.as_ref().map(|(county, ..)| county), &request)?;
        let mut told = Told::default();
        let given = match &request.service {
            Some(given) => service(&mut fields, "service", given, &mut told),
            None => {
                fields.bad("service", "is required");
                None
            }
        };
        let (mut call, ((county, booking, detainer), mut given)) = whole(fields, call, name.zip(given))?;
        let mut sealer = None;
        if !told.served_by.is_empty() {
            let (_, _, known) = self.booking_at(caller, &county, &booking, AsOf::Latest).await?;
            let mut own = self.sealer(&county, &known.subject).await?;
            given.by = own.text(Label::Officer, &told.served_by)?;
            call.sealed = own.rows();
            sealer = Some(own);
        }
        let called = called("name", &county, &booking, Some(&detainer));
        let serve = Serve { detainer: detainer.clone(), service: given };
        let written = self.write_called(call, Command::Booking(booking, BookingCommand::Serve(serve)), &called).await?;
        drop(sealer);
        let answer = Answer::new(self, written, request.validate_only)?;
        Ok(pb::RecordServiceResponse {
            detainer: Some(answer.shown(&detainer)?),
            receipt: answer.receipt(&county, request.validate_only),
        })
    }

    /// Records a withdrawal.
    pub(in crate::api) async fn lift_detainer_for(
        &self,
        caller: &Principal,
        request: pb::LiftDetainerRequest,
    ) -> Result<pb::LiftDetainerResponse, Status> {
        let mut fields = Fields::new();
        let name = fields.name("name", &request.name, names::detainer);
        let call = write::begin(&mut fields, caller, "LiftDetainer", name.as_ref().map(|(county, ..)| county), &request)?;
        let at = fields.instant("effective_time", request.effective_time.as_ref());
        let source = fields.source("source", request.source.as_ref());
        let reason = lift_reason(&mut fields, "reason", request.reason);
        let read = name.zip(at).zip(source).zip(reason);
        let (call, ((((county, booking, detainer), at), source), reason)) = whole(fields, call, read)?;
        let called = called("name", &county, &booking, Some(&detainer));
        let lift = LiftDetainer { detainer: detainer.clone(), at, reason, source };
        let written = self.write_called(call, Command::Booking(booking, BookingCommand::Lift(lift)), &called).await?;
        let answer = Answer::new(self, written, request.validate_only)?;
        Ok(pb::LiftDetainerResponse {
            detainer: Some(answer.shown(&detainer)?),
            receipt: answer.receipt(&county, request.validate_only),
        })
    }

    /// Resolves a review.
    pub(in crate::api) async fn resolve_review_for(
        &self,
        caller: &Principal,
        request: pb::ResolveReviewRequest,
    ) -> Result<pb::ResolveReviewResponse, Status> {
        let mut fields = Fields::new();
        let name = fields.name("name", &request.name, names::detainer);
        let call = write::begin(&mut fields, caller, "ResolveReview", name.as_ref().map(|(county, ..)| county), &request)?;
        let known = match &name {
            Some((county, booking, _)) => Some(self.booking_at(caller, county, booking, AsOf::Latest).await?),
            None => None,
        };
        let detainer = name.as_ref().map(|(.., detainer)| detainer);
        let mut reason = String::new();
        let command = match (&request.resolution, &known, detainer) {
            (None, ..) => {
                fields.bad("resolution", "is required: a fact, a reading of the form, or a decline");
                None
            }
            (Some(Resolution::Fact(fact)), Some((_, county, booking)), Some(detainer)) => {
                let about = About { county, booking: &booking.id, facility: booking.facility() };
                let fact: Option<NewFact> = new_fact(&mut fields, "fact", about, fact);
                fact.map(|fact| BookingCommand::SupplyFacts(detainer.clone(), vec![fact]))
            }
            (Some(Resolution::Decline(decline)), _, Some(detainer)) => {
                reason = fields.required_text("decline.reason", &decline.reason, 1_000).to_string();
                Some(BookingCommand::DeclineReview(DeclineReview { detainer: detainer.clone(), reason: None }))
            }
            (Some(Resolution::FormReading(reading)), _, Some(detainer)) => {
                read_form(&mut fields, "form_reading", detainer, reading).map(BookingCommand::ReadForm)
            }
            _ => None,
        };
        let read = name.zip(known).zip(command);
        let (mut call, (((county, booking, detainer), (_, _, known)), mut command)) = whole(fields, call, read)?;
        let mut sealer = None;
        if let BookingCommand::DeclineReview(decline) = &mut command {
            let mut own = self.sealer(&county, &known.subject).await?;
            decline.reason = own.text(Label::Text, &reason)?;
            call.sealed = own.rows();
            sealer = Some(own);
        }
        let at = if matches!(command, BookingCommand::ReadForm(_)) { "form_reading.effective_time" } else { "effective_time" };
        let mut called = called("name", &county, &booking, Some(&detainer)).field("effective_time", at);
        for part in ["effective_time", "expected_release", "disposition.charge_fact_id"] {
            let from: &'static str = match part {
                "effective_time" => "facts[0].effective_time",
                "expected_release" => "facts[0].expected_release",
                _ => "facts[0].disposition.charge_fact_id",
            };
            called = called.field(from, format!("fact.{part}"));
        }
        let written = self.write_called(call, Command::Booking(booking, command), &called).await?;
        drop(sealer);
        let answer = Answer::new(self, written, request.validate_only)?;
        let shown = answer.shown(&detainer)?;
        let decision = answer.decided(&detainer).next_back().or_else(|| shown.decision.clone());
        Ok(pb::ResolveReviewResponse { detainer: Some(shown), receipt: answer.receipt(&county, request.validate_only), decision })
    }

    /// Records that a duty was carried out.
    pub(in crate::api) async fn record_notice_for(
        &self,
        caller: &Principal,
        request: pb::RecordNoticeRequest,
    ) -> Result<pb::RecordNoticeResponse, Status> {
        let mut fields = Fields::new();
        let name = fields.name("name", &request.name, duty);
        let call = write::begin(&mut fields, caller, "RecordNotice", name.as_ref().map(|(county, ..)| county), &request)?;
        let at = fields.instant("effective_time", request.effective_time.as_ref());
        let source = fields.source("source", request.source.as_ref());
        let method = notice_method(&mut fields, "method", request.method);
        let read = name.zip(at).zip(source).zip(method);
        let (call, ((((county, booking, detainer, key), at), source), method)) = whole(fields, call, read)?;
        let called = called("name", &county, &booking, Some(&detainer)).resource("duty", "duty", request.name.as_str());
        let (kind, due) = key;
        let notice = RecordNotice { detainer: detainer.clone(), kind, due, at: Some(at), method, source };
        let command = Command::Booking(booking.clone(), BookingCommand::RecordNotice(notice));
        let written = self.write_called(call, command, &called).await?;
        let answer = Answer::new(self, written, request.validate_only)?;
        let done = find(&answer.booking, &detainer, key).ok_or_else(defect)?;
        Ok(pb::RecordNoticeResponse {
            duty: Some(wire_duty(&county, &booking, &detainer, answer.booking.facility(), done)),
            receipt: answer.receipt(&county, request.validate_only),
        })
    }
}

/// A reading of the form for a review. `at` is its path.
fn read_form(fields: &mut Fields, at: &str, detainer: &DetainerId, reading: &pb::FormReading) -> Option<FormReading> {
    let read_at: Option<Instant> = fields.instant(&format!("{at}.effective_time"), reading.effective_time.as_ref());
    let source: Option<Source> = fields.source(&format!("{at}.source"), reading.source.as_ref());
    let boxes = probable_cause(fields, &format!("{at}.probable_cause"), reading.probable_cause.as_ref());
    if !boxes.known {
        fields.bad(&format!("{at}.probable_cause.known"), "must be true: a reading says what the boxes say");
    }
    let signed: Option<Tri> = tri(fields, &format!("{at}.signed"), reading.signed);
    Some(FormReading {
        detainer: detainer.clone(),
        final_order: boxes.final_order,
        pending_proceedings: boxes.pending_proceedings,
        biometric_match: boxes.biometric_match,
        statements: boxes.statements_or_evidence,
        signed: signed?,
        at: Some(read_at?),
        source: source?,
    })
}
