//! Why a command is refused: a reason, the field, and what would be right.
//!
//! A refusal changes nothing. It never repeats identity.

/// Reasons; each is an `ErrorReason` of the API.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why {
    /// A field's value cannot be.
    Invalid,
    /// No such thing in this county.
    NotFound,
    /// The id is taken, with other content.
    IdTaken,
    /// Further ahead than five minutes.
    TimeInFuture,
    /// Before the booking, or before something it must follow.
    TimeOutOfOrder,
    /// Stays of one subject would overlap.
    StayOverlaps,
    /// Custody has ended.
    NotInCustody,
    /// It has ended or closed already.
    AlreadyEnded,
    /// The same paper's key with other content: use `ReplaceDetainer`.
    DetainerKeyConflict,
    /// It would move a T0 or deadline later: use `CorrectBooking`.
    CorrectionRequired,
    /// The old value named is not the one on record.
    OldValueDiffers,
    /// The person is in that facility already.
    AlreadyThere,
    /// A fact that cannot stand beside what is recorded.
    FactConflict,
    /// A second person has to confirm.
    SecondPersonRequired,
    /// The proposal was confirmed already.
    ProposalConfirmed,
    /// The proposal's time has passed.
    ProposalExpired,
    /// The etag is not the current one.
    StaleEtag,
    /// Decisions were recorded under the revision that would be displaced.
    PastSwitchDisplacesDecisions,
    /// A zone or another setting that is fixed once in use.
    FixedOnceInUse,
    /// The form does not wait for review.
    NotUnderReview,
    /// An override that would change nothing, or not what it is meant to.
    OverrideWithoutEffect,
    /// The duty was carried out already.
    DutyDone,
    /// Rates or agreements would overlap or contradict each other.
    Overlaps,
    /// A budget is less than what is reserved and spent.
    BelowCommitted,
    /// The period is not over everywhere.
    PeriodNotOver,
    /// The period is closed already.
    PeriodClosed,
    /// Nothing is left to be claimed.
    NothingToClaim,
    /// A claim would not reach as far as the one before it.
    ClaimOutOfOrder,
    /// The act does not fit where the claim stands.
    ClaimState,
    /// A sum passes what money can be.
    AmountTooLarge,
    /// More bookings than one command may touch.
    TooManyAffected,
    /// The county asks for a preview of every switch.
    PreviewRequired,
    /// The switch would do something else than its preview said.
    PreviewDiffers,
}

/// A command that was refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{field}: {detail}")]
pub struct Refusal {
    /// The reason.
    pub why: Why,
    /// The field of the request that is wrong; empty where the state is.
    pub field: String,
    /// What is wrong and what would be right.
    pub detail: String,
}

impl Refusal {
    /// A refusal.
    pub fn new(why: Why, field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { why, field: field.into(), detail: detail.into() }
    }
}

impl From<super::cost::CostError> for Refusal {
    fn from(error: super::cost::CostError) -> Self {
        Self::new(Why::AmountTooLarge, "", error.to_string())
    }
}

impl From<super::money::Overflow> for Refusal {
    fn from(error: super::money::Overflow) -> Self {
        Self::new(Why::AmountTooLarge, "", error.to_string())
    }
}
