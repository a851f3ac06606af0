//! The law of the house: uses go down. No file uses one of a higher floor, nor, by whatever way, itself.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// The floors, from the roof down: the first parts of module paths. A file uses those of its own part and of the floors
/// below; neighbours on one floor do not know each other. A service goes on the lowest floor that is above what it uses.
const FLOORS: &[&[&str]] = &[
    &["lib"],
    &["server"],
    &["services"],
    &["cloudformation"],
    &["events", "fis", "gate"],
    &["ecs", "lambda"],
    &["program"],
    &["registry"],
    &["ecr"],
    &["dynamodb", "ec2", "images", "logs", "sqs", "sts", "tagging"],
    &["iam", "quotas"],
    &["service"],
    &["auth", "outbox"],
    &["endpoint"],
    &["identity", "latency", "store"],
    &["loopback", "paging", "reserve", "wire"],
    &["background", "error", "tag"],
];

/// What is not yet in order: uses by these modules are not looked at.
const UNDER_REPAIR: &[&str] = &[];

/// `["ecs", "task"]` is `src/ecs/task.rs`; the crate's root is empty.
type Module = Vec<String>;

/// Which module uses which.
type Uses = BTreeMap<Module, BTreeSet<Module>>;

/// What the text of a file says, but for its tests.
#[derive(Default)]
struct Scan {
    children: Vec<String>,
    /// As written, and the name that a `use` gives it.
    paths: Vec<(Vec<String>, Option<String>)>,
}

impl Scan {
    fn read(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            at = match token {
                TokenTree::Punct(hash) if hash.as_char() == '#' && is_for_tests(tokens.get(at + 1)) => {
                    end_of_item(&tokens, at + 2)
                }
                // A visibility is no use.
                TokenTree::Ident(word) if word == "pub" => at + 1 + usize::from(is_in_parentheses(tokens.get(at + 1))),
                TokenTree::Ident(word) if word == "use" => self.read_use(&[], &tokens, at + 1),
                TokenTree::Ident(word) if word == "mod" => {
                    if tokens.get(at + 2).is_some_and(|token| is(token, ';')) {
                        self.children.push(tokens[at + 1].to_string());
                    }
                    at + 2
                }
                TokenTree::Ident(_) => {
                    let (path, end) = path(&tokens, at);
                    self.paths.push((path, None));
                    end
                }
                TokenTree::Group(group) => {
                    self.read(group.stream());
                    at + 1
                }
                // `#[serde(deserialize_with = "crate::wire::flag")]`
                TokenTree::Literal(literal) => {
                    if let Some(path) = literal.to_string().strip_prefix("\"crate::").map(|rest| rest.trim_matches('"'))
                    {
                        self.paths.push((format!("crate::{path}").split("::").map(str::to_owned).collect(), None));
                    }
                    at + 1
                }
                TokenTree::Punct(_) => at + 1,
            };
        }
    }

    /// A tree of a `use`, up to its end or the comma behind it.
    fn read_use(&mut self, before: &[String], tokens: &[TokenTree], at: usize) -> usize {
        let (rest, mut end) = path(tokens, at);
        let path = [before, &rest].concat();
        if let Some(TokenTree::Group(group)) = tokens.get(end).filter(|token| token.to_string().starts_with('{')) {
            let inner: Vec<TokenTree> = group.stream().into_iter().collect();
            let mut at = 0;
            while at < inner.len() {
                at = self.read_use(&path, &inner, at) + 1;
            }
            return end + 1;
        }
        let mut name = rest.last().filter(|name| *name != "self").or(before.last()).cloned();
        if tokens.get(end).is_some_and(|token| token.to_string() == "as") {
            name = tokens.get(end + 1).map(ToString::to_string);
            end += 2;
        }
        let path = path.into_iter().enumerate().filter(|(place, part)| *place == 0 || part != "self");
        self.paths.push((path.map(|(_, part)| part).collect(), name));
        // A glob.
        if tokens.get(end).is_some_and(|token| is(token, '*')) { end + 1 } else { end }
    }
}

fn is_in_parentheses(token: Option<&TokenTree>) -> bool {
    matches!(token, Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis)
}

fn is(token: &TokenTree, character: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == character)
}

/// The parts of a path, and where it ends.
fn path(tokens: &[TokenTree], mut at: usize) -> (Vec<String>, usize) {
    let mut parts = Vec::new();
    while let Some(TokenTree::Ident(part)) = tokens.get(at) {
        parts.push(part.to_string());
        at += 1;
        if !(tokens.get(at).is_some_and(|it| is(it, ':')) && tokens.get(at + 1).is_some_and(|it| is(it, ':'))) {
            return (parts, at);
        }
        at += 2;
    }
    (parts, at)
}

fn is_for_tests(attribute: Option<&TokenTree>) -> bool {
    attribute.is_some_and(|it| it.to_string().replace(' ', "") == "[cfg(test)]")
}

/// Behind the body or the semicolon.
fn end_of_item(tokens: &[TokenTree], at: usize) -> usize {
    let is_end = |token: &TokenTree| {
        is(token, ';') || matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace)
    };
    tokens[at..].iter().position(is_end).map_or(tokens.len(), |length| at + length + 1)
}

/// The files below `src`, as their `mod` items find them.
fn scan(file: &Path, module: &Module, scans: &mut BTreeMap<Module, Scan>) {
    let text = std::fs::read_to_string(file).unwrap();
    let mut found = Scan::default();
    found.read(text.parse().unwrap_or_else(|error| panic!("{}: {error}", file.display())));
    let is_roof = file.ends_with("lib.rs") || file.ends_with("mod.rs");
    let directory = if is_roof { file.parent().unwrap().to_owned() } else { file.with_extension("") };
    for child in &found.children {
        let beside = directory.join(format!("{child}.rs"));
        let below = directory.join(child).join("mod.rs");
        scan(
            if beside.exists() { &beside } else { &below },
            &[module.as_slice(), std::slice::from_ref(child)].concat(),
            scans,
        );
    }
    scans.insert(module.clone(), found);
}

/// The deepest module that a path leads to.
fn resolve(
    module: &Module,
    path: &[String],
    names: &BTreeMap<&str, Module>,
    all: &BTreeMap<Module, Scan>,
) -> Option<Module> {
    let first = path.first()?;
    let child = [module.as_slice(), std::slice::from_ref(first)].concat();
    let (mut place, mut rest) = match first.as_str() {
        "crate" => (Vec::new(), &path[1..]),
        "self" => (module.clone(), &path[1..]),
        "super" => (module.clone(), path),
        name if names.contains_key(name) => (names[name].clone(), &path[1..]),
        _ if all.contains_key(&child) => (child, &path[1..]),
        _ => return None,
    };
    while rest.first().is_some_and(|part| part == "super") {
        place.pop();
        rest = &rest[1..];
    }
    for part in rest {
        place.push(part.clone());
        if !all.contains_key(&place) {
            place.pop();
            break;
        }
    }
    Some(place)
}

fn uses() -> Uses {
    let mut scans = BTreeMap::new();
    scan(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs"), &Vec::new(), &mut scans);
    let mut uses = Uses::new();
    for (module, found) in &scans {
        // What a `use` of a module lets its paths begin with.
        let none = BTreeMap::new();
        let imported = found.paths.iter().filter_map(|(path, name)| {
            let target = resolve(module, path, &none, &scans)?;
            (target.last() == path.last()).then_some((name.as_deref()?, target))
        });
        let names: BTreeMap<&str, Module> = imported.collect();
        let mut used: BTreeSet<Module> =
            found.paths.iter().filter_map(|(path, _)| resolve(module, path, &names, &scans)).collect();
        used.remove(module);
        uses.insert(module.clone(), used);
    }
    uses
}

fn shown(module: &Module) -> String {
    if module.is_empty() { "lib".to_owned() } else { module.join("::") }
}

/// Uses that do not go down.
fn upward(uses: &Uses) -> Vec<String> {
    let part = |module: &Module| module.first().cloned().unwrap_or_else(|| "lib".to_owned());
    let floor = |module: &Module| {
        let part = part(module);
        let floor = FLOORS.iter().position(|floor| floor.contains(&part.as_str()));
        floor.unwrap_or_else(|| panic!("{part} is on no floor: give it one in {}", file!()))
    };
    let arrows = uses.iter().flat_map(|(module, used)| used.iter().map(move |used| (module, used)));
    arrows
        .filter(|(module, used)| part(module) != part(used) && floor(module) >= floor(used))
        .map(|(module, used)| format!("{} -> {}", shown(module), shown(used)))
        .collect()
}

/// The modules that use themselves: what is left when again and again all go that use none of the others, or are used
/// by none.
fn circles(uses: &Uses) -> BTreeSet<String> {
    let mut left = uses.clone();
    loop {
        let ends: Vec<Module> = left
            .iter()
            .filter(|(module, used)| {
                !used.iter().any(|used| left.contains_key(used)) || !left.values().any(|used| used.contains(*module))
            })
            .map(|(module, _)| module.clone())
            .collect();
        if ends.is_empty() {
            return left.keys().map(shown).collect();
        }
        left.retain(|module, _| !ends.contains(module));
    }
}

#[test]
fn uses_go_down_and_never_in_a_circle() {
    let mut uses = uses();
    uses.retain(|module, _| !UNDER_REPAIR.iter().any(|part| shown(module).starts_with(part)));
    assert!(uses.len() > 100, "only {} files were found", uses.len());
    assert_eq!(upward(&uses), Vec::<String>::new());
    let circles = circles(&uses);
    let arrows = uses.iter().filter(|(module, _)| circles.contains(&shown(module))).map(|(module, used)| {
        let used: Vec<String> = used.iter().map(shown).filter(|used| circles.contains(used)).collect();
        format!("{} -> {}\n", shown(module), used.join(", "))
    });
    assert!(circles.is_empty(), "circles among these:\n{}", arrows.collect::<String>());
}

/// The law can be broken: this is how that is seen.
#[test]
fn circles_and_uses_that_go_up_are_found() {
    let module = |path: &str| -> Module { path.split("::").map(str::to_owned).collect() };
    let drawn = |arrows: &[(&str, &str)]| {
        let mut uses = Uses::new();
        for (from, to) in arrows {
            uses.entry(module(from)).or_default().insert(module(to));
            uses.entry(module(to)).or_default();
        }
        uses
    };
    let lawful = [("ecs::task", "store"), ("ecs", "ecs::task"), ("fis", "ecs"), ("store", "error")];
    assert!(circles(&drawn(&lawful)).is_empty() && upward(&drawn(&lawful)).is_empty());
    let circle = [("ecs", "ecs::task"), ("ecs::task", "ecs::tags"), ("ecs::tags", "ecs"), ("ecs::tags", "error")];
    assert_eq!(circles(&drawn(&circle)), ["ecs", "ecs::tags", "ecs::task"].map(str::to_owned).into());
    assert_eq!(upward(&drawn(&[("store", "ecs::task")])), ["store -> ecs::task"]);
    assert_eq!(upward(&drawn(&[("logs", "ec2")])), ["logs -> ec2"], "neighbours");

    let mut scan = Scan::default();
    let text = r#"
        use crate::{a, b::{self, c as d}}; use super::e::*; mod f; #[cfg(test)] mod g; #[cfg(test)] mod tests { use crate::h; }
        #[serde(with = "crate::i::j")] pub(in crate::n) fn k() -> l::M { json!({"n": o::p()}) }
    "#;
    scan.read(text.parse().unwrap());
    assert_eq!(scan.children, ["f"]);
    let paths: Vec<String> =
        scan.paths.iter().map(|(path, _)| path.join("::")).filter(|it| it.contains("::")).collect();
    assert_eq!(paths, ["crate::a", "crate::b", "crate::b::c", "super::e", "crate::i::j", "l::M", "o::p"]);
}
