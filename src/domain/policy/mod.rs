//! Policy revisions and the one evaluator that answers under them (DOMAIN.md §5).
//!
//! A mode is shorthand for a tree; every tree is evaluated by the same evaluator, in Kleene's three values. Unknown
//! never becomes HONOR. [`Condition`] has the trees and their leaves, [`Inputs`] what they read, [`evaluate`] the answer,
//! [`check`] what a rule must be to be recorded at all.

mod check;
mod condition;
mod evaluate;
mod leaf;
mod reading;

pub use check::{Limits, check};
pub use condition::{ChargeLeaf, Condition, ConvictionLeaf, Leaf, LookBack, Needs, StatusLeaf, WarrantKind};
pub use evaluate::evaluate;
pub use leaf::guarantee;
pub use reading::{Case, Inputs, ReadFact};

use super::agreement::MinimumCoverage;
use super::clock::{ExclusionRule, Limit, StartRule};
use super::decision::{Outcome, Reason};
use super::detainer::Edition;
use super::facts::{Stamp, TextRef, Tri};
use super::ids::{AgreementId, RevisionId};
use super::time::{Date, Instant};
use std::borrow::Cow;
use std::sync::Arc;

/// The short names of the usual rules.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Mode {
    /// Honor every request that asks to hold.
    HonorAlways,
    /// Honor only with a written reimbursement guarantee.
    RequireReimbursementGuarantee,
    /// Honor none.
    DeclineAll,
    /// Honor none, but notify.
    NotifyOnly,
    /// Honor where the revision's own condition holds.
    Conditional,
}

impl Mode {
    /// The name in the API.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::HonorAlways => "HONOR_ALWAYS",
            Self::RequireReimbursementGuarantee => "REQUIRE_REIMBURSEMENT_GUARANTEE",
            Self::DeclineAll => "DECLINE_ALL",
            Self::NotifyOnly => "NOTIFY_ONLY",
            Self::Conditional => "CONDITIONAL",
        }
    }
}

/// Whether a switch takes in the requests that are already open.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum OpenDetainers {
    /// Open requests are decided again at its effective time.
    Reevaluate,
    /// Open requests stay under the revision that governs them.
    Leave,
}

/// Whether facial sufficiency is asked for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum FacialRule {
    /// For the I-247A only.
    Default,
    /// For every edition.
    Required,
    /// For none.
    NotRequired,
}

/// The paper that adopted a rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Instrument {
    /// Its title.
    pub title: Arc<str>,
    /// Its number or citation.
    pub citation: Arc<str>,
    /// Its date.
    pub date: Option<Date>,
    /// SHA-256 of its text.
    pub sha256: Option<TextRef>,
}

/// How binding a layer is (DOMAIN.md §5): a court order binds before the state, the state before the county.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum LayerKind {
    /// An order of a court.
    CourtOrder,
    /// A law of the state.
    State,
    /// The county's own rule: always answers.
    CountyRule,
}

/// What a layer says where its condition holds; otherwise it is silent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Effect {
    /// Honor.
    Mandate,
    /// Decline.
    Ceiling,
}

/// A rule that binds before the county's own, with dates and a paper of its own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Layer {
    /// How binding it is.
    pub kind: LayerKind,
    /// What it says.
    pub effect: Effect,
    /// The paper that makes it so.
    pub instrument: Instrument,
    /// Since when it is in force; nothing: as long as the revision is.
    pub from: Option<Instant>,
    /// Until when.
    pub until: Option<Instant>,
    /// Where it speaks.
    pub condition: Condition,
}

impl Layer {
    /// Whether it is in force at an instant.
    #[must_use]
    pub fn in_force(&self, at: Instant) -> bool {
        self.from.is_none_or(|from| from <= at) && self.until.is_none_or(|until| at < until)
    }
}

/// One immutable, dated rule set.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Revision {
    /// Its id.
    pub id: RevisionId,
    /// The short name of its rule.
    pub mode: Mode,
    /// When it was adopted; adopted is not effective.
    pub adopted: Option<Date>,
    /// When it takes effect, and when that was recorded.
    pub effective: Stamp,
    /// What happens to open requests.
    pub open_detainers: OpenDetainers,
    /// The paper that adopted it.
    pub instrument: Instrument,
    /// The least coverage that counts as a guarantee.
    pub minimum: MinimumCoverage,
    /// What starts the clock.
    pub start: StartRule,
    /// How long the hold may last.
    pub limit: Limit,
    /// Which days do not count.
    pub exclusion: ExclusionRule,
    /// Days of the county's own that do not count, with their instrument.
    pub county_days: Vec<Date>,
    /// The paper that sets the county's own days.
    pub county_days_instrument: Option<Instrument>,
    /// Whether facial sufficiency is asked for.
    pub facial: FacialRule,
    /// The paper under which box 2 of the I-247A is a ground to hold.
    pub lent_holds: Option<Instrument>,
    /// The calendar that those days were read from; empty where none was named.
    pub county_days_calendar: Arc<str>,
    /// Answers that the revision states itself; nothing means the mode's own.
    pub answers: Answers,
    /// The county rule's own tree, where the mode is CONDITIONAL; otherwise nothing.
    pub condition: Option<Condition>,
    /// What binds before the county rule, most binding first.
    pub layers: Vec<Layer>,
    /// Where the office is notified, whatever the answer about the hold; nothing: the mode, or `answers`, says it.
    pub notify_where: Option<Condition>,
    /// Where the person is handed over, whatever the answer about the hold; nothing: the mode, or `answers`, says it.
    pub transfer_where: Option<Condition>,
    /// Hours from T0 within which notice of an unforeseen release is given; nothing: at once.
    pub notice_hours: Option<u32>,
    /// The person or system who made it, as the credential names them.
    pub author: Arc<str>,
    /// The person who confirmed it, where two persons were asked for.
    pub approver: Option<Arc<str>>,
}

impl Revision {
    /// The county rule as a tree: the mode's, spelled out. A CONDITIONAL without a tree of its own honors none.
    #[must_use]
    pub fn rule(&self) -> Cow<'_, Condition> {
        Cow::Owned(Condition::Leaf(match (self.mode, &self.condition) {
            (Mode::Conditional, Some(condition)) => return Cow::Borrowed(condition),
            (Mode::HonorAlways, _) => Leaf::Constant(true),
            (Mode::DeclineAll | Mode::NotifyOnly | Mode::Conditional, _) => Leaf::Constant(false),
            (Mode::RequireReimbursementGuarantee, _) => Leaf::Guaranteed(self.minimum),
        }))
    }

    /// Every tree that it has of its own.
    pub fn conditions(&self) -> impl Iterator<Item = &Condition> {
        let layers = self.layers.iter().map(|layer| &layer.condition);
        layers.chain(&self.condition).chain(&self.notify_where).chain(&self.transfer_where)
    }

    /// What it reads.
    #[must_use]
    pub fn needs(&self) -> Needs {
        let guarantee = self.mode == Mode::RequireReimbursementGuarantee;
        self.conditions().map(Condition::needs).fold(Needs { guarantee, ..Needs::default() }, Needs::and)
    }

    /// Whether a fact of this kind is read by one of its trees.
    #[must_use]
    pub fn reads(&self, fact: &super::facts::Fact) -> bool {
        self.conditions().any(|condition| condition.reads(fact))
    }

    /// Whether a facially insufficient form of this edition is declined.
    #[must_use]
    pub fn asks_facial_sufficiency(&self, edition: Edition) -> bool {
        match self.facial {
            FacialRule::Default => edition == Edition::I247A,
            FacialRule::Required => true,
            FacialRule::NotRequired => false,
        }
    }

    /// Whether it reads agreements.
    #[must_use]
    pub fn reads_guarantee(&self) -> bool {
        self.needs().guarantee
    }
}

/// Notice and transfer as a revision states them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Answers {
    /// Notify where the hold is honored.
    pub notify_honored: Option<bool>,
    /// Notify where it is declined, or not asked for.
    pub notify_declined: Option<bool>,
    /// Hand over where the hold is honored.
    pub transfer_honored: Option<bool>,
    /// Hand over where it is declined, or not asked for.
    pub transfer_declined: Option<bool>,
}

/// What a line of an explanation is: a check that comes before the rule, or a part of the rule.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Step {
    /// True when all parts are.
    All,
    /// True when one part is.
    Any,
    /// True when its part is not.
    Not,
    /// Always the same.
    Constant,
    /// A signed agreement in force guarantees the costs.
    Guaranteed,
    /// A revision is in force.
    RevisionInForce,
    /// The form asks to hold.
    HoldRequested,
    /// Citizenship or lawful status is proved.
    StatusProof,
    /// The form is facially sufficient.
    FaciallySufficient,
    /// A person declined on review.
    DeclinedOnReview,
    /// A warrant signed by a judge.
    JudicialWarrant,
    /// A judge's finding of probable cause.
    ProbableCause,
    /// An order of a state judicial official.
    StateOrder,
    /// A warrant signed by an immigration officer.
    AdministrativeWarrant,
    /// A federal order, or one under a basic ordering agreement.
    FederalOrder,
    /// Booking form I-203.
    BookingForm,
    /// The form's edition.
    FormEdition,
    /// A conviction.
    Conviction,
    /// A pending charge.
    PendingCharge,
    /// Any conviction from before this booking.
    PriorConviction,
    /// A pending criminal case.
    PendingCase,
    /// An outstanding criminal warrant.
    OutstandingWarrant,
    /// A prior order of removal.
    PriorRemoval,
    /// Re-entry after removal.
    Reentry,
    /// A final order of removal.
    FinalOrder,
    /// Listed in a registry of offenders.
    Registry,
    /// A match with a gang or watch list.
    WatchList,
    /// The release date is public.
    ReleaseDatePublic,
    /// A purpose other than immigration.
    OtherPurpose,
    /// Age in whole years.
    AgeAtLeast,
    /// A copy was served on the subject.
    Served,
    /// Two persons put their own answer in place of the county rule's.
    Overridden,
}

/// One line of an explanation: a condition, its value and the fact it read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Explanation {
    /// What kind of step it is.
    pub step: Step,
    /// What was asked.
    pub label: Arc<str>,
    /// The answer.
    pub value: Tri,
    /// What was read.
    pub fact: Arc<str>,
    /// The parts it was made from.
    pub parts: Vec<Explanation>,
}

/// How one layer answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LayerExplained {
    /// How binding it is.
    pub kind: LayerKind,
    /// What it says where it speaks; nothing for the county rule, which always answers.
    pub effect: Option<Effect>,
    /// The paper that makes it so.
    pub instrument: Arc<str>,
    /// Whether it decided.
    pub decided: bool,
    /// Its condition.
    pub condition: Explanation,
}

/// Why an answer came out as it did.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Explained {
    /// The checks beside the layers, in order.
    pub checks: Vec<Explanation>,
    /// Every layer in force, most binding first, the county rule last.
    pub layers: Vec<LayerExplained>,
    /// Where the office is notified, if the revision has a tree for it.
    pub notify: Option<Explanation>,
    /// Where the person is handed over, if the revision has a tree for it.
    pub transfer: Option<Explanation>,
}

/// What the evaluator answers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The answer about the hold.
    pub outcome: Outcome,
    /// Its reason.
    pub reason: Reason,
    /// Whether the issuing office is notified.
    pub notify: bool,
    /// Whether the person is handed over.
    pub transfer: bool,
    /// The agreement the answer rests on.
    pub agreement: Option<AgreementId>,
    /// Every step, with what it read.
    pub explanation: Explained,
}

fn step(step: Step, label: &str, value: Tri, fact: impl Into<Arc<str>>) -> Explanation {
    Explanation { step, label: label.into(), value, fact: fact.into(), parts: Vec::new() }
}

#[cfg(test)]
mod tests;
