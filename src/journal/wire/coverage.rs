//! Which of the declared fields and cases some bytes use, for tests.

use super::schema::reach;
use super::*;
use std::collections::{BTreeMap, BTreeSet};

/// What was met in the bytes seen so far.
#[derive(Default)]
pub(in crate::journal) struct Met(BTreeSet<String>);

impl Met {
    /// Walks through the body of a message, which must be one that the schema allows.
    pub fn message(&mut self, kind: Kind, body: &[u8]) {
        self.body(&kind, &mut Cursor { rest: body, depth: 1 });
    }

    fn body(&mut self, kind: &Kind, cursor: &mut Cursor<'_>) {
        let Kind::Named(schema) = kind else { panic!("a message is wanted") };
        let schema = schema();
        let fields: BTreeMap<u64, &FieldSchema> = schema.fields().iter().map(|field| (u64::from(field.tag), field)).collect();
        let mut absent: BTreeSet<&str> = schema.fields().iter().map(|field| field.name.as_str()).collect();
        while !cursor.is_empty() {
            let (tag, wire) = cursor.key().unwrap();
            let field = fields[&tag];
            absent.remove(field.name.as_str());
            self.0.insert(format!("{}.{}", schema.name, field.name));
            self.value(field, wire, cursor);
        }
        if let Body::Message(_) = schema.body {
            self.0.extend(absent.iter().map(|field| format!("{}.{field} left out", schema.name)));
        }
    }

    fn value(&mut self, field: &FieldSchema, wire: u64, cursor: &mut Cursor<'_>) {
        match (field.kind, wire) {
            (Kind::Named(schema), 0) => self.case(&schema(), cursor),
            (Kind::Named(schema), _) if matches!(schema().body, Body::Enumeration(_)) => {
                let mut packed = cursor.packed().unwrap();
                while !packed.is_empty() {
                    self.case(&schema(), &mut packed);
                }
            }
            (Kind::Named(_), _) => self.body(&field.kind, &mut cursor.packed().unwrap()),
            (Kind::Scalar(_), 0) => drop(cursor.varint().unwrap()),
            (Kind::Scalar(_), 1) => drop(cursor.fixed64().unwrap()),
            (Kind::Scalar(_), _) => drop(cursor.bytes().unwrap()),
        }
    }

    fn case(&mut self, schema: &Schema, cursor: &mut Cursor<'_>) {
        let number = cursor.varint().unwrap();
        let Body::Enumeration(cases) = schema.body else { panic!("an enumeration is wanted") };
        let case = cases.iter().find(|case| u64::from(case.number) == number).unwrap();
        self.0.insert(format!("{}.{}", schema.name, case.name));
    }

    /// The fields and cases that `kind` can reach and that were not met.
    pub fn missing(&self, kind: Kind, which: Which) -> Vec<String> {
        let mut wanted = Vec::new();
        for Schema { name, body, .. } in reach(&[kind]) {
            match body {
                Body::Message(fields) | Body::OneOf(fields) if which != Which::LeftOut => {
                    wanted.extend(fields.iter().map(|field| format!("{name}.{}", field.name)));
                }
                Body::Message(fields) => {
                    let free = fields.iter().filter(|field| field.label != Label::Single);
                    wanted.extend(free.map(|field| format!("{name}.{} left out", field.name)));
                }
                Body::Enumeration(cases) if which == Which::Cases => {
                    wanted.extend(cases.iter().map(|case| format!("{name}.{}", case.name)));
                }
                Body::OneOf(_) | Body::Enumeration(_) => {}
            }
        }
        wanted.retain(|one| !self.0.contains(one));
        wanted
    }
}

/// What to look for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::journal) enum Which {
    /// Every field of every message, and every case with a payload.
    Fields,
    /// The same, and every case of every enumeration.
    Cases,
    /// Every optional field and list, left out.
    LeftOut,
}

/// The names of the enumerations that `kind` can reach, with how many cases each has.
pub(in crate::journal) fn enumerations(kind: Kind) -> BTreeMap<String, usize> {
    let cases = |schema: Schema| match schema.body {
        Body::Enumeration(cases) => Some((schema.name, cases.len())),
        _ => None,
    };
    reach(&[kind]).into_iter().filter_map(cases).collect()
}
