//! The rules of the house that no compiler and no lint knows: who may import
//! whom, how long a file may be, how a module begins. Each rule is a pure
//! function from texts to findings; only [`tree`] and [`run`](mod@run) touch the disk.

mod clippy_files;
mod exemptions;
mod finding;
mod layers;
mod pages;
mod run;
mod scan;
mod shape;
mod size;
mod tree;
mod words;

pub(crate) use run::{listed, run};
