//! A cloud without machines: virtual time, scripted faults, and the same
//! contract as every other provider. Tests of the engine, the controller and
//! the command line run against it; with a state file it outlives a process.
//!
//! It must not decide anything a real provider would not, and it must not know
//! how plans are made.

mod blank;
mod clock;
mod fault;
mod machine;
mod provider;
mod state;
mod step;
mod store;

pub use blank::blank_material;
pub use clock::FakeClock;
pub use fault::{Call, Fault, FaultEffect};
pub use machine::Latencies;
pub use provider::FakeProvider;
