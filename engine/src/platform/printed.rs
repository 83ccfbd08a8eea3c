//! What programs write in.

/// The code page in which programs write that do not write UTF-8; none where all are expected to do.
#[must_use]
pub fn code_page() -> Option<u16> {
    super::os::code_page()
}
