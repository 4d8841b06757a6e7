//! Follows a run to its end: shows what happens, asks for a password when a
//! node wants one, and answers Ctrl-C.

use std::io;
use std::sync::Arc;

use transport::fanout::{Run, RunEvent, RunSummary, Sudo};

use super::ask_sudo;
use super::input::Input;
use crate::exit::{CommandError, Exit};
use crate::run_output::RunOutput;
use crate::signals::{Interrupt, LOOK_AGAIN_TIME, Looks};

/// What a run may wait for besides its nodes.
pub(crate) struct Ways<'a> {
    /// The user's signals.
    pub(crate) interrupt: &'a Interrupt,
    /// Whom it runs as.
    pub(crate) sudo: Option<Arc<Sudo>>,
    /// What the commands read.
    pub(crate) input: Input,
}

/// What woke us.
enum Woken {
    Event(Option<RunEvent>),
    Look,
    Stop,
    Password(Arc<Sudo>),
    Broken(io::Error),
}

/// Shows the run until it is over, and how it ended.
///
/// # Errors
/// Standard output cannot be written. Input that broke off stops the run and
/// is told at its end.
pub(crate) async fn follow(
    mut run: Run,
    output: &mut RunOutput,
    mut ways: Ways<'_>,
) -> Result<(RunSummary, Option<CommandError>), CommandError> {
    let looks = ways.interrupt.look_first();
    let mut broken = None;
    let mut told_stop = false;
    loop {
        // What is printed waits only as long as events come.
        if run.events.is_empty() {
            output.flush()?;
        }
        match wake(&mut run, &mut ways, &looks, told_stop).await {
            Woken::Event(Some(event)) => output.event(&event)?,
            Woken::Event(None) => break,
            Woken::Look => tell_running(output)?,
            Woken::Stop => {
                told_stop = true;
                if broken.is_none() {
                    output.say("Stopping; Ctrl-C again leaves at once.")?;
                }
            }
            Woken::Password(sudo) => {
                // Who is asked for a secret and presses Ctrl-C wants out.
                let paused = looks.pause();
                output.pause()?;
                sudo.answer(ask_sudo::ask(ways.interrupt).await);
                drop(paused);
            }
            Woken::Broken(error) => {
                broken = Some(input_broke_off(&error));
                ways.interrupt.stop.cancel();
            }
        }
    }
    Ok((run.summary().await, broken))
}

/// Waits for whatever comes first; a flood of events holds up nothing else.
async fn wake(run: &mut Run, ways: &mut Ways<'_>, looks: &Looks, told_stop: bool) -> Woken {
    let sudo = ways.sudo.clone();
    let wanted = async {
        match &sudo {
            Some(sudo) => sudo.wanted().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        () = looks.asked() => Woken::Look,
        () = ways.interrupt.stop.cancelled(), if !told_stop => Woken::Stop,
        () = wanted => sudo.clone().map_or(Woken::Look, Woken::Password),
        error = ways.input.broken() => Woken::Broken(error),
        event = run.events.recv() => Woken::Event(event),
    }
}

fn tell_running(output: &mut RunOutput) -> io::Result<()> {
    let mut lines = output.running();
    if lines.is_empty() {
        lines.push("nothing is running any more".to_owned());
    }
    for line in lines {
        output.say(&line)?;
    }
    let seconds = LOOK_AGAIN_TIME.as_secs();
    output.say(&format!("Ctrl-C again within {seconds} s stops them."))
}

fn input_broke_off(error: &io::Error) -> CommandError {
    CommandError::new(Exit::Failed, "standard input broke off, so the commands were stopped")
        .cause(error)
        .hint("none of them was told that its input is complete")
}
