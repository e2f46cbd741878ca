//! What a rule must be to be recorded: of limited size, with nothing empty, nothing that can never matter, nothing that
//! contradicts itself. A refusal names the node by its path, as `condition.all[1].conviction`.

use super::super::agreement::MinimumCoverage;
use super::super::detainer::Edition;
use super::super::facts::Question;
use super::{Condition, LayerKind, Leaf, Mode, Revision};
use std::sync::Arc;

/// How large a rule may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits;

impl Limits {
    /// Conditions inside conditions.
    pub const DEPTH: usize = 12;
    /// Conditions in one tree, leaves included.
    pub const NODES: usize = 200;
    /// Entries in one list.
    pub const ENTRIES: usize = 50;
    /// Characters in one entry.
    pub const CHARACTERS: usize = 100;
    /// Layers of one revision.
    pub const LAYERS: usize = 16;
    /// Years of a look-back, or of an age.
    pub const YEARS: u32 = 150;
    /// Convictions that a rule may count.
    pub const COUNT: u32 = 100;
    /// Hours that a hold may last. The forms print 48; what the law allows is the county's to state, not the program's.
    pub const HOURS: u32 = 720;
    /// Hours of notice after T0.
    pub const NOTICE_HOURS: u32 = 48;
}

/// What is wrong with a rule: the path of the node, and why. Everything at once.
#[must_use]
pub fn check(revision: &Revision) -> Vec<(String, String)> {
    let mut faults = Faults(Vec::new());
    match (&revision.condition, revision.mode) {
        (None, Mode::Conditional) => faults.add("condition", "is required where the mode is CONDITIONAL"),
        (Some(_), mode) if mode != Mode::Conditional => faults.add("condition", "goes only with the mode CONDITIONAL"),
        _ => {}
    }
    if let Some(condition) = &revision.condition {
        faults.tree("condition", condition);
        faults.holds("condition", condition);
    }
    let answers = revision.answers;
    for (tree, field, stated) in [
        (&revision.notify_where, "notify_where", [answers.notify_honored, answers.notify_declined]),
        (&revision.transfer_where, "transfer_where", [answers.transfer_honored, answers.transfer_declined]),
    ] {
        if let Some(tree) = tree {
            faults.tree(field, tree);
            if stated.iter().any(Option::is_some) {
                faults.add(field, "contradicts `answers`, which states the same: give one of them");
            }
        }
    }
    if revision.notice_hours.is_some_and(|hours| !(1..=Limits::NOTICE_HOURS).contains(&hours)) {
        faults.add("notice_hours", format!("must be 1 to {}", Limits::NOTICE_HOURS));
    }
    if revision.layers.len() > Limits::LAYERS {
        faults.add("layers", format!("may have at most {} entries", Limits::LAYERS));
    }
    let mut always: Option<usize> = None;
    for (n, layer) in revision.layers.iter().enumerate() {
        let at = format!("layers[{n}]");
        if layer.kind == LayerKind::CountyRule {
            faults.add(format!("{at}.kind"), "must be a court order or a law of the state: the county's own rule is `condition`");
        }
        if n > 0 && revision.layers.get(n - 1).is_some_and(|before| before.kind > layer.kind) {
            faults.add(format!("{at}.kind"), "must come before less binding layers: court orders, then the state's");
        }
        if layer.from.zip(layer.until).is_some_and(|(from, until)| until <= from) {
            faults.add(format!("{at}.end_time"), "must lie after its effective_time");
        }
        if layer.condition == Condition::Leaf(Leaf::Constant(false)) {
            faults.add(format!("{at}.condition"), "is never true: the layer would never speak");
        } else {
            faults.tree(&format!("{at}.condition"), &layer.condition);
        }
        if let Some(before) = always {
            faults.add(&at, format!("can never be reached: layers[{before}] always speaks"));
        }
        if layer.condition == Condition::Leaf(Leaf::Constant(true)) && layer.from.is_none() && layer.until.is_none() {
            always = always.or(Some(n));
        }
    }
    faults.0
}

struct Faults(Vec<(String, String)>);

impl Faults {
    fn add(&mut self, at: impl AsRef<str>, why: impl Into<String>) {
        self.0.push((at.as_ref().to_owned(), why.into()));
    }

    fn tree(&mut self, at: &str, root: &Condition) {
        let mut nodes = 0;
        self.node(at, root, 1, &mut nodes);
        if nodes > Limits::NODES {
            self.add(at, format!("has {nodes} conditions; at most {} may be in one tree", Limits::NODES));
        }
    }

    fn node(&mut self, at: &str, condition: &Condition, depth: usize, nodes: &mut usize) {
        *nodes += 1;
        if depth > Limits::DEPTH {
            self.add(at, format!("nests deeper than {}", Limits::DEPTH));
            return;
        }
        match condition {
            Condition::All(parts) => self.list(&format!("{at}.all"), parts, true, depth, nodes),
            Condition::Any(parts) => self.list(&format!("{at}.any"), parts, false, depth, nodes),
            Condition::Not(part) => {
                if matches!(**part, Condition::Not(_)) {
                    self.add(format!("{at}.not"), "is twice `not`: leave both out");
                }
                self.node(&format!("{at}.not"), part, depth + 1, nodes);
            }
            Condition::Leaf(leaf) => self.leaf(at, leaf),
        }
    }

    fn list(&mut self, at: &str, parts: &[Condition], all: bool, depth: usize, nodes: &mut usize) {
        if parts.is_empty() {
            self.add(at, "is empty: it needs at least one condition");
        }
        if parts.len() > Limits::ENTRIES {
            self.add(at, format!("may have at most {} entries", Limits::ENTRIES));
            return;
        }
        for (n, part) in parts.iter().enumerate() {
            let here = format!("{at}[{n}]");
            match part {
                // A constant beside others decides alone, or does nothing.
                Condition::Leaf(Leaf::Constant(value)) if parts.len() > 1 => {
                    let decides = *value != all;
                    let why =
                        if decides { "decides alone: the conditions beside it can never matter" } else { "changes nothing here" };
                    self.add(&here, why);
                }
                _ => {}
            }
            for (m, other) in parts.iter().enumerate().take(n) {
                if other == part {
                    self.add(&here, format!("says the same as {at}[{m}]"));
                } else if is_not(other, part) || is_not(part, other) {
                    let so = if all { "never" } else { "always" };
                    self.add(&here, format!("is the opposite of {at}[{m}]: together they are {so} true"));
                } else if all && contradicts(other, part) {
                    self.add(&here, format!("contradicts {at}[{m}]: both are never true"));
                } else if !all && (implies(part, other) || implies(other, part)) {
                    let (idle, m) = if implies(part, other) { (n, m) } else { (m, n) };
                    self.add(format!("{at}[{idle}]"), format!("can never matter: {at}[{m}] is true wherever it is"));
                }
            }
            self.node(&here, part, depth + 1, nodes);
        }
    }

    /// Branches of the hold's condition that cannot lead to a hold.
    fn holds(&mut self, at: &str, condition: &Condition) {
        match condition {
            Condition::Leaf(Leaf::FormEdition(editions)) if !editions.iter().any(|edition| edition.can_hold()) => {
                self.add(at, "can never lead to a hold: these forms ask for notice only");
            }
            Condition::Leaf(Leaf::StatusProof) => {
                self.add(at, "can never lead to a hold: proof of citizenship or lawful status ends every hold");
            }
            Condition::All(parts) => parts.iter().enumerate().for_each(|(n, part)| self.holds(&format!("{at}.all[{n}]"), part)),
            Condition::Any(parts) => parts.iter().enumerate().for_each(|(n, part)| self.holds(&format!("{at}.any[{n}]"), part)),
            Condition::Leaf(_) | Condition::Not(_) => {}
        }
    }

    fn leaf(&mut self, at: &str, leaf: &Leaf) {
        match leaf {
            Leaf::AdministrativeWarrant(kinds) => self.few(&format!("{at}.administrative_warrant.kinds"), kinds),
            Leaf::FormEdition(editions) => self.few(&format!("{at}.form_edition.editions"), editions),
            Leaf::Conviction(leaf) => {
                let at = format!("{at}.conviction");
                self.classes(&at, &leaf.classes, &leaf.except);
                if leaf.at_least > Limits::COUNT {
                    self.add(format!("{at}.at_least"), format!("must be at most {}", Limits::COUNT));
                }
                if let Some(within) = &leaf.within {
                    if within.conviction_years.is_none() && within.release_years.is_none() {
                        self.add(format!("{at}.within"), "needs conviction_years or release_years");
                    }
                    for (field, years) in [("conviction_years", within.conviction_years), ("release_years", within.release_years)]
                    {
                        if years.is_some_and(|years| !(1..=Limits::YEARS).contains(&years)) {
                            self.add(format!("{at}.within.{field}"), format!("must be 1 to {}", Limits::YEARS));
                        }
                    }
                    if within.tolled && within.conviction_years.is_none() {
                        self.add(format!("{at}.within.tolled"), "goes only with conviction_years");
                    }
                }
            }
            Leaf::PendingCharge(leaf) => self.classes(&format!("{at}.pending_charge"), &leaf.classes, &leaf.except),
            Leaf::Status(leaf) => {
                self.words(&format!("{at}.status.lists"), &leaf.lists);
                let listed = matches!(leaf.question, Question::Registry | Question::WatchList | Question::OutstandingWarrant);
                if !leaf.lists.is_empty() && !listed {
                    self.add(format!("{at}.status.lists"), "goes only with a registry, a watch list or an outstanding warrant");
                }
                let order = matches!(leaf.question, Question::PriorRemoval | Question::FinalOrder);
                if !leaf.signers.is_empty() && !order {
                    self.add(format!("{at}.status.signed_by"), "goes only with an order of removal");
                }
                self.distinct(&format!("{at}.status.signed_by"), &leaf.signers);
            }
            Leaf::AgeAtLeast(years) if !(1..=Limits::YEARS).contains(years) => {
                self.add(format!("{at}.age_at_least"), format!("must be 1 to {}", Limits::YEARS));
            }
            Leaf::Guaranteed(MinimumCoverage::AllCosts | MinimumCoverage::Any)
            | Leaf::AgeAtLeast(_)
            | Leaf::Constant(_)
            | Leaf::JudicialWarrant(_)
            | Leaf::ProbableCause
            | Leaf::StateOrder
            | Leaf::FederalOrder
            | Leaf::BookingForm
            | Leaf::FaciallySufficient
            | Leaf::PriorConviction
            | Leaf::StatusProof
            | Leaf::Served => {}
        }
    }

    /// A list of what there are only few of, at least one.
    fn few<T: PartialEq>(&mut self, at: &str, list: &[T]) {
        if list.is_empty() {
            self.add(at, "is empty: it needs at least one");
        }
        self.distinct(at, list);
    }

    fn distinct<T: PartialEq>(&mut self, at: &str, list: &[T]) {
        for (n, one) in list.iter().enumerate() {
            if list.iter().take(n).any(|before| before == one) {
                self.add(format!("{at}[{n}]"), "comes twice");
            }
        }
    }

    fn words(&mut self, at: &str, words: &[Arc<str>]) {
        if words.len() > Limits::ENTRIES {
            self.add(at, format!("may have at most {} entries", Limits::ENTRIES));
            return;
        }
        for (n, word) in words.iter().enumerate() {
            if word.is_empty() || word.chars().count() > Limits::CHARACTERS {
                self.add(format!("{at}[{n}]"), format!("must have 1 to {} characters", Limits::CHARACTERS));
            }
        }
        self.distinct(at, words);
    }

    fn classes(&mut self, at: &str, classes: &[Arc<str>], except: &[Arc<str>]) {
        self.words(&format!("{at}.offense_classes"), classes);
        self.words(&format!("{at}.except_classes"), except);
        if !classes.is_empty() && classes.iter().all(|class| except.contains(class)) {
            self.add(format!("{at}.except_classes"), "takes away every class that offense_classes names");
        }
    }
}

fn is_not(one: &Condition, other: &Condition) -> bool {
    matches!(one, Condition::Not(part) if **part == *other)
}

/// Two conditions that are never true together.
fn contradicts(one: &Condition, other: &Condition) -> bool {
    match (one, other) {
        (Condition::Leaf(Leaf::FormEdition(a)), Condition::Leaf(Leaf::FormEdition(b))) => {
            !a.iter().any(|edition: &Edition| b.contains(edition))
        }
        (so, Condition::Not(part)) | (Condition::Not(part), so) if implies(so, part) => true,
        (Condition::All(parts), so) | (so, Condition::All(parts)) => parts.iter().any(|part| contradicts(part, so)),
        _ => false,
    }
}

/// Whether the second is true wherever the first is, as far as that can be seen.
fn implies(one: &Condition, other: &Condition) -> bool {
    match (one, other) {
        (one, other) if one == other => true,
        (one, Condition::All(parts)) => !parts.is_empty() && parts.iter().all(|part| implies(one, part)),
        (Condition::Any(parts), other) => !parts.is_empty() && parts.iter().all(|part| implies(part, other)),
        (Condition::All(parts), other) if parts.iter().any(|part| implies(part, other)) => true,
        (one, Condition::Any(parts)) => parts.iter().any(|part| implies(one, part)),
        (Condition::Not(one), Condition::Not(other)) => implies(other, one),
        (Condition::Leaf(one), Condition::Leaf(other)) => leaf_implies(one, other),
        _ => false,
    }
}

fn leaf_implies(one: &Leaf, other: &Leaf) -> bool {
    fn within<T: PartialEq>(few: &[T], many: &[T]) -> bool {
        few.iter().all(|one| many.contains(one))
    }
    match (one, other) {
        (Leaf::AgeAtLeast(one), Leaf::AgeAtLeast(other)) => one >= other,
        (Leaf::Guaranteed(MinimumCoverage::AllCosts), Leaf::Guaranteed(MinimumCoverage::Any))
        | (Leaf::JudicialWarrant(true), Leaf::JudicialWarrant(false)) => true,
        (Leaf::FormEdition(one), Leaf::FormEdition(other)) => !one.is_empty() && within(one, other),
        (Leaf::AdministrativeWarrant(one), Leaf::AdministrativeWarrant(other)) => !one.is_empty() && within(one, other),
        (Leaf::Conviction(one), Leaf::Conviction(other)) => {
            let classes = other.classes.is_empty() || (!one.classes.is_empty() && within(&one.classes, &other.classes));
            let asks = |asked: bool, asking: bool| asked || !asking;
            classes
                && within(&other.except, &one.except)
                && (other.within.is_none() || one.within == other.within)
                && one.at_least.max(1) >= other.at_least.max(1)
                && asks(one.serving, other.serving)
                && asks(one.in_this_booking, other.in_this_booking)
                && asks(one.written_proof, other.written_proof)
        }
        _ => false,
    }
}
