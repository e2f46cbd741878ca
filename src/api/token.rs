//! `TokenService`: credentials, kept beside the journal. A secret is shown once and stored as a hash.

use super::auth::{Principal, counties_from, counties_text, principal, roles_from, roles_text};
use super::names::{self, of};
use super::paging::Page;
use super::time::{Fields, stamp};
use super::{Api, error, write};
use crate::domain::ids::CountyId;
use crate::domain::time::Instant;
use crate::identity::token::{new_token, token_hash};
use crate::pb::{self, ErrorReason, Role};
use crate::rows::tables::PRINCIPALS;
use crate::rows::{Cell, Row};
use crate::store::{Param, StoreError};
use sha2::{Digest as _, Sha256};
use tonic::{Request, Response, Status};

fn token(id: &str, cells: &[Cell]) -> Option<pb::Token> {
    let [_, display, person, roles, counties, created, expires, revoked] = cells else { return None };
    let at = |cell: &Cell| cell.as_int().map(|us| stamp(Instant::from_micros(us)));
    let bound = counties_from(counties.as_text()?).unwrap_or_default();
    Some(pb::Token {
        name: format!("tokens/{id}"),
        person: person.as_text()?.to_owned(),
        roles: roles_from(roles.as_text()?).into_iter().map(Into::into).collect(),
        counties: bound.iter().map(of::county).collect(),
        create_time: at(created),
        expire_time: at(expires),
        revoke_time: at(revoked),
        display_name: display.as_text()?.to_owned(),
    })
}

/// Whether a caller may see and take back a credential: only where it is bound to no county that the caller has not.
fn reaches(caller: &Principal, cells: &[Cell]) -> bool {
    let bound = cells.get(4).and_then(Cell::as_text).and_then(counties_from);
    match (&caller.counties, bound) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(_), Some(bound)) => bound.iter().all(|county| caller.may(county)),
    }
}

fn read_roles(fields: &mut Fields, roles: &[i32]) -> Vec<Role> {
    let mut read: Vec<Role> = roles.iter().filter_map(|role| Role::try_from(*role).ok()).collect();
    if roles.is_empty() || read.len() != roles.len() || read.contains(&Role::Unspecified) {
        fields.bad("roles", "must name at least one role, and only known ones");
    }
    read.sort();
    read.dedup();
    read
}

fn read_person(fields: &mut Fields, person: &str) {
    fields.required_text("person", person, 64);
    if !person.chars().all(|c| c.is_ascii_alphanumeric() || "-_.~@".contains(c)) {
        fields.bad("person", "may hold only letters, digits, '-', '_', '.', '~' and '@'");
    }
}

fn taken(error: &StoreError) -> Status {
    match error {
        StoreError::Duplicate(_) => error::status(ErrorReason::RequestIdReused, "this request id was used already"),
        other => error::of_store(other),
    }
}

#[tonic::async_trait]
impl pb::token_service_server::TokenService for Api {
    async fn create_token(&self, request: Request<pb::CreateTokenRequest>) -> Result<Response<pb::CreateTokenResponse>, Status> {
        let (caller, request) = (principal(&request)?, request.into_inner());
        let mut fields = Fields::new();
        write::request_id(&mut fields, &request.request_id);
        read_person(&mut fields, &request.person);
        let roles = read_roles(&mut fields, &request.roles);
        let display = fields.text("display_name", &request.display_name, 200);
        let expires = fields.optional_instant("expire_time", request.expire_time.as_ref());
        if request.counties.len() > 100 {
            fields.bad("counties", "may have at most 100 entries");
        }
        let named = request.counties.iter().enumerate();
        let counties: Vec<CountyId> =
            named.filter_map(|(n, name)| fields.name(&format!("counties[{n}]"), name, names::county)).collect();
        let now = self.ledger.now();
        if expires.is_some_and(|at| at <= now) {
            fields.bad("expire_time", "must lie in the future");
        }
        fields.finish()?;
        let everywhere = counties.is_empty();
        if everywhere && caller.counties.is_some() || !counties.iter().all(|county| caller.may(county)) {
            return Err(error::status(
                ErrorReason::TokenScopeTooWide,
                "the credential would reach further than the caller's own",
            ));
        }
        let digest = Sha256::digest(format!("{}\0{}", caller.actor, request.request_id));
        let id = format!("t-{}", hex::encode(&digest[..12]));
        let secret = new_token(self.ledger.entropy()).map_err(|_| error::status(ErrorReason::Internal, "no random bytes"))?;
        let body: Vec<Cell> = vec![
            token_hash(&secret).to_vec().into(),
            display.into(),
            request.person.as_str().into(),
            roles_text(&roles).into(),
            counties_text((!everywhere).then_some(&counties)).into(),
            now.into(),
            expires.into(),
            Cell::Null,
        ];
        let made = token(&id, &body);
        if request.validate_only {
            return Ok(Response::new(pb::CreateTokenResponse { token: made, secret: String::new() }));
        }
        let mut tx = self.ledger.store().begin().await.map_err(|error| error::of_store(&error))?;
        tx.insert(&[Row::new(&PRINCIPALS, vec![id.into()], body)]).await.map_err(|error| taken(&error))?;
        tx.commit().await.map_err(|error| taken(&error))?;
        Ok(Response::new(pb::CreateTokenResponse { token: made, secret: secret.to_string() }))
    }

    async fn revoke_token(&self, request: Request<pb::RevokeTokenRequest>) -> Result<Response<pb::RevokeTokenResponse>, Status> {
        let (caller, request) = (principal(&request)?, request.into_inner());
        let mut fields = Fields::new();
        write::request_id(&mut fields, &request.request_id);
        let Some(id) = fields.name("name", &request.name, names::token) else { return Err(fields.refusal()) };
        fields.finish()?;
        let of_store = |error: StoreError| error::of_store(&error);
        let store = self.ledger.store();
        let found = store.rows(&PRINCIPALS, "where t.id = $1", &[id.as_str().into()]).await.map_err(of_store)?;
        let found = found.into_iter().next().map(|version| version.row.body).filter(|body| reaches(&caller, body));
        let mut body = found.ok_or_else(|| error::not_found("token", &request.name))?;
        let now = self.ledger.now();
        if let Some(revoked) = body.get_mut(7).filter(|cell| cell.is_null()) {
            *revoked = now.into();
            if !request.validate_only {
                let sql = "update principals set revoked_at = $2 where id = $1 and revoked_at is null";
                let mut tx = store.begin().await.map_err(of_store)?;
                tx.execute(&PRINCIPALS, sql, &[id.as_str().into(), Param::from(now)], None).await.map_err(of_store)?;
                tx.commit().await.map_err(of_store)?;
            }
        }
        Ok(Response::new(pb::RevokeTokenResponse { token: token(&id, &body) }))
    }

    async fn list_tokens(&self, request: Request<pb::ListTokensRequest>) -> Result<Response<pb::ListTokensResponse>, Status> {
        let (caller, request) = (principal(&request)?, request.into_inner());
        let mut fields = Fields::new();
        let county = fields.optional_name("county", &request.county, names::county);
        fields.finish()?;
        if let Some(county) = &county {
            caller.allow(county)?;
        }
        let query = pb::ListTokensRequest { page_size: 0, page_token: String::new(), ..request.clone() };
        let page = Page::read(&self.opaque, "ListTokens", &query, request.page_size, &request.page_token, 1_000)?;
        let all = self.ledger.store().rows(&PRINCIPALS, "where true order by t.created_at, t.id", &[]).await;
        let all = all.map_err(|error| error::of_store(&error))?;
        let shown = all.into_iter().map(|version| version.row).filter(|row| reaches(&caller, &row.body)).filter(|row| {
            let bound = row.body.get(4).and_then(Cell::as_text).and_then(counties_from);
            county.as_ref().is_none_or(|county| bound.is_some_and(|bound| bound.contains(county)))
        });
        let key = |row: &Row| {
            let made = row.body.get(5).and_then(Cell::as_int).unwrap_or(0);
            format!("{made:020} {}", row.key.first().and_then(Cell::as_text).unwrap_or_default())
        };
        let (some, next_page_token) = page.cut(&self.opaque, 0, 0, shown.collect(), key);
        let tokens = some.iter().filter_map(|row| token(row.key.first()?.as_text()?, &row.body)).collect();
        Ok(Response::new(pb::ListTokensResponse { tokens, next_page_token }))
    }
}
