//! One example type of every kind, and what must hold for all of them.

use super::*;
use crate::domain::ids::BookingId;
use crate::domain::money::Cents;
use crate::domain::time::{Date, Instant, Span, Zone};
use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::sync::Arc;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Colour {
    DeepBlue,
    Red,
}

#[derive(Clone, PartialEq, Debug)]
struct Everything {
    flag: bool,
    small: u8,
    short: u16,
    count: u32,
    big: u64,
    signed: i32,
    long: i64,
    text: String,
    shared: Arc<str>,
    blob: Vec<u8>,
    hash: [u8; 32],
    booking: BookingId,
    at: Instant,
    span: Span,
    day: Date,
    zone: Zone,
    colour: Colour,
    tree: Tree,
    maybe_count: Option<u32>,
    maybe_text: Option<String>,
    maybe_colour: Option<Colour>,
    maybe_span: Option<Span>,
    maybe_hash: Option<[u8; 32]>,
    maybe_tree: Option<Box<Tree>>,
    maybe_blob: Option<Vec<u8>>,
    numbers: Vec<i64>,
    instants: Vec<Instant>,
    words: Vec<String>,
    spans: Vec<Span>,
    colours: BTreeSet<Colour>,
    shorts: BTreeSet<u16>,
    bookings: BTreeSet<BookingId>,
    trees: Arc<Vec<Tree>>,
    blobs: Vec<Vec<u8>>,
    cents: Cents,
    text_ref: TextRef,
    wrapped: Wrapped,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct TextRef([u8; 32]);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Wrapped(i64);

transparent! { TextRef([u8; 32]), Wrapped(i64) }

#[derive(Clone, PartialEq, Debug)]
enum Tree {
    Nothing,
    Leaf(Everyday),
    Number(i64),
    Under(Box<Tree>),
    All(Branches),
    Split { left: Vec<Tree>, at: Option<i64>, colour: Colour },
    Several(Vec<Tree>),
    Void(),
}

#[derive(Clone, PartialEq, Debug)]
struct Everyday {
    r#type: String,
    note: Option<Arc<str>>,
}

#[derive(Clone, PartialEq, Debug)]
struct Branches {
    parts: Vec<Tree>,
}

enumeration! {
    /// Two colours.
    Colour {
        /// Listed out of the program's own order.
        1: Red,
        7: DeepBlue,
    }
}

message! {
    /// One field of every type.
    Everything {
        /// Says yes.
        1: flag, 2: small, 3: short, 4: count, 5: big, 6: signed, 7: long, 8: text, 9: shared, 10: blob,
        11: hash, 12: booking, 13: at, 14: span, 15: day, 16: zone, 17: colour, 18: tree,
        19: maybe_count, 20: maybe_text, 21: maybe_colour, 22: maybe_span, 23: maybe_hash, 24: maybe_tree, 25: maybe_blob,
        30: numbers, 31: instants, 32: words, 33: spans, 34: colours, 35: shorts, 36: bookings, 37: trees, 1000: blobs,
        1001: cents, 1002: text_ref, 1003: wrapped,
    }
    /// A leaf.
    ///
    /// With a keyword for a name.
    Everyday { 1: r#type, 3: note }
    Branches { 1: parts }
}

oneof! {
    /// A tree.
    Tree {
        /// None at all.
        1: Nothing(),
        2: Leaf,
        3: Number,
        5: Under,
        19: All,
        /// Two ways.
        20: Split {
            /// The left part.
            1: left,
            2: at,
            4: colour,
        },
        21: Several,
        22: Void(),
    }
}

fn instants() -> impl Strategy<Value = Instant> {
    prop_oneof![
        any::<i64>().prop_map(Instant::from_micros),
        Just(Instant::from_micros(0)),
        Just(Instant::FAR),
        Just(Instant::MIN)
    ]
}

fn spans() -> impl Strategy<Value = Span> {
    (instants(), instants()).prop_map(|(start, end)| Span { start, end })
}

fn bookings() -> impl Strategy<Value = BookingId> {
    "[a-z0-9]{1,12}".prop_map(|word| BookingId::trusted(&word))
}

fn colours() -> impl Strategy<Value = Colour> {
    prop_oneof![Just(Colour::Red), Just(Colour::DeepBlue)]
}

fn trees() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        Just(Tree::Nothing),
        Just(Tree::Void()),
        any::<i64>().prop_map(Tree::Number),
        ("[a-zé]{0,9}", option::of("[a-z]{0,200}"))
            .prop_map(|(r#type, note)| Tree::Leaf(Everyday { r#type, note: note.map(Arc::from) })),
    ];
    leaf.prop_recursive(6, 24, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|tree| Tree::Under(Box::new(tree))),
            vec(inner.clone(), 0..4).prop_map(|parts| Tree::All(Branches { parts })),
            vec(inner.clone(), 0..4).prop_map(Tree::Several),
            (vec(inner, 0..3), any::<Option<i64>>(), colours()).prop_map(|(left, at, colour)| Tree::Split { left, at, colour }),
        ]
    })
}

prop_compose! {
    fn scalars()(
        flag: bool, small: u8, short: u16, count: u32, big: u64, signed: i32, long: i64, cents: i64, text in ".{0,20}",
        blob: Vec<u8>, hash: [u8; 32], booking in bookings(),
    ) -> Everything {
        Everything {
            flag, small, short, count, big, signed, long, shared: text.as_str().into(), text, blob, hash, booking,
            ..least()
        }
    }
}

prop_compose! {
    fn times()(
        whole in scalars(), at in instants(), span in spans(), day in -800_000_i32..800_000, zone in 0..chrono_tz::TZ_VARIANTS.len(),
        colour in colours(), tree in trees(), maybe_count: Option<u32>, maybe_text in option::of(".{0,8}"),
        maybe_colour in option::of(colours()), maybe_span in option::of(spans()),
    ) -> Everything {
        let day = crate::domain::time::date_of_number(day).unwrap();
        Everything {
            at, span, day, zone: Zone(chrono_tz::TZ_VARIANTS[zone]), colour, tree, maybe_count, maybe_text, maybe_colour, maybe_span,
            ..whole
        }
    }
}

prop_compose! {
    fn everything()(
        whole in times(), maybe_hash: Option<[u8; 32]>, maybe_tree in option::of(trees().prop_map(Box::new)),
        maybe_blob: Option<Vec<u8>>, numbers: Vec<i64>, instants in vec(instants(), 0..5),
        words in vec("[a-z]{0,3}", 0..5), spans in vec(spans(), 0..3), colours in btree_set(colours(), 0..3),
        shorts: BTreeSet<u16>, lists in (btree_set(bookings(), 0..6), vec(trees(), 0..3), vec(vec(any::<u8>(), 0..4), 0..3)),
    ) -> Everything {
        let (bookings, trees, blobs) = lists;
        Everything {
            maybe_hash, maybe_tree, maybe_blob, numbers, instants, words, spans, colours, shorts, bookings,
            trees: Arc::new(trees), blobs, ..whole
        }
    }
}

/// As little as can be said.
fn least() -> Everything {
    Everything {
        flag: false,
        small: 0,
        short: 0,
        count: 0,
        big: 0,
        signed: 0,
        long: 0,
        text: String::new(),
        shared: "".into(),
        blob: Vec::new(),
        hash: [0; 32],
        booking: BookingId::trusted("b"),
        at: Instant::from_micros(0),
        span: Span { start: Instant::from_micros(0), end: Instant::from_micros(0) },
        day: Date::default(),
        zone: Zone::UTC,
        colour: Colour::Red,
        tree: Tree::Nothing,
        maybe_count: None,
        maybe_text: None,
        maybe_colour: None,
        maybe_span: None,
        maybe_hash: None,
        maybe_tree: None,
        maybe_blob: None,
        numbers: Vec::new(),
        instants: Vec::new(),
        words: Vec::new(),
        spans: Vec::new(),
        colours: BTreeSet::new(),
        shorts: BTreeSet::new(),
        bookings: BTreeSet::new(),
        trees: Arc::new(Vec::new()),
        blobs: Vec::new(),
        cents: Cents::ZERO,
        text_ref: TextRef([0; 32]),
        wrapped: Wrapped(0),
    }
}

/// The descriptor that a `.proto` of this text gives the message.
pub(in crate::journal) fn descriptor(text: &str, message: &str) -> prost_reflect::MessageDescriptor {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("t.proto"), text).unwrap();
    let files = protox::compile(["t.proto"], [folder.path()]).unwrap();
    let pool = prost_reflect::DescriptorPool::from_file_descriptor_set(files).unwrap();
    pool.get_message_by_name(&format!("detainer.journal.v1.{message}")).unwrap()
}

/// Decodes under the printed schema: nothing unknown at any depth, and the same bytes when written again.
pub(in crate::journal) fn agrees_with_protobuf(descriptor: prost_reflect::MessageDescriptor, bytes: &[u8]) {
    use prost::Message as _;
    use prost_reflect::{DynamicMessage, ReflectMessage as _, Value};
    fn nothing_unknown(value: &Value) {
        match value {
            Value::Message(message) => {
                assert_eq!(message.unknown_fields().count(), 0, "unknown fields in {}", message.descriptor().full_name());
                message.fields().for_each(|(_, value)| nothing_unknown(value));
            }
            Value::List(list) => list.iter().for_each(nothing_unknown),
            _ => {}
        }
    }
    let message = DynamicMessage::decode(descriptor, bytes).unwrap();
    let again = message.encode_to_vec();
    nothing_unknown(&Value::Message(message));
    assert_eq!(again, bytes);
}

proptest! {
    #[test]
    fn every_value_reads_back(value in everything()) {
        let bytes = encode(&value);
        prop_assert_eq!(&decode::<Everything>(&bytes).unwrap(), &value);
    }

    #[test]
    fn accepted_bytes_are_the_only_ones(value in everything(), edits in vec((any::<prop::sample::Index>(), any::<u8>(), 0..4_u8), 1..4)) {
        let mut bytes = encode(&value);
        for (at, byte, how) in edits {
            let n = at.index(bytes.len());
            match how {
                0 => bytes[n] = byte,
                1 => bytes.insert(n, byte),
                2 if bytes.len() > 1 => { bytes.remove(n); }
                _ => bytes.truncate(n.max(1)),
            }
        }
        if let Ok(read) = decode::<Everything>(&bytes) {
            prop_assert_eq!(encode(&read), bytes);
        }
    }

    #[test]
    fn random_bytes_never_panic(bytes: Vec<u8>) {
        if let Ok(read) = decode::<Tree>(&bytes) {
            prop_assert_eq!(encode(&read), &bytes[..]);
        }
        let _ = decode::<Everything>(&bytes);
        let _ = decode::<Branches>(&bytes);
    }
}

#[test]
fn protobuf_reads_it_under_the_printed_schema() {
    let descriptor = descriptor(&proto_text(&[Everything::kind()]), "Everything");
    let check = |value: Everything| agrees_with_protobuf(descriptor.clone(), &encode(&value));
    check(least());
    proptest!(ProptestConfig::with_cases(64), |(value in everything())| check(value));
}

#[test]
fn the_printed_schema() {
    let text = proto_text(&[Colour::kind(), Tree::kind()]);
    let expected = r"
package detainer.journal.v1;

// Two colours.
enum Colour {
  // Never written; refused when read.
  COLOUR_UNSPECIFIED = 0;
  // Listed out of the program's own order.
  COLOUR_RED = 1;
  COLOUR_DEEP_BLUE = 7;
}

// A tree.
message Tree {
  // Exactly one is set.
  oneof kind {
    // None at all.
    Empty nothing = 1;
    Everyday leaf = 2;
    sint64 number = 3;
    Tree under = 5;
    Branches all = 19;
    // Two ways.
    TreeSplit split = 20;
    TreeList several = 21;
    Empty void = 22;
  }
}

// Says nothing beyond its own presence.
message Empty {}

// A leaf.
//
// With a keyword for a name.
message Everyday {
  string type = 1;
  optional string note = 3;
}

message Branches {
  repeated Tree parts = 1;
}

// Two ways.
message TreeSplit {
  // The left part.
  repeated Tree left = 1;
  optional sint64 at = 2;
  Colour colour = 4;
}

// A list where one value is wanted.
message TreeList {
  // What it holds, in order.
  repeated Tree items = 1;
}
";
    assert!(text.ends_with(expected), "{text}");
}

mod namesakes {
    #[derive(Debug)]
    pub struct Everyday {
        pub other: u32,
    }
    #[derive(Debug)]
    pub enum Mixed {
        Kind(Everyday),
        Mine(super::Everyday),
    }
    super::message! { Everyday { 1: other } }
    super::oneof! { Mixed { 1: Kind, 2: Mine } }
}

#[test]
fn two_types_of_one_name_are_found() {
    assert_eq!(schema_faults(&[Everything::kind()]), Vec::<String>::new());
    let faults = schema_faults(&[namesakes::Mixed::kind()]);
    assert_eq!(faults, ["Mixed.kind: another field has this name", "Mixed.mine: another type is called Everyday too"]);
}

#[derive(Clone, PartialEq, Debug)]
struct Small {
    count: u32,
    name: BookingId,
    colours: BTreeSet<Colour>,
    numbers: Vec<u32>,
    inner: Option<Everyday>,
    flag: Option<bool>,
}

message! { Small { 1: count, 2: name, 3: colours, 4: numbers, 5: inner, 6: flag } }

#[test]
fn what_is_refused() {
    // `12 01 78` is the one required field, name = "x".
    let cases: &[(&str, &str)] = &[
        ("", "Small.name: is missing where it should come"),
        ("0801", "Small.name: is missing where it should come"),
        ("1200", "Small.name: is written although it is zero or empty"),
        ("1202ff78", "Small.name: is not UTF-8"),
        ("120578", "Small.name: ends too early"),
        ("12", "Small.name: ends too early"),
        ("0800120178", "Small.count: is written although it is zero or empty"),
        ("088100120178", "Small.count: holds a number that is not written in its shortest form"),
        ("08ffffffff1f120178", "Small.count: is out of range"),
        ("08ffffffffffffffffff7f120178", "Small.count: holds a number that is not written in its shortest form"),
        ("0a0101120178", "Small.count: is written in another wire type"),
        ("08010802120178", "Small.name: is missing where it should come"),
        ("12017830003001", "Small: field number 6 comes twice or out of order"),
        ("1201780801", "Small: field number 1 comes twice or out of order"),
        ("120178120179", "Small: field number 2 comes twice or out of order"),
        ("1201783a00", "Small: unknown field number 7"),
        ("12017800", "Small: unknown field number 0"),
        ("1201781a020107", "ok"),
        ("1201781a020701", "Small.colours: is a set out of order"),
        ("1201781a020101", "Small.colours: is a set out of order"),
        ("1201781a0100", "Small.colours: unknown case 0"),
        ("1201781a0102", "Small.colours: unknown case 2"),
        ("1201781a00", "Small.colours: is written although it is zero or empty"),
        ("12017822020005", "ok"),
        ("12017820052006", "Small.numbers: is written in another wire type"),
        ("120178220105220106", "Small: field number 4 comes twice or out of order"),
        ("1201782a00", "ok"),
        ("1201782a020a00", "Everyday.type: is written although it is zero or empty"),
        ("1201782a021a00", "ok"),
        ("1201782a022200", "Everyday: unknown field number 4"),
        ("1201783000", "ok"),
        ("1201783002", "Small.flag: is out of range"),
        ("12017880", "Small.colours: ends too early"),
    ];
    for (bytes, expected) in cases {
        let bytes = hex::decode(bytes).unwrap();
        let said = decode::<Small>(&bytes).map_or_else(
            |error| error.to_string(),
            |value| {
                assert_eq!(encode(&value), bytes);
                "ok".to_owned()
            },
        );
        assert_eq!(said, *expected, "{}", hex::encode(&bytes));
    }
}

#[test]
fn what_a_oneof_refuses() {
    let cases: &[(&str, &str)] = &[
        ("", "Tree: is missing where it should come"),
        ("0a00", "ok"),
        ("1800", "ok"),
        ("0a001800", "Tree: field number 3 comes twice or out of order"),
        ("0a000a00", "Tree: field number 1 comes twice or out of order"),
        ("0a020a00", "Empty: unknown field number 1"),
        ("0801", "Tree.Nothing: is written in another wire type"),
        ("2200", "Tree: unknown case 4"),
        ("2a00", "Tree: is missing where it should come"),
        ("a20100", "TreeSplit.colour: is missing where it should come"),
        ("a201022001", "ok"),
        ("a2010420012801", "TreeSplit: unknown field number 5"),
        ("a001", "TreeSplit: is written in another wire type"),
        ("aa0100", "ok"),
        ("aa01021001", "List: unknown field number 2"),
    ];
    for (bytes, expected) in cases {
        let bytes = hex::decode(bytes).unwrap();
        let said = decode::<Tree>(&bytes).map_or_else(|error| error.to_string(), |_| "ok".to_owned());
        assert_eq!(said, *expected, "{}", hex::encode(&bytes));
    }
}

#[test]
fn nesting_is_bounded() {
    let nested = |levels: u8| (1..levels).fold(Tree::Nothing, |tree, _| Tree::Under(Box::new(tree)));
    // The innermost `Nothing` holds an empty message of its own.
    let deepest = nested(MAX_DEPTH - 1);
    assert_eq!(decode::<Tree>(&encode(&deepest)), Ok(deepest));
    let error = decode::<Tree>(&encode(&nested(MAX_DEPTH))).unwrap_err();
    assert_eq!(error.problem, Problem::Depth);
    // A hundred thousand levels are refused without using the stack for them.
    let mut bytes = vec![0x0a, 0x00];
    for _ in 0..2_000 {
        let mut outer = vec![0x2a];
        put_varint(bytes.len() as u64, &mut outer);
        outer.extend_from_slice(&bytes);
        bytes = outer;
    }
    assert_eq!(decode::<Tree>(&bytes).unwrap_err().problem, Problem::Depth);
}

#[test]
fn a_set_does_not_depend_on_the_programs_order() {
    // The program orders DeepBlue before Red; the wire goes by number.
    let mut value =
        Small { count: 0, name: BookingId::trusted("x"), colours: BTreeSet::new(), numbers: vec![], inner: None, flag: None };
    value.colours = [Colour::DeepBlue, Colour::Red].into();
    assert_eq!(hex::encode(encode(&value)), "1201781a020107");
}

#[test]
fn tags_are_checked() {
    for (tags, good) in [
        (&[1_u32, 2, 7][..], true),
        (&[], true),
        (&[0], false),
        (&[2, 1], false),
        (&[1, 1], false),
        (&[19_500], false),
        (&[1 << 29], false),
    ] {
        assert_eq!(good_tags(tags), good, "{tags:?}");
    }
}
