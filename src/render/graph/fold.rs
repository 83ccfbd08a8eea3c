//! Steps that stand side by side and are alike, put together into one node, so that rails stay few.

use std::collections::BTreeMap;

use super::{Node, Picture, urgency};
use crate::render::style::count;

/// Fewer than this are shown one by one.
const FEWEST: usize = 4;

/// What fails, waits or is under way is always shown by itself.
const MOST_URGENT: u8 = 3;

/// The picture with one node for all steps that need the same, are needed by the same, and stand alike.
pub(super) fn folded(picture: &Picture) -> Picture {
    let needs = needs(picture);
    let mut alike: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (at, node) in picture.nodes.iter().enumerate() {
        let quiet = node.status.is_none_or(|status| urgency(status) <= MOST_URGENT);
        let apart = (!quiet).then_some(at);
        let key = (&needs[at], &node.before, node.status, apart);
        alike.entry(key).or_default().push(at);
    }
    let groups = alike.into_values().flat_map(|group| match group.len() {
        FEWEST.. => vec![group],
        _ => group.into_iter().map(|at| vec![at]).collect(),
    });
    // The first of a group comes after all that it needs, and before all that needs it.
    let mut groups: Vec<Vec<usize>> = groups.collect();
    groups.sort_unstable_by_key(|group| group[0]);
    let mut places = vec![0; picture.nodes.len()];
    for (place, group) in groups.iter().enumerate() {
        group.iter().for_each(|&at| places[at] = place);
    }
    let nodes = groups.iter().map(|group| node(picture, group, &places));
    Picture {
        nodes: nodes.collect(),
    }
}

/// What stands directly before each node.
fn needs(picture: &Picture) -> Vec<Vec<usize>> {
    let mut needs = vec![Vec::new(); picture.nodes.len()];
    for (at, node) in picture.nodes.iter().enumerate() {
        node.before.iter().for_each(|&after| needs[after].push(at));
    }
    needs
}

/// The node that stands for a group.
fn node(picture: &Picture, group: &[usize], places: &[usize]) -> Node {
    let (first, last) = (&picture.nodes[group[0]], &picture.nodes[group[group.len() - 1]]);
    let mut before: Vec<usize> = first.before.iter().map(|&after| places[after]).collect();
    before.sort_unstable();
    before.dedup();
    let one = group.len() == 1;
    Node {
        id: if one {
            first.id.clone()
        } else {
            format!("{} … {}", first.id, last.id)
        },
        title: if one {
            first.title.clone()
        } else {
            count(group.len(), "step")
        },
        status: first.status,
        stands: first.stands.clone(),
        before,
    }
}
