use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Form, Made, Shown, Unmergeable, body, lost, merged, named, put_back, shown, undoing};
use crate::graph::inputs::Merge;

fn merge(value: Value) -> Merge {
    serde_json::from_value(value).unwrap()
}

#[test]
fn names_are_added_once_whatever_their_capitals() {
    let add = merge(json!({ "property": "names", "add": "APP/*.Contoso.com" }));
    let object = json!({ "names": ["app", "app/x"] });
    assert_eq!(
        merged(&add, &object).unwrap().unwrap(),
        [json!("app"), json!("app/x"), json!("APP/*.Contoso.com")]
    );
    let object = json!({ "names": ["app", "app/*.contoso.com"] });
    assert_eq!(merged(&add, &object), Ok(None));
}

#[test]
fn only_what_is_named_is_taken_away() {
    let remove = merge(json!({ "property": "names", "remove": ["b", "nowhere"] }));
    let object = json!({ "names": ["a", "B", "c"] });
    assert_eq!(
        merged(&remove, &object).unwrap().unwrap(),
        [json!("a"), json!("c")]
    );
    assert_eq!(merged(&remove, &json!({ "names": ["a"] })), Ok(None));
    assert_eq!(
        merged(&remove, &json!({ "other": [] })),
        Err(Unmergeable::Missing("names".to_owned()))
    );
}

fn key(content: Option<&str>, identifier: Option<&str>) -> Value {
    json!({
        "keyId": "5d6f1ed5-48bd-44da-8cf6-3b5d5b516ed8", "type": "AsymmetricX509Cert", "usage": "Verify", "key": content,
        "customKeyIdentifier": identifier, "displayName": "old", "startDateTime": "2021-06-01T00:00:00Z",
        "endDateTime": "9999-12-31T23:59:59Z",
    })
}

#[test]
fn keys_are_sent_back_whole_by_content_or_by_reference() {
    let add = merge(
        json!({ "property": "keyCredentials", "key": "key", "add": { "type": "AsymmetricX509Cert", "usage": "Verify", "key": "bmV3" } }),
    );
    let object = json!({ "keyCredentials": [key(Some("b2xk"), None)] });
    let wanted = merged(&add, &object).unwrap().unwrap();
    let sent = body(&add, &object, &wanted, Form::Whole).unwrap();
    let mut whole = key(Some("b2xk"), None);
    whole.as_object_mut().unwrap().remove("customKeyIdentifier");
    let new = json!({ "type": "AsymmetricX509Cert", "usage": "Verify", "key": "bmV3" });
    assert_eq!(sent, json!({ "keyCredentials": [whole, new] }));
    assert_eq!(
        body(&add, &object, &wanted, Form::Content).unwrap(),
        json!({ "keyCredentials": [{ "type": "AsymmetricX509Cert", "usage": "Verify", "key": "b2xk" }, new] })
    );
    let sent = body(&add, &object, &wanted, Form::Reference).unwrap();
    assert_eq!(sent["keyCredentials"][0].get("key"), None);
    assert_eq!(sent["keyCredentials"][0]["endDateTime"], "9999-12-31T23:59:59Z");
    assert_eq!(sent["keyCredentials"][1]["key"], "bmV3");
    let hidden = json!({ "keyCredentials": [key(None, None)] });
    let wanted = merged(&add, &hidden).unwrap().unwrap();
    for form in [Form::Whole, Form::Content] {
        assert_eq!(
            body(&add, &hidden, &wanted, form),
            Err(Unmergeable::Unreadable(1))
        );
    }
}

#[test]
fn what_was_taken_away_comes_back_as_it_was() {
    let add = merge(json!({ "property": "keyCredentials", "key": "key", "add": { "key": "b2xk" } }));
    let before = [key(Some("b2xk"), None)];
    let back = undoing(&add, &before, None);
    assert_eq!(back.add, Some(json!(before)));
    let wanted = merged(&back, &json!({ "keyCredentials": [] })).unwrap().unwrap();
    let sent = body(&back, &json!({ "keyCredentials": [] }), &wanted, Form::Whole).unwrap();
    assert_eq!(sent["keyCredentials"][0]["displayName"], "old");
    assert_eq!(sent["keyCredentials"][0]["keyId"], before[0]["keyId"]);
}

#[test]
fn what_the_change_did_not_make_is_not_undone() {
    let add = merge(json!({ "property": "names", "add": ["mine", "theirs"] }));
    let object = ["there".into(), "theirs".into()];
    let wanted = merged(&add, &json!({ "names": object })).unwrap().unwrap();
    let made = Made::between(&object, &wanted);
    // `theirs` came between the look before the attempt and the attempt.
    let remove = merge(json!({ "property": "names", "remove": ["mine", "theirs"] }));
    let undone = undoing(&remove, &["there".into()], Some(&made));
    assert_eq!((undone.remove, undone.add), (Some(json!(["mine"])), None));
    let undone = undoing(&remove, &["there".into()], None);
    assert_eq!(undone.remove, Some(json!(["mine", "theirs"])));
}

#[test]
fn a_certificate_that_is_not_shown_is_known_by_its_thumbprint() {
    // The SHA-1 of `new`, whatever the bytes mean.
    let thumbprint = "C2A6B03F190DFB2B4AA91F8AF8D477A9BC3401DC";
    let add = merge(json!({ "property": "keyCredentials", "key": "key", "add": { "key": "bmV3" } }));
    let object = json!({ "keyCredentials": [key(None, Some(thumbprint))] });
    assert_eq!(merged(&add, &object), Ok(None));
    let another = json!({ "keyCredentials": [key(Some("b2xk"), Some(thumbprint))] });
    assert!(
        merged(&add, &another).unwrap().is_some(),
        "its content says that it is another"
    );
}

#[test]
fn what_is_gone_that_nobody_took_away_is_told_from_what_does_not_show_yet() {
    let add = merge(json!({ "property": "names", "add": "new" }));
    let wanted = ["app", "old", "new"].map(Value::from);
    let seen = |names: &[&str]| shown(&add, &json!({ "names": names }), &wanted).unwrap();
    assert_eq!(seen(&["app", "old", "new"]), Shown::Whole);
    assert!(matches!(seen(&["app", "old"]), Shown::NotYet(_)));
    assert_eq!(seen(&["app", "new"]), Shown::Without(vec!["old".into()]));
}

#[test]
fn a_key_that_is_gone_is_named_as_people_know_it() {
    let mut new = key(Some("bmV3"), None);
    new["keyId"] = json!("0c5a6f8e-0000-4000-8000-000000000000");
    let remove = merge(json!({ "property": "keyCredentials", "key": "key", "remove": new }));
    let before = [key(Some("b2xk"), None), new];
    let gone = lost(&remove, &before, &[]);
    assert_eq!(gone, before[..1], "the other one was to go");
    assert_eq!(
        named(&remove, &gone),
        "`old 5d6f1ed5-48bd-44da-8cf6-3b5d5b516ed8 9999-12-31T23:59:59Z`"
    );
    assert_eq!(named(&remove, &["app/x".into()]), "`app/x`");
}

proptest! {
    #[test]
    fn what_was_there_before_is_put_back_once_and_nothing_else_is(
        before in prop::collection::btree_set("[a-e]", 0..5),
        current in prop::collection::btree_set("[a-k]", 0..8),
        item in "[a-k]",
    ) {
        let values = |names: &std::collections::BTreeSet<String>| names.iter().map(|name| Value::from(name.as_str())).collect::<Vec<_>>();
        let remove = merge(json!({ "property": "names", "remove": item }));
        let gone = lost(&remove, &values(&before), &values(&current));
        let mut wanted = values(&current);
        wanted.retain(|name| name.as_str() != Some(item.as_str()));
        put_back(&remove, &mut wanted, &gone);
        put_back(&remove, &mut wanted, &gone);
        let expected: std::collections::BTreeSet<String> = before.union(&current).filter(|name| **name != item).cloned().collect();
        prop_assert_eq!(wanted.len(), expected.len());
        prop_assert!(wanted.iter().all(|name| expected.contains(name.as_str().unwrap())));
    }

    #[test]
    fn adding_and_removing_leaves_what_others_have(
        before in prop::collection::btree_set("[a-e]", 0..5),
        others in prop::collection::btree_set("[f-k]", 0..5),
        item in "[a-z]",
    ) {
        let object = |names: &[Value]| json!({ "names": names });
        let before: Vec<Value> = before.into_iter().map(Value::from).collect();
        let add = merge(json!({ "property": "names", "add": item }));
        let remove = merge(json!({ "property": "names", "remove": item }));
        let added = merged(&add, &object(&before)).unwrap();
        let mut now = added.clone().unwrap_or_else(|| before.clone());
        prop_assert_eq!(shown(&add, &object(&now), &now).unwrap(), Shown::Whole);
        // Others come meanwhile.
        now.extend(others.iter().filter(|name| **name != item).map(|name| Value::from(name.as_str())));
        if added.is_some() {
            let after = merged(&remove, &object(&now)).unwrap().unwrap();
            let expected: Vec<Value> = now.iter().filter(|name| name.as_str() != Some(item.as_str())).cloned().collect();
            prop_assert_eq!(after, expected);
        }
    }
}
