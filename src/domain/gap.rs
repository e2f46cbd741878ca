//! Custody after T0, as the money and the reports see it: gaps between custody bases, cut into stretches
//! within which nothing changes.
//!
//! This file only names the shapes. The custody room makes them; `cost` prices them. Nothing here decides
//! who may be held.

use super::ids::{AgreementId, DetainerId, FacilityId, HoldId, RevisionId};
use super::time::{Instant, Span};

/// What custody after T0 stood on (`DOMAIN.md §6`, `§5` "From when").
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Authority {
    /// A hold under an honored detainer in effect.
    Authorized,
    /// A hold whose ground was recorded only after the time it covers.
    AuthorizedLate,
    /// Neither a basis nor an authority to hold.
    OverDetained,
}

/// What a hold rests on during one stretch (`DOMAIN.md §10` ruling 28).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RestsOn {
    /// The earliest received detainer in effect.
    pub detainer: DetainerId,
    /// The policy revision under which it was honored.
    pub revision: RevisionId,
    /// Agreements that cover this detainer (office, facility, person) and may pay for this stretch, in order of precedence.
    pub agreements: Vec<AgreementId>,
}

/// A stretch of custody within which facility, authority, hold and ground stay the same.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Segment {
    /// When.
    pub span: Span,
    /// Where.
    pub facility: FacilityId,
    /// With what authority.
    pub authority: Authority,
    /// Under which hold, if one ran.
    pub hold: Option<HoldId>,
    /// On what, if on anything.
    pub rests_on: Option<RestsOn>,
}

impl Segment {
    /// Whether a hold runs here with authority: the time that terms in hours count.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.hold.is_some() && self.authority != Authority::OverDetained
    }
}

/// Custody from one T0 to the next basis or to the end of custody. Its segments tile `[t0, end)`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Gap {
    /// The instant the last custody basis closed.
    pub t0: Instant,
    /// When a new basis opened or custody ended; [`Instant::FAR`] while neither is known.
    pub end: Instant,
    /// In order, without holes.
    pub segments: Vec<Segment>,
}
