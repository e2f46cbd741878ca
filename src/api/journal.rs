//! `JournalService`: a county's records, as written.

use super::auth::{Principal, principal};
use super::names::{self, of};
use super::paging::{Page, Resume};
use super::time::{Fields, stamp, wire_pair};
use super::watch::{self, Part, Place, Sent, Watcher};
use super::{Api, error};
use crate::domain::ids::CountyId;
use crate::journal::record::{Record, Stream};
use crate::journal::wire::OneOf as _;
use crate::ledger::LedgerError;
use crate::pb::{self, ErrorReason, Role};
use crate::rows::{Cell, ColType};
use crate::store::Param;
use tonic::{Request, Response, Status};

/// Records that a watcher reads at a time.
const PART: i64 = 64;

/// Which records are asked for, and may be seen.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Which {
    /// All.
    All,
    /// Those of bookings.
    Bookings,
    /// Those of one stream.
    One(Stream),
}

impl Which {
    /// Reads the filter. Who has only the records role sees bookings alone.
    fn read(fields: &mut Fields, caller: &Principal, county: &CountyId, stream: &str) -> Result<Self, Status> {
        let whole = caller.roles.iter().any(|role| matches!(role, Role::Administrator | Role::Auditor));
        if stream.is_empty() {
            return Ok(if whole { Self::All } else { Self::Bookings });
        }
        if stream == of::county(county) {
            let denied = || error::status(ErrorReason::RoleRequired, "the county's own records need administrator or auditor");
            return if whole { Ok(Self::One(Stream::County)) } else { Err(denied()) };
        }
        match fields.name("stream", stream, names::booking) {
            Some((at, booking)) if at == *county => Ok(Self::One(Stream::Booking(booking))),
            Some(_) => {
                fields.bad("stream", "must be of the county that is asked about");
                Ok(Self::Bookings)
            }
            None => Ok(Self::Bookings),
        }
    }

    /// As the first and the last key of the streams meant, both inside; bookings begin with `b/`, the county is `c`.
    fn keys(&self) -> (String, String) {
        match self {
            Self::All => (String::new(), "c".into()),
            Self::Bookings => (String::new(), "b0".into()),
            Self::One(stream) => (stream.key(), stream.key()),
        }
    }
}

/// A stretch of a journal.
struct Stretch {
    after: i64,
    up_to: i64,
    newest_first: bool,
    limit: i64,
}

async fn events(api: &Api, county: &CountyId, which: &Which, stretch: &Stretch) -> Result<Vec<pb::Event>, Status> {
    let Stretch { after, up_to, newest_first, limit } = *stretch;
    let params = |first: Param, last: Option<Param>| {
        let mut params = vec![county.as_str().into(), Param::from(after), up_to.into(), limit.into(), first];
        params.extend(last);
        params
    };
    // One stream has its own index; its text differs, so that it is used.
    let (sql, params) = match (which, newest_first) {
        (Which::One(stream), false) => (ONE_ASCENDING, params(stream.key().into(), None)),
        (Which::One(stream), true) => (ONE_DESCENDING, params(stream.key().into(), None)),
        (other, newest_first) => {
            let (first, last) = other.keys();
            let sql = if newest_first { ALL_DESCENDING } else { ALL_ASCENDING };
            (sql, params(first.into(), Some(last.into())))
        }
    };
    let types = [ColType::Int, ColType::Bytes, ColType::Bytes];
    let rows = api.ledger.store().query(sql, &params, &types).await.map_err(|error| error::of_store(&error))?;
    rows.iter().map(|row| event(county, row)).collect()
}

const ONE_ASCENDING: &str = "select j.seq, j.payload, j.leaf from journal j where j.county = $1 and j.stream = $5 \
                             and j.seq > $2 and j.seq <= $3 order by j.seq limit $4";
const ONE_DESCENDING: &str = "select j.seq, j.payload, j.leaf from journal j where j.county = $1 and j.stream = $5 \
                              and j.seq > $2 and j.seq <= $3 order by j.seq desc limit $4";
const ALL_ASCENDING: &str = "select j.seq, j.payload, j.leaf from journal j where j.county = $1 and j.seq > $2 \
                             and j.seq <= $3 and j.stream >= $5 and j.stream <= $6 order by j.seq limit $4";
const ALL_DESCENDING: &str = "select j.seq, j.payload, j.leaf from journal j where j.county = $1 and j.seq > $2 \
                              and j.seq <= $3 and j.stream >= $5 and j.stream <= $6 order by j.seq desc limit $4";

fn event(county: &CountyId, row: &[Cell]) -> Result<pb::Event, Status> {
    let seq = row.first().and_then(Cell::as_int).unwrap_or(0);
    let bytes = |at: usize| row.get(at).and_then(Cell::as_bytes).unwrap_or_default();
    let payload = bytes(1);
    let unreadable = |error| error::of_ledger("", LedgerError::Unreadable { seq, error });
    let record = Record::decode(payload).map_err(unreadable)?;
    Ok(pb::Event {
        name: of::event(county, seq),
        sequence: seq,
        last_sequence: record.last_seq,
        recorded_time: Some(stamp(record.recorded)),
        stream: match &record.stream {
            Stream::County => of::county(county),
            Stream::Booking(booking) => of::booking(county, booking),
        },
        actor: record.person.to_string(),
        kinds: record.events.iter().map(|event| event.case_name().to_owned()).collect(),
        leaf_hash: bytes(2).to_vec(),
        record: payload.to_vec(),
    })
}

/// Tells records as they come.
struct Events {
    county: CountyId,
    which: Which,
}

#[tonic::async_trait]
impl Watcher for Events {
    type Found = pb::Event;
    type Message = pb::WatchEventsResponse;

    async fn read(&mut self, api: &Api, from: Place, head: i64) -> Result<Part<pb::Event>, Status> {
        let stretch = Stretch { after: from.seq, up_to: head, newest_first: false, limit: PART };
        let found = events(api, &self.county, &self.which, &stretch).await?;
        let full = usize::try_from(PART).is_ok_and(|part| found.len() == part);
        let last = found.last().map_or(head, |event| event.sequence);
        let reached = Place::after(if full { last } else { head });
        Ok(Part { found: found.into_iter().map(|event| (Place::after(event.sequence), event)).collect(), reached })
    }

    fn message(&self, cursor: String, event: Option<pb::Event>) -> pb::WatchEventsResponse {
        pb::WatchEventsResponse { cursor, event }
    }
}

#[tonic::async_trait]
impl pb::journal_service_server::JournalService for Api {
    async fn list_events(&self, request: Request<pb::ListEventsRequest>) -> Result<Response<pb::ListEventsResponse>, Status> {
        let (caller, request) = (principal(&request)?, request.into_inner());
        let mut fields = Fields::new();
        let county = fields.name("parent", &request.parent, names::county);
        let as_of = fields.as_of(request.as_of.as_ref());
        if request.after_sequence < 0 {
            fields.bad("after_sequence", "may not be negative");
        }
        let Some(county) = county else { return Err(fields.refusal()) };
        caller.allow(&county)?;
        let which = Which::read(&mut fields, &caller, &county, &request.stream)?;
        fields.finish()?;
        let query = pb::ListEventsRequest { page_size: 0, page_token: String::new(), ..request.clone() };
        let page = Page::read(&self.opaque, "ListEvents", &query, request.page_size, &request.page_token, 500)?;
        let (pair, _) = self.county_at(&caller, &county, page.as_of(as_of)).await?;

        let last_sent = page.resume.as_ref().and_then(|resume| resume.key.parse::<i64>().ok());
        let (mut after, mut up_to) = (request.after_sequence, pair.seq);
        match last_sent {
            Some(last) if request.newest_first => up_to = up_to.min(last.saturating_sub(1)),
            Some(last) => after = after.max(last),
            None => {}
        }
        let limit = i64::try_from(page.size).unwrap_or(i64::MAX).saturating_add(1);
        let stretch = Stretch { after, up_to, newest_first: request.newest_first, limit };
        let mut found = events(self, &county, &which, &stretch).await?;
        let more = found.len() > page.size;
        found.truncate(page.size);
        let next_page_token = match found.last() {
            Some(last) if more => page.token(&self.opaque, &Resume { seq: pair.seq, at: 0, key: last.sequence.to_string() }),
            _ => String::new(),
        };
        Ok(Response::new(pb::ListEventsResponse { events: found, as_of_pair: Some(wire_pair(pair)), next_page_token }))
    }

    type WatchEventsStream = Sent<pb::WatchEventsResponse>;

    async fn watch_events(&self, request: Request<pb::WatchEventsRequest>) -> Result<Response<Self::WatchEventsStream>, Status> {
        let (caller, request) = (principal(&request)?, request.into_inner());
        let mut fields = Fields::new();
        let Some(county) = fields.name("parent", &request.parent, names::county) else { return Err(fields.refusal()) };
        caller.allow(&county)?;
        let which = Which::read(&mut fields, &caller, &county, &request.stream)?;
        fields.finish()?;
        self.county_at(&caller, &county, crate::ledger::AsOf::Latest).await?;
        let watcher = Events { county: county.clone(), which };
        Ok(Response::new(watch::stream(self, "WatchEvents", &county, &request.cursor, watcher).await?))
    }
}
