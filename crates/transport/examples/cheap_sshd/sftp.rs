//! A sink for copies.
use russh::Channel;
use russh::server::Msg;
pub(crate) async fn serve(_channel: &Channel<Msg>) {}
pub(crate) fn digest(_command: &str) -> Vec<u8> {
    Vec::new()
}
