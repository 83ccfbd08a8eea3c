//! The names in an expression: found by walking its syntax tree, and held against what there is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rhai::{AST, ASTFlags, ASTNode, Expr, Position};

use super::Wrong;
use super::functions::IN_PLACE;
use super::sandbox::FUNCTIONS;
use crate::diagnostic::{Span, closest};
use crate::id::{ParamName, StepId};
use crate::step::dotted;

/// How many steps are looked at for one that was probably meant.
pub(crate) const MOST_CANDIDATES: usize = 1_000;

/// What an expression names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// The parameters that it names.
    pub params: BTreeSet<ParamName>,
    /// Whether it may look at any parameter, since it uses `params` as a whole.
    pub every_param: bool,
    /// The steps that it names.
    pub steps: BTreeSet<StepId>,
    /// The outputs that it names, or may look at: of which step, and which one where it names one.
    pub outputs: BTreeSet<(StepId, Option<String>)>,
    /// Whether it may look at any step that comes before, since it uses `steps` as a whole.
    pub every_step: bool,
    /// The outermost names: `params`, `steps`, `item`, …
    pub top: BTreeSet<String>,
    /// Where each step is first named.
    pub(crate) places: BTreeMap<StepId, Span>,
}

/// Where an expression stands, which decides the outermost names that it may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Site {
    /// `when` or `for_each`: nothing was observed yet, and there is no item.
    Condition,
    /// Within a step's `with:`.
    Step {
        /// Whether the step has a `for_each`.
        fans_out: bool,
    },
    /// Within a session's `with:`, which belongs to no step.
    Session,
}

impl Site {
    /// The outermost names of an expression that stands here.
    pub(super) fn names(self) -> &'static [&'static str] {
        match self {
            Self::Condition => &["params", "steps", "run"],
            Self::Step { fans_out: true } => &["params", "steps", "run", "before", "outputs", "item"],
            Self::Step { fans_out: false } => &["params", "steps", "run", "before", "outputs"],
            Self::Session => &["params", "run"],
        }
    }

    /// Why a name that exists elsewhere does not exist here.
    fn lacks(self, name: &str) -> Option<&'static str> {
        match (self, name) {
            (Self::Condition, "item") => {
                Some("`when` and `for_each` are evaluated once, before there are items")
            }
            (Self::Step { .. } | Self::Session, "item") => Some("only a step with `for_each` has an `item`"),
            (Self::Condition, "before" | "outputs") => {
                Some("nothing was observed or carried out yet at this point")
            }
            (Self::Session, "steps" | "before" | "outputs") => {
                Some("a session is opened apart from any step")
            }
            _ => None,
        }
    }
}

/// What an expression may name where it stands.
#[derive(Debug, Clone)]
pub struct Known {
    params: Arc<BTreeSet<String>>,
    steps: Arc<BTreeMap<String, StepId>>,
    site: Site,
}

impl Known {
    /// The names of these parameters and steps.
    pub fn new<'a>(
        params: impl IntoIterator<Item = &'a str>,
        steps: impl IntoIterator<Item = StepId>,
        site: Site,
    ) -> Self {
        let params = params.into_iter().map(str::to_owned).collect();
        let steps = steps.into_iter().map(|id| (dotted(id.as_str()), id)).collect();
        Self {
            params: Arc::new(params),
            steps: Arc::new(steps),
            site,
        }
    }

    /// The same names at another place.
    #[must_use]
    pub fn at(&self, site: Site) -> Self {
        Self { site, ..self.clone() }
    }

    /// Where the expression stands.
    #[must_use]
    pub fn site(&self) -> Site {
        self.site
    }
}

/// The byte of `source` that a position of Rhai means.
pub(super) fn offset(source: &str, position: Position) -> Option<usize> {
    let line = position.line()?;
    let start: usize = source.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let column = position.position().unwrap_or(1);
    let rest = source.get(start..)?;
    let within = rest
        .char_indices()
        .nth(column - 1)
        .map_or(rest.len(), |(byte, _)| byte);
    Some(start + within)
}

/// Finds all names of an expression, and those that are wrong. Without `known` only the outermost are checked.
pub(super) fn check(ast: &AST, source: &str, known: Option<&Known>, top: &[&str]) -> (Names, Vec<Wrong>) {
    let locals = ast
        .iter_functions()
        .flat_map(|function| function.params)
        .map(str::to_owned)
        .collect();
    let mut finder = Finder {
        source,
        known,
        top,
        locals,
        names: Names::default(),
        wrong: Vec::new(),
    };
    let mut body = None;
    ast.walk(&mut |path| {
        // The expression comes first, the bodies of its closures follow.
        let root = path.first().map(address);
        let in_closure = *body.get_or_insert(root) != root;
        if let [before @ .., ASTNode::Expr(expr)] = path {
            let parent = match before.last() {
                Some(ASTNode::Expr(parent)) => Some(*parent),
                Some(_) | None => None,
            };
            finder.visit(expr, parent, in_closure);
        }
        true
    });
    (finder.names, finder.wrong)
}

fn address(node: &ASTNode<'_>) -> usize {
    match node {
        ASTNode::Stmt(statement) => std::ptr::from_ref(*statement).addr(),
        ASTNode::Expr(expr) => std::ptr::from_ref(*expr).addr(),
        _ => 0,
    }
}

/// One part of `a.b["c"]` after the first.
struct Part<'a> {
    name: &'a str,
    position: Position,
    rest: Option<&'a Expr>,
}

struct Finder<'a> {
    source: &'a str,
    known: Option<&'a Known>,
    top: &'a [&'a str],
    /// The parameters of closures, and what closures capture.
    locals: BTreeSet<String>,
    names: Names,
    wrong: Vec<Wrong>,
}

impl Finder<'_> {
    fn visit(&mut self, expr: &Expr, parent: Option<&Expr>, in_closure: bool) {
        match expr {
            Expr::Variable(variable, _, position) => {
                let name = variable.1.as_str();
                if in_closure && self.locals.contains(name) && !matches!(name, "params" | "steps" | "run") {
                    return;
                }
                if !self.top.contains(&name) {
                    return self.unknown_top(name, *position);
                }
                self.names.top.insert(name.to_owned());
                let part = parent.and_then(|parent| part_after(parent, expr));
                // What a closure captures is handed to it whole; its body is looked at by itself.
                let captured = matches!(parent, Some(Expr::FnCall(call, _)) if call.name == "curry");
                match (name, part) {
                    ("params", Some(part)) => self.param(&part),
                    ("params", None) if !captured => self.names.every_param = true,
                    ("steps", Some(part)) => self.step(&part),
                    ("steps", None) if !captured => self.names.every_step = true,
                    ("run", Some(part)) => {
                        self.one_of(&part, &["id", "name", "rehearsal", "operator", "host"], "run");
                    }
                    _ => {}
                }
            }
            Expr::FnCall(call, position) if call.op_token.is_none() => {
                self.function(&call.name, *position, false);
            }
            Expr::MethodCall(call, position) => self.function(&call.name, *position, true),
            _ => {}
        }
    }

    fn report(&mut self, name: &str, position: Position, message: String, help: Option<String>) {
        let start = offset(self.source, position).unwrap_or_default();
        // A name in brackets and quotes starts after the quote.
        let quoted = self.source[start..].starts_with(['"', '`', '\'']);
        let start = if quoted { start + 1 } else { start };
        let end = (start + name.len()).min(self.source.len());
        self.wrong.push(Wrong {
            start,
            end,
            message,
            help: help.into_iter().collect(),
        });
    }

    fn unknown_top(&mut self, name: &str, position: Position) {
        let site = self.known.map(Known::site);
        if let Some(why) = site.and_then(|site| site.lacks(name)) {
            return self.report(
                name,
                position,
                format!("there is no `{name}` here"),
                Some(why.to_owned()),
            );
        }
        let help = match (closest(name, self.top.iter().copied()), self.known) {
            (Some(near), _) => format!("did you mean `{near}`?"),
            (None, Some(known)) if known.params.contains(name) => format!("did you mean `params.{name}`?"),
            (None, Some(known)) if known.steps.contains_key(name) => format!("did you mean `steps.{name}`?"),
            (None, _) => format!(
                "an expression can use {}; texts stand in `\"…\"`",
                quoted_list(self.top)
            ),
        };
        self.report(name, position, format!("unknown name `{name}`"), Some(help));
    }

    fn param(&mut self, part: &Part<'_>) {
        if let Some(known) = self.known
            && !known.params.contains(part.name)
        {
            let help = match closest(part.name, known.params.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!(
                    "declare it below `params:`, as `{}: {{ type: string }}`",
                    part.name
                ),
            };
            return self.report(
                part.name,
                part.position,
                format!("there is no parameter `{}`", part.name),
                Some(help),
            );
        }
        self.names.params.extend(part.name.parse::<ParamName>());
    }

    fn step(&mut self, part: &Part<'_>) {
        let next = part.rest.and_then(head);
        let id = match self.known {
            None => part.name.parse().ok(),
            Some(known) => {
                let Some(id) = known.steps.get(&dotted(part.name)) else {
                    let ids = known
                        .steps
                        .iter()
                        .flat_map(|(dotted, id)| [dotted.as_str(), id.as_str()]);
                    let near = closest(part.name, ids.take(2 * MOST_CANDIDATES));
                    let help = near.map(|near| format!("did you mean `{near}`?"));
                    let message = format!("there is no step `{}`", part.name);
                    return self.report(part.name, part.position, message, help);
                };
                Some(id.clone())
            }
        };
        if let Some(id) = id {
            let start = offset(self.source, part.position).unwrap_or_default();
            let quote = usize::from(self.source[start..].starts_with(['"', '`']));
            let span = Span::new(start + quote, start + quote + part.name.len());
            self.names.places.entry(id.clone()).or_insert(span);
            match &next {
                Some(next) if next.name == "status" => {}
                next => {
                    let output = next.as_ref().and_then(|next| next.rest).and_then(head);
                    let output = output.map(|output| output.name.to_owned());
                    self.names.outputs.insert((id.clone(), output));
                }
            }
            self.names.steps.insert(id);
        }
        if let Some(next) = next {
            self.one_of(&next, &["outputs", "status"], "a step");
        }
    }

    fn one_of(&mut self, part: &Part<'_>, fields: &[&str], what: &str) {
        if !fields.contains(&part.name) {
            let help = match closest(part.name, fields.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("{what} has {}", quoted_list(fields)),
            };
            self.report(
                part.name,
                part.position,
                format!("{what} has no `{}`", part.name),
                Some(help),
            );
        }
    }

    fn function(&mut self, name: &str, position: Position, method: bool) {
        if method && let Some((_, instead)) = IN_PLACE.iter().find(|(in_place, _)| *in_place == name) {
            let help = match instead {
                Some(instead) => format!("use `{instead}`, which gives the changed value"),
                None => "an expression only works out a value".to_owned(),
            };
            let message = format!("`{name}` changes a value in place, which has no effect here");
            return self.report(name, position, message, Some(help));
        }
        if !FUNCTIONS.contains(name) {
            let near = closest(name, FUNCTIONS.iter().map(String::as_str));
            let help = near.map(|near| format!("did you mean `{near}`?"));
            self.report(name, position, format!("there is no function `{name}`"), help);
        }
    }
}

/// What follows `expr` in the chain that it starts, if it is a name that stands there as such.
fn part_after<'a>(parent: &'a Expr, expr: &Expr) -> Option<Part<'a>> {
    match parent {
        Expr::Dot(chain, _, _) if std::ptr::eq(&chain.lhs, expr) => head(&chain.rhs),
        Expr::Index(chain, flags, _) if std::ptr::eq(&chain.lhs, expr) => {
            // With the flag the chain ends here, and the brackets hold an expression of their own.
            let ends = flags.contains(ASTFlags::BREAK) && !matches!(chain.rhs, Expr::StringConstant(..));
            if ends { None } else { head(&chain.rhs) }
        }
        _ => None,
    }
}

/// The first name of the rest of a chain.
fn head(rest: &Expr) -> Option<Part<'_>> {
    let (first, rest) = match rest {
        Expr::Dot(chain, _, _) | Expr::Index(chain, _, _) => (&chain.lhs, Some(&chain.rhs)),
        _ => (rest, None),
    };
    match first {
        Expr::Property(property, position) => Some(Part {
            name: &property.2,
            position: *position,
            rest,
        }),
        Expr::StringConstant(name, position) => Some(Part {
            name,
            position: *position,
            rest,
        }),
        _ => None,
    }
}

fn quoted_list(names: &[&str]) -> String {
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}
