//! The field's rules, pure: no clock, no random source, no storage, no wire.
//!
//! Words are those of the field. Every instant is UTC in microseconds; local dates exist only where the
//! law speaks of days, and then in a named zone.

pub mod agreement;
pub mod calendar;
pub mod clock;
pub mod cost;
pub mod gap;
pub mod ids;
pub mod money;
pub mod rate;
pub mod time;
