//! The wire form of `domain::cost`.

use crate::domain::cost::CostLine;
use crate::journal::wire::message;

message! {
    /// One stretch of custody after T0 within one facility, local day, rate, agreement and authority state.
    CostLine {
        /// The T0 whose custody this is part of.
        1: t0,
        /// The stretch.
        2: span,
        /// The local day of the facility it lies in.
        3: local_day,
        /// The jail.
        4: facility,
        /// The rate that priced it; without one nothing is known to be incurred.
        5: rate,
        /// The hold that ran, if one did.
        6: hold,
        /// With what authority the person was held.
        7: authority,
        /// The detainer the hold rested on.
        8: detainer,
        /// The revision under which that was honored.
        9: revision,
        /// The agreement this time belongs to, also where it pays nothing for it.
        10: agreement,
        /// What it cost.
        11: incurred,
        /// What the agreement pays of it.
        12: covered,
        /// What one more person cost, where the rate states that.
        13: marginal,
    }
}
