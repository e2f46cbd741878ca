//! Requests that nobody made: how they would be answered, by the same reading and the same evaluator as those on record.
//! Nothing here is ever recorded.

use super::agreement::MinimumCoverage;
use super::booking::{Booking, Custody};
use super::clock::{self, StartRule, Used};
use super::county::County;
use super::deciding::{self, Promised};
use super::decision::{Decision, Trigger};
use super::detainer::{Detainer, Duty, DutyKind, Form, ReviewDeclined, Service, ServiceMethod};
use super::duties;
use super::facts::{Arrival, Disposition, Fact, FactRecord, Source, SourceKind, Stamp};
use super::ids::{AgreementId, BookingId, DetainerId, FacilityId, SubjectId};
use super::policy::{self, Revision};
use super::time::{Instant, Zone};

/// What the federal side promised to pay for a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Promise {
    /// Nothing that counts: none was made, or an offer was never signed.
    Nothing,
    /// A signed agreement in force with a balance.
    Signed(MinimumCoverage),
    /// A signed agreement whose balance could not be reserved.
    NotReserved,
}

impl Promise {
    /// As the evaluator reads it; the agreement is called `promised`.
    fn promised(self) -> Promised {
        let by = |least: MinimumCoverage| match self {
            Self::Signed(covers) if covers >= least => Some(AgreementId::trusted("promised")),
            _ => None,
        };
        Promised {
            all: by(MinimumCoverage::AllCosts),
            any: by(MinimumCoverage::Any),
            exhausted: Vec::new(),
            not_reserved: self == Self::NotReserved,
        }
    }
}

/// A request received at the moment asked about, and all that is known about it then.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// The form.
    pub form: Form,
    /// Where the person is.
    pub facility: FacilityId,
    /// A copy was served on the subject.
    pub served: bool,
    /// A person declined it on review.
    pub declined: bool,
    /// Facts on record, each with the instant since when it is so, numbered from 1.
    pub facts: Vec<(Instant, Fact)>,
}

impl Request {
    /// What of the facts cannot be so at a moment: the place of the fact, counted from 0, its field, and why.
    #[must_use]
    pub fn faults(&self, at: Instant) -> Vec<(usize, &'static str, String)> {
        let mut faults = Vec::new();
        for (n, (since, fact)) in self.facts.iter().enumerate() {
            if *since > at {
                faults.push((n, "effective_time", format!("must not lie after the moment asked about, {at}")));
            }
            let Fact::Disposition(Disposition { charge, .. }) = fact else { continue };
            let before = usize::try_from(*charge).ok().and_then(|charge| charge.checked_sub(1)).filter(|place| *place < n);
            let is_charge = before.and_then(|place| self.facts.get(place)).is_some_and(|(_, of)| matches!(of, Fact::Charge(_)));
            if *charge != 0 && !is_charge {
                faults.push((
                    n,
                    "disposition.charge_fact_id",
                    format!("must be the number of a charge told before it, from 1; {charge} is none"),
                ));
            }
        }
        faults
    }
}

/// Who pays for a request.
#[derive(Clone, Copy, Debug)]
pub enum Payer<'a> {
    /// What is supposed.
    Supposed(Promise),
    /// The agreements of a county that are in force at the moment and would cover it. One that is scoped to a single
    /// detainer covers none that nobody made.
    Agreements(&'a County),
}

/// How it would be answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Told {
    /// The decision, as it would be recorded; without an agreement where that is only supposed.
    pub decision: Decision,
    /// Its deadline, were T0 the moment asked about; nothing where it is not honored, or the clock hangs on something else.
    pub deadline: Option<Instant>,
    /// What would be owed because of it, by when. Nothing is owed yet of what hangs on an event that is not known.
    pub duties: Vec<Duty>,
    /// Notice of release is owed as well, at a time that is not known yet.
    pub notice_of_release: bool,
}

/// Where and when something is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Moment {
    /// The instant of receipt, and the one asked about.
    pub at: Instant,
    /// The zone that policy dates are read in: the county's.
    pub dates: Zone,
    /// The zone of the clock: the facility's.
    pub clock: Zone,
}

/// How a request would be answered at a moment under a revision, or where none is in force.
#[must_use]
pub fn told(request: &Request, revision: Option<&Revision>, payer: Payer<'_>, moment: Moment) -> Told {
    let Moment { at, dates, clock } = moment;
    let stamp = |effective: Instant| Stamp { effective, recorded: at, known: at, seq: 0 };
    let mut detainer = detainer(request, stamp(at));
    let mut booking = booking(request, stamp(at));
    let known = request.facts.iter().zip(1..);
    let record = |(since, fact): &(Instant, Fact), n| FactRecord { n, at: stamp(*since), source: nowhere(), fact: fact.clone() };
    booking.facts = known.map(|(known, n)| record(known, n)).collect();
    let promised = match payer {
        Payer::Supposed(_) if !revision.is_some_and(Revision::reads_guarantee) => Promised::default(),
        Payer::Supposed(promise) => promise.promised(),
        Payer::Agreements(county) => deciding::promised(county, &booking, &detainer, revision, None, at, at),
    };
    let inputs = deciding::inputs(dates, &booking, &detainer, revision, at, promised);
    let answer = policy::evaluate(revision, &inputs);
    let mut decision = deciding::decision(&detainer, &[], revision, inputs, answer, Trigger::Receipt, stamp(at));
    if matches!(payer, Payer::Supposed(_)) {
        decision.agreement = None;
    }
    let from_t0 = decision.terms.as_ref().filter(|terms| terms.start == StartRule::OtherwiseReleased);
    let deadline = from_t0.map(|terms| clock::deadline(terms, clock, &Used::nothing(), at));
    detainer.decisions.push(decision.clone());
    let duties = duties::duties(&booking, &detainer, at);
    let notice_of_release = decision.notify && !duties.iter().any(|duty| duty.kind == DutyKind::NotifyRelease);
    Told { decision, deadline, duties, notice_of_release }
}

fn nowhere() -> Source {
    Source { kind: SourceKind::JailRecord, reference: "".into() }
}

fn detainer(request: &Request, at: Stamp) -> Detainer {
    let service = Service { at, method: ServiceMethod::InPerson, language: "".into(), by: None, source: nowhere() };
    Detainer {
        id: DetainerId::trusted(""),
        form: request.form.clone(),
        received: at,
        source: nowhere(),
        remarks: None,
        facility: request.facility.clone(),
        linked: None,
        service: request.served.then_some(service),
        lift: None,
        replaced: None,
        replaces: None,
        readings: Vec::new(),
        declined: request.declined.then_some(ReviewDeclined { at, reason: None }),
        overrides: Vec::new(),
        decisions: Vec::new(),
        duties: Vec::new(),
    }
}

fn booking(request: &Request, at: Stamp) -> Booking {
    Booking {
        id: BookingId::trusted(""),
        subject: SubjectId::trusted(""),
        identity: None,
        booked: at,
        source: nowhere(),
        bases_known: true,
        bases: Vec::new(),
        arrivals: vec![Arrival { at, facility: request.facility.clone(), source: nowhere() }],
        ending: None,
        facts: Vec::new(),
        detainers: Vec::new(),
        previous: Vec::new(),
        inherited: Vec::new(),
        inherits_from: None,
        custody: Custody::default(),
        postings: Vec::new(),
        reservations: Vec::new(),
        proposals: Vec::new(),
        alerts: Vec::new(),
        seq: 0,
        last_fact: 0,
        voided_bases: Vec::new(),
    }
}
