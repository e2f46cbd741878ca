//! A small canonical protobuf codec: one declaration gives a domain type its wire form and its schema.
//!
//! ```text
//! message!     { /// doc
//!                Span { 1: start, 2: end } }             // a struct; every field must be listed
//! enumeration! { /// doc
//!                Outcome { 1: Honor, 2: Decline } }      // an enum without payloads; 0 stands for no value
//! oneof!       { /// doc
//!                Event { 1: BookingCreated,              // an enum with payloads: one value or one list
//!                        2: Idle(),                      // no payload: `Idle` or `Idle()`
//!                        3: Moved { 1: from, 2: to } } } // fields of its own: a message `EventMoved`
//! transparent! { TextRef([u8; 32]) }                      // a struct around one value: that value's form
//! ```
//!
//! Fields may be `bool`, integers, text, bytes, hashes, ids, [`Instant`](crate::domain::time::Instant) and the like, other
//! declared types, and `Option`, `Vec`, `BTreeSet`, `Box`, `Arc` of them. Single messages, enumerations, ids, zones and
//! hashes must be there; other single values stand for zero or empty where they are left out.
//!
//! A value has exactly one encoding: fields in the order of their tags, each at most once, shortest varints,
//! plain scalars left out when they are zero or empty, numbers packed in lists, sets in the order of their
//! elements' bytes. Reading accepts that encoding and no other, so bytes that were accepted encode to the same
//! bytes again; everything else is a [`WireError`] that names message and field. Reading never panics and never
//! nests deeper than [`MAX_DEPTH`].
//!
//! To add a type, list it in the file of `journal/records/` that is named after its own. To add a kind of scalar,
//! implement it in `values.rs`. Maps and floats have no wire form on purpose: neither has one encoding.

pub(crate) mod macros;
mod schema;
mod values;

#[cfg(test)]
pub(in crate::journal) mod coverage;
#[cfg(test)]
pub(in crate::journal) mod sample;
#[cfg(test)]
pub(in crate::journal) mod tests;

pub use crate::domain::numbered::Numbered;
pub(crate) use macros::{enumeration, message, oneof, transparent};
pub use schema::{Body, Case, FieldSchema, Kind, Label, Schema, proto_text, schema_faults};
#[doc(hidden)]
pub use schema::{case_field_schema, case_schema, field_schema, kind_of_payload};

/// How deep messages may nest, the outermost included.
pub const MAX_DEPTH: u8 = 64;

/// How a value lies on the wire after its key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WireType {
    /// A varint.
    Varint = 0,
    /// Eight bytes, little-endian.
    Fixed64 = 1,
    /// A length and as many bytes.
    Bytes = 2,
}

/// What was wrong with the bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Problem {
    /// The bytes end inside a value.
    #[error("ends too early")]
    Truncated,
    /// A varint that is longer than it need be, or than 64 bits.
    #[error("holds a number that is not written in its shortest form")]
    Varint,
    /// A wire type that the field does not have.
    #[error("is written in another wire type")]
    WireType,
    /// A tag that the message does not have.
    #[error("unknown field number {0}")]
    Unknown(u64),
    /// A known tag where it cannot stand.
    #[error("field number {0} comes twice or out of order")]
    Order(u64),
    /// A field that must be there is not, or not in its place.
    #[error("is missing where it should come")]
    Missing,
    /// A zero or empty value that should have been left out.
    #[error("is written although it is zero or empty")]
    Default,
    /// Text that is not UTF-8.
    #[error("is not UTF-8")]
    Utf8,
    /// A value outside of what its type can hold.
    #[error("is out of range")]
    Range,
    /// A number that names no case of the enumeration.
    #[error("unknown case {0}")]
    Case(u64),
    /// A set whose elements are not in ascending order, or not distinct.
    #[error("is a set out of order")]
    Set,
    /// A record in a format that this program does not read: a newer program wrote it, or it is no record.
    #[error("is {0}, a format that this program does not read")]
    Format(u64),
    /// Messages inside messages, beyond [`MAX_DEPTH`].
    #[error("nests too deep")]
    Depth,
}

/// Bytes that are not the canonical form of the message. Names where, never what: no content is repeated.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{message}{}{field}: {problem}", if field.is_empty() { "" } else { "." })]
pub struct WireError {
    /// The innermost message that was being read.
    pub message: &'static str,
    /// Its field; empty where the message as a whole is meant.
    pub field: &'static str,
    /// What was wrong.
    pub problem: Problem,
}

impl From<Problem> for WireError {
    fn from(problem: Problem) -> Self {
        Self { message: "", field: "", problem }
    }
}

impl WireError {
    /// Says where, unless an inner message has said so already.
    #[must_use]
    pub fn at(self, message: &'static str, field: &'static str) -> Self {
        let field = field.strip_prefix("r#").unwrap_or(field);
        if self.message.is_empty() { Self { message, field, ..self } } else { self }
    }
}

/// A type with one wire form as a single value: scalars, messages, enumerations.
pub trait Value: Sized {
    /// How it lies on the wire.
    const WIRE: WireType;

    /// Its type in the schema.
    fn kind() -> Kind;

    /// Writes what follows the key, a length included.
    fn write(&self, out: &mut Vec<u8>);

    /// Reads what follows the key, a length included.
    ///
    /// # Errors
    /// Names what was wrong, and where if it was inside a nested message.
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, WireError>;

    /// The value that is left out when it stands alone in a field; `None` if it is always written.
    #[must_use]
    fn absent() -> Option<Self> {
        None
    }

    /// Whether it is the value that is left out.
    fn is_absent(&self) -> bool {
        false
    }
}

/// A value that may stand in a list or a set. All but `u8`, whose lists are bytes.
pub trait Element: Value {}

/// A type that a field of a message may have: a value, an `Option` of one, a list or a set.
pub trait Field: Sized {
    /// Its label and type in the schema.
    fn shape() -> (Label, Kind);

    /// Writes key and value, or nothing where nothing is to be written.
    fn put(&self, tag: u32, out: &mut Vec<u8>);

    /// Reads the field if it comes next.
    ///
    /// # Errors
    /// Names what was wrong.
    fn get(cursor: &mut Cursor<'_>, tag: u32) -> Result<Self, WireError>;
}

/// One of several cases. Implemented by `oneof!`.
pub trait OneOf {
    /// The name of this case, as in its declaration.
    fn case_name(&self) -> &'static str;
}

/// A message: what [`encode`] and [`decode`] take. Implemented by `message!` and `oneof!`.
pub trait Message: Value {
    /// Its name in the schema.
    const NAME: &'static str;

    /// Its schema.
    fn schema() -> Schema;

    /// Writes the fields, without a length.
    fn write_body(&self, out: &mut Vec<u8>);

    /// Reads the fields up to the end of the cursor.
    ///
    /// # Errors
    /// Names what was wrong, and where.
    fn read_body(cursor: &mut Cursor<'_>) -> Result<Self, WireError>;
}

/// The payload of a case that has none: an empty message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Empty;

message! {
    /// Says nothing beyond its own presence.
    Empty {}
}

/// The canonical bytes of a message.
#[must_use]
pub fn encode<M: Message>(message: &M) -> Vec<u8> {
    let mut out = Vec::new();
    message.write_body(&mut out);
    out
}

/// Reads a message from its canonical bytes.
///
/// # Errors
/// Names the message, the field and what was wrong, if the bytes are anything but what [`encode`] writes.
pub fn decode<M: Message>(bytes: &[u8]) -> Result<M, WireError> {
    let mut cursor = Cursor { rest: bytes, depth: 1 };
    M::read_body(&mut cursor).map_err(|error| error.at(M::NAME, ""))
}

/// The value of a message's first field, if that is a varint under `tag`; whatever follows is not looked at.
///
/// # Errors
/// [`Problem::Truncated`], [`Problem::Varint`], [`Problem::WireType`].
pub fn first_varint(bytes: &[u8], tag: u32) -> Result<Option<u64>, Problem> {
    let mut cursor = Cursor { rest: bytes, depth: 1 };
    if cursor.take(tag, WireType::Varint)? { cursor.varint().map(Some) } else { Ok(None) }
}

/// Reads from front to back, never past the end of the message it was made for.
pub struct Cursor<'a> {
    rest: &'a [u8],
    depth: u8,
}

impl<'a> Cursor<'a> {
    /// Whether everything was read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Takes a varint of up to 64 bits, in its shortest form.
    ///
    /// # Errors
    /// [`Problem::Truncated`], [`Problem::Varint`].
    pub fn varint(&mut self) -> Result<u64, Problem> {
        let mut value = 0_u64;
        for (n, &byte) in self.rest.iter().enumerate().take(10) {
            let bits = u64::from(byte & 0x7f);
            if n == 9 && byte > 1 {
                return Err(Problem::Varint);
            }
            value |= bits << (7 * n);
            if byte < 0x80 {
                if byte == 0 && n > 0 {
                    return Err(Problem::Varint);
                }
                self.rest = &self.rest[n + 1..];
                return Ok(value);
            }
        }
        Err(if self.rest.len() < 10 { Problem::Truncated } else { Problem::Varint })
    }

    /// Takes eight bytes.
    ///
    /// # Errors
    /// [`Problem::Truncated`].
    pub fn fixed64(&mut self) -> Result<[u8; 8], Problem> {
        let (eight, rest) = self.rest.split_first_chunk::<8>().ok_or(Problem::Truncated)?;
        self.rest = rest;
        Ok(*eight)
    }

    /// Takes a length and as many bytes.
    ///
    /// # Errors
    /// [`Problem::Truncated`], [`Problem::Varint`].
    pub fn bytes(&mut self) -> Result<&'a [u8], Problem> {
        let len = usize::try_from(self.varint()?).map_err(|_| Problem::Truncated)?;
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(Problem::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    /// Takes a length and as many bytes, to be read as a list of packed numbers.
    fn packed(&mut self) -> Result<Cursor<'a>, Problem> {
        Ok(Cursor { rest: self.bytes()?, depth: self.depth })
    }

    /// Takes a nested message: a length and its fields, which `read` reads to their end.
    ///
    /// # Errors
    /// [`Problem::Depth`], or what was wrong inside.
    pub fn nested<T>(
        &mut self,
        message: &'static str,
        read: impl FnOnce(&mut Cursor<'_>) -> Result<T, WireError>,
    ) -> Result<T, WireError> {
        if self.depth >= MAX_DEPTH {
            return Err(WireError::from(Problem::Depth).at(message, ""));
        }
        let mut inner = Cursor { rest: self.bytes()?, depth: self.depth + 1 };
        read(&mut inner).map_err(|error| error.at(message, ""))
    }

    /// Takes a key: tag and wire type.
    fn key(&mut self) -> Result<(u64, u64), Problem> {
        let key = self.varint()?;
        Ok((key >> 3, key & 7))
    }

    /// Takes the key of `tag` if it comes next; a different tag is left where it is.
    fn take(&mut self, tag: u32, wire: WireType) -> Result<bool, Problem> {
        if self.rest.is_empty() {
            return Ok(false);
        }
        let mut ahead = Cursor { rest: self.rest, depth: self.depth };
        let (found, kind) = ahead.key()?;
        if found != u64::from(tag) {
            return Ok(false);
        }
        if kind != wire as u64 {
            return Err(Problem::WireType);
        }
        self.rest = ahead.rest;
        Ok(true)
    }

    /// Reads one field of a message, and names it if that fails. For the macros.
    ///
    /// # Errors
    /// Names what was wrong, and where.
    pub fn field<T: Field>(&mut self, tag: u32, message: &'static str, field: &'static str) -> Result<T, WireError> {
        T::get(self, tag).map_err(|error| error.at(message, field))
    }

    /// Takes the tag of the one case that is set. For the macros.
    ///
    /// # Errors
    /// [`Problem::Missing`] where nothing is set.
    pub fn case_tag(&mut self) -> Result<u64, Problem> {
        if self.rest.is_empty() {
            return Err(Problem::Missing);
        }
        let mut ahead = Cursor { rest: self.rest, depth: self.depth };
        Ok(ahead.key()?.0)
    }

    /// Reads the payload of a case and makes the case from it. For the macros.
    ///
    /// # Errors
    /// Names what was wrong, and where.
    pub fn case<T: Value, E>(&mut self, message: &'static str, case: &'static str, make: fn(T) -> E) -> Result<E, WireError> {
        let payload = self.case_key(T::WIRE).and_then(|()| T::read(self));
        payload.map(make).map_err(|error| error.at(message, case))
    }

    /// Reads a case that has fields of its own. For the macros.
    ///
    /// # Errors
    /// Names what was wrong, and where.
    pub fn case_fields<E>(
        &mut self,
        message: &'static str,
        read: impl FnOnce(&mut Cursor<'_>) -> Result<E, WireError>,
    ) -> Result<E, WireError> {
        let opened = self.case_key(WireType::Bytes);
        opened.and_then(|()| self.nested(message, read)).map_err(|error| error.at(message, ""))
    }

    /// Takes the key of a case whose tag was looked at.
    fn case_key(&mut self, wire: WireType) -> Result<(), WireError> {
        let (_, kind) = self.key()?;
        if kind == wire as u64 { Ok(()) } else { Err(Problem::WireType.into()) }
    }

    /// Makes sure that nothing is left. For the macros.
    ///
    /// # Errors
    /// [`Problem::Order`] for one of the message's own `tags`, [`Problem::Unknown`] for another.
    pub fn finish(&mut self, message: &'static str, tags: &[u32]) -> Result<(), WireError> {
        if self.rest.is_empty() {
            return Ok(());
        }
        let (tag, _) = self.key().map_err(|problem| WireError::from(problem).at(message, ""))?;
        let known = tags.iter().any(|&own| u64::from(own) == tag);
        let problem = if known { Problem::Order(tag) } else { Problem::Unknown(tag) };
        Err(WireError::from(problem).at(message, ""))
    }
}

/// Writes a varint in its shortest form.
#[expect(clippy::cast_possible_truncation, reason = "seven bits at a time")]
pub fn put_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Writes the key of a field.
pub fn put_key(tag: u32, wire: WireType, out: &mut Vec<u8>) {
    put_varint(u64::from(tag) << 3 | wire as u64, out);
}

/// Writes key and value, also of a value that would be left out elsewhere.
pub fn put_value<T: Value>(value: &T, tag: u32, out: &mut Vec<u8>) {
    put_key(tag, T::WIRE, out);
    value.write(out);
}

/// Writes a length and what `body` writes.
pub fn put_sized(out: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    body(out);
    let mut prefix = Vec::with_capacity(2);
    put_varint((out.len() - start) as u64, &mut prefix);
    out.splice(start..start, prefix);
}

/// Whether tags can be used as they stand: ascending, in protobuf's range, none that protobuf keeps for itself.
#[must_use]
pub const fn good_tags(tags: &[u32]) -> bool {
    let mut last = 0;
    let mut n = 0;
    while n < tags.len() {
        let tag = tags[n];
        if tag <= last || tag >= 1 << 29 || (tag >= 19_000 && tag <= 19_999) {
            return false;
        }
        last = tag;
        n += 1;
    }
    true
}
