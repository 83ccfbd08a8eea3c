//! What the functions of a script give back, as far as its text shows it: a form that the engine would refuse is
//! found before a run meets it.

use rhai::{AST, ASTFlags, ASTNode, Expr, FnCallExpr, Ident, Position, Stmt, StmtBlock};
use runbook_engine::diagnostic::closest;

use super::answer;
use super::mistakes::Problem;

/// Functions of the host that give nothing.
const NOTHING: &[&str] = &["log", "print", "write_file", "sleep"];

/// Functions of the host that give `true` or `false`.
const TRUTH: &[&str] = &["exists", "matches", "remove_file"];

/// Operators that give `true` or `false`.
const COMPARING: &[&str] = &["==", "!=", "<", "<=", ">", ">=", "!"];

/// An output that a script declares.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Declared<'a> {
    pub(crate) name: &'a str,
    pub(crate) is_required: bool,
}

/// What a function gives back in one place of its text.
#[derive(Clone, Copy)]
enum Form<'a> {
    Nothing,
    /// `true` or `false`; none where the text leaves open which.
    Truth(Option<bool>),
    Text,
    Map(&'a [(Ident, Expr)]),
    /// A number or a list.
    Other,
    Unknown,
}

/// Whether `validate` and `run` of all parts of a script give what they may; see [`problems`].
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn check(parts: &[AST], declared: Option<&[Declared<'_>]>) -> Result<(), Vec<Problem>> {
    let problems: Vec<Problem> = parts.iter().flat_map(|part| problems(part, declared)).collect();
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems)
    }
}

/// What is wrong with that which `validate` and `run` give. `declared` holds all outputs, where the script must say
/// which it gives.
fn problems(ast: &AST, declared: Option<&[Declared<'_>]>) -> Vec<Problem> {
    let own: Vec<&str> = ast.iter_functions().map(|function| function.name).collect();
    let mut problems = Vec::new();
    for name in ["validate", "run"].into_iter().filter(|name| own.contains(name)) {
        let mut function = ast.clone_functions_only();
        function.retain_functions(|_, _, defined, _| defined == name);
        visit_given(&function, &own, &mut |form, at| {
            problems.extend(match name {
                "validate" => of_validate(form, at, declared),
                _ => of_run(form, at, declared),
            });
        });
    }
    problems
}

/// Visits all that the only function of `ast` gives: at its end, and with `return`, wherever that stands.
fn visit_given(ast: &AST, own: &[&str], visit: &mut impl FnMut(Form<'_>, Position)) {
    let mut end = None;
    ast.walk(&mut |path| {
        if let [ASTNode::Stmt(statement)] = path {
            end = Some(Stmt::clone(statement));
        }
        if let Some(ASTNode::Stmt(Stmt::Return(value, flags, at))) = path.last()
            && !flags.contains(ASTFlags::BREAK)
        {
            match value {
                Some(expr) => of_expr(expr, own, visit),
                None => visit(Form::Nothing, *at),
            }
        }
        true
    });
    of_last(end.as_ref(), Position::NONE, own, visit);
}

/// Visits what a block gives at its end: its last statement, with or without a semicolon.
fn last(block: &StmtBlock, own: &[&str], visit: &mut impl FnMut(Form<'_>, Position)) {
    of_last(block.iter().last(), block.position(), own, visit);
}

fn of_last(
    statement: Option<&Stmt>,
    block: Position,
    own: &[&str],
    visit: &mut impl FnMut(Form<'_>, Position),
) {
    match statement {
        None => visit(Form::Nothing, block),
        Some(Stmt::Expr(expr)) => of_expr(expr, own, visit),
        Some(Stmt::FnCall(call, at)) => visit(of_call(call, own), *at),
        Some(Stmt::Block(inner)) => last(inner, own, visit),
        Some(Stmt::If(choice, at)) => {
            last(&choice.body, own, visit);
            match choice.branch.is_empty() {
                true => visit(Form::Nothing, *at),
                false => last(&choice.branch, own, visit),
            }
        }
        Some(Stmt::Switch(choice, at)) => {
            for case in &choice.1.expressions {
                of_expr(&case.rhs, own, visit);
            }
            if choice.1.def_case.is_none() {
                visit(Form::Nothing, *at);
            }
        }
        Some(statement @ (Stmt::Var(..) | Stmt::Assignment(_))) => {
            visit(Form::Nothing, statement.position());
        }
        // What returns is visited as such; loops and the rest are not followed.
        Some(_) => {}
    }
}

fn of_expr(expr: &Expr, own: &[&str], visit: &mut impl FnMut(Form<'_>, Position)) {
    let form = match expr {
        Expr::Stmt(block) => return last(block, own, visit),
        Expr::Map(map, _) => Form::Map(&map.0),
        Expr::Unit(_) => Form::Nothing,
        Expr::BoolConstant(flag, _) => Form::Truth(Some(*flag)),
        Expr::And(..) | Expr::Or(..) => Form::Truth(None),
        Expr::StringConstant(..) | Expr::CharConstant(..) | Expr::InterpolatedString(..) => Form::Text,
        Expr::IntegerConstant(..) | Expr::FloatConstant(..) | Expr::Array(..) => Form::Other,
        Expr::FnCall(call, _) => of_call(call, own),
        _ => Form::Unknown,
    };
    visit(form, expr.start_position());
}

fn of_call(call: &FnCallExpr, own: &[&str]) -> Form<'static> {
    let name = call.name.as_str();
    match name {
        _ if own.contains(&name) => Form::Unknown,
        _ if NOTHING.contains(&name) => Form::Nothing,
        _ if TRUTH.contains(&name) || (call.is_operator_call() && COMPARING.contains(&name)) => {
            Form::Truth(None)
        }
        _ => Form::Unknown,
    }
}

fn of_validate(form: Form<'_>, at: Position, declared: Option<&[Declared<'_>]>) -> Vec<Problem> {
    let entries = match form {
        Form::Other => return vec![Problem::new(answer::NO_OBSERVATION, at).help(VALIDATE)],
        Form::Truth(Some(false)) | Form::Text | Form::Nothing | Form::Unknown => return Vec::new(),
        Form::Truth(_) => return lacking(&[], at, "validate", declared).into_iter().collect(),
        Form::Map(entries) => entries,
    };
    let mut problems: Vec<Problem> = entries
        .iter()
        .filter(|(key, _)| !answer::FOUND_KEYS.contains(&key.name.as_str()))
        .map(|(key, _)| {
            let problem = Problem::new(answer::unknown_key(&key.name), key.pos).word(&key.name);
            problem.help(answer::instead(&key.name))
        })
        .collect();
    let value = |name: &str| entries.iter().find(|(key, _)| key.name == name);
    let is_found = match value("satisfied") {
        None | Some((_, Expr::BoolConstant(false, _) | Expr::Unit(_))) => false,
        Some(_) => true,
    };
    let outputs: &[(Ident, Expr)] = match value("outputs") {
        None | Some((_, Expr::Unit(_))) => &[],
        Some((_, Expr::Map(map, _))) => &map.0,
        Some(_) => return problems,
    };
    if is_found && problems.is_empty() {
        problems.extend(undeclared(outputs, "validate", declared));
        problems.extend(lacking(outputs, at, "validate", declared));
    }
    problems
}

fn of_run(form: Form<'_>, at: Position, declared: Option<&[Declared<'_>]>) -> Vec<Problem> {
    let outputs: &[(Ident, Expr)] = match form {
        Form::Unknown => return Vec::new(),
        Form::Truth(_) | Form::Text | Form::Other => {
            let help = "end with `()`, or with a map of outputs: `#{ NAME: value }`";
            return vec![Problem::new(answer::NO_OUTPUTS, at).help(help)];
        }
        Form::Nothing => &[],
        Form::Map(outputs) => outputs,
    };
    let mut problems = undeclared(outputs, "run", declared);
    problems.extend(lacking(outputs, at, "run", declared));
    problems
}

/// Outputs that are given and not declared.
fn undeclared(given: &[(Ident, Expr)], function: &str, declared: Option<&[Declared<'_>]>) -> Vec<Problem> {
    let Some(declared) = declared else {
        return Vec::new();
    };
    let names = || declared.iter().map(|output| output.name);
    let unknown = given
        .iter()
        .filter(|(key, _)| !names().any(|name| name == key.name));
    let told = unknown.map(|(key, _)| {
        let message = format!(
            "`{function}` gives an output `{}`, which `STEP` does not declare",
            key.name
        );
        let problem = Problem::new(message, key.pos).word(&key.name);
        problem.help(match closest(&key.name, names()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!(
                "declare it in `STEP`: `outputs: #{{ {}: #{{ type: …, doc: … }} }}`",
                key.name
            ),
        })
    });
    told.collect()
}

/// Outputs that must be given and are not.
fn lacking(
    given: &[(Ident, Expr)],
    at: Position,
    function: &str,
    declared: Option<&[Declared<'_>]>,
) -> Option<Problem> {
    let required = declared?.iter().filter(|output| output.is_required);
    let names = required.map(|output| output.name);
    let missing: Vec<&str> = names
        .filter(|name| !given.iter().any(|(key, _)| key.name == *name))
        .collect();
    if missing.is_empty() {
        return None;
    }
    let list: Vec<String> = missing.iter().map(|name| format!("`{name}`")).collect();
    let map: Vec<String> = missing.iter().map(|name| format!("{name}: …")).collect();
    let (list, map) = (list.join(", "), map.join(", "));
    let message = format!("here `{function}` gives no output {list}, which `STEP` declares");
    let form = match function {
        "validate" => format!(
            "where the outcome is there, `validate` gives every output: `#{{ satisfied: …, outputs: #{{ {map} }} }}`"
        ),
        _ => format!("`run` gives every output: `#{{ {map} }}`"),
    };
    let help = format!("{form}; one that may be missing has `optional: true` in `STEP`");
    Some(Problem::new(message, at).help(help))
}

/// All that `validate` may give.
const VALIDATE: &str = "it gives `true`; `false`, or a text that says what is missing; `()` for \"cannot tell\"; or a map \
                        of `satisfied`, `reason`, `observed` and `outputs`";

#[cfg(test)]
mod tests;
