//! `manual`, as the engine sees it.

use runbook_engine::step::Verdict;
use runbook_engine::testing::doubles::{Recorder, context};
use serde_json::{Value, json};

use crate::support::{check, plugin, problem, run};

#[tokio::test]
async fn a_person_carries_it_out() {
    let with = json!({ "instructions": "Look.", "rollback": "Look away." });
    let abilities = check("manual", &with).1.unwrap();
    assert!(abilities.by_person && abilities.undoes && !abilities.validates && !abilities.read_only);
    let seen = plugin("manual")
        .validate(&with, &context(&Recorder::new()))
        .await
        .unwrap();
    assert_eq!(seen.verdict, Verdict::Unknown);
    assert!(
        run("manual", with).await.is_err(),
        "the program must not pretend to have done it"
    );
}

#[test]
fn wrong_inputs_are_refused_where_they_stand() {
    let collect = |name: &str, it: Value| {
        problem(
            "manual",
            &json!({ "instructions": "Look.", "collect": { name: it } }),
        )
    };
    assert_eq!(
        problem("manual", &json!({ "instructions": " " })).0,
        "instructions"
    );
    assert_eq!(collect("a b", json!({ "type": "string" })).0, "collect.a b");
    assert_eq!(collect("a", json!({ "type": "secret" })).0, "collect.a.type");
    assert_eq!(collect("a", json!({ "type": "enum" })).0, "collect.a.values");
    assert_eq!(
        collect("a", json!({ "type": "string", "values": ["x"] })).0,
        "collect.a.values"
    );
    assert_eq!(
        collect("a", json!({ "type": "string", "pattern": "(" })).0,
        "collect.a.pattern"
    );
    assert_eq!(
        collect("a", json!({ "type": "url", "pattern": "x" })).0,
        "collect.a.pattern"
    );
    assert_eq!(
        collect("a", json!({ "type": "guid", "example": "x" })).0,
        "collect.a.example"
    );
    let twice = json!({ "instructions": "Look.", "attach": [{ "name": "a.png" }, { "name": "a.png" }] });
    assert_eq!(problem("manual", &twice).0, "attach.1.name");
}
