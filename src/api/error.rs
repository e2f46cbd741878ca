//! From refusals and failures to the status a caller sees: a code, an `ErrorInfo` with a documented reason, and the
//! bad fields or the missing resource where there are any. No message carries SQL or identity.

use crate::domain::refusal::{Refusal, Why};
use crate::ledger::LedgerError;
use crate::pb::ErrorReason;
use crate::store::StoreError;
use std::collections::HashMap;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt as _};

/// The domain of every `ErrorInfo`.
pub const DOMAIN: &str = "detainer.v1";

/// The name of a reason without its prefix.
#[must_use]
pub fn reason_name(reason: ErrorReason) -> &'static str {
    reason.as_str_name().trim_start_matches("ERROR_REASON_")
}

/// The code a reason comes with; see `error.proto`.
#[must_use]
pub fn code_of(reason: ErrorReason) -> Code {
    use ErrorReason as R;
    match reason {
        R::CursorInvalid | R::AsOfInFuture => Code::OutOfRange,
        R::StaleEtag | R::PreviewDiffers => Code::Aborted,
        R::DeadlinePassed => Code::DeadlineExceeded,
        R::JournalUnreadable => Code::DataLoss,
        other => match other as i32 {
            1..20 => Code::InvalidArgument,
            20 => Code::Unauthenticated,
            21..40 => Code::PermissionDenied,
            40..60 => Code::NotFound,
            60..80 => Code::AlreadyExists,
            100..160 => Code::FailedPrecondition,
            160..180 => Code::ResourceExhausted,
            180..200 => Code::Unavailable,
            _ => Code::Internal,
        },
    }
}

fn details(reason: ErrorReason) -> ErrorDetails {
    ErrorDetails::with_error_info(reason_name(reason), DOMAIN, HashMap::new())
}

/// A status with a reason.
#[must_use]
pub fn status(reason: ErrorReason, message: impl Into<String>) -> Status {
    Status::with_error_details(code_of(reason), message, details(reason))
}

/// The reason that a status of ours carries.
#[must_use]
pub fn reason_in(status: &Status) -> ErrorReason {
    let name = status.get_details_error_info().map(|info| format!("ERROR_REASON_{}", info.reason));
    name.and_then(|name| ErrorReason::from_str_name(&name)).unwrap_or_default()
}

/// What the transport refuses by itself has no reason; it gets one here.
#[must_use]
pub fn of_transport(status: Status) -> Status {
    if !status.details().is_empty() {
        return status;
    }
    match status.code() {
        Code::OutOfRange => self::status(ErrorReason::LimitExceeded, "the message is too large"),
        Code::Internal => self::status(ErrorReason::FieldInvalid, "the message cannot be read"),
        Code::Unknown => self::status(ErrorReason::Internal, "a defect of the server; its log has more"),
        _ => status,
    }
}

/// A status that names bad fields.
#[must_use]
pub fn bad_fields(reason: ErrorReason, fields: Vec<(String, String)>) -> Status {
    let message = fields.iter().map(|(field, why)| format!("{field} {why}")).collect::<Vec<_>>().join("; ");
    let mut details = details(reason);
    let violations: Vec<_> = fields.into_iter().map(|(field, why)| FieldViolation::new(field, why)).collect();
    details.set_bad_request(violations);
    Status::with_error_details(code_of(reason), message, details)
}

/// A resource that is not there.
#[must_use]
pub fn not_found(kind: &str, name: &str) -> Status {
    resource(ErrorReason::ResourceNotFound, kind, name, format!("there is no {kind} {name} at that point"))
}

fn resource(reason: ErrorReason, kind: &str, name: &str, message: String) -> Status {
    let mut details = details(reason);
    details.set_resource_info(kind, name, "", message.clone());
    Status::with_error_details(code_of(reason), message, details)
}

/// The status of an error of the ledger. `method` says which of several reasons is meant where the rule has one word
/// for them, for example what had ended already.
#[must_use]
pub fn of_ledger(method: &str, error: LedgerError) -> Status {
    match error {
        LedgerError::Refused(refusal) => of_refusal(method, &refusal),
        LedgerError::RequestIdReused => status(ErrorReason::RequestIdReused, error.to_string()),
        LedgerError::QueueFull => status(ErrorReason::QueueFull, error.to_string()),
        LedgerError::ShuttingDown => status(ErrorReason::ShuttingDown, error.to_string()),
        LedgerError::BeyondHead(_) => status(ErrorReason::AsOfInFuture, error.to_string()),
        LedgerError::ClockBehind | LedgerError::ClockSkew(_) => status(ErrorReason::ClockBehind, error.to_string()),
        LedgerError::Unreadable { .. } | LedgerError::BadSetting(_) => {
            tracing::error!(%error, "a county is stopped");
            status(ErrorReason::JournalUnreadable, "the county's journal holds a record that this server cannot read")
        }
        LedgerError::OtherKey => status(ErrorReason::StoreUnavailable, error.to_string()),
        LedgerError::Store(error) => of_store(&error),
        LedgerError::Defect(what) => {
            tracing::error!(what, "a defect");
            status(ErrorReason::Internal, "a defect of the server; its log has more")
        }
    }
}

/// The status of an error of the store.
#[must_use]
pub fn of_store(error: &StoreError) -> Status {
    tracing::error!(%error, "the store");
    let reason = match error {
        StoreError::Disconnected(_)
        | StoreError::Contended(_)
        | StoreError::Busy(_)
        | StoreError::Timeout
        | StoreError::CommitUnknown
        | StoreError::HeadMoved { .. } => ErrorReason::StoreUnavailable,
        StoreError::Closed => ErrorReason::ShuttingDown,
        _ => ErrorReason::Internal,
    };
    let message = match error {
        StoreError::CommitUnknown => "it is not known whether this was recorded: try again with the same request id",
        _ => "the database did not answer as it has to; the server's log has more",
    };
    status(reason, message)
}

/// What a request calls what the rules speak of: paths of its fields, names of its resources.
#[derive(Clone, Debug, Default)]
pub struct Called {
    fields: Vec<(&'static str, String)>,
    resources: Vec<(&'static str, &'static str, String)>,
}

impl Called {
    /// A field has another path in this request.
    #[must_use]
    pub fn field(mut self, field: &'static str, path: impl Into<String>) -> Self {
        self.fields.push((field, path.into()));
        self
    }

    /// What is missing or taken, where the rules point to `field`, is this resource.
    #[must_use]
    pub fn resource(mut self, field: &'static str, kind: &'static str, name: impl Into<String>) -> Self {
        self.resources.push((field, kind, name.into()));
        self
    }
}

/// The status of a refusal, in the words of the request.
#[must_use]
pub fn of_refusal_called(method: &str, refusal: &Refusal, called: &Called) -> Status {
    let named = called.resources.iter().find(|(field, ..)| *field == refusal.field);
    if let (Why::NotFound | Why::IdTaken, Some((_, kind, name))) = (refusal.why, named) {
        return resource(reason_of(method, refusal), kind, name, refusal.detail.clone());
    }
    let path = called.fields.iter().find(|(field, _)| *field == refusal.field);
    match path {
        Some((_, path)) => of_refusal(method, &Refusal { field: path.clone(), ..refusal.clone() }),
        None => of_refusal(method, refusal),
    }
}

/// The status of a refusal.
#[must_use]
pub fn of_refusal(method: &str, refusal: &Refusal) -> Status {
    let reason = reason_of(method, refusal);
    let Refusal { field, detail, .. } = refusal;
    match code_of(reason) {
        Code::InvalidArgument => bad_fields(reason, vec![(field.clone(), detail.clone())]),
        Code::NotFound | Code::AlreadyExists => resource(reason, field, "", detail.clone()),
        _ if field.is_empty() => status(reason, detail.clone()),
        _ => {
            let mut details = details(reason);
            details.set_precondition_failure(vec![tonic_types::PreconditionViolation::new(
                reason_name(reason),
                field.clone(),
                detail.clone(),
            )]);
            Status::with_error_details(code_of(reason), format!("{field}: {detail}"), details)
        }
    }
}

fn reason_of(method: &str, refusal: &Refusal) -> ErrorReason {
    use ErrorReason as R;
    match refusal.why {
        Why::BelowCommitted => R::BudgetBelowCommitted,
        Why::Invalid => R::FieldInvalid,
        Why::NotFound => R::ResourceNotFound,
        Why::IdTaken => R::IdTaken,
        Why::TimeInFuture => R::EffectiveTimeInFuture,
        Why::TimeOutOfOrder => R::BeforeBeginning,
        Why::StayOverlaps => R::StayOverlaps,
        Why::NotInCustody => R::NotInCustody,
        Why::AlreadyEnded => match method {
            "CloseBasis" => R::BasisClosed,
            "RecordService" => R::AlreadyServed,
            "LiftDetainer" | "ReplaceDetainer" | "AttachDocument" | "OverrideDecision" | "ConfirmProposal" => R::DetainerClosed,
            "TerminateAgreement" | "AmendAgreement" => R::AgreementEnded,
            _ => R::BookingEnded,
        },
        Why::DetainerKeyConflict => R::DetainerKeyConflict,
        Why::CorrectionRequired => R::CorrectionRequired,
        Why::OldValueDiffers => R::OldValueDiffers,
        Why::AlreadyThere => R::AlreadyThere,
        Why::FactConflict => R::FactConflict,
        Why::SecondPersonRequired => R::SecondPersonRequired,
        Why::ProposalConfirmed => R::ProposalConfirmed,
        Why::ProposalExpired => R::ProposalExpired,
        Why::StaleEtag => R::StaleEtag,
        Why::PastSwitchDisplacesDecisions => R::PastSwitchDisplacesDecisions,
        Why::FixedOnceInUse if refusal.field == "currency_code" => R::CurrencyDiffers,
        Why::FixedOnceInUse => R::ZoneFixed,
        Why::NotUnderReview => R::NotInReview,
        Why::OverrideWithoutEffect => R::OverrideWithoutEffect,
        Why::DutyDone => R::DutyDone,
        Why::Overlaps => R::RateDateTaken,
        Why::PeriodNotOver => R::PeriodNotOver,
        Why::PeriodClosed => R::PeriodClosed,
        Why::NothingToClaim => R::NothingToClaim,
        Why::ClaimOutOfOrder => R::ClaimOutOfOrder,
        Why::ClaimState => R::ClaimState,
        Why::AmountTooLarge => R::AmountOverflow,
        Why::TooManyAffected => R::TooManyOpenDetainers,
        Why::PreviewRequired => R::PreviewRequired,
        Why::PreviewDiffers => R::PreviewDiffers,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_tried_again_says_so() {
        let cases = [
            (StoreError::CommitUnknown, Code::Unavailable, "again with the same request id"),
            (StoreError::Closed, Code::Unavailable, ""),
            (StoreError::Timeout, Code::Unavailable, ""),
            (StoreError::Full, Code::Internal, ""),
        ];
        for (error, code, words) in cases {
            let status = of_store(&error);
            assert_eq!(status.code(), code, "{error}");
            assert!(status.message().contains(words), "{error}: {}", status.message());
        }
    }

    #[test]
    fn refusals_carry_code_reason_and_field() {
        let cases = [
            (Why::Invalid, "OpenBasis", Code::InvalidArgument, "FIELD_INVALID"),
            (Why::AlreadyEnded, "CloseBasis", Code::FailedPrecondition, "BASIS_CLOSED"),
            (Why::AlreadyEnded, "ReleaseBooking", Code::FailedPrecondition, "BOOKING_ENDED"),
            (Why::StaleEtag, "SwitchPolicyMode", Code::Aborted, "STALE_ETAG"),
            (Why::NotFound, "GetBooking", Code::NotFound, "RESOURCE_NOT_FOUND"),
            (Why::DetainerKeyConflict, "RecordDetainer", Code::AlreadyExists, "DETAINER_KEY_CONFLICT"),
        ];
        for (why, method, code, reason) in cases {
            let status = of_refusal(method, &Refusal::new(why, "name", "detail"));
            assert_eq!(status.code(), code, "{why:?}");
            let info = status.get_details_error_info().expect("an ErrorInfo");
            assert_eq!((info.reason.as_str(), info.domain.as_str()), (reason, DOMAIN));
        }
        let bad = of_refusal("X", &Refusal::new(Why::Invalid, "booked_time", "is wrong"));
        assert_eq!(bad.get_details_bad_request().unwrap().field_violations[0].field, "booked_time");
    }
}
