use super::rights::{Rights, administers, is_same, of_file, of_folder};
use super::*;

const US: &str = "S-1-5-21-1-2-3-1001";

fn rights(list: &str) -> Rights {
    Rights::parse(&format!("O:{US}D:{list}")).unwrap()
}

#[test]
fn what_is_made_private_is_private() {
    let around = tempfile::tempdir().unwrap();
    let folder = around.path().join("a");
    create_folder(&folder).unwrap();
    assert!(create_folder(&folder).is_err(), "it is there already");
    let deep = around.path().join("b").join("c");
    create_folders(&deep).unwrap();
    create_folders(&deep).unwrap();
    let file = folder.join("file");
    std::io::Write::write_all(&mut open_file(&file).unwrap(), b"secret").unwrap();
    let mut unfinished = unfinished_file(&folder, ".new-").unwrap();
    std::io::Write::write_all(&mut unfinished, b"secret").unwrap();
    let whole = folder.join("whole");
    unfinished.persist_noclobber(&whole).unwrap();
    let added = folder.join("added");
    for text in [b"one, ", b"two, "] {
        std::io::Write::write_all(&mut append_to(&added).unwrap(), text).unwrap();
    }
    assert_eq!(std::fs::read(&added).unwrap(), b"one, two, ");
    for path in [&folder, &deep, deep.parent().unwrap(), &file, &whole, &added] {
        assert_eq!(owner(path).unwrap(), Owner::Us, "{}", path.display());
        assert!(is_private(path).unwrap(), "{}", path.display());
        assert_eq!(readers(path).unwrap(), Readers::Nobody);
        assert!(!is_open_to_change(path).unwrap() && !is_open_to_all(path).unwrap());
    }
    sync_folder(&folder).unwrap();
    assert!(!keep_to_owner(&folder).unwrap(), "nobody else could enter");
    assert_eq!(
        owner(&folder.join("none")).unwrap_err().kind(),
        io::ErrorKind::NotFound
    );
}

#[test]
fn a_folder_that_others_could_enter_is_closed() {
    let around = tempfile::tempdir().unwrap();
    let folder = around.path().join("open");
    std::fs::create_dir(&folder).unwrap();
    // Where new folders are private anyway, there is nothing to close.
    let was_private = is_private(&folder).unwrap();
    assert_eq!(keep_to_owner(&folder).unwrap(), !was_private);
    assert!(is_private(&folder).unwrap());
    std::fs::write(folder.join("file"), "still ours").unwrap();
}

#[test]
fn a_file_keeps_what_it_held_when_it_is_opened_again() {
    let around = tempfile::tempdir().unwrap();
    let path = around.path().join("file");
    std::fs::write(&path, "as it was").unwrap();
    drop(open_file(&path).unwrap());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "as it was");
}

#[test]
fn windows_rights_of_our_own_name_nobody_else() {
    for ours in [of_file(US), of_folder(US)] {
        let ours = Rights::parse(&ours).unwrap();
        assert_eq!(ours.owner, US);
        assert_eq!(ours.readers(US), Readers::Nobody);
        assert!(!ours.lets_others_change(US) && !ours.lets_everyone_change());
        assert_eq!(
            ours.readers("S-1-5-21-1-2-3-1002"),
            Readers::Group,
            "it is another's"
        );
    }
}

#[test]
fn windows_rights_say_who_can_read() {
    let readers = |list: &str| rights(list).readers(US);
    assert_eq!(
        readers(&format!("AI(A;ID;FA;;;SY)(A;ID;FA;;;BA)(A;ID;FA;;;{US})")),
        Readers::Nobody
    );
    assert_eq!(readers("(A;;0x1200a9;;;BU)"), Readers::Everyone);
    assert_eq!(readers("(A;ID;FR;;;WD)"), Readers::Everyone);
    assert_eq!(readers("(A;;GR;;;AU)"), Readers::Everyone);
    assert_eq!(
        readers("(A;;0x80000000;;;S-1-5-11)"),
        Readers::Everyone,
        "a generic right, as a number"
    );
    assert_eq!(readers("(A;;FR;;;S-1-5-21-1-2-3-513)"), Readers::Group);
    assert_eq!(
        readers("(A;OICIIO;FA;;;WD)"),
        Readers::Nobody,
        "for what is made in it"
    );
    assert_eq!(
        readers("(D;;FR;;;WD)(A;;FR;;;WD)"),
        Readers::Everyone,
        "who is kept out is not counted"
    );
    assert_eq!(
        readers("(A;;0x100000;;;WD)"),
        Readers::Nobody,
        "to wait for it is not to read it"
    );
    assert_eq!(
        readers("NO_ACCESS_CONTROL"),
        Readers::Everyone,
        "no list gives all to all"
    );
    assert_eq!(readers("P"), Readers::Nobody, "an empty list gives nothing");
}

#[test]
fn windows_rights_say_who_can_change() {
    let all = |list: &str| rights(list).lets_everyone_change();
    let others = |list: &str| rights(list).lets_others_change(US);
    assert!(all("(A;;0x1301bf;;;AU)"), "as of a folder beside `C:\\Windows`");
    assert!(!all("(A;;0x1200a9;;;BU)"));
    assert!(all("(A;;WD;;;BU)"), "who changes rights can give them to himself");
    assert!(others("(A;;FW;;;S-1-5-21-1-2-3-513)") && !all("(A;;FW;;;S-1-5-21-1-2-3-513)"));
    assert!(!others("(A;;FR;;;WD)") && others("NO_ACCESS_CONTROL"));
    assert!(!others("(A;;FA;;;CO)(A;;FA;;;OW)(A;;FA;;;BA)(A;;FA;;;SY)"));
}

#[test]
fn windows_rights_that_are_not_understood_are_not_guessed() {
    for text in [
        "",
        "D:(A;;FA;;;WD)",
        "O:BAD:(A;;FA)",
        "O:BAD:(ML;;NW;;;LW)",
        "O:BAD:(A;;0xZZ;;;WD)",
    ] {
        assert_eq!(Rights::parse(text), None, "{text}");
    }
    let with_group = Rights::parse("O:BAG:DUD:PAI(A;;FA;;;BA)S:(ML;;NW;;;LW)").unwrap();
    assert!(administers(&with_group.owner) && is_same(&with_group.owner, "S-1-5-32-544"));
    assert_eq!(with_group.readers(US), Readers::Nobody);
}
