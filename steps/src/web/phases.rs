//! The three functions of a step that sends requests: one, or a list that is sent in order.

use async_trait::async_trait;
use runbook_engine::step::{Context, Failure, Observation, Outputs, Verdict};

use super::answer::{self, expected, is_satisfied, scope, unsatisfied, values};
use super::request::{Request, Requests, all};
use super::send::Answer;

/// Sends requests of one kind.
#[async_trait]
pub trait Sends<R: Request>: Sync {
    /// Sends one request, and gives its answer, whatever that says.
    ///
    /// # Errors
    /// When there is no answer.
    async fn send(&self, request: &R, cx: &Context) -> Result<Answer, Failure>;

    /// What an answer that was not expected means, for people.
    fn explain(&self, answer: &Answer) -> Option<String>;
}

/// Asks whether the outcome is there: it is, where every `satisfied` says so.
///
/// # Errors
/// When a question could not be asked, or was not answered as expected.
pub async fn validate<R: Request + Sync>(
    sends: &dyn Sends<R>,
    requests: &Requests<R>,
    cx: &Context,
) -> Result<Observation, Failure> {
    let mut verdict = Verdict::Satisfied;
    let (mut outputs, mut seen) = (Outputs::new(), Outputs::new());
    for request in all(requests) {
        let (answer, answers) = (answered(sends, request, cx).await?, request.answers());
        let scope = scope(cx, &answer);
        seen.extend(values(answers.observed, &scope)?);
        let holds = answers
            .satisfied
            .map_or(Ok(true), |source| is_satisfied(source, &scope))?;
        if holds {
            outputs.extend(values(answers.outputs, &scope)?);
        } else if verdict == Verdict::Satisfied {
            verdict = Verdict::Unsatisfied(unsatisfied(&answers, &answer, &scope));
        }
    }
    if verdict != Verdict::Satisfied {
        outputs.clear();
    }
    Ok(Observation {
        verdict,
        observed: answer::observed(seen),
        outputs,
    })
}

/// Sends requests in order, and gives what is read out of their answers. The first that is not answered as expected
/// is the last.
///
/// # Errors
/// When a request was not answered, or not as expected.
pub async fn carry_out<R: Request + Sync>(
    sends: &dyn Sends<R>,
    requests: &Requests<R>,
    cx: &Context,
) -> Result<Outputs, Failure> {
    let mut outputs = Outputs::new();
    for request in all(requests) {
        let answer = answered(sends, request, cx).await?;
        outputs.extend(values(request.answers().outputs, &scope(cx, &answer))?);
    }
    Ok(outputs)
}

async fn answered<R: Request>(sends: &dyn Sends<R>, request: &R, cx: &Context) -> Result<Answer, Failure> {
    let answer = sends.send(request, cx).await?;
    expected(&answer, request.answers().expect, |answer| sends.explain(answer))?;
    Ok(answer)
}
