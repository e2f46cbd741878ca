//! Conditions: trees over typed leaves, answered in Kleene's three values (DOMAIN.md §5).
//!
//! To add a leaf: add it to [`Leaf`]; in `leaf` give it a [`Step`], say which facts it reads, answer it, name it. The
//! compiler names every other place.

use super::super::agreement::MinimumCoverage;
use super::super::detainer::Edition;
use super::super::facts::{Conviction, Fact, OrderSigner, Question, Tri};
use super::super::time::Date;
use super::reading::Inputs;
use super::{Explanation, Step};
use std::sync::Arc;

/// A condition over what is known (DOMAIN.md §5).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Condition {
    /// Every part.
    All(Vec<Condition>),
    /// At least one part.
    Any(Vec<Condition>),
    /// The opposite.
    Not(Box<Condition>),
    /// One fact.
    Leaf(Leaf),
}

/// One fact that a condition reads. Those about documents and acts are false until recorded, those about history and
/// status unknown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Leaf {
    /// Always the same.
    Constant(bool),
    /// A written, signed promise to pay is in force for this request.
    Guaranteed(MinimumCoverage),
    /// A warrant signed by a judge; true where only a federal judge's counts.
    JudicialWarrant(bool),
    /// A judge found probable cause.
    ProbableCause,
    /// An order of a state judicial official.
    StateOrder,
    /// An administrative warrant of one of these kinds.
    AdministrativeWarrant(Vec<WarrantKind>),
    /// A federal order, or an order under a basic ordering agreement.
    FederalOrder,
    /// Booking form I-203.
    BookingForm,
    /// The form is of one of these editions.
    FormEdition(Vec<Edition>),
    /// A probable-cause box, a signature, an I-200 or I-205 attached.
    FaciallySufficient,
    /// A conviction.
    Conviction(ConvictionLeaf),
    /// A pending charge.
    PendingCharge(ChargeLeaf),
    /// Any conviction from before this booking.
    PriorConviction,
    /// A question of history or status.
    Status(StatusLeaf),
    /// At least this old, in whole years.
    AgeAtLeast(u32),
    /// Proof of citizenship or of lawful status.
    StatusProof,
    /// A copy of the form was served on the subject.
    Served,
}

/// Kinds of administrative warrant: signed by an immigration officer, not by a judge.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum WarrantKind {
    /// For arrest.
    I200,
    /// Of removal.
    I205,
}

/// Which convictions count.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ConvictionLeaf {
    /// Of at least one of these offense classes; empty: of any.
    pub classes: Vec<Arc<str>>,
    /// Of none of these.
    pub except: Vec<Arc<str>>,
    /// Not longer ago than this; nothing: ever.
    pub within: Option<LookBack>,
    /// How many there must be; 0 means one.
    pub at_least: u32,
    /// Its sentence is being served now.
    pub serving: bool,
    /// Handed down in this booking.
    pub in_this_booking: bool,
    /// Proved in writing: such a proof is a document, false until recorded.
    pub written_proof: bool,
}

/// How far back a conviction counts: to the later of the two ends, where both are given.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LookBack {
    /// Years from the conviction.
    pub conviction_years: Option<u32>,
    /// Years from the release from its sentence.
    pub release_years: Option<u32>,
    /// The years from the conviction stand still while its sentence is served.
    pub tolled: bool,
}

/// Which pending charges count.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ChargeLeaf {
    /// Of at least one of these offense classes; empty: of any.
    pub classes: Vec<Arc<str>>,
    /// Of none of these.
    pub except: Vec<Arc<str>>,
    /// A magistrate found probable cause for it.
    pub magistrate_found: bool,
    /// No bail was granted for it; otherwise it counts regardless of bond.
    pub without_bail: bool,
}

/// Which answers about history or status count.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StatusLeaf {
    /// The question.
    pub question: Question,
    /// The registries, lists or warrant classes that count; empty: any.
    pub lists: Vec<Arc<str>>,
    /// For an order of removal, whose signature counts; empty: anybody's.
    pub signers: Vec<OrderSigner>,
}

/// Which kinds of fact a condition reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "a set of independent flags")]
pub struct Needs {
    /// Agreements.
    pub guarantee: bool,
    /// Facts recorded about the person or the case, or documents.
    pub case: bool,
    /// The day that is asked about.
    pub day: bool,
    /// Whether a copy was served.
    pub service: bool,
}

impl Needs {
    /// What both read together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            guarantee: self.guarantee || other.guarantee,
            case: self.case || other.case,
            day: self.day || other.day,
            service: self.service || other.service,
        }
    }
}

impl Condition {
    /// Every leaf, from left to right.
    pub fn leaves(&self) -> Box<dyn Iterator<Item = &Leaf> + '_> {
        match self {
            Self::All(parts) | Self::Any(parts) => Box::new(parts.iter().flat_map(Self::leaves)),
            Self::Not(part) => part.leaves(),
            Self::Leaf(leaf) => Box::new(std::iter::once(leaf)),
        }
    }

    /// What its leaves read.
    #[must_use]
    pub fn needs(&self) -> Needs {
        self.leaves().map(Leaf::needs).fold(Needs::default(), Needs::and)
    }

    /// Whether a fact of this kind is read by one of its leaves.
    #[must_use]
    pub fn reads(&self, fact: &Fact) -> bool {
        self.leaves().any(|leaf| leaf.reads(fact))
    }

    /// Its value alone.
    #[must_use]
    pub fn value(&self, inputs: &Inputs) -> Tri {
        self.value_where(&|leaf| leaf.value(inputs))
    }

    /// Its value, were every promise to pay given or missing.
    #[must_use]
    pub fn value_guaranteed(&self, inputs: &Inputs, guaranteed: bool) -> Tri {
        self.value_where(&|leaf| match leaf {
            Leaf::Guaranteed(_) => Tri::from(guaranteed),
            other => other.value(inputs),
        })
    }

    fn value_where(&self, leaf_value: &dyn Fn(&Leaf) -> Tri) -> Tri {
        match self {
            Self::All(parts) => parts.iter().fold(Tri::Yes, |value, part| value.and(part.value_where(leaf_value))),
            Self::Any(parts) => parts.iter().fold(Tri::No, |value, part| value.or(part.value_where(leaf_value))),
            Self::Not(part) => !part.value_where(leaf_value),
            Self::Leaf(leaf) => leaf_value(leaf),
        }
    }

    /// Its value and how it came about.
    #[must_use]
    pub fn explain(&self, inputs: &Inputs) -> Explanation {
        match self {
            Self::All(parts) => Self::many(Step::All, "all of", parts, inputs, Tri::Yes, Tri::and),
            Self::Any(parts) => Self::many(Step::Any, "any of", parts, inputs, Tri::No, Tri::or),
            Self::Not(part) => {
                let part = part.explain(inputs);
                Explanation { value: !part.value, parts: vec![part], ..super::step(Step::Not, "not", Tri::Unknown, "") }
            }
            Self::Leaf(leaf) => super::step(leaf.step(), &leaf.label(), leaf.value(inputs), leaf.fact(inputs)),
        }
    }

    fn many(kind: Step, label: &str, parts: &[Self], inputs: &Inputs, neutral: Tri, fold: fn(Tri, Tri) -> Tri) -> Explanation {
        let parts: Vec<_> = parts.iter().map(|part| part.explain(inputs)).collect();
        let value = parts.iter().fold(neutral, |value, part| fold(value, part.value));
        Explanation { parts, ..super::step(kind, label, value, "") }
    }

    /// The days on which a look-back of one of its leaves runs out for a conviction.
    pub fn runs_out<'a>(&'a self, conviction: &'a Conviction) -> impl Iterator<Item = Date> + 'a {
        let dated = self.leaves().filter_map(|leaf| match leaf {
            Leaf::Conviction(ConvictionLeaf { within: Some(within), .. }) => Some(within),
            _ => None,
        });
        dated.flat_map(|within| within.ends(conviction)).flatten()
    }
}
