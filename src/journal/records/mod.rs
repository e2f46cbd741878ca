//! Which domain types have a wire form, and under which numbers: a file here for each of the domain's.
//!
//! One declaration a type; see [`super::wire`] for the macros. A number once released is never given to something
//! else, and a field once released never changes its type. After a change here run
//! `UPDATE_PROTO=1 cargo test --lib journal::records` and commit `proto/detainer/journal/v1/records.proto` with it.

mod agreement;
mod booking;
mod claim;
mod clock;
mod cost;
mod county;
mod decision;
mod detainer;
mod event;
mod facts;
mod gap;
mod policy;
mod rate;

use super::record::{Record, RequestKey, Stream};
use super::wire::{Cursor, Kind, Problem, Value, WireError, WireType, macros::single_field, message};
use crate::domain::time::Span;

message! {
    /// What one command did to one stream.
    Record {
        /// How the record is written: 1. A reader refuses every other.
        1: format,
        /// Whose journal.
        2: county,
        /// Its place in the journal, from 1, without gaps.
        3: seq,
        /// The first record of the same command.
        4: first_seq,
        /// The last record of the same command: the receipt's.
        5: last_seq,
        /// Whose events these are: `c` for the county's own, `b/` and the booking's id for a booking's.
        6: stream,
        /// When it was recorded, in microseconds of UTC since 1970; later than the record before it.
        7: recorded,
        /// Who asked: the credential's name.
        8: actor,
        /// The person behind that credential; empty where it stands for nobody, as the sweeper's.
        9: person,
        /// The method called.
        10: method,
        /// The request, in the command's first record only.
        11: request,
        /// Whether it came by an import of the past.
        12: history,
        /// What happened, in order.
        13: events,
    }

    /// What the first record of a command keeps of the request.
    RequestKey {
        /// The caller's own id for it.
        1: id,
        /// HMAC-SHA256 under the county's key over the canonical command.
        2: fingerprint,
    }

    /// A half-open stretch of time, `[start, end)`. An end of 9999-12-31T23:59:59.999999Z means that it is still open.
    Span {
        /// First instant inside, in microseconds of UTC since 1970.
        1: start,
        /// First instant no longer inside, in microseconds of UTC since 1970.
        2: end,
    }
}

/// The word that is stored; always written.
impl Value for Stream {
    const WIRE: WireType = WireType::Bytes;

    fn kind() -> Kind {
        String::kind()
    }

    fn write(&self, out: &mut Vec<u8>) {
        self.to_string().write(out);
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<Self, WireError> {
        Self::parse(&String::read(cursor)?).ok_or_else(|| Problem::Range.into())
    }
}

single_field!(Stream);

/// What the journal is made of: all that `records.proto` describes follows from these.
#[must_use]
pub fn roots() -> Vec<Kind> {
    vec![Record::kind()]
}

#[cfg(test)]
mod tests;
