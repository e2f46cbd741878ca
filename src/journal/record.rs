//! One record: what one command did to one stream.

use super::wire::{self, Problem, WireError};
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
    /// The word that is stored: `c`, or `b/` and the booking.
    #[must_use]
    pub fn key(&self) -> String {
        self.to_string()
    }

    /// The stream of a word that [`Stream::key`] gave.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word.split_once('/') {
            None if word == "c" => Some(Self::County),
            Some(("b", booking)) => BookingId::new(booking).ok().map(Self::Booking),
            _ => None,
        }
    }
}

/// As [`Stream::key`].
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
pub struct RequestKey {
    /// The caller's own id for it.
    pub id: Arc<str>,
    /// HMAC-SHA256 under the county's key over the canonical command.
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
    pub recorded: Instant,
    /// Who asked: the credential's name.
    pub actor: Arc<str>,
    /// The person behind that credential; `system` for what the server does by itself.
    pub person: Arc<str>,
    /// The method called.
    pub method: Arc<str>,
    /// The request, in the command's first record only.
    pub request: Option<RequestKey>,
    /// Whether it came by an import of the past.
    pub history: bool,
    /// What happened, in order.
    pub events: Vec<Event>,
}

impl Record {
    /// The exact bytes that are hashed and stored.
    ///
    /// Any value is written, but two kinds are refused when read: an id that is empty, and an explanation that nests
    /// deeper than 60 levels (what [`wire::MAX_DEPTH`] leaves it). The domain makes neither; a debug build checks it here.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let bytes = wire::encode(self);
        debug_assert_eq!(Self::decode(&bytes).as_ref(), Ok(self));
        bytes
    }

    /// Reads what [`Record::encode`] wrote.
    ///
    /// # Errors
    /// [`Problem::Format`] before all else where the format is not [`FORMAT`]; otherwise what is not canonical, and where.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        let format = wire::first_varint(bytes, 1).and_then(|format| match format.unwrap_or(0) {
            known if known == u64::from(FORMAT) => Ok(()),
            found => Err(Problem::Format(found)),
        });
        format.map_err(|problem| WireError::from(problem).at("Record", "format"))?;
        wire::decode(bytes)
    }
}
