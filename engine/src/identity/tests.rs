use super::*;

fn key() -> PrivateKey {
    PrivateKey::generate().unwrap()
}

#[test]
fn what_its_owner_signed_is_proven_and_nothing_else() {
    let (mine, other) = (key(), key());
    let (hash, another) = ([7; 32], [8; 32]);
    let signature = mine.sign(&Statement::Entry(&hash)).unwrap();
    assert!(mine.key().has_signed(&Statement::Entry(&hash), &signature));
    assert!(!mine.key().has_signed(&Statement::Entry(&another), &signature));
    assert!(!other.key().has_signed(&Statement::Entry(&hash), &signature));
    let nobody = PublicKey::new([0xff; 32]);
    assert!(!nobody.has_signed(&Statement::Entry(&hash), &signature));
}

#[test]
fn a_key_is_written_down_and_read_again() {
    let key = key();
    let pem = key.to_pem(None).unwrap();
    assert!(!PrivateKey::is_locked(&pem));
    let read = PrivateKey::from_pem(&format!("operator: alice\n{pem}"), None).unwrap();
    assert_eq!(read.key(), key.key());
}

#[test]
fn a_passphrase_is_needed_to_read_what_it_closed() {
    let key = key();
    let pem = key.to_pem(Some("correct horse")).unwrap();
    assert!(PrivateKey::is_locked(&pem));
    let open = |passphrase| PrivateKey::from_pem(&pem, passphrase);
    assert_eq!(open(Some("correct horse")).unwrap().key(), key.key());
    for wrong in [None, Some(""), Some("correct horses")] {
        assert!(matches!(open(wrong), Err(PrivateKeyError::Locked)), "{wrong:?}");
    }
}

#[test]
fn another_kind_of_key_is_refused() {
    let rsa = openssl::rsa::Rsa::generate(2048).unwrap();
    let pem = String::from_utf8(rsa.private_key_to_pem().unwrap()).unwrap();
    for text in [
        pem.as_str(),
        "",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    ] {
        assert!(matches!(
            PrivateKey::from_pem(text, None),
            Err(PrivateKeyError::NotAKey)
        ));
    }
}

#[test]
fn nothing_of_the_private_half_is_shown() {
    let key = key();
    let secret = STANDARD.encode(key.to_pem(None).unwrap());
    let shown = format!("{key:?}");
    assert!(shown.contains(&key.key().to_string()) && !shown.contains(&secret));
}

#[test]
fn a_public_key_reads_what_it_writes_and_nothing_else() {
    let key = key().key();
    assert_eq!(key.to_string().parse(), Ok(key));
    let cut = key.to_string();
    for wrong in ["", "ed25519:", "rsa:AAAA", "ed25519:AAAA", &cut[..cut.len() - 5]] {
        assert_eq!(wrong.parse::<PublicKey>(), Err(InvalidKey), "{wrong}");
    }
}

#[test]
fn only_the_owner_of_a_key_comes_to_what_was_agreed_with_it() {
    let (mine, other) = (key(), key());
    for _ in 0..8 {
        let agreed = Agreement::with(&mine.key()).unwrap();
        assert_eq!(mine.agree(&agreed.public).unwrap(), agreed.shared);
        assert_ne!(other.agree(&agreed.public).unwrap(), agreed.shared);
    }
    // A point that everybody comes to the same with is no key.
    assert!(mine.agree(&[0; Agreement::LEN]).is_err());
    assert!(
        Agreement::with(&PublicKey::new({
            let mut one = [0; PublicKey::LEN];
            one[0] = 1;
            one
        }))
        .is_err()
    );
}

#[test]
fn a_signature_of_an_entry_is_none_of_a_bundle() {
    let (key, hash) = (key(), [7; 32]);
    let signature = key.sign(&Statement::Entry(&hash)).unwrap();
    assert!(!key.key().has_signed(&Statement::Manifest(&hash), &signature));
}
