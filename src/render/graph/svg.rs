//! The picture as a drawing: SVG that looks the same by itself and inside a page, in light and in dark.

use maud::{Markup, PreEscaped, html};
use textwrap::core::display_width;

use super::fold::folded;
use super::place::{Placed, Point, placed};
use super::{Node, Picture};
use crate::render::layout::cut;
use crate::render::style::{count, of_instance};

/// More steps than this are no picture that anybody could read.
const MOST: usize = 300;

/// The widest line of text in a box, in columns.
const WIDEST: usize = 56;

/// How wide a column of text is, in the font and size that the style names; a little more than most fonts need.
const COLUMN: f64 = 7.9;

const LINE: f64 = 18.0;
const PADDING: f64 = 10.0;
const MARGIN: f64 = 4.0;

const STYLE: &str = include_str!("svg.css");

/// The drawing; none where there are too many steps for one.
pub(crate) fn svg(picture: &Picture) -> Option<String> {
    let picture = folded(picture);
    if picture.nodes.len() > MOST {
        return None;
    }
    let labels: Vec<Vec<String>> = picture.nodes.iter().map(label).collect();
    let sizes: Vec<Point> = labels.iter().map(|lines| size(lines)).collect();
    let placed = placed(&picture, &sizes);
    Some(drawing(&picture, &labels, &sizes, &placed).into_string())
}

/// The lines in a box: the id, the title, and where it stands.
fn label(node: &Node) -> Vec<String> {
    let sign = node
        .status
        .map_or_else(String::new, |status| format!("{} ", of_instance(status).0));
    let stands = if node.stands.is_empty() {
        String::new()
    } else {
        format!("{sign}{}", node.stands)
    };
    let lines = [&node.id, &node.title, &stands];
    let lines = lines.into_iter().filter(|line| !line.is_empty());
    lines.map(|line| cut(&drawable(line), WIDEST)).collect()
}

/// The text without what no XML may hold.
fn drawable(text: &str) -> String {
    text.replace(['\t', '\n', '\u{fffe}', '\u{ffff}'], " ")
}

fn size(lines: &[String]) -> Point {
    let columns = lines.iter().map(|line| display_width(line)).max().unwrap_or(0);
    #[expect(clippy::cast_precision_loss, reason = "a few lines of a few columns")]
    let (columns, lines) = (columns as f64, lines.len() as f64);
    (columns * COLUMN + 2.0 * PADDING, lines * LINE + PADDING)
}

fn drawing(picture: &Picture, labels: &[Vec<String>], sizes: &[Point], placed: &Placed) -> Markup {
    let (width, height) = (placed.width + 2.0 * MARGIN, placed.height + 2.0 * MARGIN);
    let view = format!("{:.0} {:.0} {width:.0} {height:.0}", -MARGIN, -MARGIN);
    let about = format!(
        "{}; arrows lead from each to those that need it",
        count(picture.nodes.len(), "node")
    );
    html! {
        svg xmlns="http://www.w3.org/2000/svg" class="steps-picture" role="img" aria-labelledby="picture-title"
            viewBox=(view) width=(format!("{width:.0}")) height=(format!("{height:.0}")) {
            title id="picture-title" { (drawable(&picture.title)) }
            desc { (about) }
            style { (PreEscaped(STYLE)) }
            defs {
                marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto" {
                    path class="arrow" d="M0 0L8 4L0 8z" {}
                }
            }
            @for (from, points, to) in &placed.lines {
                path class="line" marker-end="url(#arrow)" d=(line(placed, sizes, *from, points, *to)) {}
            }
            @for (at, node) in picture.nodes.iter().enumerate() {
                (step(node, &labels[at], sizes[at], placed.boxes[at]))
            }
        }
    }
}

fn step(node: &Node, lines: &[String], (width, height): Point, (x, y): Point) -> Markup {
    let (left, top) = (x - width / 2.0, y - height / 2.0);
    let state = node.status.map_or("planned", |status| status.as_str());
    html! {
        g class=(format!("step {state}")) {
            title { (drawable(&format!("{}  {}  {}", node.id, node.title, node.stands))) }
            rect x=(rounded(left)) y=(rounded(top)) width=(rounded(width)) height=(rounded(height)) rx="6" {}
            @for (line, text) in (0_u8..).zip(lines) {
                text class=(if line == 0 { "id" } else { "more" }) x=(rounded(left + PADDING))
                    y=(rounded(top + LINE * (f64::from(line) + 1.0))) { (text) }
            }
        }
    }
}

/// A line from the lower edge of one box to the upper edge of another, upright wherever it passes a row.
fn line(placed: &Placed, sizes: &[Point], from: usize, points: &[Point], to: usize) -> String {
    let (x, y) = placed.boxes[from];
    let mut at = (x, y + sizes[from].1 / 2.0);
    let mut path = format!("M{} {}", rounded(at.0), rounded(at.1));
    let (x, y) = placed.boxes[to];
    for &(x, y) in points.iter().chain(&[(x, y - sizes[to].1 / 2.0)]) {
        let middle = f64::midpoint(at.1, y);
        let curve = [at.0, middle, x, middle, x, y].map(rounded);
        path += &format!("C{}", curve.join(" "));
        at = (x, y);
    }
    path
}

fn rounded(number: f64) -> String {
    format!("{number:.1}")
}
