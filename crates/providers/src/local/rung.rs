//! The rungs of the ladder: the ways in which this machine may make nodes,
//! best first, and what was found by trying each. The trying itself is in
//! [`super::probe`]; this module only holds the words.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A way to make nodes out of namespaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rung {
    /// As real root: nodes hold real-root processes and are no security
    /// boundary.
    Root,
    /// As an ordinary user, in a user namespace that maps this one user to
    /// root.
    UserNamespace,
}

impl Rung {
    /// Every rung, best first.
    pub const ALL: [Self; 2] = [Self::Root, Self::UserNamespace];

    /// The word in arguments, files and listings.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::UserNamespace => "user-namespace",
        }
    }

    /// The rung of a word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rung| rung.as_str() == word)
    }
}

impl fmt::Display for Rung {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What was found by really trying one rung.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RungProbe {
    /// The rung tried.
    pub rung: Rung,
    /// Whether nodes can be made on it.
    pub works: bool,
    /// Every step tried, in order, up to the first that failed and matters.
    pub steps: Vec<ProbeStep>,
    /// The failing step with the kernel's words; `None` when it works.
    pub why: Option<String>,
    /// What the user can do about it, where something can be done.
    pub mend: Option<String>,
}

/// One thing tried on a rung.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeStep {
    /// What was tried, as "mount an overlay".
    pub name: String,
    /// Whether nodes cannot do without it.
    pub required: bool,
    /// The kernel's words when it failed.
    pub error: Option<String>,
    /// The number of that error.
    pub errno: Option<i32>,
}

/// How processes of a node can be limited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum CgroupKind {
    /// Version 1 hierarchies that may be written to.
    V1,
    /// A version 2 tree (or a part delegated to this user). Written from the
    /// documentation; not yet proven on such a machine.
    V2,
    /// No limits can be set; says why.
    None {
        /// Why not, and what would help.
        why: String,
    },
}

/// Limits of this machine that bound how many nodes it can hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineLimits {
    /// Open files per process (hard limit); the supervisor needs two per node.
    pub open_files_max: u64,
    /// `kernel.pid_max`: processes of the whole machine.
    pub pid_max: u64,
    /// `user.max_user_namespaces`, when the kernel has it.
    pub user_namespaces_max: Option<u64>,
    /// `fs.inotify.max_user_instances`, shared by all nodes.
    pub inotify_instances_max: Option<u64>,
    /// Ports that one bridge takes: the nodes of one cluster.
    pub bridge_ports_max: u64,
    /// Bytes of memory that are available now.
    pub memory_available_bytes: Option<u64>,
}
