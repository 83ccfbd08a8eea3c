//! Files and folders with rights of their own, written in the language of security descriptors (SDDL).

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::windows::io::FromRawHandle as _;
use std::path::{Path, absolute};
use std::ptr::{null, null_mut};

use windows_sys::Win32::Foundation::{ERROR_SUCCESS, GENERIC_READ, GENERIC_WRITE, INVALID_HANDLE_VALUE};
use windows_sys::Win32::Security::Authorization::{
    ConvertSecurityDescriptorToStringSecurityDescriptorW,
    ConvertStringSecurityDescriptorToSecurityDescriptorW, GetNamedSecurityInfoW, SDDL_REVISION_1,
    SE_FILE_OBJECT, SetNamedSecurityInfoW,
};
use windows_sys::Win32::Security::{
    DACL_SECURITY_INFORMATION, GetSecurityDescriptorDacl, OWNER_SECURITY_INFORMATION,
    PROTECTED_DACL_SECURITY_INFORMATION, PSECURITY_DESCRIPTOR, SECURITY_ATTRIBUTES,
};
use windows_sys::Win32::Storage::FileSystem::{
    CREATE_NEW, CreateDirectoryW, CreateFileW, FILE_APPEND_DATA, FILE_ATTRIBUTE_NORMAL, FILE_GENERIC_WRITE,
    FILE_SHARE_DELETE, FILE_SHARE_READ, FILE_SHARE_WRITE, FILE_WRITE_DATA, OPEN_ALWAYS,
};

use crate::text::{Local, take, wide};

/// What a file is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Reading and writing.
    ReadWrite,
    /// Reading and writing, while its name stays.
    Lock,
    /// Writing at its end.
    Append,
    /// Reading and writing one that is not there yet.
    New,
}

/// Makes a folder with these rights.
///
/// # Errors
/// When it exists, or cannot be made, or the rights cannot be read.
pub fn create_folder(path: &Path, rights: &str) -> io::Result<()> {
    let path = path_for_system(path)?;
    let descriptor = Descriptor::parse(rights)?;
    let attributes = descriptor.attributes();
    // SAFETY: the path ends with a zero; the attributes, and the descriptor that they name, are still there.
    if unsafe { CreateDirectoryW(path.as_ptr(), &raw const attributes) } == 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Opens a file, and makes it, with these rights, where there is none, or where it must not be there. Others may have it open at the same time.
///
/// # Errors
/// When it cannot be opened or made, or the rights cannot be read.
pub fn open_file(path: &Path, access: Access, rights: &str) -> io::Result<File> {
    let path = path_for_system(path)?;
    let descriptor = Descriptor::parse(rights)?;
    let attributes = descriptor.attributes();
    let wanted = match access {
        Access::ReadWrite | Access::Lock | Access::New => GENERIC_READ | GENERIC_WRITE,
        // As the standard library does: without the right to write elsewhere, each write goes to the end.
        Access::Append => (FILE_GENERIC_WRITE & !FILE_WRITE_DATA) | FILE_APPEND_DATA,
    };
    let shared = match access {
        Access::ReadWrite | Access::Append | Access::New => {
            FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE
        }
        Access::Lock => FILE_SHARE_READ | FILE_SHARE_WRITE,
    };
    let how = match access {
        Access::New => CREATE_NEW,
        Access::ReadWrite | Access::Append | Access::Lock => OPEN_ALWAYS,
    };
    // SAFETY: the path ends with a zero; the attributes, and the descriptor that they name, are still there.
    let handle = unsafe {
        CreateFileW(
            path.as_ptr(),
            wanted,
            shared,
            &raw const attributes,
            how,
            FILE_ATTRIBUTE_NORMAL,
            null_mut(),
        )
    };
    if handle == INVALID_HANDLE_VALUE {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the handle was just opened, and nobody else has it.
    Ok(unsafe { File::from_raw_handle(handle) })
}

/// Gives a file or folder that exists these rights, and no inherited ones.
///
/// # Errors
/// When the system does not allow it, or the rights cannot be read.
pub fn set(path: &Path, rights: &str) -> io::Result<()> {
    let path = path_for_system(path)?;
    let descriptor = Descriptor::parse(rights)?;
    let (mut present, mut list, mut defaulted) = (0, null_mut(), 0);
    // SAFETY: the descriptor is whole and still there; the places for the answers are ours.
    let told = unsafe {
        GetSecurityDescriptorDacl(
            descriptor.pointer(),
            &raw mut present,
            &raw mut list,
            &raw mut defaulted,
        )
    };
    if told == 0 {
        return Err(io::Error::last_os_error());
    }
    // Without a list, everybody would have all rights.
    if present == 0 || list.is_null() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "the rights name nobody",
        ));
    }
    // SAFETY: the path ends with a zero, and the list is a part of the descriptor, which is still there.
    let done = unsafe {
        SetNamedSecurityInfoW(
            path.as_ptr(),
            SE_FILE_OBJECT,
            DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION,
            null_mut(),
            null_mut(),
            list,
            null(),
        )
    };
    result(done)
}

/// Whose a file or folder is, and who has which rights to it.
///
/// # Errors
/// When it cannot be looked at.
pub fn get(path: &Path) -> io::Result<String> {
    let path = path_for_system(path)?;
    let parts = OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION;
    let mut descriptor = null_mut();
    // SAFETY: the path ends with a zero; nothing but the descriptor is asked for, and its place is ours.
    let done = unsafe {
        GetNamedSecurityInfoW(
            path.as_ptr(),
            SE_FILE_OBJECT,
            parts,
            null_mut(),
            null_mut(),
            null_mut(),
            null_mut(),
            &raw mut descriptor,
        )
    };
    result(done)?;
    let descriptor = Descriptor(Local(descriptor));
    let (mut text, mut length) = (null_mut(), 0);
    // SAFETY: the descriptor is whole, as the system has given it; the places for the answers are ours.
    let told = unsafe {
        ConvertSecurityDescriptorToStringSecurityDescriptorW(
            descriptor.pointer(),
            SDDL_REVISION_1,
            parts,
            &raw mut text,
            &raw mut length,
        )
    };
    if told == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call has just given it, to be freed so.
    Ok(unsafe { take(text) }.to_string_lossy().into_owned())
}

fn result(code: u32) -> io::Result<()> {
    if code == ERROR_SUCCESS {
        return Ok(());
    }
    // A number of the system keeps its bits in an error of the standard library.
    Err(io::Error::from_raw_os_error(code.cast_signed()))
}

/// A path as these calls take it: whole, and marked where it is too long for them otherwise.
fn path_for_system(path: &Path) -> io::Result<Vec<u16>> {
    /// The longest path of a folder that is taken without a mark.
    const LONGEST: usize = 247;
    let whole = absolute(path)?;
    let text = whole.as_os_str().to_string_lossy();
    if whole.as_os_str().len() <= LONGEST || text.starts_with(r"\\?\") || text.starts_with(r"\\.\") {
        return wide(whole.as_os_str());
    }
    let mut marked = std::ffi::OsString::from(r"\\?\");
    match text.strip_prefix(r"\\") {
        Some(shared) => marked.push(format!(r"UNC\{shared}")),
        None => marked.push(&whole),
    }
    wide(&marked)
}

/// Rights as the system keeps them.
struct Descriptor(Local);

impl Descriptor {
    fn parse(rights: &str) -> io::Result<Self> {
        let rights = wide(OsStr::new(rights))?;
        let mut descriptor = null_mut();
        // SAFETY: the text ends with a zero, the place for the pointer is ours, and the size is not asked for.
        let done = unsafe {
            ConvertStringSecurityDescriptorToSecurityDescriptorW(
                rights.as_ptr(),
                SDDL_REVISION_1,
                &raw mut descriptor,
                null_mut(),
            )
        };
        if done == 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(Self(Local(descriptor)))
    }

    fn pointer(&self) -> PSECURITY_DESCRIPTOR {
        self.0.0
    }

    /// For calls that make something, as long as this is here. Programs that are started do not inherit the handle.
    fn attributes(&self) -> SECURITY_ATTRIBUTES {
        SECURITY_ATTRIBUTES {
            nLength: u32::try_from(size_of::<SECURITY_ATTRIBUTES>()).unwrap_or_default(),
            lpSecurityDescriptor: self.pointer(),
            bInheritHandle: 0,
        }
    }
}
