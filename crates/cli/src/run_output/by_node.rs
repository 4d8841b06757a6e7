//! What each node printed in a block of its own, in natural order. Writes to
//! any sink.

use std::io::{self, Write};

use model::target::natural_key;
use transport::gather::Gather;

use super::folded::{Body, title};
use super::streams::Face;

/// Writes a block for each of the nodes; `notes` says how a node ended.
pub(super) fn write(
    gather: &Gather,
    nodes: &[usize],
    notes: &dyn Fn(usize) -> Option<String>,
    face: Face,
    sink: &mut dyn Write,
) -> io::Result<()> {
    let mut named: Vec<(usize, &str)> = nodes
        .iter()
        .filter_map(|node| gather.facts(*node).map(|facts| (*node, facts.name.as_str())))
        .collect();
    named.sort_by_cached_key(|(_, name)| natural_key(name));
    for (node, name) in named {
        let mut words: Vec<String> = notes(node).into_iter().collect();
        if gather.length(node) == 0 {
            words.push("printed nothing".to_owned());
        }
        title(name, &words.join(", "), face, sink)?;
        let mut body = Body::new(face, sink);
        gather.write(node, &mut body)?;
        body.finish(gather.dropped(node))?;
    }
    Ok(())
}
