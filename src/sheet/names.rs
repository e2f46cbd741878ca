//! Resource names, put together and taken apart (AIP-122).

/// `counties/{county}`; a full name is left as it is.
#[must_use]
pub fn county(county: &str) -> String {
    child("counties", "", county)
}

/// `{county}/facilities/{facility}`; a full name is left as it is.
#[must_use]
pub fn facility(county: &str, facility: &str) -> String {
    child("facilities", county, facility)
}

/// `{county}/subjects/{subject}`; a full name is left as it is.
#[must_use]
pub fn subject(county: &str, subject: &str) -> String {
    child("subjects", county, subject)
}

/// `{county}/bookings/{booking}`; a full name is left as it is.
#[must_use]
pub fn booking(county: &str, booking: &str) -> String {
    child("bookings", county, booking)
}

/// `{booking}/bases/{basis}`; a full name is left as it is.
#[must_use]
pub fn basis(booking: &str, basis: &str) -> String {
    child("bases", booking, basis)
}

/// `{booking}/detainers/{detainer}`; a full name is left as it is.
#[must_use]
pub fn detainer(booking: &str, detainer: &str) -> String {
    child("detainers", booking, detainer)
}

/// `{county}/agreements/{agreement}`; a full name is left as it is.
#[must_use]
pub fn agreement(county: &str, agreement: &str) -> String {
    child("agreements", county, agreement)
}

/// `{county}/claims/{claim}`; a full name is left as it is.
#[must_use]
pub fn claim(county: &str, claim: &str) -> String {
    child("claims", county, claim)
}

/// `{county}/policyRevisions/{revision}`; a full name is left as it is.
#[must_use]
pub fn revision(county: &str, revision: &str) -> String {
    child("policyRevisions", county, revision)
}

/// The last part of a name: the id itself.
#[must_use]
pub fn id(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// The id that follows a collection's word in a name, or nothing.
#[must_use]
pub fn part<'a>(name: &'a str, collection: &str) -> &'a str {
    let mut parts = name.split('/');
    while let Some(part) = parts.next() {
        if part == collection {
            return parts.next().unwrap_or_default();
        }
    }
    ""
}

/// The booking that a booking's part belongs to: `counties/{county}/bookings/{booking}`.
#[must_use]
pub fn booking_of(name: &str) -> String {
    booking(&county(part(name, "counties")), part(name, "bookings"))
}

fn child(collection: &str, parent: &str, id: &str) -> String {
    if id.starts_with("counties/") {
        return id.to_owned();
    }
    let slash = if parent.is_empty() { "" } else { "/" };
    format!("{parent}{slash}{collection}/{id}")
}

/// What lies under a booking, with the booking: `2024-000123/1` of `counties/c/bookings/2024-000123/holds/1`.
#[must_use]
pub fn under_booking(name: &str) -> String {
    format!("{}/{}", part(name, "bookings"), id(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_put_together_once_and_taken_apart_again() {
        let home = county("x");
        assert_eq!(home, "counties/x");
        assert_eq!(county(&home), home);
        let stay = booking(&home, "B-1");
        let paper = detainer(&stay, "1");
        assert_eq!(paper, "counties/x/bookings/B-1/detainers/1");
        assert_eq!(detainer(&stay, &paper), paper);
        assert_eq!(booking_of(&paper), stay);
        assert_eq!((id(&paper), part(&paper, "bookings"), part(&paper, "holds")), ("1", "B-1", ""));
    }
}
