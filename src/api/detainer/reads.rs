//! Answers about one request, and the bytes of a paper.

use super::super::auth::Principal;
use super::super::convert::detainer::{Shown, wire_detainer};
use super::super::convert::form::{Told, wire_document};
use super::super::convert::shows_identity;
use super::super::names::{self, BadName, of};
use super::super::sealing::Opener;
use super::super::time::{Fields, stamp, wire_pair};
use super::super::{Api, error};
use crate::domain::booking::Booking;
use crate::domain::detainer::{Detainer, Document};
use crate::domain::ids::{BookingId, CountyId, DetainerId};
use crate::identity::Label;
use crate::pb::{self, ErrorReason};
use tonic::Status;

impl Api {
    /// Reads a request.
    pub(super) async fn get_detainer_for(
        &self,
        caller: &Principal,
        request: pb::GetDetainerRequest,
    ) -> Result<pb::GetDetainerResponse, Status> {
        let mut fields = Fields::new();
        let name = fields.name("name", &request.name, names::detainer);
        let as_of = fields.as_of(request.as_of.as_ref());
        let at = fields.optional_instant("at_time", request.at_time.as_ref());
        let identity = shows_identity(&mut fields, "view", request.view);
        let Some((county, booking, id)) = name else { return Err(fields.refusal()) };
        fields.finish()?;
        let (pair, shared, known) = self.booking_at(caller, &county, &booking, as_of).await?;
        let detainer = known.detainer(&id).ok_or_else(|| error::not_found("detainer", &request.name))?;
        let at = self.moment(at, as_of, pair);
        let mut told = Told::default();
        if identity {
            let opener = self.opener(caller, "GetDetainer", &county, std::slice::from_ref(&known.subject)).await?;
            told = opened(&opener, &known, detainer).await?;
        }
        let shown = Shown { at, told: &told, explained: true };
        Ok(pb::GetDetainerResponse {
            detainer: Some(wire_detainer(&shared, &known, detainer, shown)),
            as_of_pair: Some(wire_pair(pair)),
            at_time: Some(stamp(at)),
        })
    }

    /// Reads the bytes of a paper.
    pub(super) async fn get_document_for(
        &self,
        caller: &Principal,
        request: pb::GetDocumentRequest,
    ) -> Result<pb::GetDocumentResponse, Status> {
        let mut fields = Fields::new();
        let name = fields.name("name", &request.name, paper_named);
        let as_of = fields.as_of(request.as_of.as_ref());
        let Some((county, booking, id, digest)) = name else { return Err(fields.refusal()) };
        fields.finish()?;
        caller.allow_identity()?;
        let (pair, _, known) = self.booking_at(caller, &county, &booking, as_of).await?;
        let missing = || error::not_found("document", &request.name);
        let detainer = known.detainer(&id).ok_or_else(missing)?;
        let named = |paper: &&Document| paper.sha256.is_some_and(|sha256| sha256.0 == digest);
        let papers = detainer.form.documents.iter().filter(named);
        let paper = papers.clone().find(|paper| paper.content.is_some()).or(papers.clone().next()).ok_or_else(missing)?;
        let not_kept = || error::status(ErrorReason::ContentNotKept, "only the digest of this document is recorded");
        let kept = paper.content.as_ref().ok_or_else(not_kept)?;
        let opener = self.opener(caller, "GetDocument", &county, std::slice::from_ref(&known.subject)).await?;
        let content = opener.bytes(&known.subject, Label::Document, kept).await?.ok_or_else(not_kept)?;
        Ok(pb::GetDocumentResponse {
            document: Some(wire_document(&county, &booking, &id, paper)),
            as_of_pair: Some(wire_pair(pair)),
            content,
        })
    }
}

/// What is sealed of a request, opened.
pub(super) async fn opened(opener: &Opener<'_>, booking: &Booking, detainer: &Detainer) -> Result<Told, Status> {
    let (subject, form) = (&booking.subject, &detainer.form);
    let served_by = detainer.service.as_ref().and_then(|service| service.by.as_ref());
    Ok(Told {
        officer: opener.text(subject, Label::Officer, form.officer.as_ref()).await?,
        a_number: opener.text(subject, Label::ANumber, form.a_number.as_ref()).await?,
        remarks: opener.text(subject, Label::Text, detainer.remarks.as_ref()).await?,
        served_by: opener.text(subject, Label::Officer, served_by).await?,
    })
}

/// Reads `.../detainers/{detainer}/documents/{sha256}`.
fn paper_named(name: &str) -> Result<(CountyId, BookingId, DetainerId, [u8; 32]), BadName> {
    const FORM: &str = "counties/{county}/bookings/{booking}/detainers/{detainer}/documents/{sha256}";
    let (parent, digest) = name.rsplit_once("/documents/").ok_or(BadName::Shape(FORM))?;
    let (county, booking, detainer) = names::detainer(parent).map_err(|_| BadName::Shape(FORM))?;
    let mut bytes = [0; 32];
    hex::decode_to_slice(digest, &mut bytes).map_err(|_| BadName::Shape(FORM))?;
    // One name for one paper: the digest in lower case.
    if hex::encode(bytes) != digest || of::detainer(&county, &booking, &detainer) != parent {
        return Err(BadName::Shape(FORM));
    }
    Ok((county, booking, detainer, bytes))
}
