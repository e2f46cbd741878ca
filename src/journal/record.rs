//! One record: what one command did to one stream.

use super::wire::{Problem, WireError, decode, encode};
use crate::domain::event::Event;
use crate::domain::ids::{BookingId, CountyId};
use crate::domain::time::Instant;
use std::fmt;
use std::sync::Arc;

/// The format written today. A reader refuses every other, so a county whose journal is newer than the program stops.
pub const FORMAT: u32 = 1;

/// Whose events a record holds.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Stream {
    /// The county's own: settings, policies, agreements, rates, proposals.
    County,
    /// One booking's.
    Booking(BookingId),
}

impl Stream {
    /// The stream of a stored word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word.split_once('/') {
            None if word == "c" => Some(Self::County),
            Some(("b", booking)) => BookingId::new(booking).ok().map(Self::Booking),
            _ => None,
        }
    }
}

/// `c`, or `b/` and the booking: the word that is stored.
impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::County => f.write_str("c"),
            Self::Booking(booking) => write!(f, "b/{booking}"),
        }
    }
}

/// What the first record of a command keeps of the request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// The caller's own id for it.
    pub id: Arc<str>,
    /// HMAC under the county's key over the canonical command.
    pub fingerprint: [u8; 32],
}

/// What one command did to one stream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// How it is written: [`FORMAT`].
    pub format: u32,
    /// Whose journal.
    pub county: CountyId,
    /// Its place in the journal, from 1, without gaps.
    pub seq: i64,
    /// The first record of the same command.
    pub first_seq: i64,
    /// The last record of the same command: the receipt's.
    pub last_seq: i64,
    /// Whose events these are.
    pub stream: Stream,
    /// When it was recorded; later than the record before it.
    pub recorded_at: Instant,
    /// Who asked: the credential's name.
    pub actor: Arc<str>,
    /// The method called.
    pub method: Arc<str>,
    /// The request, in the command's first record only.
    pub request: Option<Request>,
    /// Whether it came by an import of the past.
    pub history: bool,
    /// What happened, in order.
    pub events: Vec<Event>,
}

/// Bytes that are no record this program can read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadRecord {
    /// Written by a newer program, or not a record at all.
    #[error("a record in format {found}; this program reads format {FORMAT}")]
    Format {
        /// The format it says it has; 0 where it says none.
        found: u32,
    },
    /// Not the canonical bytes of a record.
    #[error("not a record: {0}")]
    Wire(#[from] WireError),
}

impl Record {
    /// The exact bytes that are hashed and stored.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        encode(self)
    }

    /// Reads what [`Record::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`BadRecord::Format`] before all else, then [`BadRecord::Wire`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BadRecord> {
        let found = format_of(bytes)?;
        if found == FORMAT { Ok(decode(bytes)?) } else { Err(BadRecord::Format { found }) }
    }
}

/// The format of a record, whatever may follow it.
fn format_of(bytes: &[u8]) -> Result<u32, WireError> {
    let found = super::wire::first_varint(bytes, 1).map_err(|problem| WireError::from(problem).at("Record", "format"))?;
    u32::try_from(found.unwrap_or(0)).map_err(|_| WireError::from(Problem::Range).at("Record", "format"))
}
