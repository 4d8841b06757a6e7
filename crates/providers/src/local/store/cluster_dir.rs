//! The directory of one cluster and those of its nodes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fs_err as fs;
use model::event::TimelineEvent;

use super::address::Addresses;
use super::cluster_file::{CLUSTER_VERSION, ClusterFile};
use super::files::{
    StoreError, append_line, is_missing, make_new_directory, read_if_any, read_versioned,
    sync_directory, write_json, write_whole,
};
use super::lock::is_at_work_on;
use super::node_file::{NODE_VERSION, NodeFile, Stage};
use crate::local::launch::{LAUNCH_VERSION, NodeLaunch};
use crate::local::status::NODES_DIRECTORY;

const CLUSTER_FILE: &str = "cluster.json";
const PROGRAM_FILE: &str = "program";
const MEMBERS_FILE: &str = "members";
const TIMELINE_FILE: &str = "timeline.jsonl";
const ADDRESSES_DIRECTORY: &str = "addresses";
const NODE_FILE: &str = "node.json";
pub(crate) const ORDER_FILE: &str = "order.json";
/// Lines of a timeline that are read, the newest; older ones are kept on disk.
const TIMELINE_LINES_MAX: usize = 10_000;

/// The directory of one cluster.
#[derive(Debug, Clone)]
pub(crate) struct ClusterDir {
    path: PathBuf,
}

impl ClusterDir {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it is there, readable or not.
    pub(crate) fn exists(&self) -> bool {
        self.path.exists()
    }

    /// The record; `None` when there is no such cluster.
    pub(crate) fn read(&self) -> Result<Option<ClusterFile>, StoreError> {
        let path = self.path.join(CLUSTER_FILE);
        match read_versioned(&path, CLUSTER_VERSION)? {
            None if self.exists() => {
                Err(StoreError::Damaged { path, why: "it is missing".to_owned() })
            }
            found => Ok(found),
        }
    }

    /// Writes the record; it outlives a loss of power from then on.
    pub(crate) fn write(&self, file: &ClusterFile) -> Result<(), StoreError> {
        write_json(&self.path.join(CLUSTER_FILE), file)?;
        sync_directory(&self.path)
    }

    /// Fills a staged directory that will be a cluster's.
    pub(crate) fn lay_out(staged: &Path, file: &ClusterFile) -> Result<(), StoreError> {
        for name in [NODES_DIRECTORY, ADDRESSES_DIRECTORY] {
            make_new_directory(&staged.join(name))?;
        }
        Self::new(staged.to_owned()).write(file)
    }

    /// Which copy of the binary its supervisor runs.
    pub(super) fn program(&self) -> Result<Option<String>, StoreError> {
        let text = read_if_any(&self.path.join(PROGRAM_FILE))?;
        Ok(text.map(|text| String::from_utf8_lossy(&text).trim().to_owned()))
    }

    pub(super) fn note_program(&self, key: &str) -> Result<(), StoreError> {
        write_whole(&self.path.join(PROGRAM_FILE), key.as_bytes())
    }

    /// The list of members that its nodes were told last.
    pub(crate) fn members(&self) -> Result<Option<String>, StoreError> {
        let text = read_if_any(&self.path.join(MEMBERS_FILE))?;
        Ok(text.map(|text| String::from_utf8_lossy(&text).into_owned()))
    }

    /// Notes the list of members that its nodes were told.
    pub(crate) fn note_members(&self, text: &str) -> Result<(), StoreError> {
        write_whole(&self.path.join(MEMBERS_FILE), text.as_bytes())
    }

    /// The addresses of its nodes.
    pub(crate) fn addresses(&self) -> Addresses {
        Addresses::new(self.path.join(ADDRESSES_DIRECTORY))
    }

    /// Adds a line to its timeline.
    pub(crate) fn note(&self, event: &TimelineEvent) -> Result<(), StoreError> {
        // An event is made of texts and numbers and always becomes JSON.
        let line = serde_json::to_string(event).unwrap_or_default();
        append_line(&self.path.join(TIMELINE_FILE), &line)
    }

    /// Its timeline, oldest first; a line cut short by a loss of power is
    /// left out.
    pub(crate) fn timeline(&self) -> Result<Vec<TimelineEvent>, StoreError> {
        let bytes = read_if_any(&self.path.join(TIMELINE_FILE))?.unwrap_or_default();
        let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
        let from = lines.len().saturating_sub(TIMELINE_LINES_MAX);
        let read = |line: &&[u8]| serde_json::from_slice(line).ok();
        Ok(lines.get(from..).unwrap_or_default().iter().filter_map(read).collect())
    }

    /// The directory of the node with a slug, which may not be there.
    pub(crate) fn node(&self, slug: &str) -> NodeDir {
        NodeDir { path: self.path.join(NODES_DIRECTORY).join(slug), slug: slug.to_owned() }
    }

    /// What is in the directory of nodes, by slug.
    pub(crate) fn nodes(&self) -> Result<BTreeMap<String, NodeEntry>, StoreError> {
        let mut nodes = BTreeMap::new();
        for entry in fs::read_dir(self.path.join(NODES_DIRECTORY))? {
            let slug = entry?.file_name().to_string_lossy().into_owned();
            if let Some(found) = self.node(&slug).entry()? {
                nodes.insert(slug, found);
            }
        }
        Ok(nodes)
    }

    /// The nodes with a record, whatever their stage.
    pub(crate) fn node_files(&self) -> Result<Vec<NodeFile>, StoreError> {
        let found = self.nodes()?.into_values();
        Ok(found
            .filter_map(|entry| match entry {
                NodeEntry::Recorded(file) => Some(*file),
                NodeEntry::Broken(_) => None,
            })
            .collect())
    }
}

/// The directory of one node.
#[derive(Debug, Clone)]
pub(crate) struct NodeDir {
    path: PathBuf,
    slug: String,
}

/// What a node's directory holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NodeEntry {
    /// A node.
    Recorded(Box<NodeFile>),
    /// Something without a record that can be read, and why.
    Broken(String),
}

impl NodeDir {
    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Its name; what the supervisor calls the node.
    pub(crate) fn slug(&self) -> &str {
        &self.slug
    }

    /// What it holds; `None` when it is not there. A record that a newer
    /// squall wrote is an error, never something broken.
    pub(crate) fn entry(&self) -> Result<Option<NodeEntry>, StoreError> {
        match read_versioned::<NodeFile>(&self.path.join(NODE_FILE), NODE_VERSION) {
            Ok(Some(file)) => Ok(Some(NodeEntry::Recorded(Box::new(file)))),
            Ok(None) if self.path.exists() => {
                Ok(Some(NodeEntry::Broken("it has no record".to_owned())))
            }
            Ok(None) => Ok(None),
            Err(StoreError::Damaged { why, .. }) => {
                Ok(Some(NodeEntry::Broken(format!("its record is damaged: {why}"))))
            }
            Err(error) => Err(error),
        }
    }

    /// Writes the record.
    pub(crate) fn write(&self, file: &NodeFile) -> Result<(), StoreError> {
        write_json(&self.path.join(NODE_FILE), file)
    }

    /// Notes how far the node is in its life.
    pub(crate) fn note_stage(&self, file: &NodeFile, stage: Stage) -> Result<(), StoreError> {
        if file.stage == stage {
            return Ok(());
        }
        self.write(&NodeFile { stage, ..file.clone() })
    }

    /// Fills a staged directory that will be a node's.
    pub(crate) fn lay_out(
        staged: &Path,
        file: &NodeFile,
        order: &NodeLaunch,
    ) -> Result<(), StoreError> {
        write_json(&staged.join(ORDER_FILE), order)?;
        write_json(&staged.join(NODE_FILE), file)
    }

    /// What the node is booted from.
    pub(crate) fn order(&self) -> Result<NodeLaunch, StoreError> {
        let path = self.path.join(ORDER_FILE);
        let found = read_versioned(&path, LAUNCH_VERSION)?;
        found.ok_or_else(|| StoreError::Damaged { path, why: "it is missing".to_owned() })
    }

    /// Whether somebody is at work on making it.
    pub(crate) fn is_at_work_on(&self) -> bool {
        is_at_work_on(&self.path)
    }

    /// The end of a file of the node, at most `bytes_max` of it; nothing when
    /// there is no such file.
    pub(crate) fn tail(&self, name: &str, bytes_max: u64) -> Result<Vec<u8>, StoreError> {
        use std::io::{Read as _, Seek as _, SeekFrom};
        let mut file = match fs::File::open(self.path.join(name)) {
            Err(cause) if is_missing(&cause) => return Ok(Vec::new()),
            other => other?,
        };
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(bytes_max)))?;
        let mut bytes = Vec::new();
        file.take(bytes_max).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}
