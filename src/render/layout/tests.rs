//! What a person sees of a text at a given width.

use super::{Width, cut, pad};

#[test]
fn further_lines_are_indented_and_none_is_wider_than_the_terminal() {
    let text = "After this change every provider-hosted add-in answers 401.";
    let wrapped = Width::columns(40).wrap("  note: ", 8, text);
    assert_eq!(
        wrapped,
        "  note: After this change every
        provider-hosted add-in answers
        401."
    );
    assert!(wrapped.lines().all(|line| line.chars().count() <= 40));
}

#[test]
fn without_a_terminal_lines_stay_whole() {
    let text = "a line\nand another";
    assert_eq!(Width::endless().wrap("> ", 2, text), "> a line\n  and another");
}

#[test]
fn colours_take_no_room() {
    let painted = "\u{1b}[31mred\u{1b}[0m and more words";
    assert_eq!(Width::columns(20).wrap("", 0, painted), painted);
}

#[test]
fn a_path_is_never_cut_in_two() {
    let path = "/a/very/long/path/that/is/wider/than/the/terminal.txt";
    let wrapped = Width::columns(20).wrap("wrote ", 2, path);
    assert!(wrapped.contains(path), "{wrapped}");
}

#[test]
fn what_is_too_wide_is_cut_with_a_sign_of_it() {
    assert_eq!(cut("restart-timer", 20), "restart-timer");
    assert_eq!(cut("restart-timer", 8), "restart…");
    assert_eq!(cut("表表表", 4), "表…");
    assert_eq!(pad("表", 4), "表  ");
}
