//! Which domain types have a wire form, and under which numbers: a file here for each of the domain's.
//!
//! One declaration a type; see [`super::wire`] for the macros. A number once released is never given to something
//! else, and a field once released never changes its type. After a change here run
//! `UPDATE_PROTO=1 cargo test --lib journal::records` and commit `proto/detainer/journal/v1/records.proto` with it.

mod agreement;
mod booking;
mod clock;
mod cost;
mod county;
mod decision;
mod detainer;
mod event;
mod facts;
mod gap;
mod policy;
mod rate;

use super::record::{Record, RequestKey, Stream};
use super::wire::{Cursor, Kind, Problem, Value, WireError, WireType, macros::single_field, message};
use crate::domain::time::Span;

message! {
    /// What one command did to one stream.
    Record {
        /// How the record is written: 1. A reader refuses every other.
        1: format,
        /// Whose journal.
        2: county,
        /// Its place in the journal, from 1, without gaps.
        3: seq,
        /// The first record of the same command.
        4: first_seq,
        /// The last record of the same command: the receipt's.
        5: last_seq,
        /// Whose events these are: `c` for the county's own, `b/` and the booking's id for a booking's.
        6: stream,
        /// When it was recorded, in microseconds of UTC since 1970; later than the record before it.
        7: recorded,
        /// Who asked: the credential's name.
        8: actor,
        /// The person behind that credential; empty where it stands for nobody, as the sweeper's.
        9: person,
        /// The method called.
        10: method,
        /// The request, in the command's first record only.
        11: request,
        /// Whether it came by an import of the past.
        12: history,
        /// What happened, in order.
        13: events,
    }

    /// What the first record of a command keeps of the request.
    RequestKey {
        /// The caller's own id for it.
        1: id,
        /// HMAC-SHA256 under the county's key over the canonical command.
        2: fingerprint,
    }

    /// A half-open stretch of time, `[start, end)`. An end of 9999-12-31T23:59:59.999999Z means that it is still open.
    Span {
        /// First instant inside, in microseconds of UTC since 1970.
        1: start,
        /// First instant no longer inside, in microseconds of UTC since 1970.
        2: end,
    }
}

/// The word that is stored; always written.
impl Value for Stream {
    const WIRE: WireType = WireType::Bytes;

    fn kind() -> Kind {
        String::kind()
    }

    fn write(&self, out: &mut Vec<u8>) {
        self.to_string().write(out);
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<Self, WireError> {
        Self::parse(&String::read(cursor)?).ok_or_else(|| Problem::Range.into())
    }
}

single_field!(Stream);

/// What the journal is made of: all that `records.proto` describes follows from these.
#[must_use]
pub fn roots() -> Vec<Kind> {
    vec![Record::kind()]
}

#[cfg(test)]
mod tests {
    use super::super::record::FORMAT;
    use super::super::wire::sample::Sampler;
    use super::super::wire::tests::agrees_with_protobuf;
    use super::super::wire::{encode, proto_text, schema_faults};
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    const PROTO: &str = "detainer/journal/v1/records.proto";

    fn folder() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("proto")
    }

    fn descriptor() -> prost_reflect::MessageDescriptor {
        let files = protox::compile([PROTO], [folder()]).unwrap();
        let pool = prost_reflect::DescriptorPool::from_file_descriptor_set(files).unwrap();
        pool.get_message_by_name("detainer.journal.v1.Record").unwrap()
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
        let path = folder().join(PROTO);
        let declared = proto_text(&roots());
        if std::env::var_os("UPDATE_PROTO").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &declared).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(committed, declared, "run UPDATE_PROTO=1 cargo test --lib journal::records");
    }

    #[test]
    fn any_record_reads_back_and_protobuf_reads_it_too() {
        let descriptor = descriptor();
        let mut events = BTreeSet::new();
        for seed in 0..2_000 {
            let bytes = sample(seed);
            let record = Record::decode(&bytes).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
            assert_eq!(record.encode(), bytes, "seed {seed}");
            agrees_with_protobuf(descriptor.clone(), &bytes);
            events.extend(record.events.iter().map(|event| encode(event)[0..2].to_vec()));
        }
        assert!(events.len() > 20, "only {} kinds of event were met", events.len());
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
}
