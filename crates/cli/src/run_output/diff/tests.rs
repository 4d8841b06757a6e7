use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::between;
use crate::paint::Paint;
use crate::run_output::diff_text::lines;
use crate::run_output::streams::Face;

fn diff(old: &str, new: &str, paint: Paint) -> Option<String> {
    let deadline = Instant::now() + Duration::from_secs(60);
    let text = between(&lines(old.as_bytes(), None), &lines(new.as_bytes(), None), paint, deadline);
    text.map(|text| String::from_utf8(text).unwrap())
}

fn plain(old: &str, new: &str) -> String {
    diff(old, new, Paint::off()).unwrap()
}

#[test]
fn words_that_differ_are_marked() {
    for (old, new, expected) in [
        ("linux 6.1.0-17-amd64\n", "linux 6.1.0-18-amd64\n", "linux 6.1.0-[-17-]{+18+}-amd64\n"),
        ("a b c\nx", "a b c\nx\nmore", "a b c\nx\n{+more+}\n"),
        ("one two\nkeep\nkeep too", "keep\nkeep too", "[-one two-]\nkeep\nkeep too\n"),
        (
            "a long and common line\nx",
            "a long and common line\ny",
            "a long and common line\n[-x-]\n{+y+}\n",
        ),
        ("size 10 GB used", "size  10 GB used", "size[- -]{+  +}10 GB used\n"),
    ] {
        assert_eq!(plain(old, new), expected);
    }
}

#[test]
fn colours_stand_in_for_marks() {
    let text = diff("kernel one and all", "kernel two and all", Face::terminal().paint).unwrap();
    assert_eq!(text, "kernel \x1b[31mone\x1b[0m\x1b[32mtwo\x1b[0m and all\n");
}

#[test]
fn long_common_stretches_are_left_out() {
    let mut old: Vec<String> = (1..=12).map(|line| format!("line {line}")).collect();
    let before = old.join("\n");
    old[5] = "line six".to_owned();
    insta::assert_snapshot!(plain(&before, &old.join("\n")), @r"
    … 3 lines alike
    line 4
    line 5
    line [-6-]{+six+}
    line 7
    line 8
    … 4 lines alike
    ");
    let words = vec!["word"; 100].join(" ");
    let old = format!("begin {words} old {words} end");
    let text = plain(&old, &old.replace("old", "new"));
    assert!(text.len() < 250, "{text}");
    assert!(text.starts_with("begin word") && text.contains("word… word"), "{text}");
    assert!(text.contains("word [-old-]{+new+} word"), "{text}");
}

#[test]
fn outputs_with_little_in_common_are_not_compared() {
    assert_eq!(diff("a\nb\nc\n", "x\ny\nz\n", Paint::off()), None);
    assert_eq!(diff("", "something else", Paint::off()), None);
}

/// What one side of a difference said.
fn side(text: &str, gone: (&str, &str), kept: (&str, &str)) -> String {
    let rows = text.lines().filter(|row| {
        !(row.starts_with(gone.0) && row.ends_with(gone.1) && row.matches(gone.0).count() == 1)
    });
    let rows: Vec<String> = rows
        .map(|row| {
            let mut row = row.to_owned();
            while let Some((before, rest)) = row.split_once(gone.0) {
                row = format!("{before}{}", rest.split_once(gone.1).unwrap().1);
            }
            row.replace(kept.0, "").replace(kept.1, "")
        })
        .collect();
    rows.join("\n")
}

proptest! {
    #[test]
    fn both_outputs_can_be_read_out_of_their_difference(
        old in prop::collection::vec(prop::collection::vec("[abc]{1,2}", 1..6), 1..5),
        new in prop::collection::vec(prop::collection::vec("[abc]{1,2}", 1..6), 1..5),
    ) {
        let text = |lines: &[Vec<String>]| {
            lines.iter().map(|words| words.join(" ")).collect::<Vec<_>>().join("\n")
        };
        let (old, new) = (text(&old), text(&new));
        if let Some(difference) = diff(&old, &new, Paint::off()) {
            let (went, came) = (("[-", "-]"), ("{+", "+}"));
            // Where too little changed, lines are left out.
            prop_assume!(!difference.contains('…'));
            prop_assert_eq!(side(&difference, went, came), new);
            prop_assert_eq!(side(&difference, came, went), old);
        }
    }
}
