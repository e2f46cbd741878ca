//! Policy revisions and the one evaluator that answers under them (DOMAIN.md §5).
//!
//! A mode is shorthand for a tree; every tree is evaluated here, in Kleene's three values. Unknown never
//! becomes HONOR. To add a leaf: add it to [`Leaf`], read its fact in [`Inputs`], answer it in `Leaf::value`,
//! and name it in `Leaf::label`.

use super::agreement::MinimumCoverage;
use super::clock::{ExclusionRule, Limit, StartRule};
use super::decision::{Outcome, Reason};
use super::detainer::Edition;
use super::facts::{Stamp, TextRef, Tri};
use super::ids::{AgreementId, RevisionId};
use super::time::Date;
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

/// A condition over what is known (DOMAIN.md §5).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Condition {
    /// Every part.
    All(Vec<Condition>),
    /// At least one part.
    Any(Vec<Condition>),
    /// The opposite.
    Not(Box<Condition>),
    /// One fact.
    Leaf(Leaf),
}

/// One fact that a condition reads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Leaf {
    /// Always the same.
    Constant(bool),
    /// A written, signed promise to pay is in force for this request.
    Guaranteed(MinimumCoverage),
}

/// How binding a layer is (DOMAIN.md §5).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum LayerKind {
    /// The county's own rule: always answers.
    CountyRule,
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
    /// Who recorded it.
    pub author: Arc<str>,
    /// Who confirmed it, where two persons were asked for.
    pub approver: Option<Arc<str>>,
}

impl Revision {
    /// The county rule as a tree: the mode's, spelled out.
    #[must_use]
    pub fn rule(&self) -> Condition {
        Condition::Leaf(match self.mode {
            Mode::HonorAlways => Leaf::Constant(true),
            Mode::DeclineAll | Mode::NotifyOnly => Leaf::Constant(false),
            Mode::RequireReimbursementGuarantee => Leaf::Guaranteed(self.minimum),
        })
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

    /// Whether its rule reads agreements.
    #[must_use]
    pub fn reads_guarantee(&self) -> bool {
        self.mode == Mode::RequireReimbursementGuarantee
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

/// What the evaluator read, kept with the decision so that it can be replayed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Inputs {
    /// The form's edition.
    pub edition: Edition,
    /// Whether the form asks to hold.
    pub asks_hold: bool,
    /// Whether proof of citizenship or lawful status was recorded.
    pub status_proof: bool,
    /// Whether the form is facially sufficient.
    pub facially_sufficient: Tri,
    /// The agreement that guarantees all costs, if one does.
    pub guarantee_all: Option<AgreementId>,
    /// The agreement that guarantees something, if one does.
    pub guarantee_any: Option<AgreementId>,
    /// A person has declined this request on review.
    pub review_declined: bool,
    /// An agreement whose balance could not be reserved for this booking.
    pub reservation_failed: bool,
    /// Agreements that would guarantee, had they any balance left.
    pub exhausted: Vec<AgreementId>,
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
}

impl Step {
    /// Whether it belongs to the rule itself; otherwise it is a check beside it.
    #[must_use]
    pub fn is_rule(self) -> bool {
        matches!(self, Self::All | Self::Any | Self::Not | Self::Constant | Self::Guaranteed)
    }
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
    pub explanation: Vec<Explanation>,
}

fn step(step: Step, label: &str, value: Tri, fact: impl Into<Arc<str>>) -> Explanation {
    Explanation { step, label: label.into(), value, fact: fact.into(), parts: Vec::new() }
}

impl Leaf {
    fn step(&self) -> Step {
        match self {
            Self::Constant(_) => Step::Constant,
            Self::Guaranteed(_) => Step::Guaranteed,
        }
    }

    fn label(&self) -> &'static str {
        match self {
            Self::Constant(_) => "constant",
            Self::Guaranteed(MinimumCoverage::AllCosts) => "reimbursement guaranteed, all costs",
            Self::Guaranteed(MinimumCoverage::Any) => "reimbursement guaranteed",
        }
    }

    fn value(&self, inputs: &Inputs) -> (Tri, Arc<str>) {
        match self {
            Self::Constant(value) => (Tri::from(*value), "the rule itself".into()),
            Self::Guaranteed(minimum) => match guarantee(inputs, *minimum) {
                Some(id) => (Tri::Yes, format!("agreement {id}").into()),
                None if inputs.reservation_failed => (Tri::No, "the agreement's balance could not be reserved".into()),
                None => match inputs.exhausted.first() {
                    Some(id) => (Tri::No, format!("agreement {id} has no balance left").into()),
                    None => (Tri::No, "no signed agreement in force".into()),
                },
            },
        }
    }
}

fn guarantee(inputs: &Inputs, minimum: MinimumCoverage) -> Option<&AgreementId> {
    match minimum {
        MinimumCoverage::AllCosts => inputs.guarantee_all.as_ref(),
        MinimumCoverage::Any => inputs.guarantee_any.as_ref(),
    }
}

impl Condition {
    /// Its value and how it came about.
    #[must_use]
    pub fn explain(&self, inputs: &Inputs) -> Explanation {
        match self {
            Self::All(parts) => Self::many(Step::All, "all of", parts, inputs, Tri::Yes, Tri::and),
            Self::Any(parts) => Self::many(Step::Any, "any of", parts, inputs, Tri::No, Tri::or),
            Self::Not(part) => {
                let part = part.explain(inputs);
                Explanation { value: !part.value, parts: vec![part], ..step(Step::Not, "not", Tri::Unknown, "") }
            }
            Self::Leaf(leaf) => {
                let (value, fact) = leaf.value(inputs);
                step(leaf.step(), leaf.label(), value, fact)
            }
        }
    }

    fn many(kind: Step, label: &str, parts: &[Self], inputs: &Inputs, neutral: Tri, fold: fn(Tri, Tri) -> Tri) -> Explanation {
        let parts: Vec<_> = parts.iter().map(|part| part.explain(inputs)).collect();
        let value = parts.iter().fold(neutral, |value, part| fold(value, part.value));
        Explanation { parts, ..step(kind, label, value, "") }
    }
}

/// Answers a request under the revision in force, or without one (DOMAIN.md §10.18).
#[must_use]
pub fn evaluate(revision: Option<&Revision>, inputs: &Inputs) -> Answer {
    let Some(revision) = revision else {
        let steps = vec![step(Step::RevisionInForce, "a revision in force", Tri::No, "none in force at that instant")];
        return reviewed(Reason::NoPolicyInForce, None, inputs, steps);
    };
    let rule = revision.rule().explain(inputs);
    let mut steps = Vec::with_capacity(4);

    steps.push(step(Step::HoldRequested, "the form asks to hold", Tri::from(inputs.asks_hold), inputs.edition.label()));
    if !inputs.asks_hold {
        steps.push(rule.clone());
        return answer(Outcome::Decline, Reason::NoHoldRequested, Some((revision, rule.value)), None, steps);
    }

    steps.push(step(
        Step::StatusProof,
        "proof of citizenship or lawful status",
        Tri::from(inputs.status_proof),
        "facts of the booking",
    ));
    if inputs.status_proof {
        return reviewed(Reason::StatusProof, Some(revision), inputs, steps);
    }

    let facial = revision.asks_facial_sufficiency(inputs.edition);
    if facial {
        let read = "boxes, signature, warrant attached";
        steps.push(step(Step::FaciallySufficient, "the form is facially sufficient", inputs.facially_sufficient, read));
        if inputs.facially_sufficient == Tri::No {
            return answer(Outcome::Decline, Reason::FaciallyInsufficient, Some((revision, Tri::No)), None, steps);
        }
    }

    steps.push(rule.clone());
    match rule.value {
        Tri::No => answer(Outcome::Decline, declined_because(revision, inputs), Some((revision, Tri::No)), None, steps),
        Tri::Unknown => reviewed(Reason::RuleUnknown, Some(revision), inputs, steps),
        Tri::Yes if facial && inputs.facially_sufficient == Tri::Unknown => {
            reviewed(Reason::FaciallyUnknown, Some(revision), inputs, steps)
        }
        // What a person declined on review stays declined, whatever comes to be known of it (the stricter reading).
        Tri::Yes if inputs.review_declined => reviewed(Reason::ReviewDeclined, Some(revision), inputs, steps),
        Tri::Yes => {
            let agreement = revision.reads_guarantee().then(|| guarantee(inputs, revision.minimum).cloned()).flatten();
            answer(Outcome::Honor, Reason::RuleSatisfied, Some((revision, Tri::Yes)), agreement, steps)
        }
    }
}

fn declined_because(revision: &Revision, inputs: &Inputs) -> Reason {
    match revision.mode {
        Mode::RequireReimbursementGuarantee if inputs.reservation_failed => Reason::BalanceNotReserved,
        Mode::RequireReimbursementGuarantee => Reason::NoGuarantee,
        Mode::NotifyOnly => Reason::NotifyOnly,
        Mode::DeclineAll | Mode::HonorAlways => Reason::PolicyDeclines,
    }
}

/// NEEDS_REVIEW, unless a person has already declined on review.
/// What has to be reviewed; declined where a person did that already.
fn reviewed(reason: Reason, revision: Option<&Revision>, inputs: &Inputs, mut steps: Vec<Explanation>) -> Answer {
    if inputs.review_declined {
        steps.push(step(Step::DeclinedOnReview, "declined on review", Tri::Yes, "the reviewer's own act"));
        return answer(Outcome::Decline, Reason::ReviewDeclined, revision.map(|revision| (revision, Tri::No)), None, steps);
    }
    answer(Outcome::NeedsReview, reason, None, None, steps)
}

/// Notify and transfer come out of the mode unless the revision states them (DOMAIN.md §5, §10.20).
fn answer(
    outcome: Outcome,
    reason: Reason,
    under: Option<(&Revision, Tri)>,
    agreement: Option<AgreementId>,
    explanation: Vec<Explanation>,
) -> Answer {
    let (notify, transfer) = match (outcome, under) {
        (Outcome::NeedsReview, _) | (_, None) => (false, false),
        (Outcome::Honor, Some((revision, _))) => {
            let Answers { notify_honored, transfer_honored, .. } = revision.answers;
            (notify_honored.unwrap_or(true), transfer_honored.unwrap_or(true))
        }
        (Outcome::Decline, Some((revision, rule))) => {
            let Answers { notify_declined, transfer_declined, .. } = revision.answers;
            (notify_declined.unwrap_or(notifies(revision.mode, rule)), transfer_declined.unwrap_or(false))
        }
    };
    Answer { outcome, reason, notify, transfer, agreement, explanation }
}

/// What a mode says of notice where it does not hold.
fn notifies(mode: Mode, rule: Tri) -> bool {
    match mode {
        Mode::HonorAlways | Mode::NotifyOnly => true,
        Mode::RequireReimbursementGuarantee => rule == Tri::Yes,
        Mode::DeclineAll => false,
    }
}
