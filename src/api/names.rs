//! Resource names, read into typed ids and written from them.
//!
//! A name that is well formed is taken at its word here; whether it names anything is for the ledger to say. To add a
//! kind of name: one reader built on `parts`, one writer in [`of`], a line in the table of the tests.

use crate::domain::ids::{
    AgreementId, BadId, BasisId, BookingId, ClaimId, CountyId, DetainerId, FacilityId, HoldId, ProposalId, RateId, RevisionId,
    SubjectId, check_id,
};

/// Why a text is no name of the kind that is asked for.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadName {
    /// Another shape.
    #[error("must have the form {0}")]
    Shape(&'static str),
    /// The right shape, but one of its ids is none.
    #[error("has an id that {0}")]
    Id(BadId),
}

/// The ids of a name of the given form, for example `counties/{county}/facilities/{facility}`.
fn parts<const N: usize>(form: &'static str, name: &str) -> Result<[String; N], BadName> {
    let mut found = Vec::with_capacity(N);
    let mut given = name.split('/');
    for wanted in form.split('/') {
        let segment = given.next().ok_or(BadName::Shape(form))?;
        if wanted.starts_with('{') {
            check_id(segment).map_err(BadName::Id)?;
            found.push(segment.to_owned());
        } else if wanted != segment {
            return Err(BadName::Shape(form));
        }
    }
    if given.next().is_some() {
        return Err(BadName::Shape(form));
    }
    found.try_into().map_err(|_| BadName::Shape(form))
}

macro_rules! readers {
    ($($(#[$doc:meta])* $name:ident: $form:literal => ($($id:ident: $ty:ty),+);)+) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        /// [`BadName`], saying which form it must have.
        #[allow(unused_parens, reason = "one id needs no tuple")]
        pub fn $name(name: &str) -> Result<($($ty),+), BadName> {
            let [$($id),+] = parts($form, name)?;
            Ok(($(<$ty>::trusted(&$id)),+))
        }
    )+};
}

readers! {
    /// Reads `counties/{county}`.
    county: "counties/{county}" => (a: CountyId);
    /// Reads the name of a facility.
    facility: "counties/{county}/facilities/{facility}" => (a: CountyId, b: FacilityId);
    /// Reads the name of a subject.
    subject: "counties/{county}/subjects/{subject}" => (a: CountyId, b: SubjectId);
    /// Reads the name of a booking.
    booking: "counties/{county}/bookings/{booking}" => (a: CountyId, b: BookingId);
    /// Reads the name of a basis.
    basis: "counties/{county}/bookings/{booking}/bases/{basis}" => (a: CountyId, b: BookingId, c: BasisId);
    /// Reads the name of a detainer.
    detainer: "counties/{county}/bookings/{booking}/detainers/{detainer}" => (a: CountyId, b: BookingId, c: DetainerId);
    /// Reads the name of a hold.
    hold: "counties/{county}/bookings/{booking}/holds/{hold}" => (a: CountyId, b: BookingId, c: HoldId);
    /// Reads the name of a policy revision.
    revision: "counties/{county}/policyRevisions/{revision}" => (a: CountyId, b: RevisionId);
    /// Reads the name of an agreement.
    agreement: "counties/{county}/agreements/{agreement}" => (a: CountyId, b: AgreementId);
    /// Reads the name of a rate.
    rate: "counties/{county}/rates/{rate}" => (a: CountyId, b: RateId);
    /// Reads the name of a claim.
    claim: "counties/{county}/claims/{claim}" => (a: CountyId, b: ClaimId);
    /// Reads the name of a proposal.
    proposal: "counties/{county}/proposals/{proposal}" => (a: CountyId, b: ProposalId);
}

/// Reads `counties/{county}/calendars/{calendar}`.
///
/// # Errors
/// [`BadName`].
pub fn calendar(name: &str) -> Result<(CountyId, String), BadName> {
    let [county, calendar] = parts("counties/{county}/calendars/{calendar}", name)?;
    Ok((CountyId::trusted(&county), calendar))
}

/// Reads `tokens/{token}`.
///
/// # Errors
/// [`BadName`].
pub fn token(name: &str) -> Result<String, BadName> {
    let [token] = parts("tokens/{token}", name)?;
    Ok(token)
}

/// Writes names.
pub mod of {
    use super::{
        AgreementId, BasisId, BookingId, ClaimId, CountyId, DetainerId, FacilityId, HoldId, ProposalId, RateId, RevisionId,
        SubjectId,
    };

    /// `counties/{county}`.
    #[must_use]
    pub fn county(county: &CountyId) -> String {
        format!("counties/{county}")
    }

    /// `counties/{county}/facilities/{facility}`.
    #[must_use]
    pub fn facility(county: &CountyId, facility: &FacilityId) -> String {
        format!("counties/{county}/facilities/{facility}")
    }

    /// `counties/{county}/subjects/{subject}`.
    #[must_use]
    pub fn subject(county: &CountyId, subject: &SubjectId) -> String {
        format!("counties/{county}/subjects/{subject}")
    }

    /// `counties/{county}/bookings/{booking}`.
    #[must_use]
    pub fn booking(county: &CountyId, booking: &BookingId) -> String {
        format!("counties/{county}/bookings/{booking}")
    }

    /// `.../bookings/{booking}/bases/{basis}`.
    #[must_use]
    pub fn basis(county: &CountyId, booking: &BookingId, basis: &BasisId) -> String {
        format!("counties/{county}/bookings/{booking}/bases/{basis}")
    }

    /// `.../bookings/{booking}/detainers/{detainer}`.
    #[must_use]
    pub fn detainer(county: &CountyId, booking: &BookingId, detainer: &DetainerId) -> String {
        format!("counties/{county}/bookings/{booking}/detainers/{detainer}")
    }

    /// `.../detainers/{detainer}/decisions/{number}`.
    #[must_use]
    pub fn decision(county: &CountyId, booking: &BookingId, detainer: &DetainerId, number: u32) -> String {
        format!("counties/{county}/bookings/{booking}/detainers/{detainer}/decisions/{number}")
    }

    /// `.../bookings/{booking}/holds/{hold}`.
    #[must_use]
    pub fn hold(county: &CountyId, booking: &BookingId, hold: &HoldId) -> String {
        format!("counties/{county}/bookings/{booking}/holds/{hold}")
    }

    /// `counties/{county}/policyRevisions/{revision}`.
    #[must_use]
    pub fn revision(county: &CountyId, revision: &RevisionId) -> String {
        format!("counties/{county}/policyRevisions/{revision}")
    }

    /// `counties/{county}/agreements/{agreement}`.
    #[must_use]
    pub fn agreement(county: &CountyId, agreement: &AgreementId) -> String {
        format!("counties/{county}/agreements/{agreement}")
    }

    /// `counties/{county}/rates/{rate}`.
    #[must_use]
    pub fn rate(county: &CountyId, rate: &RateId) -> String {
        format!("counties/{county}/rates/{rate}")
    }

    /// `counties/{county}/claims/{claim}`.
    #[must_use]
    pub fn claim(county: &CountyId, claim: &ClaimId) -> String {
        format!("counties/{county}/claims/{claim}")
    }

    /// `counties/{county}/proposals/{proposal}`.
    #[must_use]
    pub fn proposal(county: &CountyId, proposal: &ProposalId) -> String {
        format!("counties/{county}/proposals/{proposal}")
    }

    /// `counties/{county}/events/{sequence}`.
    #[must_use]
    pub fn event(county: &CountyId, sequence: i64) -> String {
        format!("counties/{county}/events/{sequence}")
    }

    /// `counties/{county}/calendars/{calendar}`.
    #[must_use]
    pub fn calendar(county: &CountyId, calendar: &str) -> String {
        format!("counties/{county}/calendars/{calendar}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_others_are_refused() {
        let name = "counties/miami-dade/bookings/2014-1/detainers/d1";
        let (county_id, booking_id, detainer_id) = detainer(name).unwrap();
        assert_eq!(of::detainer(&county_id, &booking_id, &detainer_id), name);
        for bad in ["", "counties", "counties/", "counties/a/b", "counties/a b", "county/a", "/counties/a", "counties/a/"] {
            assert!(county(bad).is_err(), "{bad}");
        }
        assert_eq!(county("counties/x").unwrap(), CountyId::trusted("x"));
        assert!(booking("counties/x/facilities/y").is_err());
    }
}
