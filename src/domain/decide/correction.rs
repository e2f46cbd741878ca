//! A recorded fact was wrong: the fact, its old value, its new one, the source and, where custody would last longer, a
//! second person (DOMAIN.md §4 *Late facts*, §5 *Reviews and overrides*).

use super::super::authority::{self, Known};
use super::super::booking::{Booking, CorrectedFact, Correction, PostingCause, Proposal};
use super::super::command::EarlierStay;
use super::super::county::County;
use super::super::deciding::Moment;
use super::super::decision::Trigger;
use super::super::event::{Confirmed, Event};
use super::super::evolve;
use super::super::ids::{BasisId, DetainerId, ProposalId};
use super::super::refusal::{Refusal, Why};
use super::super::time::{Instant, Span};
use super::booking::{fits, free_basis, known_facility};
use super::{Context, PROPOSAL_US, consequences, inheritance, missing, not_before, overriding};

/// Applies a correction that shortens or leaves alone what may be held; otherwise proposes it to a second person.
pub(super) fn propose_or_apply(
    county: &County,
    booking: &Booking,
    others: &[EarlierStay],
    wrong: &Correction,
    ctx: &Context,
) -> Result<Vec<Event>, Refusal> {
    let mut correction = Correction { stamp: ctx.moment().stamp(ctx.now), ..wrong.clone() };
    if correction.fact == CorrectedFact::BasisAdded && correction.subject.is_empty() {
        correction.subject = free_basis(booking).as_str().into();
    }
    if let Some(facility) = &correction.facility {
        known_facility(county, "facility", facility)?;
    }
    check(booking, others, &correction, ctx)?;
    if !lengthens(county, booking, others, &correction, ctx)? {
        return Ok(vec![Event::Corrected(correction)]);
    }
    let proposal = Proposal {
        id: ProposalId::trusted(&ctx.seq.to_string()),
        person: ctx.person.clone(),
        actor: ctx.actor.clone(),
        proposed: ctx.now,
        expires: ctx.now.plus_us(PROPOSAL_US),
        confirmed: None,
        confirmed_by: None,
        correction: Some(correction),
        switch: None,
        overriding: None,
    };
    Ok(vec![Event::Proposed(proposal)])
}

/// Whether, with everything that would follow, a known T0 or deadline, or known authority, would move later.
fn lengthens(
    county: &County,
    booking: &Booking,
    others: &[EarlierStay],
    correction: &Correction,
    ctx: &Context,
) -> Result<bool, Refusal> {
    let mut after = booking.clone();
    evolve::apply(&mut after, &Event::Corrected(correction.clone()));
    if let Some(carried) = inheritance::carried_over(county, &after, others, true, ctx.now) {
        evolve::apply(&mut after, &carried);
    }
    let moment = Moment { changed: &Trigger::Correction, ..ctx.moment() };
    consequences(county, &mut after, &moment, Known::Corrected, PostingCause::Correction, &mut Vec::new())?;
    let (before, after) = (&booking.custody, &after.custody);
    Ok(authority::moves_later(before, after) || authority::lasts_longer(before, after))
}

/// The second person's act.
pub(super) fn confirm(
    county: &County,
    booking: &Booking,
    others: &[EarlierStay],
    id: &ProposalId,
    ctx: &Context,
) -> Result<Vec<Event>, Refusal> {
    let proposal = open_proposal(&booking.proposals, id, ctx)?;
    if let Some(act) = &proposal.overriding {
        return overriding::confirm(county, booking, act, ctx);
    }
    let correction = proposal.correction.clone().ok_or_else(|| missing("proposal", id.as_str()))?;
    check(booking, others, &correction, ctx)?;
    let correction = Correction { stamp: ctx.moment().stamp(ctx.now), ..correction };
    Ok(vec![confirmed(id, ctx), Event::Corrected(correction)])
}

pub(super) fn confirmed(id: &ProposalId, ctx: &Context) -> Event {
    Event::Confirmed(Confirmed { proposal: id.clone(), at: ctx.now, actor: ctx.actor.clone(), person: ctx.person.clone() })
}

/// A proposal that this person may confirm now.
pub(super) fn open_proposal<'a>(proposals: &'a [Proposal], id: &ProposalId, ctx: &Context) -> Result<&'a Proposal, Refusal> {
    let proposal = proposals.iter().find(|p| p.id == *id).ok_or_else(|| missing("proposal", id.as_str()))?;
    if proposal.confirmed.is_some() {
        return Err(Refusal::new(Why::ProposalConfirmed, "name", format!("proposal {id} was confirmed already")));
    }
    if ctx.now >= proposal.expires {
        let detail = format!("proposal {id} could be confirmed until {}", proposal.expires);
        return Err(Refusal::new(Why::ProposalExpired, "name", detail));
    }
    if proposal.person == ctx.person {
        let detail = "the person who proposed cannot confirm; two credentials of one person are one";
        return Err(Refusal::new(Why::SecondPersonRequired, "name", detail));
    }
    Ok(proposal)
}

/// The named fact exists, has the old value named, and the new one can be.
fn check(booking: &Booking, others: &[EarlierStay], wrong: &Correction, ctx: &Context) -> Result<(), Refusal> {
    for at in [wrong.new, wrong.closed].into_iter().flatten() {
        ctx.not_ahead("new_time", at)?;
    }
    let on_record = recorded(booking, wrong)?;
    if on_record != wrong.old {
        let says = on_record.map_or_else(|| "nothing".to_owned(), |at| at.to_string());
        return Err(Refusal::new(Why::OldValueDiffers, "old_time", format!("the value on record is {says}")));
    }
    other_old_values(booking, wrong)?;
    let never = matches!(wrong.fact, CorrectedFact::BookedTime | CorrectedFact::BasisOpened | CorrectedFact::Received);
    if wrong.new.is_none() && (never || wrong.fact == CorrectedFact::BasisAdded) {
        return Err(Refusal::new(Why::Invalid, "new_time", "this fact needs a time"));
    }
    in_order(booking, wrong)?;
    apart(booking, others, wrong)
}

/// What a correction names as recorded besides an instant.
fn other_old_values(booking: &Booking, wrong: &Correction) -> Result<(), Refusal> {
    let differs = |field, says: String| Err(Refusal::new(Why::OldValueDiffers, field, format!("on record is {says}")));
    match wrong.fact {
        CorrectedFact::Ending => match booking.ending.as_ref().map(|e| e.kind) {
            on_record if on_record == wrong.old_end_kind => Ok(()),
            on_record => differs("old_kind", on_record.map_or_else(|| "no end".to_owned(), |kind| format!("{kind:?}"))),
        },
        CorrectedFact::Arrival => {
            let arrived = |old: Instant| booking.arrivals.iter().filter(|a| a.at.effective == old).max_by_key(|a| a.at.seq);
            let on_record = wrong.old.and_then(arrived).map(|a| &a.facility);
            if on_record != wrong.old_facility.as_ref() {
                return differs("old_facility", on_record.map_or_else(|| "no move".to_owned(), ToString::to_string));
            }
            if wrong.old == Some(booking.booked.effective) && wrong.new != wrong.old {
                let detail = "the person was somewhere from the booking on: name another facility, or correct the booked time";
                return Err(Refusal::new(Why::Invalid, "new_time", detail));
            }
            Ok(())
        }
        CorrectedFact::FactChanged => {
            let on_record = booking.facts.iter().find(|f| f.n.to_string() == *wrong.subject).map(|f| &f.fact);
            if on_record == wrong.old_fact.as_ref() { Ok(()) } else { differs("old_fact", "another fact".to_owned()) }
        }
        _ => Ok(()),
    }
}

/// Stays of one subject never overlap, also as corrected.
fn apart(booking: &Booking, others: &[EarlierStay], wrong: &Correction) -> Result<(), Refusal> {
    let stay = match (wrong.fact, wrong.new) {
        (CorrectedFact::BookedTime, Some(at)) => Span::new(at, booking.ended()),
        (CorrectedFact::Ending, end) => Span::new(booking.booked.effective, end.unwrap_or(Instant::FAR)),
        _ => return Ok(()),
    };
    match others.iter().find(|other| other.stay.meet(&stay).is_some()) {
        Some(other) => {
            let detail = format!("it would overlap the subject's stay {}: stays of one subject never overlap", other.booking);
            Err(Refusal::new(Why::StayOverlaps, "new_time", detail))
        }
        None => Ok(()),
    }
}

fn in_order(booking: &Booking, wrong: &Correction) -> Result<(), Refusal> {
    let Some(new) = wrong.new else { return Ok(()) };
    let booked = booking.booked.effective;
    match wrong.fact {
        CorrectedFact::BookedTime => {
            let first = booking.bases.iter().map(|b| b.opened.effective).min().unwrap_or(Instant::FAR);
            let first = first.min(booking.ended());
            if new > first {
                return Err(Refusal::new(
                    Why::TimeOutOfOrder,
                    "new_time",
                    format!("{new} is after {first}, when a basis opened or custody ended"),
                ));
            }
            Ok(())
        }
        CorrectedFact::BasisOpened => {
            not_before("new_time", new, booked, "the booking")?;
            let closed = booking.basis(&BasisId::trusted(&wrong.subject)).and_then(|b| b.closed.as_ref());
            closed.map_or(Ok(()), |c| not_before("new_time", c.at.effective, new, "the new opening"))
        }
        CorrectedFact::BasisClosed => {
            let opened = booking.basis(&BasisId::trusted(&wrong.subject)).map_or(booked, |b| b.opened.effective);
            not_before("new_time", new, opened, "the basis opened")
        }
        CorrectedFact::BasisAdded => {
            not_before("new_time", new, booked, "the booking")?;
            wrong.closed.map_or(Ok(()), |closed| not_before("closed_time", closed, new, "the basis opened"))
        }
        CorrectedFact::Arrival | CorrectedFact::Ending => not_before("new_time", new, booked, "the booking"),
        CorrectedFact::Served | CorrectedFact::Lifted => {
            let received = booking.detainer(&DetainerId::trusted(&wrong.subject)).map_or(booked, |d| d.received.effective);
            not_before("new_time", new, received, "the form was received")
        }
        CorrectedFact::Received => {
            let detainer = booking.detainer(&DetainerId::trusted(&wrong.subject));
            let served = detainer.and_then(|d| d.service.as_ref()).map_or(Instant::FAR, |s| s.at.effective);
            let ended = detainer.map_or(Instant::FAR, super::super::detainer::Detainer::ended);
            not_before("new_time", served.min(ended).min(booking.ended()), new, "the new receipt")
        }
        CorrectedFact::BasisVoided | CorrectedFact::FactChanged => Ok(()),
    }
}

/// The value on record of the fact a correction names.
fn recorded(booking: &Booking, wrong: &Correction) -> Result<Option<Instant>, Refusal> {
    let subject = &*wrong.subject;
    let basis = || booking.basis(&BasisId::trusted(subject)).ok_or_else(|| missing("basis", subject));
    let detainer = || booking.detainer(&DetainerId::trusted(subject)).ok_or_else(|| missing("detainer", subject));
    Ok(match wrong.fact {
        CorrectedFact::BookedTime => Some(booking.booked.effective),
        CorrectedFact::BasisOpened | CorrectedFact::BasisVoided => Some(basis()?.opened.effective),
        CorrectedFact::BasisClosed => basis()?.closed.as_ref().map(|c| c.at.effective),
        CorrectedFact::BasisAdded => {
            if booking.basis(&BasisId::trusted(subject)).is_some() {
                let detail = format!("basis {subject} exists already in this booking");
                return Err(Refusal::new(Why::IdTaken, "subject", detail));
            }
            fits(booking.bases.len(), "subject")?;
            None
        }
        CorrectedFact::Arrival => match wrong.old {
            Some(old) if booking.arrivals.iter().any(|a| a.at.effective == old) => Some(old),
            _ => None,
        },
        CorrectedFact::Ending => booking.ending.as_ref().map(|e| e.at.effective),
        CorrectedFact::Received => Some(detainer()?.received.effective),
        CorrectedFact::Served => detainer()?.service.as_ref().map(|s| s.at.effective),
        CorrectedFact::Lifted => detainer()?.lift.as_ref().map(|l| l.at.effective),
        CorrectedFact::FactChanged => {
            let fact = booking.facts.iter().find(|f| f.n.to_string() == subject);
            Some(fact.ok_or_else(|| missing("fact", subject))?.at.effective)
        }
    })
}
