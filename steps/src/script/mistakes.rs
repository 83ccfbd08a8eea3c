//! Finds all that is wrong with a script, before any of it is carried out.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::LazyLock;

use rhai::{AST, ASTFlags, ASTNode, Engine, Expr, FnCallExpr, ParseErrorType, Position, Stmt};
use runbook_engine::diagnostic::closest;

use super::host::{self, Grant};
use super::lower_first;

/// The functions that the engine calls.
pub(crate) const CALLED: [&str; 3] = ["validate", "run", "rollback"];

/// The most mistakes that are told of one script.
const MOST: usize = 50;

/// What is wrong with a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) message: String,
    pub(crate) help: Option<String>,
    at: Position,
    /// How much is meant, in bytes; one character where it is not known.
    length: Option<usize>,
}

impl Problem {
    pub(crate) fn new(message: impl Into<String>, at: Position) -> Self {
        Self {
            message: message.into(),
            help: None,
            at,
            length: None,
        }
    }

    pub(crate) fn help(self, help: impl Into<String>) -> Self {
        Self {
            help: Some(help.into()),
            ..self
        }
    }

    /// The problem lies in this word.
    pub(crate) fn word(self, word: &str) -> Self {
        Self {
            length: Some(word.len()),
            ..self
        }
    }

    /// Where in the text, as a range of bytes.
    pub(crate) fn inside(&self, text: &str) -> Option<(usize, usize)> {
        let (line, column) = (self.at.line()?, self.at.position().unwrap_or(1));
        let start: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
        let rest = text.get(start..)?;
        let (at, found) = rest
            .char_indices()
            .nth(column.saturating_sub(1))
            .unwrap_or((rest.len(), ' '));
        let one = if found == '\n' { 0 } else { found.len_utf8() };
        let start = start + at;
        let whole = self
            .length
            .map(|length| start + length)
            .filter(|&end| text.is_char_boundary(end));
        Some((start, whole.unwrap_or(start + one).min(text.len())))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&place(self.at))?;
        f.write_str(&self.message)
    }
}

/// `line 3, column 5: `, as far as it is known.
pub(super) fn place(at: Position) -> String {
    match (at.line(), at.position()) {
        (Some(line), Some(column)) => format!("line {line}, column {column}: "),
        (Some(line), None) => format!("line {line}: "),
        (None, _) => String::new(),
    }
}

/// What a script consists of, and what is wrong with it.
pub(super) struct Found {
    /// The script, if it compiles.
    pub(super) whole: Option<AST>,
    /// The script, or those of its definitions that compile.
    pub(super) parts: Vec<AST>,
    pub(super) problems: Vec<Problem>,
}

/// Compiles a script whose called functions take `arguments`, and finds everything that is wrong with it.
pub(super) fn find(text: &str, arguments: &[&str]) -> Found {
    let engine = host::sandbox();
    let (whole, parts, mut problems) = match engine.compile(text) {
        Ok(ast) => (Some(ast.clone()), vec![ast], Vec::new()),
        Err(error) => {
            let (parts, mut problems) = in_parts(&engine, text);
            if problems.is_empty() {
                problems.push(syntax(error.err_type(), error.position()));
            }
            (None, parts, problems)
        }
    };
    let defined = Defined::of(&parts, text);
    for part in &parts {
        problems.extend(only_definitions(part));
        problems.extend(unknown_names(part, &defined));
    }
    if let Some(ast) = &whole {
        problems.extend(called_functions(ast, arguments));
    }
    problems.sort_by_key(|problem| (problem.at.line(), problem.at.position()));
    problems.dedup();
    problems.truncate(MOST);
    Found {
        whole,
        parts,
        problems,
    }
}

/// The grants without which a function that a script calls refuses.
pub(super) fn needs(ast: &AST) -> BTreeSet<Grant> {
    let mut needs = BTreeSet::new();
    calls(ast, &mut |call, _, _| {
        needs.extend(
            host::functions()
                .filter(|f| f.name() == call.name.as_str())
                .filter_map(|f| f.grant),
        );
    });
    needs
}

/// The compiler stops at a script's first mistake: each of its definitions, which begin a line, is compiled alone.
fn in_parts(engine: &Engine, text: &str) -> (Vec<AST>, Vec<Problem>) {
    let mut parts: Vec<(usize, String)> = Vec::new();
    for (at, line) in text.split_inclusive('\n').enumerate() {
        let begins = ["fn ", "private fn ", "const "]
            .iter()
            .any(|word| line.starts_with(word));
        match parts.last_mut() {
            Some((_, part)) if !begins => part.push_str(line),
            _ => parts.push((at, line.to_owned())),
        }
    }
    let mut compiled = Vec::new();
    let mut problems = Vec::new();
    for (lines_before, part) in parts {
        match engine.compile(format!("{}{part}", "\n".repeat(lines_before))) {
            Ok(ast) => compiled.push(ast),
            Err(error) => problems.push(syntax(error.err_type(), error.position())),
        }
    }
    (compiled, problems)
}

/// What the compiler says, in the words of the rest.
pub(super) fn syntax(error: &ParseErrorType, at: Position) -> Problem {
    match error {
        ParseErrorType::VariableUndefined(name) => Problem::new(format!("there is no variable `{name}`"), at)
            .word(name)
            .help(format!(
                "declare it with `let`; a constant of the script is `global::{name}` within functions"
            )),
        ParseErrorType::UnexpectedEOF => {
            Problem::new("the text ends too early: a bracket or quote is not closed", at)
        }
        other => Problem::new(lower_first(&other.to_string()), at),
    }
}

/// The functions and constants that a script defines.
struct Defined {
    functions: BTreeSet<(String, usize)>,
    /// Functions of parts that do not compile: their arguments are not known.
    loose: BTreeSet<String>,
    constants: BTreeSet<String>,
    /// Names of maps' properties, any of which may hold a function.
    properties: BTreeSet<String>,
}

impl Defined {
    fn of(parts: &[AST], text: &str) -> Self {
        let functions = parts.iter().flat_map(AST::iter_functions);
        let constants = parts
            .iter()
            .flat_map(|part| part.iter_literal_variables(true, false));
        let named = |line: &str| {
            let rest = line
                .strip_prefix("private ")
                .unwrap_or(line)
                .strip_prefix("fn ")?;
            Some(rest.split('(').next()?.trim().to_owned())
        };
        let mut properties = BTreeSet::new();
        for part in parts {
            part.walk(&mut |path| {
                if let Some(ASTNode::Expr(Expr::Map(map, _))) = path.last() {
                    properties.extend(map.0.iter().map(|(name, _)| name.name.to_string()));
                }
                true
            });
        }
        let declared = parts.iter().flat_map(|part| part.statements());
        let declared = declared.filter_map(|statement| match statement {
            Stmt::Var(variable, _, _) => Some(variable.0.name.to_string()),
            _ => None,
        });
        Self {
            functions: functions.map(|f| (f.name.to_owned(), f.params.len())).collect(),
            loose: text.lines().filter_map(named).collect(),
            constants: constants
                .map(|(name, _, _)| name.to_owned())
                .chain(declared)
                .collect(),
            properties,
        }
    }

    fn has(&self, name: &str, arguments: usize, is_method: bool) -> bool {
        let with = |count| self.functions.contains(&(name.to_owned(), count)) || KNOWN.has(name, count);
        // A method has what stands before its dot as first argument, or as `this`.
        let fits = with(arguments) || (is_method && with(arguments + 1));
        let is_value = is_method && self.properties.contains(name);
        let is_broken = self.loose.contains(name) && !self.functions.iter().any(|(known, _)| known == name);
        fits || is_value || is_broken
    }

    /// How many arguments functions of this name take.
    fn arities(&self, name: &str) -> BTreeSet<usize> {
        let own = self.functions.iter().filter(|(known, _)| known == name);
        let own = own.map(|(_, arguments)| *arguments);
        own.chain(KNOWN.0.get(name).into_iter().flatten().copied())
            .collect()
    }
}

/// Rhai's functions and those of the host, with the numbers of their arguments.
struct Known(BTreeMap<String, BTreeSet<usize>>);

static KNOWN: LazyLock<Known> = LazyLock::new(|| {
    let mut known: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
    let of_rhai = host::sandbox().collect_fn_metadata(
        None,
        |function| Some((function.metadata.name.to_string(), function.metadata.num_params)),
        true,
    );
    let of_host = host::functions().map(|function| (function.name().to_owned(), function.arity()));
    let built_in = [
        "call",
        "curry",
        "type_of",
        "is_shared",
        "is_def_var",
        "is_def_fn",
        "Fn",
        "debug",
    ];
    let built_in = built_in
        .iter()
        .flat_map(|name| (0..20).map(move |count| ((*name).to_owned(), count)));
    for (name, arguments) in of_rhai.into_iter().chain(of_host).chain(built_in) {
        known.entry(name).or_default().insert(arguments);
    }
    Known(known)
});

impl Known {
    fn has(&self, name: &str, arguments: usize) -> bool {
        self.0.get(name).is_some_and(|counts| counts.contains(&arguments))
    }
}

/// Visits every call of a function by its name, and whether it is written as a method.
pub(super) fn calls(ast: &AST, visit: &mut impl FnMut(&FnCallExpr, Position, bool)) {
    ast.walk(&mut |path| {
        let (call, at, is_method) = match path.last() {
            Some(ASTNode::Expr(Expr::FnCall(call, at)) | ASTNode::Stmt(Stmt::FnCall(call, at))) => {
                (call, *at, false)
            }
            Some(ASTNode::Expr(Expr::MethodCall(call, at))) => (call, *at, true),
            _ => return true,
        };
        let is_named = call.name.starts_with(|c: char| c.is_alphabetic() || c == '_');
        if is_named && !call.is_operator_call() {
            visit(call, at, is_method);
        }
        true
    });
}

/// The functions and constants that are named and not defined.
fn unknown_names(ast: &AST, defined: &Defined) -> Vec<Problem> {
    let mut problems = Vec::new();
    calls(ast, &mut |call, at, is_method| {
        let (name, arguments) = (call.name.as_str(), call.args.len());
        if name.starts_with("anon$") || defined.has(name, arguments, is_method) {
            return;
        }
        let takes = defined.arities(name);
        let problem = if takes.is_empty() {
            let own = defined.functions.iter().map(|(name, _)| name.as_str());
            let names = own.chain(KNOWN.0.keys().map(String::as_str));
            let problem = Problem::new(format!("there is no function `{name}`"), at);
            match closest(name, names) {
                Some(near) => problem.help(format!("did you mean `{near}`?")),
                None => problem.help("`runbook steps rhai` lists the functions of the host"),
            }
        } else {
            let takes: Vec<String> = takes.iter().map(usize::to_string).collect();
            let message = format!("`{name}` takes {} arguments, not {arguments}", takes.join(" or "));
            Problem::new(message, at)
        };
        problems.push(problem.word(name));
    });
    ast.walk(&mut |path| {
        if let Some(ASTNode::Expr(Expr::Variable(variable, _, at))) = path.last()
            && variable.2.path.first().is_some_and(|root| root.name == "global")
            && !defined.constants.contains(variable.1.as_str())
        {
            let message = format!("the script has no constant `{}`", variable.1);
            let problem = Problem::new(message, *at);
            let near = closest(&variable.1, defined.constants.iter().map(String::as_str));
            problems.push(match near {
                Some(near) => problem.help(format!("did you mean `global::{near}`?")),
                None => problem.help("declare it outside of functions: `const NAME = value;`"),
            });
        }
        true
    });
    problems
}

/// What stands outside of functions would be carried out with each of them, `validate` too.
fn only_definitions(ast: &AST) -> Option<Problem> {
    let is_definition = |statement: &&Stmt| match statement {
        Stmt::Noop(_) => true,
        Stmt::Var(_, flags, _) => flags.contains(ASTFlags::CONSTANT),
        _ => false,
    };
    let other = ast
        .statements()
        .iter()
        .find(|statement| !is_definition(statement))?;
    let message = "outside of functions a script holds only constants: `const NAME = value;`";
    Some(Problem::new(message, other.position()))
}

/// What is wrong with the functions that the engine calls.
fn called_functions(ast: &AST, arguments: &[&str]) -> Vec<Problem> {
    let problem = |message: String| Problem::new(message, Position::NONE);
    let functions = || ast.iter_functions();
    let takes = match arguments.len() {
        1 => "one argument".to_owned(),
        count => format!("{count} arguments"),
    };
    let list = arguments.join(", ");
    let misfit = |name: &&str| functions().any(|f| f.name == *name && f.params.len() != arguments.len());
    let mut problems: Vec<Problem> = CALLED
        .iter()
        .filter(|name| misfit(name))
        .map(|name| problem(format!("`{name}` takes {takes}: `fn {name}({list})`")))
        .collect();
    let has = |name: &str| functions().any(|f| f.name == name);
    if !has("run") && !has("validate") {
        problems.push(problem(format!(
            "it defines neither `fn run({list})` nor `fn validate({list})`: the step would do nothing"
        )));
    }
    if has("rollback") && !has("run") {
        problems.push(problem(
            "it defines `rollback` but no `run`: there is nothing to undo".to_owned(),
        ));
    }
    problems
}
