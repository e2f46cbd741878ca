//! That the wire form of the records is whole: nothing declared goes unmet, and both readers agree.

mod samples;
mod size;

use super::super::record::FORMAT;
use super::super::wire::coverage::{Met, Which, enumerations};
use super::super::wire::sample::Sampler;
use super::super::wire::tests::{agrees_with_protobuf, descriptor};
use super::super::wire::{self, encode, proto_text, schema_faults};
use super::*;
use crate::domain::agreement::MinimumCoverage;
use crate::domain::booking::{AlertLevel, CorrectedFact, HoldEnd, PostingCause};
use crate::domain::claim::ClaimAct;
use crate::domain::clock::{ExclusionRule, StartRule};
use crate::domain::decision::{Outcome, OverrideAnswer, Reason, Trigger};
use crate::domain::detainer::{Component, DocumentKind, DutyKind, Edition, LiftReason, NoticeMethod, ServiceMethod};
use crate::domain::event::{Decided, Event};
use crate::domain::facts::{
    Arrival, BasisKind, CloseReason, EndKind, OrderSigner, PaperKind, Question, SourceKind, StatusProof, Tri,
};
use crate::domain::gap::Authority;
use crate::domain::ids::{BookingId, CountyId, DetainerId, FacilityId};
use crate::domain::numbered::Numbered;
use crate::domain::policy::{Effect, Explanation, FacialRule, LayerKind, Mode, OpenDetainers, Step, WarrantKind};
use crate::domain::rate::DayCount;
use proptest::prelude::*;
use prost_reflect::MessageDescriptor;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

const PROTO: &str = "proto/detainer/journal/v1/records.proto";

/// What protobuf makes of the declared schema; the committed one is the same, by a test of its own.
fn protobuf() -> MessageDescriptor {
    static RECORD: LazyLock<MessageDescriptor> = LazyLock::new(|| descriptor(&proto_text(&roots()), "Record"));
    RECORD.clone()
}

/// The bytes of some record.
fn sample(seed: u64) -> Vec<u8> {
    let words = |field: &str| if field == "stream" { "b/2017-000123" } else { "UTC" };
    let body = Sampler { seed, words }.body(Record::kind(), 0).unwrap();
    // The sampler's format is any number.
    let after = body.iter().skip(1).position(|byte| byte & 0x80 == 0).unwrap() + 2;
    let mut bytes = vec![0x08];
    super::super::wire::put_varint(u64::from(FORMAT), &mut bytes);
    bytes.extend_from_slice(&body[after..]);
    bytes
}

#[test]
fn the_committed_schema_is_the_declared_one() {
    assert_eq!(schema_faults(&roots()), Vec::<String>::new());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PROTO);
    let declared = proto_text(&roots());
    if std::env::var_os("UPDATE_PROTO").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &declared).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(committed, declared, "run UPDATE_PROTO=1 cargo test --lib journal::records");
}

/// Checks that a record reads back as itself, here and in protobuf's own reader; gives its bytes.
fn agrees(record: &Record) -> Vec<u8> {
    let bytes = record.encode();
    assert_eq!(Record::decode(&bytes).as_ref(), Ok(record));
    agrees_with_protobuf(protobuf(), &bytes);
    bytes
}

fn of(event: Event) -> Record {
    Record {
        format: FORMAT,
        county: CountyId::trusted("miami-dade"),
        seq: 12,
        first_seq: 11,
        last_seq: 13,
        stream: Stream::Booking(BookingId::trusted("2017-000123")),
        recorded: samples::at(),
        actor: "jms".into(),
        person: "jail".into(),
        method: "RecordDetainer".into(),
        request: Some(RequestKey { id: "0192f0c1".into(), fingerprint: [7; 32] }),
        history: true,
        events: vec![event],
    }
}

#[test]
fn every_event_reads_back_and_protobuf_reads_it_too() {
    let mut met = Met::default();
    for event in samples::events() {
        met.message(Record::kind(), &agrees(&of(event)));
    }
    assert_eq!(met.missing(Record::kind(), Which::Fields), Vec::<String>::new(), "add samples of these");
}

#[test]
fn any_record_reads_back_and_protobuf_reads_it_too() {
    let mut met = Met::default();
    for seed in 0..12_000 {
        let bytes = sample(seed);
        let record = Record::decode(&bytes).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        assert_eq!(record.encode(), bytes, "seed {seed}");
        met.message(Record::kind(), &bytes);
        if seed < 2_000 {
            agrees_with_protobuf(protobuf(), &bytes);
        }
    }
    assert_eq!(met.missing(Record::kind(), Which::Cases), Vec::<String>::new());
    assert_eq!(met.missing(Record::kind(), Which::LeftOut), Vec::<String>::new());
}

/// Every number of a type names one case, and 0 none.
fn numbers<T: Numbered + Value + PartialEq + std::fmt::Debug>() -> (String, usize) {
    let mut last = 0;
    for case in T::ALL {
        assert!(case.number() > last, "{case:?}");
        last = case.number();
        assert_eq!(T::from_number(last).as_ref(), Some(case));
        let mut written = Vec::new();
        case.write(&mut written);
        assert_eq!(written, [u8::try_from(last).unwrap()], "the journal and the tables differ for {case:?}");
    }
    for none in [i64::MIN, -1, 0, last + 1, i64::MAX] {
        assert_eq!(T::from_number(none), None);
    }
    (T::kind().name(), T::ALL.len())
}

#[test]
fn cases_have_numbers() {
    let listed = [
        numbers::<AlertLevel>(),
        numbers::<Authority>(),
        numbers::<BasisKind>(),
        numbers::<ClaimAct>(),
        numbers::<CloseReason>(),
        numbers::<Component>(),
        numbers::<CorrectedFact>(),
        numbers::<DayCount>(),
        numbers::<DocumentKind>(),
        numbers::<DutyKind>(),
        numbers::<Edition>(),
        numbers::<Effect>(),
        numbers::<EndKind>(),
        numbers::<ExclusionRule>(),
        numbers::<FacialRule>(),
        numbers::<HoldEnd>(),
        numbers::<LayerKind>(),
        numbers::<LiftReason>(),
        numbers::<MinimumCoverage>(),
        numbers::<Mode>(),
        numbers::<NoticeMethod>(),
        numbers::<OpenDetainers>(),
        numbers::<OrderSigner>(),
        numbers::<Outcome>(),
        numbers::<PaperKind>(),
        numbers::<OverrideAnswer>(),
        numbers::<PostingCause>(),
        numbers::<Question>(),
        numbers::<Reason>(),
        numbers::<ServiceMethod>(),
        numbers::<SourceKind>(),
        numbers::<StartRule>(),
        numbers::<StatusProof>(),
        numbers::<Step>(),
        numbers::<Tri>(),
        numbers::<WarrantKind>(),
    ];
    assert_eq!(BTreeMap::from(listed), enumerations(Record::kind()));
}

/// A tree of conditions is at most 12 deep; what a record can hold is known here.
#[test]
fn explanations_nest_far_deeper_than_any_tree() {
    let record = |levels: u32| {
        let step = |parts| Explanation { step: Step::Not, label: "not".into(), value: Tri::No, fact: "".into(), parts };
        let nested = (1..levels).fold(step(Vec::new()), |inner, _| step(vec![inner]));
        let mut decision = samples::decision(Trigger::Receipt, None);
        decision.explanation.checks = vec![nested];
        of(Event::Decided(Decided { detainer: DetainerId::trusted("1"), decision }))
    };
    let bytes = |levels| wire::encode(&record(levels));
    assert_eq!(Record::decode(&bytes(59)), Ok(record(59)));
    assert_eq!(Record::decode(&bytes(60)).map_err(|error| error.problem), Err(Problem::Depth));
}

/// A record's bytes as they were when format 1 was first written: they may never change.
#[test]
fn the_bytes_of_format_1() {
    let stamp = samples::stamp();
    let arrival = Arrival { at: stamp, facility: FacilityId::trusted("tgk"), source: samples::source() };
    let record = Record { request: None, ..of(Event::Moved(arrival)) };
    let known = concat!(
        "0801120a6d69616d692d6461646518182016281a320d622f323031372d303030313233397269ab9ee049050042036a6d734a046a61696c",
        "520e5265636f726444657461696e657260016a3972370a1d097269ab9ee049050011720d3f75e149050019720d3f75e1490500200e1203",
        "74676b1a110801120d492d3234372031372d34373131",
    );
    assert_eq!(hex::encode(record.encode()), known);
}

proptest! {
    #[test]
    fn a_changed_record_is_refused_or_another_record(seed: u64, at: prop::sample::Index, byte: u8, cut: bool) {
        let mut bytes = sample(seed);
        let n = at.index(bytes.len());
        if cut { bytes.truncate(n) } else { bytes[n] = byte }
        if let Ok(record) = Record::decode(&bytes) {
            prop_assert_eq!(record.encode(), bytes);
        }
    }
}

#[test]
fn another_format_is_told_before_all_else() {
    let refused = |bytes: &[u8]| Record::decode(bytes).unwrap_err();
    let format = |found| WireError { message: "Record", field: "format", problem: Problem::Format(found) };
    assert_eq!(refused(&[0x08, 2, 0xff, 0xff]), format(2));
    assert_eq!(refused(&[]), format(0));
    assert_eq!(refused(&[0x08, 2]).to_string(), "Record.format: is 2, a format that this program does not read");
    assert_eq!(refused(&[0x0a, 0]).to_string(), "Record.format: is written in another wire type");
    assert_eq!(refused(&[0x08, 1]).to_string(), "Record.county: is missing where it should come");
    let mut bytes = sample(1);
    bytes.extend([0x82, 0x01, 0]);
    assert_eq!(refused(&bytes).to_string(), "Record: unknown field number 16");
}

#[test]
fn streams() {
    for word in ["c", "b/2017-000123"] {
        assert_eq!(Stream::parse(word).map(|stream| stream.key()).as_deref(), Some(word));
    }
    for word in ["", "b", "b/", "b/a/b", "c/", "d/1", "B/1", "b/a b"] {
        assert_eq!(Stream::parse(word), None, "{word}");
    }
}
