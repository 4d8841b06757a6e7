//! The client against real servers, and the embedded server against real
//! clients, all on loopback.

#![expect(clippy::print_stderr, reason = "tests say what they skip and measure")]

#[cfg(test)]
mod copy;
#[cfg(test)]
mod engine_channels;
#[cfg(test)]
mod engine_pool;
#[cfg(test)]
mod engine_rekey;
#[cfg(test)]
mod engine_streams;
#[cfg(test)]
mod fanout;
#[cfg(test)]
mod hosts_jump;
#[cfg(test)]
mod hosts_login;
#[cfg(test)]
mod hosts_trust;
#[cfg(test)]
mod openssh;
#[cfg(test)]
mod robust;
#[cfg(test)]
mod scripted;
#[cfg(test)]
mod session;
#[cfg(test)]
mod sftp;
#[cfg(test)]
mod support;
#[cfg(test)]
mod wait;
