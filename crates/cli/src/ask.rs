//! Asks before something is changed. Without a terminal nobody is asked, and
//! nothing is done.

use std::io::{self, BufRead as _, Write as _};

use tokio::sync::oneshot;

use crate::exit::{CommandError, Exit};
use crate::output::Printer;
use crate::signals::Interrupt;

/// Goes on if the user says so. `question` is a sentence such as
/// `Create 3 nodes?`.
///
/// # Errors
/// `Refused` when the answer is no or nobody can be asked, `Interrupted` when
/// the user stops us at the question.
pub(crate) async fn confirm(
    printer: Printer,
    interrupt: &Interrupt,
    yes: bool,
    question: &str,
) -> Result<(), CommandError> {
    if yes {
        return Ok(());
    }
    if !printer.can_ask || printer.is_json() {
        return Err(CommandError::new(
            Exit::Refused,
            "this needs a confirmation, and there is no terminal to ask at",
        )
        .hint("repeat it with --yes"));
    }
    let _ = write!(io::stderr(), "{question} [y/N] ");
    let _ = io::stderr().flush();
    // A thread of its own, not one of the runtime's: a read of the terminal
    // cannot be cancelled, and must not hold up our exit.
    let (tell, told) = oneshot::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = io::stdin().lock().read_line(&mut line);
        let _ = tell.send(read.map(|_| line).unwrap_or_default());
    });
    tokio::select! {
        () = interrupt.stop.cancelled() => {
            Err(CommandError::new(Exit::Interrupted, "stopped; nothing was changed"))
        }
        line = told => match is_yes(&line.unwrap_or_default()) {
            true => Ok(()),
            false => Err(CommandError::new(Exit::Refused, "not confirmed; nothing was changed")),
        }
    }
}

fn is_yes(line: &str) -> bool {
    matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::is_yes;

    #[test]
    fn only_a_clear_yes_is_one() {
        for (line, expected) in
            [("y\n", true), ("Yes\n", true), ("\n", false), ("", false), ("yep\n", false)]
        {
            assert_eq!(is_yes(line), expected, "{line:?}");
        }
    }
}
