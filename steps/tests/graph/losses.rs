//! Graph takes a change and drops what was there: it is put back, or it is named; it never passes for success.

use runbook_engine::core::event::FailureKind;
use runbook_engine::step::{Purpose, Verdict};
use serde_json::{Value, json};

use super::collections::{key, keys, names, tenant};
use super::tenant::{State, Steps, Tenant};

fn has(tenant: &Tenant, names: &[&str]) -> bool {
    let there = tenant.state().names.clone();
    there.len() == names.len() && names.iter().all(|name| there.contains(&json!(name)))
}

#[tokio::test]
async fn what_a_change_drops_once_is_put_back_and_told() {
    let tenant = tenant(&["app", "app/old"]);
    tenant.state().drops = 1;
    let mut steps = Steps::of(&tenant);
    let with = names(&json!("new"));
    steps.before = Some(steps.validate(Purpose::Before, &with).await.unwrap().observed);
    steps.outputs = Some(steps.run(&with).await.unwrap());
    assert!(has(&tenant, &["app", "app/old", "new"]), "{:?}", tenant.state());
    assert_eq!(tenant.written().len(), 2);
    let told = "`app` is gone, which nobody asked for: it is put back";
    assert!(
        steps.recorder.text("log").contains(told),
        "{}",
        steps.recorder.text("log")
    );
    // Undone is what the step added, and not what it put back.
    steps.rollback(&with).await.unwrap();
    assert!(has(&tenant, &["app", "app/old"]), "{:?}", tenant.state());
}

#[tokio::test]
async fn a_key_that_is_dropped_is_put_back_with_its_name_and_its_end() {
    let tenant = Tenant::new(State {
        keys: vec![key("k1", Some("b2xk"))],
        drops: 1,
        ..State::default()
    });
    Steps::of(&tenant).run(&keys()).await.unwrap();
    let there = tenant.state().keys.clone();
    let mut old = key("k1", Some("b2xk"));
    old.as_object_mut().unwrap().remove("customKeyIdentifier");
    assert!(there.len() == 2 && there.contains(&old), "{there:?}");
}

#[tokio::test]
async fn what_is_dropped_again_and_again_is_named_and_not_tried_again() {
    let tenant = tenant(&["app", "app/old"]);
    tenant.state().drops = usize::MAX;
    let mut steps = Steps::of(&tenant);
    let with = names(&json!("new"));
    steps.before = Some(steps.validate(Purpose::Before, &with).await.unwrap().observed);
    let failure = steps.run(&with).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Final);
    for words in [
        "`app",
        "could not be put back",
        "`runbook report RUN --format json`",
        "RB0325",
    ] {
        assert!(failure.message.contains(words), "{}", failure.message);
    }
    // Nor does it pass for done because the new name is there.
    let seen = steps.validate(Purpose::Before, &with).await.unwrap();
    assert!(
        matches!(&seen.verdict, Verdict::Unsatisfied(why) if why.contains("`app") && why.contains("is gone")),
        "{:?}",
        seen.verdict
    );
}

#[tokio::test]
async fn a_later_attempt_puts_back_what_an_earlier_one_lost() {
    let tenant = tenant(&["app", "app/old"]);
    let mut steps = Steps::of(&tenant);
    let with = names(&json!("new"));
    steps.before = Some(steps.validate(Purpose::Before, &with).await.unwrap().observed);
    // The first attempt was cut off after Graph had taken its change, and had dropped a name.
    tenant.state().names = vec![json!("app/old"), json!("new")];
    for purpose in [Purpose::Doubt, Purpose::Before] {
        let seen = steps.validate(purpose, &with).await.unwrap();
        assert!(matches!(seen.verdict, Verdict::Unsatisfied(_)), "{purpose:?}");
    }
    // Whether undoing took effect is another question.
    let seen = steps.validate(Purpose::RollbackDoubt, &with).await.unwrap();
    assert_eq!(seen.verdict, Verdict::Satisfied);
    steps.attempt = 2;
    steps.run(&with).await.unwrap();
    assert!(has(&tenant, &["app", "app/old", "new"]), "{:?}", tenant.state());
    assert!(
        steps
            .recorder
            .text("log")
            .contains("`app` was there before the first attempt")
    );
    assert_eq!(
        steps.validate(Purpose::Doubt, &with).await.unwrap().verdict,
        Verdict::Satisfied
    );
}

#[tokio::test]
async fn nothing_is_written_where_a_lost_key_was_never_shown() {
    let tenant = Tenant::new(State {
        keys: vec![key("k2", Some("b2xk"))],
        ..State::default()
    });
    let mut steps = Steps::of(&tenant);
    steps.attempt = 2;
    let before = json!([key("k1", None), key("k2", Some("b2xk"))]);
    steps.before = Some(json!({ "collections": { "/servicePrincipals/o1 keyCredentials": before } }));
    let failure = steps.run(&keys()).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Final);
    assert!(
        failure.message.contains("`old k1 9999-12-31T23:59:59Z`"),
        "{}",
        failure.message
    );
    assert_eq!(tenant.written(), Vec::<Value>::new());
}

#[tokio::test]
async fn what_a_rollback_drops_is_put_back_too() {
    let tenant = tenant(&["app", "others"]);
    let mut steps = Steps::of(&tenant);
    let with = names(&json!("new"));
    steps.before = Some(steps.validate(Purpose::Before, &with).await.unwrap().observed);
    steps.outputs = Some(steps.run(&with).await.unwrap());
    tenant.state().drops = 1;
    steps.rollback(&with).await.unwrap();
    assert!(has(&tenant, &["app", "others"]), "{:?}", tenant.state());
}

#[tokio::test]
async fn what_an_interrupted_rollback_dropped_is_put_back_by_whoever_goes_on() {
    let tenant = tenant(&["app", "gone on purpose"]);
    let mut steps = Steps::of(&tenant);
    let with = names(&json!("new"));
    steps.before = Some(steps.validate(Purpose::Before, &with).await.unwrap().observed);
    steps.outputs = Some(steps.run(&with).await.unwrap());
    assert_eq!(steps.recorder.kept(), Vec::<Value>::new());
    // Meanwhile others have changed the list.
    tenant.state().names = vec![json!("app"), json!("theirs"), json!("new")];
    tenant.state().drops = usize::MAX;
    steps.rollback(&with).await.unwrap_err();
    let kept = steps.recorder.kept();
    let list = json!(["app", "theirs", "new"]);
    let kept_list = kept[0]["collections"].as_object().unwrap().values().next();
    assert_eq!((kept.len(), kept_list), (1, Some(&list)), "{kept:?}");

    tenant.state().drops = 0;
    steps.begun = Some(kept[0].clone());
    steps.rollback(&with).await.unwrap();
    assert!(has(&tenant, &["app", "theirs"]), "{:?}", tenant.state());
    let log = steps.recorder.text("log");
    assert!(
        log.contains("was there when the rollback began, and is gone: it is put back"),
        "{log}"
    );
    assert_eq!(
        steps.recorder.kept().len(),
        1,
        "what was there first is what counts"
    );
}
