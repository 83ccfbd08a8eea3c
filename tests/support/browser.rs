//! A real browser without a window, which looks at what the program wrote.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::Project;

/// A page that shows a file at a width, and tells what a script finds in it.
const LOOK: &str = r#"<!DOCTYPE html><meta charset="utf-8"><body>
<iframe id="frame" src="FILE" style="width:WIDTHpx;height:800px;border:0"></iframe>
<script>
document.getElementById("frame").onload = event => {
    const page = event.target.contentDocument;
    const look = page => { SCRIPT };
    const found = document.createElement("pre");
    found.id = "found";
    found.textContent = JSON.stringify(look(page));
    document.body.replaceChildren(found);
};
</script></body>"#;

/// A program that is needed for a test, under the first of these names that is installed. Where there is none, that
/// is said; where the variable is set, as in CI, it is a failure.
pub(crate) fn program(names: &[&'static str], variable: &str) -> Option<&'static str> {
    let works = |name: &&&str| Command::new(name).arg("--version").output().is_ok();
    let found = names.iter().find(works).copied();
    if found.is_none() {
        let missing = format!(
            "there is no `{}` here; `scripts/setup --ci` installs it",
            names[0]
        );
        assert!(std::env::var_os(variable).is_none(), "{missing}");
        println!("NOT TESTED: {missing}");
    }
    found
}

/// A file that a package from npm brings, if it is installed; said and refused as a [`program`] is.
pub(crate) fn package(file: &str, variable: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/peers/node_modules")
        .join(file);
    if path.is_file() {
        return Some(path);
    }
    let missing = format!(
        "there is no `{}` here; `scripts/setup --ci` installs it",
        path.display()
    );
    assert!(std::env::var_os(variable).is_none(), "{missing}");
    println!("NOT TESTED: {missing}");
    None
}

/// The browser, if there is one.
pub(crate) fn browser() -> Option<&'static str> {
    program(
        &["chromium", "chromium-browser", "google-chrome"],
        "RUNBOOK_TEST_BROWSER",
    )
}

impl Project {
    /// What a script finds in a file of the project that the browser shows at this width: `page` is its document.
    #[track_caller]
    pub(crate) fn looked_at(&self, browser: &str, file: &str, width: u32, script: &str) -> Value {
        let look = LOOK.replace("FILE", file).replace("WIDTH", &width.to_string());
        self.shown(browser, &look.replace("SCRIPT", script))
    }

    /// What a page finds that the browser shows: it puts it as JSON into an element `found`.
    #[track_caller]
    pub(crate) fn shown(&self, browser: &str, page: &str) -> Value {
        let look = self.write("look.html", page);
        let output = Command::new(browser)
            .args([
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--allow-file-access-from-files",
            ])
            .args([
                "--virtual-time-budget=10000",
                "--window-size=1400,900",
                "--dump-dom",
            ])
            .arg(format!(
                "--user-data-dir={}",
                self.path().join("browser").display()
            ))
            .arg(format!("file://{}", look.display()))
            .output()
            .unwrap();
        let dom = String::from_utf8_lossy(&output.stdout).into_owned();
        let found = dom.split("<pre id=\"found\">").nth(1);
        let found = found.and_then(|rest| rest.split("</pre>").next());
        let found = found.unwrap_or_else(|| panic!("the page was not shown: {dom}"));
        let found = found
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&");
        serde_json::from_str(&found).unwrap()
    }
}
