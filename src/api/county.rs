//! `CountyService`: counties, their facilities and calendars.

use super::auth::principal;
use super::names::{self, of};
use super::paging::Page;
use super::time::{Fields, micros, receipt, stamp, wire_date, wire_duration, wire_instrument, wire_pair};
use super::{Api, error, write};
use crate::domain::command::{CountyCommand, FacilityChange, NewFacility, ProfileChange};
use crate::domain::county::{Calendar, CalendarDay, County, Facility, Profile};
use crate::domain::ids::{CountyId, FacilityId};
use crate::domain::money::Currency;
use crate::domain::time::Instant;
use crate::ledger::{AsOf, Command};
use crate::pb;
use crate::rows::ColType;
use sha2::{Digest as _, Sha256};
use tonic::{Request, Response, Status};

pub(super) fn county(found: &County) -> pb::County {
    pb::County {
        name: of::county(&found.id),
        etag: found.seq.to_string(),
        display_name: found.profile.name.to_string(),
        time_zone: found.profile.zone.to_string(),
        currency_code: found.profile.currency.to_string(),
        state_code: found.profile.state.to_string(),
        release_allowance: (found.profile.allowance_us > 0).then(|| wire_duration(found.profile.allowance_us)),
        create_time: Some(stamp(found.created)),
        two_person_switch: found.profile.two_person_switch,
        policy_preview_required: found.profile.preview_required,
    }
}

fn facility(county: &CountyId, found: &Facility) -> pb::Facility {
    pb::Facility {
        name: of::facility(county, &found.id),
        etag: found.seq.to_string(),
        display_name: found.name.to_string(),
        time_zone: found.zone.to_string(),
        city: found.city.to_string(),
        create_time: Some(stamp(found.created)),
    }
}

fn calendar(county: &CountyId, found: &Calendar) -> pb::Calendar {
    let day = |day: &CalendarDay| pb::CalendarDay { date: Some(wire_date(day.date)), title: day.name.to_string() };
    pb::Calendar {
        name: of::calendar(county, &found.id),
        etag: found.seq.to_string(),
        days: found.days.iter().map(day).collect(),
        instrument: found.instrument.as_ref().map(wire_instrument),
    }
}

fn state_code(fields: &mut Fields, code: &str) {
    if !code.is_empty() && (code.len() != 2 || !code.bytes().all(|b| b.is_ascii_uppercase())) {
        fields.bad("state_code", "must be two capital letters");
    }
}

fn created_facility(request: &pb::CreateFacilityRequest, fields: &mut Fields, county: &CountyId) -> Option<NewFacility> {
    let made = || {
        let digest = Sha256::digest(format!("{county}/{}", request.request_id));
        FacilityId::trusted(&format!("f-{}", hex::encode(&digest[..10])))
    };
    let id = match fields.optional_id("facility_id", &request.facility_id, FacilityId::new) {
        Some(id) => Some(id),
        None => request.facility_id.is_empty().then(made),
    };
    let name = fields.required_text("display_name", &request.display_name, 200);
    let told = Some(request.time_zone.as_str()).filter(|zone| !zone.is_empty());
    let zone = told.and_then(|zone| fields.zone("time_zone", zone));
    let city = fields.text("city", &request.city, 100);
    Some(NewFacility { id: id?, name, zone, city })
}

fn set_days(fields: &mut Fields, days: &[pb::CalendarDay]) -> Vec<CalendarDay> {
    if days.len() > 1_000 {
        fields.bad("days", "may have at most 1,000 entries");
        return Vec::new();
    }
    let mut read = Vec::with_capacity(days.len());
    for (n, day) in days.iter().enumerate() {
        let date = fields.date(&format!("days[{n}].date"), day.date.as_ref());
        let name = fields.text(&format!("days[{n}].title"), &day.title, 100);
        let Some(date) = date else { continue };
        if read.iter().any(|known: &CalendarDay| known.date == date) {
            fields.bad(&format!("days[{n}].date"), "comes twice");
        }
        read.push(CalendarDay { date, name });
    }
    read
}

#[tonic::async_trait]
impl pb::county_service_server::CountyService for Api {
    async fn create_county(
        &self,
        request: Request<pb::CreateCountyRequest>,
    ) -> Result<Response<pb::CreateCountyResponse>, Status> {
        let (caller, request) = (principal(&request)?, request.into_inner());
        let mut fields = Fields::new();
        let id = fields.take("county_id", CountyId::new(&request.county_id));
        let call = match &id {
            Some(id) => Some(write::call(&mut fields, &caller, "CreateCounty", id, &request)?),
            None => {
                write::request_id(&mut fields, &request.request_id);
                None
            }
        };
        let name = fields.required_text("display_name", &request.display_name, 200);
        let zone = fields.zone("time_zone", &request.time_zone);
        let currency = if request.currency_code.is_empty() { "USD" } else { &request.currency_code };
        fields.take("currency_code", currency.parse::<Currency>());
        state_code(&mut fields, &request.state_code);
        let allowance = request.release_allowance.as_ref().and_then(|d| fields.take("release_allowance", micros(d)));
        let (Some(id), Some(call), Some(zone)) = (id, call, zone) else { return Err(fields.refusal()) };
        fields.finish()?;
        let profile = Profile {
            name,
            state: request.state_code.as_str().into(),
            zone,
            currency: currency.into(),
            two_person_switch: request.two_person_switch,
            preview_required: request.policy_preview_required,
            allowance_us: allowance.unwrap_or(0),
        };
        let written = self.write(call, Command::County(CountyCommand::Create(id.clone(), profile))).await?;
        Ok(Response::new(pb::CreateCountyResponse {
            county: Some(county(&written.county)),
            receipt: receipt(&id, written.pair, written.county.seq, request.validate_only),
        }))
    }

    async fn get_county(&self, request: Request<pb::GetCountyRequest>) -> Result<Response<pb::GetCountyResponse>, Status> {
        let (caller, request) = (principal(&request)?, request.into_inner());
        let mut fields = Fields::new();
        let id = fields.name("name", &request.name, names::county);
        let as_of = fields.as_of(request.as_of.as_ref());
        let Some(id) = id else { return Err(fields.refusal()) };
        fields.finish()?;
        let (pair, found) = self.county_at(&caller, &id, as_of).await?;
        Ok(Response::new(pb::GetCountyResponse { county: Some(county(&found)), as_of_pair: Some(wire_pair(pair)) }))
    }

    async fn update_county(
        &self,
        request: Request<pb::UpdateCountyRequest>,
    ) -> Result<Response<pb::UpdateCountyResponse>, Status> {
        let (caller, request) = (principal(&request)?, request.into_inner());
        let mut fields = Fields::new();
        let Some(id) = fields.name("name", &request.name, names::county) else { return Err(fields.refusal()) };
        let call = write::call(&mut fields, &caller, "UpdateCounty", &id, &request)?;
        let name = request.display_name.as_ref().map(|name| fields.required_text("display_name", name, 200));
        let zone = request.time_zone.as_ref().and_then(|zone| fields.zone("time_zone", zone));
        if let Some(code) = &request.state_code {
            state_code(&mut fields, code);
        }
        let allowance = request.release_allowance.as_ref().and_then(|d| fields.take("release_allowance", micros(d)));
        fields.finish()?;
        let state = request.state_code.as_deref().map(Into::into);
        let change = ProfileChange {
            name,
            state,
            zone,
            allowance_us: allowance,
            two_person_switch: request.two_person_switch,
            preview_required: request.policy_preview_required,
            ..ProfileChange::default()
        };
        let written = self.write(call, Command::County(CountyCommand::Update(change))).await?;
        Ok(Response::new(pb::UpdateCountyResponse {
            county: Some(county(&written.county)),
            receipt: receipt(&id, written.pair, written.county.seq, request.validate_only),
        }))
    }

    async fn list_counties(
        &self,
        request: Request<pb::ListCountiesRequest>,
    ) -> Result<Response<pb::ListCountiesResponse>, Status> {
        let (caller, request) = (principal(&request)?, request.into_inner());
        let mut fields = Fields::new();
        let as_of = fields.as_of(request.as_of.as_ref());
        if let AsOf::Sequence(_) = as_of {
            fields.bad("as_of.sequence", "is each county's own: only recorded_time is accepted here");
        }
        fields.finish()?;
        let query = pb::ListCountiesRequest { page_size: 0, page_token: String::new(), ..request.clone() };
        let page = Page::read(&self.opaque, "ListCounties", &query, request.page_size, &request.page_token, 1_000)?;
        let at = match (&page.resume, as_of) {
            (Some(resume), _) => Instant::from_micros(resume.at),
            (None, AsOf::Recorded(at)) => at,
            (None, _) => self.ledger.now(),
        };
        let ids = self.ledger.store().query("select county from heads order by county", &[], &[ColType::Text]).await;
        let ids = ids.map_err(|error| error::of_store(&error))?;
        let ids = ids.iter().filter_map(|row| row.first()?.as_text()).map(CountyId::trusted);
        let ids: Vec<CountyId> = ids.filter(|id| caller.may(id)).collect();
        let (ids, next_page_token) = page.cut(&self.opaque, 0, at.micros(), ids, |id| id.as_str().to_owned());
        let (mut counties, mut as_of_pairs) = (Vec::new(), Vec::new());
        for id in ids {
            let (pair, found) =
                self.ledger.county(&id, AsOf::Recorded(at)).await.map_err(|error| error::of_ledger("ListCounties", error))?;
            if let Some(found) = found {
                counties.push(county(&found));
                as_of_pairs.push(wire_pair(pair));
            }
        }
        Ok(Response::new(pb::ListCountiesResponse { counties, as_of_pairs, next_page_token }))
    }

    async fn create_facility(
        &self,
        request: Request<pb::CreateFacilityRequest>,
    ) -> Result<Response<pb::CreateFacilityResponse>, Status> {
        let (caller, request) = (principal(&request)?, request.into_inner());
        let mut fields = Fields::new();
        let Some(id) = fields.name("parent", &request.parent, names::county) else { return Err(fields.refusal()) };
        let call = write::call(&mut fields, &caller, "CreateFacility", &id, &request)?;
        let Some(new) = created_facility(&request, &mut fields, &id) else { return Err(fields.refusal()) };
        fields.finish()?;
        let key = new.id.clone();
        let written = self.write(call, Command::County(CountyCommand::CreateFacility(new))).await?;
        let made = written.county.facilities.get(&key);
        Ok(Response::new(pb::CreateFacilityResponse {
            facility: made.map(|made| facility(&id, made)),
            receipt: receipt(&id, written.pair, made.map_or(0, |made| made.seq), request.validate_only),
        }))
    }

    async fn update_facility(
        &self,
        request: Request<pb::UpdateFacilityRequest>,
    ) -> Result<Response<pb::UpdateFacilityResponse>, Status> {
        let (caller, request) = (principal(&request)?, request.into_inner());
        let mut fields = Fields::new();
        let Some((id, key)) = fields.name("name", &request.name, names::facility) else { return Err(fields.refusal()) };
        let call = write::call(&mut fields, &caller, "UpdateFacility", &id, &request)?;
        let change = FacilityChange {
            id: key.clone(),
            name: request.display_name.as_ref().map(|name| fields.required_text("display_name", name, 200)),
            zone: request.time_zone.as_ref().and_then(|zone| fields.zone("time_zone", zone)),
            city: request.city.as_ref().map(|city| fields.text("city", city, 100)),
        };
        fields.finish()?;
        let written = self.write(call, Command::County(CountyCommand::UpdateFacility(change))).await?;
        let made = written.county.facilities.get(&key);
        Ok(Response::new(pb::UpdateFacilityResponse {
            facility: made.map(|made| facility(&id, made)),
            receipt: receipt(&id, written.pair, made.map_or(0, |made| made.seq), request.validate_only),
        }))
    }

    async fn list_facilities(
        &self,
        request: Request<pb::ListFacilitiesRequest>,
    ) -> Result<Response<pb::ListFacilitiesResponse>, Status> {
        let (caller, request) = (principal(&request)?, request.into_inner());
        let mut fields = Fields::new();
        let id = fields.name("parent", &request.parent, names::county);
        let as_of = fields.as_of(request.as_of.as_ref());
        let Some(id) = id else { return Err(fields.refusal()) };
        fields.finish()?;
        let query = pb::ListFacilitiesRequest { page_size: 0, page_token: String::new(), ..request.clone() };
        let page = Page::read(&self.opaque, "ListFacilities", &query, request.page_size, &request.page_token, 1_000)?;
        let (pair, found) = self.county_at(&caller, &id, page.as_of(as_of)).await?;
        let all: Vec<&Facility> = found.facilities.values().collect();
        let (facilities, next_page_token) = page.cut(&self.opaque, pair.seq, 0, all, |one| one.id.to_string());
        Ok(Response::new(pb::ListFacilitiesResponse {
            facilities: facilities.into_iter().map(|one| facility(&id, one)).collect(),
            as_of_pair: Some(wire_pair(pair)),
            next_page_token,
        }))
    }

    async fn set_calendar(&self, request: Request<pb::SetCalendarRequest>) -> Result<Response<pb::SetCalendarResponse>, Status> {
        let (caller, request) = (principal(&request)?, request.into_inner());
        let mut fields = Fields::new();
        let Some((id, key)) = fields.name("name", &request.name, names::calendar) else { return Err(fields.refusal()) };
        let call = write::call(&mut fields, &caller, "SetCalendar", &id, &request)?;
        let days = set_days(&mut fields, &request.days);
        let instrument = fields.instrument("instrument", request.instrument.as_ref());
        fields.finish()?;
        let set = Calendar { id: key.as_str().into(), days, instrument, seq: 0 };
        let written = self.write(call, Command::County(CountyCommand::SetCalendar(set))).await?;
        let made = written.county.calendars.get(key.as_str());
        Ok(Response::new(pb::SetCalendarResponse {
            calendar: made.map(|made| calendar(&id, made)),
            receipt: receipt(&id, written.pair, made.map_or(0, |made| made.seq), request.validate_only),
        }))
    }

    async fn get_calendar(&self, request: Request<pb::GetCalendarRequest>) -> Result<Response<pb::GetCalendarResponse>, Status> {
        let (caller, request) = (principal(&request)?, request.into_inner());
        let mut fields = Fields::new();
        let name = fields.name("name", &request.name, names::calendar);
        let as_of = fields.as_of(request.as_of.as_ref());
        let Some((id, key)) = name else { return Err(fields.refusal()) };
        fields.finish()?;
        let (pair, found) = self.county_at(&caller, &id, as_of).await?;
        let found = found.calendars.get(key.as_str()).ok_or_else(|| error::not_found("calendar", &request.name))?;
        Ok(Response::new(pb::GetCalendarResponse { calendar: Some(calendar(&id, found)), as_of_pair: Some(wire_pair(pair)) }))
    }
}
