use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{Syntax, Template, fill};
use crate::diagnostic::Diagnostics;
use crate::target::Member;

fn member(name: &str, rack: Option<&str>) -> Member {
    let fields = [("ip", vec!["10.1.0.5", "192.168.0.5"]), ("pool", vec!["worker"])];
    Member {
        cluster: "demo".to_owned(),
        name: name.to_owned(),
        fields: fields
            .into_iter()
            .map(|(key, values)| (key.to_owned(), values.into_iter().map(str::to_owned).collect()))
            .collect(),
        tags: rack.map(|rack| ("rack:row".to_owned(), rack.to_owned())).into_iter().collect(),
    }
}

fn filled(text: &str, syntax: Syntax, members: &[Member]) -> Result<Vec<String>, String> {
    let mut found = Diagnostics::default();
    let source = found.sources.add("COMMAND", text);
    fill(&Template::new(source, text, syntax), members).map_err(|list| {
        let texts: Vec<String> = list.iter().map(|one| one.to_plain(&found.sources)).collect();
        texts.join("\n")
    })
}

/// What the command is on the second of two nodes, whose tag `rack:row` is
/// `rack`.
fn second(text: &str, rack: &str) -> String {
    let members = [member("worker1", Some("a")), member("worker2", Some(rack))];
    filled(text, Syntax::Shell, &members).unwrap().pop().unwrap()
}

#[test]
fn what_is_a_placeholder_and_what_is_not() {
    let table = [
        ("echo %h", "echo worker2"),
        ("echo %host.%rank", "echo worker2.1"),
        ("echo %{name} %{node} %{h}", "echo worker2 worker2 worker2"),
        ("echo %{rank} of %{count} in %{cluster}", "echo 1 of 2 in demo"),
        ("ping %{ip} # %{pool}", "ping 10.1.0.5 # worker"),
        ("echo %{tag:rack:row}", "echo r7"),
        ("echo %{tag:none:-x y}", "echo 'x y'"),
        ("echo %{tag:none:-}", "echo ''"),
        // Everything else is left alone.
        ("date +%H:%M:%S", "date +%H:%M:%S"),
        (r"printf '%s\n' x", r"printf '%s\n' x"),
        ("printf '50%%'", "printf '50%%'"),
        ("printf %hd 5; echo %hosts %ranks %n", "printf %hd 5; echo %hosts %ranks %n"),
        ("echo ${file%.*} ${x%h} ${x%%{a}}", "echo ${file%.*} ${x%h} ${x%%{a}}"),
        ("awk '{print $1 % 2}' %{", "awk '{print $1 % 2}' %{"),
        ("jobs; kill %1; echo %{a b} 100%", "jobs; kill %1; echo %{a b} 100%"),
        // Protected.
        ("find -printf %%h", "find -printf %h"),
        ("rpm --qf '%%{name}'", "rpm --qf '%{name}'"),
        ("echo %%%h", "echo %worker2"),
        ("echo %%%%h", "echo %%h"),
        (r"echo \%h", r"echo \%h"),
    ];
    for (text, expected) in table {
        assert_eq!(second(text, "r7"), expected, "{text}");
    }
}

#[test]
fn values_are_quoted_as_their_place_needs() {
    let table = [
        ("echo %{tag:rack:row}", "a; reboot", "echo 'a; reboot'"),
        ("echo x%{tag:rack:row}y", "a b", "echo x'a b'y"),
        ("echo '%{tag:rack:row}'", "it's $(x)", r"echo 'it'\''s $(x)'"),
        (r#"echo "%{tag:rack:row}""#, r#"$(x) `y` "z" \"#, r#"echo "\$(x) \`y\` \"z\" \\""#),
        (r#"echo "it's" %{tag:rack:row}"#, "a b", r#"echo "it's" 'a b'"#),
        (r"echo it\'s %{tag:rack:row}", "a b", r"echo it\'s 'a b'"),
        (r#"echo "a\"b" %{tag:rack:row}"#, "a b", r#"echo "a\"b" 'a b'"#),
        ("echo $(hostname) %{tag:rack:row}", "plain-1.2", "echo $(hostname) plain-1.2"),
        ("echo ${x:-1} %{tag:rack:row}", "a b", "echo ${x:-1} 'a b'"),
    ];
    for (text, value, expected) in table {
        assert_eq!(second(text, value), expected, "{text}");
    }
    let raw = filled("%{tag:rack:row}", Syntax::Plain, &[member("w", Some("it's $x"))]);
    assert_eq!(raw.unwrap(), ["it's $x"]);
}

#[test]
fn what_cannot_be_filled_is_named_before_anything_runs() {
    let members =
        [member("worker1", Some("a b")), member("worker2", None), member("worker3", None)];
    let error = |text: &str| filled(text, Syntax::Shell, &members).unwrap_err();
    assert_eq!(
        error("echo %{poll} %{tag:rack:row}"),
        "\
COMMAND:1:6: error[substitute-key]: no node has a value `poll`
  help: did you mean `%{pool}`?
  help: with --literal every `%` of the command stands for itself
COMMAND:1:14: error[substitute-value]: worker[2-3] have no tag `rack:row`
  help: give those without it a value: `%{tag:rack:row:-VALUE}`"
    );
    assert_eq!(
        error("curl -w '%{http_code}' x; echo %{rack:row}"),
        "\
COMMAND:1:10: error[substitute-key]: no node has a value `http_code`
  help: there are cluster, count, ip, name, pool, rank, and `tag:NAME`
  help: with --literal every `%` of the command stands for itself"
    );
    assert_eq!(
        error("echo `uname` %{tag:rack:row:-x}"),
        "\
COMMAND:1:14: error[substitute-value]: the value for worker1 holds characters that the shell reads, and stands where it cannot be quoted
  within or after a command substitution, a here-document or a comment
  help: hand it over as a variable: --env 'NAME=%{…}', and \"$NAME\" in the command"
    );
}

#[test]
fn a_key_that_is_a_tag_is_said_to_be_one() {
    let mut tagged = member("w", None);
    tagged.tags = BTreeMap::from([("owner".to_owned(), "fred".to_owned())]);
    let error = filled("%{owner}", Syntax::Shell, &[tagged]).unwrap_err();
    assert!(error.contains("it is a tag: write `%{tag:owner}`"), "{error}");
}

#[test]
fn a_text_without_placeholders_is_constant() {
    let mut found = Diagnostics::default();
    let source = found.sources.add("COMMAND", "");
    assert!(Template::new(source, "date +%H", Syntax::Shell).is_constant());
    assert!(Template::literal(source, "%h").is_constant());
    assert!(Template::new(source, "git log --format=%h", Syntax::Shell).has_short_placeholder());
    assert!(!Template::new(source, "echo %{h}", Syntax::Shell).has_short_placeholder());
}

/// What a POSIX shell makes of one word, for what `fill` writes: quotes and
/// backslashes. None when something would be expanded, or the word ends early.
fn word(text: &str) -> Option<String> {
    let mut value = String::new();
    let mut characters = text.chars();
    let mut quote = None;
    while let Some(next) = characters.next() {
        match (quote, next) {
            (None, '\'' | '"') => quote = Some(next),
            (Some(open), _) if next == open => quote = None,
            (Some('\''), _) => value.push(next),
            (Some('"'), '\\') => match characters.next()? {
                next @ ('"' | '\\' | '$' | '`') => value.push(next),
                next => value.extend(['\\', next]),
            },
            (None, '\\') => value.push(characters.next()?),
            (_, '$' | '`') => return None,
            (None, _) if " \t\n;&|<>()*?[#~!{}".contains(next) => return None,
            _ => value.push(next),
        }
    }
    quote.is_none().then_some(value)
}

proptest! {
    #[test]
    fn no_value_escapes_its_quotes(value in "[^\0]{1,20}|[\\\\'\"$`;() a%]{1,12}") {
        for place in ["%{tag:rack:row}", "'%{tag:rack:row}'", "\"%{tag:rack:row}\"", "a%{tag:rack:row}b"] {
            let expected = if place.starts_with('a') { format!("a{value}b") } else { value.clone() };
            prop_assert_eq!(word(&second(place, &value)), Some(expected));
        }
    }

    #[test]
    fn a_text_without_percent_signs_stays_as_it_is(text in "[^%]{0,40}|[\\\\'\"${}<# a]{0,20}") {
        prop_assert_eq!(second(&text, "x"), text);
    }
}
