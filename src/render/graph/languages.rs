//! The picture in the languages of other programs: Mermaid and Graphviz's dot.

use super::{Node, Picture, edges};
use crate::render::style::of_instance;

/// A Mermaid flowchart.
pub(crate) fn mermaid(picture: &Picture) -> String {
    let escape = |text: &str| {
        let bare = text.replace('#', "#35;").replace('&', "#amp;");
        bare.replace('"', "#quot;")
            .replace('<', "#lt;")
            .replace('>', "#gt;")
    };
    let mut lines = vec!["flowchart TD".to_owned()];
    for (at, node) in picture.nodes.iter().enumerate() {
        let label: Vec<String> = label(node).iter().map(|line| escape(line)).collect();
        lines.push(format!("  s{at}[\"{}\"]", label.join("<br>")));
    }
    lines.extend(edges(picture).map(|(from, to)| format!("  s{from} --> s{to}")));
    lines.join("\n")
}

/// A graph for Graphviz.
pub(crate) fn dot(picture: &Picture) -> String {
    let escape = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    let mut lines = vec!["digraph runbook {".to_owned(), "  node [shape=box]".to_owned()];
    for (at, node) in picture.nodes.iter().enumerate() {
        let label: Vec<String> = label(node).iter().map(|line| escape(line)).collect();
        lines.push(format!("  s{at} [label=\"{}\"]", label.join("\\n")));
    }
    lines.extend(edges(picture).map(|(from, to)| format!("  s{from} -> s{to}")));
    lines.push("}".to_owned());
    lines.join("\n")
}

/// Its sign and id, its title, and where it stands: whatever of them there is.
fn label(node: &Node) -> Vec<String> {
    let sign = node
        .status
        .map_or_else(String::new, |status| format!("{} ", of_instance(status).0));
    let lines = [
        format!("{sign}{}", node.id),
        node.title.clone(),
        node.stands.clone(),
    ];
    lines.into_iter().filter(|line| !line.is_empty()).collect()
}
