//! What a declaration says about its type, and the `.proto` file that says the same.

use super::{Field, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// How often a field may come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Label {
    /// Once, or left out where that means zero.
    Single,
    /// Once or not at all, and the difference counts.
    Optional,
    /// Any number of times.
    Repeated,
}

/// The type of a field.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// One of protobuf's own.
    Scalar(&'static str),
    /// A message or an enumeration: its name, and where its schema is to be had.
    Named(&'static str, fn() -> Schema),
}

impl Kind {
    fn name(&self) -> &'static str {
        match self {
            Self::Scalar(name) | Self::Named(name, _) => name,
        }
    }
}

/// One field of a message, or one case of a oneof.
#[derive(Clone, Debug)]
pub struct FieldSchema {
    /// Its number.
    pub tag: u32,
    /// Its name, in lower snake case.
    pub name: String,
    /// Its comment, line by line.
    pub doc: &'static [&'static str],
    /// How often it may come.
    pub label: Label,
    /// Its type.
    pub kind: Kind,
}

/// One case of an enumeration.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its number, never 0.
    pub number: u32,
    /// Its name as the program spells it.
    pub name: &'static str,
    /// Its comment, line by line.
    pub doc: &'static [&'static str],
}

/// What a declaration says about its type.
#[derive(Clone, Debug)]
pub enum Schema {
    /// A struct.
    Message {
        /// Its name.
        name: &'static str,
        /// Its comment, line by line.
        doc: &'static [&'static str],
        /// Its fields.
        fields: Vec<FieldSchema>,
    },
    /// An enum without payloads.
    Enumeration {
        /// Its name.
        name: &'static str,
        /// Its comment, line by line.
        doc: &'static [&'static str],
        /// Its cases.
        cases: &'static [Case],
    },
    /// An enum whose cases carry payloads: a message of which exactly one field is set.
    OneOf {
        /// Its name.
        name: &'static str,
        /// Its comment, line by line.
        doc: &'static [&'static str],
        /// Its cases.
        fields: Vec<FieldSchema>,
    },
}

/// The schema of a message's field; the type is taken from how the field is reached. For the macros.
#[doc(hidden)]
#[must_use]
pub fn field_schema<S, T: Field>(tag: u32, name: &str, doc: &'static [&'static str], _: fn(&S) -> &T) -> FieldSchema {
    let (label, kind) = T::shape();
    FieldSchema { tag, name: name.trim_start_matches("r#").to_owned(), doc, label, kind }
}

/// The schema of a oneof's case; the type is taken from how the case is made. For the macros.
#[doc(hidden)]
#[must_use]
pub fn case_schema<T: Value, E>(tag: u32, name: &str, doc: &'static [&'static str], _: fn(T) -> E) -> FieldSchema {
    FieldSchema { tag, name: snake(name), doc, label: Label::Single, kind: T::kind() }
}

/// `NeedsReview` as `needs_review`; digits stay with the letters before them.
fn snake(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut out = String::new();
    for (n, &c) in letters.iter().enumerate() {
        let after_lower = n > 0 && !letters[n - 1].is_uppercase();
        let before_lower = n > 0 && letters.get(n + 1).is_some_and(char::is_ascii_lowercase);
        if c.is_uppercase() && (after_lower || before_lower) {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}

/// The name of an enumeration's value: `Outcome`, `NeedsReview` as `OUTCOME_NEEDS_REVIEW`.
fn value_name(of: &str, case: &str) -> String {
    format!("{}_{}", snake(of), snake(case)).to_uppercase()
}

/// Every schema that can be reached, the roots first, each before what it is made of.
fn reach(roots: &[Kind]) -> Vec<Schema> {
    fn visit(kind: Kind, seen: &mut BTreeSet<&'static str>, found: &mut Vec<Schema>) {
        let Kind::Named(name, schema) = kind else { return };
        if !seen.insert(name) {
            return;
        }
        let schema = schema();
        let parts: Vec<Kind> = match &schema {
            Schema::Message { fields, .. } | Schema::OneOf { fields, .. } => fields.iter().map(|field| field.kind).collect(),
            Schema::Enumeration { .. } => Vec::new(),
        };
        found.push(schema);
        for part in parts {
            visit(part, seen, found);
        }
    }
    let (mut seen, mut found) = (BTreeSet::new(), Vec::new());
    for &root in roots {
        visit(root, &mut seen, &mut found);
    }
    found
}

/// The `.proto` file of package `detainer.journal.v1` that describes the roots and all they are made of.
#[must_use]
pub fn proto_text(roots: &[Kind]) -> String {
    let mut out = String::from(
        "// The records of the journal, as they lie on disk. Printed from the declarations in src/journal/records.rs;\n\
         // do not edit by hand.\n\
         syntax = \"proto3\";\n\npackage detainer.journal.v1;\n",
    );
    for schema in reach(roots) {
        out.push('\n');
        print(&schema, &mut out);
    }
    out
}

fn comment(indent: &str, doc: &[&str], out: &mut String) {
    for line in doc {
        let line = line.trim_end();
        let line = line.strip_prefix(' ').unwrap_or(line);
        let gap = if line.is_empty() { "" } else { " " };
        let _ = writeln!(out, "{indent}//{gap}{line}");
    }
}

fn print(schema: &Schema, out: &mut String) {
    match schema {
        Schema::Message { name, doc, fields } => {
            comment("", doc, out);
            if fields.is_empty() {
                let _ = writeln!(out, "message {name} {{}}");
                return;
            }
            let _ = writeln!(out, "message {name} {{");
            fields.iter().for_each(|field| print_field("  ", field, out));
        }
        Schema::OneOf { name, doc, fields } => {
            comment("", doc, out);
            let _ = writeln!(out, "message {name} {{\n  // Exactly one is set.\n  oneof kind {{");
            fields.iter().for_each(|field| print_field("    ", field, out));
            out.push_str("  }\n");
        }
        Schema::Enumeration { name, doc, cases } => {
            comment("", doc, out);
            let unspecified = value_name(name, "Unspecified");
            let _ = writeln!(out, "enum {name} {{\n  // Never written; refused when read.\n  {unspecified} = 0;");
            for case in *cases {
                comment("  ", case.doc, out);
                let _ = writeln!(out, "  {} = {};", value_name(name, case.name), case.number);
            }
        }
    }
    out.push_str("}\n");
}

fn print_field(indent: &str, field: &FieldSchema, out: &mut String) {
    comment(indent, field.doc, out);
    let label = match field.label {
        Label::Single => "",
        Label::Optional => "optional ",
        Label::Repeated => "repeated ",
    };
    let _ = writeln!(out, "{indent}{label}{} {} = {};", field.kind.name(), field.name, field.tag);
}

/// What would make the `.proto` file ambiguous: one name for two different types or values, or two fields of one name.
/// Empty when all is well; a test holds it so.
#[must_use]
pub fn schema_faults(roots: &[Kind]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut printed: BTreeMap<&str, String> = BTreeMap::new();
    let mut values: BTreeSet<String> = BTreeSet::new();
    let schemas = reach(roots);
    for schema in &schemas {
        let mut text = String::new();
        print(schema, &mut text);
        let (name, fields): (_, &[FieldSchema]) = match schema {
            Schema::Message { name, fields, .. } => (*name, fields),
            Schema::OneOf { name, fields, .. } => {
                if fields.iter().any(|field| field.name == "kind") {
                    faults.push(format!("{name}: a case may not be called kind"));
                }
                (*name, fields)
            }
            Schema::Enumeration { name, cases, .. } => {
                for case in *cases {
                    if !values.insert(value_name(name, case.name)) {
                        faults.push(format!("{}: two values of this name", value_name(name, case.name)));
                    }
                }
                (*name, &[])
            }
        };
        let mut names = BTreeSet::new();
        for field in fields {
            if !names.insert(field.name.as_str()) {
                faults.push(format!("{name}.{}: two fields of this name", field.name));
            }
        }
        printed.insert(name, text);
    }
    // The same name may be reached through different types: print each and compare.
    for schema in &schemas {
        let (Schema::Message { name: owner, fields, .. } | Schema::OneOf { name: owner, fields, .. }) = schema else { continue };
        for field in fields {
            let Kind::Named(name, other) = field.kind else { continue };
            let mut text = String::new();
            print(&other(), &mut text);
            if printed.get(name) != Some(&text) {
                faults.push(format!("{owner}.{}: another type is called {name} too", field.name));
            }
        }
    }
    faults
}
