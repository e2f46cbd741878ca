//! The scalars, and what may be made of values: options, lists, sets, boxes.

use super::macros::single_field;
use super::{
    Cursor, Element, Field, Kind, Label, Problem, Schema, Value, WireError, WireType, put_key, put_sized, put_value, put_varint,
};
use crate::domain::ids::{
    AgreementId, BasisId, BookingId, ClaimId, CountyId, DetainerId, FacilityId, HoldId, ProposalId, RateId, RevisionId, SubjectId,
};
use crate::domain::money::Cents;
use crate::domain::time::{Date, Instant, Zone, date_of_number, day_number};
use std::collections::BTreeSet;
use std::sync::Arc;

impl Cursor<'_> {
    /// Reads a field that holds a single value: refused if it is written although it should have been left out, or
    /// left out although it must be written. For the macros.
    ///
    /// # Errors
    /// Names what was wrong.
    pub fn single<T: Value>(&mut self, tag: u32) -> Result<T, WireError> {
        if !self.take(tag, T::WIRE)? {
            return T::absent().ok_or_else(|| Problem::Missing.into());
        }
        let value = T::read(self)?;
        if value.is_absent() { Err(Problem::Default.into()) } else { Ok(value) }
    }
}

/// Small numbers and the like become negative or positive varints with the sign in the last bit.
fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

/// A scalar written as a varint: proto type, the value left out, to and from the number.
macro_rules! varint_value {
    ($($name:ty, $proto:literal, $absent:expr, $to:expr, $from:expr;)+) => {$(
        impl Value for $name {
            const WIRE: WireType = WireType::Varint;

            fn kind() -> Kind {
                Kind::Scalar($proto)
            }

            fn write(&self, out: &mut Vec<u8>) {
                let to: fn(&Self) -> u64 = $to;
                put_varint(to(self), out);
            }

            fn read(cursor: &mut Cursor<'_>) -> Result<Self, WireError> {
                let from: fn(u64) -> Option<Self> = $from;
                from(cursor.varint()?).ok_or_else(|| Problem::Range.into())
            }

            fn absent() -> Option<Self> {
                Some($absent)
            }

            fn is_absent(&self) -> bool {
                *self == $absent
            }
        }
    )+};
}

varint_value! {
    bool, "bool", false, |b| u64::from(*b), |n| match n { 0 => Some(false), 1 => Some(true), _ => None };
    u8, "uint32", 0, |n| u64::from(*n), |n| n.try_into().ok();
    u16, "uint32", 0, |n| u64::from(*n), |n| n.try_into().ok();
    u32, "uint32", 0, |n| u64::from(*n), |n| n.try_into().ok();
    u64, "uint64", 0, |n| *n, Some;
    i32, "sint32", 0, |n| zigzag(i64::from(*n)), |n| unzigzag(n).try_into().ok();
    i64, "sint64", 0, |n| zigzag(*n), |n| Some(unzigzag(n));
    Cents, "sint64", Cents::ZERO, |cents| zigzag(cents.get()), |n| Some(Cents::new(unzigzag(n)));
    Date, "sint32", Date::default(), |day| zigzag(i64::from(day_number(*day))),
        |n| unzigzag(n).try_into().ok().and_then(date_of_number);
}

single_field!(bool);
single_field!(@field u8);
single_field!(u16);
single_field!(u32);
single_field!(u64);
single_field!(i32);
single_field!(i64);
single_field!(Cents);
single_field!(Date);
single_field!(Instant);
single_field!(String);
single_field!(Arc<str>);
single_field!(@field Vec<u8>);
single_field!([u8; 32]);
single_field!(Zone);

impl Element for Vec<u8> {}

/// Microseconds of UTC since 1970.
impl Value for Instant {
    const WIRE: WireType = WireType::Fixed64;

    fn kind() -> Kind {
        Kind::Scalar("sfixed64")
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.micros().to_le_bytes());
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<Self, WireError> {
        let micros = i64::from_le_bytes(cursor.fixed64()?);
        let at = Self::from_micros(micros);
        if at.micros() == micros { Ok(at) } else { Err(Problem::Range.into()) }
    }

    fn absent() -> Option<Self> {
        Some(Self::from_micros(0))
    }

    fn is_absent(&self) -> bool {
        self.micros() == 0
    }
}

/// Takes a length and as many bytes of UTF-8.
fn read_text<'a>(cursor: &mut Cursor<'a>) -> Result<&'a str, Problem> {
    std::str::from_utf8(cursor.bytes()?).map_err(|_| Problem::Utf8)
}

fn write_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    put_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

/// A scalar written as a length and bytes, left out when empty.
macro_rules! sized_value {
    ($($name:ty, $proto:literal, $bytes:ident, $read:expr;)+) => {$(
        impl Value for $name {
            const WIRE: WireType = WireType::Bytes;

            fn kind() -> Kind {
                Kind::Scalar($proto)
            }

            fn write(&self, out: &mut Vec<u8>) {
                write_bytes(self.$bytes(), out);
            }

            fn read(cursor: &mut Cursor<'_>) -> Result<Self, WireError> {
                $read(cursor).map(Self::from).map_err(WireError::from)
            }

            fn absent() -> Option<Self> {
                Some(Self::default())
            }

            fn is_absent(&self) -> bool {
                self.is_empty()
            }
        }
    )+};
}

sized_value! {
    String, "string", as_bytes, read_text;
    Arc<str>, "string", as_bytes, read_text;
    Vec<u8>, "bytes", as_slice, Cursor::bytes;
}

/// A hash; always written.
impl Value for [u8; 32] {
    const WIRE: WireType = WireType::Bytes;

    fn kind() -> Kind {
        Kind::Scalar("bytes")
    }

    fn write(&self, out: &mut Vec<u8>) {
        write_bytes(self, out);
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<Self, WireError> {
        cursor.bytes()?.try_into().map_err(|_| Problem::Range.into())
    }
}

/// A zone's IANA name; always written.
impl Value for Zone {
    const WIRE: WireType = WireType::Bytes;

    fn kind() -> Kind {
        Kind::Scalar("string")
    }

    fn write(&self, out: &mut Vec<u8>) {
        write_bytes(self.name().as_bytes(), out);
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<Self, WireError> {
        let name = read_text(cursor)?;
        let zone = name.parse().ok().filter(|zone: &Self| zone.name() == name);
        zone.ok_or_else(|| Problem::Range.into())
    }
}

/// Ids: always written; any word that is not empty is taken, because it was checked when it was first recorded.
macro_rules! id_value {
    ($($name:ident),+ $(,)?) => {$(
        impl Value for $name {
            const WIRE: WireType = WireType::Bytes;

            fn kind() -> Kind {
                Kind::Scalar("string")
            }

            fn write(&self, out: &mut Vec<u8>) {
                write_bytes(self.as_str().as_bytes(), out);
            }

            fn read(cursor: &mut Cursor<'_>) -> Result<Self, WireError> {
                match read_text(cursor)? {
                    "" => Err(Problem::Default.into()),
                    word => Ok(Self::trusted(word)),
                }
            }
        }
        single_field!($name);
    )+};
}

id_value! {
    AgreementId, BasisId, BookingId, ClaimId, CountyId, DetainerId, FacilityId, HoldId, ProposalId, RateId, RevisionId, SubjectId,
}

/// `optional` in the schema: absent is `None`, present is `Some`, also of a zero or empty value.
impl<T: Value> Field for Option<T> {
    fn shape() -> (Label, Kind) {
        (Label::Optional, T::kind())
    }

    fn put(&self, tag: u32, out: &mut Vec<u8>) {
        if let Some(value) = self {
            put_value(value, tag, out);
        }
    }

    fn get(cursor: &mut Cursor<'_>, tag: u32) -> Result<Self, WireError> {
        if cursor.take(tag, T::WIRE)? { T::read(cursor).map(Some) } else { Ok(None) }
    }
}

/// `repeated` in the schema; numbers lie packed in one value.
impl<T: Element> Field for Vec<T> {
    fn shape() -> (Label, Kind) {
        (Label::Repeated, T::kind())
    }

    fn put(&self, tag: u32, out: &mut Vec<u8>) {
        put_list::<T, _>(self.iter(), Value::write, tag, out);
    }

    fn get(cursor: &mut Cursor<'_>, tag: u32) -> Result<Self, WireError> {
        let mut list = Self::new();
        read_list(cursor, tag, |value, _| {
            list.push(value);
            Ok(())
        })?;
        Ok(list)
    }
}

/// Where only one value may stand, in an `Option` or as a case's payload, a list is a message of its own.
impl<T: Element> Value for Vec<T> {
    const WIRE: WireType = WireType::Bytes;

    fn kind() -> Kind {
        Kind::Named(Schema::list::<T>)
    }

    fn write(&self, out: &mut Vec<u8>) {
        put_sized(out, |out| self.put(1, out));
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<Self, WireError> {
        cursor.nested("List", |cursor| {
            let items = cursor.field(1, "List", "items")?;
            cursor.finish("List", &[1])?;
            Ok(items)
        })
    }
}

/// `repeated` in the schema, in the order of the elements' bytes: how the program orders them is its own affair.
impl<T: Element + Ord> Field for BTreeSet<T> {
    fn shape() -> (Label, Kind) {
        (Label::Repeated, T::kind())
    }

    fn put(&self, tag: u32, out: &mut Vec<u8>) {
        let encode = |value: &T| {
            let mut one = Vec::new();
            value.write(&mut one);
            one
        };
        let ordered: BTreeSet<Vec<u8>> = self.iter().map(encode).collect();
        put_list::<T, _>(ordered.iter(), |one, out| out.extend_from_slice(one), tag, out);
    }

    fn get(cursor: &mut Cursor<'_>, tag: u32) -> Result<Self, WireError> {
        let mut set = Self::new();
        let mut last: Option<&[u8]> = None;
        read_list(cursor, tag, |value, bytes| {
            if last.replace(bytes).is_some_and(|before| before >= bytes) || !set.insert(value) {
                return Err(Problem::Set);
            }
            Ok(())
        })?;
        Ok(set)
    }
}

/// Writes a list of elements: numbers in one packed value, others under a key each.
fn put_list<'a, T: Element, I: 'a>(
    list: impl ExactSizeIterator<Item = &'a I>,
    write: impl Fn(&I, &mut Vec<u8>),
    tag: u32,
    out: &mut Vec<u8>,
) {
    if T::WIRE == WireType::Bytes {
        for one in list {
            put_key(tag, WireType::Bytes, out);
            write(one, out);
        }
    } else if list.len() > 0 {
        put_key(tag, WireType::Bytes, out);
        put_sized(out, |out| list.for_each(|one| write(one, out)));
    }
}

/// Reads a list, and gives each element with its bytes to `each`.
fn read_list<'a, T: Element>(
    cursor: &mut Cursor<'a>,
    tag: u32,
    mut each: impl FnMut(T, &'a [u8]) -> Result<(), Problem>,
) -> Result<(), WireError> {
    let mut one = |cursor: &mut Cursor<'a>| -> Result<(), WireError> {
        let before = cursor.rest;
        let value = T::read(cursor)?;
        Ok(each(value, &before[..before.len() - cursor.rest.len()])?)
    };
    if T::WIRE == WireType::Bytes {
        while cursor.take(tag, WireType::Bytes)? {
            one(cursor)?;
        }
    } else if cursor.take(tag, WireType::Bytes)? {
        let mut packed = cursor.packed()?;
        if packed.is_empty() {
            return Err(Problem::Default.into());
        }
        while !packed.is_empty() {
            one(&mut packed)?;
        }
    }
    Ok(())
}

/// Boxes and shared values look like what they hold.
macro_rules! holder {
    ($($holder:ident),+) => {$(
        impl<T: Value> Value for $holder<T> {
            const WIRE: WireType = T::WIRE;

            fn kind() -> Kind {
                T::kind()
            }

            fn write(&self, out: &mut Vec<u8>) {
                T::write(self, out);
            }

            fn read(cursor: &mut Cursor<'_>) -> Result<Self, WireError> {
                T::read(cursor).map(Self::new)
            }

            fn absent() -> Option<Self> {
                T::absent().map(Self::new)
            }

            fn is_absent(&self) -> bool {
                T::is_absent(self)
            }
        }

        impl<T: Element> Element for $holder<T> {}

        impl<T: Field> Field for $holder<T> {
            fn shape() -> (Label, Kind) {
                T::shape()
            }

            fn put(&self, tag: u32, out: &mut Vec<u8>) {
                T::put(self, tag, out);
            }

            fn get(cursor: &mut Cursor<'_>, tag: u32) -> Result<Self, WireError> {
                T::get(cursor, tag).map(Self::new)
            }
        }
    )+};
}

holder!(Box, Arc);
