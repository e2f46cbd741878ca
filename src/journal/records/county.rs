//! The wire form of `domain::county`.

use crate::domain::county::{Calendar, CalendarDay, Draft, Facility, Profile};
use crate::journal::wire::message;

message! {
    /// A county's own settings.
    Profile {
        /// Its name.
        1: name,
        /// The state it lies in, as a postal code; empty where none was told.
        2: state,
        /// Its zone: policy and agreement dates are read in it.
        3: zone,
        /// ISO 4217 code of its money.
        4: currency,
        /// Whether a switch needs a second person.
        5: two_person_switch,
        /// Microseconds of release paperwork that the county states, shown beside over-detention, never instead of it.
        6: allowance_us,
        /// Whether a switch needs the digest of its preview.
        7: preview_required,
    }

    /// A rule that was made and is not activated.
    Draft {
        /// The rule; its stamp tells when it was made, not when it takes effect.
        1: revision,
        /// When it is meant to take effect; nothing where that is left to its activation.
        2: planned,
    }

    /// A jail.
    Facility {
        /// Its id.
        1: id,
        /// Its name.
        2: name,
        /// The city; empty where none was told.
        3: city,
        /// When it was first recorded.
        4: created,
        /// The record that last changed it: its etag.
        5: seq,
        /// Its own zone, fixed once it has a booking.
        6: zone,
        /// Whether a booking was recorded in it.
        7: in_use,
    }

    /// Dated extra holidays.
    Calendar {
        /// Its id.
        1: id,
        /// Its days.
        2: days,
        /// The paper that sets them.
        3: instrument,
        /// The record that last changed it: its etag.
        4: seq,
    }

    /// One day of a calendar.
    CalendarDay {
        /// The local day.
        1: date,
        /// Its name.
        2: name,
    }
}
