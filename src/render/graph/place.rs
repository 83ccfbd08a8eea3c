//! Where the boxes of a drawn picture stand, and along which points its lines run.

use std::collections::BTreeMap;

use rust_sugiyama::configure::{Config, RankingType};
use rust_sugiyama::from_vertices_and_edges;

use super::{Picture, edges};

/// The space between boxes.
const GAP: f64 = 28.0;

/// Parts of a picture that hang together stand side by side up to this width.
const WIDEST_ROW: f64 = 1200.0;

/// With more points than this, lines run straight from box to box, however many rows they cross.
const MOST_POINTS: usize = 1500;

/// With more points than this, not every pair of neighbours is tried the other way round.
const MOST_TRIED: usize = 200;

/// A point, or the middle of a box.
pub(super) type Point = (f64, f64);

/// A picture whose every box has its place.
pub(super) struct Placed {
    pub(super) width: f64,
    pub(super) height: f64,
    /// The middle of each box.
    pub(super) boxes: Vec<Point>,
    /// Each line: the box it begins at, the points that it passes, the box it ends at.
    pub(super) lines: Vec<(usize, Vec<Point>, usize)>,
}

/// Places boxes of these sizes: each below all that come before it.
pub(super) fn placed(picture: &Picture, sizes: &[Point]) -> Placed {
    let (passed, points) = passed(picture);
    let mut all: Vec<Point> = sizes.to_vec();
    all.resize(sizes.len() + points, (0.0, 0.0));
    let edges: Vec<(u32, u32)> = passed.iter().flat_map(Line::pieces).collect();
    let places = places(&all, &edges);
    let (width, height) = extent(&all, &places);
    let lines = passed.into_iter().map(|line| {
        let points = line.over.iter().map(|&at| places[at]).collect();
        (line.from, points, line.to)
    });
    Placed {
        width,
        height,
        lines: lines.collect(),
        boxes: places[..sizes.len()].to_vec(),
    }
}

/// A line, and the numbers of the points that it passes.
struct Line {
    from: usize,
    over: Vec<usize>,
    to: usize,
}

impl Line {
    /// The pieces of the line, each from one row to the next.
    fn pieces(&self) -> Vec<(u32, u32)> {
        let all = [self.from]
            .into_iter()
            .chain(self.over.iter().copied())
            .chain([self.to]);
        let all: Vec<u32> = all.filter_map(|at| u32::try_from(at).ok()).collect();
        all.windows(2).map(|pair| (pair[0], pair[1])).collect()
    }
}

/// All lines, with a point in every row that they cross so that they run beside its boxes, and how many points.
fn passed(picture: &Picture) -> (Vec<Line>, usize) {
    let mut rows = vec![0_usize; picture.nodes.len()];
    for (from, to) in edges(picture) {
        rows[to] = rows[to].max(rows[from] + 1);
    }
    let crossed: usize = edges(picture).map(|(from, to)| rows[to] - rows[from] - 1).sum();
    let beside = crossed <= MOST_POINTS;
    let mut next = picture.nodes.len();
    let lines = edges(picture).map(|(from, to)| {
        let many = if beside { rows[to] - rows[from] - 1 } else { 0 };
        let over = (next..next + many).collect();
        next += many;
        Line { from, over, to }
    });
    let lines: Vec<Line> = lines.collect();
    (lines, next - picture.nodes.len())
}

/// The middle of each box and point: what hangs together is laid out by itself, and stands beside the others.
fn places(sizes: &[Point], edges: &[(u32, u32)]) -> Vec<Point> {
    let boxes: Vec<(u32, Point)> = (0_u32..).zip(sizes.iter().copied()).collect();
    let config = Config {
        vertex_spacing: GAP,
        dummy_vertices: false,
        ranking_type: RankingType::Up,
        transpose: sizes.len() <= MOST_TRIED,
        ..Config::default()
    };
    let parts = from_vertices_and_edges(&boxes, edges, &config);
    let mut parts: Vec<BTreeMap<usize, Point>> = parts
        .into_iter()
        .map(|(places, _, _)| places.into_iter().collect())
        .collect();
    parts.sort_by_key(|part| part.keys().next().copied());
    let mut places = vec![(0.0, 0.0); sizes.len()];
    let (mut left, mut top, mut below): (f64, f64, f64) = (0.0, 0.0, 0.0);
    for part in parts {
        let edge =
            |side: fn(Point, Point) -> f64| part.iter().map(move |(&at, &place)| side(place, sizes[at]));
        let west = edge(|(x, _), (width, _)| x - width / 2.0).fold(f64::INFINITY, f64::min);
        let east = edge(|(x, _), (width, _)| x + width / 2.0).fold(f64::NEG_INFINITY, f64::max);
        let north = edge(|(_, y), (_, height)| y - height / 2.0).fold(f64::INFINITY, f64::min);
        let south = edge(|(_, y), (_, height)| y + height / 2.0).fold(f64::NEG_INFINITY, f64::max);
        if left > 0.0 && left + (east - west) > WIDEST_ROW {
            (left, top) = (0.0, below + GAP);
        }
        for (&at, &(x, y)) in &part {
            places[at] = (x - west + left, y - north + top);
        }
        left += east - west + GAP;
        below = below.max(top + south - north);
    }
    places
}

/// How wide and how high all boxes are together.
fn extent(sizes: &[Point], places: &[Point]) -> Point {
    let both = || sizes.iter().zip(places);
    let east = both().map(|((width, _), (x, _))| x + width / 2.0);
    let south = both().map(|((_, height), (_, y))| y + height / 2.0);
    (east.fold(0.0, f64::max), south.fold(0.0, f64::max))
}
