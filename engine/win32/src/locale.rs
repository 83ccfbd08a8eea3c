//! What the machine is set to.

use std::ptr::from_mut;

use windows_sys::Win32::Globalization::{GetLocaleInfoW, LOCALE_IDEFAULTCODEPAGE};

/// The code page in which programs write that were not told otherwise. The one that Windows tells for this process would
/// be that of its manifest.
#[must_use]
pub fn code_page() -> Option<u16> {
    /// `LOCALE_SYSTEM_DEFAULT`: that of the machine.
    const MACHINE: u32 = 0x0800;
    /// `LOCALE_RETURN_NUMBER`: the answer is a number, and no text.
    const AS_NUMBER: u32 = 0x2000_0000;
    let mut number: u32 = 0;
    let units = i32::try_from(size_of_val(&number) / size_of::<u16>()).unwrap_or_default();
    // SAFETY: the place for the answer is ours, and as large as is said, in units of two bytes.
    let told = unsafe {
        GetLocaleInfoW(
            MACHINE,
            LOCALE_IDEFAULTCODEPAGE | AS_NUMBER,
            from_mut(&mut number).cast(),
            units,
        )
    };
    if told == 0 {
        None
    } else {
        u16::try_from(number).ok()
    }
}
