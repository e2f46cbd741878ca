//! One command under way: what it asks, what was due before it, and all that follows from it.

use super::sink::Draft;
use super::{Turn, Work, subject_of};
use crate::domain::booking::{Booking, PostingCause};
use crate::domain::command::{BookingCommand, CountyCommand, EarlierStay, Follow};
use crate::domain::county::County;
use crate::domain::decide::{self, Affected, Context, CountyAnswer};
use crate::domain::decision::Trigger;
use crate::domain::event::Event;
use crate::domain::evolve;
use crate::domain::ids::{BookingId, SubjectId};
use crate::domain::impact::Impact;
use crate::domain::refusal::{Refusal, Why};
use crate::domain::settling;
use crate::domain::time::Instant;
use crate::journal::record::Stream;
use crate::ledger::load::Reader;
use crate::ledger::memory::apply_shared;
use crate::ledger::{Call, Command, LedgerError};
use futures_util::future::BoxFuture;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

/// How many bookings one command may touch.
const MOST: usize = 100_000;
/// Bookings looked at together when many may have to follow.
const CHUNK: usize = 1_000;

/// A command under way.
pub(super) struct Run<'r, 'a> {
    pub(super) turn: &'r mut Turn<'a>,
    pub(super) work: &'r mut Work,
    pub(super) call: &'r Call,
    pub(super) clock: Instant,
    pub(super) drafts: Vec<Draft>,
    pub(super) undo: Undo,
    /// What bookings that followed a county's command have become, or would become.
    pub(super) impact: Impact,
}

/// What a command changed, as it was.
pub(super) struct Undo {
    pub(super) county: Option<Arc<County>>,
    pub(super) since: i64,
    pub(super) seq: i64,
    pub(super) recorded: Option<Instant>,
    pub(super) bookings: BTreeMap<BookingId, Option<Arc<Booking>>>,
}

impl Undo {
    pub(super) fn at(work: &Work) -> Self {
        let Work { county, since, seq, recorded, .. } = work;
        Self { county: county.clone(), since: *since, seq: *seq, recorded: *recorded, bookings: BTreeMap::new() }
    }

    /// As if nothing had been asked.
    pub(super) fn restore(&self, work: &mut Work) {
        let same = |old: &Option<Arc<County>>, new: &Option<Arc<County>>| match (old, new) {
            (Some(old), Some(new)) => Arc::ptr_eq(old, new),
            (old, new) => old.is_none() && new.is_none(),
        };
        if !same(&self.county, &work.county) {
            // Budgets may be others again.
            work.settle = None;
        }
        work.county.clone_from(&self.county);
        (work.since, work.seq, work.recorded) = (self.since, self.seq, self.recorded);
        for (id, booking) in &self.bookings {
            if let Some(settle) = &mut work.settle {
                settle.set(id, booking.as_deref().and_then(settling::pending));
            }
            work.bookings.insert(id.clone(), booking.clone());
        }
    }
}

/// Runs a piece of the domain; a panic is the command's own misfortune.
fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, LedgerError> {
    std::panic::catch_unwind(AssertUnwindSafe(work)).map_err(|_| LedgerError::Defect("a command panicked"))
}

impl Run<'_, '_> {
    /// Does a command and all that follows from it; whether anything was recorded.
    pub(super) async fn command(&mut self, command: &Command) -> Result<bool, LedgerError> {
        if let Command::Booking(id, _) = command {
            self.turn.load(self.work, std::slice::from_ref(id)).await?;
        }
        let current = etag(self.work, command);
        if self.call.etag.is_some_and(|seen| current.is_some_and(|current| current != seen)) {
            return Err(Refusal::new(Why::StaleEtag, "etag", "it has changed since: read it again and decide again").into());
        }
        self.settle_due().await?;
        match command {
            Command::County(command) => self.county(command).await,
            Command::Booking(id, command) => {
                let recorded = self.booking(id, command).await?;
                // Whoever asks only that what is due be settled has got that, also where nothing is left to follow.
                Ok(recorded || (matches!(command, BookingCommand::Follow(_)) && !self.drafts.is_empty()))
            }
        }
    }

    fn context(&self) -> Context {
        Context {
            now: self.work.recorded.map_or(self.clock, |last| self.clock.max(last.plus_us(1))),
            seq: self.work.seq + 1,
            actor: self.call.actor.clone(),
            person: self.call.person.clone(),
            history: self.call.history,
        }
    }

    /// Folds a new record into the state.
    fn record(&mut self, stream: Stream, ctx: &Context, events: Vec<Event>) -> Result<(), LedgerError> {
        let work = &mut *self.work;
        guarded(|| apply_shared(&mut work.county, ctx.seq, &stream, &events))?;
        match &stream {
            Stream::County => {
                if events.iter().any(|event| matches!(event, Event::AgreementSet(_))) {
                    work.settle = None;
                }
            }
            Stream::Booking(id) => {
                let before = work.bookings.get(id).cloned().flatten();
                self.undo.bookings.entry(id.clone()).or_insert_with(|| before.clone());
                let after = guarded(|| {
                    let start = before.as_deref().cloned();
                    events.iter().fold(start, |state, event| evolve::booking(state, ctx.seq, event))
                })?;
                let after = after.ok_or(LedgerError::Defect("a booking's record without a booking"))?;
                if let Some(settle) = &mut work.settle {
                    settle.put(&after);
                }
                work.bookings.insert(id.clone(), Some(Arc::new(after)));
            }
        }
        (work.seq, work.recorded) = (ctx.seq, Some(ctx.now));
        self.drafts.push(Draft { stream, seq: ctx.seq, recorded: ctx.now, events });
        if self.drafts.len() > MOST + 1 {
            let detail = format!("more than {MOST} bookings would follow: one command takes no more");
            return Err(Refusal::new(Why::TooManyAffected, "", detail).into());
        }
        Ok(())
    }

    async fn county(&mut self, command: &CountyCommand) -> Result<bool, LedgerError> {
        let ctx = self.context();
        let county = self.work.county.clone();
        let span = match &county {
            Some(county) => guarded(|| decide::displaced(county, command, ctx.now))?,
            None => None,
        };
        let decided = match span {
            Some(span) => {
                self.turn.flush().await?;
                let stored = Reader::Tx(&mut self.turn.tx).decided_in(&self.work.id, span).await?;
                let here = self.undo.bookings.keys().filter_map(|id| self.work.bookings.get(id)?.as_deref());
                let here = here.flat_map(|booking| &booking.detainers).flat_map(|d| &d.decisions);
                here.map(|d| d.at.effective).filter(|at| span.contains(*at)).chain(stored).max()
            }
            None => None,
        };
        let answer = guarded(|| decide::county(county.as_deref(), decided, command, &ctx))??;
        if answer.events.is_empty() {
            return Ok(false);
        }
        let previewed = matches!(command, CountyCommand::Switch(_) | CountyCommand::Activate(..));
        let required = county.is_some_and(|county| county.profile.preview_required);
        if previewed && required && self.call.preview.is_none() && !self.call.validate_only {
            let detail = "is required: this county previews every switch; take it from PreviewPolicyRevision";
            return Err(Refusal::new(Why::PreviewRequired, "preview_digest", detail).into());
        }
        let waits = answer.proposed.is_some();
        match answer.proposed {
            // What would follow is worked out, compared, and forgotten: the second person's act will do it.
            Some(would) => {
                let (outer, drafts) = (std::mem::replace(&mut self.undo, Undo::at(self.work)), std::mem::take(&mut self.drafts));
                let done = self.followed_by(&ctx, *would, outer.bookings.keys().cloned().collect()).await;
                self.undo.restore(self.work);
                (self.undo, self.drafts) = (outer, drafts);
                done?;
                self.record(Stream::County, &ctx, answer.events)?;
            }
            None => {
                let outer = std::mem::replace(&mut self.undo, Undo::at(self.work));
                let done = self.followed_by(&ctx, answer, outer.bookings.keys().cloned().collect()).await;
                let inner = std::mem::replace(&mut self.undo, outer);
                for (id, before) in inner.bookings {
                    self.undo.bookings.entry(id).or_insert(before);
                }
                done?;
            }
        }
        if let Some(seen) = self.call.preview.filter(|seen| previewed && *seen != self.impact.digest()) {
            let short = |digest: &[u8]| digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect::<String>();
            let detail = format!(
                "the switch would do something else than its preview said (digest {}..., now {}...): preview it again",
                short(&seen),
                short(&self.impact.digest())
            );
            return Err(Refusal::new(Why::PreviewDiffers, "preview_digest", detail).into());
        }
        if waits && !self.call.validate_only {
            self.impact = Impact::default();
        }
        Ok(true)
    }

    /// Records a county's own events and all that follows from them, and notes what has become of the bookings.
    /// `also` are bookings that this command changed before.
    async fn followed_by(&mut self, ctx: &Context, answer: CountyAnswer, also: Vec<BookingId>) -> Result<(), LedgerError> {
        self.record(Stream::County, ctx, answer.events)?;
        if let Some(affected) = answer.affected {
            self.fan_out(&affected, also).await?;
        }
        let work = &*self.work;
        let touched = self.undo.bookings.iter().filter_map(|(id, before)| {
            let after = work.bookings.get(id).and_then(Option::as_deref)?;
            Some((before.as_deref(), after))
        });
        self.impact = Impact::of(touched);
        Ok(())
    }

    /// Boxed, for what follows from a booking's command may be other bookings' commands.
    fn booking<'s>(&'s mut self, id: &'s BookingId, command: &'s BookingCommand) -> BoxFuture<'s, Result<bool, LedgerError>> {
        Box::pin(async move {
            let ctx = self.context();
            let Some(before) = self.work.county.clone() else {
                return Err(Refusal::new(Why::NotFound, "county", "there is no such county").into());
            };
            self.turn.load(self.work, std::slice::from_ref(id)).await?;
            let state = self.work.bookings.get(id).cloned().flatten();
            let earlier = self.earlier(id, state.as_deref(), command).await?;
            let events = guarded(|| decide::booking(&before, state.as_deref(), &earlier, command, &ctx))??;
            if events.is_empty() {
                return Ok(false);
            }
            self.record(Stream::Booking(id.clone()), &ctx, events)?;
            let turned = match &self.work.county {
                Some(after) if !Arc::ptr_eq(&before, after) => settling::balances_turned(&before, after),
                _ => Vec::new(),
            };
            for agreement in turned {
                let at = self.context().now;
                let trigger = Some((Trigger::Balance(agreement), at));
                let cause = PostingCause::Agreement;
                self.fan_out(&Affected { open_detainers: true, since: at, costs_since: None, trigger, cause }, Vec::new())
                    .await?;
            }
            let after = self.work.bookings.get(id).cloned().flatten();
            if let (Some(before), Some(after)) = (state, after)
                && guarded(|| decide::passes_on(&before, &after))?
            {
                let later = |other: &Arc<Booking>| other.booked.effective > after.booked.effective;
                let mut stays: Vec<Arc<Booking>> = self.other_stays(id, &after.subject).await?;
                stays.retain(later);
                stays.sort_by_key(|other| (other.booked.effective, other.id.clone()));
                for stay in stays {
                    self.booking(&stay.id, &BookingCommand::Inherit).await?;
                }
            }
            Ok(true)
        })
    }

    /// The other stays of the same subject, where the command looks at them.
    async fn earlier(
        &mut self,
        id: &BookingId,
        booking: Option<&Booking>,
        command: &BookingCommand,
    ) -> Result<Vec<EarlierStay>, LedgerError> {
        let Some(subject) = subject_of(command, booking).cloned() else { return Ok(Vec::new()) };
        let others = self.other_stays(id, &subject).await?;
        guarded(|| others.iter().map(|other| decide::earlier_stay(other)).collect())
    }

    /// The other stays of a subject, by id.
    async fn other_stays(&mut self, id: &BookingId, subject: &SubjectId) -> Result<Vec<Arc<Booking>>, LedgerError> {
        if !self.work.stays.contains_key(subject) {
            self.turn.load_stays(self.work, &BTreeSet::from([subject.clone()])).await?;
        }
        let of = |map: &BTreeMap<SubjectId, Vec<BookingId>>| map.get(subject).cloned().unwrap_or_default();
        let ids = of(&self.work.stays).into_iter().chain(of(&self.work.made)).filter(|other| other != id);
        let ids: Vec<BookingId> = ids.collect::<BTreeSet<_>>().into_iter().collect();
        // One that was only looked at may have been let go since.
        self.turn.load(self.work, &ids).await?;
        let work = &*self.work;
        Ok(ids.iter().filter_map(|other| work.bookings.get(other).cloned().flatten()).collect())
    }

    /// Reservations and returns that have come due, the earliest first (DOMAIN.md §10.25).
    async fn settle_due(&mut self) -> Result<(), LedgerError> {
        loop {
            let Some(county) = self.work.county.clone() else { return Ok(()) };
            if county.balances.is_empty() && county.agreements.values().all(|agreement| agreement.budget.is_none()) {
                return Ok(());
            }
            if self.work.settle.is_none() {
                self.turn.flush().await?;
                let mut settle = Reader::Tx(&mut self.turn.tx).unsettled(&self.work.id).await?;
                for id in self.undo.bookings.keys() {
                    if let Some(booking) = self.work.bookings.get(id).and_then(Option::as_deref) {
                        settle.put(booking);
                    }
                }
                self.work.settle = Some(settle);
            }
            let now = self.context().now;
            let Some(settle) = &self.work.settle else { return Ok(()) };
            let Some((at, id)) = settle.first().filter(|(at, _)| *at <= now).cloned() else { return Ok(()) };
            self.turn.load(self.work, std::slice::from_ref(&id)).await?;
            let booking = self.work.bookings.get(&id).and_then(Option::as_deref);
            let exact = guarded(|| booking.and_then(|booking| settling::next(&county, booking)))?;
            if exact != Some(at) {
                if let Some(settle) = &mut self.work.settle {
                    settle.set(&id, exact);
                }
                continue;
            }
            let follow = BookingCommand::Follow(Follow { trigger: None, cause: PostingCause::Agreement });
            if !self.booking(&id, &follow).await? {
                return Ok(());
            }
        }
    }

    async fn fan_out(&mut self, affected: &Affected, also: Vec<BookingId>) -> Result<(), LedgerError> {
        let Some(county) = self.work.county.clone() else { return Ok(()) };
        self.turn.flush().await?;
        let mut ids = Reader::Tx(&mut self.turn.tx).may_follow(&self.work.id, affected).await?;
        ids.extend(self.undo.bookings.keys().cloned().chain(also));
        let ids: Vec<BookingId> = ids.into_iter().collect();
        let follow = BookingCommand::Follow(Follow { trigger: affected.trigger.clone(), cause: affected.cause });
        for chunk in ids.chunks(CHUNK) {
            self.turn.load(self.work, chunk).await?;
            for id in chunk {
                let booking = self.work.bookings.get(id).and_then(Option::as_deref);
                if guarded(|| booking.is_some_and(|booking| decide::follows(&county, affected, booking)))? {
                    self.booking(id, &follow).await?;
                } else if !self.undo.bookings.contains_key(id) {
                    self.work.forget_unchanged(id);
                }
            }
        }
        Ok(())
    }
}

/// The etag of what a command changes; nothing where it is not there or has none.
fn etag(work: &Work, command: &Command) -> Option<i64> {
    let county = work.county.as_ref()?;
    match command {
        Command::Booking(id, _) => work.bookings.get(id)?.as_ref().map(|booking| booking.seq),
        Command::County(command) => match command {
            CountyCommand::UpdateFacility(change) => county.facilities.get(&change.id).map(|one| one.seq),
            CountyCommand::SetCalendar(set) => county.calendars.get(&set.id).map(|one| one.seq),
            CountyCommand::AmendAgreement(set) => county.agreements.get(&set.id).map(|one| one.seq),
            CountyCommand::TerminateAgreement(id, _) => county.agreements.get(id).map(|one| one.seq),
            CountyCommand::EnterClaim(id, _) => county.claims.get(id).map(|one| one.seq),
            CountyCommand::Switch(_) | CountyCommand::Activate(..) => Some(county.policy_seq),
            _ => Some(county.seq),
        },
    }
}
