use serde_json::{Value, json};

use super::{Rules, replaced};
use crate::practice::certificates::{self, Kind};

const LENIENT: Rules = Rules::LENIENT;

fn certificate(subject: &str) -> String {
    let pair = certificates::make(Kind::Elliptic, subject, "20240601000000Z", "99991231235959Z").unwrap();
    certificates::base64(&pair.certificate).unwrap()
}

fn sent(key: &str) -> Value {
    json!({ "type": "AsymmetricX509Cert", "usage": "Verify", "key": key })
}

/// A tenant's list with one certificate, and that certificate.
fn one() -> (Vec<Value>, String) {
    let key = certificate("there");
    (replaced(&[], &json!([sent(&key)]), LENIENT).unwrap(), key)
}

#[test]
fn a_new_certificate_gets_what_it_says_itself() {
    let (list, key) = one();
    assert_eq!(list[0]["key"], key);
    assert_eq!(list[0]["endDateTime"], "9999-12-31T23:59:59Z");
    assert_eq!(list[0]["startDateTime"], "2024-06-01T00:00:00Z");
    assert_eq!(list[0]["customKeyIdentifier"].as_str().unwrap().len(), 40);
    assert!(uuid::Uuid::try_parse(list[0]["keyId"].as_str().unwrap()).is_ok());
}

#[test]
fn what_is_not_sent_back_is_gone() {
    let (list, _) = one();
    assert_eq!(replaced(&list, &json!([]), LENIENT).unwrap(), Vec::<Value>::new());
}

#[test]
fn what_is_there_stays_the_same_by_content_and_by_id() {
    let (list, key) = one();
    assert_eq!(replaced(&list, &json!([sent(&key)]), LENIENT).unwrap(), list);
    let mut by_id = list[0].clone();
    by_id["key"] = Value::Null;
    assert_eq!(replaced(&list, &json!([by_id]), LENIENT).unwrap(), list);
    assert_eq!(replaced(&list, &json!([list[0]]), LENIENT).unwrap(), list);
}

#[test]
fn each_way_can_be_refused() {
    let (list, key) = one();
    let refuses_content = Rules {
        refuses_content: true,
        ..LENIENT
    };
    let refuses_ids = Rules {
        refuses_ids: true,
        ..LENIENT
    };
    let mut by_id = list[0].clone();
    by_id["key"] = Value::Null;
    let refused = |item: &Value, rules| replaced(&list, &json!([item]), rules).unwrap_err();
    assert!(refused(&sent(&key), refuses_content).contains("Update to existing credential"));
    assert!(replaced(&list, &json!([by_id]), refuses_content).is_ok());
    assert!(refused(&by_id, refuses_ids).contains("is not allowed"));
    assert!(replaced(&list, &json!([sent(&key)]), refuses_ids).is_ok());
}

#[test]
fn the_content_under_an_id_cannot_be_exchanged() {
    let (list, _) = one();
    let mut other = list[0].clone();
    other["key"] = json!(certificate("another"));
    assert!(replaced(&list, &json!([other]), LENIENT).is_err());
}

#[test]
fn ids_change_only_where_a_fault_says_so() {
    let (list, key) = one();
    let changed = Rules {
        changes_ids: true,
        ..LENIENT
    };
    let after = replaced(&list, &json!([sent(&key)]), changed).unwrap();
    assert_ne!(after[0]["keyId"], list[0]["keyId"]);
    assert_eq!(after[0]["key"], list[0]["key"]);
}

#[test]
fn nonsense_is_refused() {
    for item in [
        json!("text"),
        json!({}),
        json!({ "type": "AsymmetricX509Cert", "usage": "Encrypt", "key": "" }),
        json!({ "type": "AsymmetricX509Cert", "usage": "Verify", "key": "bm8=" }),
        json!({ "type": "AsymmetricX509Cert", "usage": "Verify" }),
        json!({ "type": "AsymmetricX509Cert", "usage": "Verify", "key": "", "colour": "red" }),
    ] {
        assert!(replaced(&[], &json!([item]), LENIENT).is_err(), "{item}");
    }
    assert!(replaced(&[], &Value::Null, LENIENT).is_err());
}
