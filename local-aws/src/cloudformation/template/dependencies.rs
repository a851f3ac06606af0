//! What has to be there before what.

use std::collections::{BTreeMap, BTreeSet};

use super::declared::{Resource, Template};
use super::function::{Function, walk};
use super::place::{Place, invalid};
use super::sub::{Piece, pieces};
use crate::error::ApiError;

/// For each resource that exists under these conditions: the resources that have to be there before it.
///
/// A `DependsOn` that names a resource which does not exist under them is dropped, as by CloudFormation.
///
/// # Errors
/// `Circular dependency between resources: [A, B]`.
pub(crate) fn dependencies(
    template: &Template,
    conditions: &BTreeMap<String, bool>,
) -> Result<BTreeMap<String, BTreeSet<String>>, ApiError> {
    let mut edges = BTreeMap::new();
    for (logical_id, resource) in &template.resources {
        if !template.is_active(logical_id, conditions) {
            continue;
        }
        let mut needed = referred(logical_id, resource, Some(conditions))?;
        needed.retain(|name| template.is_active(name, conditions));
        edges.insert(logical_id.clone(), needed);
    }
    refuse_circles(&edges)?;
    Ok(edges)
}

/// The same whatever the conditions are: CloudFormation refuses a circle even if no condition ever closes it.
pub(super) fn check(template: &Template) -> Result<(), ApiError> {
    let mut edges = BTreeMap::new();
    for (logical_id, resource) in &template.resources {
        let mut needed = referred(logical_id, resource, None)?;
        needed.retain(|name| template.resources.contains_key(name));
        edges.insert(logical_id.clone(), needed);
    }
    refuse_circles(&edges)
}

fn referred(
    logical_id: &str,
    resource: &Resource,
    conditions: Option<&BTreeMap<String, bool>>,
) -> Result<BTreeSet<String>, ApiError> {
    let mut names: BTreeSet<String> = resource.depends_on.iter().cloned().collect();
    let root = Place::root("Resources");
    let place = root.member(logical_id);
    let parts = [("Properties", Some(&resource.properties)), ("Metadata", resource.metadata.as_ref())];
    for (part, value) in parts {
        let Some(value) = value else { continue };
        walk(&place.member(part), value, conditions, &mut |place, function| {
            names.extend(references(place, function)?.into_iter().map(|(name, _)| name.to_owned()));
            Ok(())
        })?;
    }
    Ok(names)
}

/// What a function refers to by name, with the attribute if it asks for one. Parameters are among the names.
pub(super) fn references<'a>(
    place: &Place<'_>,
    function: Function<'a>,
) -> Result<Vec<(&'a str, Option<&'a str>)>, ApiError> {
    use super::function::Attribute;
    Ok(match function {
        Function::Ref(name) => vec![(name, None)],
        Function::GetAtt { resource, attribute: Attribute::Word(attribute) } => vec![(resource, Some(attribute))],
        // Which attribute it is follows from a parameter; that it is one of this resource is certain.
        Function::GetAtt { resource, attribute: Attribute::Function(_) } => vec![(resource, Some(""))],
        Function::Sub { text, variables } => {
            let names = pieces(place, text)?.into_iter().filter_map(|piece| match piece {
                Piece::Variable(name) if variables.is_none_or(|variables| !variables.contains_key(name)) => Some(name),
                _ => None,
            });
            names
                .map(|name| match name.split_once('.') {
                    Some((resource, attribute)) => (resource, Some(attribute)),
                    None => (name, None),
                })
                .collect()
        }
        _ => Vec::new(),
    })
}

/// Takes away what needs nothing that is left, and then what nothing needs that is left; what stays lies on circles (or
/// between two).
fn refuse_circles(edges: &BTreeMap<String, BTreeSet<String>>) -> Result<(), ApiError> {
    let mut needs: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut needed: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, others) in edges {
        needs.entry(name).or_default().extend(others.iter().map(String::as_str));
        needed.entry(name).or_default();
        others.iter().for_each(|other| {
            needed.entry(other).or_default().insert(name);
        });
    }
    take_away(&mut needs, &mut needed);
    take_away(&mut needed, &mut needs);
    if needs.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = needs.into_keys().collect();
    Err(invalid(format!("Circular dependency between resources: [{}]", names.join(", "))))
}

/// Takes away the names that point to nothing, and those that then point to nothing, and so on. `back` is the other way.
fn take_away<'a>(to: &mut BTreeMap<&'a str, BTreeSet<&'a str>>, back: &mut BTreeMap<&'a str, BTreeSet<&'a str>>) {
    let mut free: Vec<&str> = to.iter().filter(|(_, others)| others.is_empty()).map(|(name, _)| *name).collect();
    while let Some(name) = free.pop() {
        to.remove(name);
        for other in back.remove(name).unwrap_or_default() {
            if let Some(others) = to.get_mut(other) {
                others.remove(name);
                if others.is_empty() {
                    free.push(other);
                }
            }
        }
    }
}
