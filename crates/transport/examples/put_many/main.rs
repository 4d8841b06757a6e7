//! What a verified put costs the client: `put_many NODES MEGABYTES` starts so
//! many embedded servers, each with a home of its own, puts a file of random
//! bytes into all of them, cold, and prints one JSON document. The servers'
//! cost is not counted.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::Instant;

use model::Endpoint;
use transport::copy::{self, CopyOptions, PutPlan};
use transport::fanout::Stop;
use transport::keys::{KeyPair, generate};
use transport::{DirectDial, Executor, ExecutorOptions, HostKeys, Login, PrivateKey, Target};

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    if let Some(code) = transport::server::dispatch(&arguments) {
        return code;
    }
    match measure(&arguments) {
        Ok(document) if writeln!(std::io::stdout(), "{document}").is_ok() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "failed: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A server that ends with us.
struct Server {
    process: Child,
    target: Target,
    home: PathBuf,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn measure(arguments: &[OsString]) -> Result<String, Failure> {
    let words: Vec<&str> = arguments.iter().filter_map(|word| word.to_str()).collect();
    let [nodes, megabytes] = words.as_slice() else {
        return Err("usage: put_many NODES MEGABYTES".into());
    };
    let (nodes, bytes) = (nodes.parse::<usize>()?, megabytes.parse::<usize>()? * 1_000_000);
    let directory = tempfile::Builder::new().prefix("squall-put-").tempdir_in("/dev/shm")?;
    let (host, user) = (generate("host")?, generate("user")?);
    let servers: Vec<Server> = (0..nodes)
        .map(|node| serve(directory.path(), node, &host, &user))
        .collect::<Result<_, _>>()?;
    let file = directory.path().join("file");
    std::fs::write(&file, noise(bytes))?;
    let targets: Vec<Target> = servers.iter().map(|server| server.target.clone()).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let (wall_s, cpu_s) = runtime.block_on(async {
        let (begun, before) = (Instant::now(), cpu_s());
        let executor = Executor::new(Arc::new(DirectDial), ExecutorOptions::default());
        let plan = PutPlan::look(std::slice::from_ref(&file), None)
            .map_err(|problems| format!("{problems:?}"))?;
        let options = CopyOptions::default();
        let put = copy::put(executor.clone(), targets, plan, options, Stop::default());
        let summary = put.summary().await;
        if !summary.all_succeeded() {
            return Err(format!("{:?}", summary.nodes.iter().find(|node| !node.is_success())));
        }
        executor.close().await;
        Ok((begun.elapsed().as_secs_f64(), cpu_s() - before))
    })?;
    let expected = std::fs::read(&file)?;
    for server in &servers {
        if std::fs::read(server.home.join("file"))? != expected {
            return Err("a copy differs".into());
        }
    }
    Ok(format!(
        r#"{{"nodes":{nodes},"bytes":{bytes},"wall_s":{wall_s:.3},"cpu_s":{cpu_s:.3},"peak_kib":{}}}"#,
        status_kib("VmHWM:")
    ))
}

fn serve(directory: &Path, node: usize, host: &KeyPair, user: &KeyPair) -> Result<Server, Failure> {
    let home = directory.join(format!("n{node}"));
    std::fs::create_dir(&home)?;
    let (host_path, authorized) = (home.join(".host"), home.join(".authorized"));
    std::fs::write(&host_path, host.private_pem.reveal())?;
    std::fs::write(&authorized, user.public.line())?;
    let address: SocketAddr = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let config = format!(
        r#"{{"listen":"{address}","host_key_path":"{}","authorized_keys_path":"{}","user":"root",
        "home":"{}","shell":"/bin/sh"}}"#,
        host_path.display(),
        authorized.display(),
        home.display()
    );
    let config_path = home.join(".server.json");
    std::fs::write(&config_path, config)?;
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(&host_path, std::fs::Permissions::from_mode(0o600))?;
    let mut process = Command::new(std::env::current_exe()?)
        .arg(transport::server::SERVER_ARGUMENT)
        .arg(&config_path)
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    let log = process.stderr.take().ok_or("no log")?;
    let mut line = String::new();
    let mut log = BufReader::new(log);
    log.read_line(&mut line)?;
    if !line.contains("listening on") {
        return Err(line.into());
    }
    std::thread::spawn(move || log.lines().for_each(drop));
    let target = Target {
        name: format!("n{node}").into(),
        endpoint: Endpoint::Tcp { address },
        login: Login::with_key("root", PrivateKey::parse(user.private_pem.reveal(), "user")?),
        host_keys: HostKeys::new(vec![host.public.clone()]),
    };
    Ok(Server { process, target, home })
}

fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    })
    .take(length)
    .collect()
}

/// CPU that this process has used, in seconds.
fn cpu_s() -> f64 {
    let usage = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = usage.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok());
    (ticks(11).unwrap_or_default() + ticks(12).unwrap_or_default()) / 100.0
}

/// A line of `/proc/self/status`, in KiB.
fn status_kib(field: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(field)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).unwrap_or_default()
}
