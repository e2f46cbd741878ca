//! Commands about requests: receipt, the same paper twice, replacement, service, lifting, review, duties.

use super::super::booking::Booking;
use super::super::command::{
    AttachDocument, DeclineReview, EarlierStay, FormReading, LiftDetainer, NewService, RecordDetainer, RecordNotice, Serve,
};
use super::super::decision::Outcome;
use super::super::detainer::{
    Boxes, Detainer, Document, Done, Duty, Form, Lift, LiftReason, Replacement, ReviewDeclined, Service, form_key,
};
use super::super::event::{DeclinedOnReview, DocumentAttached, DutiesSet, Event, FormRead, Lifted, Replaced, Served};
use super::super::ids::DetainerId;
use super::super::refusal::{Refusal, Why};
use super::super::time::Instant;
use super::booking::{fits, free_number};
use super::{Context, inheritance, missing, not_before};

pub(super) fn record(
    booking: &Booking,
    earlier: &[EarlierStay],
    record: &RecordDetainer,
    ctx: &Context,
) -> Result<Vec<Event>, Refusal> {
    if same_paper(booking, record)?.is_some() {
        return Ok(Vec::new());
    }
    receivable(booking, record, ctx)?;
    let detainer = new_detainer(booking, earlier, record, ctx)?;
    let mut events = cancelled(booking, record, &detainer, ctx);
    events.insert(0, Event::DetainerRecorded(detainer));
    Ok(events)
}

fn receivable(booking: &Booking, record: &RecordDetainer, ctx: &Context) -> Result<(), Refusal> {
    ctx.not_ahead("received_time", record.received)?;
    if let Some((field, why)) = record.form.boxes.contradictions(record.form.edition).first() {
        return Err(Refusal::new(Why::Invalid, format!("form.{field}"), *why));
    }
    fits(booking.detainers.len(), "detainer")?;
    if record.received >= booking.ended() {
        let detail = format!("custody ended at {}", booking.ended());
        return Err(Refusal::new(Why::NotInCustody, "received_time", detail));
    }
    if let Some(service) = &record.service {
        check_service(service, record.received, ctx)?;
    }
    Ok(())
}

/// The detainer on record that is this very paper, if one is (DOMAIN.md §2 *The same paper twice*, §10.23).
pub(crate) fn same_paper(booking: &Booking, record: &RecordDetainer) -> Result<Option<DetainerId>, Refusal> {
    if let Some(known) = record.detainer.as_ref().and_then(|id| booking.detainer(id)) {
        if content(&known.as_it_came()) == content(&record.form) && known.received.effective == record.received {
            return Ok(Some(known.id.clone()));
        }
        let detail = format!("detainer {} exists already in this booking, with other content", known.id);
        return Err(Refusal::new(Why::IdTaken, "detainer_id", detail));
    }
    let Some(key) = form_key(&record.form) else { return Ok(None) };
    let mut keyed = booking.detainers.iter().filter(|d| d.key().as_ref() == Some(&key));
    if let Some(same) = keyed.clone().find(|d| content(&d.as_it_came()) == content(&record.form)) {
        return Ok(Some(same.id.clone()));
    }
    let Some(known) = keyed.next() else { return Ok(None) };
    let detail =
        format!("detainer {} has this office, event number and form date, with other content: use ReplaceDetainer", known.id);
    Err(Refusal::new(Why::DetainerKeyConflict, "event_number", detail))
}

/// What a form says, its documents without the numbers and places that the county gave them.
fn content(form: &Form) -> Form {
    let plain = |d: &Document| Document { n: 0, content: None, attached: None, source: None, media_type: "".into(), ..d.clone() };
    Form { documents: form.documents.iter().map(plain).collect(), ..form.clone() }
}

fn new_detainer(booking: &Booking, earlier: &[EarlierStay], record: &RecordDetainer, ctx: &Context) -> Result<Detainer, Refusal> {
    let received = ctx.moment().stamp(record.received);
    let facility = booking.facility_at(record.received).cloned().ok_or_else(|| missing("facility", ""))?;
    let id = match &record.detainer {
        Some(id) => id.clone(),
        None => {
            DetainerId::trusted(&free_number(booking.detainers.len(), |n| booking.detainer(&DetainerId::trusted(n)).is_some()))
        }
    };
    if booking.detainer(&id).is_some() {
        return Err(Refusal::new(Why::IdTaken, "detainer_id", format!("detainer {id} exists already in this booking")));
    }
    Ok(Detainer {
        id,
        form: record.form.clone(),
        received,
        source: record.source.clone(),
        remarks: record.remarks,
        facility,
        linked: inheritance::linked(booking, earlier, &record.form),
        service: record.service.as_ref().map(|s| service(s, ctx)),
        lift: None,
        replaced: None,
        replaces: None,
        readings: Vec::new(),
        declined: None,
        overrides: Vec::new(),
        decisions: Vec::new(),
        duties: Vec::new(),
    })
}

/// The *cancels the detainer of ___* box lifts that detainer at the receipt of this form (DOMAIN.md §10.10).
fn cancelled(booking: &Booking, record: &RecordDetainer, new: &Detainer, ctx: &Context) -> Vec<Event> {
    let Some(date) = record.form.boxes.cancels else { return Vec::new() };
    let open = |d: &&Detainer| d.form.form_date == Some(date) && d.ended() > record.received && d.id != new.id;
    let lift = |d: &Detainer| {
        let at = ctx.moment().stamp(record.received.max(d.received.effective));
        let lift = Lift { at, reason: LiftReason::CancelledByForm, source: record.source.clone() };
        Event::Lifted(Lifted { detainer: d.id.clone(), lift })
    };
    booking.detainers.iter().filter(open).map(lift).collect()
}

pub(super) fn replace(
    booking: &Booking,
    earlier: &[EarlierStay],
    old: &DetainerId,
    record: &RecordDetainer,
    ctx: &Context,
) -> Result<Vec<Event>, Refusal> {
    let known = booking.detainer(old).ok_or_else(|| missing("detainer", old.as_str()))?;
    if let Some(done) = &known.replaced {
        if booking.detainer(&done.by).is_some_and(|d| content(&d.as_it_came()) == content(&record.form)) {
            return Ok(Vec::new());
        }
        return Err(Refusal::new(Why::AlreadyEnded, "name", format!("detainer {old} was replaced by {}", done.by)));
    }
    not_before("received_time", record.received, known.received.effective, "the form it replaces was received")?;
    receivable(booking, record, ctx)?;
    let detainer = Detainer { replaces: Some(old.clone()), ..new_detainer(booking, earlier, record, ctx)? };
    let at = ctx.moment().stamp(record.received);
    let replaced = Replaced { detainer: old.clone(), replacement: Replacement { at, by: detainer.id.clone() } };
    let mut events = vec![Event::DetainerRecorded(detainer.clone()), Event::Replaced(replaced)];
    events.extend(cancelled(booking, record, &detainer, ctx));
    Ok(events)
}

/// Numbers a document and attaches it; the same bytes of the same kind twice are one document.
pub(super) fn attach(booking: &Booking, attach: &AttachDocument, ctx: &Context) -> Result<Vec<Event>, Refusal> {
    let AttachDocument { detainer: id, document, at, source } = attach;
    let detainer = booking.detainer(id).ok_or_else(|| missing("detainer", id.as_str()))?;
    let at = at.unwrap_or(ctx.now);
    ctx.not_ahead("effective_time", at)?;
    not_before("effective_time", at, detainer.received.effective, "the form was received")?;
    let documents = &detainer.form.documents;
    fits(documents.len(), "document")?;
    let known = |d: &&Document| d.sha256.is_some() && d.sha256 == document.sha256 && d.kind == document.kind;
    if documents.iter().any(|d| known(&d) && d.content == document.content) {
        return Ok(Vec::new());
    }
    let n = documents.iter().map(|d| d.n).max().unwrap_or(0).saturating_add(1);
    let document = Document { n, attached: Some(ctx.moment().stamp(at)), source: Some(source.clone()), ..document.clone() };
    Ok(vec![Event::DocumentAttached(DocumentAttached { detainer: id.clone(), document })])
}

/// The boxes and the signature, read anew for a review.
pub(super) fn read_form(booking: &Booking, reading: &FormReading, ctx: &Context) -> Result<Event, Refusal> {
    let detainer = under_review(booking, &reading.detainer, ctx.now)?;
    let at = reading.at.unwrap_or(ctx.now);
    ctx.not_ahead("effective_time", at)?;
    not_before("effective_time", at, detainer.received.effective, "the form was received")?;
    let boxes = Boxes {
        read: true,
        final_order: reading.final_order,
        pending_proceedings: reading.pending_proceedings,
        biometric_match: reading.biometric_match,
        statements: reading.statements,
        ..detainer.form_at(at).boxes
    };
    Ok(Event::FormRead(FormRead {
        detainer: reading.detainer.clone(),
        boxes,
        signed: reading.signed,
        at: ctx.moment().stamp(at),
        source: reading.source.clone(),
    }))
}

fn service(service: &NewService, ctx: &Context) -> Service {
    Service {
        at: ctx.moment().stamp(service.at),
        method: service.method,
        language: service.language.clone(),
        by: service.by,
        source: service.source.clone(),
    }
}

fn check_service(service: &NewService, received: Instant, ctx: &Context) -> Result<(), Refusal> {
    ctx.not_ahead("served_time", service.at)?;
    not_before("served_time", service.at, received, "the form was received")
}

pub(super) fn serve(booking: &Booking, serve: &Serve, ctx: &Context) -> Result<Vec<Event>, Refusal> {
    let detainer = booking.detainer(&serve.detainer).ok_or_else(|| missing("detainer", serve.detainer.as_str()))?;
    check_service(&serve.service, detainer.received.effective, ctx)?;
    if let Some(known) = &detainer.service {
        if known.at.effective == serve.service.at {
            return Ok(Vec::new());
        }
        let detail = format!("a copy was served at {}: use CorrectBooking to change that", known.at.effective);
        return Err(Refusal::new(Why::AlreadyEnded, "name", detail));
    }
    Ok(vec![Event::Served(Served { detainer: serve.detainer.clone(), service: service(&serve.service, ctx) })])
}

pub(super) fn lift(booking: &Booking, lift: &LiftDetainer, ctx: &Context) -> Result<Vec<Event>, Refusal> {
    let detainer = booking.detainer(&lift.detainer).ok_or_else(|| missing("detainer", lift.detainer.as_str()))?;
    ctx.not_ahead("effective_time", lift.at)?;
    not_before("effective_time", lift.at, detainer.received.effective, "the form was received")?;
    if let Some(known) = &detainer.lift {
        if known.at.effective == lift.at && known.reason == lift.reason {
            return Ok(Vec::new());
        }
        let detail = format!("it was lifted at {}: use CorrectBooking to change that", known.at.effective);
        return Err(Refusal::new(Why::AlreadyEnded, "name", detail));
    }
    let lift_of = Lift { at: ctx.moment().stamp(lift.at), reason: lift.reason, source: lift.source.clone() };
    Ok(vec![Event::Lifted(Lifted { detainer: lift.detainer.clone(), lift: lift_of })])
}

/// The request, where it waits for review.
pub(super) fn under_review<'a>(booking: &'a Booking, id: &DetainerId, now: Instant) -> Result<&'a Detainer, Refusal> {
    let detainer = booking.detainer(id).ok_or_else(|| missing("detainer", id.as_str()))?;
    match detainer.decision_at(now.max(detainer.received.effective)) {
        Some(decision) if decision.outcome == Outcome::NeedsReview => Ok(detainer),
        _ => Err(Refusal::new(Why::NotUnderReview, "name", format!("detainer {id} does not wait for review"))),
    }
}

pub(super) fn decline_review(booking: &Booking, decline: &DeclineReview, ctx: &Context) -> Result<Event, Refusal> {
    under_review(booking, &decline.detainer, ctx.now)?;
    let declined = ReviewDeclined { at: ctx.moment().stamp(ctx.now), reason: decline.reason };
    Ok(Event::ReviewDeclined(DeclinedOnReview { detainer: decline.detainer.clone(), declined }))
}

pub(super) fn notice(booking: &Booking, notice: &RecordNotice, ctx: &Context) -> Result<Vec<Event>, Refusal> {
    let detainer = booking.detainer(&notice.detainer).ok_or_else(|| missing("detainer", notice.detainer.as_str()))?;
    let at = notice.at.unwrap_or(ctx.now);
    ctx.not_ahead("effective_time", at)?;
    not_before("effective_time", at, detainer.received.effective, "the form was received")?;
    let mut duties: Vec<Duty> = detainer.duties.clone();
    let named = |d: &&mut Duty| d.kind == notice.kind && notice.due.is_none_or(|due| d.due == due);
    let Some(duty) = duties.iter_mut().find(named) else {
        return Err(Refusal::new(Why::NotFound, "duty", format!("detainer {} has no such duty", detainer.id)));
    };
    if let Some(done) = &duty.done {
        if notice.at == Some(done.at.effective) && done.method == Some(notice.method) {
            return Ok(Vec::new());
        }
        let detail = format!("it was carried out at {}", done.at.effective);
        return Err(Refusal::new(Why::DutyDone, "name", detail));
    }
    let at = ctx.moment().stamp(at);
    duty.done = Some(Done { at, method: Some(notice.method), source: notice.source.clone() });
    Ok(vec![Event::DutiesSet(DutiesSet { detainer: notice.detainer.clone(), duties })])
}
