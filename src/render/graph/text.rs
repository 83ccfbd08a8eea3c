//! The picture as lines of text: one step a line, with rails from each to those that need it.

use renderdag::{Ancestor, GraphRowRenderer, Renderer as _};

use super::Picture;
use super::fold::folded;
use crate::render::layout::cut;
use crate::render::style::of_instance;

/// Steps from the first to the last; lines go down to those that come after.
pub(crate) fn text(picture: &Picture, columns: Option<usize>) -> String {
    let mut rails = GraphRowRenderer::new()
        .output()
        .with_min_row_height(1)
        .build_box_drawing();
    let mut drawn = String::new();
    for (at, node) in folded(picture).nodes.iter().enumerate() {
        let sign = node.status.map_or('○', |status| of_instance(status).0);
        let stands = if node.stands.is_empty() {
            String::new()
        } else {
            format!("  ({})", node.stands)
        };
        let said = format!("{}{stands}  {}", node.id, node.title);
        let after = node.before.iter().map(|&after| Ancestor::Parent(after)).collect();
        drawn += &rails.next_row(at, after, sign.to_string(), said);
    }
    let lines = drawn.lines().map(|line| match columns {
        Some(columns) => cut(line.trim_end(), columns),
        None => line.trim_end().to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}
