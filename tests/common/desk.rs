//! A jail's desk: a server on a fresh store, and a county told in few words. What is told goes through a ledger of the
//! desk's own, as from another server on the same database; what is asked goes over a real socket.

use super::Fresh;
use detainer::domain::agreement::Agreement;
use detainer::domain::booking::Correction;
use detainer::domain::command::{
    BookingCommand, CloseBasis, CountyCommand, CreateBooking, EndBooking, LiftDetainer, NewFacility, NewRate, NewRevision, Serve,
};
use detainer::domain::detainer::{Component, Edition, LiftReason};
use detainer::domain::facts::{CloseReason, EndKind};
use detainer::domain::ids::{BasisId, BookingId, CountyId, DetainerId, FacilityId, SubjectId};
use detainer::domain::policy::Revision;
use detainer::domain::rate::Rate;
use detainer::domain::testing::{self, instant};
use detainer::domain::time::{Instant, Zone};
use detainer::identity::{MasterKey, SeededEntropy};
use detainer::ledger::{Call, Clock, Command, Ledger, LedgerError, Written};
use detainer::pb::token_service_client::TokenServiceClient;
use detainer::pb::{self, Role};
use detainer::server::{Running, spawn};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use tonic::transport::Channel;
use tonic::{Request, Status};
use tonic_types::StatusExt as _;

/// A clock that tests move.
#[derive(Default)]
pub struct Hand(AtomicI64);

impl Hand {
    pub fn set(&self, at: &str) {
        self.0.store(instant(at).micros(), Ordering::SeqCst);
    }
}

impl Clock for Hand {
    fn now(&self) -> Instant {
        Instant::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// A server and who tells it things.
pub struct Desk {
    pub running: Running,
    pub channel: Channel,
    /// The first credential: every role, every county.
    pub admin: String,
    pub clock: Arc<Hand>,
    pub ledger: Ledger,
    /// The county that is spoken of.
    pub county: CountyId,
    /// Who speaks.
    pub person: &'static str,
    requests: AtomicU32,
}

/// The master key of every test.
pub fn keys() -> Arc<MasterKey> {
    Arc::new(MasterKey::from_hex(&"5a".repeat(32)).unwrap())
}

impl Desk {
    /// A server on the store, at an instant; the county `c` is not yet made.
    pub async fn open(fresh: &Fresh, now: &str) -> Self {
        let clock = Arc::new(Hand::default());
        Self::with_clocks(fresh, now, clock.clone(), clock).await
    }

    /// The same with a clock of its own for the server, which stays where it is. Then no sweep comes between what is told,
    /// and what is told has the same numbers however long it takes.
    pub async fn apart(fresh: &Fresh, now: &str) -> (Self, Arc<Hand>) {
        let servers = Arc::new(Hand::default());
        (Self::with_clocks(fresh, now, Arc::new(Hand::default()), servers.clone()).await, servers)
    }

    async fn with_clocks(fresh: &Fresh, now: &str, clock: Arc<Hand>, servers: Arc<Hand>) -> Self {
        clock.set(now);
        servers.set(now);
        let entropy = Arc::new(SeededEntropy::new(7));
        let running = spawn(fresh.store.clone(), keys(), entropy, servers).await.unwrap();
        let channel = Channel::from_shared(format!("http://{}", running.address)).unwrap().connect().await.unwrap();
        let admin = running.token.clone().expect("a fresh store has no credential yet");
        let ledger = Ledger::start(fresh.store.clone(), keys(), Arc::new(SeededEntropy::new(8)), clock.clone()).unwrap();
        let county = CountyId::trusted("c");
        Self { running, channel, admin, clock, ledger, county, person: "ann", requests: AtomicU32::new(0) }
    }

    /// Stops the server.
    pub async fn close(self) {
        self.ledger.stop().await;
        self.running.stop().await.unwrap();
    }

    /// The clock goes on.
    pub fn at(&self, now: &str) -> &Self {
        self.clock.set(now);
        self
    }

    /// A credential with one role in some counties.
    pub async fn token(&self, role: Role, counties: &[&str]) -> String {
        let id = self.requests.fetch_add(1, Ordering::SeqCst);
        let ask = pb::CreateTokenRequest {
            person: format!("person-{id}"),
            request_id: format!("token {id}"),
            roles: vec![role.into()],
            counties: counties.iter().map(ToString::to_string).collect(),
            ..pb::CreateTokenRequest::default()
        };
        let made = TokenServiceClient::new(self.channel.clone()).create_token(with(&self.admin, ask)).await;
        made.unwrap().into_inner().secret
    }

    pub async fn tell(&self, command: Command) -> Result<Written, LedgerError> {
        let id = self.requests.fetch_add(1, Ordering::SeqCst);
        let call = Call {
            county: self.county.clone(),
            actor: "desk".into(),
            person: self.person.into(),
            method: "Test",
            request_id: format!("desk {id}").into(),
            body: id.to_be_bytes().to_vec(),
            validate_only: false,
            etag: None,
            preview: None,
            history: false,
            sealed: Vec::new(),
        };
        self.ledger.write(call, command).await
    }

    /// Tells something about a booking that has to be accepted; the sequence of its last record.
    pub async fn booking(&self, id: &str, command: BookingCommand) -> i64 {
        self.tell(Command::Booking(BookingId::trusted(id), command)).await.unwrap().pair.seq
    }

    /// Tells something about the county that has to be accepted.
    pub async fn settle(&self, command: CountyCommand) -> i64 {
        self.tell(Command::County(command)).await.unwrap().pair.seq
    }

    /// The county, with jails in their zones.
    pub async fn found(&self, zone: &str, jails: &[(&str, &str)]) {
        let zone: Zone = zone.parse().unwrap();
        self.settle(CountyCommand::Create(self.county.clone(), testing::profile(zone))).await;
        for (id, zone) in jails {
            let jail = NewFacility {
                id: FacilityId::trusted(id),
                name: (*id).into(),
                zone: Some(zone.parse().unwrap()),
                city: "".into(),
            };
            self.settle(CountyCommand::CreateFacility(jail)).await;
        }
    }

    pub async fn switch(&self, revision: Revision, effective: &str) {
        let new = NewRevision { id: Some(revision.id.clone()), effective: Some(instant(effective)), revision };
        self.settle(CountyCommand::Switch(Box::new(new))).await;
    }

    pub async fn promise(&self, agreement: Agreement) {
        self.settle(CountyCommand::CreateAgreement(agreement)).await;
    }

    pub async fn price(&self, rate: Rate) {
        self.settle(CountyCommand::SetRate(NewRate { id: Some(rate.id.clone()), rate })).await;
    }

    /// A stay of a subject of its own begins, with one charge `A`.
    pub async fn book(&self, id: &str, jail: &str, booked: &str) -> i64 {
        let booked = instant(booked);
        let create = CreateBooking {
            booking: BookingId::trusted(id),
            subject: SubjectId::trusted(&format!("s-{id}")),
            identity: None,
            booked,
            source: testing::source(),
            facility: FacilityId::trusted(jail),
            bases: Some(vec![testing::basis("A", booked)]),
            facts: Vec::new(),
        };
        self.booking(id, BookingCommand::Create(create)).await
    }

    /// A request from an office comes in as the detainer `D`, served at once where that is said. Offices are of ICE, `NYC`
    /// of Homeland Security Investigations.
    pub async fn receive(&self, id: &str, office: &str, edition: Edition, served: bool, at: &str) -> i64 {
        let mut form = testing::form(edition);
        form.office = office.into();
        form.component = if office == "NYC" { Component::Hsi } else { Component::IceEro };
        let at = instant(at);
        self.booking(id, BookingCommand::RecordDetainer(testing::request("D", form, served.then_some(at), at))).await
    }

    pub async fn serve(&self, id: &str, at: &str) -> i64 {
        let serve = Serve { detainer: DetainerId::trusted("D"), service: testing::service(instant(at)) };
        self.booking(id, BookingCommand::Serve(serve)).await
    }

    pub async fn lift(&self, id: &str, at: &str) -> i64 {
        let detainer = DetainerId::trusted("D");
        let lift = LiftDetainer { detainer, at: instant(at), reason: LiftReason::Lifted, source: testing::source() };
        self.booking(id, BookingCommand::Lift(lift)).await
    }

    /// The charge `A` ends.
    pub async fn bail(&self, id: &str, at: &str) -> i64 {
        let (basis, at, reason) = (BasisId::trusted("A"), instant(at), CloseReason::BailPosted);
        self.booking(id, BookingCommand::CloseBasis(CloseBasis { basis, at, reason, text: None, source: testing::source() }))
            .await
    }

    pub async fn end(&self, id: &str, kind: EndKind, at: &str) -> i64 {
        let end = EndBooking { kind, at: Some(instant(at)), agency: None, officer: None, source: testing::source() };
        self.booking(id, BookingCommand::End(end)).await
    }

    /// One person corrects, another confirms where that is asked for; the sequence of what it left.
    pub async fn correct(&mut self, id: &str, correction: Correction) -> i64 {
        let told = self.tell(Command::Booking(BookingId::trusted(id), BookingCommand::Correct(correction))).await.unwrap();
        let waiting = told.booking.iter().flat_map(|booking| &booking.proposals).find(|proposal| proposal.confirmed.is_none());
        let Some(proposal) = waiting.map(|proposal| proposal.id.clone()) else { return told.pair.seq };
        self.person = "bea";
        let confirmed = self.booking(id, BookingCommand::Confirm(proposal)).await;
        self.person = "ann";
        confirmed
    }
}

/// A message with a credential.
pub fn with<T>(token: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    request
}

/// Why a call was refused.
pub fn reason(status: &Status) -> String {
    status.get_details_error_info().map(|info| info.reason).unwrap_or_default()
}

/// The fields that are named as bad.
pub fn fields(status: &Status) -> Vec<String> {
    let bad = status.get_details_bad_request().map(|bad| bad.field_violations).unwrap_or_default();
    bad.into_iter().map(|violation| violation.field).collect()
}

/// So many stays of a county `c` that honors always, told to a ledger: each with a hold from Friday 21:00 UTC on.
pub async fn stays(ledger: &Ledger, clock: &Hand, count: usize) {
    let mut requests = 0_u32;
    let mut all = vec![
        Command::County(CountyCommand::Create(CountyId::trusted("c"), testing::profile("America/New_York".parse().unwrap()))),
        Command::County(CountyCommand::CreateFacility(NewFacility {
            id: FacilityId::trusted("main"),
            name: "main".into(),
            zone: Some("America/New_York".parse().unwrap()),
            city: "".into(),
        })),
        Command::County(CountyCommand::Switch(Box::new(NewRevision {
            id: None,
            effective: Some(instant("2017-01-26T20:00:00Z")),
            revision: testing::revision("always", detainer::domain::policy::Mode::HonorAlways),
        }))),
    ];
    let (booked, t0) = (instant("2024-03-14T14:00:00Z"), instant("2024-03-15T21:00:00Z"));
    let ids = || (0..count).map(|n| BookingId::trusted(&format!("b{n:03}")));
    for id in ids() {
        let create = CreateBooking {
            booking: id.clone(),
            subject: SubjectId::trusted(&format!("s-{id}")),
            identity: None,
            booked,
            source: testing::source(),
            facility: FacilityId::trusted("main"),
            bases: Some(vec![testing::basis("A", booked)]),
            facts: Vec::new(),
        };
        all.push(Command::Booking(id.clone(), BookingCommand::Create(create)));
        let request = testing::request("D", testing::form(Edition::I247D), Some(booked), booked);
        all.push(Command::Booking(id, BookingCommand::RecordDetainer(request)));
    }
    let last = all.len();
    all.extend(ids().map(|id| {
        let (basis, source) = (BasisId::trusted("A"), testing::source());
        Command::Booking(
            id,
            BookingCommand::CloseBasis(CloseBasis { basis, at: t0, reason: CloseReason::BailPosted, text: None, source }),
        )
    }));
    for (n, command) in all.into_iter().enumerate() {
        if n == last {
            clock.set("2024-03-15T21:00:00Z");
        }
        requests += 1;
        let call = Call {
            county: CountyId::trusted("c"),
            actor: "desk".into(),
            person: "ann".into(),
            method: "Test",
            request_id: format!("stay {requests}").into(),
            body: requests.to_be_bytes().to_vec(),
            validate_only: false,
            etag: None,
            preview: None,
            history: false,
            sealed: Vec::new(),
        };
        ledger.write(call, command).await.unwrap();
    }
}
