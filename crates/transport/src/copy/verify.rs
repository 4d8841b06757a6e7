//! Hashes of files on a node, made by the node: one command for many files.
//! Where it has no tool for it, the files are read back.

use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;

use super::fetch::read_hash;
use super::hash::Hash;
use super::node::{Node, Trouble};
use crate::limits;
use crate::session::{ExecEnd, ExecOptions, Stdin};

/// Prints a line with the hash of each file whose path comes on standard
/// input, in their order. Run by `sh` whatever the user's shell is, so without
/// single quotes, backslashes and exclamation marks.
const HASH_COMMAND: &str = "exec /bin/sh -c '\
command -v xargs >/dev/null 2>&1 || exit 97; \
for tool in \"sha256sum\" \"shasum -a 256\" \"openssl dgst -sha256 -r\" \"busybox sha256sum\"; do \
set -- $tool; \
if command -v \"$1\" >/dev/null 2>&1; then exec xargs -0 $tool; fi; \
done; exit 97'";

/// Exit code for "no tool".
const NO_TOOL: u32 = 97;

/// A file to be hashed.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    /// An absolute path.
    pub(super) path: Vec<u8>,
    /// Bytes to be read back if need be.
    pub(super) bytes: u64,
}

impl Node<'_> {
    /// The hashes of these files, in their order; none where a file cannot be
    /// read.
    pub(super) async fn hashes(&self, files: &[Wanted]) -> Result<Vec<Option<Hash>>, Trouble> {
        if files.is_empty() {
            return Ok(Vec::new());
        }
        if !self.no_hash_tool.load(Ordering::Relaxed)
            && let Some(hashes) = self.ask_hashes(files).await?
        {
            return Ok(hashes.into_iter().map(Some).collect());
        }
        let mut hashes = Vec::new();
        for file in files {
            match read_hash(&self.sftp, &file.path, file.bytes).await {
                Ok(hash) => hashes.push(Some(hash)),
                Err(error) if error.is_final() => return Err(Trouble::Lost(error.to_string())),
                Err(_) => hashes.push(None),
            }
        }
        Ok(hashes)
    }

    /// Has the node make them. None when it does not give one for each.
    async fn ask_hashes(&self, files: &[Wanted]) -> Result<Option<Vec<Hash>>, Trouble> {
        let paths: Vec<u8> =
            files.iter().flat_map(|file| [&file.path[..], b"\0"].concat()).collect();
        let bytes: u64 = files.iter().map(|file| file.bytes).sum();
        let for_bytes = Duration::from_secs(bytes / limits::COPY_HASH_BYTES_PER_SECOND);
        let options = ExecOptions {
            stdin: Stdin::Bytes(Bytes::from(paths)),
            total: Some(limits::COPY_HASH_TIMEOUT + for_bytes),
            cancel: self.cancel.clone(),
            ..ExecOptions::default()
        };
        let output = self.session.output(HASH_COMMAND, options).await;
        let output = output.map_err(|error| Trouble::Lost(error.to_string()))?;
        match output.end {
            ExecEnd::Exited(0) if !output.truncated => {
                let hashes = parse(&output.stdout);
                Ok((hashes.len() == files.len()).then_some(hashes))
            }
            ExecEnd::Exited(NO_TOOL) => {
                self.no_hash_tool.store(true, Ordering::Relaxed);
                self.tally.note("there is no sha256sum on it: what was copied was read back");
                Ok(None)
            }
            ExecEnd::Lost(text) if self.session.is_closed() => Err(Trouble::Lost(text)),
            other => {
                tracing::debug!(node = %self.name, end = ?other, "hashing failed there");
                Ok(None)
            }
        }
    }
}

/// The hashes in what a tool printed. The names behind them are not looked at:
/// each tool has its own way to write odd ones. A backslash before the hash
/// says that the name is written such.
fn parse(printed: &[u8]) -> Vec<Hash> {
    printed
        .split(|byte| *byte == b'\n')
        .filter_map(|line| {
            let line = line.strip_prefix(b"\\").unwrap_or(line);
            (line.get(64) == Some(&b' ')).then(|| Hash::parse(line)).flatten()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{HASH_COMMAND, parse};

    #[test]
    fn each_tools_lines_are_read() {
        let hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        for (printed, count) in [
            (format!("{hash}  /a b\n{hash}  /c\n"), 2),
            (format!("\\{hash}  /a\\nb\n"), 1),
            (format!("{hash} */openssl\n"), 1),
            (format!("{hash}  /a\nnot escaped\n"), 1),
            (String::new(), 0),
            (hash.to_owned(), 0),
        ] {
            assert_eq!(parse(printed.as_bytes()).len(), count, "{printed}");
        }
    }

    #[test]
    fn the_command_is_one_for_every_shell() {
        let inner = HASH_COMMAND.trim_start_matches("exec /bin/sh -c '").trim_end_matches('\'');
        assert!(!inner.contains(['\'', '\\', '!', '\n']), "{inner}");
    }
}
