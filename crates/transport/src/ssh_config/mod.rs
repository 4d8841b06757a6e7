//! The user's configuration of ssh, read as ssh reads it: `Host`, `Match`
//! where nothing has to be run for it, `Include`, the first value counts.

mod config;
mod gather;
mod include;
mod lex;
mod parse;
mod settings;
mod tokens;

pub use config::{Config, Environment};
pub use parse::Problem;
pub use settings::{AgentChoice, Hop, Settings, Strict};
