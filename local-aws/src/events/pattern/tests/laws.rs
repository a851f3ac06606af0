//! The rule for arrays against a naive statement of it: a pattern fits when it fits one of the events that are left when
//! every array keeps only one of the objects and arrays in it.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value, json};

use super::super::Pattern;

/// Every way to keep one element of each array.
fn kept(value: &Value) -> Vec<Value> {
    match value {
        Value::Object(fields) => {
            let mut all = vec![Map::new()];
            for (name, inner) in fields {
                let choices = kept(inner);
                let with = |object: &Map<String, Value>| {
                    let object = object.clone();
                    choices.clone().into_iter().map(move |choice| {
                        let mut object = object.clone();
                        object.insert(name.clone(), choice);
                        object
                    })
                };
                all = all.iter().flat_map(with).collect();
            }
            all.into_iter().map(Value::Object).collect()
        }
        Value::Array(elements) => {
            let is_inner = |one: &&Value| one.is_object() || one.is_array();
            let plain: Vec<Value> = elements.iter().filter(|one| !is_inner(one)).cloned().collect();
            let choices: Vec<Value> = elements.iter().filter(is_inner).flat_map(kept).collect();
            if choices.is_empty() {
                return vec![Value::Array(plain)];
            }
            let with = |choice: Value| Value::Array(plain.iter().cloned().chain([choice]).collect());
            choices.into_iter().map(with).collect()
        }
        plain => vec![plain.clone()],
    }
}

/// All values at a path.
fn values(event: &Value, path: &[&str]) -> Vec<Value> {
    match event {
        Value::Array(elements) => elements.iter().flat_map(|one| values(one, path)).collect(),
        Value::Object(fields) => match path {
            [] => Vec::new(),
            [first, rest @ ..] => fields.get(*first).map(|inner| values(inner, rest)).unwrap_or_default(),
        },
        plain if path.is_empty() => vec![plain.clone()],
        _ => Vec::new(),
    }
}

fn fits(alternative: &Value, value: &Value) -> bool {
    match alternative {
        Value::Object(operator) => match operator.iter().next().map(|(name, operand)| (name.as_str(), operand)) {
            Some(("exists", wanted)) => wanted == true,
            Some(("anything-but", refused)) => !refused.as_array().unwrap().contains(value),
            Some(("numeric", bounds)) => value.as_f64().is_some_and(|value| value > bounds[1].as_f64().unwrap()),
            other => unreachable!("{other:?}"),
        },
        plain => plain == value,
    }
}

/// Whether the pattern fits an event of which each array kept one element.
fn holds<'p>(pattern: &'p Value, path: &mut Vec<&'p str>, one: &Value, whole: &Value) -> bool {
    pattern.as_object().unwrap().iter().all(|(name, asked)| {
        let all = asked.as_array();
        if let Some(objects) = all.filter(|_| name == "$or") {
            return objects.iter().any(|object| holds(object, path, one, whole));
        }
        path.push(name);
        let fit = match all {
            None => holds(asked, path, one, whole),
            Some(alternatives) => alternatives.iter().any(|alternative| {
                if *alternative == json!({"exists": false}) {
                    values(whole, path).is_empty()
                } else {
                    values(one, path).iter().any(|value| fits(alternative, value))
                }
            }),
        };
        path.pop();
        fit
    })
}

fn plain() -> impl Strategy<Value = Value> {
    select(vec![json!(1), json!(2), json!("x"), json!(null), json!(true)])
}

fn event() -> impl Strategy<Value = Value> {
    let inner = plain().prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            btree_map("[abcde]", inner.clone(), 0..4).prop_map(|fields| json!(fields)),
            vec(inner, 0..4).prop_map(Value::Array),
        ]
    });
    btree_map("[abcde]", inner, 1..5).prop_map(|fields| json!(fields))
}

fn alternatives() -> impl Strategy<Value = Value> {
    let operator = select(vec![
        json!({"exists": true}),
        json!({"exists": false}),
        json!({"anything-but": ["x"]}),
        json!({"anything-but": [1]}),
        json!({"numeric": [">", 1]}),
    ]);
    vec(prop_oneof![3 => plain(), 1 => operator], 1..3).prop_map(Value::Array)
}

/// All values of an event and the ways to them.
fn leaves(event: &Value, path: &[String]) -> Vec<(Vec<String>, Value)> {
    match event {
        Value::Object(fields) => {
            let inner = |(name, inner): (&String, &Value)| leaves(inner, &[path, std::slice::from_ref(name)].concat());
            fields.iter().flat_map(inner).collect()
        }
        Value::Array(elements) => elements.iter().flat_map(|one| leaves(one, path)).collect(),
        plain => vec![(path.to_vec(), plain.clone())],
    }
}

/// Asks for one value more; not where the pattern already asks for something on the way or behind it.
fn ask(pattern: &mut Value, path: &[String], value: &Value) {
    let Some(fields) = pattern.as_object_mut() else { return };
    match path {
        [] => {}
        [last] => {
            fields.entry(last).or_insert_with(|| json!([value]));
        }
        [first, rest @ ..] => ask(fields.entry(first).or_insert_with(|| json!({})), rest, value),
    }
}

/// Lists of objects with lists of objects, and values that are seldom the same.
fn lists() -> impl Strategy<Value = Value> {
    let inner = (0..6_u8).prop_map(Value::from).prop_recursive(3, 20, 3, |inner| {
        let object = btree_map("[abc]", inner, 1..4).prop_map(|fields| json!(fields));
        prop_oneof![object.clone(), vec(object, 1..4).prop_map(Value::Array)]
    });
    btree_map("[abc]", inner, 1..4).prop_map(|fields| json!(fields))
}

/// An `$or` has names of its own: what it does with the fields beside it is another matter.
fn pattern(or: bool) -> impl Strategy<Value = Value> {
    alternatives()
        .prop_recursive(3, 12, 3, move |inner| {
            let either = vec(btree_map("[de]", inner.clone(), 1..3), 2..4).prop_map(|objects| json!(objects));
            (btree_map("[abc]", inner, 1..4), vec(either, 0..=usize::from(or))).prop_map(|(fields, either)| {
                let mut object = json!(fields);
                object.as_object_mut().unwrap().extend(either.into_iter().map(|either| ("$or".to_owned(), either)));
                object
            })
        })
        .prop_map(|pattern| if pattern.is_object() { pattern } else { json!({ "a": pattern }) })
}

fn naive_wildcard(wildcard: &[char], text: &[char]) -> bool {
    match (wildcard, text) {
        (['*', rest @ ..], _) => (0..=text.len()).any(|skipped| naive_wildcard(rest, &text[skipped..])),
        (['\\', literal, rest @ ..], [first, text @ ..]) | ([literal, rest @ ..], [first, text @ ..]) => {
            literal == first && naive_wildcard(rest, text)
        }
        (wildcard, text) => wildcard.is_empty() && text.is_empty(),
    }
}

/// The names of a pattern's objects with a dot between them, instead of objects in objects.
fn flat(pattern: &Value) -> Value {
    let mut fields = Map::new();
    for (name, asked) in pattern.as_object().unwrap() {
        match asked {
            Value::Object(_) => {
                for (inner, asked) in flat(asked).as_object().unwrap() {
                    fields.insert(format!("{name}.{inner}"), asked.clone());
                }
            }
            other => {
                fields.insert(name.clone(), other.clone());
            }
        }
    }
    Value::Object(fields)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn a_pattern_fits_when_it_fits_one_choice_of_elements(pattern in pattern(true), event in event()) {
        let expected = kept(&event).iter().any(|one| holds(&pattern, &mut Vec::new(), one, &event));
        let compiled = Pattern::compile(&pattern.to_string()).unwrap();
        prop_assert_eq!(compiled.matches(&event), expected);
    }

    /// Values that are all there, but perhaps not in the same elements.
    #[test]
    fn what_is_asked_for_must_be_together(event in lists(), chosen in vec(any::<Index>(), 2..5)) {
        let leaves = leaves(&event, &[]);
        let mut pattern = json!({});
        for index in chosen {
            let (path, value) = index.get(&leaves);
            ask(&mut pattern, path, value);
        }
        let expected = kept(&event).iter().any(|one| holds(&pattern, &mut Vec::new(), one, &event));
        let text = pattern.to_string();
        prop_assume!(!text.contains("{}"));
        prop_assert_eq!(Pattern::compile(&text).unwrap().matches(&event), expected, "{}", text);
    }

    #[test]
    fn a_pattern_for_the_event_itself_fits_it(event in event()) {
        // What the event has, asked for one by one.
        fn asked(value: &Value) -> Option<Value> {
            match value {
                Value::Object(fields) => {
                    let fields: Map<String, Value> =
                        fields.iter().filter_map(|(name, inner)| Some((name.clone(), asked(inner)?))).collect();
                    (!fields.is_empty()).then_some(Value::Object(fields))
                }
                Value::Array(elements) => elements.iter().find_map(asked),
                plain => Some(json!([plain])),
            }
        }
        if let Some(pattern) = asked(&event) {
            prop_assert!(Pattern::compile(&pattern.to_string()).unwrap().matches(&event));
        }
    }

    #[test]
    fn a_dot_is_an_object_in_an_object(pattern in pattern(false), event in event()) {
        let nested = Pattern::compile(&pattern.to_string()).unwrap();
        let dotted = Pattern::compile(&flat(&pattern).to_string()).unwrap();
        prop_assert_eq!(nested.matches(&event), dotted.matches(&event));
    }

    #[test]
    fn a_star_is_any_characters(mut parts in vec(select(vec!["a", "a", "ä", r"\*", r"\\", "*", "*", "*"]), 0..8), text in r"[aaaä*\\]{0,6}") {
        parts.dedup_by(|one, other| one == other && *one == "*");
        let wildcard = parts.concat();
        let pattern = Pattern::compile(&json!({"a": [{"wildcard": wildcard}]}).to_string());
        prop_assume!(!pattern.as_ref().is_err_and(|error| error.message.contains("too complex")));
        let characters = |text: &str| text.chars().collect::<Vec<char>>();
        let expected = naive_wildcard(&characters(&wildcard), &characters(&text));
        prop_assert_eq!(pattern.unwrap().matches(&json!({"a": text})), expected, "{} of {}", wildcard, text);
    }
}
