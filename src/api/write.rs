//! From a write's request to the ledger's `Call`: request id, `validate_only`, etag and the canonical body.

use super::auth::Principal;
use super::time::Fields;
use crate::domain::ids::CountyId;
use crate::ledger::Call;
use crate::pb;
use prost::Message;
use tonic::Status;

/// A request that writes.
pub trait WriteRequest: Message + Clone {
    /// The caller's own id for it.
    fn request_id(&self) -> &str;
    /// Whether nothing is to be recorded.
    fn validate_only(&self) -> bool;
    /// The etag last seen; empty where none is asked for.
    fn etag(&self) -> &str;
    /// The same request without request id and `validate_only`: what a retry must repeat.
    fn canonical(&self) -> Self;
    /// The same request under a request id and `validate_only` of the server's: for imports.
    #[must_use]
    fn stamped(self, request_id: &str, validate_only: bool) -> Self;
}

macro_rules! writes {
    ($($request:ident $($etag:ident)?),+ $(,)?) => {$(
        impl WriteRequest for pb::$request {
            fn request_id(&self) -> &str {
                &self.request_id
            }
            fn validate_only(&self) -> bool {
                self.validate_only
            }
            fn etag(&self) -> &str {
                writes!(@etag self $($etag)?)
            }
            fn canonical(&self) -> Self {
                Self { request_id: String::new(), validate_only: false, ..self.clone() }
            }
            fn stamped(self, request_id: &str, validate_only: bool) -> Self {
                Self { request_id: request_id.to_owned(), validate_only, ..self }
            }
        }
    )+};
    (@etag $this:ident etag) => { &$this.etag };
    (@etag $this:ident) => { "" };
}

writes! {
    CreateCountyRequest, UpdateCountyRequest etag, CreateFacilityRequest, UpdateFacilityRequest etag, SetCalendarRequest etag,
    CreateBookingRequest, OpenBasisRequest etag, CloseBasisRequest etag, UpdateFactsRequest etag, MoveBookingRequest etag,
    ReleaseBookingRequest etag, CorrectBookingRequest etag, ConfirmProposalRequest,
    RecordDetainerRequest etag, AttachDocumentRequest etag, RecordServiceRequest etag, LiftDetainerRequest etag,
    ReplaceDetainerRequest etag, ResolveReviewRequest etag, RecordNoticeRequest etag, OverrideDecisionRequest etag,
    SwitchPolicyModeRequest etag, CreatePolicyRevisionRequest, ActivatePolicyRevisionRequest etag, CreateAgreementRequest, AmendAgreementRequest etag, TerminateAgreementRequest etag,
    ClosePeriodRequest etag, CreateClaimRequest, UpdateClaimRequest etag,
    SetRateRequest, CreateTokenRequest, RevokeTokenRequest,
}

/// The call of a write. Bad fields go to `fields`; check them before the call is made. Denies before anything is looked
/// up where the credential is not bound to the county.
///
/// # Errors
/// `COUNTY_NOT_ALLOWED`.
pub fn call(
    fields: &mut Fields,
    principal: &Principal,
    method: &'static str,
    county: &CountyId,
    request: &impl WriteRequest,
) -> Result<Call, Status> {
    principal.allow(county)?;
    request_id(fields, request.request_id());
    let etag = match request.etag() {
        "" => None,
        text => fields.take("etag", text.parse::<i64>().map_err(|_| "is no etag of this server")),
    };
    Ok(Call {
        county: county.clone(),
        actor: principal.actor.clone(),
        person: principal.person.clone(),
        method,
        request_id: request.request_id().into(),
        body: request.canonical().encode_to_vec(),
        validate_only: request.validate_only(),
        etag,
        preview: None,
        history: principal.history,
        sealed: Vec::new(),
    })
}

/// As [`call`] where the county may be badly named: then only the request id is checked.
///
/// # Errors
/// `COUNTY_NOT_ALLOWED`.
pub fn begin(
    fields: &mut Fields,
    principal: &Principal,
    method: &'static str,
    county: Option<&CountyId>,
    request: &impl WriteRequest,
) -> Result<Option<Call>, Status> {
    match county {
        Some(county) => call(fields, principal, method, county, request).map(Some),
        None => {
            request_id(fields, request.request_id());
            Ok(None)
        }
    }
}

/// Checks a request id: 1 to 64 characters.
pub fn request_id(fields: &mut Fields, id: &str) {
    if id.is_empty() {
        fields.bad("request_id", "is required");
    } else {
        fields.text("request_id", id, 64);
    }
}
