//! The spec: YAML text to [`Loaded`] to [`Resolved`](crate::resolved::Resolved).
//! All that is wrong is reported at once. Reads no files: the caller hands in
//! the spec's bytes, and later the files that it names.

mod complain;
mod load;
mod overrides;
mod provider_map;
mod quantity;
mod read;
mod reference;
mod resolve;
mod schema;
mod section;
mod settings;
mod syntax;
mod tags;
mod tree;
mod value;
mod yaml;

pub use load::{FileRef, LoadOptions, Loaded, NamedText, SPEC_BYTES_MAX, load};
pub use reference::reference;
pub use resolve::{Files, Resolution, SCRIPT_BYTES_MAX, resolve};
pub use schema::schema;
pub use settings::{Settings, settings};

#[cfg(test)]
mod tests;
