//! What stands in an emulated terminal after each change.

use super::Block;
use crate::render::layout::Size;

const SIZE: Size = Size { columns: 20, rows: 6 };

fn lines(text: &str) -> Vec<String> {
    text.split('|').map(str::to_owned).collect()
}

/// A terminal in which something stands already.
fn terminal() -> vt100::Parser {
    let mut terminal = vt100::Parser::new(6, 20, 100);
    terminal.process(b"$ runbook exec\r\n");
    terminal
}

fn shown(terminal: &vt100::Parser) -> String {
    terminal.screen().contents().trim_end().to_owned()
}

#[test]
fn only_the_lines_that_changed_are_written() {
    let (mut terminal, mut block) = (terminal(), Block::new(true));
    terminal.process(block.repaint(lines("one|two|three"), SIZE).as_bytes());
    assert_eq!(shown(&terminal), "$ runbook exec\none\ntwo\nthree");
    let frame = block.repaint(lines("one|2|three"), SIZE);
    assert!(!frame.contains("one") && !frame.contains("three"), "{frame:?}");
    assert!(
        frame.starts_with("\x1b[?2026h") && frame.ends_with("\x1b[?2026l"),
        "{frame:?}"
    );
    terminal.process(frame.as_bytes());
    assert_eq!(shown(&terminal), "$ runbook exec\none\n2\nthree");
    assert_eq!(block.repaint(lines("one|2|three"), SIZE), "");
}

#[test]
fn it_grows_and_shrinks_and_goes() {
    let (mut terminal, mut block) = (terminal(), Block::new(true));
    for (text, expected) in [
        ("one", "$ runbook exec\none"),
        ("one|two|three", "$ runbook exec\none\ntwo\nthree"),
        ("two", "$ runbook exec\ntwo"),
    ] {
        terminal.process(block.repaint(lines(text), SIZE).as_bytes());
        assert_eq!(shown(&terminal), expected);
    }
    terminal.process(block.erase(SIZE).as_bytes());
    assert_eq!(shown(&terminal), "$ runbook exec");
    assert_eq!(block.erase(SIZE), "");
}

#[test]
fn what_is_told_stands_above_it_and_scrolls_away() {
    let (mut terminal, mut block) = (terminal(), Block::new(true));
    terminal.process(block.repaint(lines("one|two"), SIZE).as_bytes());
    for text in ["first", "second\nthird", "fourth"] {
        terminal.process(block.above(text, SIZE).as_bytes());
    }
    assert_eq!(shown(&terminal), "second\nthird\nfourth\none\ntwo");
    terminal.process(block.erase(SIZE).as_bytes());
    terminal.screen_mut().set_scrollback(100);
    assert!(shown(&terminal).starts_with("$ runbook exec\nfirst\nsecond"));
}

/// A terminal that does not wait for the whole of a frame shows no empty rows in between.
#[test]
fn what_is_told_above_it_is_written_over_it() {
    let mut block = Block::new(true);
    block.repaint(lines("one|two"), SIZE);
    let frame = block.above("first", SIZE);
    assert!(!frame.contains("\x1b[J"), "{frame:?}");
    let (mut terminal, mut block) = (terminal(), Block::new(true));
    let full = "x".repeat(SIZE.columns);
    terminal.process(block.repaint(lines("a longer line|two"), SIZE).as_bytes());
    terminal.process(block.above(&full, SIZE).as_bytes());
    terminal.process(block.above("y", SIZE).as_bytes());
    let expected = format!("$ runbook exec\n{full}\ny\na longer line\ntwo");
    assert_eq!(shown(&terminal), expected);
}

#[test]
fn a_terminal_that_becomes_narrower_breaks_the_lines_or_cuts_them() {
    let narrow = Size { columns: 10, ..SIZE };
    for (reflows, rows) in [(true, 3), (false, 2)] {
        let mut block = Block::new(reflows);
        block.repaint(lines("0123456789abc|two"), SIZE);
        let frame = block.repaint(lines("0123|two"), narrow);
        assert!(frame.contains(&format!("\x1b[{rows}A")), "{frame:?}");
    }
    let (mut terminal, mut block) = (terminal(), Block::new(false));
    terminal.process(block.repaint(lines("0123456789abc|two"), SIZE).as_bytes());
    terminal.screen_mut().set_size(6, 10);
    terminal.process(block.above("told", narrow).as_bytes());
    assert_eq!(shown(&terminal), "$ runbook \ntold");
    terminal.process(block.repaint(lines("0123|two"), narrow).as_bytes());
    assert_eq!(shown(&terminal), "$ runbook \ntold\n0123\ntwo");
}

#[test]
fn a_terminal_that_becomes_lower_loses_no_line_below_the_block() {
    let (mut terminal, mut block) = (terminal(), Block::new(true));
    terminal.process(block.repaint(lines("1|2|3|4"), SIZE).as_bytes());
    let low = Size { rows: 3, ..SIZE };
    let frame = block.repaint(lines("1"), low);
    assert!(frame.contains("\x1b[2A"), "{frame:?}");
}
