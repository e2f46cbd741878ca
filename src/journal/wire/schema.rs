//! What a declaration says about its type, and the `.proto` file that says the same.

use super::{Element, Field, Value};
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
    /// A message or an enumeration: where its schema is to be had.
    Named(fn() -> Schema),
}

impl Kind {
    /// Its name as the schema spells it.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Scalar(name) => (*name).to_owned(),
            Self::Named(schema) => schema().name,
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
pub struct Schema {
    /// Its name.
    pub name: String,
    /// Its comment, line by line.
    pub doc: &'static [&'static str],
    /// What it is made of.
    pub body: Body,
}

/// What a type is made of.
#[derive(Clone, Debug)]
pub enum Body {
    /// A struct: its fields.
    Message(Vec<FieldSchema>),
    /// An enum whose cases carry payloads: a message of which exactly one field is set.
    OneOf(Vec<FieldSchema>),
    /// An enum without payloads: its cases.
    Enumeration(&'static [Case]),
}

impl Schema {
    /// Of a struct.
    #[must_use]
    pub fn message(name: &str, doc: &'static [&'static str], fields: Vec<FieldSchema>) -> Self {
        Self { name: name.to_owned(), doc, body: Body::Message(fields) }
    }

    /// Of an enum with payloads.
    #[must_use]
    pub fn one_of(name: &str, doc: &'static [&'static str], cases: Vec<FieldSchema>) -> Self {
        Self { name: name.to_owned(), doc, body: Body::OneOf(cases) }
    }

    /// Of an enum without payloads.
    #[must_use]
    pub fn enumeration(name: &str, doc: &'static [&'static str], cases: &'static [Case]) -> Self {
        Self { name: name.to_owned(), doc, body: Body::Enumeration(cases) }
    }

    /// Of the message that a list becomes where only one value may stand.
    #[must_use]
    pub fn list<T: Element>() -> Self {
        let of = T::kind().name();
        let name = match of.split_at_checked(1) {
            Some((first, rest)) => format!("{}{rest}List", first.to_uppercase()),
            None => of,
        };
        let items = FieldSchema {
            tag: 1,
            name: "items".to_owned(),
            doc: &[" What it holds, in order."],
            label: Label::Repeated,
            kind: T::kind(),
        };
        Self { name, doc: &[" A list where one value is wanted."], body: Body::Message(vec![items]) }
    }

    pub(super) fn fields(&self) -> &[FieldSchema] {
        match &self.body {
            Body::Message(fields) | Body::OneOf(fields) => fields,
            Body::Enumeration(_) => &[],
        }
    }
}

/// The schema of a message's field; the type is taken from how the field is reached. For the macros.
#[doc(hidden)]
#[must_use]
pub fn field_schema<S, T: Field>(tag: u32, name: &str, doc: &'static [&'static str], _: fn(&S) -> &T) -> FieldSchema {
    let (label, kind) = T::shape();
    FieldSchema { tag, name: name.trim_start_matches("r#").to_owned(), doc, label, kind }
}

/// The schema of a field of a oneof's case; the type is taken from how the field is reached. For the macros.
#[doc(hidden)]
#[must_use]
pub fn case_field_schema<S, T: Field>(
    tag: u32,
    name: &str,
    doc: &'static [&'static str],
    _: fn(&S) -> Option<&T>,
) -> FieldSchema {
    let (label, kind) = T::shape();
    FieldSchema { tag, name: name.trim_start_matches("r#").to_owned(), doc, label, kind }
}

/// The schema of a oneof's case. For the macros.
#[doc(hidden)]
#[must_use]
pub fn case_schema(tag: u32, name: &str, doc: &'static [&'static str], kind: Kind) -> FieldSchema {
    FieldSchema { tag, name: snake(name), doc, label: Label::Single, kind }
}

/// The type of a case's payload, taken from how the case is made. For the macros.
#[doc(hidden)]
#[must_use]
pub fn kind_of_payload<T: Value, E>(_: fn(T) -> E) -> Kind {
    T::kind()
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
pub(super) fn reach(roots: &[Kind]) -> Vec<Schema> {
    fn visit(kind: Kind, seen: &mut BTreeSet<String>, found: &mut Vec<Schema>) {
        let Kind::Named(schema) = kind else { return };
        let schema = schema();
        if !seen.insert(schema.name.clone()) {
            return;
        }
        let parts: Vec<Kind> = schema.fields().iter().map(|field| field.kind).collect();
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
        "// The records of the journal, as they lie on disk. Printed from the declarations in src/journal/records/;\n\
         // do not edit by hand.\n\
         //\n\
         // An sfixed64 is an instant: microseconds of UTC since 1970. An sint32 that names a day counts days since\n\
         // 1970-01-01. Amounts of money are cents. Bytes of a digest are 32. Every value has one encoding: fields in the\n\
         // order of their numbers, nothing that is zero or empty, shortest varints, sets in the order of their bytes.\n\
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
    let Schema { name, doc, body } = schema;
    comment("", doc, out);
    match body {
        Body::Message(fields) if fields.is_empty() => {
            let _ = writeln!(out, "message {name} {{}}");
            return;
        }
        Body::Message(fields) => {
            let _ = writeln!(out, "message {name} {{");
            for field in fields {
                print_field("  ", field, out);
            }
        }
        Body::OneOf(cases) => {
            let _ = writeln!(out, "message {name} {{\n  // Exactly one is set.\n  oneof kind {{");
            for case in cases {
                print_field("    ", case, out);
            }
            out.push_str("  }\n");
        }
        Body::Enumeration(cases) => {
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

fn printed(schema: &Schema) -> String {
    let mut text = String::new();
    print(schema, &mut text);
    text
}

/// What would make the `.proto` file ambiguous: one name for two different types or values, or two fields of one name.
/// Empty when all is well; a test holds it so.
#[must_use]
pub fn schema_faults(roots: &[Kind]) -> Vec<String> {
    let schemas = reach(roots);
    let texts: BTreeMap<&str, String> = schemas.iter().map(|schema| (schema.name.as_str(), printed(schema))).collect();
    let mut values: BTreeSet<String> = BTreeSet::new();
    let mut faults = Vec::new();
    for schema in &schemas {
        let owner = &schema.name;
        let mut names: BTreeSet<&str> = if let Body::OneOf(_) = schema.body { ["kind"].into() } else { [].into() };
        for field in schema.fields() {
            if !names.insert(&field.name) {
                faults.push(format!("{owner}.{}: another field has this name", field.name));
            }
            // The same name may be reached through different types: print each and compare.
            if let Kind::Named(other) = field.kind
                && texts.get(other().name.as_str()) != Some(&printed(&other()))
            {
                faults.push(format!("{owner}.{}: another type is called {} too", field.name, other().name));
            }
        }
        let Body::Enumeration(cases) = schema.body else { continue };
        for case in cases {
            let name = value_name(owner, case.name);
            if !values.insert(name.clone()) {
                faults.push(format!("{name}: another value has this name"));
            }
        }
    }
    faults
}
