use super::*;

fn own_mark() -> ProcessMark {
    let pid = std::process::id();
    ProcessMark {
        pid,
        started: table::started(pid).expect("the system lists this process"),
    }
}

#[test]
fn a_process_is_told_from_a_later_one_of_the_same_number() {
    let mark = own_mark();
    assert!(is_alive(&mark));
    assert!(!is_alive(&ProcessMark {
        started: mark.started - 60,
        ..mark
    }));
    assert!(!is_alive(&ProcessMark {
        started: mark.started + 60,
        ..mark
    }));
}

#[test]
fn nobody_carries_a_token_that_was_never_given() {
    assert_eq!(orphans("never-given"), []);
}

#[tokio::test]
async fn a_process_that_is_gone_needs_no_end() {
    let mark = ProcessMark {
        started: 1,
        ..own_mark()
    };
    assert!(end_orphan(&mark).await);
    assert!(await_end(&mark, &tokio_util::sync::CancellationToken::new()).await);
}

#[tokio::test]
async fn the_wait_for_an_end_can_be_cancelled() {
    let cancel = tokio_util::sync::CancellationToken::new();
    cancel.cancel();
    assert!(!await_end(&own_mark(), &cancel).await);
}

#[tokio::test]
async fn a_program_that_is_not_there_is_an_error() {
    let program = "no-such-program-of-runbook";
    let launch = Launch {
        program,
        args: Vec::new(),
        env: BTreeMap::new(),
        cwd: None,
    };
    let error = Group::spawn(&launch).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
}
