//! Where in an event a field's values are, and whether values of several fields belong together.
//!
//! Values from different elements of one array do not: a pattern for `containers.name` and `containers.exitCode` asks for
//! one container with both.

use serde_json::Value;

/// One element of one array of the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Element<'e> {
    /// Known by its address: `containers` may stand in each of several objects.
    array: &'e [Value],
    index: usize,
}

impl Element<'_> {
    fn is_in(&self, array: &[Value]) -> bool {
        std::ptr::eq(self.array, array)
    }
}

/// The elements of arrays that a value is in, from the outside in: objects and arrays that are elements, while a string in
/// an array belongs together with its neighbours.
pub(super) type Place<'e> = Vec<Element<'e>>;

/// Calls `found` with each value at the path, and its place. A dot in a path may stand for an object in an object, or in the name of a field.
pub(super) fn values<'e>(event: &'e Value, path: &str, found: &mut impl FnMut(&'e Value, &Place<'e>)) {
    walk(event, Some(path), &mut Vec::new(), found);
}

fn walk<'e>(
    value: &'e Value,
    path: Option<&str>,
    place: &mut Place<'e>,
    found: &mut impl FnMut(&'e Value, &Place<'e>),
) {
    match (value, path) {
        (Value::Object(fields), Some(path)) => {
            let ends = path.match_indices('.').map(|(dot, _)| (&path[..dot], Some(&path[dot + 1..])));
            for (name, rest) in ends.chain([(path, None)]) {
                if let Some(inner) = fields.get(name) {
                    walk(inner, rest, place, found);
                }
            }
        }
        (Value::Object(_), None) => {}
        (Value::Array(elements), _) => {
            for (index, element) in elements.iter().enumerate() {
                let is_container = element.is_object() || element.is_array();
                if is_container {
                    place.push(Element { array: elements, index });
                }
                walk(element, path, place, found);
                if is_container {
                    place.pop();
                }
            }
        }
        (leaf, None) => found(leaf, place),
        (_, Some(_)) => {}
    }
}

/// Whether each field can have one of its places, without two different elements of one array.
pub(super) fn agree(mut fields: Vec<Vec<Place<'_>>>) -> bool {
    // Outside of every array there is nothing to disagree about.
    fields.retain(|places| !places.iter().any(Vec::is_empty));
    while let Some(array) = fields.first().and_then(|places| places.first()?.first()).map(|element| element.array) {
        let (together, others) = connected(fields);
        let indices: Vec<usize> =
            heads(&together).filter(|element| element.is_in(array)).map(|element| element.index).collect();
        if !indices.into_iter().any(|index| within(&together, Element { array, index }).is_some_and(agree)) {
            return false;
        }
        fields = others;
    }
    fields.is_empty()
}

fn heads<'e>(fields: &[Vec<Place<'e>>]) -> impl Iterator<Item = Element<'e>> {
    fields.iter().flatten().filter_map(|place| place.first().copied())
}

/// The first field with those that it shares an array with, also by way of others; and the rest, whose places do not
/// depend on theirs.
fn connected<'e>(mut fields: Vec<Vec<Place<'e>>>) -> (Vec<Vec<Place<'e>>>, Vec<Vec<Place<'e>>>) {
    let mut others = fields.split_off(1);
    let mut together = fields;
    loop {
        let shares = |places: &Vec<Place<'_>>| {
            let shared = |place: &Place<'_>| {
                place.first().is_some_and(|element| heads(&together).any(|head| head.is_in(element.array)))
            };
            places.iter().any(shared)
        };
        let (more, rest): (Vec<_>, Vec<_>) = others.into_iter().partition(shares);
        if more.is_empty() {
            return (together, rest);
        }
        together.extend(more);
        others = rest;
    }
}

/// What remains of the fields' places when this element is the one of its array; `None` when a field has none any more.
fn within<'e>(fields: &[Vec<Place<'e>>], element: Element<'e>) -> Option<Vec<Vec<Place<'e>>>> {
    let remaining = |place: &Place<'e>| match place.split_first() {
        Some((head, inner)) if head.is_in(element.array) => (head.index == element.index).then(|| inner.to_vec()),
        _ => Some(place.clone()),
    };
    let field = |places: &Vec<Place<'e>>| {
        let places: Vec<Place<'e>> = places.iter().filter_map(remaining).collect();
        (!places.is_empty()).then_some(places)
    };
    fields.iter().map(field).collect()
}
