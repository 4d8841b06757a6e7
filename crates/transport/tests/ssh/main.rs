//! The client against real servers, and the embedded server against real
//! clients, all on loopback.

#![expect(clippy::print_stderr, reason = "tests say what they skip and measure")]

#[cfg(test)]
mod copy;
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
mod session;
#[cfg(test)]
mod sftp;
#[cfg(test)]
mod support;
#[cfg(test)]
mod wait;
