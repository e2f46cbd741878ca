//! The wire form of `domain::county`.

use crate::domain::county::{Calendar, CalendarDay, Facility, Profile};
use crate::journal::wire::message;

message! {
    /// A county's own settings.
    Profile {
        /// Its name.
        1: name,
        /// Its zone: policy and agreement dates are read in it.
        2: zone,
        /// ISO 4217 code of its money.
        3: currency,
        /// Whether a switch needs a second person.
        4: two_person_switch,
        /// Minutes of release paperwork that the county states, shown beside over-detention, never instead of it.
        5: allowance_minutes,
    }

    /// A jail.
    Facility {
        /// Its id.
        1: id,
        /// Its name.
        2: name,
        /// Its own zone, fixed once it has a booking.
        3: zone,
        /// Whether a booking was recorded in it.
        4: in_use,
    }

    /// Dated extra holidays.
    Calendar {
        /// Its id.
        1: id,
        /// Its days.
        2: days,
        /// Where they are known from.
        3: source,
    }

    /// One day of a calendar.
    CalendarDay {
        /// The local day.
        1: date,
        /// Its name.
        2: name,
    }
}
