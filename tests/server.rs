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
    let mut tokens = TokenServiceClient::new(channel.clone());
    let bad = tokens.create_token(with(&admin, pb::CreateTokenRequest::default())).await.unwrap_err();
    let fields = bad.get_details_bad_request().unwrap().field_violations;
    let fields: Vec<_> = fields.iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(fields, ["request_id", "person", "roles"]);

    let mut counties = pb::county_service_client::CountyServiceClient::new(channel.clone());
    let bad = counties.create_county(with(&admin, pb::CreateCountyRequest::default())).await.unwrap_err();
    let fields = bad.get_details_bad_request().unwrap().field_violations;
    let fields: Vec<_> = fields.iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(fields, ["county_id", "request_id", "display_name", "time_zone"]);

    let large = pb::CreateTokenRequest { display_name: "x".repeat(300 * 1024), ..pb::CreateTokenRequest::default() };
    let large = tokens.create_token(with(&admin, large)).await.unwrap_err();
    assert_eq!((large.code(), reason(&large).as_str()), (Code::ResourceExhausted, "LIMIT_EXCEEDED"));
    running.stop().await.unwrap();
}

#[tokio::test]
async fn health_needs_no_credential_and_every_service_is_known_to_it_and_to_reflection() {
    let fresh = common::sqlite(common::options()).await;
    let (running, channel, admin) = started(&fresh).await;
    let mut health = tonic_health::pb::health_client::HealthClient::new(channel.clone());
    for service in ["", "detainer.v1.BookingService", "detainer.v1.TokenService"] {
        let ask = tonic_health::pb::HealthCheckRequest { service: service.into() };
        let answer = health.check(ask).await.unwrap_or_else(|refused| panic!("{service}: {refused}")).into_inner();
        assert_eq!(answer.status, tonic_health::pb::health_check_response::ServingStatus::Serving as i32, "{service}");
    }
    let unknown = tonic_health::pb::HealthCheckRequest { service: "detainer.v1.NoService".into() };
    assert_eq!(health.check(unknown).await.unwrap_err().code(), Code::NotFound);

    use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
    use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
    use tonic_reflection::pb::v1::{ServerReflectionRequest, server_reflection_client::ServerReflectionClient};
    let list = MessageRequest::ListServices(String::new());
    let ask = ServerReflectionRequest { host: String::new(), message_request: Some(list) };
    let answers =
        ServerReflectionClient::new(channel).server_reflection_info(with(&admin, tokio_stream::once(ask))).await.unwrap();
    let answer = answers.into_inner().message().await.unwrap().and_then(|answer| answer.message_response);
    let Some(MessageResponse::ListServicesResponse(listed)) = answer else { panic!("{answer:?}") };
    let names: Vec<String> = listed.service.into_iter().map(|service| service.name).collect();
    for name in ["grpc.health.v1.Health", "detainer.v1.BookingService"] {
        assert!(names.iter().any(|known| known == name), "{name} is not in {names:?}");
    }
    running.stop().await.unwrap();
}

/// The body of an answer of HTTP/1.1, its chunks put together.
fn body(answer: &[u8]) -> Vec<u8> {
    let split = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
    let (head, mut rest) = (String::from_utf8_lossy(&answer[..split]).to_lowercase(), &answer[split + 4..]);
    if !head.contains("transfer-encoding: chunked") {
        return rest.to_vec();
    }
    let mut whole = Vec::new();
    loop {
        let line = rest.windows(2).position(|two| two == b"\r\n").expect("a chunk");
        let length = usize::from_str_radix(std::str::from_utf8(&rest[..line]).unwrap(), 16).expect("its length");
        if length == 0 {
            return whole;
        }
        whole.extend_from_slice(&rest[line + 2..line + 2 + length]);
        rest = &rest[line + 4 + length..];
    }
}

/// The frames of a gRPC-Web body: the flag of each, and what it holds.
fn frames(mut body: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut found = Vec::new();
    while let Some((head, rest)) = body.split_first_chunk::<5>() {
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
        found.push((head[0], rest[..length].to_vec()));
        body = &rest[length..];
    }
    found
}

#[tokio::test]
async fn a_browser_asks_over_http_1_and_reads_answer_and_trailers() {
    use prost::Message as _;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let fresh = common::sqlite(common::options()).await;
    let (running, channel, admin) = started(&fresh).await;
    let new = pb::CreateCountyRequest {
        county_id: "a".into(),
        request_id: "c1".into(),
        display_name: "A County".into(),
        time_zone: "America/New_York".into(),
        ..pb::CreateCountyRequest::default()
    };
    pb::county_service_client::CountyServiceClient::new(channel).create_county(with(&admin, new)).await.unwrap();

    let post = async |credential: &str| {
        let mut socket = tokio::net::TcpStream::connect(running.address).await.unwrap();
        let head = format!(
            "POST /detainer.v1.CountyService/ListCounties HTTP/1.1\r\nhost: localhost\r\n\
             content-type: application/grpc-web+proto\r\nx-grpc-web: 1\r\nauthorization: Bearer {credential}\r\n\
             content-length: 5\r\nconnection: close\r\n\r\n"
        );
        socket.write_all(head.as_bytes()).await.unwrap();
        // One message of no bytes: nothing is asked but the first page.
        socket.write_all(&[0; 5]).await.unwrap();
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).await.unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
        answer
    };
    let found = frames(&body(&post(&admin).await));
    let [(0, message), (0x80, trailers)] = found.as_slice() else { panic!("{found:?}") };
    let counties = pb::ListCountiesResponse::decode(message.as_slice()).unwrap().counties;
    assert_eq!(counties.iter().map(|county| county.name.as_str()).collect::<Vec<_>>(), ["counties/a"]);
    let trailers = String::from_utf8_lossy(trailers);
    assert!(trailers.replace(' ', "").contains("grpc-status:0"), "{trailers}");

    // A refusal comes the same way; a browser finds it in the head or in the trailers.
    let refused = String::from_utf8_lossy(&post("nobody").await).replace(' ', "");
    assert!(refused.contains("grpc-status:16"), "{refused}");
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_county_is_made_switched_and_read_as_of_any_point() {
    use detainer::pb::county_service_client::CountyServiceClient;
    use detainer::pb::policy_service_client::PolicyServiceClient;
    for fresh in common::engines().await {
        let (running, channel, admin) = started(&fresh).await;
        let (mut counties, mut policy) = (CountyServiceClient::new(channel.clone()), PolicyServiceClient::new(channel));
        let new = pb::CreateCountyRequest {
            county_id: "a".into(),
            request_id: "c1".into(),
            display_name: "A County".into(),
            time_zone: "America/New_York".into(),
            ..pb::CreateCountyRequest::default()
        };
        let tried = pb::CreateCountyRequest { validate_only: true, ..new.clone() };
        assert_eq!(counties.create_county(with(&admin, tried)).await.unwrap().into_inner().receipt, None);
        let made = counties.create_county(with(&admin, new.clone())).await.unwrap().into_inner();
        let receipt = made.receipt.clone().unwrap();
        assert_eq!((receipt.sequence, receipt.tree_root.len()), (1, 32));
        let again = counties.create_county(with(&admin, new.clone())).await.unwrap().into_inner();
        assert_eq!(again, made, "a retry is answered alike");
        let other = pb::CreateCountyRequest { display_name: "Another".into(), ..new };
        let reused = counties.create_county(with(&admin, other)).await.unwrap_err();
        assert_eq!(reason(&reused), "REQUEST_ID_REUSED");

        for (n, id) in ["jail-1", "jail-2", "jail-3"].into_iter().enumerate() {
            let jail = pb::CreateFacilityRequest {
                parent: "counties/a".into(),
                request_id: format!("f{n}"),
                facility_id: id.into(),
                display_name: id.into(),
                ..pb::CreateFacilityRequest::default()
            };
            counties.create_facility(with(&admin, jail)).await.unwrap();
        }
        let list = |size, token: &str, seq| pb::ListFacilitiesRequest {
            parent: "counties/a".into(),
            page_size: size,
            page_token: token.into(),
            as_of: seq,
        };
        let first = counties.list_facilities(with(&admin, list(2, "", None))).await.unwrap().into_inner();
        assert_eq!(first.facilities.len(), 2);
        let rest = counties.list_facilities(with(&admin, list(2, &first.next_page_token, None))).await.unwrap().into_inner();
        assert_eq!(rest.facilities[0].name, "counties/a/facilities/jail-3");
        assert_eq!(rest.next_page_token, "");
        let early = pb::AsOf { point: Some(pb::as_of::Point::Sequence(2)) };
        let early = counties.list_facilities(with(&admin, list(0, "", Some(early)))).await.unwrap().into_inner();
        assert_eq!(early.facilities.len(), 1, "only the first jail was known then");
        let ahead = pb::AsOf { point: Some(pb::as_of::Point::Sequence(99)) };
        let ahead = counties.list_facilities(with(&admin, list(0, "", Some(ahead)))).await.unwrap_err();
        assert_eq!(reason(&ahead), "AS_OF_IN_FUTURE");

        let ask = pb::GetEffectivePolicyRequest { parent: "counties/a".into(), ..pb::GetEffectivePolicyRequest::default() };
        let before = policy.get_effective_policy(with(&admin, ask.clone())).await.unwrap().into_inner();
        assert_eq!(before.policy_revision, None);
        let date = Some(pb::Date { year: 2013, month: 12, day: 3 });
        let paper = pb::Instrument { title: "Resolution".into(), date, ..pb::Instrument::default() };
        let switch = |id: &str, etag: &str| pb::SwitchPolicyModeRequest {
            parent: "counties/a".into(),
            request_id: id.into(),
            etag: etag.into(),
            mode: pb::PolicyMode::DeclineAll.into(),
            adopted_date: date,
            instrument: Some(paper.clone()),
            open_detainers: pb::OpenDetainers::Reevaluate.into(),
            ..pb::SwitchPolicyModeRequest::default()
        };
        let switched = policy.switch_policy_mode(with(&admin, switch("s1", &before.etag))).await.unwrap().into_inner();
        assert_eq!(switched.policy_revision.as_ref().unwrap().mode(), pb::PolicyMode::DeclineAll);
        let lost = policy.switch_policy_mode(with(&admin, switch("s2", &before.etag))).await.unwrap_err();
        assert_eq!((lost.code(), reason(&lost).as_str()), (Code::Aborted, "STALE_ETAG"));
        let after = policy.get_effective_policy(with(&admin, ask)).await.unwrap().into_inner();
        assert_eq!(after.policy_revision, switched.policy_revision);

        let foreign = pb::GetCountyRequest { name: "counties/none".into(), as_of: None };
        assert_eq!(reason(&counties.get_county(with(&admin, foreign)).await.unwrap_err()), "RESOURCE_NOT_FOUND");
        let listed = counties.list_counties(with(&admin, pb::ListCountiesRequest::default())).await.unwrap().into_inner();
        assert_eq!(listed.counties.len(), 1);
        running.stop().await.unwrap();
    }
}
