//! What the product's binary is to local nodes, for tests of this crate alone:
//! a supervisor, a probe, and in place of the ssh server a stub that runs one
//! line of shell per connection.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, ExitCode, Stdio};

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    if let Some(code) = providers::local::entry::run_if_called(&arguments) {
        return code;
    }
    let words: Vec<&str> = arguments.iter().filter_map(|word| word.to_str()).collect();
    match words.as_slice() {
        [providers::local::SSH_SERVER_ARGUMENT, path] => serve(path),
        ["reboot-the-hard-way", how] => reboot(how),
        _ => ExitCode::from(2),
    }
}

fn serve(path: &str) -> ExitCode {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let config: Result<providers::local::launch::EmbeddedServerConfig, _> =
        serde_json::from_str(&text);
    let Ok(config) = config else { return ExitCode::from(3) };
    let Ok(listener) = TcpListener::bind(&config.listen) else { return ExitCode::from(4) };
    for stream in listener.incoming().flatten() {
        std::thread::spawn(move || drop(answer(stream)));
    }
    ExitCode::SUCCESS
}

fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    let mut line = String::new();
    BufReader::new(stream.try_clone()?).read_line(&mut line)?;
    let output = Command::new("/bin/sh").arg("-c").arg(&line).stdin(Stdio::null()).output()?;
    stream.write_all(&output.stdout)?;
    stream.write_all(&output.stderr)
}

fn reboot(how: &str) -> ExitCode {
    use rustix::system::RebootCommand;
    let command = if how == "restart" { RebootCommand::Restart } else { RebootCommand::PowerOff };
    // Only ever inside a pid namespace, where it ends that namespace. PID 1 of
    // a node has this name; on a host it has not.
    let name = std::fs::read_to_string("/proc/1/comm").unwrap_or_default();
    if name.trim() != "squall-init" {
        return ExitCode::from(5);
    }
    match rustix::system::reboot(command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
