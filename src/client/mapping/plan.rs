//! A mapping bound to the header of one file: every column found, every constant word understood, before the first row.

use super::MappingError;
use super::format::{Bases, BasisRules, DetainerRules, LiftRules, Mapping, Moment, ReleaseRules, ServiceRules, Value};
use super::rows::Record;
use super::value::{Bound, BoundCondition, Columns, Tables};
use crate::pb;
use crate::sheet::time::RepeatedHour;
use crate::sheet::words::{self, Word};

/// A mapping bound to a file.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(super) source_name: String,
    pub(super) row_id: Bound,
    pub(super) group_by: Option<Bound>,
    pub(super) times: BoundTimes,
    pub(super) reject: Vec<(BoundCondition, String)>,
    pub(super) facility: BoundFacility,
    pub(super) booking: BoundBooking,
    pub(super) basis: Vec<BoundBasis>,
    pub(super) detainer: Vec<BoundDetainer>,
    pub(super) release: Option<BoundRelease>,
}

#[derive(Clone, Debug)]
pub(super) struct BoundTimes {
    pub(super) zone: Bound,
    /// Formats, and whether each has an hour.
    pub(super) formats: Vec<(String, bool)>,
    pub(super) repeated_hour: RepeatedHour,
}

#[derive(Clone, Debug)]
pub(super) struct BoundMoment {
    pub(super) value: Bound,
    pub(super) not_after: Option<Bound>,
}

#[derive(Clone, Debug)]
pub(super) struct BoundFacility {
    pub(super) id: Bound,
    pub(super) name: Bound,
    pub(super) city: Option<Bound>,
    pub(super) zone: Option<Bound>,
    pub(super) create: bool,
}

#[derive(Clone, Debug)]
pub(super) struct BoundBooking {
    pub(super) id: Bound,
    pub(super) booked: BoundMoment,
    pub(super) bases: Bases,
    pub(super) age_years: Option<Bound>,
    pub(super) note: String,
}

#[derive(Clone, Debug)]
pub(super) struct BoundBasis {
    pub(super) when: Option<BoundCondition>,
    pub(super) id: Bound,
    pub(super) kind: Bound,
    pub(super) open: BoundMoment,
    pub(super) close: Option<BoundMoment>,
    pub(super) close_reason: Option<Bound>,
    pub(super) close_text: Option<Bound>,
    pub(super) reference: Option<Bound>,
    pub(super) note: String,
}

#[derive(Clone, Debug)]
pub(super) struct BoundDetainer {
    pub(super) when: Option<BoundCondition>,
    pub(super) id: Bound,
    pub(super) received: BoundMoment,
    pub(super) edition: Bound,
    pub(super) hold_requested: Bound,
    pub(super) notify_requested: Bound,
    pub(super) dhs_lent_return: Option<Bound>,
    pub(super) signed: Option<Bound>,
    pub(super) form_date: Option<Bound>,
    pub(super) event_number: Option<Bound>,
    pub(super) officer: Option<Bound>,
    pub(super) office_code: Bound,
    pub(super) office_name: Bound,
    pub(super) office_component: Bound,
    pub(super) service: Option<BoundService>,
    pub(super) lift: Option<BoundLift>,
    pub(super) note: String,
}

#[derive(Clone, Debug)]
pub(super) struct BoundService {
    pub(super) served: BoundMoment,
    pub(super) method: Bound,
    pub(super) language: Option<Bound>,
    pub(super) served_by: Option<Bound>,
    pub(super) note: String,
}

#[derive(Clone, Debug)]
pub(super) struct BoundLift {
    pub(super) when: Option<BoundCondition>,
    pub(super) at: BoundMoment,
    pub(super) reason: Bound,
    pub(super) only_before_release: bool,
    pub(super) note: String,
}

#[derive(Clone, Debug)]
pub(super) struct BoundRelease {
    pub(super) when: Option<BoundCondition>,
    pub(super) at: BoundMoment,
    pub(super) kind: Bound,
    pub(super) receiving_agency: Option<Bound>,
    pub(super) note: String,
}

impl Plan {
    /// Binds a mapping to a file's header.
    ///
    /// # Errors
    /// [`MappingError`] with the field whose column is missing or whose word the contract does not know; give it the
    /// mapping's text with [`MappingError::located`] to name the line too.
    pub fn bind(mapping: &Mapping, header: &csv::StringRecord) -> Result<Self, MappingError> {
        let columns = Columns::of(header);
        let binder = Binder { columns: &columns, tables: &mapping.tables };
        let file = &mapping.file;
        let time = &mapping.time;
        let reject = mapping.reject.iter().enumerate().map(|(n, rule)| {
            let condition = BoundCondition::bind(&rule.when, &columns, &format!("reject[{n}].when"))?;
            Ok((condition, rule.reason.clone()))
        });
        Ok(Self {
            source_name: mapping.source_name.clone(),
            row_id: binder.value(&file.row_id, "file.row_id")?,
            group_by: binder.optional(file.group_by.as_ref(), "file.group_by")?,
            times: BoundTimes {
                zone: binder.zone(&time.zone, "time.zone")?,
                formats: time.formats.iter().map(|format| (format.clone(), has_hour(format))).collect(),
                repeated_hour: time.repeated_hour,
            },
            reject: reject.collect::<Result<_, MappingError>>()?,
            facility: binder.facility(mapping)?,
            booking: binder.booking(mapping)?,
            basis: binder.each("basis", &mapping.basis, Binder::basis)?,
            detainer: binder.each("detainer", &mapping.detainer, Binder::detainer)?,
            release: mapping.release.as_ref().map(|release| binder.release(release)).transpose()?,
        })
    }

    /// By what adjacent records belong together; nothing where each is a row of its own.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn group<'a>(&'a self, record: &'a Record) -> Result<Option<std::borrow::Cow<'a, str>>, String> {
        self.group_by.as_ref().map(|by| by.get(record)).transpose()
    }
}

/// Whether a format reads an hour: `%H`, `%I`, `%T` or `%R` and their like.
fn has_hour(format: &str) -> bool {
    ["%H", "%k", "%I", "%l", "%T", "%R", "%r", "%X", "%c", "%s", "%+"].iter().any(|hour| format.contains(hour))
}

struct Binder<'a> {
    columns: &'a Columns,
    tables: &'a Tables,
}

impl Binder<'_> {
    fn value(&self, value: &Value, field: &str) -> Result<Bound, MappingError> {
        Bound::bind(value, self.columns, self.tables, field)
    }

    fn optional(&self, value: Option<&Value>, field: &str) -> Result<Option<Bound>, MappingError> {
        value.map(|value| self.value(value, field)).transpose()
    }

    /// A value whose constants must be words of an enum.
    fn word<W: Word>(&self, value: &Value, field: &str) -> Result<Bound, MappingError> {
        let bound = self.value(value, field)?;
        for word in bound.constants() {
            if words::parse::<W>(word).is_none() {
                let known = words::all::<W>().join(", ");
                return Err(MappingError::of(field, format!("`{word}` is none of {known}")));
            }
        }
        Ok(bound)
    }

    fn zone(&self, value: &Value, field: &str) -> Result<Bound, MappingError> {
        let bound = self.value(value, field)?;
        for name in bound.constants() {
            crate::sheet::time::zone(name).map_err(|error| MappingError::of(field, error.to_string()))?;
        }
        Ok(bound)
    }

    fn flag(&self, value: &Value, field: &str) -> Result<Bound, MappingError> {
        let bound = self.value(value, field)?;
        match bound.constants().iter().find(|word| !matches!(**word, "true" | "false")) {
            Some(word) => Err(MappingError::of(field, format!("`{word}` is neither `true` nor `false`"))),
            None => Ok(bound),
        }
    }

    fn moment(&self, moment: &Moment, field: &str) -> Result<BoundMoment, MappingError> {
        let value = self.value(&moment.value, field)?;
        let not_after = self.optional(moment.not_after.as_ref(), &format!("{field}.not_after"))?;
        Ok(BoundMoment { value, not_after })
    }

    fn when(&self, when: Option<&super::format::Condition>, field: &str) -> Result<Option<BoundCondition>, MappingError> {
        when.map(|when| BoundCondition::bind(when, self.columns, &format!("{field}.when"))).transpose()
    }

    fn each<R, B>(
        &self,
        field: &str,
        rules: &[R],
        bind: fn(&Self, &R, &str) -> Result<B, MappingError>,
    ) -> Result<Vec<B>, MappingError> {
        rules.iter().enumerate().map(|(n, rule)| bind(self, rule, &format!("{field}[{n}]"))).collect()
    }

    fn facility(&self, mapping: &Mapping) -> Result<BoundFacility, MappingError> {
        let rules = &mapping.facility;
        Ok(BoundFacility {
            id: self.value(&rules.id, "facility.id")?,
            name: self.value(&rules.name, "facility.name")?,
            city: self.optional(rules.city.as_ref(), "facility.city")?,
            zone: rules.zone.as_ref().map(|zone| self.zone(zone, "facility.zone")).transpose()?,
            create: rules.create,
        })
    }

    fn booking(&self, mapping: &Mapping) -> Result<BoundBooking, MappingError> {
        let rules = &mapping.booking;
        Ok(BoundBooking {
            id: self.value(&rules.id, "booking.id")?,
            booked: self.moment(&rules.booked, "booking.booked")?,
            bases: rules.bases,
            age_years: self.optional(rules.age_years.as_ref(), "booking.age_years")?,
            note: rules.note.clone(),
        })
    }

    fn basis(&self, rules: &BasisRules, field: &str) -> Result<BoundBasis, MappingError> {
        let at = |name: &str| format!("{field}.{name}");
        if rules.close.is_some() && rules.close_reason.is_none() {
            return Err(MappingError::of(field, "has `close` but no `close_reason`"));
        }
        let reason = rules.close_reason.as_ref();
        Ok(BoundBasis {
            when: self.when(rules.when.as_ref(), field)?,
            id: self.value(&rules.id, &at("id"))?,
            kind: self.word::<pb::BasisKind>(&rules.kind, &at("kind"))?,
            open: self.moment(&rules.open, &at("open"))?,
            close: rules.close.as_ref().map(|close| self.moment(close, &at("close"))).transpose()?,
            close_reason: reason.map(|why| self.word::<pb::BasisCloseReason>(why, &at("close_reason"))).transpose()?,
            close_text: self.optional(rules.close_text.as_ref(), &at("close_text"))?,
            reference: self.optional(rules.reference.as_ref(), &at("reference"))?,
            note: rules.note.clone(),
        })
    }

    fn detainer(&self, rules: &DetainerRules, field: &str) -> Result<BoundDetainer, MappingError> {
        let at = |name: &str| format!("{field}.{name}");
        let office = &rules.office;
        let lent = rules.dhs_lent_return.as_ref();
        let signed = rules.signed.as_ref();
        Ok(BoundDetainer {
            when: self.when(rules.when.as_ref(), field)?,
            id: self.value(&rules.id, &at("id"))?,
            received: self.moment(&rules.received, &at("received"))?,
            edition: self.word::<pb::FormEdition>(&rules.edition, &at("edition"))?,
            hold_requested: self.flag(&rules.hold_requested, &at("hold_requested"))?,
            notify_requested: self.flag(&rules.notify_requested, &at("notify_requested"))?,
            dhs_lent_return: lent.map(|lent| self.flag(lent, &at("dhs_lent_return"))).transpose()?,
            signed: signed.map(|signed| self.word::<pb::TriState>(signed, &at("signed"))).transpose()?,
            form_date: self.optional(rules.form_date.as_ref(), &at("form_date"))?,
            event_number: self.optional(rules.event_number.as_ref(), &at("event_number"))?,
            officer: self.optional(rules.officer.as_ref(), &at("officer"))?,
            office_code: self.value(&office.code, &at("office.code"))?,
            office_name: self.value(&office.name, &at("office.name"))?,
            office_component: self.word::<pb::IssuingComponent>(&office.component, &at("office.component"))?,
            service: rules.service.as_ref().map(|service| self.service(service, &at("service"))).transpose()?,
            lift: rules.lift.as_ref().map(|lift| self.lift(lift, &at("lift"))).transpose()?,
            note: rules.note.clone(),
        })
    }

    fn service(&self, rules: &ServiceRules, field: &str) -> Result<BoundService, MappingError> {
        Ok(BoundService {
            served: self.moment(&rules.served, &format!("{field}.served"))?,
            method: self.word::<pb::ServiceMethod>(&rules.method, &format!("{field}.method"))?,
            language: self.optional(rules.language.as_ref(), &format!("{field}.language"))?,
            served_by: self.optional(rules.served_by.as_ref(), &format!("{field}.served_by"))?,
            note: rules.note.clone(),
        })
    }

    fn lift(&self, rules: &LiftRules, field: &str) -> Result<BoundLift, MappingError> {
        Ok(BoundLift {
            when: self.when(rules.when.as_ref(), field)?,
            at: self.moment(&rules.at, &format!("{field}.at"))?,
            reason: self.word::<pb::LiftReason>(&rules.reason, &format!("{field}.reason"))?,
            only_before_release: rules.only_before_release,
            note: rules.note.clone(),
        })
    }

    fn release(&self, rules: &ReleaseRules) -> Result<BoundRelease, MappingError> {
        Ok(BoundRelease {
            when: self.when(rules.when.as_ref(), "release")?,
            at: self.moment(&rules.at, "release.at")?,
            kind: self.word::<pb::BookingEndKind>(&rules.kind, "release.kind")?,
            receiving_agency: self.optional(rules.receiving_agency.as_ref(), "release.receiving_agency")?,
            note: rules.note.clone(),
        })
    }
}
