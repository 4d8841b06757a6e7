//! What the commands read: our standard input, for all of them, or nothing. A
//! terminal is nobody's input; it would have to be typed for many at once.

use std::fs::File;
use std::io::{self, IsTerminal as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;

use clap::Args;
use tokio::sync::oneshot;
use transport::session::{Spool, SpoolWriter, Stdin};

use crate::context::Context;
use crate::exit::{CommandError, Exit};

/// What the commands read.
#[derive(Debug, Clone, Args)]
pub(crate) struct InputArgs {
    /// Give the commands no input; otherwise all of them read what is piped or
    /// redirected to us
    #[arg(short = 'n', long)]
    no_stdin: bool,
}

/// The input of a run.
#[derive(Debug)]
pub(crate) struct Input {
    /// What each command reads.
    pub(crate) stdin: Stdin,
    /// Why it broke off, if it does.
    broken: Option<oneshot::Receiver<io::Error>>,
}

impl Input {
    /// The input that is asked for: that of a script comes before ours.
    ///
    /// # Errors
    /// There is no place to keep it.
    pub(crate) fn new(
        context: &Context,
        args: &InputArgs,
        script: Option<Vec<u8>>,
    ) -> Result<Self, CommandError> {
        if let Some(text) = script {
            return Ok(Self { stdin: Stdin::Bytes(text.into()), broken: None });
        }
        if args.no_stdin || io::stdin().is_terminal() {
            return Ok(Self { stdin: Stdin::Empty, broken: None });
        }
        Self::of_ours(&context.paths.state).map_err(|error| {
            CommandError::new(Exit::Failed, "failed to take standard input for the commands")
                .cause(error)
                .hint("-n runs them without input")
        })
    }

    fn of_ours(directory: &Path) -> io::Result<Self> {
        // A copy of its own: the lock of `stdin` is for one reader at a time.
        let ours = File::from(io::stdin().as_fd().try_clone_to_owned()?);
        let kind = ours.metadata()?.file_type();
        if kind.is_file() {
            return Ok(Self { stdin: Stdin::Spool(Spool::of_file(ours)?), broken: None });
        }
        if kind.is_char_device() && is_null(&ours)? {
            return Ok(Self { stdin: Stdin::Empty, broken: None });
        }
        fs_err::create_dir_all(directory)?;
        let (writer, spool) = Spool::new(tempfile::tempfile_in(directory)?);
        Ok(Self { stdin: Stdin::Spool(spool), broken: Some(copy(writer, ours)) })
    }

    /// Waits until the input breaks off, for ever if it does not.
    pub(crate) async fn broken(&mut self) -> io::Error {
        if let Some(broken) = self.broken.as_mut()
            && let Ok(error) = broken.await
        {
            return error;
        }
        self.broken = None;
        std::future::pending().await
    }
}

/// Whether it is `/dev/null`.
fn is_null(file: &File) -> io::Result<bool> {
    let null = rustix::fs::makedev(1, 3);
    Ok(rustix::fs::fstat(file)?.st_rdev == null)
}

/// A thread of its own reads it: a read of a pipe cannot be cancelled, and must
/// not hold up our exit.
fn copy(writer: SpoolWriter, from: File) -> oneshot::Receiver<io::Error> {
    let (tell, told) = oneshot::channel();
    std::thread::spawn(move || {
        if let Err(error) = writer.copy(from) {
            let _ = tell.send(error);
        }
    });
    told
}
