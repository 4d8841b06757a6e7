//! Values of each node in a text that is meant for many: `%h`, `%rank`,
//! `%{ip}`, `%{tag:rack:-none}`. `scan` finds the placeholders and in which
//! quotes of the shell they stand, `fill` puts in what each node has. Pure, and
//! knows nothing of where members or commands come from.
//!
//! Grammar:
//!
//! ```text
//! placeholder := '%' ('h' | 'host' | 'rank')      not before a letter, digit or '_'
//!              | '%{' key [':-' default] '}'
//! key         := 'name' | 'rank' | 'count' | 'cluster' | 'tag:' TAG | a property (`pool`, `ip`, …)
//! ```
//!
//! `%%` before what would be a placeholder is one percent sign, as two
//! backslashes are one before a quote elsewhere. Every other `%` stands for
//! itself, so that `date +%H:%M`, `printf '%s 50%%\n'` and `${file%.*}` mean
//! what they always mean.

mod fill;
mod scan;

pub use fill::fill;
pub use scan::{Syntax, Template};

#[cfg(test)]
mod tests;
