//! Key material for machines that nobody can log in to.

use jiff::Timestamp;
use model::name::NodeName;
use model::secret::SecretText;

use crate::provider::NodeMaterial;

/// Material that has the right form and opens nothing.
#[must_use]
pub fn blank_material(node: &NodeName, ordered_at: Timestamp) -> NodeMaterial {
    NodeMaterial {
        host_key: SecretText::new(format!("blank private key of {node}")),
        host_key_public: format!("ssh-ed25519 blank-{node}"),
        authorized_keys: Vec::new(),
        ordered_at,
    }
}
