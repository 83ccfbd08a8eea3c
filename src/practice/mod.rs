//! A farm and a tenant to practise on: nothing of Microsoft's is needed, and nothing outside one folder is touched.
//!
//! - [`folder`]: the folder that holds everything, and who may look at it.
//! - [`scene`]: what a farm and a tenant look like at the beginning.
//! - [`module`]: the PowerShell modules that stand in for SharePoint's, whose state is `farm.json`.
//! - [`server`]: the tenant: Graph, the sign-in and the metadata endpoint on loopback, whose state is `tenant.json`.
//! - [`faults`]: what goes wrong on demand.
//! - [`guide`]: what somebody must set to use them.

pub(crate) mod faults;
pub(crate) mod folder;
pub(crate) mod guide;
pub(crate) mod scene;
pub(crate) mod server;

mod certificates;
mod module;
