//! Every code that a diagnostic of the planner may carry, besides those of the
//! spec (`model::diagnostic::CODES`).

/// Codes and what they mean, in the order of the alphabet.
pub const CODES: &[(&str, &str)] = &[
    (
        "change-unfinished",
        "an earlier change was not carried through, and this one does not go on with it",
    ),
    ("cluster-deleting", "the cluster is being deleted"),
    ("cluster-exists", "`create` of a cluster that exists with another spec"),
    ("cluster-unknown", "there is no cluster of that name"),
    ("head-terminated", "the node that is to be removed is the cluster's head"),
    ("inventory-blind", "a part of the cluster cannot be read, so nothing is planned on it"),
    ("inventory-old", "the look at the cluster is too old for deleting anything"),
    ("inventory-torn", "record and machines were read at different times"),
    ("machine-foreign", "a machine has the cluster's name and is not of its making; never touched"),
    ("node-missing", "a declared node has no machine"),
    ("node-stopped", "a node is stopped and left so"),
    ("node-terminated", "a node was terminated by name and stays away"),
    ("node-unknown", "the cluster has no node of that name"),
    ("nothing-to-do", "everything is as declared"),
    ("spec-missing", "`create` or `update` without a spec"),
    ("stored-spec", "the accepted spec cannot be read back"),
    ("update-forbidden", "a key that cannot be changed in a cluster that exists"),
];
