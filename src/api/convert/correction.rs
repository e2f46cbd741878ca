//! `correction.proto`: what was recorded wrong, and the second person where one is needed.

use super::super::names::{self, of};
use super::super::time::{Fields, stamp, wire_source};
use super::custody::{basis_kind, close_reason, end_kind, wire_basis_kind, wire_close_reason, wire_end_kind};
use super::facts::{self, About};
use super::form::{service_method, wire_service_method};
use super::overriding::wire_override;
use super::policy::wire_revision;
use crate::domain::booking::{CorrectedFact, Correction, Proposal, ServedHow};
use crate::domain::facts::{Source, Stamp, TextRef};
use crate::domain::ids::{BasisId, BookingId, CountyId};
use crate::domain::time::Instant;
use crate::journal::wire::encode;
use crate::pb;
use pb::correction::Change;
use prost_types::Timestamp;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

/// Reads a correction: the command, but for its sealed texts and the instant of its record.
pub struct Reader<'a, 'f> {
    /// Bad fields.
    pub fields: &'f mut Fields,
    /// The booking it is about.
    pub about: About<'a>,
    /// Where the right value is known from.
    pub source: Option<Source>,
    /// Who gave the copy, in clear, where a service is added or changed: to be sealed.
    pub served_by: String,
}

/// The path of the change of a correction, for example `correction.move`.
#[must_use]
pub fn path(change: &Change) -> &'static str {
    match change {
        Change::BookedTime(_) => "correction.booked_time",
        Change::BasisOpened(_) => "correction.basis_opened",
        Change::BasisClosed(_) => "correction.basis_closed",
        Change::BasisAdded(_) => "correction.basis_added",
        Change::BasisRemoved(_) => "correction.basis_removed",
        Change::End(_) => "correction.end",
        Change::Move(_) => "correction.move",
        Change::ReceivedTime(_) => "correction.received_time",
        Change::Service(_) => "correction.service",
        Change::Lift(_) => "correction.lift",
        Change::Fact(_) => "correction.fact",
    }
}

/// The paths in the request of what the domain calls the fields of a correction.
#[must_use]
pub fn paths(change: &Change) -> Vec<(&'static str, String)> {
    let at = path(change);
    let of = |name: &str| format!("{at}.{name}");
    let mut paths = vec![
        ("old_time", of("old_time")),
        ("new_time", of("new_time")),
        ("old_kind", of("old_kind")),
        ("facility", of("new_facility")),
        ("old_facility", of("old_facility")),
        ("old_fact", of("old_fact")),
        ("name", "name".to_owned()),
    ];
    let mut other = |field: &'static str, path: &str| {
        paths.retain(|(known, _)| *known != field);
        paths.push((field, of(path)));
    };
    match change {
        Change::BasisAdded(_) => {
            other("new_time", "basis.open_time");
            other("closed_time", "close_time");
            other("subject", "basis.basis_id");
        }
        Change::BasisRemoved(_) => other("old_time", "old_open_time"),
        Change::Service(_) => other("new_time", "new_service.served_time"),
        Change::Fact(_) => {
            other("old_time", "old_fact.effective_time");
            other("new_time", "new_fact.effective_time");
        }
        _ => {}
    }
    paths
}

impl Reader<'_, '_> {
    /// Reads it.
    pub fn read(&mut self, told: Option<&pb::Correction>) -> Option<Correction> {
        let Some(change) = told.and_then(|told| told.change.as_ref()) else {
            self.fields.bad("correction", "is required: one of the changes");
            return None;
        };
        let at = path(change);
        match change {
            Change::BookedTime(told) => {
                let times = self.both(at, told.old_time.as_ref(), told.new_time.as_ref());
                self.of(CorrectedFact::BookedTime, "", times)
            }
            Change::BasisOpened(told) => {
                let basis = self.basis(at, &told.basis);
                let times = self.both(at, told.old_time.as_ref(), told.new_time.as_ref());
                self.of(CorrectedFact::BasisOpened, &basis?, times)
            }
            Change::BasisClosed(told) => self.basis_closed(at, told),
            Change::BasisAdded(told) => self.basis_added(at, told),
            Change::BasisRemoved(told) => {
                let basis = self.basis(at, &told.basis);
                let old = self.fields.instant(&format!("{at}.old_open_time"), told.old_open_time.as_ref());
                self.of(CorrectedFact::BasisVoided, &basis?, Some((Some(old?), None)))
            }
            Change::End(told) => self.end(at, told),
            Change::Move(told) => self.moved(at, told),
            Change::ReceivedTime(told) => {
                let detainer = self.detainer(at, &told.detainer);
                let times = self.both(at, told.old_time.as_ref(), told.new_time.as_ref());
                self.of(CorrectedFact::Received, &detainer?, times)
            }
            Change::Service(told) => self.service(at, told),
            Change::Lift(told) => {
                let detainer = self.detainer(at, &told.detainer);
                let old = self.fields.instant(&format!("{at}.old_time"), told.old_time.as_ref());
                let new = self.optional(at, "new_time", told.new_time.as_ref())?;
                self.of(CorrectedFact::Lifted, &detainer?, Some((Some(old?), new)))
            }
            Change::Fact(told) => self.fact(at, told),
        }
    }

    fn of(&self, fact: CorrectedFact, subject: &str, times: Option<(Option<Instant>, Option<Instant>)>) -> Option<Correction> {
        let (old, new) = times?;
        Some(Correction {
            fact,
            subject: subject.into(),
            old,
            new,
            kind: None,
            close_reason: None,
            end_kind: None,
            old_end_kind: None,
            fact_instead: None,
            old_fact: None,
            service: None,
            closed: None,
            facility: None,
            old_facility: None,
            reference: "".into(),
            source: self.source.clone()?,
            reason: TextRef([0; 32]),
            stamp: Stamp { effective: Instant::MIN, recorded: Instant::MIN, known: Instant::MIN, seq: 0 },
        })
    }

    /// Both times, which must be there.
    fn both(&mut self, at: &str, old: Option<&Timestamp>, new: Option<&Timestamp>) -> Option<(Option<Instant>, Option<Instant>)> {
        let old = self.fields.instant(&format!("{at}.old_time"), old);
        let new = self.fields.instant(&format!("{at}.new_time"), new);
        Some((Some(old?), Some(new?)))
    }

    /// A time that may be missing; nothing at all where it is bad.
    #[expect(clippy::option_option, reason = "bad, missing or there")]
    fn optional(&mut self, at: &str, field: &str, time: Option<&Timestamp>) -> Option<Option<Instant>> {
        match time {
            None => Some(None),
            Some(time) => self.fields.instant(&format!("{at}.{field}"), Some(time)).map(Some),
        }
    }

    fn basis(&mut self, at: &str, name: &str) -> Option<String> {
        let field = format!("{at}.basis");
        let (county, booking, basis) = self.fields.name(&field, name, names::basis)?;
        self.within(&field, &county, &booking).then(|| basis.to_string())
    }

    fn detainer(&mut self, at: &str, name: &str) -> Option<String> {
        let field = format!("{at}.detainer");
        let (county, booking, detainer) = self.fields.name(&field, name, names::detainer)?;
        self.within(&field, &county, &booking).then(|| detainer.to_string())
    }

    /// Whether a name is of this booking.
    fn within(&mut self, field: &str, county: &CountyId, booking: &BookingId) -> bool {
        let own = *county == self.about.county.id && booking == self.about.booking;
        if !own {
            self.fields.bad(field, "must be of this booking");
        }
        own
    }

    /// The source of a part of the correction: unset, or the correction's own.
    fn no_other_source(&mut self, field: &str, told: Option<&pb::Source>) {
        let own = self.source.as_ref().map(wire_source);
        if told.is_some() && own.is_some() && told != own.as_ref() {
            self.fields.bad(field, "must be unset or the same as `source`, which stands for it");
        }
    }

    fn basis_closed(&mut self, at: &str, told: &pb::BasisClosedCorrection) -> Option<Correction> {
        let basis = self.basis(at, &told.basis);
        let old = self.optional(at, "old_time", told.old_time.as_ref());
        let new = self.optional(at, "new_time", told.new_time.as_ref());
        let reason = self.with_time(at, "new_reason", new.flatten().is_some(), told.new_reason, close_reason);
        let correction = self.of(CorrectedFact::BasisClosed, &basis?, Some((old?, new?)))?;
        Some(Correction { close_reason: reason?, ..correction })
    }

    /// A word that goes with a time and only with it; nothing at all where it is bad.
    #[expect(clippy::option_option, reason = "bad, missing or there")]
    fn with_time<T>(
        &mut self,
        at: &str,
        field: &str,
        timed: bool,
        number: i32,
        read: fn(&mut Fields, &str, i32) -> Option<T>,
    ) -> Option<Option<T>> {
        let field = format!("{at}.{field}");
        if timed {
            return read(self.fields, &field, number).map(Some);
        }
        if number != 0 {
            self.fields.bad(&field, "goes only with a time");
            return None;
        }
        Some(None)
    }

    fn basis_added(&mut self, at: &str, told: &pb::BasisAddedCorrection) -> Option<Correction> {
        let Some(new) = &told.basis else {
            self.fields.bad(&format!("{at}.basis"), "is required");
            return None;
        };
        let basis = self.fields.optional_id(&format!("{at}.basis.basis_id"), &new.basis_id, BasisId::new);
        let kind = basis_kind(self.fields, &format!("{at}.basis.kind"), new.kind);
        let opened = self.fields.instant(&format!("{at}.basis.open_time"), new.open_time.as_ref());
        self.no_other_source(&format!("{at}.basis.source"), new.source.as_ref());
        let reference = self.fields.text(&format!("{at}.basis.reference"), &new.reference, 200);
        let closed = self.optional(at, "close_time", told.close_time.as_ref());
        let reason = self.with_time(at, "close_reason", closed.flatten().is_some(), told.close_reason, close_reason);
        let basis = basis.as_ref().map_or("", BasisId::as_str);
        let correction = self.of(CorrectedFact::BasisAdded, basis, Some((None, Some(opened?))))?;
        Some(Correction { kind: Some(kind?), closed: closed?, close_reason: reason?, reference, ..correction })
    }

    fn end(&mut self, at: &str, told: &pb::EndCorrection) -> Option<Correction> {
        let old = self.fields.instant(&format!("{at}.old_time"), told.old_time.as_ref());
        let old_kind = end_kind(self.fields, &format!("{at}.old_kind"), told.old_kind);
        let new = self.optional(at, "new_time", told.new_time.as_ref());
        let kind = self.with_time(at, "new_kind", new.flatten().is_some(), told.new_kind, end_kind);
        let correction = self.of(CorrectedFact::Ending, "", Some((Some(old?), new?)))?;
        Some(Correction { old_end_kind: Some(old_kind?), end_kind: kind?, ..correction })
    }

    fn moved(&mut self, at: &str, told: &pb::MoveCorrection) -> Option<Correction> {
        let old = self.optional(at, "old_time", told.old_time.as_ref());
        let new = self.optional(at, "new_time", told.new_time.as_ref());
        if old == Some(None) && new == Some(None) {
            self.fields.bad(&format!("{at}.new_time"), "is required where no move was recorded");
        }
        let mut facility = |field: &str, timed: bool, name: &str| {
            let field = format!("{at}.{field}");
            match (timed, name.is_empty()) {
                (false, true) => Some(None),
                (false, false) => {
                    self.fields.bad(&field, "goes only with a time");
                    None
                }
                (true, _) => {
                    let (county, facility) = self.fields.name(&field, name, names::facility)?;
                    if county != self.about.county.id {
                        self.fields.bad(&field, "must be a facility of this county");
                        return None;
                    }
                    Some(Some(facility))
                }
            }
        };
        let old_facility = facility("old_facility", old.flatten().is_some(), &told.old_facility);
        let new_facility = facility("new_facility", new.flatten().is_some(), &told.new_facility);
        let correction = self.of(CorrectedFact::Arrival, "", Some((old?, new?)))?;
        Some(Correction { old_facility: old_facility?, facility: new_facility?, ..correction })
    }

    fn service(&mut self, at: &str, told: &pb::ServiceCorrection) -> Option<Correction> {
        let detainer = self.detainer(at, &told.detainer);
        let old = self.optional(at, "old_time", told.old_time.as_ref());
        let Some(service) = &told.new_service else {
            if old == Some(None) {
                self.fields.bad(&format!("{at}.new_service"), "is required where no service was recorded");
            }
            return self.of(CorrectedFact::Served, &detainer?, Some((old?, None)));
        };
        let at = &format!("{at}.new_service");
        let new = self.fields.instant(&format!("{at}.served_time"), service.served_time.as_ref());
        let method = service_method(self.fields, &format!("{at}.method"), service.method);
        let language = self.fields.text(&format!("{at}.language"), &service.language, 35);
        self.served_by = self.fields.text(&format!("{at}.served_by"), service.served_by.trim(), 100).to_string();
        self.no_other_source(&format!("{at}.source"), service.source.as_ref());
        let correction = self.of(CorrectedFact::Served, &detainer?, Some((old?, Some(new?))))?;
        Some(Correction { service: Some(ServedHow { method: method?, language, by: None }), ..correction })
    }

    fn fact(&mut self, at: &str, told: &pb::FactCorrection) -> Option<Correction> {
        let number = told.fact_id.parse::<u32>().ok().filter(|n| *n > 0).ok_or("must be the fact_id of a fact of this booking");
        let number = self.fields.take(&format!("{at}.fact_id"), number);
        let old = self.told(&format!("{at}.old_fact"), told.old_fact.as_ref(), &told.fact_id);
        let new = match &told.new_fact {
            None => Some(None),
            Some(fact) => {
                self.no_other_source(&format!("{at}.new_fact.source"), fact.source.as_ref());
                self.told(&format!("{at}.new_fact"), Some(fact), &told.fact_id).map(Some)
            }
        };
        let ((old_time, old_fact), new) = (old?, new?);
        let subject = number?.to_string();
        let times = Some((Some(old_time), new.as_ref().map(|(time, _)| *time)));
        let correction = self.of(CorrectedFact::FactChanged, &subject, times)?;
        Some(Correction { old_fact: Some(old_fact), fact_instead: new.map(|(_, fact)| fact), ..correction })
    }

    /// A fact with its time.
    fn told(&mut self, at: &str, told: Option<&pb::Fact>, id: &str) -> Option<(Instant, crate::domain::facts::Fact)> {
        let Some(told) = told else {
            self.fields.bad(at, "is required");
            return None;
        };
        if !told.fact_id.is_empty() && told.fact_id != id {
            self.fields.bad(&format!("{at}.fact_id"), "must be empty or the same as the correction's");
        }
        let time = self.fields.instant(&format!("{at}.effective_time"), told.effective_time.as_ref());
        let fact = facts::kind(self.fields, at, self.about, told);
        Some((time?, fact?))
    }
}

/// What the second person quotes: SHA-256 over the correction as it was recorded.
#[must_use]
fn content_digest(correction: &Correction) -> [u8; 32] {
    Sha256::digest(encode(correction)).into()
}

/// What the second person quotes of a proposal.
#[must_use]
pub fn proposal_digest(proposal: &Proposal) -> Option<[u8; 32]> {
    let correction = proposal.correction.as_ref().map(content_digest);
    let overriding = || proposal.overriding.as_ref().map(|act| Sha256::digest(encode(act)).into());
    correction.or_else(overriding).or_else(|| proposal.switch.as_ref().map(|rule| Sha256::digest(encode(&**rule)).into()))
}

/// A correction as it was recorded.
#[must_use]
pub fn wire_correction(about: About<'_>, known: &Correction) -> pb::Correction {
    let (county, booking) = (&about.county.id, about.booking);
    let (old_time, new_time) = (known.old.map(stamp), known.new.map(stamp));
    let basis = || of::basis(county, booking, &BasisId::trusted(&known.subject));
    let detainer = || of::detainer(county, booking, &crate::domain::ids::DetainerId::trusted(&known.subject));
    let reason = known.close_reason.map_or(0, |reason| wire_close_reason(reason).into());
    let facility = |facility: Option<&crate::domain::ids::FacilityId>| {
        facility.map(|facility| of::facility(county, facility)).unwrap_or_default()
    };
    let change = match known.fact {
        CorrectedFact::BookedTime => Change::BookedTime(pb::BookedTimeCorrection { old_time, new_time }),
        CorrectedFact::BasisOpened => Change::BasisOpened(pb::BasisOpenedCorrection { basis: basis(), old_time, new_time }),
        CorrectedFact::BasisClosed => {
            Change::BasisClosed(pb::BasisClosedCorrection { basis: basis(), old_time, new_time, new_reason: reason })
        }
        CorrectedFact::BasisAdded => Change::BasisAdded(pb::BasisAddedCorrection {
            basis: Some(pb::NewBasis {
                basis_id: known.subject.to_string(),
                kind: known.kind.map_or(0, |kind| wire_basis_kind(kind).into()),
                open_time: new_time,
                source: None,
                reference: known.reference.to_string(),
            }),
            close_time: known.closed.map(stamp),
            close_reason: reason,
        }),
        CorrectedFact::BasisVoided => {
            Change::BasisRemoved(pb::BasisRemovedCorrection { basis: basis(), old_open_time: old_time })
        }
        CorrectedFact::Ending => Change::End(pb::EndCorrection {
            old_time,
            old_kind: known.old_end_kind.map_or(0, |kind| wire_end_kind(kind).into()),
            new_time,
            new_kind: known.end_kind.map_or(0, |kind| wire_end_kind(kind).into()),
        }),
        CorrectedFact::Arrival => Change::Move(pb::MoveCorrection {
            old_time,
            old_facility: facility(known.old_facility.as_ref()),
            new_time,
            new_facility: facility(known.facility.as_ref()),
        }),
        CorrectedFact::Received => Change::ReceivedTime(pb::ReceivedTimeCorrection { detainer: detainer(), old_time, new_time }),
        CorrectedFact::Served => Change::Service(pb::ServiceCorrection {
            detainer: detainer(),
            old_time,
            new_service: known.service.as_ref().map(|how| pb::Service {
                served_time: new_time,
                method: wire_service_method(how.method).into(),
                language: how.language.to_string(),
                served_by: String::new(),
                source: None,
            }),
        }),
        CorrectedFact::Lifted => Change::Lift(pb::LiftCorrection { detainer: detainer(), old_time, new_time }),
        CorrectedFact::FactChanged => {
            let told = |at: Option<Instant>, fact: Option<&crate::domain::facts::Fact>| {
                at.zip(fact).map(|(at, fact)| facts::wire_told(about.county, booking, fact, at, None))
            };
            Change::Fact(pb::FactCorrection {
                fact_id: known.subject.to_string(),
                old_fact: told(known.old, known.old_fact.as_ref()),
                new_fact: told(known.new, known.fact_instead.as_ref()),
            })
        }
    };
    pb::Correction { change: Some(change) }
}

/// A proposal as it stands at an instant. `reason` is empty unless it was opened for this answer.
#[must_use]
pub fn wire_proposal(about: About<'_>, known: &Proposal, reason: String, at: Instant) -> pb::Proposal {
    let confirmed = known.confirmed.filter(|confirmed| *confirmed <= at);
    let state = match confirmed {
        Some(_) => pb::ProposalState::Confirmed,
        None if at < known.expires => pb::ProposalState::Pending,
        None => pb::ProposalState::Expired,
    };
    let correction = known.correction.as_ref();
    let overriding = known.overriding.as_ref();
    let source = correction.map(|correction| &correction.source).or(overriding.map(|overriding| &overriding.act.source));
    let confirmed_by: Option<&Arc<str>> = known.confirmed_by.as_ref().filter(|_| confirmed.is_some());
    pb::Proposal {
        name: of::proposal(&about.county.id, &known.id),
        booking: source.map(|_| of::booking(&about.county.id, about.booking)).unwrap_or_default(),
        correction: correction.map(|correction| wire_correction(about, correction)),
        source: source.map(wire_source),
        reason,
        content_digest: proposal_digest(known).map(|digest| digest.to_vec()).unwrap_or_default(),
        proposed_by: known.person.to_string(),
        propose_time: Some(stamp(known.proposed)),
        expire_time: Some(stamp(known.expires)),
        state: state.into(),
        confirmed_by: confirmed_by.map(ToString::to_string).unwrap_or_default(),
        confirm_time: confirmed.map(stamp),
        policy_revision: known.switch.as_ref().map(|rule| {
            let activated = known.confirmed.is_some();
            let state = if activated { pb::PolicyRevisionState::Activated } else { pb::PolicyRevisionState::Draft };
            pb::PolicyRevision { state: state.into(), ..wire_revision(about.county, rule) }
        }),
        decision_override: overriding.map(|o| wire_override(&about.county.id, about.booking, &o.detainer, &o.act, false)),
    }
}
