//! `graph`: who it signs in as, what it sends, and what it never loses.

mod collections;
mod losses;
mod requests;
mod sign_in;
mod slice;
mod tenant;
