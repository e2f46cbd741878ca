//! The numbers of cases, as journals and tables hold them.
//!
//! Only the shape is named here; `journal::records` gives each enumeration its numbers, once for both. A number once
//! released never stands for another case.

/// An enumeration without payloads whose cases have numbers that never change.
pub trait Numbered: Sized + 'static {
    /// Every case, in the order of the numbers.
    const ALL: &'static [Self];

    /// The case's number, from 1.
    fn number(&self) -> i64;

    /// The case of a number, if it has one.
    fn from_number(number: i64) -> Option<Self>;
}
