//! An answer in place of the county rule's, proposed to a second person; `ConfirmProposal` makes it.

use super::super::auth::Principal;
use super::super::convert::correction::wire_proposal;
use super::super::convert::facts::About;
use super::super::convert::overriding::override_answer;
use super::super::names;
use super::super::time::Fields;
use super::super::{Api, write};
use super::{Answer, called, whole};
use crate::domain::command::{BookingCommand, OverrideDecision};
use crate::domain::event::Event;
use crate::identity::Label;
use crate::ledger::{AsOf, Command};
use crate::pb;
use tonic::Status;

impl Api {
    /// Proposes an override.
    pub(super) async fn override_decision_for(
        &self,
        caller: &Principal,
        request: pb::OverrideDecisionRequest,
    ) -> Result<pb::OverrideDecisionResponse, Status> {
        let mut fields = Fields::new();
        let name = fields.name("name", &request.name, names::detainer);
        let call = write::begin(&mut fields, caller, "OverrideDecision", name.as_ref().map(|(county, ..)| county), &request)?;
        let answer = override_answer(&mut fields, "answer", request.answer);
        let reason = fields.required_text("reason", &request.reason, 1_000);
        let source = fields.source("source", request.source.as_ref());
        let at = fields.optional_instant("effective_time", request.effective_time.as_ref());
        let (mut call, (((county, booking, detainer), answer), source)) = whole(fields, call, name.zip(answer).zip(source))?;
        let (_, _, known) = self.booking_at(caller, &county, &booking, AsOf::Latest).await?;
        // Kept until the command is written: see `Sealer`.
        let mut sealer = self.sealer(&county, &known.subject).await?;
        let reason = sealer.text(Label::Text, &reason)?;
        call.sealed = sealer.rows();
        let called = called("name", &county, &booking, Some(&detainer));
        let wanted = OverrideDecision { detainer: detainer.clone(), answer, at, source, reason };
        let command = Command::Booking(booking.clone(), BookingCommand::Override(wanted));
        let written = self.write_called(call, command, &called).await?;
        drop(sealer);
        let answer = Answer::new(self, written, request.validate_only)?;
        let about = About { county: &answer.written.county, booking: &booking, facility: answer.booking.facility() };
        let proposal = answer.written.events.iter().find_map(|event| match event {
            Event::Proposed(proposal) => Some(wire_proposal(about, proposal, String::new(), proposal.proposed)),
            _ => None,
        });
        Ok(pb::OverrideDecisionResponse {
            proposal,
            receipt: answer.receipt(&county, request.validate_only),
            detainer: Some(answer.shown(&detainer)?),
        })
    }
}
