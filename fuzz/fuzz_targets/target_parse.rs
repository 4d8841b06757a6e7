//! Any text is answered, all places lie within it, and what is understood is
//! written and read again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use model::span::SourceId;
use model::target::{expand, fold, highlight, parse};

fuzz_target!(|text: &str| {
    let (expr, problems) = parse(SourceId::default(), text);
    for span in problems.iter().filter_map(model::Diagnostic::span) {
        assert!(text.get(span.start..span.end).is_some(), "{span:?}");
    }
    if problems.is_empty() {
        let written = expr.to_string();
        let (again, problems) = parse(SourceId::default(), &written);
        assert!(problems.is_empty(), "{written}: {problems:?}");
        assert_eq!(again.to_string(), written);
    }
    let mut before = 0;
    for (range, _) in highlight(text) {
        assert!(before <= range.start && range.start < range.end && range.end <= text.len());
        before = range.end;
    }
    if let Ok(names) = expand(SourceId::default(), text)
        && names.len() < 1000
        && names.iter().all(|name| name.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        && !names.is_empty()
    {
        let folded = fold(names.iter().map(String::as_str));
        let mut again = expand(SourceId::default(), &folded).expect("what was folded is read");
        let mut names = names;
        names.sort();
        again.sort();
        assert_eq!(again, names);
    }
});
