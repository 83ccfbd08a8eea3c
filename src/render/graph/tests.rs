use runbook_engine::core::InstanceStatus;

use super::place::placed;
use super::{Form, Node, Picture, stands};

/// Nodes `s0`, `s1`, … with where they stand and what comes after each.
fn picture(nodes: &[(InstanceStatus, &[usize])]) -> Picture {
    let nodes = nodes.iter().enumerate().map(|(at, &(status, before))| Node {
        id: format!("s{at}"),
        title: format!("Step \"{at}\""),
        status: Some(status),
        stands: stands(&[status], None),
        before: before.to_vec(),
    });
    Picture {
        nodes: nodes.collect(),
        title: "A picture".to_owned(),
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

/// One step, then `many` side by side that all stand alike, then one more.
fn fan_of(status: InstanceStatus, many: usize) -> Picture {
    let first: Vec<usize> = (1..=many).collect();
    let last = [many + 1];
    let mut nodes: Vec<(InstanceStatus, &[usize])> = vec![(InstanceStatus::Succeeded, &first)];
    nodes.extend((0..many).map(|_| (status, &last[..])));
    nodes.push((InstanceStatus::Pending, &[]));
    picture(&nodes)
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
    insta::assert_snapshot!(diamond().draw(Form::Text, None).unwrap());
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for columns in [40, 80, 200] {
        for line in fan(300).draw(Form::Text, Some(columns)).unwrap().lines() {
            assert!(textwrap::core::display_width(line) <= columns, "{line}");
        }
    }
}

#[test]
fn of_hundreds_side_by_side_only_what_needs_to_be_seen_stands_alone() {
    insta::assert_snapshot!(fan(300).draw(Form::Text, Some(80)).unwrap());
}

#[test]
fn other_programs_get_every_step_and_no_quote_ends_a_label() {
    insta::assert_snapshot!(diamond().draw(Form::Mermaid, None).unwrap());
    insta::assert_snapshot!(diamond().draw(Form::Dot, None).unwrap());
}

#[test]
fn a_step_that_fanned_out_tells_how_many_stand_where() {
    let statuses = [
        InstanceStatus::Succeeded,
        InstanceStatus::Failed,
        InstanceStatus::Succeeded,
    ];
    assert_eq!(stands(&statuses, None), "2 succeeded, 1 failed");
}

#[test]
fn hundreds_that_wait_side_by_side_share_a_line_too() {
    let waiting = fan_of(InstanceStatus::Waiting, 300)
        .draw(Form::Text, None)
        .unwrap();
    assert!(waiting.lines().all(|line| line.chars().count() < 60), "{waiting}");
    assert!(waiting.contains("s1 … s300  (waiting)  300 steps"), "{waiting}");
    let few = fan_of(InstanceStatus::Waiting, 8).draw(Form::Text, None).unwrap();
    assert!(few.contains("s8  (waiting)"), "a few are shown one by one: {few}");
}

#[test]
fn hundreds_of_chains_side_by_side_are_one_chain() {
    let (firsts, seconds): (Vec<usize>, Vec<usize>) = ((0..200).collect(), (200..400).collect());
    let mut nodes: Vec<(InstanceStatus, Vec<usize>)> = Vec::new();
    nodes.extend(
        firsts
            .iter()
            .map(|first| (InstanceStatus::Succeeded, vec![first + 200])),
    );
    nodes.extend(seconds.iter().map(|_| (InstanceStatus::Pending, vec![])));
    // One of them is different, and so is what comes after it.
    nodes[7].0 = InstanceStatus::Failed;
    nodes[207].0 = InstanceStatus::Blocked;
    let nodes: Vec<(InstanceStatus, &[usize])> =
        nodes.iter().map(|(is, before)| (*is, &before[..])).collect();
    let text = picture(&nodes).draw(Form::Text, None).unwrap();
    let steps = text.lines().filter(|line| line.contains("  (")).count();
    assert_eq!(steps, 4, "{text}");
    assert!(
        text.contains("s7  (failed)") && text.contains("s207  (blocked)"),
        "{text}"
    );
}

#[test]
fn no_box_of_a_drawing_lies_upon_another_and_each_is_below_what_it_needs() {
    let mut random = 7_u64;
    let mut next = |below: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(random >> 33).unwrap() % below
    };
    for many in [1, 2, 9, 40, 120] {
        let nodes: Vec<Vec<usize>> = (0..many)
            .map(|at| {
                let mut before: Vec<usize> =
                    (0..2).map(|_| at + 1 + next(9)).filter(|&to| to < many).collect();
                before.sort_unstable();
                before.dedup();
                before
            })
            .collect();
        let nodes: Vec<(InstanceStatus, &[usize])> = nodes
            .iter()
            .map(|before| (InstanceStatus::Pending, &before[..]))
            .collect();
        let picture = picture(&nodes);
        let sizes: Vec<(f64, f64)> = (0_u32..)
            .take(many)
            .map(|at| (f64::from(40 + at % 200), 40.0))
            .collect();
        let placed = placed(&picture, &sizes);
        let sides = |at: usize| {
            let ((x, y), (width, height)) = (placed.boxes[at], sizes[at]);
            (
                x - width / 2.0,
                x + width / 2.0,
                y - height / 2.0,
                y + height / 2.0,
            )
        };
        for one in 0..many {
            let (west, east, north, south) = sides(one);
            assert!(west > -0.1 && north > -0.1 && east < placed.width + 0.1 && south < placed.height + 0.1);
            for other in one + 1..many {
                let (left, right, top, bottom) = sides(other);
                let apart = right <= west || east <= left || bottom <= north || south <= top;
                assert!(apart, "{one} and {other} of {many}");
            }
        }
        for (from, _, to) in &placed.lines {
            assert!(sides(*from).3 < sides(*to).2, "{from} and {to} of {many}");
        }
    }
}
