//! Whose turn it was.

use super::event::Event;

/// The events of each variant's turn, in the order of the turns; what is of no variant's is left out.
pub(crate) fn turns(events: &[Event]) -> Vec<(&str, Vec<&Event>)> {
    let mut turns: Vec<(&str, Vec<&Event>)> = Vec::new();
    for event in events {
        let Some(variant) = event.variant.as_deref() else { continue };
        match turns.iter_mut().find(|(name, _)| *name == variant) {
            Some((_, events)) => events.push(event),
            None => turns.push((variant, vec![event])),
        }
    }
    turns
}
