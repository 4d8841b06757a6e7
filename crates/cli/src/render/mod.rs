//! Values to lines of text for people. Pure: what is drawn depends on the
//! values, the time given and the [`crate::paint::Paint`] alone.

mod clusters;
mod doctor;
mod nodes;
mod place;
mod plan;
mod status;

pub(crate) use clusters::clusters;
pub(crate) use doctor::doctor;
pub(crate) use nodes::{Detail, nodes};
use place::place;
pub(crate) use plan::{plan, tally};
pub(crate) use status::{drift, standing, timeline};

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;
