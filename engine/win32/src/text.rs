//! Text as Windows takes and gives it: UTF-16 that ends with a zero, most often in memory that the caller frees.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::windows::ffi::{OsStrExt as _, OsStringExt as _};

use windows_sys::Win32::Foundation::LocalFree;
use windows_sys::core::PWSTR;

/// Text with a zero at its end.
pub(crate) fn wide(text: &OsStr) -> io::Result<Vec<u16>> {
    let mut wide: Vec<u16> = text.encode_wide().collect();
    if wide.contains(&0) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "a zero stands in the text",
        ));
    }
    wide.push(0);
    Ok(wide)
}

/// Memory that Windows gave, and wants back.
pub(crate) struct Local(pub(crate) *mut core::ffi::c_void);

impl Drop for Local {
    fn drop(&mut self) {
        // SAFETY: it came from the system as memory that `LocalFree` takes, and nobody else frees it. Null is allowed.
        unsafe { LocalFree(self.0) };
    }
}

/// Takes over text that the system gave.
///
/// # Safety
/// `text` ends with a zero, and `LocalFree` takes it.
pub(crate) unsafe fn take(text: PWSTR) -> OsString {
    let _freed = Local(text.cast());
    let mut length = 0;
    // SAFETY: the text goes on until a zero, says the caller; what is looked at lies before it, or is it.
    while unsafe { *text.add(length) } != 0 {
        length += 1;
    }
    // SAFETY: so many units were just looked at, and nobody changes them.
    OsString::from_wide(unsafe { std::slice::from_raw_parts(text, length) })
}
