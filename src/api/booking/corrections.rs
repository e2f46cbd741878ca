//! Corrections, and the second person's act.

use super::super::auth::Principal;
use super::super::convert::booking::{Shown, wire_booking};
use super::super::convert::correction::{Reader, paths, proposal_digest, wire_proposal};
use super::super::convert::facts::About;
use super::super::error::{not_found, of_store, status};
use super::super::names::{self, of};
use super::super::time::{Fields, receipt};
use super::super::{Api, write};
use super::{after, called, whole};
use crate::domain::booking::Proposal;
use crate::domain::command::{BookingCommand, CountyCommand};
use crate::domain::event::Event;
use crate::domain::ids::{BookingId, CountyId, ProposalId};
use crate::identity::Label;
use crate::ledger::{AsOf, Call, Command};
use crate::pb;
use crate::rows::{Cell, ColType};
use tonic::Status;

impl Api {
    /// Corrects what is recorded, or proposes it to a second person.
    pub(in crate::api) async fn correct_booking_for(
        &self,
        caller: &Principal,
        request: pb::CorrectBookingRequest,
    ) -> Result<pb::CorrectBookingResponse, Status> {
        let mut fields = Fields::new();
        let name = fields.name("name", &request.name, names::booking);
        let call = write::begin(&mut fields, caller, "CorrectBooking", name.as_ref().map(|(county, _)| county), &request)?;
        let source = fields.source("source", request.source.as_ref());
        let why = fields.required_text("reason", &request.reason, 1_000);
        let Some((county, booking)) = name else { return Err(fields.refusal()) };
        let (_, shared, known) = self.booking_if(caller, &county, &booking, AsOf::Latest).await?;
        let facility = known.as_ref().and_then(|known| known.facility());
        let about = About { county: &shared, booking: &booking, facility };
        let mut reader = Reader { fields: &mut fields, about, source, served_by: String::new() };
        let correction = reader.read(request.correction.as_ref());
        let served_by = reader.served_by;
        let (mut call, mut correction) = whole(fields, call, correction)?;
        let known = known.ok_or_else(|| not_found("booking", &request.name))?;
        // Kept until the command is written: see `Sealer`.
        let mut sealer = self.sealer(&county, &known.subject).await?;
        correction.reason = sealer.bytes(Label::Text, why.as_bytes())?;
        if let Some(how) = &mut correction.service {
            how.by = sealer.text(Label::Officer, &served_by)?;
        }
        call.sealed = sealer.rows();
        let mut called = called("name", &county, &booking);
        if let Some(change) = request.correction.as_ref().and_then(|told| told.change.as_ref()) {
            for (field, path) in paths(change) {
                called = called.field(field, path);
            }
        }
        for (field, name) in [
            ("basis", format!("{}/bases/{}", request.name, correction.subject)),
            ("detainer", format!("{}/detainers/{}", request.name, correction.subject)),
            ("fact", format!("{}/facts/{}", request.name, correction.subject)),
            ("facility", correction.facility.as_ref().map(|facility| of::facility(&county, facility)).unwrap_or_default()),
        ] {
            called = called.resource(field, field, name);
        }
        called = called.resource("subject", "basis", format!("{}/bases/{}", request.name, correction.subject));
        let command = Command::Booking(booking.clone(), BookingCommand::Correct(correction));
        let written = self.write_called(call, command, &called).await?;
        drop(sealer);
        let known = after(&written)?;
        let about = About { county: &written.county, booking: &booking, facility: known.facility() };
        let proposed = written.events.iter().find_map(|event| match event {
            Event::Proposed(proposal) => Some(wire_proposal(about, proposal, String::new(), proposal.proposed)),
            _ => None,
        });
        Ok(pb::CorrectBookingResponse {
            booking: Some(wire_booking(&county, &known, Shown::default())),
            receipt: receipt(&county, written.pair, known.seq, request.validate_only),
            proposal: proposed,
        })
    }

    /// Carries out what another person proposed.
    pub(in crate::api) async fn confirm_proposal_for(
        &self,
        caller: &Principal,
        request: pb::ConfirmProposalRequest,
    ) -> Result<pb::ConfirmProposalResponse, Status> {
        let mut fields = Fields::new();
        let name = fields.name("name", &request.name, names::proposal);
        let call = write::begin(&mut fields, caller, "ConfirmProposal", name.as_ref().map(|(county, _)| county), &request)?;
        let digest = <[u8; 32]>::try_from(request.content_digest.as_slice());
        let digest = fields.take("content_digest", digest.map_err(|_| "must be the 32 bytes of the proposal's content_digest"));
        let (call, ((county, id), digest)) = whole(fields, call, name.zip(digest))?;
        let missing = || not_found("proposal", &request.name);
        let booking = self.booking_of(&county, &id).await?.ok_or_else(missing)?;
        if booking.as_str().is_empty() {
            return self.confirm_switch(caller, call, &county, &id, digest).await;
        }
        let (_, _, known) = self.booking_at(caller, &county, &booking, AsOf::Latest).await?;
        let proposal = find(&known.proposals, &id).ok_or_else(missing)?;
        if proposal.overriding.is_some() {
            administrator(caller)?;
        }
        if proposal_digest(proposal) != Some(digest) {
            let detail = "the digest is not that of the proposal: read it again, and confirm what it says";
            return Err(status(pb::ErrorReason::ProposalDiffers, detail));
        }
        let mut called = called("name", &county, &booking).resource("proposal", "proposal", &*request.name);
        for field in
            ["old_time", "new_time", "closed_time", "subject", "old_kind", "old_facility", "old_fact", "answer", "effective_time"]
        {
            called = called.field(field, "name");
        }
        let command = Command::Booking(booking.clone(), BookingCommand::Confirm(id.clone()));
        let written = self.write_called(call, command, &called).await?;
        let known = after(&written)?;
        let about = About { county: &written.county, booking: &booking, facility: known.facility() };
        let done = find(&known.proposals, &id).ok_or_else(missing)?;
        let at = done.confirmed.unwrap_or(done.proposed);
        Ok(pb::ConfirmProposalResponse {
            proposal: Some(wire_proposal(about, done, String::new(), at)),
            receipt: receipt(&county, written.pair, known.seq, request.validate_only),
            booking: Some(wire_booking(&county, &known, Shown::default())),
            ..pb::ConfirmProposalResponse::default()
        })
    }

    /// Activates a policy revision that another person proposed.
    async fn confirm_switch(
        &self,
        caller: &Principal,
        call: Call,
        county: &CountyId,
        id: &ProposalId,
        digest: [u8; 32],
    ) -> Result<pb::ConfirmProposalResponse, Status> {
        administrator(caller)?;
        let validate_only = call.validate_only;
        let (_, known) = self.county_at(caller, county, AsOf::Latest).await?;
        let missing = || not_found("proposal", &of::proposal(county, id));
        let proposal = find(&known.proposals, id).ok_or_else(missing)?;
        if proposal_digest(proposal) != Some(digest) {
            let detail = "the digest is not that of the proposal: read it again, and confirm what it says";
            return Err(status(pb::ErrorReason::ProposalDiffers, detail));
        }
        let written = self.write(call, Command::County(CountyCommand::Confirm(id.clone()))).await?;
        let done = find(&written.county.proposals, id).ok_or_else(missing)?;
        let nobody = BookingId::trusted("");
        let about = About { county: &written.county, booking: &nobody, facility: None };
        Ok(pb::ConfirmProposalResponse {
            proposal: Some(wire_proposal(about, done, String::new(), done.confirmed.unwrap_or(done.proposed))),
            receipt: receipt(county, written.pair, written.county.policy_seq, validate_only),
            booking: None,
            detainers_decided: written.followed.decided,
            turned_to_honor: written.followed.to_honor(),
            turned_from_honor: written.followed.from_honor(),
            holds_ended: written.followed.holds_ended(),
            impact_digest: written.followed.digest().to_vec(),
        })
    }

    /// The booking that a proposal is about; without a name where it is about the county's policy.
    async fn booking_of(&self, county: &CountyId, proposal: &ProposalId) -> Result<Option<BookingId>, Status> {
        let sql = "select booking from proposals where county = $1 and proposal = $2 and to_seq is null";
        let params = [county.as_str().into(), proposal.as_str().into()];
        let found = self.ledger.store().query(sql, &params, &[ColType::Text]).await.map_err(|error| of_store(&error))?;
        Ok(found.first().and_then(|row| row.first()).and_then(Cell::as_text).map(BookingId::trusted))
    }
}

/// Policy, and what overrides it, is for administrators.
fn administrator(caller: &Principal) -> Result<(), Status> {
    if caller.roles.contains(&pb::Role::Administrator) {
        return Ok(());
    }
    Err(status(pb::ErrorReason::RoleRequired, "the credential's roles do not allow this call"))
}

fn find<'a>(proposals: &'a [Proposal], id: &ProposalId) -> Option<&'a Proposal> {
    proposals.iter().find(|proposal| proposal.id == *id)
}
