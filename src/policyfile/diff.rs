//! Two policies compared clause by clause, with what it means for the examples of both.

use super::PolicyFile;
use super::example::{Example, Told};
use super::listing::{clauses, in_words, layer_words};
use crate::domain::policy::{Condition, Effect, Layer, Leaf, Mode, Revision};
use std::fmt;
use std::sync::Arc;

/// What became of a clause.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    /// The second has it, the first has not.
    Added(String),
    /// The first has it, the second has not.
    Removed(String),
    /// Both have it, each in its own way.
    Changed(String, String),
}

/// One clause in which two policies differ.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// The clause: `limit`, or the path of a list in a tree such as `condition.any`.
    pub clause: String,
    /// What became of it.
    pub change: Change,
    /// What that means for requests; empty where the clause alone does not tell.
    pub meaning: &'static str,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.change {
            Change::Added(words) => write!(f, "{}: added: {words}", self.clause)?,
            Change::Removed(words) => write!(f, "{}: removed: {words}", self.clause)?,
            Change::Changed(before, after) => write!(f, "{}: {before} -> {after}", self.clause)?,
        }
        if self.meaning.is_empty() { Ok(()) } else { write!(f, " ({})", self.meaning) }
    }
}

/// An example that two policies answer differently.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Differs {
    /// The example.
    pub name: Arc<str>,
    /// The file it is from.
    pub of: Arc<str>,
    /// The first policy's answer.
    pub before: Told,
    /// The second's.
    pub after: Told,
}

/// What is different, clause by clause, and for which examples of either file. The examples are asked as if both policies
/// were in force on their day.
#[must_use]
pub fn diff(before: &PolicyFile, after: &PolicyFile) -> (Vec<Difference>, Vec<Differs>) {
    let mut found = Vec::new();
    named(&mut found, &all_clauses(before), &all_clauses(after));
    // A mode is shorthand for a tree: it is compared as one where the other side has one.
    if [before, after].iter().any(|file| file.rules.mode == Mode::Conditional) {
        tree(&mut found, "condition", Some(&before.rules.rule()), Some(&after.rules.rule()), Sense::Honors);
    }
    for (clause, one, other) in answers(before, after) {
        match (one, other) {
            (Some(one), Some(other)) => tree(&mut found, clause, Some(one), Some(other), Sense::Answers),
            (one, other) if one.is_some() || other.is_some() => {
                let words = |tree: Option<&Condition>, file: &PolicyFile| match tree {
                    Some(tree) => format!("where {}", in_words(tree)),
                    None => stated(file, clause),
                };
                let change = Change::Changed(words(one, before), words(other, after));
                found.push(Difference { clause: clause.to_owned(), change, meaning: "" });
            }
            _ => {}
        }
    }
    layers(&mut found, before, after);
    let from = |file: &PolicyFile| {
        let of: Arc<str> = file.id.as_str().into();
        let zone = file.zone;
        file.examples.iter().map(move |example| (of.clone(), zone, example.clone())).collect::<Vec<_>>()
    };
    let (first, second) = (undated(&before.rules), undated(&after.rules));
    let mut differ = Vec::new();
    let mut seen: Vec<Example> = Vec::new();
    for (of, zone, example) in from(before).into_iter().chain(from(after)) {
        let same = |one: &Example| (&one.request, one.at) == (&example.request, example.at);
        if seen.iter().any(same) {
            continue;
        }
        let one = example.request.told(Some(&first), zone, example.at);
        let other = example.request.told(Some(&second), zone, example.at);
        if one != other {
            differ.push(Differs { name: example.name.clone(), of, before: one, after: other });
        }
        seen.push(example);
    }
    (found, differ)
}

/// Clauses that are no trees, and the dates.
fn all_clauses(file: &PolicyFile) -> Vec<(&'static str, String)> {
    let dates = [("adopted", file.rules.adopted), ("in force from", file.effective), ("until", file.until)];
    let dates = dates.into_iter().filter_map(|(name, day)| day.map(|day| (name, day.to_string())));
    clauses(&file.rules).into_iter().chain(dates).collect()
}

/// The trees about notice and transfer of both.
fn answers<'f>(
    before: &'f PolicyFile,
    after: &'f PolicyFile,
) -> [(&'static str, Option<&'f Condition>, Option<&'f Condition>); 2] {
    let (one, other) = (&before.rules, &after.rules);
    [
        ("notify", one.notify_where.as_ref(), other.notify_where.as_ref()),
        ("transfer", one.transfer_where.as_ref(), other.transfer_where.as_ref()),
    ]
}

/// What a file without a tree says of notice or transfer.
fn stated(file: &PolicyFile, clause: &str) -> String {
    clauses(&file.rules).into_iter().find(|(name, _)| *name == clause).map(|(_, words)| words).unwrap_or_default()
}

/// The rule as if all its layers were in force: two laws are compared as rules, whatever their days.
fn undated(rule: &Revision) -> Revision {
    let layers = rule.layers.iter().map(|layer| Layer { from: None, until: None, ..layer.clone() });
    Revision { layers: layers.collect(), ..rule.clone() }
}

fn named(found: &mut Vec<Difference>, before: &[(&str, String)], after: &[(&str, String)]) {
    let value = |list: &[(&str, String)], name: &str| list.iter().find(|(n, _)| *n == name).map(|(_, value)| value.clone());
    let later = after.iter().filter(|(name, _)| value(before, name).is_none());
    // Where only one side has a tree for an answer, the other's words are compared with it.
    let told_as_tree = |name: &str| matches!(name, "notify" | "transfer");
    for (name, _) in before.iter().chain(later) {
        let change = match (value(before, name), value(after, name)) {
            (Some(one), Some(other)) if one != other => Change::Changed(one, other),
            (Some(one), None) if !told_as_tree(name) => Change::Removed(one),
            (None, Some(other)) if !told_as_tree(name) => Change::Added(other),
            _ => continue,
        };
        found.push(Difference { clause: (*name).to_owned(), change, meaning: "" });
    }
}

/// What a tree's truth does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sense {
    Honors,
    Declines,
    /// Answers about notice or transfer.
    Answers,
    /// The opposite of such an answer.
    AnswersNot,
}

impl Sense {
    fn turned(self) -> Self {
        match self {
            Self::Honors => Self::Declines,
            Self::Declines => Self::Honors,
            Self::Answers => Self::AnswersNot,
            Self::AnswersNot => Self::Answers,
        }
    }

    /// What it means that the tree is true more often.
    fn wider(self) -> &'static str {
        match self {
            Self::Honors => "can only honor more",
            Self::Declines => "can only honor less",
            Self::Answers => "can only say yes more often",
            Self::AnswersNot => "can only say yes less often",
        }
    }
}

fn tree(found: &mut Vec<Difference>, at: &str, before: Option<&Condition>, after: Option<&Condition>, sense: Sense) {
    let mut tell = |change, meaning| found.push(Difference { clause: at.to_owned(), change, meaning });
    match (before, after) {
        (None, None) => {}
        (Some(one), None) => tell(Change::Removed(in_words(one)), ""),
        (None, Some(other)) => tell(Change::Added(in_words(other)), ""),
        (Some(one), Some(other)) if one == other => {}
        (Some(Condition::All(one)), Some(Condition::All(other))) => {
            parts(found, &format!("{at}.all"), one, other, sense, sense.turned());
        }
        (Some(Condition::Any(one)), Some(Condition::Any(other))) => {
            parts(found, &format!("{at}.any"), one, other, sense, sense);
        }
        (Some(Condition::Not(one)), Some(Condition::Not(other))) => {
            tree(found, &format!("{at}.not"), Some(one), Some(other), sense.turned());
        }
        // One more condition beside what was the whole rule before, or one less.
        (Some(one), Some(Condition::Any(other))) if other.contains(one) => {
            parts(found, &format!("{at}.any"), std::slice::from_ref(one), other, sense, sense);
        }
        (Some(one), Some(Condition::All(other))) if other.contains(one) => {
            parts(found, &format!("{at}.all"), std::slice::from_ref(one), other, sense, sense.turned());
        }
        (Some(Condition::Any(one)), Some(other)) if one.contains(other) => {
            parts(found, &format!("{at}.any"), one, std::slice::from_ref(other), sense, sense);
        }
        (Some(Condition::All(one)), Some(other)) if one.contains(other) => {
            parts(found, &format!("{at}.all"), one, std::slice::from_ref(other), sense, sense.turned());
        }
        (Some(one), Some(other)) => {
            let meaning = match (constant(one), constant(other)) {
                (Some(false), _) | (_, Some(true)) => sense.wider(),
                (Some(true), _) | (_, Some(false)) => sense.turned().wider(),
                (None, None) => "",
            };
            tell(Change::Changed(in_words(one), in_words(other)), meaning);
        }
    }
}

/// The value of a condition that is always the same.
fn constant(condition: &Condition) -> Option<bool> {
    match condition {
        Condition::Leaf(Leaf::Constant(value)) => Some(*value),
        _ => None,
    }
}

/// Parts of two lists: equal ones belong together, then those that are alike. `added` is what one more of them does.
fn parts(found: &mut Vec<Difference>, at: &str, before: &[Condition], after: &[Condition], sense: Sense, added: Sense) {
    let gone: Vec<&Condition> = before.iter().filter(|one| !after.contains(one)).collect();
    let mut new: Vec<&Condition> = after.iter().filter(|other| !before.contains(other)).collect();
    for one in gone {
        match new.iter().position(|other| alike(one, other)) {
            Some(n) => {
                let other = new.remove(n);
                tree(found, at, Some(one), Some(other), sense);
            }
            None => found.push(Difference {
                clause: at.to_owned(),
                change: Change::Removed(in_words(one)),
                meaning: added.turned().wider(),
            }),
        }
    }
    for other in new {
        found.push(Difference { clause: at.to_owned(), change: Change::Added(in_words(other)), meaning: added.wider() });
    }
}

/// Whether two conditions are the same clause said differently.
fn alike(one: &Condition, other: &Condition) -> bool {
    match (one, other) {
        (Condition::All(_), Condition::All(_)) | (Condition::Any(_), Condition::Any(_)) => true,
        (Condition::Not(one), Condition::Not(other)) => alike(one, other),
        (Condition::Leaf(Leaf::Conviction(one)), Condition::Leaf(Leaf::Conviction(other))) => one.classes == other.classes,
        (Condition::Leaf(Leaf::PendingCharge(one)), Condition::Leaf(Leaf::PendingCharge(other))) => one.classes == other.classes,
        (Condition::Leaf(one), Condition::Leaf(other)) => one.step() == other.step(),
        _ => false,
    }
}

fn layers(found: &mut Vec<Difference>, before: &PolicyFile, after: &PolicyFile) {
    let same =
        |one: &Layer, other: &Layer| (one.kind, one.effect, &one.instrument) == (other.kind, other.effect, &other.instrument);
    let words = |file: &PolicyFile, layer: &Layer| format!("{} {}", layer_words(layer, file.zone), in_words(&layer.condition));
    let sense = |layer: &Layer| if layer.effect == Effect::Mandate { Sense::Honors } else { Sense::Declines };
    let mut tell = |change, meaning| found.push(Difference { clause: "layer".to_owned(), change, meaning });
    let mut kept = Vec::new();
    for one in &before.rules.layers {
        match after.rules.layers.iter().find(|other| same(one, other)) {
            Some(other) => {
                let (from, to) = (layer_words(one, before.zone), layer_words(other, after.zone));
                if from != to {
                    tell(Change::Changed(from, to), "");
                }
                kept.push((one, other));
            }
            None => tell(Change::Removed(words(before, one)), sense(one).turned().wider()),
        }
    }
    for other in &after.rules.layers {
        if !before.rules.layers.iter().any(|one| same(one, other)) {
            tell(Change::Added(words(after, other)), sense(other).wider());
        }
    }
    for (n, (one, other)) in kept.into_iter().enumerate() {
        tree(found, &format!("layer[{n}].condition"), Some(&one.condition), Some(&other.condition), sense(one));
    }
}
