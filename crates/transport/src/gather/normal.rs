//! The form in which outputs are compared: masked places as placeholders, and
//! one blank beside them, whatever padding a column had. Pure.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, Write};

use super::digest::{Digest, Hashing};
use super::lines::Lines;
use super::mask::{Mask, MaskKind, Masked};

/// One masked place of an output: what it is, and a hash of what it said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) kind: MaskKind,
    pub(super) said: u32,
}

/// An output on its way to its normal form.
#[derive(Debug)]
pub(super) struct Normal<'a> {
    mask: &'a Mask,
    lines: Lines,
    scan: Scan,
}

#[derive(Debug)]
struct Scan {
    hashing: Hashing,
    found: Vec<Masked>,
    places: Vec<Place>,
    /// How many places are kept.
    places_max: usize,
    place_count: usize,
    kinds: Vec<MaskKind>,
}

/// What the normal form is compared by.
#[derive(Debug)]
pub(super) struct NormalForm {
    pub(super) digest: Digest,
    /// Every place in order; none when they are too many to keep.
    pub(super) places: Option<Vec<Place>>,
    /// The kinds of places there are.
    pub(super) kinds: Vec<MaskKind>,
}

impl<'a> Normal<'a> {
    pub(super) fn new(mask: &'a Mask, places_max: usize) -> Self {
        let scan = Scan {
            hashing: Hashing::default(),
            found: Vec::new(),
            places: Vec::new(),
            places_max,
            place_count: 0,
            kinds: Vec::new(),
        };
        Self { mask, lines: Lines::default(), scan }
    }

    pub(super) fn feed(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Self { mask, lines, scan } = self;
        lines.feed(bytes, &mut |line| scan.line(mask, line))
    }

    pub(super) fn finish(self) -> io::Result<NormalForm> {
        let Self { mask, lines, mut scan } = self;
        lines.finish(&mut |line| {
            scan.line(mask, line)?;
            // With or without its last newline, it reads the same.
            scan.hashing.add(b"\n");
            Ok(())
        })?;
        Ok(NormalForm {
            digest: scan.hashing.digest(),
            places: (scan.place_count == scan.places.len()).then_some(scan.places),
            kinds: scan.kinds,
        })
    }
}

impl Scan {
    fn line(&mut self, mask: &Mask, line: &[u8]) -> io::Result<()> {
        mask.find(line, &mut self.found);
        for place in &self.found {
            self.place_count += 1;
            if !self.kinds.contains(&place.kind) {
                self.kinds.push(place.kind);
            }
            if self.places.len() < self.places_max {
                let said = line.get(place.start..place.end).unwrap_or_default();
                self.places.push(Place { kind: place.kind, said: hash(said) });
            }
        }
        write_masked(line, &self.found, |_| false, true, &mut self.hashing)
    }
}

fn hash(bytes: &[u8]) -> u32 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    let hash = hasher.finish();
    // Half of it is enough to compare one place with its like.
    u32::try_from(hash >> 32).unwrap_or_default()
}

/// Writes a line with placeholders. A place that `keeps` says so of keeps its
/// text; `narrow` leaves one blank beside placeholders.
pub(super) fn write_masked(
    line: &[u8],
    found: &[Masked],
    mut keeps: impl FnMut(usize) -> bool,
    narrow: bool,
    sink: &mut dyn Write,
) -> io::Result<()> {
    let mut at = 0;
    let mut after_place = false;
    for (index, place) in found.iter().enumerate() {
        let between = line.get(at..place.start).unwrap_or_default();
        let keep = keeps(index);
        write_between(between, after_place && narrow, !keep && narrow, sink)?;
        if keep {
            sink.write_all(line.get(place.start..place.end).unwrap_or_default())?;
        } else {
            sink.write_all(place.kind.placeholder().as_bytes())?;
        }
        at = place.end;
        after_place = !keep;
    }
    write_between(line.get(at..).unwrap_or_default(), after_place && narrow, false, sink)
}

fn write_between(
    text: &[u8],
    narrow_begin: bool,
    narrow_end: bool,
    sink: &mut dyn Write,
) -> io::Result<()> {
    let is_blank = |byte: &u8| *byte == b' ';
    let begin = text.iter().take_while(|byte| is_blank(byte)).count();
    let skipped = if narrow_begin { begin.saturating_sub(1) } else { 0 };
    let text = text.get(skipped..).unwrap_or_default();
    let end = text.iter().rev().take_while(|byte| is_blank(byte)).count();
    let cut = if narrow_end { end.saturating_sub(1) } else { 0 };
    sink.write_all(text.get(..text.len() - cut).unwrap_or_default())
}
