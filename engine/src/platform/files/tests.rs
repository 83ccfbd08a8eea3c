use std::sync::mpsc;

use super::*;

/// Somebody who has a file open until they are told, or a moment longer.
fn reader(path: &Path) -> (mpsc::Sender<()>, thread::JoinHandle<()>) {
    let file = File::open(path).unwrap();
    let (told, tells) = mpsc::channel();
    let reader = thread::spawn(move || {
        tells.recv().unwrap();
        thread::sleep(Duration::from_millis(100));
        drop(file);
    });
    (told, reader)
}

#[test]
fn what_others_read_is_removed_and_replaced_all_the_same() {
    let around = tempfile::tempdir().unwrap();
    let folder = around.path().join("run");
    fs::create_dir_all(folder.join("db")).unwrap();
    let file = folder.join("db").join("file");
    fs::write(&file, "old").unwrap();
    fs::write(around.path().join("new"), "new").unwrap();
    let (told, one) = reader(&file);
    told.send(()).unwrap();
    replace(&around.path().join("new"), &file).unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), "new");
    let (told, other) = reader(&file);
    told.send(()).unwrap();
    remove_folder(&folder).unwrap();
    assert!(!folder.exists());
    one.join().unwrap();
    other.join().unwrap();
}

#[test]
fn a_folder_goes_with_the_lock_that_is_held_in_it() {
    let around = tempfile::tempdir().unwrap();
    let folder = around.path().join("run");
    fs::create_dir_all(folder.join("db")).unwrap();
    fs::write(folder.join("head"), "").unwrap();
    fs::write(folder.join("db").join("file"), "").unwrap();
    let locked = File::create(folder.join("lock")).unwrap();
    locked.lock().unwrap();
    remove_locked_folder(&folder, "lock", locked).unwrap();
    assert!(!folder.exists());
}

#[test]
fn what_is_not_there_is_an_error_at_once() {
    let around = tempfile::tempdir().unwrap();
    let none = around.path().join("none");
    for gone in [remove_folder(&none), remove_file(&none), open(&none).map(drop)] {
        assert_eq!(gone.unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
