//! The wire form of `domain::clock`.

use crate::domain::clock::{ClockTerms, Exclusion, ExclusionRule, Limit, Readings, StartRule};
use crate::journal::wire::{enumeration, message, oneof};

message! {
    /// The terms pinned when the clock starts: all but the zone, which is the facility's.
    ClockTerms {
        /// From when it runs.
        1: start,
        /// How long.
        2: limit,
        /// Which days do not count; without meaning under `Limit::EndOfLocalDay`.
        3: exclusion,
    }

    /// The two readings of "48 hours" that are always shown, whatever governs. Neither knows county days.
    Readings {
        /// 48 hours on end.
        1: contiguous,
        /// 48 hours without Saturdays, Sundays and federal holidays.
        2: business,
    }
}

oneof! {
    /// How long the clock may run.
    Limit {
        /// A number of counted hours.
        1: Hours,
        /// To the end of the local day in which the clock started; takes no exclusion, and an interruption leaves nothing.
        2: EndOfLocalDay(),
    }

    /// Which local days the clock stands still in: an `ExclusionRule` resolved for one detainer.
    Exclusion {
        /// None.
        1: None(),
        /// Saturdays and Sundays.
        2: Weekends(),
        /// Saturdays, Sundays, federal holidays as observed, and these days of the county's own.
        3: WeekendsAndHolidays {
            /// The county's own days; empty where the revision names none.
            1: county_days,
        },
    }
}

enumeration! {
    /// From when the clock runs, besides every stretch without a custody basis (DOMAIN.md §4, *Start*).
    StartRule {
        /// From T0 only.
        1: OtherwiseReleased,
        /// Also from the receipt of the first detainer on the booking, lifted or not.
        2: Receipt,
        /// Also from the service of the warrant on the subject.
        3: WarrantServed,
    }

    /// Which days a policy revision leaves out of the count, as the revision says it.
    ExclusionRule {
        /// Every hour counts.
        1: None,
        /// Saturdays and Sundays do not count.
        2: Weekends,
        /// Saturdays, Sundays, federal holidays and the county days named by the revision do not count.
        3: WeekendsAndHolidays,
        /// As the detainer's edition prints; county days never (DOMAIN.md §4).
        4: AsFormPrints,
    }
}
