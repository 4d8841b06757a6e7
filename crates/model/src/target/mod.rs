//! Targets: expressions that select nodes. [`parse()`] turns text into an
//! [`Expr`] with spans, [`select()`] takes the members of a [`Scope`], [`fold()`]
//! writes a set of names shortly and [`expand()`] reads it without a scope,
//! [`highlight()`] and [`complete_at`] serve whoever types one. Pure, and knows
//! nothing of where members come from. `docs/src/targets.md` describes them.
//!
//! Grammar (left to right, as in clush; blanks only inside parentheses):
//!
//! ```text
//! expr  := ['!'] atom (op atom)*        op := ',' union | '!' or ',!' difference
//!                                             | '&' intersection | '^' exactly one of both
//! atom  := '(' expr ')' | CLUSTER ':' atom | '@' set | '@' result word
//!          | key ('=' | '!=') glob | key ('~' | '!~') regex
//!          | key ('<' | '<=' | '>' | '>=') value | glob | number
//! glob  := characters, '*', '?', '[abc]' class, '[1-8]' '[01-64]' '[1-9/2]' '[1,3,7-9]' numbers
//! regex := '/' anything '/' | characters without operators
//! ```

mod bits;
mod complete;
mod expand;
mod expr;
mod fold;
mod highlight;
mod index;
mod lex;
mod matcher;
mod natural;
mod numbers;
mod parse;
mod pattern;
mod quantity;
mod scope;
mod search;
mod select;
mod sets;
mod suggest;
mod term;
mod word;

pub use complete::{Candidate, CandidateKind, complete_at};
pub use expand::{EXPAND_NAMES_MAX, expand};
pub use expr::{Expr, ExprKind, Op, RESULT_WORDS, ResultWord};
pub use fold::fold;
pub use highlight::{TokenClass, highlight};
pub use matcher::Matcher;
pub use natural::{natural_key, natural_order};
pub use parse::{TARGET_BYTES_MAX, parse};
pub use pattern::Pattern;
pub use quantity::Quantity;
pub use scope::{Member, Scope};
pub use search::search;
pub use select::{Selection, select};
pub use sets::Sets;
pub use word::Comparator;

#[cfg(test)]
mod manual;
#[cfg(test)]
mod properties;
