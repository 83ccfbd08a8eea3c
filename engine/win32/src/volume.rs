//! The volume that a folder is on.

use std::ffi::OsString;
use std::io;
use std::os::windows::ffi::OsStringExt as _;
use std::path::Path;
use std::ptr::null_mut;

use windows_sys::Win32::Storage::FileSystem::{
    GetDiskFreeSpaceExW, GetVolumeInformationW, GetVolumePathNameW,
};

use crate::text::wide;

/// How many bytes this account may still write there, and what the file system is called, where the system tells.
///
/// # Errors
/// When the system does not tell how much room there is.
pub fn of(folder: &Path) -> io::Result<(u64, Option<String>)> {
    let folder = wide(folder.as_os_str())?;
    let mut free = 0;
    // SAFETY: the path ends with a zero, one place for an answer is ours, and the others are not asked for.
    let told = unsafe { GetDiskFreeSpaceExW(folder.as_ptr(), &raw mut free, null_mut(), null_mut()) };
    if told == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok((free, file_system(&folder)))
}

fn file_system(folder: &[u16]) -> Option<String> {
    let mut root = [0_u16; 1024];
    // SAFETY: the path ends with a zero, and the buffer has the size that is given.
    let told = unsafe { GetVolumePathNameW(folder.as_ptr(), root.as_mut_ptr(), 1024) };
    if told == 0 {
        return None;
    }
    let mut name = [0_u16; 64];
    // SAFETY: the root was just written and ends with a zero, the buffer has the size that is given, and nothing else
    // is asked for.
    let told = unsafe {
        GetVolumeInformationW(
            root.as_ptr(),
            null_mut(),
            0,
            null_mut(),
            null_mut(),
            null_mut(),
            name.as_mut_ptr(),
            64,
        )
    };
    let length = name.iter().position(|&unit| unit == 0)?;
    (told != 0).then(|| {
        OsString::from_wide(&name[..length])
            .to_string_lossy()
            .into_owned()
    })
}
