//! The step that tells every node of the others.

use std::fmt::Write as _;

use super::{Done, StepRun, changed, unchanged};
use crate::error::ProviderError;
use crate::local::hosts::HostEntry;
use crate::local::store::{NodeFile, Stage};

impl StepRun<'_> {
    /// Brings every running node's list of members up to date; the others get
    /// it when they are started.
    pub(super) fn sync_members(&self) -> Done {
        self.guarded()?;
        self.adopt()?;
        let members = self.members()?;
        let text = render(&members);
        let told = self.dir.members().map_err(|error| self.store_failed(error))?;
        if told.is_some_and(|told| told == text) {
            return Ok(unchanged(None));
        }
        if let Some(mut client) = self.supervisor()? {
            client.set_hosts(None, members).map_err(|error| self.client_failed(&error))?;
        }
        self.dir.note_members(&text).map_err(|error| self.store_failed(error))?;
        Ok(changed(None))
    }

    /// Nodes that came up while whoever made them was interrupted count as made
    /// from now on.
    fn adopt(&self) -> Result<(), ProviderError> {
        let mut making = self.dir.node_files().map_err(|error| self.store_failed(error))?;
        making.retain(|file| file.stage == Stage::Making);
        for file in making {
            let slug = file.wanted.name.slug();
            if self.is_up(&slug)? {
                let noted = self.dir.node(&slug).note_stage(&file, Stage::Made);
                noted.map_err(|error| self.store_failed(error))?;
            }
        }
        Ok(())
    }

    /// Every node that exists, by its names.
    pub(super) fn members(&self) -> Result<Vec<HostEntry>, ProviderError> {
        let domain = self.cluster.slug();
        let mut files = self.dir.node_files().map_err(|error| self.store_failed(error))?;
        files.retain(|file| file.stage != Stage::Removing);
        files.sort_by_key(|file| file.address);
        Ok(files.iter().map(|file| entry(file, &domain)).collect())
    }
}

/// A node as its peers know it.
pub(super) fn entry(file: &NodeFile, domain: &str) -> HostEntry {
    let slug = file.wanted.name.slug();
    HostEntry { address: file.address, names: vec![slug.clone(), format!("{slug}.{domain}")] }
}

/// The list as it is noted, one member a line.
fn render(members: &[HostEntry]) -> String {
    let mut text = String::new();
    for member in members {
        let _infallible = writeln!(text, "{} {}", member.address, member.names.join(" "));
    }
    text
}
