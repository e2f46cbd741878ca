//! Why a call failed, taken out of `google.rpc.Status` into words a person can act on.

use std::fmt;
use std::path::PathBuf;

use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::pb::ErrorReason;
use crate::sheet::words::{self, Word as _};

/// A field of the request that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldProblem {
    /// Its path, for example `form.edition`.
    pub field: String,
    /// What is wrong, and what would be right.
    pub description: String,
}

/// A call that the server answered with a refusal.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The status code.
    pub code: Code,
    /// The reason of the contract; unspecified where the answer carried none that this program knows.
    pub reason: ErrorReason,
    /// The refusal in words.
    pub message: String,
    /// Fields that are wrong.
    pub fields: Vec<FieldProblem>,
    /// Resource that is missing or in the way. Empty: none was named.
    pub resource: String,
    /// The file that the credential came from, where the refusal is about the credential.
    pub credential: Option<PathBuf>,
}

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The address is none.
    #[error("`{address}` is no server address: {detail}")]
    Address {
        /// As given.
        address: String,
        /// Why not.
        detail: String,
    },
    /// The credential cannot be sent.
    #[error("the credential cannot be sent: {0}")]
    Credential(String),
    /// Nobody answered.
    #[error("no server answers at {address}: {detail}")]
    Unreachable {
        /// Where.
        address: String,
        /// What went wrong on the way.
        detail: String,
    },
    /// The server refused.
    #[error("{0}")]
    Refused(Box<Refusal>),
    /// The answer is not what the contract promises.
    #[error("the server's answer makes no sense: {0}")]
    Answer(String),
}

impl ClientError {
    /// The refusal, where the server answered with one.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// Whether the server refused for this reason.
    #[must_use]
    pub fn is(&self, reason: ErrorReason) -> bool {
        self.refusal().is_some_and(|refusal| refusal.reason == reason)
    }

    /// Turns a failed call into an error. A status that never came over the wire means that nobody answered.
    #[must_use]
    pub fn from_status(address: &str, status: &Status) -> Self {
        let made_here = std::error::Error::source(status).is_some();
        if made_here && matches!(status.code(), Code::Unavailable | Code::Unknown) {
            return Self::Unreachable { address: address.to_owned(), detail: innermost(status) };
        }
        Self::Refused(Box::new(Refusal::from_status(status)))
    }
}

/// The last cause of a failure: "connection refused" rather than "transport error".
pub(super) fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

impl Refusal {
    /// Whether another credential might have been answered otherwise.
    #[must_use]
    pub fn is_of_the_credential(&self) -> bool {
        matches!(self.code, Code::Unauthenticated | Code::PermissionDenied)
    }

    fn from_status(status: &Status) -> Self {
        let details = status.get_error_details();
        let reason = details
            .error_info()
            .and_then(|info| ErrorReason::of_contract_name(&format!("ERROR_REASON_{}", info.reason)))
            .unwrap_or(ErrorReason::Unspecified);
        let fields = details
            .bad_request()
            .map(|bad| bad.field_violations.as_slice())
            .unwrap_or_default()
            .iter()
            .map(|v| FieldProblem { field: v.field.clone(), description: v.description.clone() })
            .collect();
        let resource = details.resource_info().map(|info| info.resource_name.clone()).unwrap_or_default();
        Self { code: status.code(), reason, message: status.message().to_owned(), fields, resource, credential: None }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = if self.message.is_empty() { self.code.description() } else { &self.message };
        write!(f, "{words}")?;
        if !self.resource.is_empty() && !words.contains(&self.resource) {
            write!(f, " ({})", self.resource)?;
        }
        if self.reason != ErrorReason::Unspecified {
            write!(f, " [{}]", words::word(self.reason))?;
        }
        if let Some(file) = &self.credential {
            write!(f, "\n  the credential is the one in {}", file.display())?;
        }
        for problem in &self.fields {
            write!(f, "\n  {}: {}", problem.field, problem.description)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;
    use tonic_types::ErrorDetails;

    fn refused() -> Status {
        let mut details = ErrorDetails::new();
        details.set_error_info("FIELD_INVALID", "detainer.v1", HashMap::new());
        details.add_bad_request_violation("form.edition", "is required");
        details.add_bad_request_violation("form.form_date", "is no date");
        Status::with_error_details(Code::InvalidArgument, "two fields are wrong", details)
    }

    #[test]
    fn a_refusal_names_its_reason_and_every_field() {
        let error = ClientError::from_status("http://x", &refused());
        assert!(error.is(ErrorReason::FieldInvalid));
        let shown = error.to_string();
        assert!(shown.starts_with("two fields are wrong [field-invalid]"), "{shown}");
        assert!(shown.contains("\n  form.edition: is required"), "{shown}");
        assert!(shown.contains("\n  form.form_date: is no date"), "{shown}");
    }

    #[test]
    fn a_status_of_the_servers_own_is_an_answer_even_when_unavailable() {
        let error = ClientError::from_status("http://x", &Status::unavailable("stopping"));
        assert!(matches!(error, ClientError::Refused(_)), "{error:?}");
    }

    #[test]
    fn a_reason_this_program_does_not_know_leaves_the_words() {
        let mut details = ErrorDetails::new();
        details.set_error_info("OF_A_LATER_VERSION", "detainer.v1", HashMap::new());
        let status = Status::with_error_details(Code::Aborted, "later", details);
        let error = ClientError::from_status("http://x", &status);
        assert_eq!(error.refusal().map(|r| r.reason), Some(ErrorReason::Unspecified));
        assert_eq!(error.to_string(), "later");
    }
}
