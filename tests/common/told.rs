//! Calls and commands told to a ledger itself, with a clock that stands still.

use detainer::domain::command::{BookingCommand, CreateBooking};
use detainer::domain::detainer::Edition;
use detainer::domain::ids::{BookingId, CountyId, FacilityId, SubjectId};
use detainer::domain::testing::{self, instant};
use detainer::domain::time::Instant;
use detainer::identity::{MasterKey, SeededEntropy};
use detainer::ledger::{Call, Clock, Command, Ledger};
use detainer::store::Store;
use std::sync::Arc;

/// Always the same time: recorded times then grow by a microsecond.
pub struct Still(pub Instant);

impl Clock for Still {
    fn now(&self) -> Instant {
        self.0
    }
}

/// A ledger over a store, at an instant.
pub fn ledger(store: &Store, now: &str) -> Ledger {
    let keys = Arc::new(MasterKey::from_hex(&"5a".repeat(32)).unwrap());
    Ledger::start(store.clone(), keys, Arc::new(SeededEntropy::new(7)), Arc::new(Still(instant(now)))).unwrap()
}

/// A call in county `c`.
pub fn call(request: &str) -> Call {
    Call {
        county: CountyId::trusted("c"),
        actor: "jail-desk".into(),
        person: "ann".into(),
        method: "Test",
        request_id: request.into(),
        body: request.as_bytes().to_vec(),
        validate_only: false,
        etag: None,
        preview: None,
        history: true,
        sealed: Vec::new(),
    }
}

/// Somebody is booked, with one basis open.
pub fn arrival(n: usize) -> Command {
    let booked = instant("2024-03-14T16:00:00Z");
    let create = CreateBooking {
        booking: BookingId::trusted(&format!("n{n}")),
        subject: SubjectId::trusted(&format!("person-{n}")),
        identity: None,
        booked,
        source: testing::source(),
        facility: FacilityId::trusted("jail"),
        bases: Some(vec![testing::basis("A", booked)]),
        facts: Vec::new(),
    };
    Command::Booking(create.booking.clone(), BookingCommand::Create(create))
}

/// A request comes in for them.
pub fn paper(n: usize) -> Command {
    let received = instant("2024-03-14T18:00:00Z");
    let request = testing::request("d1", testing::form(Edition::I247Of2012), None, received);
    Command::Booking(BookingId::trusted(&format!("n{n}")), BookingCommand::RecordDetainer(request))
}
