//! The field's rules, pure: no clock, no random source, no storage, no wire.
//!
//! Words are those of the field. Every instant is UTC in microseconds; local dates exist only where the
//! law speaks of days, and then in a named zone.

pub mod agreement;
pub mod alerts;
pub mod authority;
pub mod booking;
pub mod calendar;
pub mod claim;
pub mod clock;
pub mod command;
pub mod cost;
pub mod county;
pub mod decide;
pub mod deciding;
pub mod decision;
pub mod detainer;
pub mod duties;
pub mod event;
pub mod evolve;
pub mod facts;
pub mod gap;
pub mod hypothetical;
pub mod ids;
pub mod impact;
pub mod money;
pub mod numbered;
pub mod period;
pub mod policy;
pub mod rate;
pub mod refusal;
pub mod release;
pub mod retelling;
pub mod sentences;
pub mod settling;
#[doc(hidden)]
pub mod testing;
pub mod time;
pub mod timeline;
pub mod watching;
