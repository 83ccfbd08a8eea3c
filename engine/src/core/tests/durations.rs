//! How long work on an instance took: the last of it, and nothing where an interruption hides that.

use super::*;

#[track_caller]
fn took(run: &Run, seconds: Option<i64>) {
    let ix = run.state.find(&Run::id("a")).unwrap();
    let took = run.state.row_of(ix).took;
    assert_eq!(took.map(|took| took.as_secs()), seconds);
}

fn done_in(seconds: i64) -> Run {
    let mut run = Run::of([step("a")]);
    run.waits(seconds).is_missing("a").returns("a").is_there("a");
    run
}

#[test]
fn undoing_takes_its_own_time() {
    let mut run = done_in(5);
    took(&run, Some(5));
    run.waits(86_400).is_rolled_back(&[]);
    took(&run, None);
    run.waits(3).is_undone("a");
    took(&run, Some(3));
}

#[test]
fn the_time_in_which_nobody_carried_it_out_does_not_count() {
    let mut run = Run::of([step("a")]);
    run.is_missing("a");
    run.turn.now = run
        .turn
        .now
        .checked_add(SignedDuration::from_secs(86_400))
        .unwrap();
    run.crashes().is_cleared("a").waits(2).is_missing("a").waits(3);
    run.returns("a").is_there("a");
    took(&run, Some(5));
}

#[test]
fn how_long_it_took_is_not_known_where_it_was_over_when_somebody_looked() {
    let mut run = Run::of([step("a")]);
    run.is_missing("a")
        .crashes()
        .is_cleared("a")
        .waits(1)
        .is_there("a");
    assert_eq!(run.status_of("a"), InstanceStatus::Succeeded);
    took(&run, None);
    let mut run = done_in(5);
    run.is_rolled_back(&[])
        .waits(1)
        .crashes()
        .is_cleared("a")
        .is_missing("a");
    assert_eq!(run.status_of("a"), InstanceStatus::RolledBack);
    took(&run, None);
}

#[test]
fn what_is_done_anew_is_measured_anew() {
    let mut run = Run::of([step("a")]);
    run.is_missing("a").waits(7).fails("a");
    took(&run, Some(7));
    run.waits(3600).is_decided("a", Ruling::Again);
    took(&run, None);
    run.waits(2).succeeds("a");
    took(&run, Some(2));
}
