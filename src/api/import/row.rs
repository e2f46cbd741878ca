//! One row: its operations checked, carried out in order, and what became of them.

use super::Import;
use crate::api::Api;
use crate::api::auth::Principal;
use crate::api::error::{self, reason_in};
use crate::api::time::Fields;
use crate::api::write::WriteRequest;
use crate::domain::ids::CountyId;
use crate::pb::{self, ErrorReason, ImportOutcome};
use pb::import_operation::Operation;
use sha2::{Digest as _, Sha256};
use std::time::Duration;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

/// How often what is no fault of a row is tried again.
const TRIES: u32 = 8;
/// Operations of a row.
const MOST_OPERATIONS: usize = 100;
/// Bad fields told of a row, and characters of its refusal: a result never outgrows a message.
const MOST_VIOLATIONS: usize = 100;
const MOST_WORDS: usize = 2_000;

/// What an operation is, by the request inside: its call, the field that names what it is done to.
macro_rules! operations {
    ($($variant:ident $call:ident $own:ident;)+) => {
        async fn called(
            api: &Api,
            caller: &Principal,
            operation: Operation,
            id: &str,
            validate_only: bool,
        ) -> Result<Option<pb::Receipt>, Status> {
            match operation {
                $(Operation::$variant(request) => {
                    Ok(api.$call(caller, request.stamped(id, validate_only)).await?.receipt)
                })+
            }
        }

        /// The name of what an operation is done to, and the field that it stands in.
        fn own(operation: &Operation) -> (&str, &'static str) {
            match operation {
                $(Operation::$variant(request) => (&request.$own, stringify!($own)),)+
            }
        }

        fn plain(fields: &mut Fields, operation: &Operation) {
            match operation {
                $(Operation::$variant(request) => check_plain(fields, request),)+
            }
        }
    };
}

operations! {
    CreateBooking create_booking_for parent;
    OpenBasis open_basis_for parent;
    CloseBasis close_basis_for name;
    UpdateFacts update_facts_for name;
    MoveBooking move_booking_for name;
    ReleaseBooking release_booking_for name;
    RecordDetainer record_detainer_for parent;
    RecordService record_service_for name;
    LiftDetainer lift_detainer_for name;
}

fn check_plain(fields: &mut Fields, request: &impl WriteRequest) {
    if !request.request_id().is_empty() {
        fields.bad("request_id", "must be empty here: it is made from the source, the row and the place");
    }
    if request.validate_only() {
        fields.bad("validate_only", "must be unset here: the header says it for all rows");
    }
    if !request.etag().is_empty() {
        fields.bad("etag", "must be empty here");
    }
}

/// What a row speaks of: rows that share one of these go one after the other.
pub(super) fn keys(row: &pb::ImportRow) -> Vec<String> {
    let mut keys = vec![format!("row {}", row.row_id)];
    for operation in row.operations.iter().filter_map(|one| one.operation.as_ref()) {
        let (name, _) = own(operation);
        match operation {
            Operation::CreateBooking(request) => {
                if !request.booking_id.is_empty() {
                    keys.push(format!("{name}/bookings/{}", request.booking_id));
                }
                if !request.subject.is_empty() {
                    keys.push(request.subject.clone());
                }
            }
            _ => keys.push(name.split('/').take(4).collect::<Vec<_>>().join("/")),
        }
    }
    keys
}

/// The request id of an operation: the same at each run of the same source.
fn request_id(source: &str, row: &str, place: usize) -> String {
    hex::encode(Sha256::digest(format!("{source}\0{row}\0{place}")))
}

fn check_row(row: &pb::ImportRow) -> Result<(), Status> {
    let mut fields = Fields::new();
    fields.required_text("row_id", &row.row_id, 64);
    if row.operations.is_empty() || row.operations.len() > MOST_OPERATIONS {
        fields.bad("operations", format!("must have 1 to {MOST_OPERATIONS} entries"));
    }
    fields.finish()
}

fn check_operation(operation: &Operation, county: &CountyId) -> Result<(), Status> {
    let mut fields = Fields::new();
    plain(&mut fields, operation);
    let (name, field) = own(operation);
    // A name of another shape is refused by the call itself.
    if let Some(("counties", rest)) = name.split_once('/')
        && rest.split('/').next() != Some(county.as_str())
    {
        fields.bad(field, format!("must lie in the header's county, counties/{county}"));
    }
    let dated = match operation {
        Operation::MoveBooking(request) => request.effective_time.is_some(),
        Operation::ReleaseBooking(request) => request.effective_time.is_some(),
        _ => true,
    };
    if !dated {
        fields.bad("effective_time", "is required in an import");
    }
    fields.finish()
}

impl Import {
    /// Carries out a row.
    ///
    /// # Errors
    /// What is no fault of the row; what it recorded so far stays.
    pub(super) async fn row(&self, row: pb::ImportRow) -> Result<pb::ImportRowResult, Status> {
        let mut result = pb::ImportRowResult { row_id: row.row_id.clone(), ..Default::default() };
        if let Err(status) = check_row(&row) {
            return Ok(rejected(result, 0, &status));
        }
        let (api, recorded) = self.api.noting();
        let mut creates = false;
        for (place, operation) in row.operations.into_iter().enumerate() {
            let created = matches!(operation.operation, Some(Operation::CreateBooking(_)));
            match self.operation(&api, &row.row_id, place, operation).await {
                Ok(receipt) => result.receipt = receipt.or(result.receipt),
                Err(status) if is_the_servers(&status) => return Err(status),
                // Nothing can be decided of a booking that would only be recorded.
                Err(status) if self.validate_only && creates && status.code() == Code::NotFound => {}
                Err(status) => return Ok(rejected(result, place, &status)),
            }
            creates |= created;
        }
        let outcome = if recorded.any() { ImportOutcome::Recorded } else { ImportOutcome::AlreadyRecorded };
        result.set_outcome(outcome);
        Ok(result)
    }

    async fn operation(
        &self,
        api: &Api,
        row: &str,
        place: usize,
        operation: pb::ImportOperation,
    ) -> Result<Option<pb::Receipt>, Status> {
        let Some(operation) = operation.operation else {
            let what = ("operation".to_owned(), "must be one of the operations".to_owned());
            return Err(error::bad_fields(ErrorReason::FieldInvalid, vec![what]));
        };
        check_operation(&operation, &self.county)?;
        let id = request_id(&self.source, row, place);
        let mut tried = 0;
        loop {
            let answer = called(api, &self.caller, operation.clone(), &id, self.validate_only).await;
            match answer {
                Err(status) if may_pass(&status) && tried < TRIES => {
                    tokio::time::sleep(Duration::from_millis(20 << tried)).await;
                    tried += 1;
                }
                Err(status) if reason_in(&status) == ErrorReason::RequestIdReused => {
                    let words = "this place of this row was recorded before with another content; what was recorded is \
                                 changed by CorrectBooking, not by another file";
                    return Err(error::status(ErrorReason::RequestIdReused, words));
                }
                answer => return answer,
            }
        }
    }
}

/// Whether the same call may succeed a moment later.
fn may_pass(status: &Status) -> bool {
    matches!(reason_in(status), ErrorReason::QueueFull | ErrorReason::StoreUnavailable)
}

/// Whether a refusal says nothing about the row.
fn is_the_servers(status: &Status) -> bool {
    let codes = [Code::Unavailable, Code::Internal, Code::DataLoss, Code::Unknown, Code::DeadlineExceeded, Code::Cancelled];
    codes.contains(&status.code()) || may_pass(status)
}

fn rejected(mut result: pb::ImportRowResult, place: usize, status: &Status) -> pb::ImportRowResult {
    result.set_outcome(ImportOutcome::Rejected);
    result.code = status.code().into();
    result.set_reason(reason_in(status));
    result.message = status.message().chars().take(MOST_WORDS).collect();
    let bad = status.get_details_bad_request().map(|bad| bad.field_violations).unwrap_or_default();
    let violation = |bad: tonic_types::FieldViolation| pb::ImportFieldViolation {
        field: bad.field,
        description: bad.description.chars().take(MOST_WORDS / 4).collect(),
    };
    result.field_violations = bad.into_iter().take(MOST_VIOLATIONS).map(violation).collect();
    result.rejected_operation = i32::try_from(place).unwrap_or(i32::MAX);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_ids_are_steady_short_and_apart() {
        let ids = [("a", "1", 0), ("a", "1", 1), ("a", "10", 0), ("b", "1", 0)].map(|(s, r, n)| request_id(s, r, n));
        assert!(ids.iter().all(|id| id.len() == 64));
        assert!(ids.iter().enumerate().all(|(n, id)| !ids[..n].contains(id)), "{ids:?}");
        assert_eq!(request_id("a", "1", 0), ids[0]);
    }

    #[test]
    fn a_row_speaks_of_its_bookings_and_its_subject() {
        let operation = |operation| pb::ImportOperation { operation: Some(operation) };
        let create = pb::CreateBookingRequest {
            parent: "counties/c".into(),
            booking_id: "b1".into(),
            subject: "counties/c/subjects/s1".into(),
            ..Default::default()
        };
        let close = pb::CloseBasisRequest { name: "counties/c/bookings/b2/bases/x".into(), ..Default::default() };
        let operations = vec![operation(Operation::CreateBooking(create)), operation(Operation::CloseBasis(close))];
        let row = pb::ImportRow { row_id: "7".into(), operations };
        assert_eq!(keys(&row), ["row 7", "counties/c/bookings/b1", "counties/c/subjects/s1", "counties/c/bookings/b2"]);
    }
}
