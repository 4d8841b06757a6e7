//! The commands, one file each: its arguments, and what it does with them. A
//! command calls the layers below once and renders the answer; what it decides
//! by itself is how to ask.

pub(crate) mod completions;
pub(crate) mod console;
pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod forget;
pub(crate) mod get;
pub(crate) mod inventory;
pub(crate) mod list;
pub(crate) mod nodes;
pub(crate) mod plan;
pub(crate) mod proxy;
pub(crate) mod put;
pub(crate) mod reboot;
pub(crate) mod run;
pub(crate) mod schema;
pub(crate) mod show;
pub(crate) mod ssh;
pub(crate) mod ssh_config;
pub(crate) mod start;
pub(crate) mod status;
pub(crate) mod stop;
pub(crate) mod terminate;
pub(crate) mod update;
