//! One answer to one request: immutable, with its inputs and its explanation (DOMAIN.md §5).

use super::clock::ClockTerms;
use super::facts::{Source, Stamp, TextRef};
use super::ids::{AgreementId, ProposalId, RevisionId};
use super::policy::{Explained, Inputs, Mode};
use super::time::Instant;

/// The answer about the hold.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Outcome {
    /// The person may be held past T0 once the form is in effect.
    Honor,
    /// The person is not held.
    Decline,
    /// A person must look; until then nobody is held.
    NeedsReview,
}

/// Why it came out so; `decision.proto` has a word for each.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Reason {
    /// The rule's condition holds.
    RuleSatisfied,
    /// No revision was in force.
    NoPolicyInForce,
    /// The form does not ask to hold.
    NoHoldRequested,
    /// Proof of citizenship or lawful status.
    StatusProof,
    /// The form lacks a probable-cause box, a signature or a warrant.
    FaciallyInsufficient,
    /// Whether the form is sufficient is not known.
    FaciallyUnknown,
    /// No signed agreement in force covers this request.
    NoGuarantee,
    /// The agreement's balance could not be reserved at the hold's start.
    BalanceNotReserved,
    /// The policy declines every request.
    PolicyDeclines,
    /// The policy only notifies.
    NotifyOnly,
    /// A condition of the rule is unknown.
    RuleUnknown,
    /// A person declined on review.
    ReviewDeclined,
    /// The rule's condition does not hold.
    RuleNotSatisfied,
    /// A court order says so.
    CourtOrder,
    /// A law of the state demands it.
    StateMandate,
    /// A law of the state forbids it.
    StateCeiling,
    /// Two persons put their own answer in place of the county rule's.
    Overridden,
}

/// What an override says instead of the county's rule.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum OverrideAnswer {
    /// Hold.
    Honor,
    /// Do not hold.
    Decline,
    /// What the rule itself says: an earlier override is taken back.
    Rule,
}

impl OverrideAnswer {
    /// Whether it holds, in place of the rule; nothing where the rule itself answers.
    #[must_use]
    pub fn honors(self) -> Option<bool> {
        match self {
            Self::Honor => Some(true),
            Self::Decline => Some(false),
            Self::Rule => None,
        }
    }
}

/// Two persons' own answer in place of the county rule's, while the revision governs under which they gave it (DOMAIN.md
/// §5 *Reviews and overrides*).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Override {
    /// The act of two persons that made it.
    pub proposal: ProposalId,
    /// From when: its confirmation, or the past instant that was asked for. Until it is confirmed: its proposal.
    pub at: Stamp,
    /// The past instant that was asked for; only a decline has one.
    pub asked: Option<Instant>,
    /// What it says.
    pub answer: OverrideAnswer,
    /// The revision whose rule it replaces.
    pub revision: RevisionId,
    /// Where it is known from: the order or memo.
    pub source: Source,
    /// Why, sealed.
    pub reason: Option<TextRef>,
}

/// What made a decision necessary.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Trigger {
    /// The request came in.
    Receipt,
    /// A switch took in open requests.
    Switch(RevisionId),
    /// An agreement in scope began to guarantee.
    AgreementStarted(AgreementId),
    /// An agreement in scope ended.
    AgreementEnded(AgreementId),
    /// An agreement's balance was used up or became free again.
    Balance(AgreementId),
    /// The balance could not be reserved at the hold's start.
    Reservation(AgreementId),
    /// A fact it read changed.
    FactChanged,
    /// A review was closed.
    Review,
    /// A fact was corrected.
    Correction,
    /// A layer of the revision came into force or ended.
    Layer(RevisionId),
    /// A look-back of the rule ran out.
    LookBack,
    /// Two persons overrode the county rule.
    Override,
}

/// One decision.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decision {
    /// Its number among the request's decisions, from 1.
    pub n: u32,
    /// From when it is so, and when it was recorded.
    pub at: Stamp,
    /// The answer about the hold.
    pub outcome: Outcome,
    /// Its reason.
    pub reason: Reason,
    /// Whether the issuing office is notified.
    pub notify: bool,
    /// Whether the person is handed over.
    pub transfer: bool,
    /// The revision it was made under.
    pub revision: Option<RevisionId>,
    /// That revision's mode.
    pub mode: Option<Mode>,
    /// What made it necessary.
    pub trigger: Trigger,
    /// From when HONOR gives authority: the effective time, or the recorded time where it turned another answer.
    pub authority_from: Instant,
    /// The clock it gives, resolved for this form.
    pub terms: Option<ClockTerms>,
    /// Hours from T0 within which notice of an unforeseen release is due; nothing: at once.
    pub notice_hours: Option<u32>,
    /// The agreement it rests on.
    pub agreement: Option<AgreementId>,
    /// What was read.
    pub inputs: Inputs,
    /// How it came about.
    pub explanation: Explained,
}
