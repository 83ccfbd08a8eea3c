//! What must hold in every run, whatever happens: each law has a name and is checked at every entry.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::simulation::Broken;
use super::world::World;
use crate::core::event::{Need, RollbackScope, Verdict};
use crate::core::{
    Entry, Event, Instance, InstanceIx, InstanceStatus, OnFailure, Phase, RunState, RunStatus, Work,
};
use crate::id::InstanceId;
use crate::runbook::graph::StepIx;
use crate::step::Purpose;

/// What the entries so far tell, told apart from the core's own state.
pub struct History {
    state: RunState,
    jobs: u32,
    tales: BTreeMap<InstanceId, Tale>,
    rule_obeyed: bool,
}

/// What happened to one instance.
#[derive(Debug, Clone, Default)]
struct Tale {
    /// It was interrupted, and nothing and nobody has said since that it may be tried again.
    doubtful: bool,
    /// Something may have changed the world since it was last undone.
    touched: bool,
    /// What was last seen, and what was seen before it was touched.
    seen: Option<Value>,
    before: Option<Value>,
}

/// One entry between two states.
struct Moment<'a> {
    before: &'a RunState,
    entry: &'a Entry,
    after: &'a RunState,
    jobs: u32,
    tales: &'a BTreeMap<InstanceId, Tale>,
}

type Law = fn(&Moment<'_>) -> Result<(), Broken>;

const LAWS: &[(&str, Law)] = &[
    ("nothing doubtful is tried again", nothing_doubtful_is_tried_again),
    ("locks are exclusive", locks_are_exclusive),
    ("no more starts than jobs allow", no_more_starts_than_jobs_allow),
    ("needs come first", needs_come_first),
    (
        "nothing starts in a run that has stopped",
        nothing_starts_in_a_run_that_has_stopped,
    ),
    ("only what changed is undone", only_what_changed_is_undone),
    ("undoing goes backwards", undoing_goes_backwards),
    ("nothing is undone twice at once", nothing_is_undone_twice_at_once),
    ("before is what was seen first", before_is_what_was_seen_first),
    (
        "blocked means that something before it failed",
        blocked_means_something_failed,
    ),
    ("the status tells the truth", the_status_tells_the_truth),
];

impl History {
    /// The history of a run that has just started.
    #[must_use]
    pub fn new(state: &RunState, jobs: u32) -> Self {
        Self {
            state: state.clone(),
            jobs,
            tales: BTreeMap::new(),
            rule_obeyed: true,
        }
    }

    /// The fold of all entries so far.
    #[must_use]
    pub fn state(&self) -> &RunState {
        &self.state
    }

    /// Takes an entry in, and checks all laws.
    ///
    /// # Errors
    /// The first law that it breaks.
    pub fn record(&mut self, entry: &Entry) -> Result<(), Broken> {
        let before = self.state.clone();
        self.state.apply(entry).map_err(|illegal| illegal.to_string())?;
        if let Event::RunResumed { jobs } = &entry.event {
            self.jobs = *jobs;
        }
        let moment = Moment {
            before: &before,
            entry,
            after: &self.state,
            jobs: self.jobs,
            tales: &self.tales,
        };
        for (name, law) in LAWS {
            law(&moment)
                .map_err(|how| format!("{name}: {how}, at entry {}: {:?}", entry.seq, entry.event))?;
        }
        self.tell(&before, entry);
        Ok(())
    }

    fn tell(&mut self, before: &RunState, entry: &Entry) {
        match &entry.event {
            Event::RollbackStarted { .. } => self.rule_obeyed = true,
            Event::AttemptFailed {
                instance,
                retry_at: None,
                ..
            }
            | Event::ObservationFailed {
                instance,
                retry_at: None,
                ..
            } => {
                self.rule_obeyed &= on_failure(&self.state, instance) != Some(OnFailure::Rollback);
            }
            _ => {}
        }
        let Some(instance) = subject(&entry.event) else {
            return;
        };
        let phase = before.find(instance).map(|ix| &before.instance(ix).phase);
        let repeatable = before
            .find(instance)
            .is_some_and(|ix| before.policy(ix).may_be_repeated());
        let by_person = before
            .find(instance)
            .is_some_and(|ix| before.policy(ix).abilities.by_person);
        let tale = self.tales.entry(instance.clone()).or_default();
        match &entry.event {
            Event::Interrupted { .. } => {
                tale.doubtful |= matches!(phase, Some(Phase::Running(_) | Phase::RollingBack(_)));
            }
            Event::Observed {
                verdict, observed, ..
            } => {
                tale.seen = Some(observed.clone());
                tale.doubtful &= *verdict == Verdict::Unknown;
            }
            Event::DoubtSettled { .. } if repeatable => tale.doubtful = false,
            Event::AttemptStarted { .. } => tale.touch(),
            Event::Confirmed { .. } if matches!(phase, Some(Phase::Waiting(_))) => tale.touch(),
            Event::Decided { .. } => {
                tale.doubtful = false;
                // What a person says of manual work that nobody confirmed may be undone, or not.
                if by_person {
                    let ix = self.state.find(instance);
                    tale.touched = ix.is_some_and(|ix| self.state.instance(ix).changed);
                }
            }
            _ => {}
        }
        let ix = self.state.find(instance);
        if ix.is_some_and(|ix| self.state.instance(ix).phase == Phase::RolledBack) {
            *tale = Tale::default();
        }
    }
}

impl Tale {
    fn touch(&mut self) {
        if !self.touched {
            self.before = self.seen.clone();
        }
        self.touched = true;
    }
}

fn on_failure(state: &RunState, instance: &InstanceId) -> Option<OnFailure> {
    state.find(instance).map(|ix| state.policy(ix).on_failure)
}

/// The instance that an event is about.
fn subject(event: &Event) -> Option<&InstanceId> {
    match event {
        Event::ObservationStarted { instance }
        | Event::Observed { instance, .. }
        | Event::ObservationFailed { instance, .. }
        | Event::AttemptStarted { instance, .. }
        | Event::ProcessStarted { instance, .. }
        | Event::StopRequested { instance, .. }
        | Event::AttemptReturned { instance, .. }
        | Event::AttemptFailed { instance, .. }
        | Event::Verified { instance, .. }
        | Event::Interrupted { instance, .. }
        | Event::ProcessCleared { instance, .. }
        | Event::DoubtSettled { instance, .. }
        | Event::PersonNeeded { instance, .. }
        | Event::Confirmed { instance, .. }
        | Event::Decided { instance, .. }
        | Event::RollbackAttemptStarted { instance, .. }
        | Event::RollbackReturned { instance, .. }
        | Event::RolledBack { instance, .. }
        | Event::RollbackFailed { instance, .. } => Some(instance),
        Event::RunStarted(_)
        | Event::FilePinned { .. }
        | Event::RunResumed { .. }
        | Event::StepOpened { .. }
        | Event::StepSkipped { .. }
        | Event::StepUnclear { .. }
        | Event::CancelRequested { .. }
        | Event::RollbackStarted { .. } => None,
    }
}

impl Moment<'_> {
    /// The step that this entry begins to carry out, if it does: its opening, or anything that starts.
    fn forward_start(&self) -> Option<StepIx> {
        let step = |id: &str| self.before.workflow().find(id);
        let of = |id: &InstanceId| self.before.find(id).map(|ix| self.before.instance(ix));
        match &self.entry.event {
            Event::StepOpened { step: id, .. }
            | Event::StepSkipped { step: id, .. }
            | Event::StepUnclear { step: id, .. } => step(id.as_str()),
            Event::ObservationStarted { instance } => of(instance)
                .filter(|found| matches!(found.phase, Phase::Ready | Phase::Retrying { .. }))
                .map(|found| found.step),
            Event::AttemptStarted { instance, .. } => of(instance).map(|found| found.step),
            Event::PersonNeeded {
                instance,
                need: Need::ManualWork,
            } => of(instance)
                .filter(|found| found.phase == Phase::Ready)
                .map(|found| found.step),
            _ => None,
        }
    }

    fn tale(&self, instance: &InstanceId) -> Tale {
        self.tales.get(instance).cloned().unwrap_or_default()
    }
}

fn hold(holds: bool, how: impl FnOnce() -> String) -> Result<(), Broken> {
    if holds { Ok(()) } else { Err(how()) }
}

fn instances(state: &RunState) -> impl Iterator<Item = (InstanceIx, &Instance)> {
    let steps = state.workflow().steps().map(|(at, _)| at);
    steps
        .flat_map(|at| state.instances_of(at))
        .map(|&ix| (ix, state.instance(ix)))
}

fn nothing_doubtful_is_tried_again(moment: &Moment<'_>) -> Result<(), Broken> {
    match &moment.entry.event {
        Event::AttemptStarted { instance, .. } => hold(!moment.tale(instance).doubtful, || {
            format!("`{instance}` may have taken effect")
        }),
        Event::RollbackAttemptStarted { instance, .. } => {
            let ix = moment.before.find(instance);
            let again = ix.is_some_and(|ix| moment.before.instance(ix).phase == Phase::RollbackReady);
            hold(!(again && moment.tale(instance).doubtful), || {
                format!("`{instance}` may be undone")
            })
        }
        _ => Ok(()),
    }
}

fn locks_are_exclusive(moment: &Moment<'_>) -> Result<(), Broken> {
    let mut held = BTreeMap::new();
    for (ix, instance) in instances(moment.after) {
        let undoing = moment.after.rollback().is_some();
        let holds = matches!(
            instance.phase,
            Phase::Observing { .. } | Phase::Running(_) | Phase::Verifying(_) | Phase::InDoubt(_)
        );
        for lock in moment.after.policy(ix).locks.iter().filter(|_| holds && !undoing) {
            if let Some(other) = held.insert(lock, &instance.id) {
                return Err(format!("`{}` and `{other}` hold `{lock}`", instance.id));
            }
        }
    }
    Ok(())
}

fn no_more_starts_than_jobs_allow(moment: &Moment<'_>) -> Result<(), Broken> {
    let starts = matches!(
        moment.entry.event,
        Event::ObservationStarted { .. }
            | Event::AttemptStarted { .. }
            | Event::RollbackAttemptStarted { .. }
    );
    let active = moment.after.active().len();
    hold(!starts || active <= moment.jobs as usize, || {
        format!("{active} at once with {}", moment.jobs)
    })
}

fn needs_come_first(moment: &Moment<'_>) -> Result<(), Broken> {
    let Some(step) = moment.forward_start() else {
        return Ok(());
    };
    for need in moment.before.workflow().dag().needs(step) {
        for &ix in moment.before.instances_of(need) {
            let instance = moment.before.instance(ix);
            let settled = matches!(
                instance.phase,
                Phase::Satisfied | Phase::Succeeded | Phase::Skipped(_)
            );
            hold(settled, || format!("`{}` is {:?}", instance.id, instance.phase))?;
        }
    }
    Ok(())
}

fn nothing_starts_in_a_run_that_has_stopped(moment: &Moment<'_>) -> Result<(), Broken> {
    if moment.forward_start().is_none() {
        return Ok(());
    }
    hold(moment.before.cancelled().is_none(), || {
        "it is cancelled".to_owned()
    })?;
    hold(moment.before.rollback().is_none(), || {
        "it is rolled back".to_owned()
    })?;
    for (ix, instance) in instances(moment.before) {
        let halts = moment.before.policy(ix).on_failure != OnFailure::Continue;
        hold(!(halts && instance.phase == Phase::Failed), || {
            format!("`{}` failed", instance.id)
        })?;
    }
    Ok(())
}

fn only_what_changed_is_undone(moment: &Moment<'_>) -> Result<(), Broken> {
    match &moment.entry.event {
        Event::RollbackStarted {
            scope, plan, left, ..
        } => {
            let chosen = |step: StepIx| match scope {
                RollbackScope::Run => true,
                RollbackScope::Steps(steps) => steps.iter().any(|id| {
                    let named = moment.before.workflow().find(id.as_str());
                    named == Some(step) || named.is_some_and(|named| is_before(moment.before, named, step))
                }),
            };
            for (ix, instance) in instances(moment.before) {
                let abilities = moment.before.policy(ix).abilities;
                let due = chosen(instance.step) && moment.tale(&instance.id).touched && !abilities.read_only;
                let (undo, stay) = (due && abilities.undoes, due && !abilities.undoes);
                hold(undo == plan.contains(&instance.id), || {
                    format!("the plan is wrong on `{}`", instance.id)
                })?;
                hold(stay == left.contains(&instance.id), || {
                    format!("`{}` stays, or not", instance.id)
                })?;
            }
            Ok(())
        }
        Event::RollbackAttemptStarted { instance, .. } => {
            let phase = moment
                .before
                .find(instance)
                .map(|ix| &moment.before.instance(ix).phase);
            hold(phase != Some(&Phase::Satisfied), || {
                "it was there before the run".to_owned()
            })?;
            hold(moment.tale(instance).touched, || "it changed nothing".to_owned())
        }
        _ => Ok(()),
    }
}

fn is_before(state: &RunState, first: StepIx, then: StepIx) -> bool {
    state.workflow().dag().ancestors(then).contains(&first)
}

fn undoing_goes_backwards(moment: &Moment<'_>) -> Result<(), Broken> {
    let Event::RollbackAttemptStarted { instance, .. } = &moment.entry.event else {
        return Ok(());
    };
    let Some(step) = moment.before.workflow().find(instance.step().as_str()) else {
        return Ok(());
    };
    for later in moment
        .before
        .still_to_undo()
        .iter()
        .filter(|later| *later != instance)
    {
        let Some(at) = moment.before.workflow().find(later.step().as_str()) else {
            continue;
        };
        hold(!is_before(moment.before, step, at), || {
            format!("`{later}` needs it and is not undone")
        })?;
    }
    Ok(())
}

fn nothing_is_undone_twice_at_once(moment: &Moment<'_>) -> Result<(), Broken> {
    let undoing = moment.after.rollback().is_some();
    hold(!undoing || moment.after.active().len() <= 1, || {
        "several are undone at once".to_owned()
    })
}

fn before_is_what_was_seen_first(moment: &Moment<'_>) -> Result<(), Broken> {
    for (id, tale) in moment.tales.iter().filter(|(_, tale)| tale.touched) {
        let Some(ix) = moment.before.find(id) else {
            continue;
        };
        let instance = moment.before.instance(ix);
        hold(instance.before == tale.before, || {
            format!("`{id}` has {:?}, seen was {:?}", instance.before, tale.before)
        })?;
    }
    Ok(())
}

fn blocked_means_something_failed(moment: &Moment<'_>) -> Result<(), Broken> {
    for row in moment.after.rows() {
        let Some(ix) = moment.after.find(&row.id) else {
            continue;
        };
        let ancestors = moment
            .after
            .workflow()
            .dag()
            .ancestors(moment.after.instance(ix).step);
        let in_the_way = ancestors
            .iter()
            .flat_map(|&step| moment.after.instances_of(step))
            .any(|&ix| {
                let phase = &moment.after.instance(ix).phase;
                matches!(phase, Phase::Failed | Phase::RolledBack | Phase::RollbackFailed)
            });
        match row.status {
            InstanceStatus::Blocked => hold(in_the_way, || format!("`{}` is blocked by nothing", row.id))?,
            InstanceStatus::Pending => hold(!in_the_way, || format!("`{}` is not blocked", row.id))?,
            _ => {}
        }
    }
    Ok(())
}

fn the_status_tells_the_truth(moment: &Moment<'_>) -> Result<(), Broken> {
    let state = moment.after;
    let all_settled = instances(state).all(|(_, found)| {
        matches!(
            found.phase,
            Phase::Satisfied | Phase::Succeeded | Phase::Skipped(_)
        )
    });
    let forward = state.cancelled().is_none() && state.rollback().is_none();
    let status = state.status();
    let wrong = || format!("{status:?}");
    hold(
        (status == RunStatus::Completed) == (all_settled && forward),
        wrong,
    )?;
    hold(state.progress().0 <= state.progress().1, wrong)?;
    match status {
        RunStatus::Completed => hold(state.progress().0 == state.progress().1, wrong),
        RunStatus::Waiting => hold(!state.waiting_for().is_empty(), wrong),
        RunStatus::Failed => hold(state.has_failures(), wrong),
        RunStatus::Cancelled => hold(state.cancelled().is_some() && state.active().len() == 0, wrong),
        RunStatus::RollingBack | RunStatus::Stuck => hold(!state.still_to_undo().is_empty(), wrong),
        RunStatus::RolledBack => hold(state.still_to_undo().is_empty(), wrong),
        RunStatus::Running => Ok(()),
    }
}

/// The fold of the journal is the live state.
///
/// # Errors
/// When it is not.
pub fn live_state_is_the_journals(live: &RunState, folded: &RunState) -> Result<(), Broken> {
    hold(live == folded, || {
        "the live state is not the fold of the journal".to_owned()
    })
}

/// No effect without a durable intent.
///
/// # Errors
/// When the journal does not hold it.
pub fn intent_is_durable(journal: &[Entry], work: &Work) -> Result<(), Broken> {
    let intent = journal
        .iter()
        .find(|entry| entry.seq == work.of)
        .map(|entry| &entry.event);
    let fits = match (work.purpose, intent) {
        (Purpose::Run, Some(Event::AttemptStarted { instance, .. }))
        | (Purpose::Rollback, Some(Event::RollbackAttemptStarted { instance, .. }))
        | (Purpose::Before | Purpose::Doubt, Some(Event::ObservationStarted { instance }))
        | (
            Purpose::After,
            Some(Event::AttemptReturned { instance, .. } | Event::Interrupted { instance, .. }),
        )
        | (
            Purpose::AfterRollback,
            Some(Event::RollbackReturned { instance, .. } | Event::Interrupted { instance, .. }),
        ) => *instance == work.instance,
        _ => false,
    };
    hold(fits, || {
        format!(
            "{:?} of `{}` has no intent in the journal",
            work.purpose, work.instance
        )
    })
}

/// Never two calls for one instance at once, and no undoing while anything is left that changes the world.
///
/// # Errors
/// When there is another one.
pub fn one_call_at_a_time<'a>(
    mut under_way: impl Iterator<Item = &'a Work>,
    work: &Work,
    world: &World,
) -> Result<(), Broken> {
    let twice = under_way.any(|other| other.instance == work.instance);
    hold(!twice, || format!("two calls for `{}`", work.instance))?;
    hold(!world.has_outlived(&work.instance), || {
        format!("a process of `{}` is left", work.instance)
    })?;
    let undoing = work.purpose == Purpose::Rollback;
    hold(!(undoing && world.any_outlived()), || {
        "undone while a process is left".to_owned()
    })
}

/// Whoever waits for `wake` misses no time-out and no retry.
///
/// # Errors
/// When something is due before that.
pub fn no_deadline_is_missed(state: &RunState, wake: Option<Timestamp>) -> Result<(), Broken> {
    for (ix, instance) in instances(state) {
        let Some(activity) = instance.phase.activity() else {
            continue;
        };
        let timeout = state.policy(ix).timeout.filter(|_| activity.stop.is_none());
        let end = timeout.and_then(|timeout| activity.since.checked_add(timeout).ok());
        let woken = end.is_none_or(|end| wake.is_some_and(|wake| wake <= end));
        hold(woken, || {
            format!("the time-out of `{}` would be missed", instance.id)
        })?;
    }
    Ok(())
}

/// An outcome that came already says nothing when it comes again.
///
/// # Errors
/// When it changed something.
pub fn late_outcome_is_ignored(before: &RunState, after: &RunState) -> Result<(), Broken> {
    hold(before == after, || "a late outcome was not ignored".to_owned())
}

/// Nothing is under way and no clock is awaited: then the status does not say that the run goes on.
///
/// # Errors
/// When it does, or something is awaited that nobody sees to.
pub fn nothing_to_wait_for(state: &RunState) -> Result<(), Broken> {
    let status = state.status();
    let goes_on = matches!(status, RunStatus::Running | RunStatus::RollingBack);
    hold(!goes_on, || format!("{status:?}, but nothing will ever happen"))
}

/// The run has come to rest: what its steps ask for after a failure has happened.
///
/// # Errors
/// When it has not.
pub fn at_rest(state: &RunState, history: &History) -> Result<(), Broken> {
    nothing_to_wait_for(state)?;
    let due = !history.rule_obeyed && state.cancelled().is_none();
    let still_failed = instances(state).any(|(ix, found)| {
        found.phase == Phase::Failed && state.policy(ix).on_failure == OnFailure::Rollback
    });
    hold(!(due && still_failed), || {
        "a step that says `on_failure: rollback` failed".to_owned()
    })
}
