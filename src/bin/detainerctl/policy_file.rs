//! Policy files, without a server: are they right, what do they say, what does a change mean. `docs/policy-files.md` is
//! the manual.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use detainer::policyfile::{self, Change, Mistake, PolicyFile, Ran};
use detainer::sheet::table::{Cell, Format, Sheet, Table, column};

use crate::context::{Context, Failure};
use crate::output;

/// One thing that is wrong in a file.
struct Problem {
    file: PathBuf,
    mistake: Mistake,
}

impl Problem {
    fn whole(file: &Path, why: String) -> Self {
        Self::at(file, 1, why)
    }

    fn at(file: &Path, line: usize, why: String) -> Self {
        Self { file: file.to_owned(), mistake: Mistake { line, column: 1, node: String::new(), why } }
    }
}

/// Reads files, checks their rules and runs their examples.
pub fn check(context: &Context, files: &[PathBuf]) -> Result<(), Failure> {
    let mut problems = Vec::new();
    let mut ran = 0;
    for file in files {
        match check_one(file) {
            Ok(results) => {
                ran += results.len();
                let wrong = results.into_iter().filter(|one| !one.wrong.is_empty());
                problems
                    .extend(wrong.map(|one| Problem::at(file, one.line, format!("`{}`: {}", one.name, one.wrong.join("; ")))));
            }
            Err(found) => problems.extend(found),
        }
    }
    let title = match problems.len() {
        0 => format!("{} files are right; {ran} examples answer as they say.", files.len()),
        1 => "One mistake:".to_owned(),
        many => format!("{many} mistakes:"),
    };
    if context.look().format == Format::Table {
        let lines = problems.iter().map(|Problem { file, mistake }| {
            let node = if mistake.node.is_empty() { String::new() } else { format!("{}: ", mistake.node) };
            format!("{}:{}:{}: {node}{}\n", file.display(), mistake.line, mistake.column, mistake.why)
        });
        let lines: String = lines.collect();
        output::text(&if problems.is_empty() { format!("{title}\n") } else { lines })?;
    } else {
        let columns = [("file", "FILE"), ("line", "LINE"), ("column", "COLUMN"), ("node", "NODE"), ("why", "WHY")]
            .map(|(k, h)| column(k, h));
        let mut table = Table::new(title, columns.into(), "");
        let number = |n: usize| Cell::Int(i64::try_from(n).unwrap_or(i64::MAX));
        table.rows = problems
            .iter()
            .map(|Problem { file, mistake }| {
                let Mistake { line, column, node, why } = mistake;
                let file = Cell::text(file.display().to_string());
                vec![file, number(*line), number(*column), Cell::text(node.as_str()), Cell::text(why.as_str())]
            })
            .collect();
        output::table(context, &table)?;
    }
    match problems.len() {
        0 => Ok(()),
        1 => Err(Failure::Usage("one mistake; the file is no policy".to_owned())),
        many => Err(Failure::Usage(format!("{many} mistakes; a file with one is no policy"))),
    }
}

fn check_one(path: &Path) -> Result<Vec<Ran>, Vec<Problem>> {
    let of = |path: &Path| {
        let path = path.to_owned();
        move |mistakes: Vec<Mistake>| {
            mistakes.into_iter().map(|mistake| Problem { file: path.clone(), mistake }).collect::<Vec<_>>()
        }
    };
    let text = text(path)?;
    if !policyfile::is_chain(&text) {
        return policyfile::parse(&text).map(|file| policyfile::run_examples(&file)).map_err(of(path));
    }
    let chain = policyfile::parse_chain(&text).map_err(of(path))?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut files: HashMap<&str, PolicyFile> = HashMap::new();
    for name in chain.files() {
        let path = folder.join(&**name);
        files.insert(name, policyfile::parse(&self::text(&path)?).map_err(of(&path))?);
    }
    chain.run(|name| files.get(name)).map_err(|why| vec![Problem::whole(path, why)])
}

fn text(path: &Path) -> Result<String, Vec<Problem>> {
    fs::read_to_string(path).map_err(|error| vec![Problem::whole(path, format!("cannot be read: {error}"))])
}

/// One policy, or every mistake of its file.
fn read(path: &Path) -> Result<PolicyFile, Failure> {
    let told = |problems: Vec<(usize, usize, String)>| {
        let lines = problems.iter().map(|(line, column, why)| format!("{}:{line}:{column}: {why}", path.display()));
        Failure::Usage(lines.collect::<Vec<_>>().join("\n"))
    };
    let text =
        text(path).map_err(|p| told(p.into_iter().map(|p| (p.mistake.line, p.mistake.column, p.mistake.why)).collect()))?;
    if policyfile::is_chain(&text) {
        return Err(told(vec![(1, 1, "is a chain of policies: `policy check` runs it".to_owned())]));
    }
    policyfile::parse(&text)
        .map_err(|mistakes| told(mistakes.into_iter().map(|m| (m.line, m.column, format!("{}: {}", m.node, m.why))).collect()))
}

/// A policy as a listing.
pub fn show(path: &Path) -> Result<(), Failure> {
    output::text(&policyfile::render(&read(path)?))
}

/// Two policies clause by clause, and the examples of both that they answer differently.
pub fn diff(context: &Context, before: &Path, after: &Path) -> Result<(), Failure> {
    let (before, after) = (read(before)?, read(after)?);
    let (clauses, examples) = policyfile::diff(&before, &after);
    let headings = [("clause", "CLAUSE"), ("change", "CHANGE"), ("before", "BEFORE"), ("after", "AFTER"), ("means", "MEANS")];
    let mut changed = Table::new("", headings.map(|(k, h)| column(k, h)).into(), "No clause is different.");
    for one in clauses {
        let (change, from, to) = match one.change {
            Change::Added(words) => ("added", String::new(), words),
            Change::Removed(words) => ("removed", words, String::new()),
            Change::Changed(from, to) => ("changed", from, to),
        };
        changed.rows.push([one.clause.as_str(), change, &from, &to, one.meaning].map(Cell::text).into());
    }
    let headings = [("example", "EXAMPLE"), ("of", "OF"), ("before", "BEFORE"), ("after", "AFTER")];
    let mut flipped = Table::new("", headings.map(|(k, h)| column(k, h)).into(), "No example of either is answered differently.");
    for one in examples {
        let (from, to) = (one.before.to_string(), one.after.to_string());
        flipped.rows.push([&*one.name, &*one.of, &from, &to].map(Cell::text).into());
    }
    let title = format!("{} -> {}", before.id, after.id);
    let parts = vec![("clauses", changed), ("examples", flipped)];
    output::sheet(context, &Sheet { title, parts, ..Sheet::default() })
}
