//! What Windows alone does: it ends what runs in a window that is closed, and is tried by an administrator on a server.

mod closing;
mod doctor;
