//! The typed client: one method for each call of the contract, one place for credential, deadline and errors.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status, Streaming};

use super::error::{ClientError, innermost};
use crate::pb;
use pb::booking_service_client::BookingServiceClient;
use pb::county_service_client::CountyServiceClient;
use pb::detainer_service_client::DetainerServiceClient;
use pb::hold_service_client::HoldServiceClient;
use pb::import_service_client::ImportServiceClient;
use pb::journal_service_client::JournalServiceClient;
use pb::policy_service_client::PolicyServiceClient;
use pb::report_service_client::ReportServiceClient;
use pb::token_service_client::TokenServiceClient;

/// Where a server listens unless it is told otherwise.
pub const DEFAULT_SERVER: &str = "http://127.0.0.1:50051";
/// How long one call may take unless the caller says otherwise.
pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(30);
/// How long to try to reach a server.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// The largest answer taken, in bytes: a page of 500 entries has room in it.
const LARGEST_ANSWER: usize = 16 * 1024 * 1024;

/// A secret as it is sent: `Bearer ...`. Never shown.
#[derive(Clone)]
pub struct Credential {
    header: Option<MetadataValue<Ascii>>,
    file: Option<PathBuf>,
}

impl Credential {
    /// No credential: good for health only.
    #[must_use]
    pub fn none() -> Self {
        Self { header: None, file: None }
    }

    /// A secret.
    ///
    /// # Errors
    /// [`ClientError::Credential`] where it is empty or cannot stand in a header.
    pub fn secret(secret: &str) -> Result<Self, ClientError> {
        let secret = secret.trim();
        if secret.is_empty() {
            return Err(ClientError::Credential("it is empty".to_owned()));
        }
        let mut value: MetadataValue<Ascii> = format!("Bearer {secret}")
            .parse()
            .map_err(|_| ClientError::Credential("it holds characters that no credential has".to_owned()))?;
        value.set_sensitive(true);
        Ok(Self { header: Some(value), file: None })
    }

    /// The secret that a file holds.
    ///
    /// # Errors
    /// [`ClientError::Credential`] where it cannot be read.
    pub fn file(path: &Path) -> Result<Self, ClientError> {
        let secret =
            std::fs::read_to_string(path).map_err(|error| ClientError::Credential(format!("{}: {error}", path.display())))?;
        let known = Self::secret(&secret).map_err(|error| match error {
            ClientError::Credential(why) => ClientError::Credential(format!("{}: {why}", path.display())),
            other => other,
        })?;
        Ok(Self { file: Some(path.to_owned()), ..known })
    }

    /// The file in a server's data folder that holds the secret of a role, as `admin` or `records`, for every county.
    #[must_use]
    pub fn file_of(data_dir: &Path, role: &str) -> PathBuf {
        data_dir.join(format!("{role}.token"))
    }

    /// The same for one county. No id of a county has a dot in it.
    #[must_use]
    pub fn file_for(data_dir: &Path, role: &str, county: &str) -> PathBuf {
        data_dir.join(format!("{role}.{county}.token"))
    }
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.header.is_some() { "Credential(a secret)" } else { "Credential(none)" })
    }
}

impl Interceptor for Credential {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(value) = &self.header {
            request.metadata_mut().insert("authorization", value.clone());
        }
        Ok(request)
    }
}

/// The channel with the credential put on each call.
pub type Wire = InterceptedService<Channel, Credential>;

/// A connection to a server under one credential. Clones share the connection.
#[derive(Clone, Debug)]
pub struct Client {
    address: String,
    channel: Channel,
    credential: Credential,
    deadline: Duration,
}

impl Client {
    /// Connects: `http://host:port`, or `host:port` for the same.
    ///
    /// # Errors
    /// [`ClientError::Address`] where the address is none, [`ClientError::Unreachable`] where nobody answers.
    pub async fn connect(address: &str, credential: Credential) -> Result<Self, ClientError> {
        let address = if address.contains("://") { address.to_owned() } else { format!("http://{address}") };
        let endpoint = Endpoint::from_shared(address.clone())
            .map_err(|error| ClientError::Address { address: address.clone(), detail: innermost(&error) })?
            .connect_timeout(CONNECT_WITHIN)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(Duration::from_secs(20))
            .keep_alive_timeout(Duration::from_secs(20))
            .user_agent(concat!("detainerctl/", env!("CARGO_PKG_VERSION")))
            .map_err(|error| ClientError::Address { address: address.clone(), detail: innermost(&error) })?;
        let channel = endpoint
            .connect()
            .await
            .map_err(|error| ClientError::Unreachable { address: address.clone(), detail: innermost(&error) })?;
        Ok(Self { address, channel, credential, deadline: DEFAULT_DEADLINE })
    }

    /// The same connection under another credential.
    #[must_use]
    pub fn with_credential(&self, credential: Credential) -> Self {
        Self { credential, ..self.clone() }
    }

    /// The same connection with another deadline for each call; streams have none.
    #[must_use]
    pub fn with_deadline(&self, deadline: Duration) -> Self {
        Self { deadline, ..self.clone() }
    }

    /// Where the server is.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The typed error of a failed call.
    #[must_use]
    pub fn error(&self, status: &Status) -> ClientError {
        let mut error = ClientError::from_status(&self.address, status);
        if let ClientError::Refused(refusal) = &mut error
            && refusal.is_of_the_credential()
        {
            refusal.credential.clone_from(&self.credential.file);
        }
        error
    }

    fn wire(&self) -> Wire {
        InterceptedService::new(self.channel.clone(), self.credential.clone())
    }

    fn timed<M>(&self, message: M) -> Request<M> {
        let mut request = Request::new(message);
        request.set_timeout(self.deadline);
        request
    }

    /// Opens the import's two streams. The first message must be the header; see [`super::import`].
    ///
    /// # Errors
    /// As every call.
    pub async fn import<S>(&self, requests: S) -> Result<Streaming<pb::ImportResponse>, ClientError>
    where
        S: futures_util::Stream<Item = pb::ImportRequest> + Send + 'static,
    {
        let mut service = ImportServiceClient::new(self.wire());
        let answer = service.import(Request::new(requests)).await;
        answer.map(tonic::Response::into_inner).map_err(|status| self.error(&status))
    }
}

/// One method for each call: a deadline on each that answers once, none on those that stream.
macro_rules! calls {
    ($($service:ident { $($kind:ident $method:ident($request:ident) -> $response:ident;)* })*) => {
        impl Client {
            $($(calls!(@one $kind $service $method $request $response);)*)*
        }
    };
    (@one once $service:ident $method:ident $request:ident $response:ident) => {
        #[doc = concat!("Calls `", stringify!($method), "`; see the contract.\n\n# Errors\nA refusal, or no answer.")]
        pub async fn $method(&self, request: pb::$request) -> Result<pb::$response, ClientError> {
            let mut service = $service::new(self.wire()).max_decoding_message_size(LARGEST_ANSWER);
            let answer = service.$method(self.timed(request)).await;
            answer.map(tonic::Response::into_inner).map_err(|status| self.error(&status))
        }
    };
    (@one stream $service:ident $method:ident $request:ident $response:ident) => {
        #[doc = concat!("Opens the stream of `", stringify!($method), "`; see the contract.\n\n# Errors\nA refusal, or no answer.")]
        pub async fn $method(&self, request: pb::$request) -> Result<Streaming<pb::$response>, ClientError> {
            let mut service = $service::new(self.wire()).max_decoding_message_size(LARGEST_ANSWER);
            let answer = service.$method(Request::new(request)).await;
            answer.map(tonic::Response::into_inner).map_err(|status| self.error(&status))
        }
    };
}

calls! {
    CountyServiceClient {
        once create_county(CreateCountyRequest) -> CreateCountyResponse;
        once get_county(GetCountyRequest) -> GetCountyResponse;
        once update_county(UpdateCountyRequest) -> UpdateCountyResponse;
        once list_counties(ListCountiesRequest) -> ListCountiesResponse;
        once create_facility(CreateFacilityRequest) -> CreateFacilityResponse;
        once update_facility(UpdateFacilityRequest) -> UpdateFacilityResponse;
        once list_facilities(ListFacilitiesRequest) -> ListFacilitiesResponse;
        once set_calendar(SetCalendarRequest) -> SetCalendarResponse;
        once get_calendar(GetCalendarRequest) -> GetCalendarResponse;
    }
    BookingServiceClient {
        once create_booking(CreateBookingRequest) -> CreateBookingResponse;
        once get_booking(GetBookingRequest) -> GetBookingResponse;
        once list_bookings(ListBookingsRequest) -> ListBookingsResponse;
        once open_basis(OpenBasisRequest) -> OpenBasisResponse;
        once close_basis(CloseBasisRequest) -> CloseBasisResponse;
        once update_facts(UpdateFactsRequest) -> UpdateFactsResponse;
        once move_booking(MoveBookingRequest) -> MoveBookingResponse;
        once release_booking(ReleaseBookingRequest) -> ReleaseBookingResponse;
        once correct_booking(CorrectBookingRequest) -> CorrectBookingResponse;
        once confirm_proposal(ConfirmProposalRequest) -> ConfirmProposalResponse;
        once list_proposals(ListProposalsRequest) -> ListProposalsResponse;
        once get_timeline(GetTimelineRequest) -> GetTimelineResponse;
        once check_release(CheckReleaseRequest) -> CheckReleaseResponse;
    }
    DetainerServiceClient {
        once record_detainer(RecordDetainerRequest) -> RecordDetainerResponse;
        once attach_document(AttachDocumentRequest) -> AttachDocumentResponse;
        once get_document(GetDocumentRequest) -> GetDocumentResponse;
        once get_detainer(GetDetainerRequest) -> GetDetainerResponse;
        once list_detainers(ListDetainersRequest) -> ListDetainersResponse;
        once record_service(RecordServiceRequest) -> RecordServiceResponse;
        once lift_detainer(LiftDetainerRequest) -> LiftDetainerResponse;
        once replace_detainer(ReplaceDetainerRequest) -> ReplaceDetainerResponse;
        once resolve_review(ResolveReviewRequest) -> ResolveReviewResponse;
        once list_reviews(ListReviewsRequest) -> ListReviewsResponse;
        once override_decision(OverrideDecisionRequest) -> OverrideDecisionResponse;
        once list_decisions(ListDecisionsRequest) -> ListDecisionsResponse;
        once record_notice(RecordNoticeRequest) -> RecordNoticeResponse;
        once list_duties(ListDutiesRequest) -> ListDutiesResponse;
    }
    HoldServiceClient {
        once get_hold(GetHoldRequest) -> GetHoldResponse;
        once list_holds(ListHoldsRequest) -> ListHoldsResponse;
        stream watch_holds(WatchHoldsRequest) -> WatchHoldsResponse;
    }
    PolicyServiceClient {
        once switch_policy_mode(SwitchPolicyModeRequest) -> SwitchPolicyModeResponse;
        once create_policy_revision(CreatePolicyRevisionRequest) -> CreatePolicyRevisionResponse;
        once preview_policy_revision(PreviewPolicyRevisionRequest) -> PreviewPolicyRevisionResponse;
        stream simulate_policy(SimulatePolicyRequest) -> SimulatePolicyResponse;
        once explain_decision(ExplainDecisionRequest) -> ExplainDecisionResponse;
        once activate_policy_revision(ActivatePolicyRevisionRequest) -> ActivatePolicyRevisionResponse;
        once get_effective_policy(GetEffectivePolicyRequest) -> GetEffectivePolicyResponse;
        once get_policy_revision(GetPolicyRevisionRequest) -> GetPolicyRevisionResponse;
        once list_policy_revisions(ListPolicyRevisionsRequest) -> ListPolicyRevisionsResponse;
        once create_agreement(CreateAgreementRequest) -> CreateAgreementResponse;
        once amend_agreement(AmendAgreementRequest) -> AmendAgreementResponse;
        once terminate_agreement(TerminateAgreementRequest) -> TerminateAgreementResponse;
        once get_agreement(GetAgreementRequest) -> GetAgreementResponse;
        once list_agreements(ListAgreementsRequest) -> ListAgreementsResponse;
        once set_rate(SetRateRequest) -> SetRateResponse;
        once list_rates(ListRatesRequest) -> ListRatesResponse;
    }
    ReportServiceClient {
        stream stream_hold_register(StreamHoldRegisterRequest) -> StreamHoldRegisterResponse;
        once get_hold_statistics(GetHoldStatisticsRequest) -> GetHoldStatisticsResponse;
        once get_decision_report(GetDecisionReportRequest) -> GetDecisionReportResponse;
        stream stream_declined_detainers(StreamDeclinedDetainersRequest) -> StreamDeclinedDetainersResponse;
        once get_duty_report(GetDutyReportRequest) -> GetDutyReportResponse;
        once get_cost_report(GetCostReportRequest) -> GetCostReportResponse;
        stream stream_cost_lines(StreamCostLinesRequest) -> StreamCostLinesResponse;
        once compare_modes(CompareModesRequest) -> CompareModesResponse;
        once get_daily_certificate(GetDailyCertificateRequest) -> GetDailyCertificateResponse;
        once get_georgia_quarterly_report(GetGeorgiaQuarterlyReportRequest) -> GetGeorgiaQuarterlyReportResponse;
        once get_north_carolina_annual_report(GetNorthCarolinaAnnualReportRequest) -> GetNorthCarolinaAnnualReportResponse;
        once list_bail_eligible(ListBailEligibleRequest) -> ListBailEligibleResponse;
        once get_overdetention_report(GetOverdetentionReportRequest) -> GetOverdetentionReportResponse;
        stream explain_change(ExplainChangeRequest) -> ExplainChangeResponse;
        once close_period(ClosePeriodRequest) -> ClosePeriodResponse;
        once list_period_closes(ListPeriodClosesRequest) -> ListPeriodClosesResponse;
        once create_claim(CreateClaimRequest) -> CreateClaimResponse;
        once update_claim(UpdateClaimRequest) -> UpdateClaimResponse;
        once get_claim(GetClaimRequest) -> GetClaimResponse;
        once list_claims(ListClaimsRequest) -> ListClaimsResponse;
        once list_claim_lines(ListClaimLinesRequest) -> ListClaimLinesResponse;
        once get_claim_report(GetClaimReportRequest) -> GetClaimReportResponse;
        once list_unclaimed_holds(ListUnclaimedHoldsRequest) -> ListUnclaimedHoldsResponse;
    }
    JournalServiceClient {
        once list_events(ListEventsRequest) -> ListEventsResponse;
        stream watch_events(WatchEventsRequest) -> WatchEventsResponse;
    }
    TokenServiceClient {
        once create_token(CreateTokenRequest) -> CreateTokenResponse;
        once revoke_token(RevokeTokenRequest) -> RevokeTokenResponse;
        once list_tokens(ListTokensRequest) -> ListTokensResponse;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_shown() {
        let credential = Credential::secret("detainer_abc\n").unwrap_or_else(|_| Credential::none());
        assert_eq!(format!("{credential:?}"), "Credential(a secret)");
        assert!(matches!(Credential::secret(" \n"), Err(ClientError::Credential(_))));
        assert!(matches!(Credential::secret("a\nb"), Err(ClientError::Credential(_))));
    }

    #[tokio::test]
    async fn nobody_there_is_told_apart_from_a_refusal() {
        // Port 1 of the loopback is reserved and closed.
        let answer = Client::connect("127.0.0.1:1", Credential::none()).await;
        assert!(
            matches!(&answer, Err(ClientError::Unreachable { address, .. }) if address == "http://127.0.0.1:1"),
            "{answer:?}"
        );
        assert!(matches!(Client::connect("http://a b", Credential::none()).await, Err(ClientError::Address { .. })));
    }
}
