//! What copying to or from one node shares: its connection, what was done so
//! far, and how the node's refusals read.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::event::{
    CopyEvent, CopyEventKind, CopyFailure, CopyFailureKind, CopyReport, ItemEnd, Meter,
};
use super::many::CopyOptions;
use super::part::split;
use crate::limits;
use crate::session::Session;
use crate::sftp::{Sftp, SftpError, StatusCode};

/// Less free room than this, and a failed write failed for want of it.
const NO_ROOM_BYTES: u64 = 2 * limits::SFTP_REQUEST_BYTES_MAX as u64;

/// What was done on a node so far. Outlives whoever is copying.
#[derive(Debug, Default)]
pub(super) struct Tally(Mutex<Counted>);

#[derive(Debug, Default)]
struct Counted {
    report: CopyReport,
    parts: BTreeSet<Bytes>,
}

impl Tally {
    fn lock(&self) -> MutexGuard<'_, Counted> {
        // Counters cannot be left half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was done, and which unfinished files are left.
    pub(super) fn report(&self) -> CopyReport {
        let counted = self.lock();
        CopyReport { parts_left: counted.parts.iter().cloned().collect(), ..counted.report.clone() }
    }

    pub(super) fn add_part(&self, path: &[u8]) {
        self.lock().parts.insert(Bytes::copy_from_slice(path));
    }

    pub(super) fn drop_part(&self, path: &[u8]) {
        self.lock().parts.remove(path);
    }

    pub(super) fn add_bytes(&self, bytes: u64) {
        self.lock().report.bytes += bytes;
    }

    pub(super) fn has_failures(&self) -> bool {
        self.lock().report.failed > 0
    }

    /// Something to be said, once.
    pub(super) fn note(&self, text: &str) {
        let mut counted = self.lock();
        if !counted.report.notes.iter().any(|known| known == text) {
            counted.report.notes.push(text.to_owned());
        }
    }

    fn settle(&self, end: &ItemEnd) {
        let report = &mut self.lock().report;
        match end {
            ItemEnd::Copied { resumed, .. } => {
                report.copied += 1;
                report.resumed_bytes += resumed;
            }
            ItemEnd::WouldCopy { .. } => report.copied += 1,
            ItemEnd::Unchanged => report.unchanged += 1,
            ItemEnd::Failed(failure) => {
                report.failed += 1;
                if report.failures.len() < limits::COPY_FAILURES_MAX {
                    report.failures.push(failure.clone());
                }
            }
        }
    }
}

/// Why something did not go on.
#[derive(Debug)]
pub(super) enum Trouble {
    /// With one file; others may do better.
    File(CopyFailure),
    /// With the node.
    Lost(String),
}

impl From<CopyFailure> for Trouble {
    fn from(failure: CopyFailure) -> Self {
        Self::File(failure)
    }
}

/// One node.
pub(super) struct Node<'a> {
    pub(super) name: &'a Arc<str>,
    pub(super) session: &'a Session,
    pub(super) sftp: Sftp,
    pub(super) options: &'a CopyOptions,
    pub(super) cancel: &'a CancellationToken,
    pub(super) events: &'a mpsc::Sender<CopyEvent>,
    pub(super) meter: &'a Meter,
    pub(super) tally: &'a Tally,
    /// Nothing more can be copied: the disk is full, or so.
    halted: AtomicBool,
    /// The node has no tool that hashes.
    pub(super) no_hash_tool: AtomicBool,
}

impl<'a> Node<'a> {
    #[expect(clippy::too_many_arguments, reason = "made in one place, of parts of different lives")]
    pub(super) fn new(
        name: &'a Arc<str>,
        session: &'a Session,
        sftp: Sftp,
        options: &'a CopyOptions,
        cancel: &'a CancellationToken,
        events: &'a mpsc::Sender<CopyEvent>,
        meter: &'a Meter,
        tally: &'a Tally,
    ) -> Self {
        let (halted, no_hash_tool) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { name, session, sftp, options, cancel, events, meter, tally, halted, no_hash_tool }
    }

    pub(super) fn is_halted(&self) -> bool {
        self.halted.load(Ordering::Relaxed)
    }

    /// Counts and tells what became of a file.
    pub(super) async fn settle(&self, path: &[u8], end: ItemEnd) {
        if let ItemEnd::Failed(failure) = &end
            && matches!(failure.kind, CopyFailureKind::NoSpace | CopyFailureKind::ReadOnly)
        {
            self.halted.store(true, Ordering::Relaxed);
        }
        self.tally.settle(&end);
        let kind = CopyEventKind::Item { path: Bytes::copy_from_slice(path), end };
        // Without a listener there is nobody to tell; the summary has it.
        let _ = self.events.send(CopyEvent { node: Arc::clone(self.name), kind }).await;
    }

    /// The same for what went wrong; a lost node ends everything.
    pub(super) async fn settle_trouble(
        &self,
        path: &[u8],
        trouble: Trouble,
    ) -> Result<(), Trouble> {
        match trouble {
            // One full disk is one message, not one per file under way.
            Trouble::File(_) if self.is_halted() => Ok(()),
            Trouble::File(failure) => {
                self.settle(path, ItemEnd::Failed(failure)).await;
                Ok(())
            }
            lost @ Trouble::Lost(_) => Err(lost),
        }
    }

    /// Removes an unfinished file that is of no use any more.
    pub(super) async fn discard(&self, part: &[u8]) {
        if self.sftp.remove(part).await.is_ok() {
            self.tally.drop_part(part);
        }
    }

    /// A node's refusal in words. Version 3 says "failure" for most of what
    /// matters here, so the node is asked what is the matter.
    pub(super) async fn explain(&self, error: SftpError, path: &[u8]) -> Trouble {
        if error.is_final() {
            return Trouble::Lost(error.to_string());
        }
        let text = error.to_string();
        let known = known_failure(error.code(), &text);
        let kind = match known {
            Some(kind) => Some(kind),
            None => self.suspect(path).await,
        };
        let text = match (known, kind) {
            (Some(_), _) | (_, None) => text,
            (None, Some(CopyFailureKind::NoSpace)) => "no space left on device".to_owned(),
            (None, Some(CopyFailureKind::ReadOnly)) => "read-only file system".to_owned(),
            (None, Some(CopyFailureKind::WrongKind)) => "is a directory".to_owned(),
            (None, Some(_)) => text,
        };
        CopyFailure::new(kind.unwrap_or(CopyFailureKind::Other), path, text).into()
    }

    /// What may be behind a failure without words.
    async fn suspect(&self, path: &[u8]) -> Option<CopyFailureKind> {
        let (directory, _) = split(path);
        let directory = if directory.is_empty() { b"." } else { directory };
        if let Ok(Some(space)) = self.sftp.space(directory).await {
            if space.read_only {
                return Some(CopyFailureKind::ReadOnly);
            }
            if space.free_bytes < NO_ROOM_BYTES || space.files > 0 && space.free_files == 0 {
                return Some(CopyFailureKind::NoSpace);
            }
        }
        let found = self.sftp.stat_link(path).await.ok()?;
        (found.kind() == crate::sftp::FileKind::Directory).then_some(CopyFailureKind::WrongKind)
    }
}

/// What a refusal says by itself.
fn known_failure(code: Option<StatusCode>, text: &str) -> Option<CopyFailureKind> {
    match code {
        Some(StatusCode::NoSuchFile) => Some(CopyFailureKind::Missing),
        Some(StatusCode::PermissionDenied) => Some(CopyFailureKind::Denied),
        _ if text.contains("no space") || text.contains("quota") => Some(CopyFailureKind::NoSpace),
        _ if text.contains("read-only") => Some(CopyFailureKind::ReadOnly),
        _ if text.contains("is a directory") || text.contains("not a directory") => {
            Some(CopyFailureKind::WrongKind)
        }
        _ => None,
    }
}
