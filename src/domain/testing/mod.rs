//! A county in memory, for tests: commands in, records out, every record folded again.
//!
//! What a server does with lanes, batches and tables happens here in a few lines, so that a test reads as a story and
//! an invariant can be tried on thousands of histories. Each command makes one record for each stream it touches, with
//! sequence numbers and recorded times that only grow; bookings that have to follow do so within the same command
//! (`DOMAIN.md §5` *When*, `§10` ruling 25). After each command every touched stream is folded from its first record
//! and must give the state that the command left.
//!
//! Panics are its way to say that a test went wrong. Nothing here runs in a server. To build a value with many fields,
//! use a constructor of [`values`]; to add one, add it there, once.

mod values;

pub use values::*;

use crate::domain::agreement::Agreement;
use crate::domain::booking::{Booking, CorrectedFact, Correction, PostingCause};
use crate::domain::command::{
    BookingCommand, CloseBasis, CountyCommand, CreateBooking, EarlierStay, EndBooking, Follow, LiftDetainer, MoveBooking,
    NewFacility, NewFact, NewRate, NewRevision, Serve,
};
use crate::domain::cost::CostLine;
use crate::domain::county::County;
use crate::domain::decide::{self, Affected, Context};
use crate::domain::decision::Trigger;
use crate::domain::detainer::{Detainer, Form, LiftReason};
use crate::domain::event::Event;
use crate::domain::evolve;
use crate::domain::facts::{CloseReason, EndKind, Fact};
use crate::domain::ids::{BasisId, BookingId, CountyId, DetainerId, FacilityId, ProposalId, SubjectId};
use crate::domain::policy::Revision;
use crate::domain::rate::Rate;
use crate::domain::refusal::Refusal;
use crate::domain::settling;
use crate::domain::time::{Instant, Zone};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What one command did to one stream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// The booking, or the county where none is named.
    pub stream: Option<BookingId>,
    /// Its number.
    pub seq: i64,
    /// The number of the last record of the same command.
    pub last_seq: i64,
    /// When.
    pub recorded: Instant,
    /// What.
    pub events: Vec<Event>,
}

/// A command as it was told, and how it was answered: what it takes to tell the same history elsewhere.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Told {
    /// What the clock said.
    pub clock: Instant,
    /// Who told it.
    pub person: Arc<str>,
    /// Whether a row of a history was loaded.
    pub history: bool,
    /// What was told.
    pub command: Command,
    /// The number of the last record after it, or why it was refused.
    pub answer: Result<i64, Refusal>,
}

/// A command to the county or to a booking.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// To the county's own settings.
    County(CountyCommand),
    /// To one booking.
    Booking(BookingId, BookingCommand),
}

/// A county, its bookings and all that was recorded.
#[derive(Clone, Debug)]
pub struct World {
    county: Option<County>,
    bookings: BTreeMap<BookingId, Booking>,
    records: Vec<Record>,
    told: Vec<Told>,
    clock: Instant,
    person: Arc<str>,
    history: bool,
}

impl World {
    /// A county of one zone with one facility, `jail`, at an instant. No policy is in force.
    #[must_use]
    pub fn new(zone: Zone, now: Instant) -> Self {
        Self::named("county", zone, now)
    }

    /// The same under a name of its own.
    #[must_use]
    pub fn named(county: &str, zone: Zone, now: Instant) -> Self {
        let mut world = Self::empty(now);
        world.county(CountyCommand::Create(CountyId::trusted(county), profile(zone))).expect("a county");
        world.facility("jail", zone);
        world
    }

    /// No county yet.
    #[must_use]
    pub fn empty(now: Instant) -> Self {
        let (bookings, records, told) = (BTreeMap::new(), Vec::new(), Vec::new());
        Self { county: None, bookings, records, told, clock: now, person: "ann".into(), history: false }
    }

    /// Moves the clock. Never back.
    pub fn at(&mut self, now: Instant) -> &mut Self {
        assert!(now >= self.clock, "the clock stands at {} and cannot go back to {now}", self.clock);
        self.clock = now;
        self
    }

    /// Who acts from here on.
    pub fn by(&mut self, person: &str) -> &mut Self {
        self.person = person.into();
        self
    }

    /// Whether rows of a history are loaded from here on.
    pub fn history(&mut self, history: bool) -> &mut Self {
        self.history = history;
        self
    }

    /// The instant at which the next question is asked: never before the last record.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.records.last().map_or(self.clock, |r| r.recorded.max(self.clock))
    }

    /// Everything recorded.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Every command so far, refused ones among them.
    #[must_use]
    pub fn told(&self) -> &[Told] {
        &self.told
    }

    /// The county as it is.
    #[must_use]
    pub fn state(&self) -> &County {
        self.county.as_ref().expect("a county")
    }

    /// Every booking.
    pub fn bookings(&self) -> impl Iterator<Item = &Booking> {
        self.bookings.values()
    }

    /// One booking, if it exists.
    #[must_use]
    pub fn find(&self, booking: &str) -> Option<&Booking> {
        self.bookings.get(&BookingId::trusted(booking))
    }

    /// One booking.
    #[must_use]
    pub fn booking(&self, booking: &str) -> &Booking {
        self.find(booking).unwrap_or_else(|| panic!("booking {booking}"))
    }

    /// A request of a booking.
    #[must_use]
    pub fn detainer(&self, booking: &str, detainer: &str) -> &Detainer {
        self.booking(booking).detainer(&DetainerId::trusted(detainer)).unwrap_or_else(|| panic!("detainer {detainer}"))
    }

    /// Whether a detainer may hold, as known now (`DOMAIN.md §10` ruling 1).
    #[must_use]
    pub fn may_hold(&self, booking: &str, at: Instant) -> bool {
        self.booking(booking).running_hold(at).is_some()
    }

    /// What custody after T0 costs up to an instant, line by line.
    #[must_use]
    pub fn lines(&self, booking: &str, until: Instant) -> Vec<CostLine> {
        let booking = self.booking(booking);
        settling::lines(self.state(), booking, &booking.custody.gaps, until).expect("priced")
    }

    /// A command to the county.
    ///
    /// # Errors
    /// The refusal, with everything as it was.
    pub fn county(&mut self, command: CountyCommand) -> Result<(), Refusal> {
        self.command(Command::County(command))
    }

    /// A command to a booking.
    ///
    /// # Errors
    /// The refusal, with everything as it was.
    pub fn tell(&mut self, booking: &str, command: BookingCommand) -> Result<(), Refusal> {
        self.command(Command::Booking(BookingId::trusted(booking), command))
    }

    /// A command, and everything that follows from it.
    fn command(&mut self, command: Command) -> Result<(), Refusal> {
        let (undo, first) = (self.clone(), self.records.len());
        self.settle_due();
        let done = match &command {
            Command::County(command) => self.settings(command),
            Command::Booking(id, command) => self.one(id, command),
        };
        match done {
            Ok(true) => self.finish(first),
            Ok(false) | Err(_) => *self = undo,
        }
        let last = self.records.last().map_or(0, |record| record.seq);
        let answer = done.map(|_| last);
        let (clock, person, history) = (self.clock, self.person.clone(), self.history);
        self.told.push(Told { clock, person, history, command, answer: answer.clone() });
        answer.map(|_| ())
    }

    /// One record on the county, and those of the bookings that follow; whether anything was recorded.
    fn settings(&mut self, command: &CountyCommand) -> Result<bool, Refusal> {
        let ctx = self.context();
        let answer = decide::county(self.county.as_ref(), self.decided_in(command, ctx.now), command, &ctx)?;
        if answer.events.is_empty() {
            return Ok(false);
        }
        self.record(None, &ctx, answer.events);
        if let Some(affected) = answer.affected {
            self.fan_out(&affected);
        }
        Ok(true)
    }

    /// What a command would be answered, recording nothing.
    ///
    /// # Errors
    /// The refusal.
    pub fn would(&self, booking: &str, command: BookingCommand) -> Result<(), Refusal> {
        self.clone().tell(booking, command)
    }

    /// Lets everything that is due at this instant happen: what the sweeper's own record brings about.
    pub fn sweep(&mut self) {
        let first = self.records.len();
        self.settle_due();
        self.finish(first);
    }

    /// One record on one booking; whether anything was recorded.
    fn one(&mut self, id: &BookingId, command: &BookingCommand) -> Result<bool, Refusal> {
        let ctx = self.context();
        let state = self.bookings.get(id);
        let subject = match command {
            BookingCommand::Create(create) => Some(&create.subject),
            _ => state.map(|b| &b.subject),
        };
        let earlier: Vec<EarlierStay> =
            self.bookings.values().filter(|b| Some(&b.subject) == subject && b.id != *id).map(decide::earlier_stay).collect();
        let county = self.county.as_ref().expect("a county");
        let events = decide::booking(county, state, &earlier, command, &ctx)?;
        if events.is_empty() {
            return Ok(false);
        }
        let (before, was) = (county.clone(), state.cloned());
        self.record(Some(id.clone()), &ctx, events);
        for agreement in settling::balances_turned(&before, self.state()) {
            let at = self.context().now;
            let trigger = Some((Trigger::Balance(agreement), at));
            let cause = PostingCause::Agreement;
            self.fan_out(&Affected { open_detainers: true, since: at, costs_since: None, trigger, cause });
        }
        if let (Some(was), Some(is)) = (was, self.bookings.get(id).cloned())
            && decide::passes_on(&was, &is)
        {
            for later in self.later_stays(&is) {
                self.one(&later, &BookingCommand::Inherit)?;
            }
        }
        Ok(true)
    }

    /// Later stays of the same subject, in order of time.
    fn later_stays(&self, booking: &Booking) -> Vec<BookingId> {
        let later = |b: &&Booking| b.subject == booking.subject && b.booked.effective > booking.booked.effective;
        let mut later: Vec<(Instant, BookingId)> =
            self.bookings.values().filter(later).map(|b| (b.booked.effective, b.id.clone())).collect();
        later.sort();
        later.into_iter().map(|(_, id)| id).collect()
    }

    /// Bookings whose reservation or return has come due, the earliest first.
    fn settle_due(&mut self) {
        for _ in 0..1_000 {
            let now = self.context().now;
            let due = self.bookings.values().filter_map(|b| settling::due(self.state(), b, now).map(|at| (at, b.id.clone())));
            let Some((_, id)) = due.min() else { return };
            let follow = BookingCommand::Follow(Follow { trigger: None, cause: PostingCause::Agreement });
            assert_eq!(self.one(&id, &follow), Ok(true), "what is due on {id} leaves a record");
        }
        panic!("balances never come to rest");
    }

    fn fan_out(&mut self, affected: &Affected) {
        let county = self.county.as_ref().expect("a county");
        let follows = |b: &&Booking| decide::follows(county, affected, b);
        let ids: Vec<BookingId> = self.bookings.values().filter(follows).map(|b| b.id.clone()).collect();
        let follow = BookingCommand::Follow(Follow { trigger: affected.trigger.clone(), cause: affected.cause });
        for id in ids {
            self.one(&id, &follow).expect("followers are not refused");
        }
    }

    fn record(&mut self, stream: Option<BookingId>, ctx: &Context, events: Vec<Event>) {
        for event in &events {
            match &stream {
                None => self.county = evolve::county(self.county.take(), ctx.seq, event),
                Some(id) => {
                    let before = self.bookings.remove(id);
                    if let Some(after) = evolve::booking(before, ctx.seq, event) {
                        self.bookings.insert(id.clone(), after);
                    }
                    evolve::shared(self.county.as_mut().expect("a county"), event);
                }
            }
        }
        self.records.push(Record { stream, seq: ctx.seq, last_seq: 0, recorded: ctx.now, events });
    }

    /// All records of one command share the last one's number; the touched streams fold to the state they left.
    fn finish(&mut self, first: usize) {
        let Some(last_seq) = self.records.last().map(|r| r.seq) else { return };
        for record in &mut self.records[first..] {
            record.last_seq = last_seq;
        }
        let touched: Vec<Option<BookingId>> = self.records[first..].iter().map(|r| r.stream.clone()).collect();
        for id in touched.into_iter().flatten() {
            assert_eq!(self.fold(&id).as_ref(), self.bookings.get(&id), "booking {id} folds to another state");
        }
        assert_eq!(self.fold_county().as_ref(), self.county.as_ref(), "the county folds to another state");
    }

    /// A booking from its own records.
    #[must_use]
    pub fn fold(&self, id: &BookingId) -> Option<Booking> {
        let own = self.records.iter().filter(|r| r.stream.as_ref() == Some(id));
        own.flat_map(|r| r.events.iter().map(move |e| (r.seq, e))).fold(None, |state, (seq, e)| evolve::booking(state, seq, e))
    }

    /// The county from all records.
    #[must_use]
    pub fn fold_county(&self) -> Option<County> {
        let mut county = None;
        for record in &self.records {
            for event in &record.events {
                match (&record.stream, county.as_mut()) {
                    (None, _) => county = evolve::county(county, record.seq, event),
                    (Some(_), Some(county)) => evolve::shared(county, event),
                    (Some(_), None) => {}
                }
            }
        }
        county
    }

    fn context(&self) -> Context {
        let last = self.records.last();
        Context {
            now: last.map_or(self.clock, |r| self.clock.max(r.recorded.plus_us(1))),
            seq: last.map_or(1, |r| r.seq + 1),
            actor: format!("token of {}", self.person).into(),
            person: self.person.clone(),
            history: self.history,
        }
    }

    fn decided_in(&self, command: &CountyCommand, now: Instant) -> Option<Instant> {
        let span = decide::displaced(self.county.as_ref()?, command, now)?;
        let detainers = self.bookings.values().flat_map(|b| &b.detainers);
        detainers.flat_map(|d| &d.decisions).map(|d| d.at.effective).filter(|at| span.contains(*at)).max()
    }
}

/// Commands in few words. The time of what happened comes last; what is recorded is recorded when the clock says.
impl World {
    /// Adds a jail.
    pub fn facility(&mut self, id: &str, zone: Zone) {
        let new = NewFacility { id: FacilityId::trusted(id), name: id.into(), zone: Some(zone), city: "".into() };
        self.county(CountyCommand::CreateFacility(new)).expect("a facility");
    }

    /// Activates a rule.
    ///
    /// # Errors
    /// The refusal.
    pub fn switch(&mut self, revision: Revision, effective: Instant) -> Result<(), Refusal> {
        let id = Some(revision.id.clone());
        self.county(CountyCommand::Switch(Box::new(NewRevision { id, effective: Some(effective), revision })))
    }

    /// Makes a promise.
    ///
    /// # Errors
    /// The refusal.
    pub fn promise(&mut self, agreement: Agreement) -> Result<(), Refusal> {
        self.county(CountyCommand::CreateAgreement(agreement))
    }

    /// Sets a price.
    ///
    /// # Errors
    /// The refusal.
    pub fn price(&mut self, rate: Rate) -> Result<(), Refusal> {
        self.county(CountyCommand::SetRate(NewRate { id: Some(rate.id.clone()), rate }))
    }

    /// A stay begins, with charges under these ids; nothing where the bases are not known.
    ///
    /// # Errors
    /// The refusal.
    pub fn book(&mut self, booking: &str, subject: &str, bases: Option<&[&str]>, booked: Instant) -> Result<(), Refusal> {
        self.book_at(booking, subject, "jail", bases, booked)
    }

    /// A stay begins in a named jail.
    ///
    /// # Errors
    /// The refusal.
    pub fn book_at(
        &mut self,
        booking: &str,
        subject: &str,
        facility: &str,
        bases: Option<&[&str]>,
        booked: Instant,
    ) -> Result<(), Refusal> {
        let create = CreateBooking {
            booking: BookingId::trusted(booking),
            subject: SubjectId::trusted(subject),
            identity: None,
            booked,
            source: source(),
            facility: FacilityId::trusted(facility),
            bases: bases.map(|ids| ids.iter().map(|id| basis(id, booked)).collect()),
            facts: Vec::new(),
        };
        self.tell(booking, BookingCommand::Create(create))
    }

    /// A basis opens.
    ///
    /// # Errors
    /// The refusal.
    pub fn open(&mut self, booking: &str, id: &str, at: Instant) -> Result<(), Refusal> {
        self.tell(booking, BookingCommand::OpenBasis(basis(id, at)))
    }

    /// A basis closes.
    ///
    /// # Errors
    /// The refusal.
    pub fn close(&mut self, booking: &str, id: &str, reason: CloseReason, at: Instant) -> Result<(), Refusal> {
        let close = CloseBasis { basis: BasisId::trusted(id), at, reason, text: None, source: source() };
        self.tell(booking, BookingCommand::CloseBasis(close))
    }

    /// A request comes in, served at once where an instant is given.
    ///
    /// # Errors
    /// The refusal.
    pub fn receive(
        &mut self,
        booking: &str,
        id: &str,
        form: Form,
        served: Option<Instant>,
        received: Instant,
    ) -> Result<(), Refusal> {
        self.tell(booking, BookingCommand::RecordDetainer(request(id, form, served, received)))
    }

    /// A copy is given to the subject.
    ///
    /// # Errors
    /// The refusal.
    pub fn serve(&mut self, booking: &str, id: &str, at: Instant) -> Result<(), Refusal> {
        let serve = Serve { detainer: DetainerId::trusted(id), service: service(at) };
        self.tell(booking, BookingCommand::Serve(serve))
    }

    /// The issuing agency withdraws a request.
    ///
    /// # Errors
    /// The refusal.
    pub fn lift(&mut self, booking: &str, id: &str, at: Instant) -> Result<(), Refusal> {
        let lift = LiftDetainer { detainer: DetainerId::trusted(id), at, reason: LiftReason::Lifted, source: source() };
        self.tell(booking, BookingCommand::Lift(lift))
    }

    /// A fact is recorded.
    ///
    /// # Errors
    /// The refusal.
    pub fn fact(&mut self, booking: &str, fact: Fact, at: Instant) -> Result<(), Refusal> {
        self.tell(booking, BookingCommand::UpdateFacts(vec![NewFact { at, source: source(), fact }]))
    }

    /// The person moves to another jail.
    ///
    /// # Errors
    /// The refusal.
    pub fn transfer(&mut self, booking: &str, facility: &str, at: Instant) -> Result<(), Refusal> {
        let to = MoveBooking { facility: FacilityId::trusted(facility), at: Some(at), source: source() };
        self.tell(booking, BookingCommand::Move(to))
    }

    /// Custody ends.
    ///
    /// # Errors
    /// The refusal.
    pub fn end(&mut self, booking: &str, kind: EndKind, at: Option<Instant>) -> Result<(), Refusal> {
        self.tell(booking, BookingCommand::End(EndBooking { kind, at, agency: None, officer: None, source: source() }))
    }

    /// A correction is made, or proposed where it needs a second person. What it has to name as recorded besides an
    /// instant is filled in.
    ///
    /// # Errors
    /// The refusal.
    pub fn correct(&mut self, booking: &str, mut correction: Correction) -> Result<(), Refusal> {
        let state = self.booking(booking);
        match correction.fact {
            CorrectedFact::Ending => correction.old_end_kind = state.ending.as_ref().map(|e| e.kind),
            CorrectedFact::Arrival => {
                let arrived = state.arrivals.iter().find(|a| Some(a.at.effective) == correction.old);
                correction.old_facility = arrived.map(|a| a.facility.clone());
            }
            CorrectedFact::FactChanged => {
                let fact = state.facts.iter().find(|f| f.n.to_string() == *correction.subject);
                correction.old_fact = fact.map(|f| f.fact.clone());
            }
            _ => {}
        }
        self.tell(booking, BookingCommand::Correct(correction))
    }

    /// The second person confirms the last proposal of a booking.
    ///
    /// # Errors
    /// The refusal.
    pub fn confirm_last(&mut self, booking: &str) -> Result<(), Refusal> {
        let id = self.booking(booking).proposals.last().map_or_else(|| ProposalId::trusted("none"), |p| p.id.clone());
        self.tell(booking, BookingCommand::Confirm(id))
    }
}
