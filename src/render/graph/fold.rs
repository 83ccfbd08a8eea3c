//! Steps that stand side by side and are alike, put together into one node, so that pictures stay small.

use std::collections::{BTreeMap, BTreeSet};

use runbook_engine::core::InstanceStatus;

use super::{Node, Picture, urgency};
use crate::render::style::count;

/// Fewer than this are shown one by one.
const FEWEST: usize = 4;

/// Fewer than this are shown one by one where they fail, wait or are under way.
const FEWEST_URGENT: usize = 13;

/// More urgent than this is what fails, waits or is under way.
const MOST_URGENT: u8 = 3;

/// The picture with one node for all steps that stand alike, and before and after what stands alike.
pub(super) fn folded(picture: &Picture) -> Picture {
    let groups = groups(picture);
    let mut group_of = vec![0; picture.nodes.len()];
    for (at, group) in groups.iter().enumerate() {
        group.iter().for_each(|&node| group_of[node] = at);
    }
    let before = groups.iter().map(|group| {
        let after = group.iter().flat_map(|&at| &picture.nodes[at].before);
        after.map(|&after| group_of[after]).collect()
    });
    let before: Vec<BTreeSet<usize>> = before.collect();
    let order = order(&before);
    let mut places = vec![0; groups.len()];
    for (place, &at) in order.iter().enumerate() {
        places[at] = place;
    }
    let nodes = order.iter().map(|&at| {
        let mut after: Vec<usize> = before[at].iter().map(|&after| places[after]).collect();
        after.sort_unstable();
        node(picture, &groups[at], after)
    });
    Picture {
        nodes: nodes.collect(),
        title: picture.title.clone(),
    }
}

/// The steps that are shown as one, those with the first step first.
fn groups(picture: &Picture) -> Vec<Vec<usize>> {
    let nodes = &picture.nodes;
    let needs = needs(picture);
    let behind = classes(nodes, &needs, 0..nodes.len());
    let before: Vec<&[usize]> = nodes.iter().map(|node| node.before.as_slice()).collect();
    let ahead = classes(nodes, &before, (0..nodes.len()).rev());
    let mut alike: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for at in 0..nodes.len() {
        alike.entry((behind[at], ahead[at])).or_default().push(at);
    }
    let few = |group: &[usize]| {
        let urgent = nodes[group[0]]
            .status
            .is_some_and(|status| urgency(status) > MOST_URGENT);
        group.len() < if urgent { FEWEST_URGENT } else { FEWEST }
    };
    let groups = alike.into_values().flat_map(|group| {
        if few(&group) {
            group.into_iter().map(|at| vec![at]).collect()
        } else {
            vec![group]
        }
    });
    let mut groups: Vec<Vec<usize>> = groups.collect();
    groups.sort_unstable_by_key(|group| group[0]);
    groups
}

/// An order in which each group stands after all that it needs, and otherwise where it is. All of a group are as
/// deep as each other, and less deep than what needs them: there is always one that can be next.
fn order(before: &[BTreeSet<usize>]) -> Vec<usize> {
    let mut unmet = vec![0_usize; before.len()];
    before.iter().flatten().for_each(|&after| unmet[after] += 1);
    let mut ready: BTreeSet<usize> = (0..before.len()).filter(|&at| unmet[at] == 0).collect();
    let mut order = Vec::with_capacity(before.len());
    while let Some(at) = ready.pop_first() {
        order.push(at);
        for &after in &before[at] {
            unmet[after] -= 1;
            if unmet[after] == 0 {
                ready.insert(after);
            }
        }
    }
    order
}

/// What stands directly before each node.
fn needs(picture: &Picture) -> Vec<Vec<usize>> {
    let mut needs = vec![Vec::new(); picture.nodes.len()];
    for (at, node) in picture.nodes.iter().enumerate() {
        node.before.iter().for_each(|&after| needs[after].push(at));
    }
    needs
}

/// The class of each node: that of all which stand as it does, with the same classes on this side of them. Each node
/// comes after its neighbours on that side.
fn classes(
    nodes: &[Node],
    neighbours: &[impl AsRef<[usize]>],
    order: impl Iterator<Item = usize>,
) -> Vec<usize> {
    let mut known: BTreeMap<(Option<InstanceStatus>, Vec<usize>), usize> = BTreeMap::new();
    let mut found = vec![0; nodes.len()];
    for at in order {
        let mut near: Vec<usize> = neighbours[at].as_ref().iter().map(|&near| found[near]).collect();
        near.sort_unstable();
        near.dedup();
        let next = known.len();
        found[at] = *known.entry((nodes[at].status, near)).or_insert(next);
    }
    found
}

/// The node that stands for a group.
fn node(picture: &Picture, group: &[usize], before: Vec<usize>) -> Node {
    let (first, last) = (&picture.nodes[group[0]], &picture.nodes[group[group.len() - 1]]);
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
