//! gRPC: reads requests into commands, asks the ledger, writes answers. No rule of the field lives here.
//!
//! To add a method: put it in the `.proto`, in [`auth::METHODS`], and into the service's file here. To add a service:
//! its file, and one line in [`services`].
//!
//! Every handler begins the same way: who calls ([`auth::principal`]), which county, whether the credential is bound to
//! it, then all bad fields at once ([`time::Fields`]); only then is anything looked up.

pub mod auth;
pub mod convert;
pub mod error;
pub mod names;
pub mod paging;
pub mod sealing;
pub mod time;
pub mod watch;
pub mod write;

mod agreements;
mod board;
mod booking;
mod county;
mod detainer;
mod explain;
mod hold;
mod import;
mod journal;
mod policy;
mod report;
mod revisions;
mod token;

use crate::domain::booking::Booking;
use crate::domain::county::County;
use crate::domain::ids::{BookingId, CountyId};
use crate::domain::time::Instant;
use crate::identity::Opaque;
use crate::ledger::{AsOf, Call, Command, Ledger, LedgerError, Pair, Written};
use crate::pb;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tonic::service::Routes;

/// The largest message taken: a request of many tiny messages costs a multiple of its size in memory.
pub const MAX_MESSAGE: usize = 256 * 1024;
/// Streams that follow a county at the same time, on this server.
const WATCHERS: usize = 512;

/// What every handler works with. Cheap to clone.
#[derive(Clone)]
pub struct Api {
    /// Reads and writes.
    pub ledger: Ledger,
    /// Makes page tokens and cursors.
    pub opaque: Arc<Opaque>,
    /// Cancelled when the server stops: streams end with `SHUTTING_DOWN` then.
    pub stopping: CancellationToken,
    /// So that a subject gets one key, however many ask at once.
    new_keys: sealing::NewKeys,
    /// Counts what is recorded through this handle, where an import asks for that.
    recorded: Option<import::Recorded>,
    /// Room for streams that follow a county.
    watchers: Arc<Semaphore>,
}

impl Api {
    /// Over a ledger.
    #[must_use]
    pub fn new(ledger: Ledger, stopping: CancellationToken) -> Self {
        let opaque = Arc::new(Opaque::new(ledger.keys()));
        Self {
            ledger,
            opaque,
            stopping,
            new_keys: sealing::NewKeys::default(),
            recorded: None,
            watchers: Arc::new(Semaphore::new(WATCHERS)),
        }
    }

    /// Hands a command to the ledger.
    ///
    /// # Errors
    /// The status of what the ledger answers.
    pub async fn write(&self, call: Call, command: Command) -> Result<Written, Status> {
        let method = call.method;
        self.told(call, command).await.map_err(|error| error::of_ledger(method, error))
    }

    /// Tells the ledger, and the import that asked for it, what was recorded.
    async fn told(&self, call: Call, command: Command) -> Result<Written, LedgerError> {
        let written = self.ledger.write(call, command).await?;
        if let Some(recorded) = &self.recorded {
            recorded.note(&written);
        }
        Ok(written)
    }

    /// Hands a command to the ledger; what it refuses is told in the words of the request.
    ///
    /// # Errors
    /// The status of what the ledger answers.
    pub async fn write_called(&self, call: Call, command: Command, called: &error::Called) -> Result<Written, Status> {
        let method = call.method;
        self.told(call, command).await.map_err(|error| match error {
            LedgerError::Refused(refusal) => error::of_refusal_called(method, &refusal, called),
            other => error::of_ledger(method, other),
        })
    }

    /// A booking and its county as of one point. The credential must be bound to the county.
    ///
    /// # Errors
    /// `COUNTY_NOT_ALLOWED`, `RESOURCE_NOT_FOUND`, `AS_OF_IN_FUTURE`, the ledger's.
    pub async fn booking_at(
        &self,
        principal: &auth::Principal,
        county: &CountyId,
        booking: &BookingId,
        as_of: AsOf,
    ) -> Result<(Pair, Arc<County>, Arc<Booking>), Status> {
        let (pair, shared, found) = self.booking_if(principal, county, booking, as_of).await?;
        let found = found.ok_or_else(|| error::not_found("booking", &names::of::booking(county, booking)))?;
        Ok((pair, shared, found))
    }

    /// The same where the booking may be unknown: for a request whose fields are all read before it is refused.
    ///
    /// # Errors
    /// As [`Api::booking_at`], but for the booking.
    pub async fn booking_if(
        &self,
        principal: &auth::Principal,
        county: &CountyId,
        booking: &BookingId,
        as_of: AsOf,
    ) -> Result<(Pair, Arc<County>, Option<Arc<Booking>>), Status> {
        let (pair, shared) = self.county_at(principal, county, as_of).await?;
        let found = self.ledger.bookings(county, std::slice::from_ref(booking), pair).await;
        let found = found.map_err(|error| error::of_ledger("", error))?.remove(booking);
        Ok((pair, shared, found))
    }

    /// A county as of a point. The credential must be bound to it.
    ///
    /// # Errors
    /// `COUNTY_NOT_ALLOWED`, `RESOURCE_NOT_FOUND`, `AS_OF_IN_FUTURE`, the ledger's.
    pub async fn county_at(
        &self,
        principal: &auth::Principal,
        county: &CountyId,
        as_of: AsOf,
    ) -> Result<(Pair, Arc<County>), Status> {
        principal.allow(county)?;
        let (pair, found) = self.ledger.county(county, as_of).await.map_err(|error| error::of_ledger("", error))?;
        let found = found.ok_or_else(|| error::not_found("county", &names::of::county(county)))?;
        Ok((pair, found))
    }

    /// The instant a question is about: the one asked for, else that of `as_of`, else now, which is never before the last
    /// record.
    #[must_use]
    pub fn moment(&self, at_time: Option<Instant>, as_of: AsOf, pair: Pair) -> Instant {
        at_time.unwrap_or_else(|| match as_of {
            AsOf::Latest => pair.recorded.map_or(self.ledger.now(), |last| last.max(self.ledger.now())),
            AsOf::Recorded(at) => at,
            AsOf::Sequence(_) => pair.recorded.unwrap_or_else(|| self.ledger.now()),
        })
    }
}

/// Every service of the contract, ready to be served.
#[must_use]
pub fn services(api: &Api) -> Routes {
    macro_rules! serve {
        ($($module:ident::$server:ident),+ $(,)?) => {
            Routes::default()$(
                .add_service(pb::$module::$server::new(api.clone()).max_decoding_message_size(MAX_MESSAGE))
            )+
        };
    }
    serve! {
        booking_service_server::BookingServiceServer,
        county_service_server::CountyServiceServer,
        detainer_service_server::DetainerServiceServer,
        hold_service_server::HoldServiceServer,
        import_service_server::ImportServiceServer,
        journal_service_server::JournalServiceServer,
        policy_service_server::PolicyServiceServer,
        report_service_server::ReportServiceServer,
        token_service_server::TokenServiceServer,
    }
}
