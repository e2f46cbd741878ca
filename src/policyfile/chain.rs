//! Chains: which policy was in force when, and what one request is answered on the days beside each change.

use super::example::{self, Expect, Request};
use super::file::{read_format, read_id, read_whole, read_zone};
use super::read::{Node, Reader, Table};
use super::{Level, Mistake, PolicyFile, Ran};
use crate::domain::ids::RevisionId;
use crate::domain::policy::Revision;
use crate::domain::time::{Date, Instant, Zone};
use std::sync::Arc;
use toml::de::DeTable;

const KEYS: &[&str] = &["format", "id", "title", "zone", "text", "until", "link", "case"];
const LINK: &[&str] = &["file", "from", "under"];
const CASE: &[&str] = &["name", "form", "facts", "agreement", "expect"];
const EXPECT: &[&str] = &["at", "policy", "hold", "reason", "notify", "transfer", "hours", "deadline"];
/// Entries of one list.
const ENTRIES: usize = 100;

/// One policy of a chain, in force until the next begins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Link {
    /// The file, as the chain names it: a path beside the chain's own.
    pub file: Arc<str>,
    /// Its first day in force; nothing for the first: as long as anybody knows.
    pub from: Option<Date>,
    /// Files of the state's laws that stand over it.
    pub under: Vec<Arc<str>>,
    /// The line it begins on.
    pub line: usize,
}

/// A chain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chain {
    /// Its id.
    pub id: RevisionId,
    /// What it is, in a line.
    pub title: Arc<str>,
    /// The zone in which its days are meant.
    pub zone: Zone,
    /// The first day of which it tells nothing any more.
    pub until: Option<Date>,
    /// Its links, in order of time.
    pub links: Vec<Link>,
    /// Requests, each asked about on several days.
    pub cases: Vec<Case>,
}

/// One request, and what it must be answered on several days.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Case {
    /// What it shows.
    pub name: Arc<str>,
    /// The request.
    pub request: Request,
    /// The days.
    pub days: Vec<CaseDay>,
}

/// What a request must be answered on one day.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CaseDay {
    /// The line it begins on.
    pub line: usize,
    /// The moment asked about.
    pub at: Instant,
    /// Id of the policy in force, or `none`.
    pub policy: Arc<str>,
    /// What must come out.
    pub expect: Expect,
}

/// Whether a text is meant as a chain: it has links.
#[must_use]
pub fn is_chain(text: &str) -> bool {
    DeTable::parse(text).is_ok_and(|root| Table::root(root.get_ref()).get("link").is_some())
}

/// Reads a chain.
///
/// # Errors
/// Every mistake in it, by line.
pub fn parse_chain(text: &str) -> Result<Chain, Vec<Mistake>> {
    read_whole(text, read_chain)
}

fn read_chain(reader: &mut Reader<'_>, root: &Table<'_>) -> Option<Chain> {
    reader.known(root, KEYS);
    read_format(reader, root);
    let id = reader.required(root, "id").and_then(|node| read_id(reader, &node));
    let title = reader.required(root, "title").and_then(|node| reader.text(&node, 200));
    if let Some(node) = root.get("text") {
        reader.text(&node, 5_000);
    }
    let zone = reader.required(root, "zone").and_then(|node| read_zone(reader, &node))?;
    let until = root.get("until").map_or(Some(None), |node| reader.day(&node).map(Some));
    let links = reader.required(root, "link").and_then(|node| reader.list(&node, ENTRIES)).unwrap_or_default();
    let read: Vec<_> = links.iter().map(|node| read_link(reader, node)).collect();
    let read: Option<Vec<Link>> = read.into_iter().collect();
    for (n, link) in read.iter().flatten().enumerate() {
        let Some(node) = links.get(n) else { continue };
        let before = n.checked_sub(1).and_then(|n| read.as_ref()?.get(n));
        match (link.from, before) {
            (None, Some(_)) => reader.bad(node.at, &format!("{}.from", node.path), "is required: the day it begins"),
            (Some(from), Some(before)) if before.from.is_some_and(|earlier| from <= earlier) => {
                reader.bad(node.at, &format!("{}.from", node.path), "must lie after that of the link before");
            }
            _ => {}
        }
    }
    let cases = match root.get("case") {
        Some(node) => {
            let entries = reader.list(&node, ENTRIES)?;
            let read: Vec<_> = entries.iter().map(|node| read_case(reader, node, zone)).collect();
            read.into_iter().collect()
        }
        None => Some(Vec::new()),
    };
    Some(Chain { id: id?, title: title?, zone, until: until?, links: read?, cases: cases? })
}

fn read_link(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Link> {
    let table = reader.table(node, LINK)?;
    let file = reader.required(&table, "file").and_then(|node| reader.text(&node, 200));
    let from = table.get("from").map_or(Some(None), |node| reader.day(&node).map(Some));
    let under = table.get("under").map_or(Some(Vec::new()), |node| reader.texts(&node, 10));
    Some(Link { file: file?, from: from?, under: under?, line: reader.line(node.at) })
}

fn read_case(reader: &mut Reader<'_>, node: &Node<'_>, zone: Zone) -> Option<Case> {
    let table = reader.table(node, CASE)?;
    let name = reader.required(&table, "name").and_then(|node| reader.text(&node, 200));
    let request = example::read_request(reader, &table);
    let days = reader.required(&table, "expect").and_then(|node| reader.list(&node, ENTRIES))?;
    let days: Vec<_> = days.iter().map(|node| read_day(reader, node, zone)).collect();
    let days: Option<Vec<CaseDay>> = days.into_iter().collect();
    Some(Case { name: name?, request: request?, days: days? })
}

fn read_day(reader: &mut Reader<'_>, node: &Node<'_>, zone: Zone) -> Option<CaseDay> {
    let table = reader.table(node, EXPECT)?;
    let at = reader.required(&table, "at").and_then(|node| reader.moment(&node, zone));
    let policy = reader.required(&table, "policy").and_then(|node| reader.text(&node, 100));
    let expect = example::expect_of(reader, &table, zone);
    Some(CaseDay { line: reader.line(node.at), at: at?, policy: policy?, expect: expect? })
}

impl Chain {
    /// Every file it names.
    pub fn files(&self) -> impl Iterator<Item = &Arc<str>> {
        self.links.iter().flat_map(|link| std::iter::once(&link.file).chain(&link.under))
    }

    /// The link in force on a local day; nothing before the first and after the last.
    #[must_use]
    pub fn link_on(&self, day: Date) -> Option<&Link> {
        let told = self.links.iter().filter(|_| self.until.is_none_or(|until| day < until));
        told.rev().find(|link| link.from.is_none_or(|from| from <= day))
    }

    /// The rule of a link, with the layers of the laws that stand over it.
    ///
    /// # Errors
    /// Why the files do not go together.
    pub fn rule<'f>(&self, link: &Link, file: impl Fn(&str) -> Option<&'f PolicyFile>) -> Result<Revision, String> {
        let found = |name: &str| file(name).ok_or_else(|| format!("{name}: there is no such file"));
        let own = found(&link.file)?;
        let mut rule = own.revision().clone();
        let next = self.links.iter().find(|other| other.from > link.from).and_then(|next| next.from).or(self.until);
        if own.effective.is_some_and(|day| link.from.is_none_or(|from| from < day)) {
            return Err(format!("{}: is not in force yet when the chain begins with it", link.file));
        }
        if own.until.is_some_and(|until| next.is_none_or(|next| until < next)) {
            return Err(format!("{}: ends before the chain goes on to the next", link.file));
        }
        let mut layers = Vec::new();
        for name in &link.under {
            let law = found(name)?;
            if law.level != Level::State {
                return Err(format!("{name}: must be a law of the state to stand over another policy"));
            }
            let state = law.revision();
            let says = state.notify_where.is_some() || state.transfer_where.is_some();
            let own_says = rule.answers.notify_declined.is_some() || rule.notify_where.is_some();
            if says && !own_says {
                return Err(format!("{name}: speaks of notice, so {} must state `notify` itself", link.file));
            }
            layers.extend(state.layers.iter().cloned());
        }
        layers.append(&mut rule.layers);
        layers.sort_by_key(|layer| layer.kind);
        rule.layers = layers;
        match crate::domain::policy::check(&rule).first() {
            Some((node, why)) => Err(format!("{}: {node}: {why}", link.file)),
            None => Ok(rule),
        }
    }

    /// Every case on every day it names.
    ///
    /// # Errors
    /// Why the files do not go together.
    pub fn run<'f>(&self, file: impl Fn(&str) -> Option<&'f PolicyFile>) -> Result<Vec<Ran>, String> {
        let mut ran = Vec::new();
        for case in &self.cases {
            for day in &case.days {
                let local = self.zone.date(day.at);
                let rule = self.link_on(local).map(|link| self.rule(link, &file)).transpose()?;
                let told = case.request.told(rule.as_ref(), self.zone, day.at);
                let mut wrong = day.expect.differences(&told, self.zone);
                let policy = rule.as_ref().map_or("none", |rule| rule.id.as_str());
                if *day.policy != *policy {
                    wrong.push(format!("policy must be {}, and is {policy}", day.policy));
                }
                ran.push(Ran { name: format!("{} on {local}", case.name).into(), line: day.line, told, wrong });
            }
        }
        Ok(ran)
    }

    /// The first days of its links and of the laws over them, and the day it ends: each changes something.
    pub fn boundaries<'f>(&self, file: impl Fn(&str) -> Option<&'f PolicyFile>) -> Vec<Date> {
        let mut days: Vec<Date> = self.links.iter().filter_map(|link| link.from).collect();
        let laws = self.links.iter().flat_map(|link| &link.under).filter_map(|name| file(name));
        let layers = laws.flat_map(|law| &law.revision().layers);
        days.extend(layers.flat_map(|layer| [layer.from, layer.until]).flatten().map(|at| self.zone.date(at)));
        days.extend(self.until);
        days.sort_unstable();
        days.dedup();
        days
    }

    /// The local days that a case asks about.
    pub fn days_asked(&self) -> impl Iterator<Item = Date> {
        self.cases.iter().flat_map(|case| &case.days).map(|day| self.zone.date(day.at))
    }
}
