//! What the evaluator reads, kept with the decision so that it can be replayed: the same inputs under the same revision
//! give the same answer, whatever has come to be known since.
//!
//! Of the facts of one kind and key ([`Fact::same_thing`]) only the latest at the instant is read: the one with the
//! greatest effective time, of those the one recorded last. Earlier ones stay on record and are not read.

use super::super::booking::Booking;
use super::super::detainer::{Detainer, DocumentKind, Edition};
use super::super::facts::{Disposition, Fact, FactRecord, Tri};
use super::super::ids::AgreementId;
use super::super::time::{Date, Instant, Zone};
use super::Revision;

/// What the evaluator read, kept with the decision so that it can be replayed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Inputs {
    /// The form's edition.
    pub edition: Edition,
    /// Whether the form asks to hold.
    pub asks_hold: bool,
    /// Whether proof of citizenship or lawful status was recorded.
    pub status_proof: bool,
    /// Whether the form is facially sufficient.
    pub facially_sufficient: Tri,
    /// The agreement that guarantees all costs, if one does.
    pub guarantee_all: Option<AgreementId>,
    /// The agreement that guarantees something, if one does.
    pub guarantee_any: Option<AgreementId>,
    /// A person has declined this request on review.
    pub review_declined: bool,
    /// An agreement whose balance could not be reserved for this booking.
    pub reservation_failed: bool,
    /// Agreements that would guarantee, had they any balance left.
    pub exhausted: Vec<AgreementId>,
    /// The county's local day that was asked about, where a look-back reads it.
    pub day: Option<Date>,
    /// Whether a copy was served, where the rule asks.
    pub served: bool,
    /// Kinds of document attached to the form, of those that the rule reads; none that is recorded as not signed.
    pub documents: Vec<DocumentKind>,
    /// The same, of those of which it is not known whether any is signed.
    pub doubtful: Vec<DocumentKind>,
    /// Facts of the booking, of the kinds that the rule reads, in order of time.
    pub facts: Vec<ReadFact>,
    /// Which of the revision's layers were in force, counted from 0.
    pub layers: Vec<u32>,
    /// What two persons put in place of the county rule's answer.
    pub overridden: Option<bool>,
}

/// A fact that was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReadFact {
    /// Its number within the booking.
    pub n: u32,
    /// What it said.
    pub fact: Fact,
}

impl Inputs {
    /// Whether the same was read. The day alone makes no difference: what it changes shows in the answer.
    #[must_use]
    pub fn same_as(&self, other: &Self) -> bool {
        if self.day == other.day {
            return self == other;
        }
        *self == Self { day: self.day, ..other.clone() }
    }
}

/// What of the case itself a revision reads at an instant.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Case {
    /// See [`Inputs::day`].
    pub day: Option<Date>,
    /// See [`Inputs::served`].
    pub served: bool,
    /// See [`Inputs::documents`].
    pub documents: Vec<DocumentKind>,
    /// See [`Inputs::doubtful`].
    pub doubtful: Vec<DocumentKind>,
    /// See [`Inputs::facts`].
    pub facts: Vec<ReadFact>,
    /// See [`Inputs::layers`].
    pub layers: Vec<u32>,
}

impl Case {
    /// Reads it.
    #[must_use]
    pub fn read(revision: &Revision, zone: Zone, booking: &Booking, detainer: &Detainer, at: Instant) -> Self {
        let needs = revision.needs();
        let served = needs.service && detainer.service.as_ref().is_some_and(|service| service.at.effective <= at);
        let layers = revision.layers.iter().zip(0..).filter(|(layer, _)| layer.in_force(at)).map(|(_, n)| n).collect();
        let case = Self { day: needs.day.then(|| zone.date(at)), served, layers, ..Self::default() };
        if !needs.case {
            return case;
        }
        let of_this = |fact: &Fact| match fact {
            Fact::Paper(paper) => paper.detainer.as_ref().is_none_or(|id| *id == detainer.id),
            _ => true,
        };
        let mut known: Vec<_> = booking
            .facts
            .iter()
            .filter(|record| record.at.effective <= at && of_this(&record.fact) && revision.reads(&record.fact))
            .collect();
        known.sort_by_key(|record| (record.at.effective, record.n));
        let facts = latest(&known).into_iter().map(|record| ReadFact { n: record.n, fact: record.fact.clone() }).collect();
        let wanted: Vec<DocumentKind> =
            revision.conditions().flat_map(|one| one.leaves()).flat_map(|leaf| leaf.documents()).copied().collect();
        let there = detainer.form.documents.iter().filter(|d| d.attached.is_none_or(|attached| attached.effective <= at));
        let there: Vec<_> = there.filter(|d| wanted.contains(&d.kind)).collect();
        let counting = |counts: Tri| {
            let mut kinds: Vec<DocumentKind> = there.iter().filter(|d| d.counts() == counts).map(|d| d.kind).collect();
            kinds.sort_unstable();
            kinds.dedup();
            kinds
        };
        let (documents, mut doubtful) = (counting(Tri::Yes), counting(Tri::Unknown));
        doubtful.retain(|kind| !documents.contains(kind));
        Self { documents, doubtful, facts, ..case }
    }
}

/// Of facts in order of time the latest of each kind and key. A disposition may name any telling of its charge: where it
/// comes after the last of them, the one it names is read in place of that.
fn latest<'a>(known: &[&'a FactRecord]) -> Vec<&'a FactRecord> {
    let mut read: Vec<&FactRecord> = Vec::with_capacity(known.len());
    for record in known {
        read.retain(|earlier| !earlier.fact.same_thing(&record.fact));
        if let Fact::Disposition(Disposition { charge, .. }) = &record.fact
            && let Some(named) = known.iter().find(|told| told.n == *charge && matches!(told.fact, Fact::Charge(_)))
            && let Some(place) = read.iter_mut().find(|earlier| earlier.fact.same_thing(&named.fact))
        {
            *place = named;
        }
        read.push(record);
    }
    read
}
