//! What each leaf reads, answers and is called. Those about documents and acts are false until recorded, those about
//! history and status unknown (DOMAIN.md §5). A paper that came with the form and is recorded as not signed is none;
//! where that is recorded as not known, the leaf is unknown; where nothing is said of it, the paper counts.

use super::super::agreement::MinimumCoverage;
use super::super::detainer::DocumentKind;
use super::super::facts::{Charge, Conviction, Disposition, Fact, OrderSigner, PaperKind, Question, Status, Tri};
use super::super::ids::AgreementId;
use super::super::time::Date;
use super::Step;
use super::condition::{ChargeLeaf, ConvictionLeaf, Leaf, LookBack, Needs, StatusLeaf, WarrantKind};
use super::reading::{Inputs, ReadFact};
use std::sync::Arc;

impl Leaf {
    /// What it reads.
    pub(super) fn needs(&self) -> Needs {
        let none = Needs::default();
        match self {
            Self::Constant(_) | Self::FormEdition(_) | Self::FaciallySufficient | Self::StatusProof => none,
            Self::Guaranteed(_) => Needs { guarantee: true, ..none },
            Self::Served => Needs { service: true, ..none },
            Self::Conviction(leaf) => Needs { case: true, day: leaf.within.is_some(), ..none },
            Self::JudicialWarrant(_)
            | Self::ProbableCause
            | Self::StateOrder
            | Self::AdministrativeWarrant(_)
            | Self::FederalOrder
            | Self::BookingForm
            | Self::PendingCharge(_)
            | Self::PriorConviction
            | Self::Status(_)
            | Self::AgeAtLeast(_) => Needs { case: true, ..none },
        }
    }

    /// Whether it reads a fact of this kind.
    pub(super) fn reads(&self, fact: &Fact) -> bool {
        let paper = |wanted: &[PaperKind]| matches!(fact, Fact::Paper(paper) if wanted.contains(&paper.kind));
        match self {
            Self::Constant(_)
            | Self::Guaranteed(_)
            | Self::FormEdition(_)
            | Self::FaciallySufficient
            | Self::StatusProof
            | Self::Served => false,
            Self::JudicialWarrant(_) => matches!(fact, Fact::JudicialWarrant(_)),
            Self::ProbableCause => paper(&[PaperKind::ProbableCauseFinding]),
            Self::StateOrder => paper(&[PaperKind::StateOrder]),
            Self::AdministrativeWarrant(kinds) => kinds.iter().any(|kind| paper(&[kind.paper()])),
            Self::FederalOrder => paper(&[PaperKind::FederalOrder]),
            Self::BookingForm => paper(&[PaperKind::I203]),
            Self::Conviction(_) | Self::PriorConviction => matches!(fact, Fact::Conviction(_) | Fact::RecordsCheck(_)),
            Self::PendingCharge(_) => matches!(fact, Fact::Charge(_) | Fact::Disposition(_) | Fact::RecordsCheck(_)),
            Self::Status(leaf) => matches!(fact, Fact::Status(status) if status.question == leaf.question),
            Self::AgeAtLeast(_) => matches!(fact, Fact::AgeYears(_)),
        }
    }

    /// Which kinds of document it reads.
    #[must_use]
    pub fn documents(&self) -> &'static [DocumentKind] {
        match self {
            Self::JudicialWarrant(_) => &[DocumentKind::JudicialWarrant],
            Self::AdministrativeWarrant(_) => &[DocumentKind::I200, DocumentKind::I205],
            Self::BookingForm => &[DocumentKind::I203],
            _ => &[],
        }
    }

    /// What a line of an explanation is called that stands for it.
    #[must_use]
    pub fn step(&self) -> Step {
        match self {
            Self::Constant(_) => Step::Constant,
            Self::Guaranteed(_) => Step::Guaranteed,
            Self::JudicialWarrant(_) => Step::JudicialWarrant,
            Self::ProbableCause => Step::ProbableCause,
            Self::StateOrder => Step::StateOrder,
            Self::AdministrativeWarrant(_) => Step::AdministrativeWarrant,
            Self::FederalOrder => Step::FederalOrder,
            Self::BookingForm => Step::BookingForm,
            Self::FormEdition(_) => Step::FormEdition,
            Self::FaciallySufficient => Step::FaciallySufficient,
            Self::Conviction(_) => Step::Conviction,
            Self::PendingCharge(_) => Step::PendingCharge,
            Self::PriorConviction => Step::PriorConviction,
            Self::Status(leaf) => match leaf.question {
                Question::PendingCase => Step::PendingCase,
                Question::OutstandingWarrant => Step::OutstandingWarrant,
                Question::PriorRemoval => Step::PriorRemoval,
                Question::Reentry => Step::Reentry,
                Question::FinalOrder => Step::FinalOrder,
                Question::Registry => Step::Registry,
                Question::WatchList => Step::WatchList,
                Question::ReleaseDatePublic => Step::ReleaseDatePublic,
                Question::OtherPurpose => Step::OtherPurpose,
            },
            Self::AgeAtLeast(_) => Step::AgeAtLeast,
            Self::StatusProof => Step::StatusProof,
            Self::Served => Step::Served,
        }
    }

    /// What it asks, in words.
    #[must_use]
    pub fn label(&self) -> Arc<str> {
        match self {
            Self::Constant(true) => "always".into(),
            Self::Constant(false) => "never".into(),
            Self::Guaranteed(MinimumCoverage::AllCosts) => "reimbursement guaranteed, all costs".into(),
            Self::Guaranteed(MinimumCoverage::Any) => "reimbursement guaranteed".into(),
            Self::JudicialWarrant(false) => "a judicial warrant".into(),
            Self::JudicialWarrant(true) => "a warrant signed by a federal judge".into(),
            Self::ProbableCause => "a judge's finding of probable cause".into(),
            Self::StateOrder => "an order of a state judicial official".into(),
            Self::AdministrativeWarrant(kinds) => {
                format!("an administrative warrant ({})", joined(kinds.iter().map(|kind| kind.label()), " or ")).into()
            }
            Self::FederalOrder => "a federal order, or one under a basic ordering agreement".into(),
            Self::BookingForm => "booking form I-203".into(),
            Self::FormEdition(editions) => {
                format!("the form is an {}", joined(editions.iter().map(|edition| edition.label()), " or ")).into()
            }
            Self::FaciallySufficient => "the form is facially sufficient".into(),
            Self::Conviction(leaf) => leaf.label().into(),
            Self::PendingCharge(leaf) => leaf.label().into(),
            Self::PriorConviction => "any prior conviction".into(),
            Self::Status(leaf) => leaf.label().into(),
            Self::AgeAtLeast(years) => format!("at least {years} years old").into(),
            Self::StatusProof => "proof of citizenship or lawful status".into(),
            Self::Served => "a copy was served on the subject".into(),
        }
    }

    /// Its value.
    #[must_use]
    pub fn value(&self, inputs: &Inputs) -> Tri {
        match self {
            Self::Constant(value) => Tri::from(*value),
            Self::Guaranteed(minimum) => Tri::from(guarantee(inputs, *minimum).is_some()),
            Self::JudicialWarrant(federal_only) => judicial_warrant(inputs, *federal_only),
            Self::ProbableCause => Tri::from(has_paper(inputs, PaperKind::ProbableCauseFinding)),
            Self::StateOrder => Tri::from(has_paper(inputs, PaperKind::StateOrder)),
            Self::AdministrativeWarrant(kinds) => {
                let has = |kind: &WarrantKind| Tri::from(has_paper(inputs, kind.paper())).or(attached(inputs, kind.document()));
                kinds.iter().map(has).fold(Tri::No, Tri::or)
            }
            Self::FederalOrder => Tri::from(has_paper(inputs, PaperKind::FederalOrder)),
            Self::BookingForm => Tri::from(has_paper(inputs, PaperKind::I203)).or(attached(inputs, DocumentKind::I203)),
            Self::FormEdition(editions) => Tri::from(editions.contains(&inputs.edition)),
            Self::FaciallySufficient => inputs.facially_sufficient,
            Self::Conviction(leaf) => leaf.value(inputs),
            Self::PendingCharge(leaf) => leaf.value(inputs),
            Self::PriorConviction => {
                let prior = convictions(inputs).any(|(_, conviction)| !conviction.this_booking);
                if prior { Tri::Yes } else { absent(checked(inputs).convictions) }
            }
            Self::Status(leaf) => leaf.value(inputs),
            Self::AgeAtLeast(years) => match age(inputs) {
                Some((_, told)) => Tri::from(told >= *years),
                None => Tri::Unknown,
            },
            Self::StatusProof => Tri::from(inputs.status_proof),
            Self::Served => Tri::from(inputs.served),
        }
    }

    /// What it read, in words.
    pub(super) fn fact(&self, inputs: &Inputs) -> Arc<str> {
        let numbered = |numbers: Vec<u32>, otherwise: &str| -> Arc<str> {
            match numbers.as_slice() {
                [] => otherwise.into(),
                [one] => format!("fact {one}").into(),
                many => format!("facts {}", joined(many.iter().map(ToString::to_string), ", ")).into(),
            }
        };
        let papers = |kind: PaperKind| -> Vec<u32> {
            inputs.facts.iter().filter(|read| matches!(&read.fact, Fact::Paper(p) if p.kind == kind)).map(|read| read.n).collect()
        };
        let paper = |numbers: Vec<u32>, kinds: &[DocumentKind]| match kinds
            .iter()
            .map(|kind| attached(inputs, *kind))
            .fold(Tri::No, Tri::or)
        {
            Tri::Yes => "attached to the form".into(),
            Tri::Unknown if numbers.is_empty() => "attached to the form; whether it is signed is not known".into(),
            Tri::Unknown | Tri::No => numbered(numbers, "none on record"),
        };
        let reads = || -> Vec<u32> { inputs.facts.iter().filter(|read| self.reads(&read.fact)).map(|read| read.n).collect() };
        match self {
            Self::Constant(_) => "the rule itself".into(),
            Self::Guaranteed(minimum) => match guarantee(inputs, *minimum) {
                Some(id) => format!("agreement {id}").into(),
                None if inputs.reservation_failed => "the agreement's balance could not be reserved".into(),
                None => match inputs.exhausted.first() {
                    Some(id) => format!("agreement {id} has no balance left").into(),
                    None => "no signed agreement in force".into(),
                },
            },
            Self::JudicialWarrant(_) => paper(reads(), &[DocumentKind::JudicialWarrant]),
            Self::ProbableCause => numbered(papers(PaperKind::ProbableCauseFinding), "none on record"),
            Self::StateOrder => numbered(papers(PaperKind::StateOrder), "none on record"),
            Self::AdministrativeWarrant(kinds) => {
                let documents: Vec<DocumentKind> = kinds.iter().map(|kind| kind.document()).collect();
                paper(reads(), &documents)
            }
            Self::FederalOrder => numbered(papers(PaperKind::FederalOrder), "none on record"),
            Self::BookingForm => paper(reads(), &[DocumentKind::I203]),
            Self::FormEdition(_) => inputs.edition.label().into(),
            Self::FaciallySufficient => "boxes, signature, warrant attached".into(),
            Self::Conviction(_) | Self::PendingCharge(_) | Self::PriorConviction | Self::Status(_) => {
                numbered(reads(), "nothing on record")
            }
            Self::AgeAtLeast(_) => match age(inputs) {
                Some((n, years)) => format!("fact {n}: {years} years").into(),
                None => "nothing on record".into(),
            },
            Self::StatusProof => "facts of the booking".into(),
            Self::Served => if inputs.served { "served" } else { "not served" }.into(),
        }
    }
}

/// The agreement that guarantees at least this much.
#[must_use]
pub fn guarantee(inputs: &Inputs, minimum: MinimumCoverage) -> Option<&AgreementId> {
    match minimum {
        MinimumCoverage::AllCosts => inputs.guarantee_all.as_ref(),
        MinimumCoverage::Any => inputs.guarantee_any.as_ref(),
    }
}

impl WarrantKind {
    /// The name printed on it.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::I200 => "I-200",
            Self::I205 => "I-205",
        }
    }

    fn paper(self) -> PaperKind {
        match self {
            Self::I200 => PaperKind::I200,
            Self::I205 => PaperKind::I205,
        }
    }

    fn document(self) -> DocumentKind {
        match self {
            Self::I200 => DocumentKind::I200,
            Self::I205 => DocumentKind::I205,
        }
    }
}

fn joined<T: AsRef<str>>(words: impl Iterator<Item = T>, between: &str) -> String {
    let mut whole = String::new();
    for word in words {
        if !whole.is_empty() {
            whole.push_str(between);
        }
        whole.push_str(word.as_ref());
    }
    whole
}

/// What is not on record: known not to be where records were checked, else not known.
fn absent(checked: bool) -> Tri {
    if checked { Tri::No } else { Tri::Unknown }
}

struct Checked {
    convictions: bool,
    charges: bool,
}

/// Which records were checked, by the latest word on it.
fn checked(inputs: &Inputs) -> Checked {
    let last = inputs.facts.iter().rev().find_map(|read| match &read.fact {
        Fact::RecordsCheck(check) => Some(check),
        _ => None,
    });
    Checked { convictions: last.is_some_and(|check| check.convictions), charges: last.is_some_and(|check| check.charges) }
}

fn has_paper(inputs: &Inputs, kind: PaperKind) -> bool {
    inputs.facts.iter().any(|read| matches!(&read.fact, Fact::Paper(paper) if paper.kind == kind))
}

/// Whether a paper of this kind came with the form.
fn attached(inputs: &Inputs, kind: DocumentKind) -> Tri {
    if inputs.documents.contains(&kind) {
        return Tri::Yes;
    }
    if inputs.doubtful.contains(&kind) { Tri::Unknown } else { Tri::No }
}

fn judicial_warrant(inputs: &Inputs, federal_only: bool) -> Tri {
    let recorded = inputs.facts.iter().filter_map(|read| match &read.fact {
        Fact::JudicialWarrant(warrant) if federal_only => Some(warrant.federal),
        Fact::JudicialWarrant(_) => Some(Tri::Yes),
        _ => None,
    });
    // A warrant that came with the form does not say whose judge signed it.
    let document = if federal_only { Tri::Unknown } else { Tri::Yes };
    let attached = attached(inputs, DocumentKind::JudicialWarrant).and(document);
    recorded.fold(attached, Tri::or)
}

fn age(inputs: &Inputs) -> Option<(u32, u32)> {
    inputs.facts.iter().rev().find_map(|read| match &read.fact {
        Fact::AgeYears(age) => Some((read.n, age.years)),
        _ => None,
    })
}

fn convictions(inputs: &Inputs) -> impl Iterator<Item = (u32, &Conviction)> {
    inputs.facts.iter().filter_map(|read| match &read.fact {
        Fact::Conviction(conviction) => Some((read.n, conviction)),
        _ => None,
    })
}

/// Whether an offense of these classes is one that counts. One whose classes were not told may be.
fn of_classes(told: &[Arc<str>], wanted: &[Arc<str>], except: &[Arc<str>]) -> Tri {
    let among = |list: &[Arc<str>]| told.iter().any(|class| list.contains(class));
    let untold = |asked: bool| if told.is_empty() && asked { Tri::Unknown } else { Tri::No };
    let wanted = if wanted.is_empty() || among(wanted) { Tri::Yes } else { untold(true) };
    let excepted = if among(except) { Tri::Yes } else { untold(!except.is_empty()) };
    wanted.and(!excepted)
}

impl ConvictionLeaf {
    fn value(&self, inputs: &Inputs) -> Tri {
        let wanted = self.at_least.max(1);
        let (mut sure, mut perhaps) = (0_u32, 0_u32);
        for (_, conviction) in convictions(inputs) {
            match self.counts(conviction, inputs.day) {
                Tri::Yes => sure += 1,
                Tri::Unknown => perhaps += 1,
                Tri::No => {}
            }
        }
        if sure >= wanted {
            return Tri::Yes;
        }
        // A written proof is a document: what is not on record is not there.
        let complete = self.written_proof || checked(inputs).convictions;
        if complete && sure + perhaps < wanted { Tri::No } else { Tri::Unknown }
    }

    fn counts(&self, conviction: &Conviction, day: Option<Date>) -> Tri {
        let class = of_classes(&conviction.classes, &self.classes, &self.except);
        let asked = |asked: bool, so: bool| Tri::from(!asked || so);
        let recent = match (&self.within, day) {
            (None, _) => Tri::Yes,
            (Some(_), None) => Tri::Unknown,
            (Some(within), Some(day)) => within.reaches(conviction, day),
        };
        class
            .and(asked(self.serving, conviction.serving))
            .and(asked(self.in_this_booking, conviction.this_booking))
            .and(asked(self.written_proof, conviction.written_proof))
            .and(recent)
    }

    fn label(&self) -> String {
        let mut label = match self.at_least {
            0 | 1 => "a conviction".to_owned(),
            many => format!("{many} convictions"),
        };
        classes(&mut label, &self.classes, &self.except);
        if let Some(within) = &self.within {
            let years = |n: u32, of: &str| format!("{n} {} of {of}", if n == 1 { "year" } else { "years" });
            let ends = within.conviction_years.map(|n| years(n, "conviction"));
            let released = within.release_years.map(|n| years(n, "release"));
            let ends = joined(ends.into_iter().chain(released), " or ");
            label = format!("{label} within {ends}");
            if within.conviction_years.is_some() && within.release_years.is_some() {
                label.push_str(", whichever is later");
            }
            if within.tolled {
                label.push_str(", not counting time served");
            }
        }
        for (asked, words) in [
            (self.serving, ", serving now"),
            (self.in_this_booking, ", in this booking"),
            (self.written_proof, ", proved in writing"),
        ] {
            if asked {
                label.push_str(words);
            }
        }
        label
    }
}

fn classes(label: &mut String, wanted: &[Arc<str>], except: &[Arc<str>]) {
    if !wanted.is_empty() {
        *label = format!("{label} of {}", joined(wanted.iter(), " or "));
    }
    if !except.is_empty() {
        *label = format!("{label} except {}", joined(except.iter(), " or "));
    }
}

impl LookBack {
    /// The first days on which a conviction does not count any more, from the conviction and from the release; nothing
    /// where that is not asked for, `None` inside where it is not known.
    pub(super) fn ends(&self, conviction: &Conviction) -> impl Iterator<Item = Option<Date>> + use<> {
        let Conviction { convicted, released, .. } = *conviction;
        let served = match (convicted, released) {
            (Some(from), Some(to)) if self.tolled => Some((to - from).num_days().max(0)),
            _ if self.tolled => None,
            _ => Some(0),
        };
        let later = |years: Option<u32>, from: Option<Date>, days: Option<i64>| {
            years.map(|years| {
                let end = from?.checked_add_months(chrono::Months::new(years.checked_mul(12)?))?;
                end.checked_add_signed(chrono::TimeDelta::try_days(days?)?)
            })
        };
        let (of_conviction, of_release) = (self.conviction_years, self.release_years);
        later(of_conviction, convicted, served).into_iter().chain(later(of_release, released, Some(0)))
    }

    /// Whether it reaches back to a conviction from a day.
    fn reaches(&self, conviction: &Conviction, day: Date) -> Tri {
        // While the sentence is served the years from the release have not begun, and tolled ones stand still.
        if conviction.serving && (self.release_years.is_some() || self.tolled) {
            return Tri::Yes;
        }
        // A day that has not come by then is no known one.
        let known = |date: Option<Date>| date.filter(|date| *date <= day);
        let by_then =
            Conviction { convicted: known(conviction.convicted), released: known(conviction.released), ..conviction.clone() };
        self.ends(&by_then).map(|end| end.map_or(Tri::Unknown, |end| Tri::from(day < end))).fold(Tri::No, Tri::or)
    }
}

impl ChargeLeaf {
    fn value(&self, inputs: &Inputs) -> Tri {
        let pending = inputs.facts.iter().filter_map(|read| match &read.fact {
            Fact::Charge(charge) => Some(self.counts(charge).and(still_pending(inputs, read))),
            _ => None,
        });
        pending.fold(absent(checked(inputs).charges), Tri::or)
    }

    fn counts(&self, charge: &Charge) -> Tri {
        let class = of_classes(&charge.classes, &self.classes, &self.except);
        let found = if self.magistrate_found { charge.probable_cause } else { Tri::Yes };
        let held = if self.without_bail { !charge.bail_granted } else { Tri::Yes };
        class.and(found).and(held)
    }

    fn label(&self) -> String {
        let mut label = "a pending charge".to_owned();
        classes(&mut label, &self.classes, &self.except);
        if self.magistrate_found {
            label.push_str(", a magistrate having found probable cause");
        }
        if self.without_bail {
            label.push_str(", no bail granted");
        }
        label
    }
}

/// A charge is pending until it was dismissed or acquitted. A disposition that names no charge may have ended any.
fn still_pending(inputs: &Inputs, charge: &ReadFact) -> Tri {
    let ended = inputs.facts.iter().map(|read| match &read.fact {
        Fact::Disposition(Disposition { charge: 0, .. }) => Tri::Unknown,
        Fact::Disposition(Disposition { charge: n, .. }) if *n == charge.n => Tri::Yes,
        _ => Tri::No,
    });
    !ended.fold(Tri::No, Tri::or)
}

impl StatusLeaf {
    fn value(&self, inputs: &Inputs) -> Tri {
        if !self.lists.is_empty() {
            return self.lists.iter().fold(Tri::No, |value, list| value.or(self.listed(inputs, list)));
        }
        // In any list: the last word on each, and the last word on all of them.
        let mut named: Vec<(&Arc<str>, Tri)> = Vec::new();
        let mut all = Tri::Unknown;
        for status in self.records(inputs) {
            let answer = self.answer(status);
            if status.lists.is_empty() {
                named.clear();
                all = answer;
            }
            for list in &status.lists {
                named.retain(|(known, _)| *known != list);
                named.push((list, answer));
            }
        }
        named.into_iter().fold(all, |value, (_, answer)| value.or(answer))
    }

    /// The last word on one list. To be in some list, which was not told, is not to be in this one; nor is it not to be.
    fn listed(&self, inputs: &Inputs, list: &Arc<str>) -> Tri {
        let words = self.records(inputs).filter_map(|status| match self.answer(status) {
            answer if status.lists.contains(list) => Some(answer),
            Tri::No if status.lists.is_empty() => Some(Tri::No),
            _ if status.lists.is_empty() => Some(Tri::Unknown),
            _ => None,
        });
        words.last().unwrap_or(Tri::Unknown)
    }

    fn records<'a>(&self, inputs: &'a Inputs) -> impl Iterator<Item = &'a Status> + use<'a> {
        let question = self.question;
        inputs.facts.iter().filter_map(move |read| match &read.fact {
            Fact::Status(status) if status.question == question => Some(status),
            _ => None,
        })
    }

    fn answer(&self, status: &Status) -> Tri {
        let signed = match status.signer {
            _ if self.signers.is_empty() => Tri::Yes,
            Some(signer) => Tri::from(self.signers.contains(&signer)),
            None => Tri::Unknown,
        };
        // Who signed what may not be there settles nothing.
        if status.answer == Tri::Unknown { Tri::Unknown } else { status.answer.and(signed) }
    }

    fn label(&self) -> String {
        let question = match self.question {
            Question::PendingCase => "a pending criminal case",
            Question::OutstandingWarrant => "an outstanding criminal warrant",
            Question::PriorRemoval => "a prior order of removal",
            Question::Reentry => "re-entry after removal",
            Question::FinalOrder => "a final order of removal",
            Question::Registry => "listed in a registry",
            Question::WatchList => "a match with a gang or watch list",
            Question::ReleaseDatePublic => "the release date is public",
            Question::OtherPurpose => "a purpose other than immigration",
        };
        let mut label = question.to_owned();
        if !self.lists.is_empty() {
            label = format!("{label} ({})", joined(self.lists.iter(), " or "));
        }
        if !self.signers.is_empty() {
            let signers = self.signers.iter().map(|signer| match signer {
                OrderSigner::Judge => "a judge",
                OrderSigner::ImmigrationJudge => "an immigration judge",
                OrderSigner::ImmigrationOfficer => "an immigration officer",
            });
            label = format!("{label}, signed by {}", joined(signers, " or "));
        }
        label
    }
}
