//! A configuration, asked about hosts.

use super::settings::Settings;

/// A configuration of ssh.
#[derive(Debug, Clone, Default)]
pub struct Config {}

impl Config {
    /// What it says about a host.
    #[must_use]
    pub fn settings(&self, _host: &str, _user: Option<&str>) -> Settings {
        Settings::default()
    }

    /// The names of single hosts in it.
    #[must_use]
    pub fn hosts(&self) -> Vec<String> {
        Vec::new()
    }
}
