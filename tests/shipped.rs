//! The runbooks that ship, held against the pages beside them: what a page tells of steps and parameters is what the
//! runbook has.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::Value;

/// A runbook and its page.
struct Shipped {
    name: &'static str,
    runbook: Value,
    page: String,
}

impl Shipped {
    fn new(name: &'static str) -> Self {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("runbooks");
        let read = |file: String| std::fs::read_to_string(folder.join(file)).unwrap();
        Self {
            name,
            runbook: serde_yaml::from_str(&read(format!("{name}.yaml"))).unwrap(),
            page: read(format!("{name}.README.md")),
        }
    }

    fn names(&self, of: &str) -> Vec<&str> {
        let fields = self.runbook[of].as_object().unwrap();
        fields.keys().map(String::as_str).collect()
    }

    /// The names in the column `column` of the table whose first row begins so; none where there is no such table.
    fn table(&self, begins: &str, column: usize) -> Vec<&str> {
        let rows = self.page.lines().skip_while(|line| !line.starts_with(begins));
        let rows = rows.take_while(|line| line.starts_with('|')).skip(2);
        let cells = rows.filter_map(|row| row.split('|').nth(column + 1));
        cells
            .flat_map(|cell| cell.split('`').skip(1).step_by(2))
            .collect()
    }

    /// The steps that say how they are undone, and by whom.
    fn undone(&self) -> BTreeSet<&str> {
        let steps = self.runbook["steps"].as_object().unwrap().iter();
        let undone = steps.filter(|(_, step)| !step["with"]["rollback"].is_null());
        undone.map(|(id, _)| id.as_str()).collect()
    }
}

fn all() -> [Shipped; 3] {
    ["hybrid-s2s", "hybrid-s2s-remove", "sts-certificate-rotation"].map(Shipped::new)
}

#[test]
fn every_step_that_is_told_of_exists_and_every_way_back_is_told_of() {
    for shipped in all() {
        let steps = shipped.names("steps");
        let told = shipped.table("| step ", 0);
        assert!(
            !told.is_empty(),
            "{}: the page has no table of steps",
            shipped.name
        );
        for step in &told {
            assert!(
                steps.contains(step),
                "{}: there is no step `{step}`",
                shipped.name
            );
        }
        for step in shipped.undone() {
            assert!(
                told.contains(&step),
                "{}: the page does not tell how `{step}` is undone",
                shipped.name
            );
        }
    }
}

#[test]
fn the_page_of_the_flagship_has_its_steps_in_their_order_and_its_parameters() {
    let flagship = Shipped::new("hybrid-s2s");
    // A step that others wait for may stand before the procedure that it belongs to.
    let told = flagship.table("| article | steps |", 1);
    assert_eq!(
        told.iter().collect::<BTreeSet<_>>(),
        flagship.names("steps").iter().collect()
    );
    assert_eq!(
        told.len(),
        flagship.names("steps").len(),
        "none stands there twice"
    );
    assert_eq!(told, flagship.names("steps"));
    assert_eq!(
        flagship
            .table("| parameter ", 0)
            .into_iter()
            .collect::<BTreeSet<_>>(),
        flagship.names("params").into_iter().collect()
    );
}
