//! The JSON Schema of the file, so that editors complete and check runbooks.
//!
//! The types here exist for their schema alone: the check reads the file key by key, to tell every mistake at
//! its place. A test holds the two against each other.

pub use self::overlay::overlay_schema;
use self::rebase::rebase;

mod approve;
mod overlay;
mod rebase;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde_json::{Value, json};

use self::approve::ApproveFile;
use crate::step::Registry;

/// A runbook: parameters, roles, sessions and a graph of steps.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, title = "Runbook")]
#[expect(dead_code, reason = "the schema is made from the type; no value is")]
struct RunbookFile {
    /// The runbook's name, the first part of the short names of its runs.
    #[schemars(regex(pattern = "^[A-Za-z][A-Za-z0-9_-]{0,99}$"))]
    runbook: String,
    /// What it does, in one line.
    title: Option<String>,
    /// What it is for, in Markdown.
    description: Option<String>,
    /// The document that it carries out.
    source: Option<String>,
    /// What is asked before it starts.
    #[schemars(default)]
    params: IndexMap<String, ParamFile>,
    /// What an operator must be, by name.
    #[schemars(default)]
    roles: IndexMap<String, RoleFile>,
    /// Long-lived environments that steps share.
    #[schemars(default)]
    sessions: IndexMap<String, SessionFile>,
    /// The steps by id.
    #[schemars(length(min = 1))]
    steps: IndexMap<String, StepFile>,
}

/// A parameter.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "the schema is made from the type; no value is")]
struct ParamFile {
    /// What its values are.
    r#type: TypeName,
    /// What the items of a list are.
    of: Option<TypeName>,
    /// What an `enum` can be.
    values: Option<OneOrMany>,
    /// Which schemes a `url` may have.
    schemes: Option<OneOrMany>,
    /// How a person is asked for it.
    prompt: Option<String>,
    /// What it is for.
    description: Option<String>,
    /// The value where none is given.
    default: Option<Value>,
    /// A value for rehearsals.
    example: Option<Value>,
    /// Whether it may be left out.
    optional: Option<bool>,
    /// A regular expression that a whole text must match.
    pattern: Option<String>,
    /// The least number, length or number of items.
    min: Option<f64>,
    /// The greatest number, length or number of items.
    max: Option<f64>,
}

/// The type of a parameter.
#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code, reason = "the schema is made from the type; no value is")]
enum TypeName {
    String,
    Integer,
    Number,
    Boolean,
    Enum,
    Url,
    Domain,
    Host,
    Guid,
    Path,
    Secret,
    List,
}

/// What a role means.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "the schema is made from the type; no value is")]
enum RoleFile {
    Text(String),
    Titled(TitledRole),
}

/// A role with keys of its own.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "the schema is made from the type; no value is")]
struct TitledRole {
    /// Who has the role.
    title: String,
}

/// A long-lived environment that steps share.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "the schema is made from the type; no value is")]
struct SessionFile {
    /// The plugin that opens it.
    uses: String,
    /// What an operator must be to open it.
    role: Option<String>,
    /// The plugin's inputs.
    with: Option<serde_json::Map<String, Value>>,
}

/// One documented procedure.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "the schema is made from the type; no value is")]
struct StepFile {
    /// What it does, in one line.
    title: Option<String>,
    /// The part of the document that it carries out.
    source: Option<String>,
    /// The steps that come before.
    needs: Option<OneOrMany>,
    /// Why it is never carried out; leave it away to have it carried out.
    skip: Option<String>,
    /// An expression: whether it is carried out at all.
    when: Option<TextOrBool>,
    /// An expression that gives a list: the step is carried out once for each item.
    for_each: Option<String>,
    /// What an operator must be to carry it out.
    role: Option<String>,
    /// The machine that it is carried out on: a name, or `${{ item }}`, or `${{ params.NAME }}`; any, if not said.
    on: Option<String>,
    /// Who must approve what would be carried out before it is.
    approve: Option<ApproveFile>,
    /// The environment that it is carried out in.
    session: Option<String>,
    /// What it must not share with others at the same time.
    lock: Option<OneOrMany>,
    /// How long one attempt may take.
    timeout: Option<Duration>,
    /// How often it is tried.
    retry: Option<RetryFile>,
    /// Whether it may be repeated after an interruption without asking.
    idempotent: Option<bool>,
    /// What its failure means for the run.
    on_failure: Option<OnFailureFile>,
    /// The secrets that it is given though none of its expressions names them: a parameter, or `STEP.OUTPUT`.
    secrets: Option<OneOrMany>,
    /// Its outputs that are secrets: never kept, never shown.
    sensitive: Option<OneOrMany>,
    /// How long it usually takes, for people.
    expect: Option<Duration>,
    /// What people are told before it is carried out.
    warning: Option<String>,
    /// Later steps: it is undone only together with one of them.
    undo_with: Option<OneOrMany>,
    /// What undoing it does, in words: people are told before anything is undone.
    undo_note: Option<String>,
    /// How it answers in a rehearsal.
    rehearse: Option<RehearseFile>,
    /// The kind of step.
    uses: String,
    /// The inputs of that kind.
    with: Option<serde_json::Map<String, Value>>,
}

/// A text or a list of texts.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "the schema is made from the type; no value is")]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

/// An expression, or one of its simplest values.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "the schema is made from the type; no value is")]
enum TextOrBool {
    Text(String),
    Bool(bool),
}

/// A duration: `10s`, `5m`, `1h30m`, `2d`.
#[derive(JsonSchema)]
#[serde(transparent)]
#[expect(dead_code, reason = "the schema is made from the type; no value is")]
struct Duration(#[schemars(regex(pattern = r"^(?=\d)(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?$"))] String);

/// How often a step is tried.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "the schema is made from the type; no value is")]
enum RetryFile {
    Attempts(#[schemars(range(min = 1, max = 1000))] u32),
    Full(RetryMap),
}

/// How often a step is tried, and how long is waited in between.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "the schema is made from the type; no value is")]
struct RetryMap {
    /// How many attempts there are in all.
    #[schemars(range(min = 1, max = 1000))]
    attempts: u32,
    /// The wait before the second attempt.
    delay: Option<Duration>,
    /// By how much each wait is longer than the one before.
    #[schemars(range(min = 1, max = 100))]
    backoff: Option<f64>,
    /// The longest wait.
    max_delay: Option<Duration>,
    /// No attempt starts later than this after the first one did.
    deadline: Option<Duration>,
}

/// What a failure means for the run.
#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code, reason = "the schema is made from the type; no value is")]
enum OnFailureFile {
    Stop,
    Continue,
    Rollback,
}

/// How a step answers in a rehearsal.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "the schema is made from the type; no value is")]
struct RehearseFile {
    /// Whether the outcome is in place before.
    satisfied: Option<bool>,
    /// What `validate` observes.
    observed: Option<Value>,
    /// What the step gives.
    outputs: Option<serde_json::Map<String, Value>>,
    /// How long it pretends to take.
    takes: Option<Duration>,
    /// What `validate` finds after an interruption.
    interrupted: Option<DoubtFile>,
}

/// What `validate` finds after an interruption.
#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code, reason = "the schema is made from the type; no value is")]
enum DoubtFile {
    Satisfied,
    Unsatisfied,
    Unknown,
}

/// The JSON Schema (draft 2020-12) of a runbook's file, with the inputs of these plugins.
#[must_use]
pub fn schema(registry: &Registry) -> Value {
    let mut schema = schemars::schema_for!(RunbookFile).to_value();
    without_null(&mut schema);
    let mut rules = Vec::new();
    let mut names = Vec::new();
    for plugin in registry.iter() {
        let name = plugin.name();
        let definition = format!("with.{name}");
        let mut inputs = plugin.schema();
        rebase(&mut inputs, &definition);
        if let Some(inputs) = inputs.as_object_mut() {
            inputs.remove("$schema");
        }
        let required = inputs["required"]
            .as_array()
            .is_some_and(|required| !required.is_empty());
        let required = if required { vec!["with"] } else { Vec::new() };
        schema["$defs"][&definition] = inputs;
        rules.push(json!({
            "if": { "properties": { "uses": { "const": name } }, "required": ["uses"] },
            "then": {
                "properties": { "with": { "$ref": format!("#/$defs/{definition}") } },
                "required": required,
            },
        }));
        names.push(json!({ "const": name, "description": plugin.doc().summary }));
    }
    for family in registry.families() {
        let (prefix, folder, extension) = (family.prefix(), family.folder(), family.extension());
        let description = format!("a kind that `{folder}/NAME.{extension}` beside the runbook defines");
        names.push(json!({ "pattern": format!(r"^{prefix}\..+$"), "description": description }));
    }
    if !names.is_empty() {
        schema["$defs"]["StepFile"]["allOf"] = rules.into();
        schema["$defs"]["StepFile"]["properties"]["uses"]["anyOf"] = names.into();
    }
    schema
}

/// A key of the file may be left out, and has no value `null`: what `Option` says beyond that is taken out.
fn without_null(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if let Some(Value::Array(types)) = fields.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    fields.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(options)) = fields.get_mut("anyOf") {
                options.retain(|option| option["type"] != "null");
                if let [Value::Object(only)] = options.as_slice() {
                    let only = only.clone();
                    fields.remove("anyOf");
                    fields.extend(only);
                }
            }
            fields.values_mut().for_each(without_null);
        }
        Value::Array(items) => items.iter_mut().for_each(without_null),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
