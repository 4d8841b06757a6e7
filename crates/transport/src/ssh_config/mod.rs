//! The user's configuration of ssh, read as ssh reads it.

mod config;
mod settings;

pub use config::Config;
pub use settings::{AgentChoice, Hop, Settings, Strict};
