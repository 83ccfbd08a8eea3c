//! Which of the steps that come before a script looks at, told from its syntax tree.

use std::collections::BTreeSet;

use rhai::{AST, ASTFlags, ASTNode, Expr};
use runbook_engine::step::Context;
use serde_json::{Value, json};

/// Which of the steps that come before a script may look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reads {
    /// No others than these: `cx.steps.connect`, `cx.steps["connect"]`.
    These(BTreeSet<String>),
    /// Any: it uses `cx.steps` or `cx` as a whole.
    Any,
}

impl Reads {
    /// What a script may look at whose functions are given the document as one of these parameters.
    pub(super) fn of(ast: &AST, parameters: &BTreeSet<&str>) -> Self {
        let mut named = BTreeSet::new();
        let only_named = ast.walk(&mut |path| {
            let [before @ .., ASTNode::Expr(expr @ Expr::Variable(variable, _, _))] = path else {
                return true;
            };
            if !parameters.contains(variable.1.as_str()) {
                return true;
            }
            let chain = match before.last() {
                Some(ASTNode::Expr(chain)) if begins_with(chain, expr) => chain,
                _ => return false,
            };
            match next(chain) {
                Some(("steps", Some(rest))) => match next(rest) {
                    Some((step, _)) => {
                        named.insert(step.to_owned());
                        true
                    }
                    None => false,
                },
                Some((other, _)) => other != "steps",
                None => false,
            }
        });
        if only_named { Self::These(named) } else { Self::Any }
    }

    /// The document of a step, as far as the script may look at it.
    pub(super) fn document(&self, cx: &Context) -> Value {
        match self {
            Self::Any => cx.document(),
            Self::These(names) => {
                let found = names.iter().filter_map(|name| cx.steps.find(name));
                cx.document_with(found.map(|(id, facts)| (id.to_string(), json!(facts))).collect())
            }
        }
    }
}

fn begins_with(chain: &Expr, expr: &Expr) -> bool {
    match chain {
        Expr::Dot(parts, _, _) | Expr::Index(parts, _, _) => std::ptr::eq(&parts.lhs, expr),
        _ => false,
    }
}

/// The name that follows the beginning of a chain such as `a.b["c"]`, and the chain that begins with that name, if
/// it goes on. None where it is no name that stands there as such.
fn next(chain: &Expr) -> Option<(&str, Option<&Expr>)> {
    let rest = match chain {
        // With the flag the chain ends here, and the brackets hold an expression of their own.
        Expr::Index(parts, flags, _) if flags.contains(ASTFlags::BREAK) => {
            return match &parts.rhs {
                Expr::StringConstant(name, _) => Some((name, None)),
                _ => None,
            };
        }
        Expr::Dot(parts, _, _) | Expr::Index(parts, _, _) => &parts.rhs,
        _ => return None,
    };
    let (first, goes_on) = match rest {
        Expr::Dot(parts, _, _) | Expr::Index(parts, _, _) => (&parts.lhs, Some(rest)),
        _ => (rest, None),
    };
    match first {
        Expr::Property(property, _) => Some((&property.2, goes_on)),
        Expr::StringConstant(name, _) => Some((name, goes_on)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
