//! The file as a whole.

use super::example::{self, Example};
use super::read::{self, Node, Reader, Table};
use super::tree::Trees;
use super::{Level, Mistake, PolicyFile, words};
use crate::domain::agreement::MinimumCoverage;
use crate::domain::clock::{ExclusionRule, Limit, StartRule};
use crate::domain::facts::{Stamp, TextRef};
use crate::domain::ids::RevisionId;
use crate::domain::policy::{
    self, Answers, Condition, Effect, FacialRule, Instrument, Layer, LayerKind, Limits, Mode, OpenDetainers, Revision,
};
use crate::domain::time::{Instant, Zone};
use std::sync::Arc;
use toml::de::DeTable;

/// The version of the format.
pub(super) const FORMAT: u32 = 1;
/// Bytes of one file.
pub(super) const BYTES: usize = 200_000;
/// Examples of one file.
const EXAMPLES: usize = 100;
/// Definitions of one file.
const DEFINITIONS: usize = 50;

const KEYS: &[&str] = &[
    "format",
    "id",
    "title",
    "jurisdiction",
    "state",
    "level",
    "zone",
    "text",
    "confidence",
    "unsure",
    "sources",
    "adopted",
    "effective",
    "until",
    "instrument",
    "open_detainers",
    "mode",
    "minimum_coverage",
    "condition",
    "facial",
    "notify",
    "transfer",
    "notice_hours",
    "box2_instrument",
    "clock",
    "layer",
    "define",
    "example",
];
const INSTRUMENT: &[&str] = &["title", "citation", "date", "sha256"];
const CLOCK: &[&str] = &["start", "limit", "exclusion"];
const LAYER: &[&str] = &["kind", "effect", "instrument", "from", "until", "condition"];
const EXAMPLE: &[&str] = &["name", "at", "form", "facts", "agreement", "expect"];

const LAYERS: &[(&str, (LayerKind, Option<Effect>))] = &[
    ("court-order", (LayerKind::CourtOrder, None)),
    ("state-mandate", (LayerKind::State, Some(Effect::Mandate))),
    ("state-ceiling", (LayerKind::State, Some(Effect::Ceiling))),
];

/// Reads a policy file.
///
/// # Errors
/// Every mistake in it, by line.
pub fn parse(text: &str) -> Result<PolicyFile, Vec<Mistake>> {
    read_whole(text, read_file)
}

/// Reads a TOML text; what is no TOML is told with its place too.
pub(super) fn read_whole<T>(text: &str, read: impl FnOnce(&mut Reader<'_>, &Table<'_>) -> Option<T>) -> Result<T, Vec<Mistake>> {
    let mut reader = Reader::new(text);
    if text.len() > BYTES {
        reader.bad(0, "", format!("is longer than {BYTES} bytes"));
        return Err(reader.mistakes);
    }
    let (root, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let at = error.span().map(|span| span.start);
        match error.message() {
            nested if read::is_too_deep(nested) => {
                let (at, node) = read::too_deep(text, root.get_ref(), at, Limits::DEPTH);
                let why = format!("nests deeper than a file can: conditions nest {} deep at most", Limits::DEPTH);
                reader.bad(at, &node, why);
            }
            message => reader.bad(at.unwrap_or(0), "", message),
        }
    }
    let found = if errors.is_empty() { read(&mut reader, &Table::root(root.get_ref())) } else { None };
    match found {
        Some(found) if reader.mistakes.is_empty() => Ok(found),
        _ => {
            reader.mistakes.sort();
            reader.mistakes.dedup();
            Err(reader.mistakes)
        }
    }
}

/// The format's version, which must be this one.
pub(super) fn read_format(reader: &mut Reader<'_>, root: &Table<'_>) {
    if let Some(node) = reader.required(root, "format")
        && reader.number(&node, 0..=u32::MAX).is_some_and(|format| format != FORMAT)
    {
        reader.bad(node.at, &node.path, format!("must be {FORMAT}, the version that this program reads"));
    }
}

/// A zone by its IANA name.
pub(super) fn read_zone(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Zone> {
    let name = reader.text(node, 100)?;
    let zone = name.parse().ok();
    if zone.is_none() {
        reader.bad(node.at, &node.path, "must be an IANA zone such as America/New_York");
    }
    zone
}

/// An id.
pub(super) fn read_id(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<RevisionId> {
    let word = reader.text(node, 1_000)?;
    match RevisionId::new(&word) {
        Ok(id) => Some(id),
        Err(why) => {
            reader.bad(node.at, &node.path, why.to_string());
            None
        }
    }
}

fn read_file(reader: &mut Reader<'_>, root: &Table<'_>) -> Option<PolicyFile> {
    reader.known(root, KEYS);
    read_format(reader, root);
    let id = reader.required(root, "id").and_then(|node| read_id(reader, &node));
    let mut text = |key: &str, most: usize| reader.required(root, key).and_then(|node| reader.text(&node, most));
    let title = text("title", 200);
    let jurisdiction = text("jurisdiction", 200);
    let state = text("state", 2);
    let plain = text("text", 5_000);
    let confidence = text("confidence", 1_000);
    let level = reader.required(root, "level").and_then(|node| reader.word(&node, words::LEVELS));
    let zone = reader.required(root, "zone").and_then(|node| read_zone(reader, &node));
    let mut list = |key: &str| root.get(key).map_or(Some(Vec::new()), |node| reader.texts(&node, 50));
    let (unsure, sources) = (list("unsure"), list("sources"));
    if sources.as_ref().is_some_and(Vec::is_empty) {
        reader.bad(0, "sources", "is required: where the rule is known from");
    }
    let mut day = |key: &str| root.get(key).map(|node| (reader.day(&node), node));
    let (adopted, effective, until) = (day("adopted"), day("effective"), day("until"));
    if let (Some((Some(from), _)), Some((Some(to), node))) = (&effective, &until)
        && to <= from
    {
        reader.bad(node.at, &node.path, "must lie after `effective`: it is the first day not covered");
    }
    let (adopted, effective, until) = (flat(adopted)?, flat(effective)?, flat(until)?);
    let zone = zone?;
    let revision = read_rules(reader, root, zone, id.clone(), level);
    let examples = read_examples(reader, root, zone);
    let file = PolicyFile {
        id: id?,
        title: title?,
        jurisdiction: jurisdiction?,
        state: state?,
        level: level?,
        zone,
        text: plain?,
        confidence: confidence?,
        unsure: unsure?,
        sources: sources?,
        effective,
        until,
        examples: examples?,
        rules: {
            let mut rules = revision?;
            rules.adopted = adopted;
            if let Some(day) = effective {
                let at = zone.start_of(day);
                rules.effective = Stamp { effective: at, recorded: at, known: at, seq: 0 };
            }
            rules
        },
    };
    check_examples(reader, root, &file);
    Some(file)
}

/// A value that may be missing; nothing where it is bad.
fn flat<T>(read: Option<(Option<T>, Node<'_>)>) -> Option<Option<T>> {
    read.map_or(Some(None), |(value, _)| value.map(Some))
}

fn read_rules(
    reader: &mut Reader<'_>,
    root: &Table<'_>,
    zone: Zone,
    id: Option<RevisionId>,
    level: Option<Level>,
) -> Option<Revision> {
    let mode_node = reader.required(root, "mode");
    let mode = mode_node.as_ref().and_then(|node| reader.word(node, words::MODES));
    let mut word = Words { reader: &mut *reader, root };
    let open_detainers = word.of("open_detainers", words::OPEN, OpenDetainers::Reevaluate);
    let facial = word.of("facial", words::FACIAL, FacialRule::Default);
    let minimum = word.of("minimum_coverage", words::COVERAGES, MinimumCoverage::AllCosts);
    if let (Some(node), Some(mode)) = (root.get("minimum_coverage"), mode)
        && mode != Mode::RequireReimbursementGuarantee
    {
        reader.bad(node.at, &node.path, "goes only with the mode require-reimbursement-guarantee");
    }
    let instrument = reader.required(root, "instrument").and_then(|node| read_instrument(reader, &node));
    let lent_holds = match root.get("box2_instrument") {
        Some(node) => read_instrument(reader, &node).map(Some),
        None => Some(None),
    };
    let notice_hours = match root.get("notice_hours") {
        Some(node) => reader.number(&node, 1..=Limits::NOTICE_HOURS).map(Some),
        None => Some(None),
    };
    let clock = read_clock(reader, root);
    let defined = match root.get("define") {
        Some(node) => match node.as_table() {
            Some(table) => table.keys().collect(),
            None => {
                reader.bad(node.at, &node.path, "must be tables: [define.NAME]");
                Vec::new()
            }
        },
        None => Vec::new(),
    };
    if defined.len() > DEFINITIONS {
        reader.bad(root.at, "define", format!("may have at most {DEFINITIONS} definitions"));
        return None;
    }
    let mut trees = Trees::new(reader, defined);
    let condition = match root.get("condition") {
        Some(node) => trees.tree(&node, "condition").map(Some),
        None => Some(None),
    };
    if let Some(node) = root.get("condition").or(mode_node) {
        trees.mark("condition", &node);
    }
    let layers = read_layers(&mut trees, root, zone, instrument.as_ref());
    let mut answers = Answers::default();
    let notify = read_answer(&mut trees, root, "notify", &mut answers.notify_honored, &mut answers.notify_declined);
    let transfer = read_answer(&mut trees, root, "transfer", &mut answers.transfer_honored, &mut answers.transfer_declined);
    trees.unused();
    if level == Some(Level::State) && root.get("layer").is_none() {
        trees.reader.bad(root.at, "layer", "is required where the level is state: what the state's law says");
    }
    let (start, limit, exclusion) = clock?;
    let never = Stamp { effective: Instant::MIN, recorded: Instant::MIN, known: Instant::MIN, seq: 0 };
    let revision = Revision {
        id: id?,
        mode: mode?,
        adopted: None,
        effective: never,
        open_detainers: open_detainers?,
        instrument: instrument?,
        minimum: minimum?,
        start,
        limit,
        exclusion,
        county_days: Vec::new(),
        county_days_instrument: None,
        facial: facial?,
        lent_holds: lent_holds?,
        county_days_calendar: "".into(),
        answers,
        condition: condition?,
        layers: layers?,
        notify_where: notify?,
        transfer_where: transfer?,
        notice_hours: notice_hours?,
        author: "".into(),
        approver: None,
    };
    trees.report(policy::check(&revision));
    Some(revision)
}

struct Words<'r, 't, 'a> {
    reader: &'r mut Reader<'t>,
    root: &'r Table<'a>,
}

impl Words<'_, '_, '_> {
    /// One of a few words, with one that is meant where the key is left out.
    fn of<T: Copy>(&mut self, key: &str, words: &[(&'static str, T)], otherwise: T) -> Option<T> {
        match self.root.get(key) {
            Some(node) => self.reader.word(&node, words),
            None => Some(otherwise),
        }
    }
}

fn read_instrument(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Instrument> {
    let table = reader.table(node, INSTRUMENT)?;
    let title = reader.required(&table, "title").and_then(|node| reader.text(&node, 500));
    let citation = table.get("citation").map_or(Some("".into()), |node| reader.text(&node, 200));
    let date = table.get("date").map_or(Some(None), |node| reader.day(&node).map(Some));
    let sha256 = table.get("sha256").map_or(Some(None), |node| {
        let told: Arc<str> = reader.text(&node, 64)?;
        let bytes = hex::decode(told.as_bytes()).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        if bytes.is_none() {
            reader.bad(node.at, &node.path, "must be 64 hexadecimal digits");
        }
        bytes.map(|bytes| Some(TextRef(bytes)))
    });
    Some(Instrument { title: title?, citation: citation?, date: date?, sha256: sha256? })
}

fn read_clock(reader: &mut Reader<'_>, root: &Table<'_>) -> Option<(StartRule, Limit, ExclusionRule)> {
    let usual = (StartRule::OtherwiseReleased, Limit::Hours(48), ExclusionRule::AsFormPrints);
    let Some(node) = root.get("clock") else { return Some(usual) };
    let table = reader.table(&node, CLOCK)?;
    let start = table.get("start").map_or(Some(usual.0), |node| reader.word(&node, words::STARTS));
    let limit = table.get("limit").map_or(Some(usual.1), |node| read_limit(reader, &node));
    let exclusion = table.get("exclusion");
    let of_day = limit == Some(Limit::EndOfLocalDay);
    let (at, path) = exclusion.as_ref().map_or((table.at, table.path_of("exclusion")), |node| (node.at, node.path.clone()));
    let exclusion = match exclusion {
        Some(node) => reader.word(&node, words::EXCLUSIONS),
        None => Some(if of_day { ExclusionRule::None } else { usual.2 }),
    };
    if of_day && exclusion.is_some_and(|rule| rule != ExclusionRule::None) {
        reader.bad(at, &path, "must be `none` where the limit is the end of the day");
    }
    Some((start?, limit?, exclusion?))
}

/// Hours, or `end-of-day`.
pub(super) fn read_limit(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Limit> {
    if node.as_text().is_some() {
        return reader.word(node, &[("end-of-day", Limit::EndOfLocalDay)]);
    }
    reader.number(node, 1..=Limits::HOURS).map(Limit::Hours)
}

/// `true`, `false`, both answers, or a condition. `false` and `true` mean whatever the answer about the hold.
fn read_answer<'a>(
    trees: &mut Trees<'a, '_, '_>,
    root: &Table<'a>,
    key: &str,
    honored: &mut Option<bool>,
    declined: &mut Option<bool>,
) -> Option<Option<Condition>> {
    let Some(node) = root.get(key) else { return Some(None) };
    if let Some(flag) = node.as_flag() {
        (*honored, *declined) = (Some(flag), Some(flag));
        return Some(None);
    }
    let both = ["honored", "declined"];
    let stated = node.as_table().is_some_and(|table| both.iter().any(|key| table.get(key).is_some()));
    if !stated {
        return trees.tree(&node, &format!("{key}_where")).map(Some);
    }
    let table = trees.reader.table(&node, &both)?;
    let mut flag = |key: &str| table.get(key).map_or(Some(None), |node| trees.reader.flag(&node).map(Some));
    (*honored, *declined) = (flag("honored")?, flag("declined")?);
    Some(None)
}

fn read_layers<'a>(trees: &mut Trees<'a, '_, '_>, root: &Table<'a>, zone: Zone, own: Option<&Instrument>) -> Option<Vec<Layer>> {
    let Some(node) = root.get("layer") else { return Some(Vec::new()) };
    let layers = trees.reader.list(&node, Limits::LAYERS)?;
    let layers = layers.iter().enumerate();
    let read: Vec<_> = layers.map(|(n, layer)| read_layer(trees, layer, &format!("layers[{n}]"), zone, own)).collect();
    read.into_iter().collect()
}

fn read_layer<'a>(
    trees: &mut Trees<'a, '_, '_>,
    node: &Node<'a>,
    rule: &str,
    zone: Zone,
    own: Option<&Instrument>,
) -> Option<Layer> {
    trees.mark(rule, node);
    let table = trees.reader.table(node, LAYER)?;
    let kind = trees.reader.required(&table, "kind").and_then(|node| {
        trees.mark(&format!("{rule}.kind"), &node);
        trees.reader.word(&node, LAYERS)
    });
    let stated = table.get("effect");
    let effect = match (kind, &stated) {
        (Some((_, Some(implied))), None) => Some(implied),
        (Some((_, Some(_))), Some(node)) => {
            trees.reader.bad(node.at, &node.path, "goes only with a court order: the kind says it already");
            None
        }
        (_, Some(node)) => trees.reader.word(node, words::EFFECTS),
        (Some(_), None) => {
            trees.reader.bad(table.at, &table.path_of("effect"), "is required for a court order: mandate or ceiling");
            None
        }
        (None, None) => None,
    };
    let instrument = match table.get("instrument") {
        Some(node) => read_instrument(trees.reader, &node),
        None => own.cloned(),
    };
    let mut moment = |key: &str, domain: &str| {
        let Some(node) = table.get(key) else { return Some(None) };
        trees.mark(&format!("{rule}.{domain}"), &node);
        trees.reader.moment(&node, zone).map(Some)
    };
    let (from, until) = (moment("from", "effective_time"), moment("until", "end_time"));
    let condition = trees.reader.required(&table, "condition").and_then(|node| trees.tree(&node, &format!("{rule}.condition")));
    Some(Layer { kind: kind?.0, effect: effect?, instrument: instrument?, from: from?, until: until?, condition: condition? })
}

fn read_examples(reader: &mut Reader<'_>, root: &Table<'_>, zone: Zone) -> Option<Vec<Example>> {
    let Some(node) = root.get("example") else { return Some(Vec::new()) };
    let entries = reader.list(&node, EXAMPLES)?;
    let read: Vec<_> = entries.iter().map(|entry| read_example(reader, entry, zone)).collect();
    read.into_iter().collect()
}

fn read_example(reader: &mut Reader<'_>, node: &Node<'_>, zone: Zone) -> Option<Example> {
    let table = reader.table(node, EXAMPLE)?;
    let name = reader.required(&table, "name").and_then(|node| reader.text(&node, 200));
    let at = reader.required(&table, "at").and_then(|node| reader.moment(&node, zone));
    let request = example::read_request(reader, &table);
    let expect = reader.required(&table, "expect").and_then(|node| example::read_expect(reader, &node, zone));
    Some(Example { name: name?, line: reader.line(node.at), at: at?, request: request?, expect: expect? })
}

/// Each example has a name of its own and lies within the policy's dates. A state's law may also show a day on which it
/// was not in force yet: the county rule below decides then.
fn check_examples(reader: &mut Reader<'_>, root: &Table<'_>, file: &PolicyFile) {
    let Some(entries) = root.get("example").and_then(|node| reader.list(&node, EXAMPLES)) else { return };
    for (n, (entry, example)) in entries.iter().zip(&file.examples).enumerate() {
        if file.examples.iter().take(n).any(|before| before.name == example.name) {
            reader.bad(entry.at, &format!("{}.name", entry.path), "comes twice");
        }
        if file.level != Level::State && !file.in_force(file.zone.date(example.at)) {
            reader.bad(entry.at, &format!("{}.at", entry.path), "lies outside the policy's dates");
        }
    }
}
