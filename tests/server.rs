//! The server over a real socket: who is let in, what is refused and in which words.

mod common;

use detainer::identity::{MasterKey, SeededEntropy};
use detainer::ledger::MachineClock;
use detainer::pb::token_service_client::TokenServiceClient;
use detainer::pb::{self, Role};
use detainer::server::{Running, spawn};
use std::sync::Arc;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;

async fn started(fresh: &common::Fresh) -> (Running, Channel, String) {
    let keys = Arc::new(MasterKey::from_hex(&"5a".repeat(32)).unwrap());
    let running = spawn(fresh.store.clone(), keys, Arc::new(SeededEntropy::new(7)), Arc::new(MachineClock)).await.unwrap();
    let channel = Channel::from_shared(format!("http://{}", running.address)).unwrap().connect().await.unwrap();
    let token = running.token.clone().expect("a fresh store has no credential yet");
    (running, channel, token)
}

fn with<T>(token: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    request
}

fn reason(status: &Status) -> String {
    status.get_details_error_info().map(|info| info.reason).unwrap_or_default()
}

fn ask(person: &str, id: &str, role: Role, counties: &[&str]) -> pb::CreateTokenRequest {
    pb::CreateTokenRequest {
        person: person.into(),
        request_id: id.into(),
        roles: vec![role.into()],
        counties: counties.iter().map(ToString::to_string).collect(),
        ..pb::CreateTokenRequest::default()
    }
}

#[tokio::test]
async fn credentials_are_made_bounded_and_taken_back() {
    for fresh in common::engines().await {
        let (running, channel, admin) = started(&fresh).await;
        let mut tokens = TokenServiceClient::new(channel);

        let refused = tokens.list_tokens(pb::ListTokensRequest::default()).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Unauthenticated, "CREDENTIAL_INVALID"));

        let made = tokens.create_token(with(&admin, ask("ann", "1", Role::Administrator, &["counties/a"]))).await.unwrap();
        let ann = made.into_inner();
        let again = tokens.create_token(with(&admin, ask("ann", "1", Role::Administrator, &["counties/a"]))).await.unwrap_err();
        assert_eq!((again.code(), reason(&again).as_str()), (Code::AlreadyExists, "REQUEST_ID_REUSED"));

        for counties in [&[][..], &["counties/b"][..]] {
            let wide = tokens.create_token(with(&ann.secret, ask("bob", "2", Role::Records, counties))).await.unwrap_err();
            assert_eq!((wide.code(), reason(&wide).as_str()), (Code::PermissionDenied, "TOKEN_SCOPE_TOO_WIDE"));
        }
        let bob = tokens.create_token(with(&ann.secret, ask("bob", "2", Role::Records, &["counties/a"]))).await.unwrap();
        let bob = bob.into_inner();
        let role = tokens.list_tokens(with(&bob.secret, pb::ListTokensRequest::default())).await.unwrap_err();
        assert_eq!((role.code(), reason(&role).as_str()), (Code::PermissionDenied, "ROLE_REQUIRED"));

        let seen = tokens.list_tokens(with(&ann.secret, pb::ListTokensRequest::default())).await.unwrap().into_inner();
        let people: Vec<_> = seen.tokens.iter().map(|token| token.person.as_str()).collect();
        assert_eq!(people.len(), 2, "the first credential reaches further than Ann's: {people:?}");

        let name = ann.token.unwrap().name;
        let revoke = pb::RevokeTokenRequest { name, request_id: "3".into(), validate_only: false };
        let revoked = tokens.revoke_token(with(&admin, revoke)).await.unwrap().into_inner();
        assert!(revoked.token.unwrap().revoke_time.is_some());
        let gone = tokens.list_tokens(with(&ann.secret, pb::ListTokensRequest::default())).await.unwrap_err();
        assert_eq!(reason(&gone), "CREDENTIAL_INVALID");
        running.stop().await.unwrap();
    }
}

#[tokio::test]
async fn every_bad_field_comes_back_and_large_messages_do_not_pass() {
    let fresh = common::sqlite(common::options()).await;
    let (running, channel, admin) = started(&fresh).await;
    let mut tokens = TokenServiceClient::new(channel);
    let bad = tokens.create_token(with(&admin, pb::CreateTokenRequest::default())).await.unwrap_err();
    let fields = bad.get_details_bad_request().unwrap().field_violations;
    let fields: Vec<_> = fields.iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(fields, ["request_id", "person", "roles"]);

    let large = pb::CreateTokenRequest { display_name: "x".repeat(300 * 1024), ..pb::CreateTokenRequest::default() };
    let large = tokens.create_token(with(&admin, large)).await.unwrap_err();
    assert_eq!((large.code(), reason(&large).as_str()), (Code::ResourceExhausted, "LIMIT_EXCEEDED"));
    running.stop().await.unwrap();
}

#[tokio::test]
async fn health_needs_no_credential() {
    let fresh = common::sqlite(common::options()).await;
    let (running, channel, _) = started(&fresh).await;
    let mut health = tonic_health::pb::health_client::HealthClient::new(channel);
    let answer = health.check(tonic_health::pb::HealthCheckRequest::default()).await.unwrap().into_inner();
    assert_eq!(answer.status, tonic_health::pb::health_check_response::ServingStatus::Serving as i32);
    running.stop().await.unwrap();
}
