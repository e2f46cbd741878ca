//! Following a county's journal: the one loop beneath every stream that goes on, so that each is resumable in the same
//! way, misses nothing and repeats nothing.
//!
//! A stream reads the journal from where its caller stands, part by part. Between parts it waits for a wake; a wake may
//! be lost, so it also looks at the county's head each second. Each message carries a cursor: the place after it. A caller
//! that comes back with the last cursor it saw goes on exactly there, on any server of the same installation.
//!
//! To add a stream: a [`Watcher`] beside its service, handed to [`stream`]. This file never knows what is watched.

use super::Api;
use super::error::{of_store, status};
use crate::domain::ids::CountyId;
use crate::identity::Opaque;
use crate::pb::ErrorReason;
use crate::rows::ColType;
use crate::store::{Listener, Wake};
use futures_util::Stream;
use std::pin::Pin;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

/// How often the head is looked at while nobody wakes.
const POLL: Duration = Duration::from_secs(1);
/// How long a stream is silent at most; the contract says 30 seconds.
const QUIET: Duration = Duration::from_secs(10);
/// Messages made ahead of what the caller has taken.
const AHEAD: usize = 16;
/// How long the last word of a stopping server waits for its caller.
const FAREWELL: Duration = Duration::from_secs(1);

/// Where a stream stands in a county's journal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Place {
    /// Everything up to this record was told.
    pub seq: i64,
    /// So many messages of the record after it were told too.
    pub told: u32,
}

impl Place {
    /// After a whole record.
    #[must_use]
    pub fn after(seq: i64) -> Self {
        Self { seq, told: 0 }
    }
}

/// What a watcher found in a stretch of the journal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Part<T> {
    /// What there is to tell, in order, each with the place after it.
    pub found: Vec<(Place, T)>,
    /// How far was read: later than where the reading began.
    pub reached: Place,
}

/// What a stream makes of a journal.
#[tonic::async_trait]
pub trait Watcher: Send + 'static {
    /// What is told of a record.
    type Found: Send;
    /// The stream's message.
    type Message: Send + 'static;

    /// Reads on from a place, at most to the record `head`, and not more than fits well into memory.
    async fn read(&mut self, api: &Api, from: Place, head: i64) -> Result<Part<Self::Found>, Status>;

    /// The message that tells it; with nothing to tell, the one that says the stream is alive.
    fn message(&self, cursor: String, found: Option<Self::Found>) -> Self::Message;
}

/// A stream as tonic sends it.
pub type Sent<M> = Pin<Box<dyn Stream<Item = Result<M, Status>> + Send>>;
/// Where what is sent goes in.
pub type Sender<M> = mpsc::Sender<Result<M, Status>>;

/// Follows a county from a cursor on: empty is from now on, `0` from the beginning. From now on, the first message says
/// where that is. `method` keeps the cursors of different streams apart.
///
/// # Errors
/// `CURSOR_INVALID`, `LIMIT_EXCEEDED` where too many watch, the store's. The stream itself ends with `SHUTTING_DOWN` when
/// the server stops, and with the error where it cannot go on.
pub async fn stream<W: Watcher>(
    api: &Api,
    method: &'static str,
    county: &CountyId,
    cursor: &str,
    watcher: W,
) -> Result<Sent<W::Message>, Status> {
    let room = api.watchers.clone().try_acquire_owned();
    let room = room.map_err(|_| status(ErrorReason::LimitExceeded, "the server has too many watchers; try again later"))?;
    // Listened first: what is recorded after the head was looked at wakes.
    let listener = api.ledger.store().listen().await.map_err(|error| of_store(&error))?;
    let head = head(api, county).await?;
    let place = start(&api.opaque, method, county, cursor, head)?;
    let (greets, told_at) = (cursor.is_empty(), Instant::now());
    let (county, told) = (county.clone(), api.clone());
    Ok(sent(api, move |sender| async move {
        let _room = room;
        Follow { api: told, method, county, watcher, listener, place, told_at, sender }.run(greets).await
    }))
}

/// A stream that a task of its own fills: it ends with the task, with `SHUTTING_DOWN` when the server stops, and without
/// a word where nobody listens any more. A message waits until there is room for it.
pub fn sent<M, F>(api: &Api, fill: impl FnOnce(Sender<M>) -> F) -> Sent<M>
where
    M: Send + 'static,
    F: Future<Output = Result<(), Status>> + Send + 'static,
{
    let (sender, messages) = mpsc::channel(AHEAD);
    let (stopping, filling) = (api.stopping.clone(), fill(sender.clone()));
    tokio::spawn(async move {
        let ended = tokio::select! {
            () = sender.closed() => return,
            () = stopping.cancelled() => Err(stopped()),
            ended = filling => ended,
        };
        if let Err(status) = ended {
            // An error says that nobody listens any more.
            let _ = timeout(FAREWELL, sender.send(Err(status))).await;
        }
    });
    Box::pin(ReceiverStream::new(messages))
}

/// One stream at work.
struct Follow<W: Watcher> {
    api: Api,
    method: &'static str,
    county: CountyId,
    watcher: W,
    listener: Listener,
    place: Place,
    /// When the last message was sent.
    told_at: Instant,
    sender: Sender<W::Message>,
}

impl<W: Watcher> Follow<W> {
    async fn run(mut self, greets: bool) -> Result<(), Status> {
        if greets {
            self.tell(self.place, None).await?;
        }
        loop {
            let head = head(&self.api, &self.county).await?;
            while self.place.seq < head {
                let Part { found, reached } = self.watcher.read(&self.api, self.place, head).await?;
                for (place, found) in found {
                    self.tell(place, Some(found)).await?;
                }
                if reached <= self.place && self.place.seq < head {
                    tracing::error!(method = self.method, seq = self.place.seq, "a watcher does not go on");
                    return Err(status(ErrorReason::Internal, "a defect of the server; its log has more"));
                }
                self.place = reached;
                self.keep_alive().await?;
            }
            tokio::select! {
                woken = woken(&mut self.listener, &self.county, self.place.seq) => woken?,
                () = sleep(POLL) => {}
            }
            self.keep_alive().await?;
        }
    }

    async fn keep_alive(&mut self) -> Result<(), Status> {
        if self.told_at.elapsed() < QUIET { Ok(()) } else { self.tell(self.place, None).await }
    }

    async fn tell(&mut self, place: Place, found: Option<W::Found>) -> Result<(), Status> {
        let cursor = cursor(&self.api.opaque, self.method, &self.county, place);
        // Nobody listens: the task is about to end for that very reason.
        let _ = self.sender.send(Ok(self.watcher.message(cursor, found))).await;
        (self.place, self.told_at) = (place, Instant::now());
        Ok(())
    }
}

/// Waits until the county's journal may have passed `seq`.
async fn woken(listener: &mut Listener, county: &CountyId, seq: i64) -> Result<(), Status> {
    loop {
        match listener.next().await {
            None => return Err(stopped()),
            Some(Wake::All) => return Ok(()),
            Some(Wake::County { county: of, seq: reached }) if of == *county && reached > seq => return Ok(()),
            Some(Wake::County { .. }) => {}
        }
    }
}

fn stopped() -> Status {
    status(ErrorReason::ShuttingDown, "the server stops: ask again, with the last cursor where there is one")
}

/// The last record of a county; 0 where it has none.
async fn head(api: &Api, county: &CountyId) -> Result<i64, Status> {
    let sql = "select seq from heads where county = $1";
    let found = api.ledger.store().query(sql, &[county.as_str().into()], &[ColType::Int]).await;
    let found = found.map_err(|error| of_store(&error))?;
    Ok(found.first().and_then(|row| row.first()?.as_int()).unwrap_or(0))
}

fn context(method: &str, county: &CountyId) -> String {
    format!("cursor {method} {county}")
}

/// The text of a place. Good for this stream of this county alone.
fn cursor(opaque: &Opaque, method: &str, county: &CountyId, place: Place) -> String {
    let bytes = [&place.seq.to_be_bytes()[..], &place.told.to_be_bytes()[..]].concat();
    opaque.seal(&context(method, county), &bytes)
}

/// Where a stream begins.
fn start(opaque: &Opaque, method: &str, county: &CountyId, cursor: &str, head: i64) -> Result<Place, Status> {
    let invalid = || status(ErrorReason::CursorInvalid, "the cursor was not made for this stream of this county");
    match cursor {
        "" => Ok(Place::after(head)),
        "0" => Ok(Place::default()),
        text => {
            let bytes = opaque.open(&context(method, county), text).map_err(|_| invalid())?;
            let place = place_of(&bytes).ok_or_else(invalid)?;
            // Beyond the head: the database is older than the cursor, as after a restored backup.
            let reached = place.seq + i64::from(place.told > 0);
            if reached <= head { Ok(place) } else { Err(invalid()) }
        }
    }
}

fn place_of(bytes: &[u8]) -> Option<Place> {
    let (seq, rest) = bytes.split_first_chunk::<8>()?;
    let told = <[u8; 4]>::try_from(rest).ok()?;
    Some(Place { seq: i64::from_be_bytes(*seq), told: u32::from_be_bytes(told) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::MasterKey;

    #[test]
    fn a_cursor_is_good_for_its_stream_and_county_and_not_beyond_the_head() {
        let opaque = Opaque::new(&MasterKey::from_hex(&"ab".repeat(32)).unwrap());
        let (a, b) = (CountyId::trusted("a"), CountyId::trusted("b"));
        let place = Place { seq: 7, told: 2 };
        let text = cursor(&opaque, "WatchHolds", &a, place);
        assert_eq!(start(&opaque, "WatchHolds", &a, &text, 8).unwrap(), place);
        assert_eq!(start(&opaque, "WatchHolds", &a, "", 8).unwrap(), Place::after(8));
        assert_eq!(start(&opaque, "WatchHolds", &a, "0", 8).unwrap(), Place::after(0));
        for (method, county, text, head) in [
            ("WatchEvents", &a, text.as_str(), 8),
            ("WatchHolds", &b, text.as_str(), 8),
            ("WatchHolds", &a, text.as_str(), 7),
            ("WatchHolds", &a, &text[1..], 8),
            ("WatchHolds", &a, "7", 8),
        ] {
            let refused = start(&opaque, method, county, text, head).unwrap_err();
            assert_eq!(refused.code(), tonic::Code::OutOfRange, "{method} {county} {text} {head}");
        }
    }
}
