//! A server within the test that does on command what real ones do rarely.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use russh::server::{
    Auth, ChannelOpenHandle, Config, Handler, Msg, PublicKeyOffer, Session, VerifiedPublicKey,
    run_stream,
};
use russh::{Channel, ChannelId, ChannelMsg, Disconnect, Limits};
use tokio::net::TcpListener;

use model::Endpoint;
use transport::keys::generate;
use transport::{HostKeys, Login, PrivateKey, Target};

/// One that lives as long as the test's runtime.
pub(crate) struct Scripted {
    pub(crate) target: Target,
}

/// One that wants new keys after so many bytes.
pub(crate) async fn scripted(rekey_bytes: usize) -> Scripted {
    let host = generate("host").unwrap();
    let user = generate("user").unwrap();
    let key = russh::keys::decode_secret_key(host.private_pem.reveal(), None).unwrap();
    let config = Arc::new(Config {
        keys: vec![key],
        limits: Limits::new(rekey_bytes, rekey_bytes, Duration::from_secs(3600)),
        auth_rejection_time: Duration::ZERO,
        auth_rejection_time_initial: Some(Duration::ZERO),
        ..Config::default()
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            let config = Arc::clone(&config);
            tokio::spawn(async move {
                if let Ok(running) = run_stream(config, stream, Server::default()).await {
                    let _ = running.await;
                }
            });
        }
    });
    let login =
        Login::with_key("root", PrivateKey::parse(user.private_pem.reveal(), "test").unwrap());
    let host_keys = HostKeys::new(vec![host.public]);
    let endpoint = Endpoint::Tcp { address };
    let target = Target { name: "scripted".into(), endpoint, login, host_keys };
    Scripted { target }
}

#[derive(Default)]
struct Server {
    channels: HashMap<ChannelId, Channel<Msg>>,
}

impl Handler for Server {
    type Error = russh::Error;

    async fn auth_publickey_offered(
        &mut self,
        _user: &str,
        _offer: PublicKeyOffer<'_>,
    ) -> Result<Auth, russh::Error> {
        Ok(Auth::Accept)
    }

    async fn auth_publickey(
        &mut self,
        _user: &str,
        _key: VerifiedPublicKey<'_>,
    ) -> Result<Auth, russh::Error> {
        Ok(Auth::Accept)
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), russh::Error> {
        self.channels.insert(channel.id(), channel);
        reply.accept().await;
        Ok(())
    }

    async fn exec_request(
        &mut self,
        id: ChannelId,
        command: &[u8],
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        let command = String::from_utf8_lossy(command).into_owned();
        let Some(channel) = self.channels.remove(&id) else { return Ok(()) };
        let handle = session.handle();
        match command.split_once(' ').unwrap_or((&command, "")) {
            ("refuse", _) => return session.channel_failure(id),
            // Ends the channel before anybody asked, and says nothing else.
            ("slam", _) => return session.close(id),
            ("leave", words) => {
                let words = words.to_owned();
                session.channel_success(id)?;
                session.data(id, &b"last words\n"[..])?;
                tokio::spawn(async move {
                    let _ = handle.disconnect(Disconnect::ByApplication, words, "en".into()).await;
                });
                return Ok(());
            }
            _ => session.channel_success(id)?,
        }
        tokio::spawn(async move {
            match command.as_str() {
                "empty" => {
                    let _ = channel.data_bytes(&b""[..]).await;
                    let _ = channel.extended_data_bytes(1, &b""[..]).await;
                    let _ = channel.data_bytes(&b"x"[..]).await;
                }
                _ => echo(channel).await,
            }
            let _ = handle.exit_status_request(id, 0).await;
            let _ = handle.eof(id).await;
            let _ = handle.close(id).await;
        });
        Ok(())
    }
}

/// Sends back what comes, until its end. Takes it in any case: the library
/// reads nothing, not even new keys, while a channel is full.
async fn echo(channel: Channel<Msg>) {
    let (mut reader, writer) = channel.split();
    let (sender, mut pieces) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some(message) = reader.wait().await {
            match message {
                ChannelMsg::Data { data } => {
                    let _ = sender.send(data);
                }
                ChannelMsg::Eof | ChannelMsg::Close => return,
                _ => {}
            }
        }
    });
    while let Some(piece) = pieces.recv().await {
        if writer.data_bytes(piece).await.is_err() {
            return;
        }
    }
}
