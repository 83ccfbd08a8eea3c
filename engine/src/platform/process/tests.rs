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
    let launch = Launch {
        program: "no-such-program-of-runbook".to_owned(),
        args: Vec::new(),
        env: BTreeMap::new(),
        cwd: None,
    };
    let error = Group::spawn(launch).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
}

#[cfg(unix)]
#[test]
fn a_program_that_nobody_waits_for_any_more_is_not_left_running() {
    use futures_util::FutureExt as _;

    for round in 0..20 {
        let token = format!("given-up-{}-{round}", std::process::id());
        let launch = Launch {
            program: "sleep".to_owned(),
            args: vec!["600".to_owned()],
            env: BTreeMap::from([(TOKEN.to_owned(), token.clone())]),
            cwd: None,
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let other = Group::spawn(launch.clone()).await.unwrap();
            let given_up = Group::spawn(launch).now_or_never();
            assert!(
                given_up.is_none(),
                "it takes its time to start a program beside another"
            );
            drop(other);
        });
        settle();
        // It is killed, which takes the system a moment.
        let gone = (0..1_000).any(|_| orphans(&token).is_empty());
        assert!(gone, "it is still there");
    }
}
