//! Words of the contract and values of the domain, both ways: one file for each of the contract's own files.
//!
//! Reading gathers bad fields in [`super::time::Fields`] and answers nothing where one is bad; writing cannot
//! fail. Nothing here looks anything up, and no rule of the field lives here.

pub mod booking;
pub mod correction;
pub mod custody;
pub mod decision;
pub mod detainer;
pub mod duty;
pub mod facts;
pub mod form;
pub mod hold;
pub mod overriding;
pub mod policy;

use super::time::Fields;
use crate::domain::facts::Tri;
use crate::pb;

/// Enumerations of the contract with the cases of the domain that they stand for: `name` reads one that must be stated,
/// `wire_name` writes it.
macro_rules! words {
    ($($(#[$doc:meta])* $read:ident, $write:ident: $wire:ident <=> $case:ty { $($word:ident = $pattern:path),+ $(,)? })+) => {$(
        $(#[$doc])*
        pub fn $read(fields: &mut $crate::api::time::Fields, field: &str, number: i32) -> Option<$case> {
            match $crate::pb::$wire::try_from(number) {
                $(Ok($crate::pb::$wire::$word) => Some($pattern),)+
                _ => {
                    fields.bad(field, $crate::api::convert::one_of(&[$($crate::pb::$wire::$word.as_str_name()),+]));
                    None
                }
            }
        }

        /// Its word on the wire.
        #[must_use]
        pub fn $write(case: $case) -> $crate::pb::$wire {
            match case {
                $($pattern => $crate::pb::$wire::$word,)+
            }
        }
    )+};
}
pub(super) use words;

/// Whether an answer is to show who a person is.
pub fn shows_identity(fields: &mut Fields, field: &str, view: i32) -> bool {
    match pb::View::try_from(view) {
        Ok(view) => view == pb::View::Identity,
        Err(_) => {
            fields.bad(field, one_of(&[pb::View::Basic.as_str_name(), pb::View::Identity.as_str_name()]));
            false
        }
    }
}

/// What an enumeration must be, in words.
#[must_use]
pub fn one_of(words: &[&str]) -> String {
    format!("must be one of {}", words.join(", "))
}

words! {
    /// No, unknown or yes; it must be stated.
    tri, wire_tri: TriState <=> Tri { Unknown = Tri::Unknown, No = Tri::No, Yes = Tri::Yes }
}

/// No, unknown or yes; not stated is unknown.
pub fn optional_tri(fields: &mut Fields, field: &str, number: i32) -> Tri {
    if number == pb::TriState::Unspecified as i32 { Tri::Unknown } else { tri(fields, field, number).unwrap_or(Tri::Unknown) }
}
