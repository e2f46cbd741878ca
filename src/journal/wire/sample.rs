//! Bytes made from a schema alone, for tests.

use super::*;

/// Any bytes the schema allows, the same for the same seed: every field that may be there is, or, if optional, may be.
/// Text is a word that is also a zone and an id, bytes are 32, numbers are small; `words` gives the text of named fields.
pub(in crate::journal) struct Sampler {
    pub seed: u64,
    pub words: fn(&str) -> &'static str,
}

impl Sampler {
    /// The deepest message worth sampling.
    const DEEPEST: u8 = 24;

    fn draw(&mut self, below: usize) -> usize {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.seed >> 33) as usize % below
    }

    fn byte(&mut self, below: u8) -> u8 {
        u8::try_from(self.draw(usize::from(below))).unwrap()
    }

    /// The body of a message; `None` where it would nest too deep.
    pub fn body(&mut self, kind: Kind, depth: u8) -> Option<Vec<u8>> {
        let Kind::Named(schema) = kind else { panic!("a message is wanted") };
        let mut out = Vec::new();
        match schema().body {
            _ if depth > Self::DEEPEST => return None,
            Body::Message(fields) => {
                for field in fields {
                    self.field(&field, depth, &mut out)?;
                }
            }
            Body::OneOf(cases) => {
                let first = self.draw(cases.len());
                let mut cases = cases.iter().cycle().skip(first).take(cases.len());
                let (case, value) = cases.find_map(|case| Some((case, self.value(case, depth)?)))?;
                put_key(case.tag, wire_type(case.kind), &mut out);
                out.extend(value);
            }
            Body::Enumeration(_) => panic!("a message is wanted"),
        }
        Some(out)
    }

    fn field(&mut self, field: &FieldSchema, depth: u8, out: &mut Vec<u8>) -> Option<()> {
        let wire = wire_type(field.kind);
        let times = match field.label {
            Label::Single => 1,
            // The deeper the less, so that trees end.
            Label::Optional | Label::Repeated if depth > Self::DEEPEST / 2 => 0,
            Label::Optional => self.draw(2),
            Label::Repeated => self.draw(3),
        };
        if times == 0 {
            return Some(());
        }
        let value = self.value(field, depth)?;
        if field.label == Label::Repeated && wire != WireType::Bytes {
            // A list of one, packed: it does for sets too.
            put_key(field.tag, WireType::Bytes, out);
            put_sized(out, |out| out.extend(value));
        } else {
            put_key(field.tag, wire, out);
            out.extend(value);
        }
        Some(())
    }

    fn value(&mut self, field: &FieldSchema, depth: u8) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        match field.kind {
            Kind::Scalar("string") => put_sized(&mut out, |out| out.extend((self.words)(&field.name).bytes())),
            Kind::Scalar("bytes") => put_sized(&mut out, |out| out.extend([self.byte(255); 32])),
            Kind::Scalar("sfixed64") => out.extend((self.draw(1 << 30) as u64 + 1).to_le_bytes()),
            Kind::Scalar("bool") => out.push(1),
            Kind::Scalar(_) => out.push(self.byte(100) + 1),
            Kind::Named(schema) => {
                if let Body::Enumeration(cases) = schema().body {
                    let n = self.draw(cases.len());
                    put_varint(u64::from(cases[n].number), &mut out);
                } else {
                    let body = self.body(field.kind, depth + 1)?;
                    put_sized(&mut out, |out| out.extend(body));
                }
            }
        }
        Some(out)
    }
}

fn wire_type(kind: Kind) -> WireType {
    match kind {
        Kind::Scalar("string" | "bytes") => WireType::Bytes,
        Kind::Scalar("sfixed64") => WireType::Fixed64,
        Kind::Scalar(_) => WireType::Varint,
        Kind::Named(schema) => match schema().body {
            Body::Enumeration(_) => WireType::Varint,
            _ => WireType::Bytes,
        },
    }
}
