//! What an act leaves in the journal, so that a visitor who heard no answer finds it there.

use crate::core::Act;
use crate::core::event::{Approving, Event};

/// Whether an event is what an act leads to.
pub(super) fn records(event: &Event, act: &Act) -> bool {
    match (event, act) {
        (
            Event::Ticked {
                instance,
                number,
                item,
            },
            Act::Tick {
                instance: of,
                number: which,
                item: says,
            },
        ) => instance == of && number == which && item == says,
        (
            Event::Confirmed {
                instance,
                values,
                attachments,
                note,
            },
            Act::Confirm {
                instance: of,
                values: given,
                attachments: files,
                note: said,
            },
        ) => instance == of && values == given && attachments == files && note == said,
        (
            Event::Decided {
                instance,
                ruling,
                why,
            },
            Act::Decide {
                instance: of,
                ruling: decided,
                why: because,
            },
        ) => instance == of && ruling == decided && why == because,
        (
            Event::Approving(Approving::Given {
                instance,
                subject,
                note,
            }),
            Act::Approve {
                instance: of,
                subject: approved,
                note: said,
            },
        ) => instance == of && subject == approved && note == said,
        (
            Event::Approving(Approving::Rejected { instance, why } | Approving::Withdrawn { instance, why }),
            Act::Reject {
                instance: of,
                why: because,
            },
        ) => instance == of && why == because,
        (
            Event::SentBack(sent),
            Act::SendBack {
                instance: of,
                to,
                why: because,
            },
        ) => sent.instance == *of && sent.to == *to && sent.why == *because,
        (Event::Handed(handed), Act::Hand(handing)) => handed == handing,
        (Event::Amended(amended), Act::Amend(wanted)) => amended == wanted,
        (Event::CancelRequested { why }, Act::Cancel { why: because }) => why == because,
        (
            Event::RollbackStarted { scope, why, .. },
            Act::Rollback {
                scope: of,
                why: because,
            },
        ) => scope == of && why == because,
        _ => false,
    }
}
