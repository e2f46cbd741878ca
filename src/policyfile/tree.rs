//! Trees of conditions as a file writes them: one table, one key. `docs/policy-files.md` has a row for each leaf.

use super::read::{Node, Reader, nearest};
use super::words;
use crate::domain::facts::Question;
use crate::domain::policy::{ChargeLeaf, Condition, ConvictionLeaf, Leaf, Limits, LookBack, StatusLeaf};
use std::collections::BTreeSet;

/// The keys of a condition.
const KEYS: &[&str] = &[
    "all",
    "any",
    "not",
    "use",
    "constant",
    "guaranteed",
    "judicial_warrant",
    "probable_cause_finding",
    "state_order",
    "administrative_warrant",
    "federal_order",
    "booking_form",
    "form_edition",
    "facially_sufficient",
    "conviction",
    "pending_charge",
    "prior_conviction",
    "pending_case",
    "outstanding_warrant",
    "prior_removal",
    "reentry",
    "final_order",
    "registry",
    "watch_list",
    "release_date_public",
    "other_purpose",
    "age_at_least",
    "status_proof",
    "served",
];

const CONVICTION: &[&str] = &["classes", "except", "within", "at_least", "serving", "in_this_booking", "written_proof"];
const CHARGE: &[&str] = &["classes", "except", "magistrate_found", "without_bail"];
const WITHIN: &[&str] = &["conviction_years", "release_years", "tolled"];

/// Where a node of the rule stands in the file. The rule's own checks name nodes by the rule's paths.
pub(super) struct Mark {
    rule: String,
    file: String,
    at: usize,
}

/// Reads trees and puts definitions in their places.
pub(super) struct Trees<'a, 'r, 't> {
    pub reader: &'r mut Reader<'t>,
    defined: Vec<(&'a str, Node<'a>)>,
    used: BTreeSet<&'a str>,
    within: Vec<&'a str>,
    nodes: usize,
    marks: Vec<Mark>,
}

impl<'a, 'r, 't> Trees<'a, 'r, 't> {
    pub fn new(reader: &'r mut Reader<'t>, defined: Vec<(&'a str, Node<'a>)>) -> Self {
        Self { reader, defined, used: BTreeSet::new(), within: Vec::new(), nodes: 0, marks: Vec::new() }
    }

    /// Notes where a node of the rule stands.
    pub fn mark(&mut self, rule: &str, node: &Node<'_>) {
        self.marks.push(Mark { rule: rule.to_owned(), file: node.path.clone(), at: node.at });
    }

    /// Refuses definitions that nothing uses.
    pub fn unused(&mut self) {
        for (name, node) in &self.defined {
            if !self.used.contains(name) {
                self.reader.bad(node.at, &node.path, "is used nowhere: use it or leave it out");
            }
        }
    }

    /// Reports what the rule's own checks found, at the nearest node that stands in the file.
    pub fn report(&mut self, faults: Vec<(String, String)>) {
        for (rule, why) in faults {
            let inside = |mark: &&Mark| {
                let rest = rule.strip_prefix(&mark.rule);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
            };
            let nearest = self.marks.iter().filter(inside).max_by_key(|mark| mark.rule.len());
            let (at, node) = nearest.map_or((0, rule.clone()), |mark| (mark.at, mark.file.clone()));
            self.reader.bad(at, &node, why);
        }
    }

    /// One whole tree. `rule` is its path in the rule.
    pub fn tree(&mut self, node: &Node<'a>, rule: &str) -> Option<Condition> {
        self.nodes = 0;
        self.condition(node, rule, 1)
    }

    fn condition(&mut self, node: &Node<'a>, rule: &str, depth: usize) -> Option<Condition> {
        if depth > Limits::DEPTH {
            self.reader.bad(node.at, &node.path, format!("nests deeper than {}", Limits::DEPTH));
            return None;
        }
        self.nodes += 1;
        if self.nodes > Limits::NODES {
            if self.nodes == Limits::NODES + 1 {
                self.reader.bad(node.at, &node.path, format!("is one too many: a tree has at most {} conditions", Limits::NODES));
            }
            return None;
        }
        self.mark(rule, node);
        let Some(table) = node.as_table() else {
            self.reader.bad(node.at, &node.path, "must be a condition, such as { judicial_warrant = true }");
            return None;
        };
        let mut keys = table.keys();
        let (Some((key, value)), None) = (keys.next(), keys.next()) else {
            self.reader.bad(node.at, &node.path, "must have one key: put several conditions into `all` or `any`");
            return None;
        };
        match key {
            "all" => self.list(&value, &format!("{rule}.all"), depth).map(Condition::All),
            "any" => self.list(&value, &format!("{rule}.any"), depth).map(Condition::Any),
            "not" => self.condition(&value, &format!("{rule}.not"), depth + 1).map(|part| Condition::Not(Box::new(part))),
            "use" => self.definition(&value, rule, depth),
            _ => self.leaf(key, &value, rule).map(Condition::Leaf),
        }
    }

    fn list(&mut self, node: &Node<'a>, rule: &str, depth: usize) -> Option<Vec<Condition>> {
        self.mark(rule, node);
        let parts = self.reader.list(node, Limits::ENTRIES)?;
        let parts = parts.iter().enumerate();
        let read: Vec<_> = parts.map(|(n, part)| self.condition(part, &format!("{rule}[{n}]"), depth + 1)).collect();
        read.into_iter().collect()
    }

    fn definition(&mut self, node: &Node<'a>, rule: &str, depth: usize) -> Option<Condition> {
        let Some(name) = node.as_text() else {
            self.reader.bad(node.at, &node.path, "must be the name of a definition, in quotes");
            return None;
        };
        let Some((name, body)) = self.defined.iter().find(|(defined, _)| *defined == name).cloned() else {
            let names: Vec<&str> = self.defined.iter().map(|(name, _)| *name).collect();
            let hint = nearest(name, &names);
            self.reader.bad(node.at, &node.path, format!("`{name}` is defined nowhere{hint}"));
            return None;
        };
        self.used.insert(name);
        if self.within.contains(&name) {
            let round: Vec<&str> = self.within.iter().skip_while(|within| **within != name).copied().chain([name]).collect();
            self.reader.bad(node.at, &node.path, format!("is defined by itself: {}", round.join(" -> ")));
            return None;
        }
        self.within.push(name);
        // The place of the definition stands for this node; it counts once.
        self.nodes -= 1;
        let read = self.condition(&body, rule, depth);
        self.within.pop();
        read
    }

    /// A leaf without anything to say but that it is so.
    fn plain(&mut self, node: &Node<'a>, leaf: Leaf) -> Option<Leaf> {
        match self.reader.flag(node)? {
            true => Some(leaf),
            false => {
                let key = node.path.rsplit('.').next().unwrap_or_default().to_owned();
                self.reader.bad(
                    node.at,
                    &node.path,
                    format!("must be true; for its opposite write {{ not = {{ {key} = true }} }}"),
                );
                None
            }
        }
    }

    fn leaf(&mut self, key: &str, node: &Node<'a>, rule: &str) -> Option<Leaf> {
        if let Some((_, question)) = words::QUESTIONS.iter().find(|(word, _)| *word == key) {
            return self.status(*question, node, rule);
        }
        match key {
            "constant" => self.reader.flag(node).map(Leaf::Constant),
            "guaranteed" => self.reader.word(node, words::COVERAGES).map(Leaf::Guaranteed),
            "judicial_warrant" if node.as_flag().is_none() => {
                let table = self.reader.table(node, &["federal_only"])?;
                let federal = self.reader.required(&table, "federal_only")?;
                self.reader.flag(&federal).map(Leaf::JudicialWarrant)
            }
            "judicial_warrant" => self.plain(node, Leaf::JudicialWarrant(false)),
            "probable_cause_finding" => self.plain(node, Leaf::ProbableCause),
            "state_order" => self.plain(node, Leaf::StateOrder),
            "administrative_warrant" => {
                self.mark(&format!("{rule}.administrative_warrant.kinds"), node);
                self.reader.words(node, words::WARRANTS).map(Leaf::AdministrativeWarrant)
            }
            "federal_order" => self.plain(node, Leaf::FederalOrder),
            "booking_form" => self.plain(node, Leaf::BookingForm),
            "form_edition" => {
                self.mark(&format!("{rule}.form_edition.editions"), node);
                self.reader.words(node, words::EDITIONS).map(Leaf::FormEdition)
            }
            "facially_sufficient" => self.plain(node, Leaf::FaciallySufficient),
            "conviction" => self.conviction(node, &format!("{rule}.conviction")),
            "pending_charge" => self.charge(node, &format!("{rule}.pending_charge")),
            "prior_conviction" => self.plain(node, Leaf::PriorConviction),
            "age_at_least" => {
                self.mark(&format!("{rule}.age_at_least"), node);
                self.reader.number(node, 0..=u32::MAX).map(Leaf::AgeAtLeast)
            }
            "status_proof" => self.plain(node, Leaf::StatusProof),
            "served" => self.plain(node, Leaf::Served),
            _ => {
                let hint = nearest(key, KEYS);
                self.reader.bad(node.key_at, &node.path, format!("is no condition{hint}"));
                None
            }
        }
    }

    fn status(&mut self, question: Question, node: &Node<'a>, rule: &str) -> Option<Leaf> {
        let mut leaf = StatusLeaf { question, lists: Vec::new(), signers: Vec::new() };
        if node.as_flag().is_some() {
            return self.plain(node, Leaf::Status(leaf));
        }
        if node.is_list() {
            self.mark(&format!("{rule}.status.lists"), node);
            leaf.lists = self.reader.texts(node, Limits::ENTRIES)?;
        } else {
            let table = self.reader.table(node, &["lists", "signed_by"])?;
            if let Some(lists) = table.get("lists") {
                self.mark(&format!("{rule}.status.lists"), &lists);
                leaf.lists = self.reader.texts(&lists, Limits::ENTRIES)?;
            }
            if let Some(signers) = table.get("signed_by") {
                self.mark(&format!("{rule}.status.signed_by"), &signers);
                leaf.signers = self.reader.words(&signers, words::SIGNERS)?;
            }
        }
        if leaf.lists.is_empty() && leaf.signers.is_empty() {
            self.reader.bad(node.at, &node.path, "names nothing: write `true` for any");
            return None;
        }
        Some(Leaf::Status(leaf))
    }

    fn conviction(&mut self, node: &Node<'a>, rule: &str) -> Option<Leaf> {
        if node.as_flag().is_some() {
            return self.plain(node, Leaf::Conviction(ConvictionLeaf::default()));
        }
        let table = self.reader.table(node, CONVICTION)?;
        let (classes, except) = self.classes(&table, rule);
        let at_least = match table.get("at_least") {
            Some(node) => {
                self.mark(&format!("{rule}.at_least"), &node);
                self.reader.number(&node, 1..=u32::MAX)?
            }
            None => 0,
        };
        let within = match table.get("within") {
            Some(node) => {
                self.mark(&format!("{rule}.within"), &node);
                let table = self.reader.table(&node, WITHIN)?;
                let mut years = |key: &str| {
                    let node = table.get(key)?;
                    self.mark(&format!("{rule}.within.{key}"), &node);
                    self.reader.number(&node, 1..=Limits::YEARS)
                };
                let (conviction_years, release_years) = (years("conviction_years"), years("release_years"));
                let tolled = self.flag_of(&table, "tolled");
                Some(LookBack { conviction_years, release_years, tolled })
            }
            None => None,
        };
        let serving = self.flag_of(&table, "serving");
        let in_this_booking = self.flag_of(&table, "in_this_booking");
        let written_proof = self.flag_of(&table, "written_proof");
        Some(Leaf::Conviction(ConvictionLeaf {
            classes: classes?,
            except: except?,
            within,
            at_least,
            serving,
            in_this_booking,
            written_proof,
        }))
    }

    fn charge(&mut self, node: &Node<'a>, rule: &str) -> Option<Leaf> {
        if node.as_flag().is_some() {
            return self.plain(node, Leaf::PendingCharge(ChargeLeaf::default()));
        }
        let table = self.reader.table(node, CHARGE)?;
        let (classes, except) = self.classes(&table, rule);
        let magistrate_found = self.flag_of(&table, "magistrate_found");
        let without_bail = self.flag_of(&table, "without_bail");
        Some(Leaf::PendingCharge(ChargeLeaf { classes: classes?, except: except?, magistrate_found, without_bail }))
    }

    /// A flag that is false where it is left out.
    fn flag_of(&mut self, table: &super::read::Table<'a>, key: &str) -> bool {
        table.get(key).and_then(|node| self.reader.flag(&node)).unwrap_or(false)
    }

    #[expect(clippy::type_complexity, reason = "two lists, each of which may be bad")]
    fn classes(
        &mut self,
        table: &super::read::Table<'a>,
        rule: &str,
    ) -> (Option<Vec<std::sync::Arc<str>>>, Option<Vec<std::sync::Arc<str>>>) {
        let mut list = |key: &str, domain: &str| match table.get(key) {
            Some(node) => {
                self.mark(&format!("{rule}.{domain}"), &node);
                self.reader.texts(&node, Limits::ENTRIES)
            }
            None => Some(Vec::new()),
        };
        (list("classes", "offense_classes"), list("except", "except_classes"))
    }
}
