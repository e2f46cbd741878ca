//! Custody after T0: which stretches an honored detainer covers, which holds that makes, until when.
//!
//! A pure function of what is recorded and of what was known before. It sees every known future breakpoint,
//! so the schedule it gives stays right without a timer (DOMAIN.md §4, §10.1 to 10.17).

use super::agreement::Agreement;
use super::booking::{Booking, Custody, Hold, HoldEnd};
use super::clock::{self, ClockTerms, Exclusion, Readings, StartRule, Used};
use super::county::County;
use super::decision::{Decision, Outcome};
use super::detainer::Detainer;
use super::facts::{CloseReason, EndKind, Fact, PaperKind};
use super::gap::{Authority, Gap, RestsOn, Segment};
use super::ids::{AgreementId, FacilityId, HoldId};
use super::time::{Instant, Span, Zone};

/// Whether known deadlines bind the result.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Known {
    /// A deadline that was known never moves later (DOMAIN.md §4 *One deadline per hold*).
    Stays,
    /// A two-person correction: what was known may move.
    Corrected,
}

/// The record that has arrived.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Record {
    /// Its time.
    pub now: Instant,
    /// Whether it is a row of a county's history: known since its own time, whatever was recorded before it.
    pub history: bool,
}

/// Works custody out anew from what is recorded, given what was known before this record arrived.
#[must_use]
pub fn derive(county: &County, booking: &Booking, before: &Custody, record: Record, known: Known) -> Custody {
    let now = record.now;
    let free = Derivation::new(county, booking, before, record, known, before.barred).run();
    let over = is_dead(before, now) || (runs(before, now) && stands_without(&free, now));
    if before.barred.is_none() && over && !is_dead(&free, now) {
        // A hold that was known to have ended, or that this record takes away while it runs, may be described otherwise
        // before; from here on nothing of this booking gives authority (§4 *Never again*, §10.2).
        return Derivation::new(county, booking, before, record, known, Some(now)).run();
    }
    free
}

/// Whether a hold is known to have ended, by `now`, other than by a new basis.
#[must_use]
pub fn is_dead(custody: &Custody, now: Instant) -> bool {
    custody.holds.iter().any(|h| !h.voided && h.reason != HoldEnd::NewBasis && h.until <= now)
}

/// Whether a hold runs at an instant.
fn runs(custody: &Custody, now: Instant) -> bool {
    custody.holds.iter().any(|h| !h.voided && h.start <= now && now < h.until)
}

/// Whether the person is in custody at an instant with neither a basis nor a hold.
fn stands_without(custody: &Custody, now: Instant) -> bool {
    !runs(custody, now) && custody.gaps.iter().any(|g| g.t0 <= now && now < g.end)
}

/// Whether `after` puts a known T0 under a basis, or lets a known hold, or what stands in its place, have a later
/// deadline (DOMAIN.md §10.8).
#[must_use]
pub fn moves_later(before: &Custody, after: &Custody) -> bool {
    let covered = |gap: &Gap| !after.gaps.iter().any(|new| new.t0 <= gap.t0 && gap.t0 < new.end);
    before.gaps.iter().any(covered) || in_place(before, after).any(|(old, new)| new.deadline > old.deadline)
}

/// Whether `after` lets authority that was known last longer.
#[must_use]
pub fn lasts_longer(before: &Custody, after: &Custody) -> bool {
    in_place(before, after).any(|(old, new)| new.until > old.until)
}

/// The clock of the stretch after a T0 as it stands at an instant: the governing deadline, where a hold or an honored
/// request gives one, and the two readings.
#[must_use]
pub fn clock_of(county: &County, booking: &Booking, t0: Instant, at: Instant) -> Option<(Option<Instant>, Readings)> {
    if let Some(hold) = booking.custody.holds.iter().find(|h| !h.voided && h.t0 == t0) {
        return Some((Some(hold.deadline), hold.readings));
    }
    let known = &booking.custody;
    let record = Record { now: at, history: false };
    let derivation = Derivation::new(county, booking, known, record, Known::Stays, known.barred);
    let index = derivation.spans.iter().position(|span| span.start == t0)?;
    let span = derivation.spans.get(index)?;
    let limits = derivation.limits(index, span);
    let governing = limits.iter().filter(|limit| limit.from <= at).min_by_key(|limit| limit.deadline);
    let start = governing.map_or(StartRule::OtherwiseReleased, |limit| limit.terms.start);
    let used = derivation.used(index, start);
    Some((governing.map(|limit| limit.deadline), clock::readings(derivation.zone, &used, t0)))
}

/// Every known hold with each hold that now stands in the stretch after its T0.
fn in_place<'a>(before: &'a Custody, after: &'a Custody) -> impl Iterator<Item = (&'a Hold, &'a Hold)> {
    let real = |holds: &'a [Hold]| holds.iter().filter(|h| !h.voided);
    real(&before.holds).flat_map(move |old| {
        let (place, id) = (gap_of(before, old), &old.id);
        real(&after.holds)
            .filter(move |new| new.id == *id || gap_of(after, new).meet(&place).is_some())
            .map(move |new| (old, new))
    })
}

/// The stretch after a hold's T0.
fn gap_of(custody: &Custody, hold: &Hold) -> Span {
    let gap = custody.gaps.iter().find(|g| g.t0 == hold.t0);
    Span::new(hold.t0, gap.map_or(hold.until, |g| g.end))
}

/// The stretches of a stay with no basis open, in order (DOMAIN.md §2 *T0*).
#[must_use]
pub fn gap_spans(booking: &Booking) -> Vec<Span> {
    let stay = booking.stay();
    let spans =
        |b: &super::facts::Basis| Span::new(b.opened.effective, b.closed.as_ref().map_or(Instant::FAR, |c| c.at.effective));
    let mut bases: Vec<Span> = booking.bases.iter().map(spans).filter(|s| !s.is_empty()).collect();
    bases.sort();
    let mut from = match (booking.bases_known, booking.bases.iter().map(|b| b.opened.effective).min()) {
        (true, _) => stay.start,
        (false, Some(first)) => first.max(stay.start),
        (false, None) => return Vec::new(),
    };
    let mut gaps = Vec::new();
    for basis in bases {
        if basis.start > from {
            gaps.extend(Span::new(from, basis.start).meet(&stay));
        }
        from = from.max(basis.end);
    }
    gaps.extend(Span::from(from).meet(&stay));
    gaps
}

/// The instant that a start rule names, if it has come: the first receipt on the booking, lifted or not, or the
/// first service of a warrant (DOMAIN.md §4 *Start*).
#[must_use]
pub fn named_instant(booking: &Booking, rule: StartRule) -> Option<Instant> {
    match rule {
        StartRule::OtherwiseReleased => None,
        StartRule::Receipt => booking.detainers.iter().map(|d| d.received.effective).min(),
        StartRule::WarrantServed => {
            let served = booking.facts.iter().filter(|f| is_warrant_served(&f.fact));
            served.map(|f| f.at.effective).min()
        }
    }
}

/// A time in which one request, under one decision, covers custody.
struct Cover<'a> {
    span: Span,
    detainer: &'a Detainer,
    decision: &'a Decision,
    /// Whether nothing recorded by then gave this authority.
    late: bool,
}

/// A deadline that an honored request gives, from the instant at which it came into force.
struct Limit<'a> {
    from: Instant,
    deadline: Instant,
    terms: &'a ClockTerms,
}

struct Derivation<'a> {
    county: &'a County,
    booking: &'a Booking,
    before: &'a Custody,
    record: Record,
    known: Known,
    barred: Option<Instant>,
    /// Past stretches that were without authority as far as was known, or were so until a record described them otherwise.
    unknown: Vec<Span>,
    spans: Vec<Span>,
    zone: Zone,
    covers: Vec<Cover<'a>>,
    honored: Vec<(Span, &'a ClockTerms)>,
}

impl<'a> Derivation<'a> {
    fn new(
        county: &'a County,
        booking: &'a Booking,
        before: &'a Custody,
        record: Record,
        known: Known,
        barred: Option<Instant>,
    ) -> Self {
        let spans = gap_spans(booking);
        let (mut covers, mut honored) = (Vec::new(), Vec::new());
        if !spans.is_empty() {
            for detainer in &booking.detainers {
                honored_times(county, booking, detainer, &mut covers, &mut honored);
            }
        }
        // Pinned when the clock starts (§4): only another first T0, or a correction, gives another zone.
        let same_start = before.gaps.first().map(|g| g.t0) == spans.first().map(|s| s.start);
        let pinned = before.zone.filter(|_| same_start && known == Known::Stays);
        let zone = pinned.unwrap_or_else(|| first_clock_zone(county, booking, &spans, &honored));
        let unknown = known_without(before, record);
        Self { county, booking, before, record, known, barred, unknown, spans, zone, covers, honored }
    }

    fn run(self) -> Custody {
        let mut custody = Custody { barred: self.barred, ..Custody::default() };
        let mut dead = false;
        for (index, span) in self.spans.iter().enumerate() {
            let hold = if dead { None } else { self.hold(index, span) };
            let hold = hold.map(|hold| Hold { id: self.id_for(span, &custody.holds), ..hold });
            let segments = self.segments(span, hold.as_ref());
            if let Some(hold) = hold {
                dead = hold.reason != HoldEnd::NewBasis;
                let previous = custody.holds.last().map(|h| h.id.clone());
                custody.holds.push(Hold { continues: previous, ..hold });
            }
            custody.gaps.push(Gap { t0: span.start, end: span.end, segments });
        }
        custody.zone = (!self.spans.is_empty()).then_some(self.zone);
        let lost = self.before.holds.iter().filter(|old| !custody.holds.iter().any(|h| h.id == old.id));
        let mut lost: Vec<Hold> = lost.map(|old| Hold { voided: true, ..old.clone() }).collect();
        custody.holds.append(&mut lost);
        custody.holds.sort_by_key(|h| h.id.as_str().parse::<u32>().unwrap_or(u32::MAX));
        custody
    }

    /// The clock's stretches before a gap, by the governing start rule.
    fn used(&self, index: usize, start: StartRule) -> Used {
        let named = named_instant(self.booking, start);
        clock::stretches(start, named, &self.spans[..index], &self.booking.inherited, self.spans[index].start)
    }

    /// Every deadline that an honored request gives in this gap, in order of coming into force.
    fn limits(&self, index: usize, span: &Span) -> Vec<Limit<'a>> {
        let mut limits: Vec<Limit<'a>> = Vec::new();
        for (honored, terms) in &self.honored {
            if honored.end <= span.start || honored.start >= span.end {
                continue;
            }
            // A decision whose named instant is missing gives no deadline, and none before it has come (§10.6).
            let named = named_instant(self.booking, terms.start);
            if terms.start.needs_named() && named.is_none() {
                continue;
            }
            let in_force = named.map_or(honored.start, |named| named.max(honored.start));
            let deadline = clock::deadline(terms, self.zone, &self.used(index, terms.start), span.start);
            let deadline = if in_force > span.start { deadline.max(in_force) } else { deadline };
            limits.push(Limit { from: in_force.max(span.start), deadline, terms });
        }
        limits.sort_by_key(|l| (l.from, l.deadline));
        limits
    }

    /// The hold of one gap, if one begins in it.
    fn hold(&self, index: usize, span: &Span) -> Option<Hold> {
        let limits = self.limits(index, span);
        let covering = |at: Instant| self.covers.iter().any(|c| c.span.contains(at));
        let starts = self.covers.iter().filter_map(|c| c.span.meet(span)).map(|s| s.start);
        let start = starts.min()?;
        let known = match self.known {
            Known::Stays => self.matching(span).map(|old| old.deadline),
            Known::Corrected => None,
        };
        let mut uncovered = start;
        while covering(uncovered) && uncovered < span.end {
            let ends = self.covers.iter().filter(|c| c.span.contains(uncovered)).map(|c| c.span.end);
            uncovered = ends.max().unwrap_or(span.end);
        }
        let uncovered = uncovered.min(self.barred.unwrap_or(Instant::FAR));
        let known = known.unwrap_or(Instant::FAR);
        let mut governing: Option<&Limit<'_>> = None;
        for limit in &limits {
            let so_far = governing.map_or(known, |g| g.deadline.min(known));
            if limit.from >= uncovered.min(so_far).min(span.end) && limit.from > start {
                break;
            }
            if governing.is_none_or(|g| limit.deadline < g.deadline) {
                governing = Some(limit);
            }
        }
        let governing = governing?;
        let deadline = governing.deadline.min(known);
        let governing = governing.terms;
        let until = uncovered.min(deadline).min(span.end);
        if until <= start || deadline <= span.start {
            return None;
        }
        let first = self.resting(start)?;
        let used = self.used(index, governing.start);
        Some(Hold {
            id: HoldId::trusted("0"),
            t0: span.start,
            start,
            until,
            reason: self.reason(until, deadline, uncovered, span),
            deadline,
            readings: clock::readings(self.zone, &used, span.start),
            used_us: clock::used_us(&used, &governing.exclusion, self.zone),
            contiguous_used_us: clock::used_us(&used, &Exclusion::None, self.zone),
            business_used_us: clock::used_us(&used, &Exclusion::federal(), self.zone),
            clock_start: used.first().unwrap_or(span.start),
            continues: None,
            detainer: first.detainer.id.clone(),
            revision: first.decision.revision.clone()?,
            facility: self.booking.facility_at(start)?.clone(),
            voided: false,
        })
    }

    /// Of several ends at one instant: custody ended, deadline, detainer or policy, new basis (DOMAIN.md §10.11).
    fn reason(&self, until: Instant, deadline: Instant, uncovered: Instant, span: &Span) -> HoldEnd {
        if let Some(ending) = self.booking.ending.as_ref().filter(|e| e.at.effective == until) {
            return match ending.kind {
                EndKind::Released => HoldEnd::Released,
                EndKind::FederalCustody => HoldEnd::FederalCustody,
                EndKind::TransferredOut => HoldEnd::TransferredOut,
                EndKind::Escaped => HoldEnd::Escaped,
                EndKind::Died => HoldEnd::Died,
            };
        }
        if until == deadline {
            return HoldEnd::Deadline;
        }
        if until == uncovered {
            let here = |at: Instant| at == until;
            let rested = || self.covers.iter().filter(|c| c.span.end == until).map(|c| c.detainer);
            return if rested().any(|d| d.lift.as_ref().is_some_and(|l| here(l.at.effective))) {
                HoldEnd::Lifted
            } else if rested().any(|d| d.replaced.as_ref().is_some_and(|r| here(r.at.effective))) {
                HoldEnd::Replaced
            } else if self.barred == Some(until) {
                HoldEnd::KnownEnded
            } else {
                HoldEnd::NoLongerHonored
            };
        }
        debug_assert_eq!(until, span.end);
        HoldEnd::NewBasis
    }

    /// The request that custody rests on at an instant: not late before late, then earliest received, then recorded
    /// order (DOMAIN.md §10.28).
    fn resting(&self, at: Instant) -> Option<&Cover<'a>> {
        let here = self.covers.iter().filter(|c| c.span.contains(at));
        here.min_by_key(|c| (c.late, c.detainer.received.effective, c.detainer.received.seq))
    }

    fn segments(&self, span: &Span, hold: Option<&Hold>) -> Vec<Segment> {
        let held = hold.map(|h| Span::new(h.start, h.until));
        let mut cuts = vec![span.start, span.end];
        cuts.extend(self.booking.arrivals.iter().map(|a| a.at.effective));
        if let Some(held) = held {
            cuts.extend([held.start, held.end]);
            cuts.extend(self.covers.iter().flat_map(|c| [c.span.start, c.span.end]));
            cuts.extend(self.unknown.iter().map(|s| s.end));
            let agreements = self.county.agreements.values();
            cuts.extend(agreements.flat_map(Agreement::breakpoints));
            let known = self.before.gaps.iter().flat_map(|g| &g.segments);
            cuts.extend(known.flat_map(|s| [s.span.start, s.span.end]));
        }
        cuts.retain(|at| span.start <= *at && *at <= span.end);
        cuts.sort();
        cuts.dedup();
        let mut segments: Vec<Segment> = Vec::new();
        for pair in cuts.windows(2) {
            let piece = Span::new(pair[0], pair[1]);
            let Some(segment) = self.segment(piece, held.is_some_and(|h| h.contains(piece.start)), hold) else { continue };
            match segments.last_mut() {
                Some(last) if same_but_span(last, &segment) => last.span.end = segment.span.end,
                _ => segments.push(segment),
            }
        }
        segments
    }

    fn segment(&self, span: Span, held: bool, hold: Option<&Hold>) -> Option<Segment> {
        let facility = self.booking.facility_at(span.start)?.clone();
        let cover = if held { self.resting(span.start) } else { None };
        let (Some(cover), Some(hold)) = (cover, hold) else {
            return Some(Segment { span, facility, authority: Authority::OverDetained, hold: None, rests_on: None });
        };
        let late = cover.late || self.unknown.iter().any(|s| s.contains(span.start));
        let authority = if late { Authority::AuthorizedLate } else { Authority::Authorized };
        let rests_on = RestsOn {
            detainer: cover.detainer.id.clone(),
            revision: cover.decision.revision.clone()?,
            agreements: self.paying(cover, &facility, span.start),
        };
        Some(Segment { span, facility, authority, hold: Some(hold.id.clone()), rests_on: Some(rests_on) })
    }

    /// The agreements that pay for an instant of a request's hold, in order of precedence: those that a hold that has
    /// begun was allocated to, then the one that the decision rests on, then the one that guarantees earliest. So what is
    /// settled stays where it is, and an agreement recorded later pays for the hours that none pays for.
    fn paying(&self, cover: &Cover<'_>, facility: &FacilityId, at: Instant) -> Vec<AgreementId> {
        let Cover { detainer, decision, .. } = cover;
        let allocated = self.allocated(at);
        let mut paying: Vec<&Agreement> = self
            .county
            .agreements
            .values()
            .filter(|a| {
                a.pays().is_some_and(|dates| dates.contains(at))
                    && a.covers(facility, &detainer.form.office, &self.booking.id, &detainer.id)
            })
            .collect();
        let place = |a: &Agreement| allocated.iter().position(|id| *id == a.id).unwrap_or(usize::MAX);
        let rests_on = |a: &Agreement| decision.agreement.as_ref() == Some(&a.id);
        paying.sort_by_key(|a| (place(a), !rests_on(a), a.guarantees_from(), &a.id));
        paying.into_iter().map(|a| a.id.clone()).collect()
    }

    /// What an instant was allocated to, as was known, or that part of its stretch after T0 that is nearest, where a hold
    /// had begun there.
    fn allocated(&self, at: Instant) -> &'a [AgreementId] {
        let Some(span) = self.spans.iter().find(|span| span.contains(at)) else { return &[] };
        let Some(hold) = self.matching(span).filter(|h| h.start <= self.record.now) else { return &[] };
        let segments = self.before.gaps.iter().flat_map(|g| &g.segments).filter(|s| s.hold.as_ref() == Some(&hold.id));
        let segments: Vec<&Segment> = segments.collect();
        let nearest = segments.iter().find(|s| at < s.span.end).or(segments.last());
        nearest.and_then(|s| s.rests_on.as_ref()).map_or(&[], |on| &on.agreements)
    }

    /// The hold that was known in the place of this gap.
    fn matching(&self, span: &Span) -> Option<&'a Hold> {
        let mut known = self.before.holds.iter().filter(|h| !h.voided);
        known.find(|h| gap_of(self.before, h).meet(span).is_some())
    }

    /// The id of the hold that was known in the place of this gap; otherwise the next number that none ever had.
    fn id_for(&self, span: &Span, given: &[Hold]) -> HoldId {
        // What this record has derived already keeps its number while the record is worked out.
        let so_far = &self.booking.custody;
        let just_made = so_far.holds.iter().find(|h| !h.voided && gap_of(so_far, h).meet(span).is_some());
        let known = [self.matching(span), just_made].into_iter().flatten();
        if let Some(known) = known.into_iter().find(|known| !given.iter().any(|h| h.id == known.id)) {
            return known.id.clone();
        }
        // A hold that was declined at its start for want of a balance was tried under its number and left no other trace.
        let tried = self.booking.reservations.iter().map(|r| &r.hold);
        let all = self.before.holds.iter().chain(&so_far.holds).chain(given).map(|h| &h.id).chain(tried);
        let last = all.filter_map(|id| id.as_str().parse::<u32>().ok()).max().unwrap_or(0);
        HoldId::trusted(&last.saturating_add(1).to_string())
    }
}

/// The past stretches of known custody that a new description can only authorize late (DOMAIN.md §10.2, §10.24).
fn known_without(before: &Custody, record: Record) -> Vec<Span> {
    let past = Span::new(Instant::MIN, record.now);
    let without = |authority: Authority| match authority {
        Authority::Authorized => false,
        Authority::AuthorizedLate => true,
        Authority::OverDetained => !record.history,
    };
    let segments = before.gaps.iter().flat_map(|g| &g.segments).filter(|s| without(s.authority));
    segments.filter_map(|s| s.span.meet(&past)).collect()
}

fn same_but_span(a: &Segment, b: &Segment) -> bool {
    a.span.end == b.span.start
        && a.facility == b.facility
        && a.authority == b.authority
        && a.hold == b.hold
        && a.rests_on == b.rests_on
}

/// The zone of the facility at the booking's first clock start (DOMAIN.md §10.13).
fn first_clock_zone(county: &County, booking: &Booking, spans: &[Span], honored: &[(Span, &ClockTerms)]) -> Zone {
    let Some(first) = spans.first() else { return county.profile.zone };
    let named = honored.iter().filter_map(|(_, terms)| named_instant(booking, terms.start)).min();
    let start = named.map_or(first.start, |n| n.min(first.start));
    booking.facility_at(start).map_or(county.profile.zone, |f| county.zone_of(f))
}

/// When a request is honored, and when it covers custody, from its decisions in force and its own state.
fn honored_times<'a>(
    county: &County,
    booking: &Booking,
    detainer: &'a Detainer,
    covers: &mut Vec<Cover<'a>>,
    honored: &mut Vec<(Span, &'a ClockTerms)>,
) {
    let mut decisions: Vec<&Decision> = detainer.decisions.iter().collect();
    decisions.sort_by_key(|d| (d.at.effective, d.n));
    let life = Span::new(detainer.received.effective, detainer.ended());
    for (i, decision) in decisions.iter().enumerate() {
        let next = decisions.get(i + 1).map_or(Instant::FAR, |d| d.at.effective);
        let Some(in_force) = Span::new(decision.at.effective, next).meet(&life) else { continue };
        let Some(terms) = decision.terms.as_ref().filter(|_| decision.outcome == Outcome::Honor) else { continue };
        let box2 = decision.revision.as_ref().and_then(|r| county.revision(r)).is_some_and(|r| r.lent_holds.is_some());
        if !detainer.form.asks_hold(box2) {
            continue;
        }
        honored.push((in_force, terms));
        let Some((effect, effect_known)) = in_effect(booking, detainer) else { continue };
        let (named, named_known) = match terms.start {
            StartRule::WarrantServed => match first_service_of_warrant(booking) {
                Some(found) => found,
                None => continue,
            },
            StartRule::OtherwiseReleased | StartRule::Receipt => (Instant::MIN, Instant::MIN),
        };
        let from = Span::from(decision.authority_from.max(named));
        let Some(span) = in_force.meet(&effect).and_then(|s| s.meet(&from)) else { continue };
        for (span, late) in known_by_then(&decisions, span, effect_known.max(named_known)) {
            covers.push(Cover { span, detainer, decision, late });
        }
    }
}

/// Cuts a stretch that a request covers by whether it is late: whether at that instant nothing recorded by then gave the
/// authority, neither a decision HONOR (sorted by what is in force) nor the facts it rests on.
fn known_by_then(decisions: &[&Decision], span: Span, facts_known: Instant) -> Vec<(Span, bool)> {
    let late = |at: Instant| {
        let then = decisions.iter().rfind(|d| d.at.effective <= at && d.at.known <= at);
        at < facts_known || !then.is_some_and(|d| d.outcome == Outcome::Honor && d.authority_from <= at)
    };
    let learnt = decisions.iter().flat_map(|d| [d.at.known, d.authority_from]).chain([facts_known]);
    let mut cuts: Vec<Instant> = learnt.filter(|at| span.start < *at && *at < span.end).chain([span.start, span.end]).collect();
    cuts.sort();
    cuts.dedup();
    let mut pieces: Vec<(Span, bool)> = Vec::new();
    for pair in cuts.windows(2) {
        let late = late(pair[0]);
        match pieces.last_mut() {
            Some((last, same)) if *same == late => last.end = pair[1],
            _ => pieces.push((Span::new(pair[0], pair[1]), late)),
        }
    }
    pieces
}

fn is_warrant_served(fact: &Fact) -> bool {
    matches!(fact, Fact::Paper(paper) if paper.kind == PaperKind::WarrantServed)
}

fn first_service_of_warrant(booking: &Booking) -> Option<(Instant, Instant)> {
    let served = booking.facts.iter().filter(|f| is_warrant_served(&f.fact));
    served.map(|f| (f.at.effective, f.at.known)).min()
}

/// The first dismissal or acquittal in a booking, told as a fact or as the reason for which a basis closed
/// (DOMAIN.md §10.12); [`Instant::FAR`] where there is none.
fn first_cleared(booking: &Booking) -> Instant {
    let told = booking.facts.iter().filter(|f| matches!(f.fact, Fact::Disposition(_))).map(|f| f.at.effective);
    let closed = booking.bases.iter().filter_map(|b| b.closed.as_ref());
    let cleared = closed.filter(|c| matches!(c.reason, CloseReason::Dismissed | CloseReason::Acquitted));
    told.chain(cleared.map(|c| c.at.effective)).min().unwrap_or(Instant::FAR)
}

/// When a request is in effect, apart from the decision: served where the form needs it, convicted where it says so.
/// With it, when the last of these came to be known.
#[must_use]
pub fn in_effect(booking: &Booking, detainer: &Detainer) -> Option<(Span, Instant)> {
    let mut span = Span::from(detainer.received.effective);
    let mut known = Instant::MIN;
    if detainer.form.edition.needs_service() {
        let service = detainer.service.as_ref()?;
        span.start = span.start.max(service.at.effective);
        known = known.max(service.at.known);
    }
    if detainer.form.boxes.upon_conviction {
        let conviction = booking.facts.iter().filter(|f| matches!(&f.fact, Fact::Conviction(c) if c.this_booking));
        let conviction = conviction.min_by_key(|f| (f.at.effective, f.n))?;
        span.start = span.start.max(conviction.at.effective);
        span.end = first_cleared(booking).max(span.start);
        known = known.max(conviction.at.known);
    }
    (!span.is_empty()).then_some((span, known))
}
