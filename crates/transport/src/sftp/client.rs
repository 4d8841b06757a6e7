//! A client on a channel of a session. All methods take `&self`: callers ask
//! many things at once, bounded by [`limits::SFTP_UNITS_MAX`].

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::attributes::Attributes;
use super::error::{SftpError, StatusCode};
use super::extension::{Extension, Limits, Offered};
use super::frame::Frames;
use super::pump::{self, Answer, Waiting};
use super::reply::Reply;
use super::request::{Request, init, version};
use crate::limits;
use crate::session::{Session, SubsystemInput, SubsystemOutput};

/// How to be a client.
#[derive(Debug, Clone)]
pub struct SftpOptions {
    /// A request without an answer for so long is given up.
    pub silence_max: Duration,
    /// Ends the opening early.
    pub cancel: CancellationToken,
}

impl Default for SftpOptions {
    fn default() -> Self {
        Self { silence_max: limits::SFTP_REPLY_TIMEOUT, cancel: CancellationToken::new() }
    }
}

/// A client. Cloning shares it; the last one closes the channel.
#[derive(Debug, Clone)]
pub struct Sftp {
    pub(super) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(super) struct Inner {
    outlet: Mutex<Outlet>,
    waiting: Arc<Waiting>,
    pub(super) places: Arc<Semaphore>,
    pub(super) offered: Offered,
    limits: Limits,
    pump: AbortHandle,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.pump.abort();
    }
}

/// The way to the node, one packet at a time.
struct Outlet {
    input: SubsystemInput,
    /// A packet is half sent. It stays so when its sender was dropped, and
    /// then nothing can be sent after it.
    is_within: bool,
}

impl std::fmt::Debug for Outlet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outlet").field("is_within", &self.is_within).finish_non_exhaustive()
    }
}

/// A request on its way. One that reads keeps its place among the requests
/// until its bytes are taken, so that memory is bounded; the others give it
/// back when the answer has come.
#[derive(Debug)]
pub struct Pending {
    pub(super) answer: Answer,
    pub(super) _place: Option<OwnedSemaphorePermit>,
}

impl Pending {
    /// Waits for the answer.
    async fn reply(self) -> Result<Reply, SftpError> {
        let Self { answer, _place } = self;
        settled(answer.await.unwrap_or_else(|_| Err(gone())))
    }

    /// Waits until it is done.
    ///
    /// # Errors
    /// The node says no, or is gone.
    pub async fn done(self) -> Result<(), SftpError> {
        self.reply().await.map(drop)
    }

    /// Waits for the bytes that were asked for; empty at the end of the file.
    ///
    /// # Errors
    /// As [`done`](Self::done).
    pub async fn data(self) -> Result<Bytes, SftpError> {
        match self.reply().await {
            Ok(Reply::Data(bytes)) => Ok(bytes),
            Ok(_) => Err(unexpected()),
            Err(SftpError::Status { code: StatusCode::Eof, .. }) => Ok(Bytes::new()),
            Err(error) => Err(error),
        }
    }

    /// Whether the answer has come; what it is, for those that carry nothing.
    pub fn try_done(&mut self) -> Option<Result<(), SftpError>> {
        match self.answer.try_recv() {
            Ok(reply) => Some(settled(reply).map(drop)),
            Err(oneshot::error::TryRecvError::Empty) => None,
            Err(oneshot::error::TryRecvError::Closed) => Some(Err(gone())),
        }
    }
}

/// A refusal as an error.
fn settled(reply: Result<Reply, SftpError>) -> Result<Reply, SftpError> {
    match reply? {
        Reply::Status { code, text } if code != StatusCode::Ok => {
            Err(SftpError::Status { code, text })
        }
        reply => Ok(reply),
    }
}

fn gone() -> SftpError {
    SftpError::Lost("the connection is closed".into())
}

pub(super) fn unexpected() -> SftpError {
    SftpError::Nonsense("it answers something else than was asked".into())
}

/// Places that a request takes.
pub(super) fn units(moved: usize) -> u32 {
    let units = u32::try_from(moved).unwrap_or(u32::MAX).div_ceil(limits::SFTP_UNIT_BYTES);
    units.clamp(1, limits::SFTP_UNITS_MAX)
}

pub(super) fn bytes(path: &[u8]) -> Bytes {
    Bytes::copy_from_slice(path)
}

impl Sftp {
    /// Opens the subsystem and greets.
    ///
    /// # Errors
    /// The node has no such subsystem, or no connection.
    pub async fn open(session: &Session, options: SftpOptions) -> Result<Self, SftpError> {
        let subsystem =
            session.subsystem("sftp", &options.cancel).await.map_err(SftpError::Open)?;
        let (input, mut output) = (subsystem.input, subsystem.output);
        let after = limits::CHANNEL_OPEN_TIMEOUT;
        let greeting = greet(&input, &mut output);
        let (frames, offered) =
            timeout(after, greeting).await.map_err(|_| SftpError::Silent(after))??;
        let waiting = Arc::new(Waiting::default());
        let pumping = pump::run(output, frames, Arc::clone(&waiting), options.silence_max);
        let inner = Inner {
            outlet: Mutex::new(Outlet { input, is_within: false }),
            waiting,
            places: Arc::new(Semaphore::new(limits::SFTP_UNITS_MAX as usize)),
            offered,
            limits: Limits::default(),
            pump: tokio::spawn(pumping).abort_handle(),
        };
        let mut sftp = Self { inner: Arc::new(inner) };
        let limits = sftp.ask_limits().await?;
        if let Some(inner) = Arc::get_mut(&mut sftp.inner) {
            inner.limits = limits;
        }
        Ok(sftp)
    }

    async fn ask_limits(&self) -> Result<Limits, SftpError> {
        if !self.inner.offered.limits {
            return Ok(Limits::default());
        }
        match self.ask(Request::Extended(Extension::Limits)).await {
            Ok(Reply::Extended(body)) => Ok(Limits::read(body)?),
            Ok(_) => Err(unexpected()),
            Err(error) if error.is_final() => Err(error),
            Err(_) => Ok(Limits::default()),
        }
    }

    /// What the server takes.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.inner.limits
    }

    /// Bytes to read with one request.
    #[must_use]
    pub fn read_bytes(&self) -> u32 {
        request_bytes(self.inner.limits.read_bytes)
    }

    /// Bytes to write with one request.
    #[must_use]
    pub fn write_bytes(&self) -> u32 {
        request_bytes(self.inner.limits.write_bytes)
    }

    /// Waits for the place of a request that moves so many bytes.
    pub(super) async fn place(&self, moved: usize) -> Result<OwnedSemaphorePermit, SftpError> {
        let place = Arc::clone(&self.inner.places).acquire_many_owned(units(moved)).await;
        place.map_err(|_| gone())
    }

    /// Sends a request. A place that is handed on is given back with the
    /// answer.
    pub(super) async fn send(
        &self,
        request: Request,
        place: Option<OwnedSemaphorePermit>,
    ) -> Result<Answer, SftpError> {
        let mut outlet = self.inner.outlet.lock().await;
        if outlet.is_within {
            return Err(SftpError::Lost("a request was given up half sent".into()));
        }
        let (id, answer) = self.inner.waiting.ask(place)?;
        let (head, data) = request.encode(id);
        outlet.is_within = true;
        let mut sent = outlet.input.send(head).await;
        if sent.is_ok() && !data.is_empty() {
            sent = outlet.input.send(data).await;
        }
        outlet.is_within = false;
        if let Err(error) = sent {
            // What the node said last is the better reason.
            let error = SftpError::Lost(error.to_string());
            self.inner.waiting.end(&error);
            return Err(self.inner.waiting.ended().unwrap_or(error));
        }
        Ok(answer)
    }

    pub(super) async fn ask(&self, request: Request) -> Result<Reply, SftpError> {
        let place = self.place(0).await?;
        let answer = self.send(request, Some(place)).await?;
        Pending { answer, _place: None }.reply().await
    }

    pub(super) async fn tell(&self, request: Request) -> Result<(), SftpError> {
        self.ask(request).await.map(drop)
    }

    pub(super) async fn ask_handle(&self, request: Request) -> Result<Bytes, SftpError> {
        match self.ask(request).await? {
            Reply::Handle(handle) => Ok(handle),
            _ => Err(unexpected()),
        }
    }

    pub(super) async fn ask_attributes(&self, request: Request) -> Result<Attributes, SftpError> {
        match self.ask(request).await? {
            Reply::Attributes(attributes) => Ok(attributes),
            _ => Err(unexpected()),
        }
    }

    pub(super) async fn ask_name(&self, request: Request) -> Result<Bytes, SftpError> {
        match self.ask(request).await? {
            Reply::Names(names) => {
                names.into_iter().next().map(|entry| entry.name).ok_or_else(unexpected)
            }
            _ => Err(unexpected()),
        }
    }
}

/// Sends our greeting and reads theirs.
async fn greet(
    input: &SubsystemInput,
    output: &mut SubsystemOutput,
) -> Result<(Frames, Offered), SftpError> {
    input.send(init()).await.map_err(SftpError::Open)?;
    let mut frames = Frames::default();
    loop {
        // A shell that prints as it starts spoils the stream at its beginning.
        let spoilt = |_| {
            SftpError::Nonsense(
                "something else comes first; does a start-up file of the shell print?".into(),
            )
        };
        if let Some(packet) = frames.next().map_err(spoilt)? {
            let (number, offered) = version::decode(packet).map_err(spoilt)?;
            tracing::debug!(version = number, ?offered, "sftp");
            return Ok((frames, Offered::new(&offered)));
        }
        match output.next().await {
            Some(bytes) => frames.push(&bytes),
            None => return Err(SftpError::Lost(output.end())),
        }
    }
}

/// What is moved with one request, as far as the server says; a multiple of a
/// unit wherever it can be, so that blocks are cut evenly.
fn request_bytes(limit: u64) -> u32 {
    match u32::try_from(limit).unwrap_or(u32::MAX) {
        0 => limits::SFTP_UNIT_BYTES,
        few if few < limits::SFTP_UNIT_BYTES => few,
        limit => {
            let units = limit.min(limits::SFTP_REQUEST_BYTES_MAX) / limits::SFTP_UNIT_BYTES;
            (1 << units.ilog2()) * limits::SFTP_UNIT_BYTES
        }
    }
}
