//! Where the pretended cloud lives: in memory, or in a JSON file that several
//! processes share. A lock file keeps them apart for the length of one call.

use std::collections::BTreeMap;
use std::fs::TryLockError;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fs_err as fs;
use model::name::ClusterName;

use super::machine::Latencies;
use super::state::State;
use crate::error::{ErrorKind, ProviderError};
use crate::provider::ClusterLock;

/// The state and who holds which cluster.
#[derive(Debug, Clone)]
pub(super) struct Store {
    memory: Arc<Mutex<Memory>>,
    file: Option<Arc<PathBuf>>,
}

#[derive(Debug, Default)]
struct Memory {
    state: State,
    /// Purpose by slug, for clusters that are being changed.
    holders: BTreeMap<String, String>,
}

impl Store {
    /// A cloud that ends with the process.
    pub(super) fn in_memory() -> Self {
        Self { memory: Arc::default(), file: None }
    }

    /// A cloud in a file; made when first written.
    pub(super) fn in_file(path: PathBuf) -> Self {
        Self { memory: Arc::default(), file: Some(Arc::new(path)) }
    }

    /// Lets `act` read and change the state, alone.
    pub(super) fn with<T>(
        &self,
        act: impl FnOnce(&mut State) -> Result<T, ProviderError>,
    ) -> Result<T, ProviderError> {
        let mut memory = self.memory();
        let Some(path) = &self.file else {
            return act(&mut memory.state);
        };
        let lock = open(&beside(path, "lock"))?;
        lock.file().lock().map_err(|cause| io_error("lock the state file", &cause))?;
        memory.state = read(path)?;
        let answer = act(&mut memory.state);
        write(path, &memory.state)?;
        answer
    }

    /// Takes a cluster for changing it.
    pub(super) fn hold(
        &self,
        cluster: &ClusterName,
        purpose: &str,
    ) -> Result<Box<dyn ClusterLock>, ProviderError> {
        let slug = cluster.slug();
        match &self.file {
            None => self.hold_in_memory(slug, purpose),
            Some(path) => hold_in_file(&beside(path, &format!("{slug}.lock")), purpose),
        }
    }

    fn hold_in_memory(
        &self,
        slug: String,
        purpose: &str,
    ) -> Result<Box<dyn ClusterLock>, ProviderError> {
        let mut memory = self.memory();
        if let Some(holder) = memory.holders.get(&slug) {
            return Err(held(holder));
        }
        memory.holders.insert(slug.clone(), purpose.to_owned());
        Ok(Box::new(MemoryLock { memory: Arc::clone(&self.memory), slug }))
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct MemoryLock {
    memory: Arc<Mutex<Memory>>,
    slug: String,
}

impl ClusterLock for MemoryLock {}

impl Drop for MemoryLock {
    fn drop(&mut self) {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        memory.holders.remove(&self.slug);
    }
}

/// Held for as long as the file is open; the kernel lets go when the process
/// ends.
struct FileLock {
    _file: fs::File,
}

impl ClusterLock for FileLock {}

fn hold_in_file(path: &Path, purpose: &str) -> Result<Box<dyn ClusterLock>, ProviderError> {
    let mut file = open(path)?;
    match file.file().try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(held(&fs::read_to_string(path).unwrap_or_default()));
        }
        Err(TryLockError::Error(cause)) => return Err(io_error("lock the cluster", &cause)),
    }
    file.set_len(0)
        .and_then(|()| file.write_all(purpose.as_bytes()))
        .map_err(|cause| io_error("lock the cluster", &cause))?;
    Ok(Box::new(FileLock { _file: file }))
}

fn held(holder: &str) -> ProviderError {
    ProviderError::new(ErrorKind::Conflict, "lock the cluster", format!("held by: {holder}"))
        .with_mend("wait until that is done")
}

fn open(path: &Path) -> Result<fs::File, ProviderError> {
    let mut options = fs::OpenOptions::new();
    options.create(true).read(true).write(true).truncate(false);
    options.open(path).map_err(|cause| io_error("open a file of the fake cloud", &cause))
}

fn read(path: &Path) -> Result<State, ProviderError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(fresh()),
        Err(cause) => return Err(io_error("read the fake cloud", &cause)),
    };
    serde_json::from_str(&text).map_err(|cause| {
        ProviderError::new(ErrorKind::Other, "read the fake cloud", cause.to_string())
    })
}

/// An empty cloud for several processes. Its machines come up within a few
/// calls: a command line that waits for them lets real time pass as well.
fn fresh() -> State {
    State { latencies: Latencies { call_ms: 100, boot_ms: 300 }, ..State::default() }
}

/// Writes beside the file and renames, so that a reader sees all or nothing.
fn write(path: &Path, state: &State) -> Result<(), ProviderError> {
    let doing = "write the fake cloud";
    let text = serde_json::to_vec_pretty(state)
        .map_err(|cause| ProviderError::new(ErrorKind::Other, doing, cause.to_string()))?;
    let beside = beside(path, "new");
    fs::write(&beside, text)
        .and_then(|()| fs::rename(&beside, path))
        .map_err(|cause| io_error(doing, &cause))
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}

fn io_error(doing: &str, cause: &std::io::Error) -> ProviderError {
    let kind = match cause.kind() {
        std::io::ErrorKind::StorageFull => ErrorKind::Capacity,
        std::io::ErrorKind::PermissionDenied => ErrorKind::Auth,
        _ => ErrorKind::Other,
    };
    ProviderError::new(kind, doing, cause.to_string())
}
