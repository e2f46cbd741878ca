//! Which domain types have a wire form, and under which numbers.
//!
//! One declaration a type; see [`super::wire`] for the three macros. A number once released is never given to
//! something else. After a change here run `UPDATE_PROTO=1 cargo test --lib journal::records` and commit
//! `proto/detainer/journal/v1/records.proto` with it.

use super::wire::{Kind, Value, message};
use crate::domain::time::Span;

message! {
    /// A half-open stretch of time, `[start, end)`. An end of 9999-12-31T23:59:59.999999Z means that it is still open.
    Span {
        /// First instant inside, in microseconds of UTC since 1970.
        1: start,
        /// First instant no longer inside, in microseconds of UTC since 1970.
        2: end,
    }
}

/// What the journal is made of: all that `records.proto` describes follows from these.
#[must_use]
pub fn roots() -> Vec<Kind> {
    vec![Span::kind()]
}

#[cfg(test)]
mod tests {
    use super::super::wire::{encode, proto_text, schema_faults, tests::agrees_with_protobuf};
    use super::*;
    use crate::domain::time::Instant;
    use std::path::Path;

    const PROTO: &str = "detainer/journal/v1/records.proto";

    #[test]
    fn the_committed_schema_is_the_declared_one() {
        assert_eq!(schema_faults(&roots()), Vec::<String>::new());
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("proto").join(PROTO);
        let declared = proto_text(&roots());
        if std::env::var_os("UPDATE_PROTO").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &declared).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(committed, declared, "run UPDATE_PROTO=1 cargo test --lib journal::records");
    }

    #[test]
    fn protobuf_reads_the_records() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("proto");
        let files = protox::compile([PROTO], [folder]).unwrap();
        let pool = prost_reflect::DescriptorPool::from_file_descriptor_set(files).unwrap();
        let descriptor = |name: &str| pool.get_message_by_name(&format!("detainer.journal.v1.{name}")).unwrap();
        let span = Span::from(Instant::from_micros(1_700_000_000_000_000));
        agrees_with_protobuf(descriptor("Span"), &encode(&span));
    }
}
