//! The wire form of `domain::gap`.

use crate::domain::gap::{Authority, Gap, RestsOn, Segment};
use crate::journal::wire::{enumeration, message};

message! {
    /// Custody from one T0 to the next basis or to the end of custody. Its segments tile `[t0, end)`.
    Gap {
        /// The instant the last custody basis closed.
        1: t0,
        /// When a new basis opened or custody ended; `Instant::FAR` while neither is known.
        2: end,
        /// In order, without holes.
        3: segments,
    }

    /// A stretch of custody within which facility, authority, hold and ground stay the same.
    Segment {
        /// When.
        1: span,
        /// Where.
        2: facility,
        /// With what authority.
        3: authority,
        /// Under which hold, if one ran.
        4: hold,
        /// On what, if on anything.
        5: rests_on,
    }

    /// What a hold rests on during one stretch (`DOMAIN.md §10` ruling 28).
    RestsOn {
        /// The earliest received detainer in effect.
        1: detainer,
        /// The policy revision under which it was honored.
        2: revision,
        /// Agreements that cover this detainer (office, facility, person) and may pay for this stretch, in any order.
        3: agreements,
    }
}

enumeration! {
    /// What custody after T0 stood on (`DOMAIN.md §6`, `§5` "From when").
    Authority {
        /// A hold under an honored detainer in effect.
        1: Authorized,
        /// A hold whose ground was recorded only after the time it covers.
        2: AuthorizedLate,
        /// Neither a basis nor an authority to hold.
        3: OverDetained,
    }
}
