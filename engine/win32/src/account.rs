//! Accounts: as whom this process runs, and what an account is called.

use std::ffi::OsStr;
use std::io;
use std::os::windows::io::{AsRawHandle as _, FromRawHandle as _, OwnedHandle};
use std::ptr::null_mut;

use windows_sys::Win32::Security::Authorization::{ConvertSidToStringSidW, ConvertStringSidToSidW};
use windows_sys::Win32::Security::{
    GetTokenInformation, LookupAccountSidW, TOKEN_INFORMATION_CLASS, TOKEN_QUERY, TokenOwner, TokenUser,
};
use windows_sys::Win32::System::Threading::{GetCurrentProcess, OpenProcessToken};

use crate::text::{Local, take, wide};

/// The identifier (SID) of the account that this process runs as.
///
/// # Errors
/// When the system does not tell.
pub fn user() -> io::Result<String> {
    of_token(TokenUser)
}

/// The identifier (SID) of what owns the things that this process makes: its account, or, for an administrator with
/// full rights, the administrators together.
///
/// # Errors
/// When the system does not tell.
pub fn owner() -> io::Result<String> {
    of_token(TokenOwner)
}

fn of_token(class: TOKEN_INFORMATION_CLASS) -> io::Result<String> {
    let token = token()?;
    // Aligned for the pointer that it begins with, and large enough for the longest identifier behind it.
    let mut buffer = [0_usize; 32];
    let mut length = 0;
    let size = u32::try_from(size_of_val(&buffer)).unwrap_or_default();
    // SAFETY: the token is open, and the buffer has the size that is given.
    let told = unsafe {
        GetTokenInformation(
            token.as_raw_handle(),
            class,
            buffer.as_mut_ptr().cast(),
            size,
            &raw mut length,
        )
    };
    if told == 0 {
        return Err(io::Error::last_os_error());
    }
    // `TOKEN_USER` and `TOKEN_OWNER` both begin with a pointer to the identifier, which lies in the buffer.
    let sid = buffer[0] as *mut core::ffi::c_void;
    let mut text = null_mut();
    // SAFETY: the identifier is whole, as the system has written it, and the buffer is still there.
    if unsafe { ConvertSidToStringSidW(sid, &raw mut text) } == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call has just given it, to be freed so.
    Ok(unsafe { take(text) }.to_string_lossy().into_owned())
}

fn token() -> io::Result<OwnedHandle> {
    // SAFETY: it takes nothing, and gives a number that means this process and needs no closing.
    let process = unsafe { GetCurrentProcess() };
    let mut token = null_mut();
    // SAFETY: the place for the handle is ours.
    if unsafe { OpenProcessToken(process, TOKEN_QUERY, &raw mut token) } == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the handle was just opened, and nobody else has it.
    Ok(unsafe { OwnedHandle::from_raw_handle(token) })
}

/// What the account of this identifier is called: `DOMAIN\name`.
///
/// # Errors
/// When the system does not know it: it may have been deleted, or its domain cannot be asked.
pub fn name(sid: &str) -> io::Result<String> {
    let sid = wide(OsStr::new(sid))?;
    let mut binary = null_mut();
    // SAFETY: the text ends with a zero, and the place for the pointer is ours.
    if unsafe { ConvertStringSidToSidW(sid.as_ptr(), &raw mut binary) } == 0 {
        return Err(io::Error::last_os_error());
    }
    let binary = Local(binary);
    let (mut name, mut domain) = ([0_u16; 512], [0_u16; 512]);
    let (mut name_length, mut domain_length) = (512, 512);
    let mut kind = 0;
    // SAFETY: the identifier is whole and still there, no machine is named, and the buffers have the sizes given.
    let found = unsafe {
        LookupAccountSidW(
            std::ptr::null(),
            binary.0,
            name.as_mut_ptr(),
            &raw mut name_length,
            domain.as_mut_ptr(),
            &raw mut domain_length,
            &raw mut kind,
        )
    };
    if found == 0 {
        return Err(io::Error::last_os_error());
    }
    let text = |buffer: &[u16], length: u32| {
        let length = usize::try_from(length).unwrap_or_default().min(buffer.len());
        String::from_utf16_lossy(&buffer[..length])
    };
    let (name, domain) = (text(&name, name_length), text(&domain, domain_length));
    Ok(if domain.is_empty() {
        name
    } else {
        format!(r"{domain}\{name}")
    })
}
