//! One connection's requests, and one channel from its opening to its end.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::os::unix::ffi::OsStringExt;
use std::sync::Arc;

use russh::server::{
    Auth, ChannelOpenHandle, Handle, Handler, Msg, PublicKeyOffer, Session, VerifiedPublicKey,
};
use russh::{Channel, ChannelId, ChannelMsg, ChannelOpenFailure, ChannelReadHalf, Pty};
use rustix::process::Signal;
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;

use super::command::{self, Started, Wish};
use super::config::ServerConfig;
use super::input::{Input, InputEnd, Sink, window_size};
use super::login::is_authorized;
use super::output::Output;
use crate::keys::PublicKey;
use crate::limits;
use crate::stream::ReadGate;

/// The only subsystem there is.
const SFTP: &str = "sftp";

/// Exit code of a command whose shell could not be started.
const EXIT_NO_SHELL: u32 = 127;

/// The two ends of a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer {
    pub(super) remote: SocketAddr,
    pub(super) local: SocketAddr,
}

/// How far a channel is, as far as replies depend on it.
#[derive(Debug, Clone, Copy, Default)]
struct Progress {
    started: bool,
}

/// What all channels of a connection share.
#[derive(Debug, Clone)]
pub(super) struct Context {
    pub(super) config: Arc<ServerConfig>,
    pub(super) peer: Peer,
    /// Cancelled when the client is gone.
    pub(super) gone: CancellationToken,
    pub(super) gate: Arc<ReadGate>,
}

/// What the protocol asks of us on one connection.
pub(super) struct Connection {
    context: Context,
    logged_in: CancellationToken,
    places: Arc<Semaphore>,
    channels: BTreeMap<u32, Progress>,
}

impl Connection {
    pub(super) fn new(context: Context, logged_in: CancellationToken) -> Self {
        let places = Arc::new(Semaphore::new(limits::SERVER_CHANNELS_MAX));
        Self { context, logged_in, places, channels: BTreeMap::new() }
    }

    fn judge(&self, user: &str, key: &russh::keys::PublicKey) -> Auth {
        let key = PublicKey::from_russh(key.clone());
        let config = &self.context.config;
        if user == config.user && is_authorized(&config.authorized_keys_path, &key) {
            Auth::Accept
        } else {
            Auth::reject()
        }
    }

    /// Whether this channel may start something now; once only.
    fn begin(&mut self, id: ChannelId) -> bool {
        self.channels
            .get_mut(&id.into())
            .is_some_and(|progress| !std::mem::replace(&mut progress.started, true))
    }
}

/// Says yes or no. The replies are made here and not in the channel's task:
/// the protocol matches them to requests by their order.
fn answer(session: &mut Session, id: ChannelId, yes: bool) -> Result<(), russh::Error> {
    if yes { session.channel_success(id) } else { session.channel_failure(id) }
}

impl Handler for Connection {
    type Error = russh::Error;

    async fn auth_publickey_offered(
        &mut self,
        user: &str,
        offer: PublicKeyOffer<'_>,
    ) -> Result<Auth, russh::Error> {
        Ok(self.judge(user, offer.public_key))
    }

    async fn auth_publickey(
        &mut self,
        user: &str,
        key: VerifiedPublicKey<'_>,
    ) -> Result<Auth, russh::Error> {
        Ok(self.judge(user, key.public_key))
    }

    async fn auth_succeeded(&mut self, _session: &mut Session) -> Result<(), russh::Error> {
        self.logged_in.cancel();
        Ok(())
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            reply.reject(ChannelOpenFailure::ResourceShortage).await;
            return Ok(());
        };
        self.channels.insert(channel.id().into(), Progress::default());
        reply.accept().await;
        let (context, handle) = (self.context.clone(), session.handle());
        tokio::spawn(async move {
            Box::pin(attend(channel, handle, context)).await;
            drop(place);
        });
        Ok(())
    }

    async fn channel_close(&mut self, id: ChannelId, _: &mut Session) -> Result<(), russh::Error> {
        self.channels.remove(&id.into());
        Ok(())
    }

    async fn pty_request(
        &mut self,
        id: ChannelId,
        _term: &str,
        _columns: u32,
        _rows: u32,
        _width: u32,
        _height: u32,
        _modes: &[(Pty, u32)],
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        let waiting = self.channels.get(&id.into()).is_some_and(|progress| !progress.started);
        answer(session, id, waiting)
    }

    async fn env_request(
        &mut self,
        id: ChannelId,
        name: &str,
        _value: &str,
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        answer(session, id, command::may_set(name))
    }

    async fn exec_request(
        &mut self,
        id: ChannelId,
        _command: &[u8],
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        let yes = self.begin(id);
        answer(session, id, yes)
    }

    async fn shell_request(
        &mut self,
        id: ChannelId,
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        let yes = self.begin(id);
        answer(session, id, yes)
    }

    async fn subsystem_request(
        &mut self,
        id: ChannelId,
        name: &str,
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        let yes = name == SFTP && self.begin(id);
        answer(session, id, yes)
    }

    async fn x11_request(
        &mut self,
        id: ChannelId,
        _single: bool,
        _protocol: &str,
        _cookie: &str,
        _screen: u32,
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        answer(session, id, false)
    }
}

/// One channel, from its opening to its end.
async fn attend(channel: Channel<Msg>, handle: Handle, context: Context) {
    let (mut reader, writer) = channel.split();
    let wish = tokio::select! {
        () = context.gone.cancelled() => return,
        wish = hear(&mut reader) => wish,
    };
    let output = Output::new(writer, handle, Arc::clone(&context.gate));
    let Some(wish) = wish else {
        output.close().await;
        return;
    };
    match command::start(&context.config, context.peer, &wish) {
        Ok(started) => serve(started, reader, output, &context).await,
        Err(error) => {
            let text =
                format!("squall: failed to start {}: {error}", context.config.shell.display());
            // The channel must be read meanwhile, or the connection stands.
            tokio::select! {
                () = output.fail(&text, EXIT_NO_SHELL) => {}
                () = drain(&mut reader) => {}
            }
        }
    }
}

async fn drain(reader: &mut ChannelReadHalf) {
    while reader.wait().await.is_some() {}
}

/// Collects what the client asks for up to the start. None if it leaves.
async fn hear(reader: &mut ChannelReadHalf) -> Option<Wish> {
    let mut wish = Wish::default();
    loop {
        match reader.wait().await? {
            ChannelMsg::SetEnv { variable_name, variable_value, .. }
                if command::may_set(&variable_name)
                    && wish.env.len() < limits::SERVER_VARIABLES_MAX
                    && !variable_value.contains('\0') =>
            {
                wish.env.insert(variable_name, variable_value);
            }
            ChannelMsg::RequestPty {
                term, col_width, row_height, pix_width, pix_height, ..
            } => {
                let size = window_size(col_width, row_height, pix_width, pix_height);
                wish.terminal = Some((term.replace('\0', ""), size));
            }
            ChannelMsg::WindowChange { col_width, row_height, pix_width, pix_height } => {
                if let Some((_, size)) = &mut wish.terminal {
                    *size = window_size(col_width, row_height, pix_width, pix_height);
                }
            }
            ChannelMsg::Exec { command, .. } => {
                wish.command = Some(OsString::from_vec(command));
                return Some(wish);
            }
            ChannelMsg::RequestShell { .. } => return Some(wish),
            ChannelMsg::RequestSubsystem { name, .. } if name == SFTP => {
                return Some(Wish { terminal: None, files: true, ..wish });
            }
            ChannelMsg::Close => return None,
            _ => {}
        }
    }
}

/// Runs until the command is over or the client leaves; then the command is
/// told as a lost terminal tells it.
async fn serve(mut started: Started, reader: ChannelReadHalf, output: Output, context: &Context) {
    let (group, watched_group) = watch::channel(Some(started.group));
    let (screen, sink, window) = match started.terminal.take() {
        Some((screen, keyboard, window)) => {
            (Some(screen), Some(Sink::Terminal(keyboard)), Some(window))
        }
        None => (None, started.child.stdin.take().map(Sink::Pipe), None),
    };
    let gate = Arc::clone(&context.gate);
    let mut input = Input::new(reader, sink, window, watched_group, gate);
    let end = tokio::select! {
        () = output.run(&mut started.child, screen, &group) => return,
        end = input.run(&context.gone) => end,
    };
    input.kill(Signal::HUP);
    // A stopped process hears nothing before it goes on.
    input.kill(Signal::CONT);
    drop(input);
    let farewell = async {
        match end {
            InputEnd::Gone => output.close().await,
            InputEnd::TooMuch => {
                output.fail("squall: the command does not read its input", EXIT_NO_SHELL).await;
            }
        }
    };
    let _ = tokio::time::timeout(limits::GOODBYE_TIMEOUT, farewell).await;
    // It may outlive its client, and is ours to reap whenever it ends.
    let mut child = started.child;
    tokio::spawn(async move { child.wait().await });
}
