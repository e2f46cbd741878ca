//! `custody.proto`: identity, bases, how a stay ends, on what ground a person is in custody.

use super::super::names::of;
use super::super::time::{Fields, date, stamp, stamp_unless_far, wire_date, wire_source};
use super::words;
use crate::domain::booking::Booking;
use crate::domain::command::OpenBasis;
use crate::domain::facts::{Basis, BasisKind, CloseReason, EndKind};
use crate::domain::gap::Authority;
use crate::domain::ids::{BasisId, CountyId, FacilityId};
use crate::domain::time::{Date, Span};
use crate::identity::Identity;
use crate::pb;

words! {
    /// What kind of ground a basis is.
    basis_kind, wire_basis_kind: BasisKind <=> BasisKind {
        Charge = BasisKind::Charge,
        Sentence = BasisKind::Sentence,
        OtherAgencyHold = BasisKind::AgencyHold,
        JudicialWarrant = BasisKind::JudicialWarrant,
    }
    /// Why a basis closed.
    close_reason, wire_close_reason: BasisCloseReason <=> CloseReason {
        BailPosted = CloseReason::BailPosted,
        Dismissed = CloseReason::Dismissed,
        SentenceServed = CloseReason::SentenceServed,
        OwnRecognizance = CloseReason::OwnRecognizance,
        Acquitted = CloseReason::Acquitted,
        HoldLifted = CloseReason::HoldLifted,
        Transferred = CloseReason::Transferred,
        Other = CloseReason::Other,
    }
    /// How a stay ended.
    end_kind, wire_end_kind: BookingEndKind <=> EndKind {
        Released = EndKind::Released,
        FederalCustody = EndKind::FederalCustody,
        TransferredOut = EndKind::TransferredOut,
        Escaped = EndKind::Escaped,
        Died = EndKind::Died,
    }
}

/// By what right time after T0 is covered.
#[must_use]
pub fn wire_authority(authority: Authority) -> pb::AuthorityState {
    match authority {
        Authority::Authorized => pb::AuthorityState::Authorized,
        Authority::AuthorizedLate => pb::AuthorityState::AuthorizedLate,
        Authority::OverDetained => pb::AuthorityState::OverDetained,
    }
}

/// Who a person is, in canonical form. `today` is the county's local day. Every wrong field is named below `identity`.
pub fn identity(fields: &mut Fields, told: &pb::Identity, today: Date) -> Option<Identity> {
    let birth_date = match &told.birth_date {
        None => None,
        Some(day) => Some(fields.take("identity.birth_date", date(day))?),
    };
    let raw = Identity {
        family: told.family_name.clone(),
        given: told.given_name.clone(),
        middle: told.middle_name.clone(),
        birth_date,
        a_number: told.a_number.clone(),
        fbi_number: told.fbi_number.clone(),
        state_id: told.state_id.clone(),
    };
    match raw.normalised(today) {
        Ok(clean) => Some(clean),
        Err(bad) => {
            for one in bad {
                let field = match one.field {
                    "family" => "family_name",
                    "given" => "given_name",
                    "middle" => "middle_name",
                    other => other,
                };
                fields.bad(&format!("identity.{field}"), one.problem);
            }
            None
        }
    }
}

/// Who a person is, as an answer shows it.
#[must_use]
pub fn wire_identity(known: &Identity) -> pb::Identity {
    pb::Identity {
        family_name: known.family.clone(),
        given_name: known.given.clone(),
        middle_name: known.middle.clone(),
        birth_date: known.birth_date.map(wire_date),
        a_number: known.a_number.clone(),
        fbi_number: known.fbi_number.clone(),
        state_id: known.state_id.clone(),
    }
}

/// A basis to be opened. `at` is the path of the message.
pub fn new_basis(fields: &mut Fields, at: &str, new: &pb::NewBasis) -> Option<OpenBasis> {
    let basis = fields.optional_id(&format!("{at}.basis_id"), &new.basis_id, BasisId::new);
    let kind = basis_kind(fields, &format!("{at}.kind"), new.kind);
    let opened = fields.instant(&format!("{at}.open_time"), new.open_time.as_ref());
    let source = fields.source(&format!("{at}.source"), new.source.as_ref());
    let reference = fields.text(&format!("{at}.reference"), &new.reference, 200);
    Some(OpenBasis { basis, kind: kind?, at: opened?, source: source?, reference })
}

/// A basis of a booking.
#[must_use]
pub fn wire_basis(county: &CountyId, booking: &Booking, basis: &Basis) -> pb::Basis {
    let closed = basis.closed.as_ref();
    pb::Basis {
        name: of::basis(county, &booking.id, &basis.id),
        kind: wire_basis_kind(basis.kind).into(),
        open_time: Some(stamp(basis.opened.effective)),
        open_source: Some(wire_source(&basis.source)),
        close_time: closed.map(|closed| stamp(closed.at.effective)),
        close_reason: closed.map_or(0, |closed| wire_close_reason(closed.reason).into()),
        close_source: closed.map(|closed| wire_source(&closed.source)),
        reference: basis.reference.to_string(),
    }
}

/// The facilities of a stay, in order of time.
#[must_use]
pub fn wire_stays(county: &CountyId, booking: &Booking) -> Vec<pb::FacilityStay> {
    let stay = |(span, facility): (Span, &FacilityId)| pb::FacilityStay {
        facility: of::facility(county, facility),
        start_time: Some(stamp(span.start)),
        end_time: stamp_unless_far(span.end),
    };
    booking.stays().into_iter().map(stay).collect()
}
