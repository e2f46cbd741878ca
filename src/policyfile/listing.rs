//! A policy as a plain listing, and its clauses that are no trees.

use super::{PolicyFile, words};
use crate::domain::clock::Limit;
use crate::domain::policy::{Condition, Effect, Instrument, Layer, LayerKind, Mode, Revision};
use crate::domain::time::{Instant, Zone};
use std::fmt::Write as _;

/// The policy for people: what it is, its rule as an indented tree, its examples.
#[must_use]
pub fn render(file: &PolicyFile) -> String {
    let mut out = String::new();
    line(&mut out, 0, &format!("{}: {}", file.id, file.title));
    for (name, value) in about(file) {
        line(&mut out, 1, &format!("{name}: {value}"));
    }
    for words in file.text.lines() {
        line(&mut out, 1, &format!("| {}", words.trim()));
    }
    rule(&mut out, &file.rules, file.zone);
    line(&mut out, 1, &format!("examples: {}", file.examples.len()));
    for example in &file.examples {
        line(&mut out, 2, &format!("{}: {}", local_day(example.at, file.zone), example.name));
    }
    out
}

/// A county's revision as a file's rule is listed: its title, what is known about it by name, its rule.
#[must_use]
pub fn render_revision(revision: &Revision, zone: Zone, about: &[(&str, String)]) -> String {
    let mut out = String::new();
    line(&mut out, 0, &format!("{}: {}", revision.id, revision.instrument.title));
    for (name, value) in about {
        line(&mut out, 1, &format!("{name}: {value}"));
    }
    rule(&mut out, revision, zone);
    out
}

/// The clauses of a rule, then its trees.
fn rule(out: &mut String, rules: &Revision, zone: Zone) {
    for (name, value) in clauses(rules) {
        line(out, 1, &format!("{name}: {value}"));
    }
    for (n, layer) in rules.layers.iter().enumerate() {
        line(out, 1, &format!("layer {}: {}", n + 1, layer_words(layer, zone)));
        tree(out, 2, &layer.condition);
    }
    for (words, condition) in [
        ("honored where:", &rules.condition),
        ("the office is notified where:", &rules.notify_where),
        ("handed over where:", &rules.transfer_where),
    ] {
        if let Some(condition) = condition {
            line(out, 1, words);
            tree(out, 2, condition);
        }
    }
}

fn line(out: &mut String, indent: usize, words: &str) {
    let _ = writeln!(out, "{:width$}{words}", "", width = indent * 2);
}

fn about(file: &PolicyFile) -> Vec<(&'static str, String)> {
    let day = |day: Option<crate::domain::time::Date>| day.map(|day| day.to_string());
    let all = [
        ("of", Some(format!("{} ({}), {}", file.jurisdiction, file.state, words::level(file.level)))),
        ("adopted", day(file.rules.adopted)),
        ("in force from", day(file.effective)),
        ("until", day(file.until)),
        ("confidence", Some(file.confidence.to_string())),
    ];
    let lists = file.unsure.iter().map(|one| ("unsure", one)).chain(file.sources.iter().map(|one| ("source", one)));
    let told = all.into_iter().filter_map(|(name, value)| value.map(|value| (name, value)));
    told.chain(lists.map(|(name, value)| (name, value.to_string()))).collect()
}

/// Every clause of a rule that is no tree, by name.
pub(super) fn clauses(rule: &Revision) -> Vec<(&'static str, String)> {
    let stated = |honored: Option<bool>, declined: Option<bool>| {
        let yes = |yes: bool| if yes { "yes" } else { "no" };
        match (honored, declined) {
            (None, None) => "as the mode has it".to_owned(),
            (Some(one), Some(other)) if one == other => yes(one).to_owned(),
            (one, other) => {
                let told = |told: Option<bool>| told.map_or("as the mode has it", yes);
                format!("{} where honored, {} where declined", told(one), told(other))
            }
        }
    };
    let mut found = vec![("paper", paper(&rule.instrument)), ("mode", words::mode(rule.mode).to_owned())];
    if rule.mode == Mode::RequireReimbursementGuarantee {
        found.push(("coverage", words::coverage(rule.minimum).to_owned()));
    }
    let hours = match rule.limit {
        Limit::Hours(hours) => format!("{hours} hours"),
        Limit::EndOfLocalDay => "to the end of the local day".to_owned(),
    };
    found.push(("limit", hours));
    found.push(("clock starts", words::start(rule.start).to_owned()));
    found.push(("days that do not count", words::exclusion(rule.exclusion).to_owned()));
    found.push(("facial sufficiency", words::facial(rule.facial).to_owned()));
    if rule.notify_where.is_none() {
        found.push(("notify", stated(rule.answers.notify_honored, rule.answers.notify_declined)));
    }
    if rule.transfer_where.is_none() {
        found.push(("transfer", stated(rule.answers.transfer_honored, rule.answers.transfer_declined)));
    }
    if let Some(hours) = rule.notice_hours {
        found.push(("notice of a release within", format!("{hours} hours of T0")));
    }
    if let Some(box2) = &rule.lent_holds {
        found.push(("box 2 is a ground to hold", paper(box2)));
    }
    found.push(("open detainers", words::open(rule.open_detainers).to_owned()));
    found
}

fn paper(paper: &Instrument) -> String {
    match (&*paper.citation, paper.date) {
        ("", None) => paper.title.to_string(),
        ("", Some(date)) => format!("{} of {date}", paper.title),
        (citation, None) => format!("{} ({citation})", paper.title),
        (citation, Some(date)) => format!("{} ({citation}) of {date}", paper.title),
    }
}

/// What a layer is, in a line.
pub(super) fn layer_words(layer: &Layer, zone: Zone) -> String {
    let kind = match layer.kind {
        LayerKind::CourtOrder => "court order",
        LayerKind::State => "law of the state",
        LayerKind::CountyRule => "county rule",
    };
    let effect = match layer.effect {
        Effect::Mandate => "honors where",
        Effect::Ceiling => "declines where",
    };
    let mut words = format!("{kind}, {}", layer.instrument.title);
    if let Some(from) = layer.from {
        words = format!("{words}, from {}", local_day(from, zone));
    }
    if let Some(until) = layer.until {
        words = format!("{words} until {}", local_day(until, zone));
    }
    format!("{words}, {effect}:")
}

/// The local day of an instant.
pub(super) fn local_day(at: Instant, zone: Zone) -> String {
    zone.date(at).to_string()
}

fn tree(out: &mut String, indent: usize, condition: &Condition) {
    match condition {
        Condition::All(parts) => many(out, indent, "all of", parts),
        Condition::Any(parts) => many(out, indent, "any of", parts),
        Condition::Not(part) => {
            line(out, indent, "not");
            tree(out, indent + 1, part);
        }
        Condition::Leaf(leaf) => line(out, indent, &leaf.label()),
    }
}

fn many(out: &mut String, indent: usize, words: &str, parts: &[Condition]) {
    line(out, indent, words);
    for part in parts {
        tree(out, indent + 1, part);
    }
}

/// A condition in one line.
pub(super) fn in_words(condition: &Condition) -> String {
    let joined = |parts: &[Condition], between: &str| {
        let parts: Vec<String> = parts.iter().map(in_words).collect();
        format!("({})", parts.join(between))
    };
    match condition {
        Condition::All(parts) => joined(parts, "; and "),
        Condition::Any(parts) => joined(parts, "; or "),
        Condition::Not(part) => format!("not {}", in_words(part)),
        Condition::Leaf(leaf) => leaf.label().to_string(),
    }
}
