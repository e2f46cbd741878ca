//! Random histories told to the real ledger, on both engines, against the county in memory that the domain is tried on.
//!
//! Several counties in one database, their commands told in turn. What must hold (DOMAIN.md §8.14, 16, 18, 22): each
//! command is answered as in memory, refusals among them; the journals of the engines are equal to the byte; the journal
//! folds to what the ledger answers, now and as of any point; the tables hold what that state looks like; a retry of any
//! request gets the first answer. Two servers take turns; some commands are tried first, some sent twice at once. `DETAINER_TEST_HISTORIES` says how many histories, `DETAINER_TEST_SEED` which.

mod common;
#[path = "invariants/history.rs"]
#[allow(dead_code, reason = "a part of it is for the properties of the domain")]
mod history;

use common::Fresh;
use detainer::domain::booking::Booking;
use detainer::domain::county::County;
use detainer::domain::evolve;
use detainer::domain::ids::{BookingId, CountyId};
use detainer::domain::testing::{self, Told, World};
use detainer::domain::time::Instant;
use detainer::identity::{MasterKey, SeededEntropy};
use detainer::journal::record::{Record, Stream};
use detainer::journal::tree::{Frontier, leaf_hash};
use detainer::ledger::{AsOf, Call, Clock, Command, Ledger, LedgerError, Written};
use detainer::rows::tables::{JOURNAL, PROJECTIONS};
use detainer::rows::{Cell, Kind, Row, Table, state};
use detainer::store::{Param, Store};
use detainer::verify;
use history::{Act, History};
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(otherwise)
}

/// A clock that says what it is told to say.
#[derive(Default)]
struct Hand(AtomicI64);

impl Clock for Hand {
    fn now(&self) -> Instant {
        Instant::from_micros(self.0.load(Ordering::Acquire))
    }
}

/// One county's story: what was told in memory, and the state after each command as its own records fold to it.
struct Story {
    county: CountyId,
    history: History,
    world: World,
    points: Vec<Point>,
}

/// A point between two commands.
#[derive(Clone, Default)]
struct Point {
    seq: i64,
    recorded: Option<Instant>,
    county: Option<County>,
    bookings: BTreeMap<BookingId, Booking>,
}

fn runner() -> TestRunner {
    let mut seed = [0_u8; 32];
    seed[..8].copy_from_slice(&setting("DETAINER_TEST_SEED", 1).to_be_bytes());
    TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &seed))
}

fn stories(runner: &mut TestRunner) -> Vec<Story> {
    let make = |n| {
        let mut history = history::histories(30).new_tree(runner).expect("a history").current();
        // What is due is settled with the next command: the ledger has no call for it alone.
        history.steps.retain(|step| !matches!(step.act, Act::Sweep));
        let county = CountyId::trusted(&format!("county-{n:03}"));
        let world = history::tell_of(county.as_str(), &history, |_| Ok(())).expect("a history can be told");
        Story { county, history, world, points: Vec::new() }
    };
    (0..setting("DETAINER_TEST_HISTORIES", 12)).map(make).collect()
}

fn ledger(store: Store, clock: &Arc<Hand>) -> Ledger {
    let keys = Arc::new(MasterKey::from_hex(&"5a".repeat(32)).expect("a key"));
    Ledger::start(store, keys, Arc::new(SeededEntropy::new(7)), clock.clone()).expect("a ledger")
}

fn call(county: &CountyId, n: usize, told: &Told) -> Call {
    Call {
        county: county.clone(),
        actor: format!("token of {}", told.person).into(),
        person: told.person.clone(),
        method: "Test",
        request_id: format!("request {n}").into(),
        body: format!("{:?}", told.command).into_bytes(),
        validate_only: false,
        etag: None,
        preview: None,
        history: told.history,
        sealed: Vec::new(),
    }
}

fn command(told: &Told) -> Command {
    match &told.command {
        testing::Command::County(command) => Command::County(command.clone()),
        testing::Command::Booking(id, command) => Command::Booking(id.clone(), command.clone()),
    }
}

async fn write(ledger: &Ledger, clock: &Hand, story: &Story, n: usize) -> Result<Written, LedgerError> {
    let told = &story.world.told()[n];
    clock.0.store(told.clock.micros(), Ordering::Release);
    ledger.write(call(&story.county, n, told), command(told)).await
}

/// Tried before it is told: answered as it then is, and nothing is recorded.
async fn tried(ledger: &Ledger, clock: &Hand, story: &Story, n: usize) -> Result<Written, LedgerError> {
    let told = &story.world.told()[n];
    clock.0.store(told.clock.micros(), Ordering::Release);
    let call = Call { validate_only: true, request_id: format!("try {n}").into(), ..call(&story.county, n, told) };
    ledger.write(call, command(told)).await
}

/// Tells every story, a command of each in turn, to one server and then the other; some are tried first, some come twice
/// at once. The answers, by story and command.
async fn told(servers: &[Ledger; 2], clock: &Hand, stories: &[Story]) -> Vec<Vec<Option<Written>>> {
    let mut answers: Vec<Vec<Option<Written>>> = stories.iter().map(|_| Vec::new()).collect();
    let longest = stories.iter().map(|story| story.world.told().len()).max().unwrap_or(0);
    for n in 0..longest {
        for (at, story) in stories.iter().enumerate().filter(|(_, story)| n < story.world.told().len()) {
            let expected = &story.world.told()[n].answer;
            let (ledger, other) = (&servers[n % 2], &servers[(n + at) % 2]);
            let trial = if n % 3 == 1 { Some(tried(other, clock, story, n).await) } else { None };
            let first = if n % 5 == 2 {
                let (first, again) = tokio::join!(write(ledger, clock, story, n), write(other, clock, story, n));
                once(first, again)
            } else {
                write(ledger, clock, story, n).await
            };
            match (trial, &first) {
                (Some(Ok(trial)), Ok(written)) => {
                    assert_eq!(trial.events, written.events, "command {n} of {:?}", story.history);
                    assert_eq!((&trial.booking, trial.followed), (&written.booking, written.followed.clone()));
                }
                (Some(Err(trial)), Err(refused)) => assert_eq!(trial.to_string(), refused.to_string()),
                (Some(trial), _) => panic!("command {n} of {:?} was answered {trial:?} when tried", story.history),
                (None, _) => {}
            }
            let answer = match first {
                Ok(written) => Some(written),
                Err(LedgerError::Refused(refusal)) => {
                    assert_eq!(expected.as_ref().err(), Some(&refusal), "command {n} of {:?}", story.history);
                    None
                }
                Err(other) => panic!("command {n} of {:?}: {other}", story.history),
            };
            if let Some(written) = &answer {
                assert_eq!(expected.as_ref().ok(), Some(&written.pair.seq), "command {n} of {:?}", story.history);
            }
            answers[at].push(answer);
        }
    }
    answers
}

/// Of one request that came twice at once: the answer that recorded it. The other is the same, and says so.
fn once(one: Result<Written, LedgerError>, two: Result<Written, LedgerError>) -> Result<Written, LedgerError> {
    match (one, two) {
        (Ok(one), Ok(two)) => {
            assert_eq!((one.pair, &one.events, &one.booking), (two.pair, &two.events, &two.booking));
            assert!(one.events.is_empty() || one.replayed != two.replayed, "it was recorded once");
            Ok(if one.replayed { two } else { one })
        }
        (Err(one), Err(two)) => {
            assert_eq!(one.to_string(), two.to_string());
            Err(one)
        }
        (one, two) => panic!("the same request was answered {one:?} and {two:?}"),
    }
}

async fn payloads(store: &Store, county: &CountyId) -> Vec<Vec<u8>> {
    let rows = store.rows(&JOURNAL, "where t.county = $1 order by t.seq", &[Param::from(county.as_str())]).await.expect("rows");
    rows.iter().map(|v| v.row.get("payload").and_then(Cell::as_bytes).expect("a payload").to_vec()).collect()
}

/// The journal says what happened in memory, record for record; the state after each command, folded from its bytes.
fn folded(story: &Story, journal: &[Vec<u8>]) -> Vec<Point> {
    let records: Vec<Record> = journal.iter().map(|bytes| Record::decode(bytes).expect("a record")).collect();
    let plain = |r: &Record| {
        let stream = if let Stream::Booking(id) = &r.stream { Some(id.clone()) } else { None };
        testing::Record { stream, seq: r.seq, last_seq: r.last_seq, recorded: r.recorded, events: r.events.clone() }
    };
    for (record, expected) in records.iter().zip(story.world.records()) {
        assert_eq!(plain(record), *expected, "{:?}", story.history);
    }
    assert_eq!(records.len(), story.world.records().len(), "{:?}", story.history);

    let mut points = vec![Point::default()];
    let mut so_far = Point::default();
    for record in &records {
        for event in &record.events {
            match &record.stream {
                Stream::County => so_far.county = evolve::county(so_far.county.take(), record.seq, event),
                Stream::Booking(id) => {
                    let booking = evolve::booking(so_far.bookings.remove(id), record.seq, event).expect("a booking");
                    so_far.bookings.insert(id.clone(), booking);
                    evolve::shared(so_far.county.as_mut().expect("a county"), event);
                }
            }
        }
        (so_far.seq, so_far.recorded) = (record.seq, Some(record.recorded));
        if record.seq == record.last_seq {
            points.push(so_far.clone());
        }
    }
    points
}

/// What the ledger answers as of a point is what the journal folds to there.
async fn answers_as_folded(ledger: &Ledger, story: &Story, as_of: AsOf, point: &Point) {
    let say = || format!("{as_of:?} of {:?}", story.history);
    let (pair, county) = ledger.county(&story.county, as_of).await.unwrap_or_else(|e| panic!("{}: {e}", say()));
    assert_eq!((pair.seq, pair.recorded), (point.seq, point.recorded), "{}", say());
    assert_eq!(county.as_deref(), point.county.as_ref(), "{}", say());
    for known in story.world.bookings() {
        let (pair, booking) = ledger.booking(&story.county, &known.id, as_of).await.expect("a booking");
        assert_eq!((pair.seq, booking.as_deref()), (point.seq, point.bookings.get(&known.id)), "{} of {}", known.id, say());
    }
}

async fn stored(store: &Store, table: &'static Table, tail: &'static str, county: &CountyId, seq: i64) -> Vec<Row> {
    let params = [Param::from(county.as_str()), Param::from(seq)];
    let rows = store.rows(table, tail, &params).await.expect("rows");
    let mut rows: Vec<Row> = rows.into_iter().map(|version| version.row).collect();
    rows.sort_by(|a, b| a.key.cmp(&b.key));
    rows
}

/// The tables as of a sequence, inside a command or after one, hold what the state before it looks like.
async fn tables_as_folded(store: &Store, story: &Story, journal: &[Vec<u8>], seq: i64, point: &Point) {
    const AS_OF: &str = "where t.county = $1 and t.from_seq <= $2 and (t.to_seq is null or t.to_seq > $2)";
    let county = point.county.as_ref();
    let mut expected: Vec<Row> = county.map(state::county).unwrap_or_default();
    for booking in point.bookings.values() {
        expected.extend(state::booking(county.expect("a county"), booking));
    }
    for record in journal.iter().map(|bytes| Record::decode(bytes).expect("a record")).filter(|r| r.seq <= point.seq) {
        if let Stream::Booking(id) = &record.stream {
            expected.extend(state::appended(&story.county, id, &record.events));
        }
    }
    for table in PROJECTIONS {
        let of_table = expected.iter().filter(|row| row.table == *table).cloned();
        let mut of_table: Vec<Row> = of_table.collect();
        of_table.sort_by(|a, b| a.key.cmp(&b.key));
        let found = match table.kind {
            Kind::Append => stored(store, table, "where t.county = $1 and t.seq <= $2", &story.county, point.seq).await,
            _ => stored(store, table, AS_OF, &story.county, seq).await,
        };
        assert_eq!(found, of_table, "{} as of {seq} of {:?}", table.name, story.history);
    }
}

fn point_before(points: &[Point], seq: i64) -> &Point {
    points.iter().rev().find(|point| point.seq <= seq).expect("the empty journal is a point")
}

/// Now, at random sequences and at random instants.
async fn read_back(fresh: &Fresh, ledger: &Ledger, story: &Story, journal: &[Vec<u8>], runner: &mut TestRunner) {
    let head = story.points.last().expect("a point");
    answers_as_folded(ledger, story, AsOf::Latest, head).await;
    tables_as_folded(&fresh.store, story, journal, head.seq, head).await;
    for _ in 0..5 {
        let seq = (0..=head.seq).new_tree(runner).expect("a sequence").current();
        let point = point_before(&story.points, seq);
        answers_as_folded(ledger, story, AsOf::Sequence(seq), point).await;
        tables_as_folded(&fresh.store, story, journal, seq, point).await;
        let again = point.recorded.unwrap_or(Instant::from_micros(0));
        answers_as_folded(ledger, story, AsOf::Recorded(again), point).await;
        answers_as_folded(ledger, story, AsOf::Recorded(again.plus_us(-1)), point_before(&story.points, (point.seq - 1).max(0)))
            .await;
    }
    let beyond = ledger.county(&story.county, AsOf::Sequence(head.seq + 1)).await.map(|_| ());
    assert!(matches!(beyond, Err(LedgerError::BeyondHead(at)) if at == head.seq), "{beyond:?}");
}

/// Every request that left a record, sent again: the first answer, and nothing more on record.
async fn retried(ledger: &Ledger, clock: &Hand, story: &Story, answers: &[Option<Written>]) {
    let mut head = 0;
    for (n, first) in answers.iter().enumerate() {
        let Some(first) = first.as_ref().filter(|written| written.pair.seq > head) else { continue };
        head = first.pair.seq;
        let again = write(ledger, clock, story, n).await.unwrap_or_else(|e| panic!("retry of {n} of {:?}: {e}", story.history));
        let say = format!("retry of {n} of {:?}", story.history);
        assert!(again.replayed && !first.replayed, "{say}");
        assert_eq!((again.pair, again.first_seq), (first.pair, first.first_seq), "{say}");
        assert_eq!((&again.events, again.followed), (&first.events, first.followed.clone()), "{say}");
        assert_eq!((&again.county, &again.booking), (&first.county, &first.booking), "{say}");
        let told = &story.world.told()[n];
        let other = Call { body: b"another".to_vec(), ..call(&story.county, n, told) };
        let refused = ledger.write(other, command(told)).await.map(|_| ());
        assert!(matches!(refused, Err(LedgerError::RequestIdReused)), "{say}: {refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_histories_are_recorded_read_back_and_retried_alike_on_both_engines() {
    let mut runner = runner();
    let mut stories = stories(&mut runner);
    let mut journals: Vec<Vec<Vec<Vec<u8>>>> = Vec::new();
    for fresh in common::engines().await {
        let clock = Arc::new(Hand::default());
        let ledger = ledger(fresh.store.clone(), &clock);
        let servers = [ledger.clone(), self::ledger(fresh.again().await, &clock)];
        let answers = told(&servers, &clock, &stories).await;
        // A third server, which knows nothing but the database.
        let other = self::ledger(fresh.again().await, &clock);
        let mut of_engine = Vec::new();
        for (story, answers) in stories.iter_mut().zip(&answers) {
            let journal = payloads(&fresh.store, &story.county).await;
            story.points = folded(story, &journal);
            for written in answers.iter().flatten() {
                let mut tree = Frontier::new();
                let upto = usize::try_from(written.pair.seq).expect("a sequence");
                journal[..upto].iter().for_each(|bytes| tree.append(leaf_hash(bytes)));
                assert_eq!(written.pair.root, Some(tree.root()), "the receipt at {upto}");
            }
            read_back(&fresh, &other, story, &journal, &mut runner).await;
            retried(&other, &clock, story, answers).await;
            assert_eq!(payloads(&fresh.store, &story.county).await, journal, "nothing is recorded twice");
            answers_as_folded(&ledger, story, AsOf::Latest, story.points.last().expect("a point")).await;
            of_engine.push(journal);
        }
        let mut differences = Vec::new();
        let checked =
            verify::check(&fresh.store, &mut |difference| differences.push(difference.to_string())).await.expect("a check");
        assert_eq!(differences, Vec::<String>::new());
        assert_eq!(checked.counties, stories.len() as u64);
        journals.push(of_engine);
    }
    assert!(journals.windows(2).all(|pair| pair[0] == pair[1]), "journals are equal to the byte");
    let told: usize = stories.iter().map(|story| story.world.told().len()).sum();
    let recorded: usize = journals.first().map_or(0, |of_engine| of_engine.iter().map(Vec::len).sum());
    assert!(recorded > told / 2, "the histories do something: {recorded} records of {told} commands");
}
