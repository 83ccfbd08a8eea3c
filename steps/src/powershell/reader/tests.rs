use super::{Mistake, mistakes, reaches_out};

#[test]
fn places_are_counted_as_powershell_counts_them() {
    // `x` is one unit and one byte, `é` one unit and two bytes, `😀` two units and four bytes.
    let script = "xé😀(";
    let found = mistakes("4,5,bm90IGNsb3NlZA==", script).unwrap();
    let message = "not closed".to_owned();
    assert_eq!(found, [Mistake { at: (7, 8), message }]);
    assert_eq!(mistakes("", script), Some(Vec::new()));
    assert_eq!(
        mistakes("99,100,bm8=", script).unwrap()[0].at,
        (8, 8),
        "past the end is the end"
    );
    for strange in ["a,b,c", "1,2", "1,2,%%%"] {
        assert_eq!(mistakes(strange, script), None, "{strange}");
    }
}

#[test]
fn the_parser_is_not_asked_about_what_it_would_load() {
    assert!(reaches_out("USING module x"));
    assert!(reaches_out("Configuration A { }"));
    assert!(!reaches_out("Get-ConfigurationItem; $reusing = 1"));
}
