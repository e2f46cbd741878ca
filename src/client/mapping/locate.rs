//! Finds the line of a field in a TOML text, so that an error found later can still name it.

use toml::de::{DeTable, DeValue};

/// Line, from 1, of a path such as `detainer[0].edition.map`; of the nearest part of it that stands in the text; 0 where
/// not even the first part does.
pub(super) fn line_of(text: &str, path: &str) -> usize {
    let Ok(root) = DeTable::parse(text) else { return 0 };
    let mut table = root.get_ref();
    let mut offset = None;
    for part in path.split('.') {
        let (name, index) = cut(part);
        let Some((key, value)) = table.iter().find(|(key, _)| key.get_ref().as_ref() == name) else { break };
        offset = Some(key.span().start);
        let mut inner = value;
        if let (DeValue::Array(items), Some(index)) = (value.get_ref(), index) {
            let Some(item) = items.get(index) else { break };
            offset = Some(item.span().start);
            inner = item;
        }
        let DeValue::Table(next) = inner.get_ref() else { break };
        table = next;
    }
    offset.map_or(0, |start| 1 + text.get(..start).unwrap_or_default().matches('\n').count())
}

/// `detainer[1]` is the name and its place.
fn cut(part: &str) -> (&str, Option<usize>) {
    match part.split_once('[') {
        Some((name, rest)) => (name, rest.trim_end_matches(']').parse().ok()),
        None => (part, None),
    }
}

#[cfg(test)]
mod tests {
    use super::line_of;

    #[test]
    fn finds_fields_of_tables_and_of_arrays_of_tables() {
        let text =
            "format = 1\n\n[file]\nrow_id = \"x\"\n\n[[basis]]\nid = \"a\"\n\n[[basis]]\nid = \"b\"\nkind = { column = \"c\" }\n";
        for (path, line) in
            [("format", 1), ("file.row_id", 4), ("basis[1].id", 10), ("basis[1].kind.column", 11), ("file.none", 3), ("none", 0)]
        {
            assert_eq!(line_of(text, path), line, "{path}");
        }
    }
}
