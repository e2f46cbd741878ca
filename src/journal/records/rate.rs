//! The wire form of `domain::rate`.

use crate::domain::rate::{DayCount, Rate};
use crate::journal::wire::{enumeration, message};

message! {
    /// A dated price of one facility.
    Rate {
        /// Its name.
        1: id,
        /// The jail it prices.
        2: facility,
        /// First local day of the facility it prices.
        3: effective,
        /// First local day it no longer prices; a newer rate ends it in any case.
        4: end,
        /// The full cost of a day.
        5: per_day,
        /// What one more person costs for a day, where the county states it.
        6: marginal,
        /// An amount for each hold, once per chain of linked holds.
        7: per_hold,
        /// How days are counted.
        8: day_count,
    }
}

enumeration! {
    /// How a price per day becomes a price of a stretch (`DOMAIN.md §6`).
    DayCount {
        /// In proportion to elapsed time: one twenty-fourth for each hour.
        1: Hourly,
        /// A full day for each local calendar day touched, at its first touched instant.
        2: CalendarDay,
        /// A full day for each local midnight in custody.
        3: Midnight,
        /// A full day for each 24 hours begun since T0.
        4: Per24h,
    }
}
