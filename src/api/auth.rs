//! Who calls, and what they may do.
//!
//! A credential is a token in `authorization: Bearer`, stored as a hash, naming one person and bound to roles and
//! counties. Every call but health checks is authenticated before its handler runs, and its role is checked against the
//! one table [`METHODS`]; a method that is not in the table is denied. Handlers check the county with
//! [`Principal::allow`] before they look at anything.

use super::error::{of_store, status};
use crate::domain::ids::CountyId;
use crate::domain::time::Instant;
use crate::identity::token::{is_token, token_hash};
use crate::pb::{ErrorReason, Role};
use crate::rows::{Cell, ColType};
use crate::store::{Param, Store};
use std::sync::Arc;
use tonic::{Request, Status};

/// Who calls.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Principal {
    /// The credential's id.
    pub actor: Arc<str>,
    /// The person or system it names.
    pub person: Arc<str>,
    /// What it may do.
    pub roles: Vec<Role>,
    /// The counties it is bound to; nothing means all.
    pub counties: Option<Vec<CountyId>>,
    /// Whether what they send loads a county's history: never of a credential by itself, an import says so.
    pub history: bool,
}

impl Principal {
    /// Denies a county that the credential is not bound to, whether it exists or not.
    ///
    /// # Errors
    /// `COUNTY_NOT_ALLOWED`.
    pub fn allow(&self, county: &CountyId) -> Result<(), Status> {
        if self.may(county) {
            return Ok(());
        }
        Err(status(ErrorReason::CountyNotAllowed, "the credential is not bound to this county"))
    }

    /// Whether the credential is bound to the county.
    #[must_use]
    pub fn may(&self, county: &CountyId) -> bool {
        self.counties.as_ref().is_none_or(|bound| bound.contains(county))
    }

    /// Denies answers with identity but to records and administrators.
    ///
    /// # Errors
    /// `IDENTITY_NOT_ALLOWED`.
    pub fn allow_identity(&self) -> Result<(), Status> {
        if self.roles.iter().any(|role| matches!(role, Role::Records | Role::Administrator)) {
            return Ok(());
        }
        Err(status(ErrorReason::IdentityNotAllowed, "the credential may not see identity"))
    }
}

/// The caller of a request, as the layer in front of the services has put it there.
///
/// # Errors
/// `CREDENTIAL_INVALID` where there is none.
pub fn principal<T>(request: &Request<T>) -> Result<Principal, Status> {
    request.extensions().get::<Principal>().cloned().ok_or_else(unknown)
}

fn unknown() -> Status {
    status(ErrorReason::CredentialInvalid, "no credential, or one that is unknown, expired or taken back")
}

const R: Role = Role::Records;
const A: Role = Role::Administrator;
const U: Role = Role::Auditor;
const O: Role = Role::Operator;

/// Which roles may call which methods.
pub const METHODS: &[(&str, &str, &[Role])] = &[
    ("CountyService", "CreateCounty UpdateCounty CreateFacility UpdateFacility SetCalendar", &[A]),
    ("CountyService", "GetCounty ListCounties ListFacilities GetCalendar", &[R, A, U]),
    ("BookingService", "CreateBooking OpenBasis CloseBasis UpdateFacts MoveBooking ReleaseBooking CorrectBooking", &[R]),
    ("BookingService", "ConfirmProposal", &[R, A]),
    ("BookingService", "GetBooking ListBookings ListProposals GetTimeline CheckRelease", &[R, A, U]),
    ("DetainerService", "RecordDetainer AttachDocument RecordService LiftDetainer ReplaceDetainer RecordNotice", &[R]),
    ("DetainerService", "ResolveReview OverrideDecision", &[A]),
    ("DetainerService", "GetDocument GetDetainer ListDetainers ListReviews ListDecisions ListDuties", &[R, A, U]),
    ("HoldService", "GetHold ListHolds WatchHolds", &[R, A, U]),
    ("PolicyService", "SwitchPolicyMode CreatePolicyRevision ActivatePolicyRevision", &[A]),
    ("PolicyService", "CreateAgreement AmendAgreement TerminateAgreement SetRate", &[A]),
    ("PolicyService", "PreviewPolicyRevision SimulatePolicy", &[A, U]),
    (
        "PolicyService",
        "GetEffectivePolicy GetPolicyRevision ListPolicyRevisions ExplainDecision GetAgreement ListAgreements ListRates",
        &[R, A, U],
    ),
    (
        "ReportService",
        "StreamHoldRegister GetHoldStatistics GetDecisionReport StreamDeclinedDetainers GetDutyReport GetCostReport StreamCostLines GetOverdetentionReport CompareModes GetDailyCertificate ListBailEligible GetGeorgiaQuarterlyReport GetNorthCarolinaAnnualReport",
        &[R, A, U],
    ),
    ("ReportService", "ExplainChange", &[R, A, U]),
    ("ReportService", "ClosePeriod", &[A]),
    ("ReportService", "CreateClaim UpdateClaim", &[A, U]),
    ("ReportService", "ListPeriodCloses GetClaim ListClaims ListClaimLines GetClaimReport ListUnclaimedHolds", &[R, A, U]),
    ("JournalService", "ListEvents WatchEvents", &[R, A, U]),
    ("ImportService", "Import", &[R]),
    ("TokenService", "CreateToken RevokeToken ListTokens", &[A]),
];

/// The roles that may call the method at a path such as `/detainer.v1.HoldService/GetHold`.
#[must_use]
pub fn roles_of(path: &str) -> Option<&'static [Role]> {
    if path.starts_with("/grpc.reflection.") {
        return Some(&[R, A, U, O]);
    }
    let (service, method) = path.strip_prefix("/detainer.v1.")?.split_once('/')?;
    let row = METHODS.iter().find(|(of, methods, _)| *of == service && methods.split(' ').any(|m| m == method))?;
    Some(row.2)
}

/// Finds the caller by the `authorization` header, and checks that the role suffices for the method.
///
/// # Errors
/// `CREDENTIAL_INVALID`, `ROLE_REQUIRED`, or the store's.
pub async fn authenticate(store: &Store, now: Instant, header: Option<&str>, path: &str) -> Result<Principal, Status> {
    let token = header.and_then(|header| header.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let token = token.map(|(_, token)| token.trim()).filter(|token| is_token(token)).ok_or_else(unknown)?;
    let sql = "select id, person, roles, counties from principals where token_hash = $1 and revoked_at is null \
               and (expires_at is null or expires_at > $2)";
    let (hash, now) = (Cell::from(token_hash(token).to_vec()), Cell::from(now));
    let params = [Param::of(ColType::Bytes, &hash), Param::of(ColType::Int, &now)];
    let found = store.query(sql, &params, &[ColType::Text; 4]).await.map_err(|error| of_store(&error))?;
    let principal = found.first().and_then(|row| read(row)).ok_or_else(unknown)?;
    match roles_of(path) {
        Some(roles) if roles.iter().any(|role| principal.roles.contains(role)) => Ok(principal),
        _ => Err(status(ErrorReason::RoleRequired, "the credential's roles do not allow this call")),
    }
}

fn read(row: &[Cell]) -> Option<Principal> {
    let [id, person, roles, counties] = row else { return None };
    Some(Principal {
        actor: id.as_text()?.into(),
        person: person.as_text()?.into(),
        roles: roles_from(roles.as_text()?),
        counties: counties_from(counties.as_text()?),
        history: false,
    })
}

/// Roles as the table holds them.
#[must_use]
pub fn roles_from(words: &str) -> Vec<Role> {
    words.split(',').filter_map(|word| Role::from_str_name(&format!("ROLE_{word}"))).collect()
}

/// Roles for the table.
#[must_use]
pub fn roles_text(roles: &[Role]) -> String {
    roles.iter().map(|role| role.as_str_name().trim_start_matches("ROLE_")).collect::<Vec<_>>().join(",")
}

/// Counties as the table holds them; `*` means all.
#[must_use]
pub fn counties_from(words: &str) -> Option<Vec<CountyId>> {
    (words != "*").then(|| words.split(',').filter(|word| !word.is_empty()).map(CountyId::trusted).collect())
}

/// Counties for the table.
#[must_use]
pub fn counties_text(counties: Option<&[CountyId]>) -> String {
    counties.map_or("*".into(), |bound| bound.iter().map(CountyId::as_str).collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use prost::Message as _;

    /// Every method of the contract has its roles, and no row names a method that is not there.
    #[test]
    fn the_table_is_whole() {
        let set = prost_types::FileDescriptorSet::decode(crate::pb::DESCRIPTORS).unwrap();
        let services: Vec<_> = set.file.iter().filter(|f| f.package() == "detainer.v1").flat_map(|f| &f.service).collect();
        let mut known = 0;
        for service in &services {
            for method in &service.method {
                let path = format!("/detainer.v1.{}/{}", service.name(), method.name());
                assert!(roles_of(&path).is_some(), "{path}");
                known += 1;
            }
        }
        assert_eq!(METHODS.iter().map(|row| row.1.split(' ').count()).sum::<usize>(), known);
        assert_eq!(roles_of("/detainer.v1.HoldService/Nothing"), None);
    }

    #[test]
    fn roles_and_counties_in_words() {
        assert_eq!(roles_from(&roles_text(&[R, A])), [R, A]);
        assert_eq!(counties_from("*"), None);
        assert_eq!(counties_from(&counties_text(Some(&[]))), Some(Vec::new()), "bound to none is not bound to all");
    }
}
