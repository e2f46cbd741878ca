//! A county and its bookings in memory, and what a command does to them: records without a database.

use crate::domain::booking::{Booking, PostingCause};
use crate::domain::command::{BookingCommand, CountyCommand, Follow};
use crate::domain::county::County;
use crate::domain::decide::{self, Affected, Context};
use crate::domain::decision::{Outcome, Trigger};
use crate::domain::event::Event;
use crate::domain::evolve;
use crate::domain::ids::{BookingId, CountyId};
use crate::domain::refusal::{Refusal, Why};
use crate::domain::settling;
use crate::domain::time::Instant;
use crate::journal::record::{Record, Stream};
use crate::ledger::{Call, Command, Followed, LedgerError};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How many bookings one command may touch.
const MOST: usize = 100_000;

/// A county as it is after its last record.
#[derive(Clone, Debug, Default)]
pub(super) struct World {
    pub county: Option<Arc<County>>,
    pub bookings: BTreeMap<BookingId, Arc<Booking>>,
    pub seq: i64,
    pub recorded: Option<Instant>,
}

/// One record in the making.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub stream: Stream,
    pub seq: i64,
    pub recorded: Instant,
    pub events: Vec<Event>,
}

/// A command under way.
pub(super) struct Run<'a> {
    pub world: World,
    pub drafts: Vec<Draft>,
    pub call: &'a Call,
    pub clock: Instant,
}

impl World {
    /// Folds one recorded record into the state.
    pub fn fold(&mut self, record: &Record) {
        self.apply(&record.stream, record.seq, record.recorded, &record.events);
    }

    fn apply(&mut self, stream: &Stream, seq: i64, recorded: Instant, events: &[Event]) {
        match stream {
            Stream::County => {
                let mut county = self.county.take().map(Arc::unwrap_or_clone);
                for event in events {
                    county = evolve::county(county, seq, event);
                }
                self.county = county.map(Arc::new);
            }
            Stream::Booking(id) => {
                let mut booking = self.bookings.remove(id).map(Arc::unwrap_or_clone);
                let mut county = self.county.take().map(Arc::unwrap_or_clone);
                for event in events {
                    booking = evolve::booking(booking, seq, event);
                    if let Some(county) = county.as_mut() {
                        evolve::shared(county, event);
                    }
                }
                self.county = county.map(Arc::new);
                if let Some(booking) = booking {
                    self.bookings.insert(id.clone(), Arc::new(booking));
                }
            }
        }
        self.seq = seq;
        self.recorded = Some(recorded);
    }

    /// The etag of what a command changes; nothing where it is not there or has none.
    fn etag(&self, command: &Command) -> Option<i64> {
        let county = self.county.as_ref()?;
        match command {
            Command::Booking(id, _) => self.bookings.get(id).map(|booking| booking.seq),
            Command::County(command) => match command {
                CountyCommand::UpdateFacility(change) => county.facilities.get(&change.id).map(|one| one.seq),
                CountyCommand::SetCalendar(set) => county.calendars.get(&set.id).map(|one| one.seq),
                CountyCommand::AmendAgreement(set) => county.agreements.get(&set.id).map(|one| one.seq),
                CountyCommand::TerminateAgreement(id, _) => county.agreements.get(id).map(|one| one.seq),
                CountyCommand::Switch(_) => Some(county.policy_seq),
                _ => Some(county.seq),
            },
        }
    }
}

impl Run<'_> {
    /// Does a command and all that follows from it.
    pub fn command(&mut self, command: &Command) -> Result<(), LedgerError> {
        let current = self.world.etag(command);
        if self.call.etag.is_some_and(|seen| current.is_some_and(|current| current != seen)) {
            return Err(Refusal::new(Why::StaleEtag, "etag", "it has changed since: read it again and decide again").into());
        }
        let done = self.world.clone();
        self.settle_due()?;
        let recorded = match command {
            Command::County(command) => self.county(command)?,
            Command::Booking(id, command) => self.booking(id, command)?,
        };
        if !recorded {
            self.world = done;
            self.drafts.clear();
        }
        Ok(())
    }

    fn context(&self) -> Context {
        Context {
            now: self.world.recorded.map_or(self.clock, |last| self.clock.max(last.plus_us(1))),
            seq: self.world.seq + 1,
            actor: self.call.actor.clone(),
            person: self.call.person.clone(),
            history: self.call.history,
        }
    }

    fn record(&mut self, stream: Stream, ctx: &Context, events: Vec<Event>) {
        self.world.apply(&stream, ctx.seq, ctx.now, &events);
        self.drafts.push(Draft { stream, seq: ctx.seq, recorded: ctx.now, events });
    }

    fn county(&mut self, command: &CountyCommand) -> Result<bool, LedgerError> {
        let ctx = self.context();
        let county = self.world.county.clone();
        let decided = county.as_ref().and_then(|county| self.decided_in(county, command, ctx.now));
        let answer = decide::county(county.as_deref(), decided, command, &ctx)?;
        if answer.events.is_empty() {
            return Ok(false);
        }
        self.record(Stream::County, &ctx, answer.events);
        if let Some(affected) = answer.affected {
            self.fan_out(&affected)?;
        }
        Ok(true)
    }

    fn decided_in(&self, county: &County, command: &CountyCommand, now: Instant) -> Option<Instant> {
        let span = decide::displaced(county, command, now)?;
        let detainers = self.world.bookings.values().flat_map(|booking| &booking.detainers);
        detainers.flat_map(|d| &d.decisions).map(|d| d.at.effective).filter(|at| span.contains(*at)).max()
    }

    fn booking(&mut self, id: &BookingId, command: &BookingCommand) -> Result<bool, LedgerError> {
        let ctx = self.context();
        let Some(before) = self.world.county.clone() else {
            return Err(Refusal::new(Why::NotFound, "county", "there is no such county").into());
        };
        let state = self.world.bookings.get(id).cloned();
        let subject = match command {
            BookingCommand::Create(create) => Some(&create.subject),
            _ => state.as_ref().map(|booking| &booking.subject),
        };
        let others = self.world.bookings.values().filter(|other| Some(&other.subject) == subject && other.id != *id);
        let earlier: Vec<_> = others.map(|other| decide::earlier_stay(other)).collect();
        let events = decide::booking(&before, state.as_deref(), &earlier, command, &ctx)?;
        if events.is_empty() {
            return Ok(false);
        }
        self.record(Stream::Booking(id.clone()), &ctx, events);
        let turned = self.world.county.as_ref().map(|after| settling::balances_turned(&before, after)).unwrap_or_default();
        for agreement in turned {
            let at = self.context().now;
            let trigger = Some((Trigger::Balance(agreement), at));
            let cause = PostingCause::Agreement;
            self.fan_out(&Affected { open_detainers: true, since: at, costs_since: None, trigger, cause })?;
        }
        Ok(true)
    }

    /// Reservations and returns that have come due, the earliest first (DOMAIN.md §10.25).
    fn settle_due(&mut self) -> Result<(), LedgerError> {
        for _ in 0..1_000 {
            let now = self.context().now;
            let Some(county) = self.world.county.clone() else { return Ok(()) };
            let all = self.world.bookings.values();
            let due = all.filter_map(|b| settling::due(&county, b, now).map(|at| (at, b.id.clone()))).min();
            let Some((_, id)) = due else { return Ok(()) };
            let follow = BookingCommand::Follow(Follow { trigger: None, cause: PostingCause::Agreement });
            if !self.booking(&id, &follow)? {
                return Ok(());
            }
        }
        Err(LedgerError::Defect("balances never come to rest"))
    }

    fn fan_out(&mut self, affected: &Affected) -> Result<(), LedgerError> {
        let Some(county) = self.world.county.clone() else { return Ok(()) };
        let all = self.world.bookings.values();
        let ids: Vec<BookingId> = all.filter(|b| decide::follows(&county, affected, b)).map(|b| b.id.clone()).collect();
        if ids.len() > MOST {
            let detail = format!("{} bookings would follow; one command takes {MOST}", ids.len());
            return Err(Refusal::new(Why::TooManyAffected, "", detail).into());
        }
        let follow = BookingCommand::Follow(Follow { trigger: affected.trigger.clone(), cause: affected.cause });
        for id in ids {
            self.booking(&id, &follow)?;
        }
        Ok(())
    }
}

/// Bookings that a command touched.
pub(super) fn touched(drafts: &[Draft]) -> BTreeSet<BookingId> {
    let of = |draft: &Draft| if let Stream::Booking(id) = &draft.stream { Some(id.clone()) } else { None };
    drafts.iter().filter_map(of).collect()
}

/// What following bookings did between two states.
pub(super) fn followed(before: &World, after: &World, drafts: &[Draft]) -> Followed {
    let mut count = Followed::default();
    let honored = |world: &World, id: &BookingId, n: usize| {
        let detainer = world.bookings.get(id).and_then(|b| b.detainers.get(n)).and_then(|d| d.decisions.last());
        detainer.is_some_and(|decision| decision.outcome == Outcome::Honor)
    };
    for id in touched(drafts) {
        let Some(booking) = after.bookings.get(&id) else { continue };
        for (n, detainer) in booking.detainers.iter().enumerate() {
            let known = before.bookings.get(&id).and_then(|b| b.detainers.get(n)).map_or(0, |d| d.decisions.len());
            count.decided += i64::from(detainer.decisions.len() > known);
            let (was, is) = (honored(before, &id, n), honored(after, &id, n));
            count.to_honor += i64::from(!was && is);
            count.from_honor += i64::from(was && !is);
        }
        let old = before.bookings.get(&id).map(|b| b.custody.holds.as_slice()).unwrap_or_default();
        let ended = old.iter().zip(&booking.custody.holds).filter(|(old, new)| new.until < old.until).count();
        count.holds_ended += i64::try_from(ended).unwrap_or(i64::MAX);
    }
    count
}

/// The record of a draft.
pub(super) fn sealed_record(draft: Draft, county: &CountyId, call: &Call, first: i64, last: i64) -> Record {
    Record {
        format: crate::journal::record::FORMAT,
        county: county.clone(),
        seq: draft.seq,
        first_seq: first,
        last_seq: last,
        stream: draft.stream,
        recorded: draft.recorded,
        actor: call.actor.clone(),
        person: call.person.clone(),
        method: call.method.into(),
        request: None,
        history: call.history,
        events: draft.events,
    }
}
