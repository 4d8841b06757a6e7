//! How one output differs from another, word by word: `[-old-]{+new+}`, or in
//! colours. Long common stretches are left out. Pure; gives up when told to.

use std::time::Instant;

use similar::{Algorithm, DiffOp, capture_diff_slices_deadline};

use super::diff_text::{Line, Word};
use crate::paint::{Look, Paint};

/// Lines that are shown on each side of a change.
const CONTEXT_LINES: usize = 2;

/// Bytes of a line that are shown on each side of a change.
const CONTEXT_BYTES: usize = 60;

/// Outputs less alike than this (in hundredths) are better shown whole.
const LIKENESS_MIN: usize = 50;

/// A line of the result.
struct Row {
    text: Vec<u8>,
    changed: bool,
}

/// What is being made.
struct Difference<'a> {
    old: &'a [Line],
    new: &'a [Line],
    paint: Paint,
    deadline: Instant,
    rows: Vec<Row>,
    /// Bytes of both that are alike.
    alike: usize,
}

/// How `new` differs from `old`; none when they have too little in common.
pub(super) fn between(
    old: &[Line],
    new: &[Line],
    paint: Paint,
    deadline: Instant,
) -> Option<Vec<u8>> {
    let keys = |lines: &[Line]| lines.iter().map(|line| line.key.clone()).collect::<Vec<_>>();
    let ops =
        capture_diff_slices_deadline(Algorithm::Myers, &keys(old), &keys(new), Some(deadline));
    let mut difference = Difference { old, new, paint, deadline, rows: Vec::new(), alike: 0 };
    for op in ops {
        difference.take(op);
    }
    let total: usize = old.iter().chain(new).map(Line::weight).sum();
    (difference.alike * 100 >= total * LIKENESS_MIN).then(|| difference.text())
}

impl Difference<'_> {
    fn take(&mut self, op: DiffOp) {
        match op {
            DiffOp::Equal { new_index, len, .. } => {
                for line in slice(self.new, new_index, len) {
                    self.alike += 2 * line.weight();
                    self.rows.push(Row { text: line.shown(), changed: false });
                }
            }
            DiffOp::Delete { old_index, old_len, .. } => self.gone(old_index, old_len),
            DiffOp::Insert { new_index, new_len, .. } => self.come(new_index, new_len),
            DiffOp::Replace { old_index, old_len, new_index, new_len } => {
                let both = old_len.min(new_len);
                for at in 0..both {
                    self.pair(old_index + at, new_index + at);
                }
                self.gone(old_index + both, old_len - both);
                self.come(new_index + both, new_len - both);
            }
        }
    }

    fn gone(&mut self, at: usize, count: usize) {
        for line in slice(self.old, at, count) {
            let mut text = Vec::new();
            old_text(&line.shown(), self.paint, &mut text);
            self.rows.push(Row { text, changed: true });
        }
    }

    fn come(&mut self, at: usize, count: usize) {
        for line in slice(self.new, at, count) {
            let mut text = Vec::new();
            new_text(&line.shown(), self.paint, &mut text);
            self.rows.push(Row { text, changed: true });
        }
    }

    /// One line in place of another: word by word if they are alike enough.
    fn pair(&mut self, old: usize, new: usize) {
        let (Some(one), Some(other)) = (self.old.get(old), self.new.get(new)) else { return };
        let keys = |line: &Line| line.words.iter().map(|word| word.key.clone()).collect::<Vec<_>>();
        let ops = capture_diff_slices_deadline(
            Algorithm::Myers,
            &keys(one),
            &keys(other),
            Some(self.deadline),
        );
        let alike: usize = ops
            .iter()
            .filter_map(|op| match op {
                DiffOp::Equal { new_index, len, .. } => {
                    Some(weight(slice(&other.words, *new_index, *len)))
                }
                _ => None,
            })
            .sum();
        if 2 * alike * 100 < (one.weight() + other.weight()) * LIKENESS_MIN {
            self.gone(old, 1);
            self.come(new, 1);
            return;
        }
        self.alike += 2 * (alike + 1);
        let text = line(&ops, one, other, self.paint);
        self.rows.push(Row { text, changed: true });
    }

    /// The rows that matter.
    fn text(&self) -> Vec<u8> {
        let mut text = Vec::new();
        let mut left_out = 0;
        for (at, row) in self.rows.iter().enumerate() {
            let from = at.saturating_sub(CONTEXT_LINES);
            let near = slice(&self.rows, from, at - from + CONTEXT_LINES + 1);
            if near.iter().any(|row| row.changed) {
                self.say_left_out(left_out, &mut text);
                left_out = 0;
                text.extend_from_slice(&row.text);
                text.push(b'\n');
            } else {
                left_out += 1;
            }
        }
        self.say_left_out(left_out, &mut text);
        text
    }

    fn say_left_out(&self, count: usize, text: &mut Vec<u8>) {
        if count > 0 {
            let lines = if count == 1 { "line" } else { "lines" };
            let words = self.paint.text(Look::Faint, format_args!("… {count} {lines} alike"));
            text.extend_from_slice(words.as_bytes());
            text.push(b'\n');
        }
    }
}

fn weight(words: &[Word]) -> usize {
    words.iter().map(|word| word.key.len()).sum()
}

/// One line with what went and what came.
fn line(ops: &[DiffOp], old: &Line, new: &Line, paint: Paint) -> Vec<u8> {
    let mut text = Vec::new();
    for (at, op) in ops.iter().enumerate() {
        let old_words = shown(slice(&old.words, op.old_range().start, op.old_range().len()));
        let new_words = slice(&new.words, op.new_range().start, op.new_range().len());
        if let DiffOp::Equal { .. } = op {
            common(new_words, at == 0, at + 1 == ops.len(), &mut text);
            continue;
        }
        old_text(&old_words, paint, &mut text);
        new_text(&shown(new_words), paint, &mut text);
    }
    text
}

/// A stretch that is alike, without its middle if that is long.
fn common(words: &[Word], is_first: bool, is_last: bool, text: &mut Vec<u8>) {
    let total = shown(words).len();
    if total <= 3 * CONTEXT_BYTES {
        text.extend_from_slice(&shown(words));
        return;
    }
    let mut at = 0;
    let mut cut = false;
    for word in words {
        let begins = !is_first && at < CONTEXT_BYTES;
        let ends = !is_last && at + word.shown.len() + CONTEXT_BYTES >= total;
        // The begin of a line says what it is about.
        let tells = is_first && at < CONTEXT_BYTES / 2;
        if begins || ends || tells {
            text.extend_from_slice(&word.shown);
        } else if !std::mem::replace(&mut cut, true) {
            text.extend_from_slice("…".as_bytes());
        }
        at += word.shown.len();
    }
}

fn shown(words: &[Word]) -> Vec<u8> {
    words.iter().flat_map(|word| word.shown.iter().copied()).collect()
}

fn old_text(bytes: &[u8], paint: Paint, text: &mut Vec<u8>) {
    mark(bytes, (b"[-", b"-]"), Look::Bad, paint, text);
}

fn new_text(bytes: &[u8], paint: Paint, text: &mut Vec<u8>) {
    mark(bytes, (b"{+", b"+}"), Look::Good, paint, text);
}

fn mark(bytes: &[u8], (open, close): (&[u8], &[u8]), look: Look, paint: Paint, text: &mut Vec<u8>) {
    if bytes.is_empty() {
        return;
    }
    // A blank has no colour.
    if paint.is_on() && !bytes.trim_ascii().is_empty() {
        text.extend_from_slice(paint.text(look, String::from_utf8_lossy(bytes)).as_bytes());
    } else {
        text.extend_from_slice(open);
        text.extend_from_slice(bytes);
        text.extend_from_slice(close);
    }
}

fn slice<T>(list: &[T], at: usize, count: usize) -> &[T] {
    let end = at.saturating_add(count).min(list.len());
    list.get(at..end).unwrap_or_default()
}

#[cfg(test)]
mod tests;
