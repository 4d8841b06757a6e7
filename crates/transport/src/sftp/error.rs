//! Why something could not be done over SFTP.

use std::time::Duration;

use super::wire::WireError;
use crate::session::SessionError;

/// A server's answer in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusCode {
    /// Done.
    Ok,
    /// Nothing more to read.
    Eof,
    /// There is no such file.
    NoSuchFile,
    /// It may not be done.
    PermissionDenied,
    /// It failed; version 3 has no words for why.
    Failure,
    /// The server did not understand.
    BadMessage,
    /// The server cannot do that.
    Unsupported,
    /// Another number.
    Other(u32),
}

impl StatusCode {
    pub(crate) const fn from_number(number: u32) -> Self {
        match number {
            0 => Self::Ok,
            1 => Self::Eof,
            2 => Self::NoSuchFile,
            3 => Self::PermissionDenied,
            4 => Self::Failure,
            5 => Self::BadMessage,
            8 => Self::Unsupported,
            other => Self::Other(other),
        }
    }

    pub(crate) const fn number(self) -> u32 {
        match self {
            Self::Ok => 0,
            Self::Eof => 1,
            Self::NoSuchFile => 2,
            Self::PermissionDenied => 3,
            Self::Failure => 4,
            Self::BadMessage => 5,
            Self::Unsupported => 8,
            Self::Other(other) => other,
        }
    }

    const fn text(self) -> &'static str {
        match self {
            Self::Ok => "done",
            Self::Eof => "end of file",
            Self::NoSuchFile => "no such file or directory",
            Self::PermissionDenied => "permission denied",
            Self::Failure => "it failed, and the node does not say why",
            Self::BadMessage => "the node did not understand",
            Self::Unsupported => "the node cannot do that",
            Self::Other(_) => "an unknown error",
        }
    }
}

/// Why something was not done.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SftpError {
    /// The node says no.
    #[error("{}", status_text(*code, text))]
    Status {
        /// In a word.
        code: StatusCode,
        /// In the node's words, where it has any of its own.
        text: String,
    },
    /// There is no subsystem `sftp`, or no way to it.
    #[error("open sftp")]
    Open(#[source] SessionError),
    /// The subsystem or its connection ended.
    #[error("{0}")]
    Lost(String),
    /// The node did not answer.
    #[error("no answer within {} s", .0.as_secs_f32())]
    Silent(Duration),
    /// The node answered nonsense.
    #[error("the node does not speak sftp as we do: {0}")]
    Nonsense(String),
}

/// Words that servers send with every code and that say nothing more.
const EMPTY_WORDS: [&str; 7] = [
    "",
    "failure",
    "no such file",
    "permission denied",
    "success",
    "end of file",
    "operation unsupported",
];

fn status_text(code: StatusCode, text: &str) -> String {
    let own = text.trim();
    if EMPTY_WORDS.contains(&own.to_lowercase().as_str()) {
        return code.text().to_owned();
    }
    own.to_owned()
}

impl SftpError {
    /// The server's word, if it gave one.
    #[must_use]
    pub const fn code(&self) -> Option<StatusCode> {
        match self {
            Self::Status { code, .. } => Some(*code),
            _ => None,
        }
    }

    /// Whether nothing more can be done on this connection.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        !matches!(self, Self::Status { .. })
    }

    /// Whether there is no such file.
    #[must_use]
    pub const fn is_missing(&self) -> bool {
        matches!(self, Self::Status { code: StatusCode::NoSuchFile, .. })
    }
}

impl From<WireError> for SftpError {
    fn from(error: WireError) -> Self {
        Self::Nonsense(error.to_string())
    }
}
