//! [`Loaded`](super::load::Loaded) to [`Resolved`](crate::resolved::Resolved):
//! defaults, what values mean together and on the provider that was chosen, and
//! the files that the spec names.

mod machine;
mod names;
mod pool;
mod script;
mod whole;

pub(crate) use machine::LOCAL_SIZES;
pub use script::{Files, SCRIPT_BYTES_MAX};
use whole::Frame;
pub use whole::{Resolution, resolve};
