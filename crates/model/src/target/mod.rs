//! Targets: expressions that select nodes. `lex` and `parse` turn text into an
//! [`Expr`] with spans, `pattern` matches names, `select` takes the members of
//! a scope, `fold` writes a set of names shortly. Pure, and knows nothing of
//! where members come from.
//!
//! Grammar (left to right, as in clush; blanks only inside parentheses):
//!
//! ```text
//! expr  := ['!'] atom (op atom)*        op := ',' union | '!' or ',!' difference
//!                                             | '&' intersection | '^' exactly one of both
//! atom  := '(' expr ')' | [CLUSTER ':'] (key '=' glob | key '!=' glob | glob)
//! glob  := characters, '*', '?', '[abc]' class, '[1-8]' '[01-64]' '[1-9/2]' '[1,3,7-9]' numbers
//! ```

mod fold;
mod lex;
mod natural;
mod parse;
mod pattern;
mod scope;
mod select;

pub use fold::fold;
pub use natural::natural_key;
pub use parse::{Expr, ExprKind, Op, parse};
pub use pattern::Pattern;
pub use scope::{Member, Scope};
pub use select::{Selection, select};
