//! The runbooks that ship, with all their files: they are in the program itself.

/// A runbook that ships.
#[derive(Debug)]
pub(crate) struct Shipped {
    /// What it is called on the command line.
    pub(crate) name: &'static str,
    /// What it does, in a few words.
    pub(crate) about: &'static str,
    pub(crate) yaml: &'static str,
    /// Its own tests.
    pub(crate) tests: &'static str,
    /// For the administrators who carry it out, in Markdown.
    pub(crate) readme: &'static str,
    /// The files that it refers to, by their names beside it.
    pub(crate) files: &'static [(&'static str, &'static str)],
}

/// Every runbook that ships.
pub(crate) const ALL: &[Shipped] = &[
    Shipped {
        name: "quickstart",
        about: "puts up notices of a maintenance, and takes them down again",
        yaml: include_str!("../runbooks/quickstart.yaml"),
        tests: include_str!("../runbooks/quickstart.test.yaml"),
        readme: include_str!("../runbooks/quickstart.README.md"),
        files: &[],
    },
    Shipped {
        name: "site-notice",
        about: "puts up two notices with a kind of step of its own",
        yaml: include_str!("../runbooks/site-notice.yaml"),
        tests: include_str!("../runbooks/site-notice.test.yaml"),
        readme: include_str!("../runbooks/site-notice.README.md"),
        files: &[("steps/notice.rhai", include_str!("../runbooks/steps/notice.rhai"))],
    },
    Shipped {
        name: "hybrid-s2s",
        about: "makes a SharePoint farm and a Microsoft 365 tenant trust each other",
        yaml: include_str!("../runbooks/hybrid-s2s.yaml"),
        tests: include_str!("../runbooks/hybrid-s2s.test.yaml"),
        readme: include_str!("../runbooks/hybrid-s2s.README.md"),
        files: &[],
    },
    Shipped {
        name: "hybrid-s2s-remove",
        about: "takes that trust away again, where no run is left to roll back",
        yaml: include_str!("../runbooks/hybrid-s2s-remove.yaml"),
        tests: include_str!("../runbooks/hybrid-s2s-remove.test.yaml"),
        readme: include_str!("../runbooks/hybrid-s2s-remove.README.md"),
        files: &[],
    },
    Shipped {
        name: "sts-certificate-rotation",
        about: "replaces the certificate with which a SharePoint farm signs its tokens",
        yaml: include_str!("../runbooks/sts-certificate-rotation.yaml"),
        tests: include_str!("../runbooks/sts-certificate-rotation.test.yaml"),
        readme: include_str!("../runbooks/sts-certificate-rotation.README.md"),
        files: &[],
    },
];

/// What `runbook new NAME` begins with; its own name is the one to replace.
pub(crate) const TEMPLATE: &str = include_str!("template.yaml");

/// The name that the template has.
pub(crate) const TEMPLATE_NAME: &str = "hello";

/// The runbook of this name that ships.
pub(crate) fn find(name: &str) -> Option<&'static Shipped> {
    ALL.iter().find(|one| one.name == name)
}

/// The names of all that ship.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|one| one.name)
}
