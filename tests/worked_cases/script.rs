//! What happened: each line of a case is a command, recorded when it happened or at the time it states.

use super::Case;
use super::expect;
use super::words::{Words, shout};
use detainer::domain::agreement::{Agreement, MinimumCoverage, Scope, Term};
use detainer::domain::booking::{CorrectedFact, Correction};
use detainer::domain::clock::{ExclusionRule, Limit, StartRule};
use detainer::domain::command::{
    AttachDocument, BookingCommand, CountyCommand, DeclineReview, Follow, FormReading, RecordNotice,
};
use detainer::domain::decision::OverrideAnswer;
use detainer::domain::detainer::{DocumentKind, DutyKind, Edition, Form, NoticeMethod};
use detainer::domain::facts::{CloseReason, Disposition, EndKind, ExpectedRelease, Fact, PaperKind, StatusProof, Tri};
use detainer::domain::ids::{AgreementId, BookingId, DetainerId, FacilityId};
use detainer::domain::policy::{Condition, Effect, FacialRule, Layer, LayerKind, Leaf, Mode, OpenDetainers, Revision};
use detainer::domain::rate::{DayCount, Rate};
use detainer::domain::refusal::Refusal;
use detainer::domain::testing::{self, World};
use detainer::domain::time::{Date, Instant, Zone};

/// A case being told.
pub struct Script {
    pub world: World,
    pub zone: Zone,
}

impl Script {
    pub fn new(case: &Case) -> Result<Self, String> {
        let zone: Zone = case.zone.parse().map_err(|e| format!("zone: {e}"))?;
        let start = testing::instant("2000-01-01T12:00:00Z");
        let mut script = Self { world: World::new(zone, start), zone };
        if let Some(policy) = &case.policy {
            let revision = revision("R0", zone, &mut Words::new(policy, zone))?;
            told(script.world.switch(revision, start))?;
        }
        if let Some(price) = &case.rate {
            let rate = rate("rate", &mut Words::new(&format!("{price} from=2000-01-01"), zone))?;
            told(script.world.price(rate))?;
        }
        Ok(script)
    }

    /// One line: a time, what happened, when it was recorded, by whom, whether it was refused.
    pub fn line(&mut self, line: &str) -> Result<(), String> {
        let (line, refused) = match line.split_once("=> refused") {
            Some((line, why)) => (line, Some(why.trim())),
            None => (line, None),
        };
        let (line, note) = match line.split_once("(recorded") {
            Some((line, note)) => (line, Some(note.trim().trim_end_matches(')'))),
            None => (line, None),
        };
        let mut words = Words::new(line, self.zone);
        let at = words.time()?;
        let (mut recorded, mut person, mut history) = (at, "ann", false);
        let mut note = Words::new(note.unwrap_or(""), self.zone);
        while !note.is_empty() {
            if note.take("by") {
                person = note.word()?;
            } else if note.take("as-history") {
                history = true;
            } else {
                recorded = note.time()?;
            }
        }
        self.world.by(person).history(history);
        self.world.at(recorded);
        let booking = match words.peek().strip_suffix(':') {
            Some(name) if name != "ask" => {
                words.word()?;
                name.to_owned()
            }
            _ => "B1".to_owned(),
        };
        if words.take("ask:") {
            return expect::standing(&self.world, self.zone, &booking, at, &mut words);
        }
        let result = self.act(&booking, at, &mut words)?;
        if !words.is_empty() {
            return Err(format!("not understood: {:?}", words.rest()));
        }
        match (result, refused) {
            (Ok(()), None) => Ok(()),
            (Err(refusal), Some(why)) if shout(refusal.why) == why => Ok(()),
            (Err(refusal), _) => Err(format!("refused: {} ({refusal})", shout(refusal.why))),
            (Ok(()), Some(why)) => Err(format!("was to be refused as {why}, and was recorded")),
        }
    }

    fn act(&mut self, booking: &str, at: Instant, words: &mut Words<'_>) -> Result<Result<(), Refusal>, String> {
        let zone = self.zone;
        let verb = words.word()?;
        let world = &mut self.world;
        Ok(match verb {
            "policy" => {
                let id = words.word()?;
                world.switch(revision(id, zone, words)?, at)
            }
            "agreement" => world.promise(agreement(zone, words)?),
            "amend" => world.county(CountyCommand::AmendAgreement(agreement(zone, words)?)),
            "terminate" => world.county(CountyCommand::TerminateAgreement(AgreementId::trusted(words.word()?), at)),
            "rate" => {
                let id = words.word()?;
                world.price(rate(id, words)?)
            }
            "jail" => {
                world.facility(words.word()?, words.word()?.parse().map_err(|e| format!("zone: {e}"))?);
                Ok(())
            }
            "book" => {
                let bases = words.word()?;
                let mut options = words.options();
                let (person, jail) = (options.value("person").unwrap_or("S1"), options.value("jail").unwrap_or("jail"));
                options.done()?;
                let list: Vec<&str> = bases.split(',').filter(|b| *b != "nothing").collect();
                world.book_at(booking, person, jail, (bases != "unknown").then_some(&list[..]), at)
            }
            "open" => world.open(booking, words.word()?, at),
            "close" => {
                let (basis, reason) = (words.word()?, if words.is_empty() { "bail" } else { words.word()? });
                world.close(booking, basis, close_reason(reason)?, at)
            }
            "receive" => {
                let id = words.word()?;
                let (form, served) = form(words)?;
                world.receive(booking, id, form, served.then_some(at), at)
            }
            "replace" => {
                let old = DetainerId::trusted(words.word()?);
                words.must("with")?;
                let id = words.word()?;
                let (form, served) = form(words)?;
                let request = testing::request(id, form, served.then_some(at), at);
                world.tell(booking, BookingCommand::Replace(old, request))
            }
            "serve" => world.serve(booking, words.word()?, at),
            "lift" => world.lift(booking, words.word()?, at),
            "attach" => {
                let detainer = DetainerId::trusted(words.word()?);
                let document = testing::document(document(words.word()?)?);
                let attach = AttachDocument { detainer, document, at: Some(at), source: testing::source() };
                world.tell(booking, BookingCommand::Attach(attach))
            }
            "read" => {
                let reading = FormReading {
                    detainer: DetainerId::trusted(words.word()?),
                    final_order: true,
                    pending_proceedings: false,
                    biometric_match: false,
                    statements: false,
                    signed: Tri::Yes,
                    at: Some(at),
                    source: testing::source(),
                };
                world.tell(booking, BookingCommand::ReadForm(reading))
            }
            "decline" => {
                let decline = DeclineReview { detainer: DetainerId::trusted(words.word()?), reason: None };
                world.tell(booking, BookingCommand::DeclineReview(decline))
            }
            "override" => {
                let id = words.word()?;
                let answer = match words.word()? {
                    "HONOR" => OverrideAnswer::Honor,
                    "DECLINE" => OverrideAnswer::Decline,
                    "RULE" => OverrideAnswer::Rule,
                    other => return Err(format!("no such answer: {other}")),
                };
                let since = if words.take("since") { Some(words.time()?) } else { None };
                world.tell(booking, testing::overriding(id, answer, since))
            }
            "fact" => world.fact(booking, fact(words.word()?)?, at),
            "notice" => {
                let (id, kind) = (DetainerId::trusted(words.word()?), words.word()?);
                let kind = match kind {
                    "ACKNOWLEDGE" => DutyKind::Acknowledge,
                    "NOTIFY_RELEASE" => DutyKind::NotifyRelease,
                    other => return Err(format!("no such duty: {other}")),
                };
                let (method, source) = (NoticeMethod::Email, testing::source());
                world.tell(
                    booking,
                    BookingCommand::RecordNotice(RecordNotice { detainer: id, kind, due: None, at: Some(at), method, source }),
                )
            }
            "expect" => {
                words.must("release")?;
                let at_time = Some(words.time()?);
                let expected = ExpectedRelease { at: at_time, day: None, given_out: words.take("given-out") };
                world.fact(booking, Fact::ExpectedRelease(expected), at)
            }
            "move" => world.transfer(booking, words.word()?, at),
            "released" => world.end(booking, EndKind::Released, Some(at)),
            "federal" => {
                words.must("custody")?;
                world.end(booking, EndKind::FederalCustody, Some(at))
            }
            "transferred" => world.end(booking, EndKind::TransferredOut, Some(at)),
            "escaped" => world.end(booking, EndKind::Escaped, Some(at)),
            "died" => world.end(booking, EndKind::Died, Some(at)),
            "correct" => world.correct(booking, corrected(world, booking, words)?),
            "confirm" => world.confirm_last(booking),
            "sweep" => {
                world.sweep();
                Ok(())
            }
            "follow" => {
                let cause = detainer::domain::booking::PostingCause::LateFact;
                world.tell(booking, BookingCommand::Follow(Follow { trigger: None, cause }))
            }
            other => return Err(format!("no such word: {other}")),
        })
    }
}

fn told(result: Result<(), Refusal>) -> Result<(), String> {
    result.map_err(|refusal| format!("refused: {refusal}"))
}

fn date(text: &str) -> Result<Date, String> {
    text.parse().map_err(|e| format!("{text}: {e}"))
}

fn revision(id: &str, zone: Zone, words: &mut Words<'_>) -> Result<Revision, String> {
    let mode = match words.word()? {
        "HONOR_ALWAYS" => Mode::HonorAlways,
        "REQUIRE_REIMBURSEMENT_GUARANTEE" => Mode::RequireReimbursementGuarantee,
        "DECLINE_ALL" => Mode::DeclineAll,
        "NOTIFY_ONLY" => Mode::NotifyOnly,
        other => return Err(format!("no such mode: {other}")),
    };
    let mut revision = testing::revision(id, mode);
    let mut options = words.options();
    revision.limit = match options.value("hours") {
        Some("end-of-day") => Limit::EndOfLocalDay,
        Some(hours) => Limit::Hours(hours.parse().map_err(|e| format!("hours: {e}"))?),
        None => Limit::Hours(48),
    };
    revision.exclusion = match options.value("exclude") {
        None | Some("nothing") => ExclusionRule::None,
        Some("weekends") => ExclusionRule::Weekends,
        Some("holidays") => ExclusionRule::WeekendsAndHolidays,
        Some("as-printed") => ExclusionRule::AsFormPrints,
        Some(other) => return Err(format!("no such exclusion: {other}")),
    };
    revision.start = match options.value("start") {
        None | Some("t0") => StartRule::OtherwiseReleased,
        Some("receipt") => StartRule::Receipt,
        Some("warrant") => StartRule::WarrantServed,
        Some(other) => return Err(format!("no such start: {other}")),
    };
    revision.open_detainers = match options.value("open") {
        None | Some("again") => OpenDetainers::Reevaluate,
        Some("leave") => OpenDetainers::Leave,
        Some(other) => return Err(format!("open: {other}")),
    };
    revision.facial = match options.value("facial") {
        None => FacialRule::Default,
        Some("required") => FacialRule::Required,
        Some("not-required") => FacialRule::NotRequired,
        Some(other) => return Err(format!("facial: {other}")),
    };
    if options.value("minimum") == Some("any") {
        revision.minimum = MinimumCoverage::Any;
    }
    for day in options.value("county-days").iter().flat_map(|days| days.split(',')) {
        revision.county_days.push(date(day)?);
        revision.county_days_instrument = Some(testing::instrument("Holiday ordinance"));
    }
    for (name, kind, effect) in [
        ("court", LayerKind::CourtOrder, Effect::Ceiling),
        ("ceiling", LayerKind::State, Effect::Ceiling),
        ("mandate", LayerKind::State, Effect::Mandate),
    ] {
        if let Some(day) = options.value(name) {
            let (from, condition) = (Some(zone.start_of(date(day)?)), Condition::Leaf(Leaf::Constant(true)));
            revision.layers.push(Layer { kind, effect, instrument: testing::instrument(name), from, until: None, condition });
        }
    }
    revision.lent_holds = options.flag("box2-holds").then(|| testing::instrument("Box 2 memo"));
    options.done()?;
    Ok(revision)
}

fn agreement(zone: Zone, words: &mut Words<'_>) -> Result<Agreement, String> {
    let id = words.word()?;
    let term = match words.word()? {
        "all-costs" => Term::AllCosts,
        "per-diem" => Term::PerDiem { per_day: testing::cents(words.word()?), day_count: day_count(words.word()?)? },
        "flat" => {
            let amount = testing::cents(words.word()?);
            words.must("up-to")?;
            Term::FlatPerHold { amount, up_to_hours: words.word()?.parse().map_err(|e| format!("hours: {e}"))? }
        }
        "after" => Term::AfterFirstHours { hours: words.word()?.parse().map_err(|e| format!("hours: {e}"))? },
        other => return Err(format!("no such term: {other}")),
    };
    let mut options = words.options();
    let start = date(options.value("from").ok_or("from=DATE is missing")?)?;
    let mut agreement = testing::agreement(id, zone, start);
    agreement.term = term;
    agreement.end = options.value("to").map(date).transpose()?;
    agreement.signed = match options.value("signed") {
        None => agreement.signed,
        Some("no") => None,
        Some(day) => Some(zone.start_of(date(day)?)),
    };
    agreement.budget = options.value("budget").map(testing::cents);
    let facilities = options.value("jail").map(FacilityId::trusted).into_iter().collect();
    let offices = options.value("office").map(Into::into).into_iter().collect();
    let one = options.value("for").and_then(|both| both.split_once('/'));
    let detainer = one.map(|(booking, detainer)| (BookingId::trusted(booking), DetainerId::trusted(detainer)));
    agreement.scope = Scope { facilities, offices, detainer };
    options.done()?;
    Ok(agreement)
}

fn rate(id: &str, words: &mut Words<'_>) -> Result<Rate, String> {
    let (per_day, count) = (words.word()?, day_count(words.word()?)?);
    let mut options = words.options();
    let mut rate = testing::rate(id, per_day, count, date(options.value("from").ok_or("from=DATE is missing")?)?);
    rate.end = options.value("to").map(date).transpose()?;
    rate.per_hold = options.value("per-hold").map(testing::cents);
    if let Some(jail) = options.value("jail") {
        rate.facility = FacilityId::trusted(jail);
    }
    options.done()?;
    Ok(rate)
}

fn day_count(word: &str) -> Result<DayCount, String> {
    Ok(match word {
        "HOURLY" => DayCount::Hourly,
        "CALENDAR_DAY" => DayCount::CalendarDay,
        "MIDNIGHT" => DayCount::Midnight,
        "PER_24H" => DayCount::Per24h,
        other => return Err(format!("no such count of days: {other}")),
    })
}

fn close_reason(word: &str) -> Result<CloseReason, String> {
    Ok(match word {
        "bail" => CloseReason::BailPosted,
        "dismissed" => CloseReason::Dismissed,
        "served" => CloseReason::SentenceServed,
        "own-recognizance" => CloseReason::OwnRecognizance,
        "acquitted" => CloseReason::Acquitted,
        "hold-lifted" => CloseReason::HoldLifted,
        other => return Err(format!("no such reason: {other}")),
    })
}

fn document(word: &str) -> Result<DocumentKind, String> {
    Ok(match word {
        "I-200" => DocumentKind::I200,
        "I-205" => DocumentKind::I205,
        other => return Err(format!("no such document: {other}")),
    })
}

/// An edition and how this copy differs from a complete one, and whether it was served at receipt.
fn form(words: &mut Words<'_>) -> Result<(Form, bool), String> {
    let edition = match words.word()? {
        "I-247-2011" => Edition::I247Of2011,
        "I-247-2012" => Edition::I247Of2012,
        "I-247D" => Edition::I247D,
        "I-247N" => Edition::I247N,
        "I-247X" => Edition::I247X,
        "I-247A" => Edition::I247A,
        other => return Err(format!("no such edition: {other}")),
    };
    let mut options = words.options();
    let mut form = testing::form(edition);
    form.event_number = options.value("event").unwrap_or("").into();
    form.form_date = options.value("dated").map(date).transpose()?;
    form.office = options.value("office").unwrap_or("MIA").into();
    form.boxes.cancels = options.value("cancels").map(date).transpose()?;
    form.boxes.upon_conviction = options.flag("upon-conviction");
    form.boxes.lent = options.flag("box2");
    form.boxes.hold = edition.can_hold() && !form.boxes.lent && !options.flag("hold-not-ticked");
    if options.flag("both-boxes") {
        (form.boxes.lent, form.boxes.hold) = (true, true);
    }
    form.boxes.final_order = !options.flag("no-cause");
    form.boxes.read = !options.flag("boxes-unread");
    if options.flag("unsigned") {
        form.signed = Tri::No;
    }
    if options.flag("signature-unknown") {
        form.signed = Tri::Unknown;
    }
    if options.flag("no-warrant") {
        form.documents.clear();
    }
    let served = options.flag("served");
    options.done()?;
    Ok((form, served))
}

fn fact(word: &str) -> Result<Fact, String> {
    Ok(match word {
        "citizenship-proof" => Fact::StatusProof(StatusProof::Citizen),
        "citizenship-claim" => Fact::CitizenshipClaim,
        "conviction" => testing::conviction(),
        "dismissal" => Fact::Disposition(Disposition { acquitted: false, charge: 0 }),
        "acquittal" => Fact::Disposition(Disposition { acquitted: true, charge: 0 }),
        "warrant-served" => testing::paper(PaperKind::WarrantServed),
        other => return Err(format!("no such fact: {other}")),
    })
}

/// `correct close A to TIME`, `correct close A never`, `correct basis X added from TIME [until TIME]`,
/// `correct basis X never`, `correct fact 1 never`, `correct end to TIME`.
fn corrected(world: &World, booking: &str, words: &mut Words<'_>) -> Result<Correction, String> {
    let known = world.booking(booking);
    let what = words.word()?;
    let subject = if matches!(what, "end" | "booked" | "arrival") { "" } else { words.word()? };
    let basis = || known.bases.iter().find(|b| b.id.as_str() == subject);
    let detainer = || known.detainers.iter().find(|d| d.id.as_str() == subject);
    if what == "basis" && words.take("added") {
        words.must("from")?;
        let mut added = testing::correction(CorrectedFact::BasisAdded, subject, None, Some(words.time()?));
        added.closed = if words.take("until") { Some(words.time()?) } else { None };
        return Ok(added);
    }
    let (fact, old) = match what {
        "close" => (CorrectedFact::BasisClosed, basis().and_then(|b| b.closed.as_ref()).map(|c| c.at.effective)),
        "open" => (CorrectedFact::BasisOpened, basis().map(|b| b.opened.effective)),
        "basis" => (CorrectedFact::BasisVoided, basis().map(|b| b.opened.effective)),
        "receipt" => (CorrectedFact::Received, detainer().map(|d| d.received.effective)),
        "service" => (CorrectedFact::Served, detainer().and_then(|d| d.service.as_ref()).map(|s| s.at.effective)),
        "lift" => (CorrectedFact::Lifted, detainer().and_then(|d| d.lift.as_ref()).map(|l| l.at.effective)),
        "end" => (CorrectedFact::Ending, known.ending.as_ref().map(|e| e.at.effective)),
        "booked" => (CorrectedFact::BookedTime, Some(known.booked.effective)),
        "fact" => {
            let fact = known.facts.iter().find(|f| f.n.to_string() == subject);
            (CorrectedFact::FactChanged, fact.map(|f| f.at.effective))
        }
        other => return Err(format!("no such fact to correct: {other}")),
    };
    let new = if words.take("never") {
        None
    } else {
        words.must("to")?;
        Some(words.time()?)
    };
    Ok(testing::correction(fact, subject, old, new))
}
