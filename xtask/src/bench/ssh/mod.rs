//! Squall against what people use today, on many hosts: cold and warm commands,
//! floods of output, copies. Every tool runs in the same minutes against the
//! same servers, the tools taking turns.

mod cases;
mod goals;
mod measure;
mod options;
mod page;
mod peers;
mod results;
mod run;
mod sites;
mod tools;

pub(crate) use run::ssh;
