//! Colours and other styles of text, or none. Decides once, at start, whether
//! a stream is coloured; knows nothing of what is written.

use std::fmt;

use anstyle::{AnsiColor, Style};
use clap::ValueEnum;

/// What the user wants of colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Colour {
    // Not doc comments: clap would show them, and make every help three times
    // as long.
    #[default]
    Auto,
    Always,
    Never,
}

/// What the environment says about a stream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StreamFacts {
    /// Whether it is a terminal.
    pub(crate) is_terminal: bool,
    /// Whether NO_COLOR is set to something, or TERM says `dumb`.
    pub(crate) is_plain: bool,
}

/// A painter for one stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Paint {
    on: bool,
}

/// What a piece of text is; decides how it looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// Headings and names that matter.
    Strong,
    /// What is only context.
    Faint,
    /// As it should be; made new.
    Good,
    /// Worth a look; changed.
    Doubtful,
    /// Failed; removed.
    Bad,
    /// A command to type.
    Command,
}

impl Paint {
    /// Decides for one stream.
    pub(crate) const fn new(wanted: Colour, stream: StreamFacts) -> Self {
        let on = match wanted {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => stream.is_terminal && !stream.is_plain,
        };
        Self { on }
    }

    /// No colours.
    #[cfg(test)]
    pub(crate) const fn off() -> Self {
        Self { on: false }
    }

    /// Whether it colours.
    pub(crate) const fn is_on(self) -> bool {
        self.on
    }

    /// The text, painted.
    pub(crate) fn text(self, look: Look, text: impl fmt::Display) -> String {
        if !self.on {
            return text.to_string();
        }
        let style = style(look);
        format!("{style}{text}{style:#}")
    }
}

const fn style(look: Look) -> Style {
    match look {
        Look::Strong => Style::new().bold(),
        Look::Faint => Style::new().dimmed(),
        Look::Good => AnsiColor::Green.on_default(),
        Look::Doubtful => AnsiColor::Yellow.on_default(),
        Look::Bad => AnsiColor::Red.on_default(),
        Look::Command => AnsiColor::Cyan.on_default(),
    }
}

/// Text that came from elsewhere, with what could steer a terminal made
/// visible. Tabs and line ends are for the caller to place.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            '\t' => ' ',
            character if character.is_control() => char::REPLACEMENT_CHARACTER,
            character => character,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Colour, Look, Paint, StreamFacts, printable};

    #[test]
    fn colours_are_for_terminals_that_want_them() {
        let facts = |is_terminal, is_plain| StreamFacts { is_terminal, is_plain };
        for (wanted, stream, on) in [
            (Colour::Auto, facts(true, false), true),
            (Colour::Auto, facts(true, true), false),
            (Colour::Auto, facts(false, false), false),
            (Colour::Always, facts(false, true), true),
            (Colour::Never, facts(true, false), false),
        ] {
            assert_eq!(Paint::new(wanted, stream).is_on(), on, "{wanted:?} {stream:?}");
        }
    }

    #[test]
    fn painting_off_changes_nothing() {
        assert_eq!(Paint::off().text(Look::Bad, "x"), "x");
        let on = Paint::new(Colour::Always, StreamFacts { is_terminal: false, is_plain: false });
        assert_eq!(on.text(Look::Bad, "x"), "\u{1b}[31mx\u{1b}[0m");
    }

    #[test]
    fn text_from_elsewhere_cannot_steer_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\tc\r"), "a\u{fffd}[2Jb c\u{fffd}");
    }
}
