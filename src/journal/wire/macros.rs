//! The three declarations that give a type its wire form.

/// Gives structs a wire form: `message! { Span { 1: start, 2: end } }`, with doc comments where wanted.
/// A field that is not listed does not compile, nor do tags out of order.
macro_rules! message {
    ($($(#[doc = $doc:literal])* $name:ident { $($(#[doc = $field_doc:literal])* $tag:literal : $field:ident),* $(,)? })+) => {$(
        impl $crate::journal::wire::Message for $name {
            const NAME: &'static str = stringify!($name);

            fn schema() -> $crate::journal::wire::Schema {
                $crate::journal::wire::Schema::message(Self::NAME, &[$($doc),*], vec![
                    $($crate::journal::wire::field_schema(
                        $tag, stringify!($field), &[$($field_doc),*], |whole: &Self| &whole.$field
                    )),*
                ])
            }

            #[allow(unused_variables, reason = "an empty message writes nothing")]
            fn write_body(&self, out: &mut Vec<u8>) {
                const { assert!($crate::journal::wire::good_tags(&[$($tag),*]), "tags must ascend from 1") };
                let Self { $($field),* } = self;
                $($crate::journal::wire::Field::put($field, $tag, out);)*
            }

            fn read_body(cursor: &mut $crate::journal::wire::Cursor<'_>) -> Result<Self, $crate::journal::wire::WireError> {
                $(let $field = cursor.field($tag, Self::NAME, stringify!($field))?;)*
                cursor.finish(Self::NAME, &[$($tag),*])?;
                Ok(Self { $($field),* })
            }
        }
        $crate::journal::wire::macros::message_value!($name);
    )+};
}

/// Gives enums without payloads a wire form: `enumeration! { Outcome { 1: Honor, 2: Decline } }`.
/// A case that is not listed does not compile; 0 is never written and refused on reading. The same numbers stand for
/// the cases in tables: [`Numbered`](crate::domain::numbered::Numbered).
macro_rules! enumeration {
    ($($(#[doc = $doc:literal])* $name:ident { $($(#[doc = $case_doc:literal])* $number:literal : $case:ident),+ $(,)? })+) => {$(
        impl $crate::journal::wire::Value for $name {
            const WIRE: $crate::journal::wire::WireType = $crate::journal::wire::WireType::Varint;

            fn kind() -> $crate::journal::wire::Kind {
                fn schema() -> $crate::journal::wire::Schema {
                    $crate::journal::wire::Schema::enumeration(stringify!($name), &[$($doc),*], &[
                        $($crate::journal::wire::Case { number: $number, name: stringify!($case), doc: &[$($case_doc),*] }),+
                    ])
                }
                $crate::journal::wire::Kind::Named(schema)
            }

            fn write(&self, out: &mut Vec<u8>) {
                const { assert!($crate::journal::wire::good_tags(&[$($number),+]), "numbers must ascend from 1") };
                $crate::journal::wire::put_varint(match self { $(Self::$case => $number),+ }, out);
            }

            fn read(cursor: &mut $crate::journal::wire::Cursor<'_>) -> Result<Self, $crate::journal::wire::WireError> {
                match cursor.varint()? {
                    $($number => Ok(Self::$case),)+
                    other => Err($crate::journal::wire::Problem::Case(other).into()),
                }
            }
        }

        impl $crate::domain::numbered::Numbered for $name {
            const ALL: &'static [Self] = &[$(Self::$case),+];

            fn number(&self) -> i64 {
                match self { $(Self::$case => $number),+ }
            }

            fn from_number(number: i64) -> Option<Self> {
                match number { $($number => Some(Self::$case),)+ _ => None }
            }
        }
        $crate::journal::wire::macros::single_field!($name);
    )+};
}

/// Gives enums with payloads a wire form: `oneof! { Event { 1: BookingCreated, 2: Idle(), 3: Moved { 1: to } } }`. A
/// case carries one payload that is a value or a list, or none, marked by `()`, or fields of its own. On the wire a
/// message with exactly one field set.
macro_rules! oneof {
    ($($(#[doc = $doc:literal])* $name:ident { $($body:tt)* })+) => {$(
        $crate::journal::wire::macros::oneof_cases!(out cursor $name [$($doc)*] [] $($body)*);
        $crate::journal::wire::macros::message_value!($name);
    )+};
}

/// Sorts the cases of a `oneof!` into `[doc] tag case (pattern) (type) (write) (read)`, then writes the implementation.
macro_rules! oneof_cases {
    // No payload.
    ($out:ident $cursor:ident $name:ident $doc:tt [$($done:tt)*]
        $(#[doc = $case_doc:literal])* $tag:literal : $case:ident () $(, $($rest:tt)*)?) => {
        $crate::journal::wire::macros::oneof_cases!($out $cursor $name $doc [$($done)* {
            [$($case_doc)*] $tag $case ({})
            (<$crate::journal::wire::Empty as $crate::journal::wire::Value>::kind())
            ($crate::journal::wire::put_value(&$crate::journal::wire::Empty, $tag, $out))
            ($cursor.case(stringify!($name), stringify!($case), |_: $crate::journal::wire::Empty| Self::$case {}))
        }] $($($rest)*)?);
    };
    // Fields of its own: a message named after the enum and the case.
    ($out:ident $cursor:ident $name:ident $doc:tt [$($done:tt)*]
        $(#[doc = $case_doc:literal])* $tag:literal : $case:ident {
            $($(#[doc = $field_doc:literal])* $field_tag:literal : $field:ident),+ $(,)?
        } $(, $($rest:tt)*)?) => {
        $crate::journal::wire::macros::oneof_cases!($out $cursor $name $doc [$($done)* {
            [$($case_doc)*] $tag $case ({ $($field),+ })
            ({
                fn schema() -> $crate::journal::wire::Schema {
                    $crate::journal::wire::Schema::message(concat!(stringify!($name), stringify!($case)), &[$($case_doc),*], vec![
                        $($crate::journal::wire::case_field_schema(
                            $field_tag, stringify!($field), &[$($field_doc),*],
                            #[allow(unreachable_patterns, reason = "the only case of its enum")]
                            |whole: &$name| match whole { $name::$case { $field, .. } => Some($field), _ => None },
                        )),+
                    ])
                }
                $crate::journal::wire::Kind::Named(schema)
            })
            ({
                const { assert!($crate::journal::wire::good_tags(&[$($field_tag),+]), "tags must ascend from 1") };
                $crate::journal::wire::put_key($tag, $crate::journal::wire::WireType::Bytes, $out);
                $crate::journal::wire::put_sized($out, |body| {
                    $($crate::journal::wire::Field::put($field, $field_tag, body);)+
                });
            })
            ($cursor.case_fields(concat!(stringify!($name), stringify!($case)), |body| {
                $(let $field = body.field($field_tag, concat!(stringify!($name), stringify!($case)), stringify!($field))?;)+
                body.finish(concat!(stringify!($name), stringify!($case)), &[$($field_tag),+])?;
                Ok(Self::$case { $($field),+ })
            }))
        }] $($($rest)*)?);
    };
    // One payload.
    ($out:ident $cursor:ident $name:ident $doc:tt [$($done:tt)*]
        $(#[doc = $case_doc:literal])* $tag:literal : $case:ident $(, $($rest:tt)*)?) => {
        $crate::journal::wire::macros::oneof_cases!($out $cursor $name $doc [$($done)* {
            [$($case_doc)*] $tag $case ((payload))
            ($crate::journal::wire::kind_of_payload($name::$case))
            ($crate::journal::wire::put_value(payload, $tag, $out))
            ($cursor.case(stringify!($name), stringify!($case), Self::$case))
        }] $($($rest)*)?);
    };
    // All sorted.
    ($out:ident $cursor:ident $name:ident [$($doc:literal)*] [$({
        [$($case_doc:literal)*] $tag:literal $case:ident ($($pattern:tt)*) ($($kind:tt)*) ($($write:tt)*) ($($read:tt)*)
    })+]) => {
        impl $crate::journal::wire::OneOf for $name {
            fn case_name(&self) -> &'static str {
                match self {
                    $(Self::$case { .. } => stringify!($case)),+
                }
            }
        }

        impl $crate::journal::wire::Message for $name {
            const NAME: &'static str = stringify!($name);

            fn schema() -> $crate::journal::wire::Schema {
                $crate::journal::wire::Schema::one_of(Self::NAME, &[$($doc),*], vec![
                    $($crate::journal::wire::case_schema($tag, stringify!($case), &[$($case_doc),*], $($kind)*)),+
                ])
            }

            fn write_body(&self, $out: &mut Vec<u8>) {
                const { assert!($crate::journal::wire::good_tags(&[$($tag),+]), "tags must ascend from 1") };
                match self {
                    $(Self::$case $($pattern)* => $($write)*),+
                }
            }

            fn read_body($cursor: &mut $crate::journal::wire::Cursor<'_>) -> Result<Self, $crate::journal::wire::WireError> {
                let whole = match $cursor.case_tag()? {
                    $($tag => $($read)*?,)+
                    other => return Err($crate::journal::wire::Problem::Case(other).into()),
                };
                $cursor.finish(Self::NAME, &[$($tag),+])?;
                Ok(whole)
            }
        }
    };
}

/// Gives a struct around one value that value's wire form: `transparent! { TextRef([u8; 32]) }`.
macro_rules! transparent {
    ($($name:ident($inner:ty)),+ $(,)?) => {$(
        impl $crate::journal::wire::Value for $name {
            const WIRE: $crate::journal::wire::WireType = <$inner as $crate::journal::wire::Value>::WIRE;

            fn kind() -> $crate::journal::wire::Kind {
                <$inner as $crate::journal::wire::Value>::kind()
            }

            fn write(&self, out: &mut Vec<u8>) {
                let Self(inner) = self;
                $crate::journal::wire::Value::write(inner, out);
            }

            fn read(cursor: &mut $crate::journal::wire::Cursor<'_>) -> Result<Self, $crate::journal::wire::WireError> {
                $crate::journal::wire::Value::read(cursor).map(Self)
            }

            fn absent() -> Option<Self> {
                <$inner as $crate::journal::wire::Value>::absent().map(Self)
            }

            fn is_absent(&self) -> bool {
                $crate::journal::wire::Value::is_absent(&self.0)
            }
        }
        $crate::journal::wire::macros::single_field!($name);
    )+};
}

/// A message as a value: a length and its body; always written, never assumed.
macro_rules! message_value {
    ($name:ident) => {
        impl $crate::journal::wire::Value for $name {
            const WIRE: $crate::journal::wire::WireType = $crate::journal::wire::WireType::Bytes;

            fn kind() -> $crate::journal::wire::Kind {
                $crate::journal::wire::Kind::Named(<Self as $crate::journal::wire::Message>::schema)
            }

            fn write(&self, out: &mut Vec<u8>) {
                $crate::journal::wire::put_sized(out, |out| $crate::journal::wire::Message::write_body(self, out));
            }

            fn read(cursor: &mut $crate::journal::wire::Cursor<'_>) -> Result<Self, $crate::journal::wire::WireError> {
                cursor.nested(<Self as $crate::journal::wire::Message>::NAME, <Self as $crate::journal::wire::Message>::read_body)
            }
        }
        $crate::journal::wire::macros::single_field!($name);
    };
}

/// A value as a field of its own, and as an element of lists and sets.
macro_rules! single_field {
    ($name:ty) => {
        $crate::journal::wire::macros::single_field!(@field $name);
        impl $crate::journal::wire::Element for $name {}
    };
    (@field $name:ty) => {
        impl $crate::journal::wire::Field for $name {
            fn shape() -> ($crate::journal::wire::Label, $crate::journal::wire::Kind) {
                ($crate::journal::wire::Label::Single, <Self as $crate::journal::wire::Value>::kind())
            }

            fn put(&self, tag: u32, out: &mut Vec<u8>) {
                if !$crate::journal::wire::Value::is_absent(self) {
                    $crate::journal::wire::put_value(self, tag, out);
                }
            }

            fn get(cursor: &mut $crate::journal::wire::Cursor<'_>, tag: u32) -> Result<Self, $crate::journal::wire::WireError> {
                cursor.single(tag)
            }
        }
    };
}

pub(crate) use {enumeration, message, message_value, oneof, oneof_cases, single_field, transparent};
