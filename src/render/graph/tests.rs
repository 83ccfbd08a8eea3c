use runbook_engine::core::InstanceStatus;

use super::{Form, Node, Picture, stands};

/// Nodes `s0`, `s1`, … with where they stand and what comes after each.
fn picture(nodes: &[(InstanceStatus, &[usize])]) -> Picture {
    let nodes = nodes.iter().enumerate().map(|(at, &(status, before))| Node {
        id: format!("s{at}"),
        title: format!("Step \"{at}\""),
        status: Some(status),
        stands: stands(&[status]),
        before: before.to_vec(),
    });
    Picture {
        nodes: nodes.collect(),
    }
}

fn diamond() -> Picture {
    picture(&[
        (InstanceStatus::Succeeded, &[1, 2]),
        (InstanceStatus::Failed, &[3]),
        (InstanceStatus::Waiting, &[3]),
        (InstanceStatus::Blocked, &[]),
    ])
}

/// One step, then `many` side by side, one of which waits, then one more.
fn fan(many: usize) -> Picture {
    let first: Vec<usize> = (1..=many).collect();
    let last = [many + 1];
    let mut nodes: Vec<(InstanceStatus, &[usize])> = vec![(InstanceStatus::Succeeded, &first)];
    nodes.extend((1..many).map(|_| (InstanceStatus::Succeeded, &last[..])));
    nodes.push((InstanceStatus::Waiting, &last));
    nodes.push((InstanceStatus::Pending, &[]));
    picture(&nodes)
}

#[test]
fn rails_lead_from_each_step_to_those_that_need_it() {
    insta::assert_snapshot!(diamond().draw(Form::Text, None));
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for columns in [40, 80, 200] {
        for line in fan(300).draw(Form::Text, Some(columns)).lines() {
            assert!(textwrap::core::display_width(line) <= columns, "{line}");
        }
    }
}

#[test]
fn of_hundreds_side_by_side_only_what_needs_to_be_seen_stands_alone() {
    insta::assert_snapshot!(fan(300).draw(Form::Text, Some(80)));
}

#[test]
fn other_programs_get_every_step_and_no_quote_ends_a_label() {
    insta::assert_snapshot!(diamond().draw(Form::Mermaid, None));
    insta::assert_snapshot!(diamond().draw(Form::Dot, None));
}

#[test]
fn a_step_that_fanned_out_tells_how_many_stand_where() {
    let statuses = [
        InstanceStatus::Succeeded,
        InstanceStatus::Failed,
        InstanceStatus::Succeeded,
    ];
    assert_eq!(stands(&statuses), "2 succeeded, 1 failed");
}
