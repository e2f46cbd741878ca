//! A past period told anew to other rules: SimulatePolicy, CompareModes. The bookings are read part by part, so memory
//! does not grow with the period; what is counted, and how, lies in [`crate::report::comparison`].
//!
//! Where agreements have budgets, bookings whose holds one of them would have to pay for are put aside by name and told
//! last, in order of the start of that hold.

use super::super::auth::Principal;
use super::super::convert::decision::{wire_decision, wire_outcome, wire_reason};
use super::super::names::{self, of};
use super::super::revisions::read_candidate;
use super::super::time::{Fields, stamp, wire_duration, wire_pair};
use super::super::watch::{self, Sender, Sent};
use super::super::{Api, error};
use super::file::File;
use super::query::Asked;
use super::stays::{self, PART, Stays};
use super::{NAMES, send, uncounted, wire};
use crate::domain::booking::Booking;
use crate::domain::county::County;
use crate::domain::decide;
use crate::domain::decision::Decision;
use crate::domain::ids::{AgreementId, BookingId, CountyId, RevisionId};
use crate::domain::money::Cents;
use crate::domain::policy::{Mode, Revision};
use crate::domain::refusal::Refusal;
use crate::domain::retelling::{self, Hypothesis};
use crate::domain::time::{Instant, Span};
use crate::pb;
use crate::report::comparison::{Amount, Column, Comparison, Flip};
use crate::report::{GroupBy, Query, select};
use crate::sheet::reports as sheets;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use tonic::Status;

/// The most rules of one simulation.
const MOST_RULES: usize = 20;
/// The most rules compared beside the two modes.
const MOST_OTHERS: usize = 8;

const SIMULATION: &str = "policy-simulation/1";
const MODES: &str = "mode-comparison/1";
/// What may be asked for: places and forms. Answers and money are what the columns differ in.
const OF_FORMS: [GroupBy; 4] = [GroupBy::Facility, GroupBy::Office, GroupBy::Component, GroupBy::Edition];

/// A rule as it was asked for.
enum Asking {
    Named(RevisionId),
    Candidate(Box<Revision>),
    Mode(Mode),
}

/// A rule, where the request has it, and since when it is supposed.
struct Supposed {
    field: String,
    asking: Asking,
    from: Option<Instant>,
}

/// Reads rules as far as that goes without their county.
fn read_rules(fields: &mut Fields, field: &str, county: Option<&CountyId>, told: &[pb::SupposedRule]) -> Vec<Supposed> {
    use pb::supposed_rule::Rule;
    let mut rules = Vec::new();
    for (n, one) in told.iter().enumerate() {
        let field = format!("{field}[{n}]");
        let from = fields.optional_instant(&format!("{field}.effective_time"), one.effective_time.as_ref());
        let asking = match &one.rule {
            None => {
                fields.bad(&field, "must have a rule: a name, a candidate or a mode");
                None
            }
            Some(Rule::Name(name)) => match fields.name(&format!("{field}.name"), name, names::revision) {
                Some((of, _)) if county.is_some_and(|county| of != *county) => {
                    fields.bad(&format!("{field}.name"), "must be a revision of the county that is asked about");
                    None
                }
                read => read.map(|(_, id)| Asking::Named(id)),
            },
            Some(Rule::Candidate(told)) => {
                let at = format!("{field}.candidate");
                if told.effective_time.is_some() {
                    fields.bad(&format!("{at}.effective_time"), format!("must be unset: {field}.effective_time says it"));
                }
                let new = county.and_then(|county| read_candidate(fields, county, &at, Some(told)));
                new.map(|new| Asking::Candidate(Box::new(new.revision)))
            }
            Some(Rule::Mode(mode)) => {
                let at = format!("{field}.mode");
                match pb::PolicyMode::try_from(*mode) {
                    Ok(pb::PolicyMode::HonorAlways) => Some(Asking::Mode(Mode::HonorAlways)),
                    Ok(pb::PolicyMode::RequireReimbursementGuarantee) => Some(Asking::Mode(Mode::RequireReimbursementGuarantee)),
                    Ok(pb::PolicyMode::DeclineAll) => Some(Asking::Mode(Mode::DeclineAll)),
                    Ok(pb::PolicyMode::NotifyOnly) => Some(Asking::Mode(Mode::NotifyOnly)),
                    Ok(pb::PolicyMode::Conditional) => {
                        fields.bad(&at, "needs a tree: state it as a candidate");
                        None
                    }
                    Ok(pb::PolicyMode::Unspecified) | Err(_) => {
                        fields.bad(&at, "must be a value of PolicyMode");
                        None
                    }
                }
            }
        };
        rules.extend(asking.map(|asking| Supposed { field, asking, from }));
    }
    rules
}

/// A rule with its label and what it says, in force from an instant on.
fn resolve(county: &County, number: usize, supposed: Supposed, from: Instant) -> Result<(String, Revision), Status> {
    let at = crate::domain::facts::Stamp { effective: from, recorded: from, known: from, seq: 0 };
    let under = |field: &str, refusal: Refusal| {
        let field = format!("{field}.candidate.{}", refusal.field);
        error::of_refusal("SimulatePolicy", &Refusal { field, ..refusal })
    };
    match supposed.asking {
        Asking::Named(id) => {
            let rule = county.revision(&id).or_else(|| county.draft(&id).map(|draft| &draft.revision));
            let rule = rule.ok_or_else(|| error::not_found("policy_revision", &of::revision(&county.id, &id)))?;
            Ok((id.to_string(), Revision { effective: at, ..rule.clone() }))
        }
        Asking::Candidate(rule) => {
            let rule = decide::rule(county, &rule).map_err(|refusal| under(&supposed.field, refusal))?;
            let id = RevisionId::trusted(&format!("candidate-{number}"));
            Ok((format!("candidate-{number}"), Revision { id, effective: at, ..rule }))
        }
        Asking::Mode(mode) => Ok((mode.label().to_owned(), retelling::in_mode(county, mode, from))),
    }
}

/// When the period begins, in the county's zone.
fn begins(asked: &Asked) -> Instant {
    asked.county.profile.zone.start_of(asked.query.start)
}

/// Rules one after the other, each within the period and later than the one before.
fn in_order(asked: &Asked, rules: Vec<Supposed>) -> Result<Vec<(String, Revision)>, Status> {
    let zone = asked.county.profile.zone;
    let period = Span::new(begins(asked), zone.start_of(asked.query.end));
    let (mut fields, mut last, mut steps) = (Fields::new(), None, Vec::new());
    for (n, supposed) in rules.into_iter().enumerate() {
        let field = format!("{}.effective_time", supposed.field);
        let Some(from) = supposed.from.or_else(|| (n == 0).then_some(period.start)) else {
            fields.bad(&field, "is required of every rule but the first");
            continue;
        };
        if !period.contains(from) {
            fields.bad(&field, format!("must lie in the period, from {} and before {}", period.start, period.end));
        } else if last.is_some_and(|last| from <= last) {
            fields.bad(&field, "must be later than that of the rule before");
        }
        last = Some(from);
        steps.push((n + 1, supposed, from));
    }
    fields.finish()?;
    steps.into_iter().map(|(number, supposed, from)| resolve(&asked.county, number, supposed, from)).collect()
}

/// A rule that is supposed, and the bookings that wait for its budgets: by the start of their holds.
struct Side {
    hypothesis: Hypothesis,
    free: Option<Hypothesis>,
    waiting: BTreeSet<(Instant, BookingId)>,
}

impl Side {
    fn new(county: &County, steps: &[Revision], from: Instant) -> Self {
        let hypothesis = Hypothesis::new(county, steps, from);
        let free = hypothesis.has_budgets().then(|| hypothesis.without_budgets());
        Self { hypothesis, free, waiting: BTreeSet::new() }
    }

    /// The booking told anew; nothing where it waits. What was over when the period began was spent before it.
    fn tell(&mut self, booking: &Booking, begins: Instant, until: Instant) -> Result<Option<Booking>, Status> {
        let of_cost = |error: crate::domain::cost::CostError| uncounted(&error.into());
        let Some(free) = &self.free else { return self.hypothesis.retold(booking, until).map(Some).map_err(of_cost) };
        let anew = free.retold(booking, until).map_err(of_cost)?;
        match self.hypothesis.asks_budget(&anew) {
            Some(start) if begins < booking.ended() => {
                self.waiting.insert((start, booking.id.clone()));
                Ok(None)
            }
            _ => Ok(Some(anew)),
        }
    }
}

/// What every part of a simulation works on.
struct Run {
    api: Api,
    asked: Asked,
    as_it_was: Hypothesis,
    sides: Vec<Side>,
    comparison: Comparison,
    names: VecDeque<BookingId>,
    /// The last name looked up.
    after: Option<BookingId>,
    more: bool,
    done: i64,
    /// What had been spent of budgets before the period, once that was looked up.
    spent: Option<BTreeMap<AgreementId, Cents>>,
}

/// What a part of the bookings came to.
struct Part {
    flips: Vec<pb::SimulatedFlip>,
    /// Bookings told so far.
    done: i64,
}

/// A booking, what it would have come to, and where the two differ.
struct Differing<'a> {
    side: usize,
    county: &'a County,
    recorded: &'a Booking,
    anew: &'a Booking,
    flips: Vec<Flip>,
}

impl Run {
    fn new(api: Api, asked: Asked, sides: Vec<Side>) -> Self {
        let comparison = Comparison::new(&asked.query, sides.len());
        let as_it_was = Hypothesis::as_it_was(&asked.county);
        Self { api, asked, as_it_was, sides, comparison, names: VecDeque::new(), after: None, more: true, done: 0, spent: None }
    }

    async fn total(&self) -> Result<i64, Status> {
        let (store, seq) = (self.api.ledger.store(), self.asked.pair.seq);
        let found = select::concerned_count(store, &self.asked.id, seq, &self.asked.query).await;
        found.map_err(|error| error::of_store(&error))
    }

    /// Tells the next part; nothing at the end.
    async fn part(&mut self) -> Result<Option<Part>, Status> {
        if self.names.is_empty() && self.more {
            let (store, seq) = (self.api.ledger.store(), self.asked.pair.seq);
            let found = select::concerned(store, &self.asked.id, seq, &self.asked.query, self.after.as_ref(), NAMES).await;
            self.names = found.map_err(|error| error::of_store(&error))?.into();
            self.more = u32::try_from(self.names.len()).is_ok_and(|found| found == NAMES);
            self.after = self.names.back().cloned();
        }
        if self.names.is_empty() {
            return self.waiting().await;
        }
        let part: Vec<BookingId> = self.names.drain(..PART.min(self.names.len())).collect();
        let states = stays::states(&self.api, &self.asked, &part).await?;
        let mut flips = Vec::new();
        for booking in part.iter().filter_map(|id| states.get(id)) {
            flips.extend(self.told(booking)?);
        }
        self.done += i64::try_from(part.len()).unwrap_or(0);
        tokio::task::yield_now().await;
        Ok(Some(Part { flips, done: self.done }))
    }

    fn told(&mut self, booking: &Booking) -> Result<Vec<pb::SimulatedFlip>, Status> {
        let until = self.asked.query.until;
        let counted = self.comparison.record(&self.asked.county, &mut self.as_it_was, booking);
        counted.map_err(|error| uncounted(&error))?;
        let mut flips = Vec::new();
        for n in 0..self.sides.len() {
            let Some(side) = self.sides.get_mut(n) else { continue };
            if let Some(anew) = side.tell(booking, begins(&self.asked), until)? {
                flips.extend(self.compared(n, booking, &anew)?);
            }
        }
        Ok(flips)
    }

    fn compared(&mut self, n: usize, recorded: &Booking, anew: &Booking) -> Result<Vec<pb::SimulatedFlip>, Status> {
        let Some(side) = self.sides.get(n) else { return Ok(Vec::new()) };
        let flips = self.comparison.suppose(n, &side.hypothesis, recorded, anew).map_err(|error| uncounted(&error))?;
        let differing = Differing { side: n, county: side.hypothesis.county(), recorded, anew, flips };
        Ok(differing.wire(&self.asked.county))
    }

    /// The next part of those that wait for budgets, by the start of their holds; nothing at the end.
    async fn waiting(&mut self) -> Result<Option<Part>, Status> {
        let Some(n) = self.sides.iter().position(|side| !side.waiting.is_empty()) else { return Ok(None) };
        if self.spent.is_none() {
            let spent = self.spent_before().await?;
            for side in &mut self.sides {
                side.hypothesis.spent_before(&spent);
            }
            self.spent = Some(spent);
        }
        let until = self.asked.query.until;
        let waiting = self.sides.get_mut(n).map(|side| &mut side.waiting);
        let part: Vec<(Instant, BookingId)> =
            waiting.into_iter().flat_map(|waiting| (0..PART).map_while(|_| waiting.pop_first())).collect();
        let names: Vec<BookingId> = part.iter().map(|(_, id)| id.clone()).collect();
        let states = stays::states(&self.api, &self.asked, &names).await?;
        let mut flips = Vec::new();
        for (start, id) in &part {
            let (Some(booking), Some(side)) = (states.get(id), self.sides.get_mut(n)) else { continue };
            let anew = side.hypothesis.retold_within_budgets(booking, *start, until);
            let anew = anew.map_err(|error| uncounted(&error.into()))?;
            flips.extend(self.compared(n, booking, &anew)?);
        }
        tokio::task::yield_now().await;
        Ok(Some(Part { flips, done: self.done }))
    }

    /// What agreements with a budget had paid before the period, for stays that were over by then.
    async fn spent_before(&self) -> Result<BTreeMap<AgreementId, Cents>, Status> {
        let budgeted = || self.asked.county.agreements.values().filter(|agreement| agreement.budget.is_some());
        let mut spent: BTreeMap<AgreementId, Cents> = BTreeMap::new();
        let begins = begins(&self.asked);
        let Some(first) = budgeted().map(|agreement| agreement.start).min().filter(|first| *first < self.asked.query.start)
        else {
            return Ok(spent);
        };
        let before = Query {
            start: first,
            end: self.asked.query.start,
            facilities: BTreeSet::new(),
            offices: BTreeSet::new(),
            only: BTreeMap::new(),
            by_books: false,
            until: self.asked.query.until,
        };
        let (id, county, pair) = (self.asked.id.clone(), self.asked.county.clone(), self.asked.pair);
        let asked = Asked { query: before, id, county, pair, moment: false };
        let mut all = Stays::new(None);
        while let Some(some) = all.next(&self.api, &asked).await? {
            for line in some.iter().filter(|stay| stay.ended <= begins).flat_map(|stay| &stay.lines) {
                let Some(agreement) = line.cost.agreement.as_ref() else { continue };
                if budgeted().any(|one| one.id == *agreement) {
                    let sum = spent.entry(agreement.clone()).or_insert(Cents::ZERO);
                    *sum = sum.try_add(line.cost.covered).map_err(|error| uncounted(&error.into()))?;
                }
            }
        }
        Ok(spent)
    }

    fn column(&self, label: String, column: &Column) -> Result<pb::PolicyColumn, Status> {
        let amount = |amount: Amount| {
            let totals = wire::totals(&self.asked, amount.totals)?;
            Ok::<_, Status>(Some(pb::ComparedAmount { duration: Some(wire_duration(amount.us)), totals: Some(totals) }))
        };
        let mut answers: Vec<pb::AnswerCount> = column
            .reasons
            .iter()
            .map(|((outcome, why), count)| pb::AnswerCount {
                outcome: wire_outcome(*outcome).into(),
                reason: wire_reason(why.reason, why.mode).into(),
                count: *count,
            })
            .collect();
        answers.sort_by_key(|one| (one.outcome, one.reason));
        Ok(pb::PolicyColumn {
            label,
            detainer_count: column.detainers,
            honored_count: column.honored,
            declined_count: column.declined,
            needs_review_count: column.needs_review,
            notified_count: column.notified,
            transferred_count: column.transferred,
            answers,
            hold_count: column.holds,
            held: amount(column.held)?,
            authorized_late: amount(column.late)?,
            over_detained: amount(column.over)?,
            over_detained_stay_count: column.over_stays,
            custody: amount(column.custody().map_err(|error| uncounted(&error))?)?,
            released_early_count: column.beyond,
            further: amount(column.further)?,
        })
    }
}

impl Differing<'_> {
    fn wire(&self, recorded_county: &County) -> Vec<pb::SimulatedFlip> {
        // Of several rules each by itself only the comparison is told.
        if self.side > 0 {
            return Vec::new();
        }
        let id = &recorded_county.id;
        let one = |flip: &Flip| {
            let (was, is) = (self.recorded.detainers.get(flip.detainer)?, self.anew.detainers.get(flip.detainer)?);
            let decision = |county: &County, booking: &Booking, detainer, decision: Option<&Decision>| {
                decision.map(|decision| wire_decision(county, booking, detainer, decision, flip.at, true))
            };
            let (before, after) = (flip.before.and_then(|n| was.decisions.get(n)), flip.after.and_then(|n| is.decisions.get(n)));
            Some(pb::SimulatedFlip {
                detainer: of::detainer(id, &self.recorded.id, &was.id),
                facility: of::facility(id, &was.facility),
                effective_time: Some(stamp(flip.at)),
                time_zone: recorded_county.zone_of(&was.facility).to_string(),
                recorded: decision(recorded_county, self.recorded, was, before),
                supposed: decision(self.county, self.anew, is, after),
            })
        };
        self.flips.iter().filter_map(one).collect()
    }
}

async fn tell(
    mut run: Run,
    label: String,
    revisions: BTreeSet<RevisionId>,
    sender: Sender<pb::SimulatePolicyResponse>,
) -> Result<(), Status> {
    use pb::simulate_policy_response::Part as Told;
    let part = |part| pb::SimulatePolicyResponse { part: Some(part) };
    send(&sender, part(Told::AsOfPair(wire_pair(run.asked.pair)))).await;
    let total = run.total().await?;
    send(&sender, part(Told::Progress(pb::SimulationProgress { bookings_done: 0, bookings_total: total }))).await;
    let mut file = File::new(&sheets::flips::layout())?;
    let mut flips = 0_usize;
    while let Some(Part { flips: some, done }) = run.part().await? {
        flips += some.len();
        for flip in some {
            file.row(&sheets::flips::row(&flip))?;
            send(&sender, part(Told::Flip(flip))).await;
        }
        let progress = pb::SimulationProgress { bookings_done: done, bookings_total: total.max(done) };
        send(&sender, part(Told::Progress(progress))).await;
    }
    let supposed = run.comparison.columns.first().cloned().unwrap_or_default();
    let comparison = pb::PolicyComparison {
        recorded: Some(run.column("recorded".to_owned(), &run.comparison.recorded)?),
        supposed: Some(run.column(label, &supposed)?),
        flip_count: i64::try_from(flips).unwrap_or(i64::MAX),
        booking_count: run.comparison.bookings,
        not_alike_count: run.comparison.unlike,
    };
    send(&sender, part(Told::Comparison(comparison))).await;
    send(&sender, part(Told::Manifest(run.asked.manifest(SIMULATION, &revisions, file.sum()?)))).await;
    Ok(())
}

/// The revisions of the county itself among rules.
fn made(county: &County, rules: &[Revision]) -> BTreeSet<RevisionId> {
    let is_made = |id: &RevisionId| county.revision(id).is_some() || county.draft(id).is_some();
    rules.iter().map(|rule| rule.id.clone()).filter(is_made).collect()
}

impl Api {
    /// Tells a past period anew to other rules.
    pub(in crate::api) async fn simulate_policy_for(
        &self,
        caller: &Principal,
        request: pb::SimulatePolicyRequest,
    ) -> Result<Sent<pb::SimulatePolicyResponse>, Status> {
        let mut fields = Fields::new();
        let county = request.query.as_ref().and_then(|query| names::county(&query.county).ok());
        if request.rules.is_empty() || request.rules.len() > MOST_RULES {
            fields.bad("rules", format!("must be 1 to {MOST_RULES}"));
        }
        let rules = read_rules(&mut fields, "rules", county.as_ref(), request.rules.get(..MOST_RULES).unwrap_or(&request.rules));
        let asked = Asked::read_for(self, caller, fields, request.query.as_ref(), None, &OF_FORMS).await?;
        let (labels, steps): (Vec<String>, Vec<Revision>) = in_order(&asked, rules)?.into_iter().unzip();
        let from = steps.first().map_or_else(|| begins(&asked), |first| first.effective.effective);
        let revisions = made(&asked.county, &steps);
        let side = Side::new(&asked.county, &steps, from);
        let run = Run::new(self.clone(), asked, vec![side]);
        Ok(watch::sent(self, |sender| tell(run, labels.join(", then "), revisions, sender)))
    }

    /// One period under several policies.
    pub(super) async fn compare_modes_for(
        &self,
        caller: &Principal,
        request: pb::CompareModesRequest,
    ) -> Result<pb::CompareModesResponse, Status> {
        let mut fields = Fields::new();
        let county = request.query.as_ref().and_then(|query| names::county(&query.county).ok());
        if request.others.len() > MOST_OTHERS {
            fields.bad("others", format!("may be at most {MOST_OTHERS}"));
        }
        let others = request.others.get(..MOST_OTHERS).unwrap_or(&request.others);
        for (n, _) in others.iter().enumerate().filter(|(_, one)| one.effective_time.is_some()) {
            fields.bad(&format!("others[{n}].effective_time"), "must be unset: each is supposed over the whole period");
        }
        let others = read_rules(&mut fields, "others", county.as_ref(), others);
        let asked = Asked::read_for(self, caller, fields, request.query.as_ref(), None, &OF_FORMS).await?;
        let from = begins(&asked);
        let both = [Mode::HonorAlways, Mode::RequireReimbursementGuarantee];
        let mut rules: Vec<(String, Revision)> =
            both.iter().map(|mode| (mode.label().to_owned(), retelling::in_mode(&asked.county, *mode, from))).collect();
        for (n, other) in others.into_iter().enumerate() {
            rules.push(resolve(&asked.county, n + 1, other, from)?);
        }
        let (labels, rules): (Vec<String>, Vec<Revision>) = rules.into_iter().unzip();
        let revisions = made(&asked.county, &rules);
        let sides = rules.iter().map(|rule| Side::new(&asked.county, std::slice::from_ref(rule), from)).collect();
        let mut run = Run::new(self.clone(), asked, sides);
        while run.part().await?.is_some() {}
        let mut columns = vec![run.column("recorded".to_owned(), &run.comparison.recorded)?];
        for (label, column) in labels.into_iter().zip(&run.comparison.columns) {
            columns.push(run.column(label, column)?);
        }
        let file = File::of(&sheets::comparison::layout(), columns.iter().map(sheets::comparison::row))?;
        Ok(pb::CompareModesResponse {
            manifest: Some(run.asked.manifest(MODES, &revisions, file)),
            columns,
            booking_count: run.comparison.bookings,
            not_alike_count: run.comparison.unlike,
        })
    }
}
