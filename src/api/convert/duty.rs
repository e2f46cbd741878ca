//! `detainer.proto`, duties: what is owed because of a request, and how it was carried out.
//!
//! A duty's id is its kind, and for one that is owed again when its date moves, the instant it is due at: so a name never
//! stands for two duties.

use super::super::names::{BadName, of};
use super::super::time::{stamp, wire_source};
use super::words;
use crate::domain::booking::Booking;
use crate::domain::detainer::{Duty, DutyKind, NoticeMethod};
use crate::domain::ids::{BookingId, CountyId, DetainerId, FacilityId};
use crate::domain::time::Instant;
use crate::pb;

words! {
    /// What is owed; it must be stated.
    duty_kind, wire_duty_kind: DutyKind <=> DutyKind {
        Acknowledge = DutyKind::Acknowledge,
        NoticeOfRelease = DutyKind::NotifyRelease,
        NoticeOfDeath = DutyKind::NotifyDeath,
        NoticeOfHospitalization = DutyKind::NotifyHospital,
        NoticeOfTransfer = DutyKind::NotifyTransfer,
        RelayForm = DutyKind::RelayForm,
        CopyToSubject = DutyKind::CopyToSubject,
        DecisionToSubject = DutyKind::DecisionToSubject,
        ReleaseDateToSubject = DutyKind::ReleaseDateToSubject,
        CitizenshipInquiry = DutyKind::CitizenshipClaim,
    }
    /// How a notice was given; it must be stated.
    notice_method, wire_notice_method: NoticeMethod <=> NoticeMethod {
        Email = NoticeMethod::Email,
        Fax = NoticeMethod::Fax,
        Telephone = NoticeMethod::Telephone,
        InPerson = NoticeMethod::InPerson,
        System = NoticeMethod::System,
        Letter = NoticeMethod::Letter,
    }
}

/// Which duty of a request: its kind, and when it is due where that is part of its name.
pub type DutyKey = (DutyKind, Option<Instant>);

const KINDS: [(DutyKind, &str); 10] = [
    (DutyKind::Acknowledge, "acknowledge"),
    (DutyKind::NotifyRelease, "notice-of-release"),
    (DutyKind::NotifyDeath, "notice-of-death"),
    (DutyKind::NotifyHospital, "notice-of-hospitalization"),
    (DutyKind::NotifyTransfer, "notice-of-transfer"),
    (DutyKind::RelayForm, "relay-form"),
    (DutyKind::CopyToSubject, "copy-to-subject"),
    (DutyKind::DecisionToSubject, "decision-to-subject"),
    (DutyKind::ReleaseDateToSubject, "release-date-to-subject"),
    (DutyKind::CitizenshipClaim, "citizenship-inquiry"),
];

/// The last part of a duty's name.
#[must_use]
pub fn duty_id(duty: &Duty) -> String {
    let word = KINDS.iter().find(|(kind, _)| *kind == duty.kind).map_or("", |(_, word)| word);
    if duty.kind.moves() { format!("{word}.{}", duty.due.micros()) } else { word.to_owned() }
}

/// Reads `counties/{county}/bookings/{booking}/detainers/{detainer}/duties/{duty}`.
///
/// # Errors
/// [`BadName`].
pub fn duty(name: &str) -> Result<(CountyId, BookingId, DetainerId, DutyKey), BadName> {
    const FORM: &str = "counties/{county}/bookings/{booking}/detainers/{detainer}/duties/{duty}";
    let (parent, id) = name.rsplit_once("/duties/").ok_or(BadName::Shape(FORM))?;
    let (county, booking, detainer) = super::super::names::detainer(parent).map_err(|_| BadName::Shape(FORM))?;
    let (word, due) = id.split_once('.').map_or((id, None), |(word, due)| (word, Some(due)));
    let (kind, _) = KINDS.iter().find(|(_, known)| *known == word).ok_or(BadName::Shape(FORM))?;
    let due = match due {
        None if !kind.moves() => None,
        Some(due) if kind.moves() => Some(Instant::from_micros(due.parse().map_err(|_| BadName::Shape(FORM))?)),
        _ => return Err(BadName::Shape(FORM)),
    };
    Ok((county, booking, detainer, (*kind, due)))
}

/// A duty as an answer shows it; `facility` is where the person is or was last.
#[must_use]
pub fn wire_duty(
    county: &CountyId,
    booking: &BookingId,
    detainer: &DetainerId,
    facility: Option<&FacilityId>,
    duty: &Duty,
) -> pb::Duty {
    let detainer = of::detainer(county, booking, detainer);
    let done = duty.done.as_ref();
    pb::Duty {
        name: format!("{detainer}/duties/{}", duty_id(duty)),
        kind: wire_duty_kind(duty.kind).into(),
        detainer,
        due_time: Some(stamp(duty.due)),
        done_time: done.map(|done| stamp(done.at.effective)),
        method: done.and_then(|done| done.method).map_or(0, |method| wire_notice_method(method).into()),
        done_source: done.map(|done| wire_source(&done.source)),
        facility: facility.map(|facility| of::facility(county, facility)).unwrap_or_default(),
    }
}

/// The duty of a booking's request that a name means.
#[must_use]
pub fn find<'a>(booking: &'a Booking, detainer: &DetainerId, (kind, due): DutyKey) -> Option<&'a Duty> {
    let duties = &booking.detainer(detainer)?.duties;
    duties.iter().find(|duty| duty.kind == kind && due.is_none_or(|due| duty.due == due))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::numbered::Numbered as _;

    #[test]
    fn every_duty_has_a_name_that_means_it_again() {
        for kind in DutyKind::ALL {
            let owed = Duty { kind: *kind, due: Instant::from_micros(-17), done: None };
            let shown = wire_duty(&CountyId::trusted("c"), &BookingId::trusted("b"), &DetainerId::trusted("d"), None, &owed);
            let (.., (read, due)) = duty(&shown.name).unwrap();
            assert_eq!(read, *kind);
            assert_eq!(due, kind.moves().then_some(owed.due));
        }
        for bad in ["relay-form.1", "notice-of-release", "notice-of-release.x", "other", ""] {
            assert!(duty(&format!("counties/c/bookings/b/detainers/d/duties/{bad}")).is_err(), "{bad}");
        }
    }
}
