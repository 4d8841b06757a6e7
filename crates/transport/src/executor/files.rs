//! Room for sockets: every connection is an open file, and the usual soft
//! limit of 1024 is less than a cluster.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::limits;

/// Raises the soft limit of open files towards the hard one when so many
/// connections would not fit below it. Not before: programs that we start
/// inherit it, and old ones that use `select` break above 1024.
pub(super) fn make_room(connections: usize) {
    let limit = getrlimit(Resource::Nofile);
    let Some(raised) = raised(limit, connections) else { return };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => tracing::debug!(files = ?raised.current, "raised the limit of open files"),
        Err(error) => tracing::debug!(%error, "could not raise the limit of open files"),
    }
}

/// The limit that is to be set; none if there is room, or no way to more.
fn raised(limit: Rlimit, connections: usize) -> Option<Rlimit> {
    let wanted = u64::try_from(connections.saturating_add(limits::OTHER_FILES)).unwrap_or(u64::MAX);
    let soft = limit.current?;
    let possible = limit.maximum.map_or(wanted, |hard| wanted.min(hard));
    (soft < possible).then_some(Rlimit { current: Some(possible), maximum: limit.maximum })
}

#[cfg(test)]
mod tests {
    use super::raised;
    use rustix::process::Rlimit;

    #[test]
    fn the_limit_is_raised_as_far_as_needed_and_allowed() {
        // Soft limit, hard limit, connections, what is set.
        let table = [
            (Some(1024), Some(4096), 64, None),
            (Some(1024), Some(4096), 1000, Some(1256)),
            (Some(1024), Some(4096), 10_000, Some(4096)),
            (Some(4096), Some(4096), 10_000, None),
            (Some(1024), None, 10_000, Some(10_256)),
            (None, None, 10_000, None),
        ];
        for (current, maximum, connections, expected) in table {
            let raised = raised(Rlimit { current, maximum }, connections);
            assert_eq!(raised.and_then(|limit| limit.current), expected, "{current:?} {maximum:?}");
        }
    }
}
