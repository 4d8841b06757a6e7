use super::{diagnostics, error};
use crate::exit::{CommandError, Exit};
use crate::paint::{Colour, Paint, StreamFacts};
use model::span::Span;
use model::{Diagnostic, Diagnostics};

const SPEC: &str = "\
cloud:
  provider: local
nodes:
- nodename: master
  instance-type: local.nano
  count: twö
";

fn found() -> Diagnostics {
    let mut found = Diagnostics::default();
    let id = found.sources.add("first.yaml", SPEC);
    let span = |text: &str| {
        let start = SPEC.find(text).unwrap();
        Span::new(id, start, start + text.len())
    };
    found.push(
        Diagnostic::error("unknown-key", "unknown key `instance-type`")
            .at(span("instance-type"), "in a pool of `nodes`")
            .at(span("master"), "this pool")
            .help("did you mean `instance_type`?"),
    );
    found.push(Diagnostic::warning("wrong-type", "this is no number").at(span("twö"), ""));
    found.push(Diagnostic::note("unheeded", "`vpc_id` means nothing on local"));
    found
}

#[test]
fn diagnostics_are_drawn_with_their_text() {
    insta::assert_snapshot!(diagnostics(&found(), Paint::off()));
}

#[test]
fn an_error_shows_diagnostics_causes_and_hints() {
    let error_made = CommandError::diagnostics("the spec has 1 error", found())
        .cause("no such luck")
        .hint("squall schema");
    let text = error(&error_made, Paint::off());
    assert!(
        text.ends_with(
            "\n\nerror: the spec has 1 error\n  caused by: no such luck\nhint: squall schema"
        ),
        "{text}"
    );
}

#[test]
fn of_many_the_gravest_are_drawn_and_the_others_counted() {
    let mut many = Diagnostics::default();
    let id = many.sources.add("a", "x".repeat(2000));
    for at in 0..1999 {
        let span = Span::new(id, at, at + 1);
        many.push(Diagnostic::warning("target-syntax", format!("w{at}")).at(span, ""));
    }
    many.push(Diagnostic::error("target-syntax", "the error").at(Span::new(id, 1999, 2000), ""));
    let text = diagnostics(&many, Paint::off());
    assert!(text.contains("w18") && !text.contains("w19") && text.contains("the error"), "{text}");
    assert!(text.ends_with("\n\nand 1980 more like these"), "{text}");
    many.sort();
    let text = diagnostics(&many, Paint::off());
    assert!(text.ends_with("\n\nand at least 81 more like these"), "{text}");
    many.list.truncate(20);
    assert!(!diagnostics(&many, Paint::off()).contains("more like these"));
}

#[test]
fn colours_come_only_when_they_are_on() {
    let on = Paint::new(Colour::Always, StreamFacts { is_terminal: true, is_plain: false });
    assert!(diagnostics(&found(), on).contains('\u{1b}'));
    assert!(!diagnostics(&found(), Paint::off()).contains('\u{1b}'));
    assert!(error(&CommandError::new(Exit::Failed, "x"), on).contains("\u{1b}[31merror:"));
}

#[test]
fn places_outside_the_text_are_drawn_at_its_end() {
    let mut found = Diagnostics::default();
    let id = found.sources.add("a", "é");
    found.push(Diagnostic::error("target-syntax", "x").at(Span::new(id, 1, 99), "here"));
    found.push(Diagnostic::error("target-syntax", "y").at(Span::new(id, 70, 71), "there"));
    let text = diagnostics(&found, Paint::off());
    assert!(text.contains("here") && text.contains("there"), "{text}");
}
