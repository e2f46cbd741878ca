//! What a caller hands to the ledger, and what comes back.

use crate::domain::booking::Booking;
use crate::domain::command::{BookingCommand, CountyCommand};
use crate::domain::county::County;
use crate::domain::event::Event;
use crate::domain::ids::{BookingId, CountyId};
use crate::domain::impact::Impact;
use crate::domain::refusal::Refusal;
use crate::domain::time::Instant;
use crate::journal::wire::WireError;
use crate::rows::Row;
use crate::store::StoreError;
use std::sync::Arc;

/// One write: who asks, under which request id, for what.
#[derive(Clone, Debug)]
pub struct Call {
    /// The county it is made in.
    pub county: CountyId,
    /// The credential's name.
    pub actor: Arc<str>,
    /// The person behind the credential.
    pub person: Arc<str>,
    /// The method called, for example `RecordDetainer`.
    pub method: &'static str,
    /// The caller's own id for this request.
    pub request_id: Arc<str>,
    /// The request in its canonical form, without request id and `validate_only`: what a retry must repeat.
    pub body: Vec<u8>,
    /// Answer what would be recorded, and record nothing.
    pub validate_only: bool,
    /// The sequence the caller last saw of what it changes; another one is refused.
    pub etag: Option<i64>,
    /// The digest of the preview that a switch goes by; another one is refused.
    pub preview: Option<[u8; 32]>,
    /// Whether a county's history is being loaded.
    pub history: bool,
    /// Sealed identity and texts that the command refers to: stored in the same transaction, only if it is recorded.
    pub sealed: Vec<Row>,
}

/// What is asked for.
#[derive(Clone, Debug)]
pub enum Command {
    /// Of a county's own settings.
    County(CountyCommand),
    /// Of one booking.
    Booking(BookingId, BookingCommand),
}

/// A point of knowledge.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Pair {
    /// The last record that counts; 0 for the empty journal.
    pub seq: i64,
    /// When it was recorded; nothing for the empty journal.
    pub recorded: Option<Instant>,
    /// The root of the county's tree there, where it is kept.
    pub root: Option<[u8; 32]>,
}

/// How much was known, as asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum AsOf {
    /// All that is known now.
    #[default]
    Latest,
    /// Up to this record; inside a command, the state before it.
    Sequence(i64),
    /// All that was recorded by this instant.
    Recorded(Instant),
}

/// The answer to a write: the state as it was right after it.
#[derive(Clone, Debug)]
pub struct Written {
    /// The last record of the command: the receipt. Of `validate_only`, the head it was tried at.
    pub pair: Pair,
    /// The first record of the command.
    pub first_seq: i64,
    /// The county after it.
    pub county: Arc<County>,
    /// The booking after it, where the command was to one.
    pub booking: Option<Arc<Booking>>,
    /// What its records of its own stream hold; empty where it was so already.
    pub events: Vec<Event>,
    /// Bookings that followed a change of the county's settings.
    pub followed: Impact,
    /// Whether this was recorded by an earlier call with the same request id.
    pub replayed: bool,
}

/// Why a call got no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LedgerError {
    /// The rules refuse it. Nothing changed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The request id was used with another body.
    #[error("this request id was used with another body")]
    RequestIdReused,
    /// The queue is full; nothing was recorded.
    #[error("the county's queue is full")]
    QueueFull,
    /// The server stops.
    #[error("the server stops")]
    ShuttingDown,
    /// `as_of` lies beyond what is recorded.
    #[error("beyond what has been recorded: the head is {0}")]
    BeyondHead(i64),
    /// The machine's clock is behind what has been recorded.
    #[error("the server's clock is behind what has been recorded")]
    ClockBehind,
    /// A record that this program cannot read: the county is stopped.
    #[error("record {seq} cannot be read: {error}")]
    Unreadable {
        /// Which.
        seq: i64,
        /// Why.
        error: WireError,
    },
    /// A setting that this program cannot read: the county is stopped.
    #[error(transparent)]
    BadSetting(Arc<crate::rows::state::BadSetting>),
    /// A subject's first key was made by somebody else while this was sealed under another; seal again.
    #[error("the subject's key was made by another call meanwhile; try again with the same request id")]
    OtherKey,
    /// The machine's clock and the database's differ by more than two seconds.
    #[error("the server's clock differs from the database's by {0} ms")]
    ClockSkew(i64),
    /// The database cannot answer, or the outcome of a commit is not known.
    #[error("the store: {0}")]
    Store(Arc<StoreError>),
    /// A defect of the server.
    #[error("a defect: {0}")]
    Defect(&'static str),
}

impl From<StoreError> for LedgerError {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}
