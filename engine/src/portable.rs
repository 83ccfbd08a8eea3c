//! Names of files that every system on which the program runs can keep: what is refused on one is refused on all, so
//! that a folder of runbooks, or a file that was attached, can be taken from one to the other.

/// The longest name, in bytes. Windows counts UTF-16 code units, of which a name never has more than it has bytes.
const LONGEST: usize = 255;

/// Names that Windows takes for devices, whatever follows after a dot.
const DEVICES: &[&str] = &["con", "prn", "aux", "nul", "conin$", "conout$"];

/// Devices with a number, which may be one of the digits that stand high.
const NUMBERED: &[&str] = &["com", "lpt"];

/// Why a name cannot be that of a file everywhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unportable {
    /// It is nothing, or a name for a folder.
    #[error("it is no name of a file")]
    NoName,
    /// It holds a character that Windows gives another meaning, or that no name may hold.
    #[error("a name of a file cannot hold {} on Windows", .0.escape_debug())]
    Character(char),
    /// Windows leaves the last character out.
    #[error("Windows leaves out the {} at the end of a name", if *.0 == '.' { "dot" } else { "space" })]
    Ending(char),
    /// It is the name of a device.
    #[error("`{0}` is a device on Windows, and cannot be a file")]
    Device(String),
    /// Another file has the same name but for upper and lower case, which Windows does not tell apart.
    #[error(
        "`{0}` is there, which Windows takes for the same file: the names differ in upper and lower case only"
    )]
    Twin(String),
    /// It is too long.
    #[error("a name of a file has {LONGEST} bytes at most")]
    TooLong,
}

/// Whether a name, without folders, can be that of a file on every system.
///
/// # Errors
/// When it cannot.
pub fn check(name: &str) -> Result<(), Unportable> {
    if name.is_empty() || name.chars().all(|c| c == '.') {
        return Err(Unportable::NoName);
    }
    if let Some(c) = name.chars().find(|&c| is_special(c)) {
        return Err(Unportable::Character(c));
    }
    if let Some(last) = name.chars().last().filter(|&c| is_lost(c)) {
        return Err(Unportable::Ending(last));
    }
    if let Some(device) = device(name) {
        return Err(Unportable::Device(device.to_owned()));
    }
    if name.len() > LONGEST {
        return Err(Unportable::TooLong);
    }
    Ok(())
}

/// Whether a name is that of one file only among those of a folder.
///
/// # Errors
/// When another one differs from it in upper and lower case only.
pub fn check_alone(name: &str, folder: &[String]) -> Result<(), Unportable> {
    let folded = name.to_lowercase();
    let twin = folder
        .iter()
        .find(|other| *other != name && other.to_lowercase() == folded);
    twin.map_or(Ok(()), |twin| Err(Unportable::Twin(twin.clone())))
}

/// The nearest name that can be that of a file on every system; the same where it can already.
#[must_use]
pub fn nearest(name: &str) -> String {
    let plain = |c: char| if is_special(c) { '_' } else { c };
    let mut nearest: String = name.chars().map(plain).collect();
    // The end is kept, which says what kind of file it is.
    let excess = nearest.len().saturating_sub(LONGEST);
    if excess > 0 {
        let stem = nearest
            .rfind('.')
            .filter(|&at| at > excess)
            .unwrap_or(nearest.len());
        let from = nearest.floor_char_boundary(stem - excess);
        nearest.replace_range(from..stem, "");
    }
    nearest.truncate(nearest.trim_end_matches(is_lost).len());
    if nearest.is_empty() || device(&nearest).is_some() {
        nearest.insert(0, '_');
    }
    nearest
}

fn is_special(c: char) -> bool {
    matches!(c, '<' | '>' | ':' | '"' | '/' | '\\' | '|' | '?' | '*') || c.is_control()
}

fn is_lost(c: char) -> bool {
    matches!(c, '.' | ' ')
}

/// The device that Windows would open in place of a file of this name.
fn device(name: &str) -> Option<&str> {
    let stem = name.split('.').next().unwrap_or_default().trim_end_matches(' ');
    let lower = stem.to_ascii_lowercase();
    let is_numbered = || {
        let number = NUMBERED.iter().find_map(|device| lower.strip_prefix(device));
        number.is_some_and(|number| {
            let mut digits = number.chars();
            matches!(digits.next(), Some('1'..='9' | '¹' | '²' | '³')) && digits.next().is_none()
        })
    };
    (DEVICES.contains(&lower.as_str()) || is_numbered()).then_some(stem)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{LONGEST, Unportable, check, nearest};

    #[test]
    fn what_windows_cannot_keep_is_refused_and_the_rest_is_not() {
        for name in [
            "a",
            "trust.png",
            "con-1.txt",
            "com10",
            "notice",
            ".hidden",
            "Bildschirmfoto 1.png",
            "日本",
        ] {
            assert_eq!(check(name), Ok(()), "{name}");
            assert_eq!(nearest(name), name);
        }
        let device = |name: &str| Err(Unportable::Device(name.to_owned()));
        for (name, found, near) in [
            ("", Err(Unportable::NoName), "_"),
            ("..", Err(Unportable::NoName), "_"),
            ("a:b", Err(Unportable::Character(':')), "a_b"),
            ("..\\x", Err(Unportable::Character('\\')), ".._x"),
            ("line\nend", Err(Unportable::Character('\n')), "line_end"),
            ("x. ", Err(Unportable::Ending(' ')), "x"),
            ("NUL", device("NUL"), "_NUL"),
            ("con.rhai", device("con"), "_con.rhai"),
            ("aux .tar.gz", device("aux"), "_aux .tar.gz"),
            ("LPT¹", device("LPT¹"), "_LPT¹"),
        ] {
            assert_eq!(check(name), found, "{name}");
            assert_eq!(nearest(name), near, "{name}");
        }
        let long = format!("{}.png", "ä".repeat(200));
        assert_eq!(check(&long), Err(Unportable::TooLong));
        assert!(nearest(&long).ends_with("ä.png"));
    }

    proptest! {
        #[test]
        fn the_nearest_name_is_always_one(name in "\\PC{0,300}|[.: a-z]{0,12}|(con|nul|com1)[. ]{0,3}[a-z.]{0,4}") {
            let near = nearest(&name);
            prop_assert_eq!(check(&near), Ok(()), "{}", near);
            prop_assert_eq!(nearest(&near), near);
        }

        #[test]
        fn a_long_name_keeps_its_ending(stem in "\\PC{300,400}") {
            let near = nearest(&format!("{stem}x.png"));
            prop_assert!(near.len() <= LONGEST && check(&near).is_ok());
        }
    }
}
