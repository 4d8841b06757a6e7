//! Names of clusters, pools and nodes. They keep the case they were written
//! in; the lower-case [slug](NodeName::slug) serves DNS and Slurm.
//!
//! One rule for all three, the intersection of what EC2, OpenStack, DNS and
//! Slurm allow: 1 to 63 of `A-Z a-z 0-9 -`, a letter first, no dash last. A
//! letter first also keeps names apart from indexes of a listing, and the
//! characters keep them apart from the operators of targets.

use std::borrow::Borrow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Longest name, in characters: that of a DNS label.
pub const NAME_CHARACTERS_MAX: usize = 63;

/// Words that mean something else where names are used: results of a run in
/// targets, this machine in DNS.
pub const RESERVED: &[&str] =
    &["all", "changed", "failed", "group", "last", "localhost", "ok", "said", "slow", "waiting"];

/// Why a text is no name. Reads after "failed to read a name: ".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing is there.
    #[error("a name has at least one character")]
    Empty,
    /// Longer than [`NAME_CHARACTERS_MAX`].
    #[error("a name has at most {NAME_CHARACTERS_MAX} characters, this one has {0}")]
    Long(usize),
    /// A character that some provider refuses.
    #[error("a name holds letters, digits and dashes only, not {0:?}")]
    Character(char),
    /// Does not begin with a letter.
    #[error("a name begins with a letter (A-Z, a-z)")]
    FirstCharacter,
    /// Ends with a dash.
    #[error("a name does not end with a dash")]
    LastCharacter,
    /// One of [`RESERVED`].
    #[error("`{0}` is a reserved word of targets or DNS")]
    Reserved(String),
}

/// Name of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClusterName(String);

/// Name of a pool: what `nodename` says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PoolName(String);

/// Name of a node, unique in its cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NodeName(String);

impl ClusterName {
    /// Reads a name.
    ///
    /// # Errors
    /// When it breaks the rule of this module.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        check(text).map(|()| Self(text.to_owned()))
    }

    /// The name as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name for DNS and Slurm; two clusters with one slug collide.
    #[must_use]
    pub fn slug(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl PoolName {
    /// Reads a name.
    ///
    /// # Errors
    /// When it breaks the rule of this module.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        check(text).map(|()| Self(text.to_owned()))
    }

    /// The name as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name for DNS and Slurm.
    #[must_use]
    pub fn slug(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    /// The node that has this pool's bare name.
    #[must_use]
    pub fn bare_node(&self) -> NodeName {
        NodeName(self.0.clone())
    }

    /// The node of this pool with a number.
    ///
    /// # Errors
    /// When the name gets too long with its number.
    pub fn numbered_node(&self, number: u32) -> Result<NodeName, NameError> {
        NodeName::parse(&format!("{}{number}", self.0))
    }
}

impl NodeName {
    /// Reads a name.
    ///
    /// # Errors
    /// When it breaks the rule of this module.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        check(text).map(|()| Self(text.to_owned()))
    }

    /// The name as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name for DNS and Slurm; unique in its cluster.
    #[must_use]
    pub fn slug(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

fn check(text: &str) -> Result<(), NameError> {
    let first = text.chars().next().ok_or(NameError::Empty)?;
    if let Some(other) = text.chars().find(|c| !c.is_ascii_alphanumeric() && *c != '-') {
        return Err(NameError::Character(other));
    }
    if !first.is_ascii_alphabetic() {
        return Err(NameError::FirstCharacter);
    }
    if text.ends_with('-') {
        return Err(NameError::LastCharacter);
    }
    if text.len() > NAME_CHARACTERS_MAX {
        return Err(NameError::Long(text.len()));
    }
    if RESERVED.contains(&text.to_ascii_lowercase().as_str()) {
        return Err(NameError::Reserved(text.to_owned()));
    }
    Ok(())
}

impl fmt::Display for ClusterName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Display for PoolName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl TryFrom<String> for ClusterName {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        Self::parse(&text)
    }
}

impl TryFrom<String> for PoolName {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        Self::parse(&text)
    }
}

impl TryFrom<String> for NodeName {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        Self::parse(&text)
    }
}

impl From<ClusterName> for String {
    fn from(name: ClusterName) -> Self {
        name.0
    }
}

impl From<PoolName> for String {
    fn from(name: PoolName) -> Self {
        name.0
    }
}

impl From<NodeName> for String {
    fn from(name: NodeName) -> Self {
        name.0
    }
}

impl Borrow<str> for ClusterName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for PoolName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for NodeName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::{ClusterName, NodeName, PoolName};

    #[test]
    fn names_keep_their_case_and_refusals_say_the_rule() {
        for (text, expected) in [
            ("worker", "worker"),
            ("VPCcluster", "vpccluster"),
            ("web-1", "web-1"),
            ("a", "a"),
            ("Local", "local"),
            ("", "a name has at least one character"),
            ("12", "a name begins with a letter (A-Z, a-z)"),
            ("-a", "a name begins with a letter (A-Z, a-z)"),
            ("a-", "a name does not end with a dash"),
            ("my_node", "a name holds letters, digits and dashes only, not '_'"),
            ("a.b", "a name holds letters, digits and dashes only, not '.'"),
            ("a b", "a name holds letters, digits and dashes only, not ' '"),
            ("ü", "a name holds letters, digits and dashes only, not 'ü'"),
            ("a,b", "a name holds letters, digits and dashes only, not ','"),
            ("a\u{1b}[m", "a name holds letters, digits and dashes only, not '\\u{1b}'"),
            ("Failed", "`Failed` is a reserved word of targets or DNS"),
            ("localhost", "`localhost` is a reserved word of targets or DNS"),
        ] {
            let found =
                ClusterName::parse(text).map_or_else(|error| error.to_string(), |name| name.slug());
            assert_eq!(found, expected, "{text:?}");
            assert_eq!(NodeName::parse(text).is_ok(), PoolName::parse(text).is_ok());
        }
    }

    #[test]
    fn a_number_may_not_make_a_name_too_long() {
        let pool = PoolName::parse(&"x".repeat(63)).unwrap();
        assert!(PoolName::parse(&"x".repeat(64)).is_err());
        assert_eq!(
            pool.numbered_node(1).unwrap_err().to_string(),
            "a name has at most 63 characters, this one has 64"
        );
        assert_eq!(pool.bare_node().as_str().len(), 63);
    }

    #[test]
    fn reading_json_checks_names() {
        assert!(serde_json::from_str::<NodeName>("\"worker1\"").is_ok());
        assert!(serde_json::from_str::<NodeName>("\"a b\"").is_err());
    }
}
