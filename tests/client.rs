//! The client against a server over a real socket.

mod common;

use detainer::client::rehearsal::{self, COUNTY};
use detainer::client::{Client, ClientError, Credential};
use detainer::identity::{MasterKey, SeededEntropy};
use detainer::ledger::MachineClock;
use detainer::pb;
use detainer::server::{Running, spawn};
use detainer::sheet::names;
use std::sync::Arc;

async fn started(fresh: &common::Fresh) -> (Running, Client) {
    let keys = Arc::new(MasterKey::from_hex(&"5a".repeat(32)).unwrap());
    let running = spawn(fresh.store.clone(), keys, Arc::new(SeededEntropy::new(7)), Arc::new(MachineClock)).await.unwrap();
    let token = running.token.clone().expect("a fresh store has no credential yet");
    let client = Client::connect(&running.address.to_string(), Credential::secret(&token).unwrap()).await.unwrap();
    (running, client)
}

async fn head(client: &Client) -> i64 {
    let request = pb::GetCountyRequest { name: names::county(COUNTY), as_of: None };
    client.get_county(request).await.unwrap().as_of_pair.unwrap().sequence
}

#[tokio::test]
async fn the_rehearsal_countys_settings_load_once() {
    for fresh in common::engines().await {
        let (running, client) = started(&fresh).await;
        let mut steps = Vec::new();
        let anchor = rehearsal::load_settings(&client, |what| steps.push(what)).await.unwrap();
        assert_eq!(steps.len(), 10, "{steps:?}");
        let first = head(&client).await;
        assert_eq!(rehearsal::load_settings(&client, |_| {}).await.unwrap(), anchor);
        assert_eq!(head(&client).await, first, "nothing was recorded twice");

        let request = pb::ListPolicyRevisionsRequest { parent: names::county(COUNTY), ..Default::default() };
        let revisions = client.list_policy_revisions(request).await.unwrap().policy_revisions;
        let modes: Vec<_> = revisions.iter().map(pb::PolicyRevision::mode).collect();
        use pb::PolicyMode::{HonorAlways, RequireReimbursementGuarantee};
        assert_eq!(modes, [HonorAlways, RequireReimbursementGuarantee, HonorAlways]);
        running.stop().await.unwrap();
    }
}

#[tokio::test]
async fn a_refusal_comes_back_with_reason_resource_and_fields() {
    let fresh = common::sqlite(common::options()).await;
    let (running, client) = started(&fresh).await;
    let missing = client.get_county(pb::GetCountyRequest { name: names::county("nowhere"), as_of: None }).await.unwrap_err();
    assert!(missing.is(pb::ErrorReason::ResourceNotFound), "{missing:?}");

    let bad = client.create_county(pb::CreateCountyRequest { county_id: "a".into(), ..Default::default() }).await.unwrap_err();
    let ClientError::Refused(refusal) = bad else { panic!("{bad:?}") };
    let fields: Vec<&str> = refusal.fields.iter().map(|problem| problem.field.as_str()).collect();
    assert!(fields.contains(&"display_name") && fields.contains(&"time_zone"), "{fields:?}");

    let stranger = client.with_credential(Credential::none());
    let refused = stranger.list_counties(pb::ListCountiesRequest::default()).await.unwrap_err();
    assert!(refused.is(pb::ErrorReason::CredentialInvalid), "{refused:?}");
    running.stop().await.unwrap();
}
