//! The graph of needs: which step comes before which.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use petgraph::Direction;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::{Bfs, Reversed};

/// The position of a step in its runbook. 32 bits: a runbook has at most some ten thousand steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepIx(u32);

impl StepIx {
    /// The step at this position.
    ///
    /// # Panics
    /// Above 2^32 steps, which the bound on a runbook's size rules out.
    #[must_use]
    pub fn new(at: usize) -> Self {
        #[expect(clippy::expect_used, reason = "the number of steps is bounded far below 2^32")]
        Self(u32::try_from(at).expect("fewer than 2^32 steps"))
    }

    /// The position, from 0.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }

    fn node(self) -> NodeIndex {
        NodeIndex::new(self.index())
    }
}

/// Steps that need each other in a circle: each needs the one after it, and the last needs the first.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the steps need each other in a circle")]
pub struct Cycle(pub Vec<StepIx>);

/// The steps and their needs, without circles, with an order in which they can be carried out.
#[derive(Debug, Clone)]
pub struct Dag {
    graph: DiGraph<(), ()>,
    order: Vec<StepIx>,
}

impl Dag {
    /// The graph of `steps` steps with these edges, each from a step to one that needs it.
    ///
    /// # Errors
    /// When there is a circle.
    pub fn new(steps: usize, edges: impl IntoIterator<Item = (StepIx, StepIx)>) -> Result<Self, Cycle> {
        let mut graph = DiGraph::new();
        for _ in 0..steps {
            graph.add_node(());
        }
        let unique: BTreeSet<(StepIx, StepIx)> = edges.into_iter().collect();
        for (need, step) in unique {
            graph.add_edge(need.node(), step.node(), ());
        }
        let order = topological(&graph)?;
        Ok(Self { graph, order })
    }

    /// An order in which every step comes after its needs, and as close as that allows to the runbook's.
    #[must_use]
    pub fn order(&self) -> &[StepIx] {
        &self.order
    }

    /// What a step needs.
    pub fn needs(&self, step: StepIx) -> impl Iterator<Item = StepIx> {
        neighbours(&self.graph, step, Direction::Incoming)
    }

    /// What needs a step.
    pub fn dependents(&self, step: StepIx) -> impl Iterator<Item = StepIx> {
        neighbours(&self.graph, step, Direction::Outgoing)
    }

    /// All that a step needs, directly or not: what is needed directly comes first.
    pub fn ancestors(&self, step: StepIx) -> impl Iterator<Item = StepIx> + Send {
        let graph = Reversed(&self.graph);
        let mut walk = Bfs::new(graph, step.node());
        let before = std::iter::from_fn(move || walk.next(graph)).skip(1);
        before.map(|node| StepIx::new(node.index()))
    }

    /// All that needs one of these steps, directly or not.
    #[must_use]
    pub fn descendants(&self, steps: impl IntoIterator<Item = StepIx>) -> BTreeSet<StepIx> {
        let mut found = BTreeSet::new();
        let mut open: VecDeque<StepIx> = steps.into_iter().collect();
        while let Some(step) = open.pop_front() {
            open.extend(self.dependents(step).filter(|&next| found.insert(next)));
        }
        found
    }
}

impl PartialEq for Dag {
    fn eq(&self, other: &Self) -> bool {
        let same_needs = |&step: &StepIx| {
            self.needs(step).collect::<BTreeSet<_>>() == other.needs(step).collect::<BTreeSet<_>>()
        };
        self.order == other.order && self.order.iter().all(same_needs)
    }
}

fn neighbours(graph: &DiGraph<(), ()>, step: StepIx, way: Direction) -> impl Iterator<Item = StepIx> {
    graph
        .neighbors_directed(step.node(), way)
        .map(|node| StepIx::new(node.index()))
}

/// Kahn's algorithm, taking the runbook's first possible step each time.
fn topological(graph: &DiGraph<(), ()>) -> Result<Vec<StepIx>, Cycle> {
    let mut steps = (0..graph.node_count()).map(StepIx::new);
    let mut unmet: Vec<usize> = steps
        .clone()
        .map(|at| neighbours(graph, at, Direction::Incoming).count())
        .collect();
    let mut free: BTreeSet<StepIx> = steps.clone().filter(|at| unmet[at.index()] == 0).collect();
    let mut order = Vec::with_capacity(graph.node_count());
    while let Some(step) = free.pop_first() {
        order.push(step);
        for next in neighbours(graph, step, Direction::Outgoing) {
            unmet[next.index()] -= 1;
            if unmet[next.index()] == 0 {
                free.insert(next);
            }
        }
    }
    match steps.find(|at| unmet[at.index()] > 0) {
        None => Ok(order),
        Some(stuck) => Err(circle(graph, stuck, &unmet)),
    }
}

/// Walks from a step that could not be ordered to its unordered needs until one comes again.
fn circle(graph: &DiGraph<(), ()>, stuck: StepIx, unmet: &[usize]) -> Cycle {
    let mut path = vec![stuck];
    let mut seen = BTreeMap::from([(stuck, 0)]);
    let mut at = stuck;
    while let Some(need) = neighbours(graph, at, Direction::Incoming).find(|need| unmet[need.index()] > 0) {
        if let Some(&start) = seen.get(&need) {
            return Cycle(path.split_off(start));
        }
        seen.insert(need, path.len());
        path.push(need);
        at = need;
    }
    Cycle(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dag(steps: usize, edges: &[(usize, usize)]) -> Result<Dag, Cycle> {
        Dag::new(
            steps,
            edges
                .iter()
                .map(|&(need, step)| (StepIx::new(need), StepIx::new(step))),
        )
    }

    fn indexes<'a>(steps: impl IntoIterator<Item = &'a StepIx>) -> Vec<usize> {
        steps.into_iter().map(|step| step.index()).collect()
    }

    #[test]
    fn the_order_keeps_to_the_runbook_where_it_can() {
        let dag = dag(5, &[(3, 1), (1, 0)]).unwrap();
        assert_eq!(indexes(dag.order()), [2, 3, 1, 0, 4]);
    }

    #[test]
    fn a_circle_is_given_as_a_path() {
        let Cycle(path) = dag(4, &[(0, 1), (1, 2), (2, 3), (3, 1)]).unwrap_err();
        assert_eq!(indexes(&path), [1, 3, 2]);
        let Cycle(path) = dag(1, &[(0, 0)]).unwrap_err();
        assert_eq!(indexes(&path), [0]);
    }

    #[test]
    fn reach_is_transitive() {
        let dag = dag(4, &[(0, 1), (1, 2), (0, 3)]).unwrap();
        assert_eq!(
            indexes(&dag.ancestors(StepIx::new(2)).collect::<Vec<_>>()),
            [1, 0]
        );
        assert_eq!(indexes(&dag.descendants([StepIx::new(1)])), [2]);
    }
}
