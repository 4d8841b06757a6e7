//! What the YAML parser says of broken text, in our words.

/// A part of what the parser says, what is wrong, and what mends it. The first
/// row that fits counts.
const WORDS: &[(&str, &str, Option<&str>)] = &[
    ("unprintable", "a control character, which no YAML text holds", None),
    ("recursion limit", "nested deeper than any spec needs", None),
    ("byte order mark", "a byte order mark in the middle of the text", Some("remove it")),
    ("tab", "a tab where only spaces may stand", Some("indent with spaces, YAML takes no tabs")),
    (
        "unknown anchor",
        "no anchor has this name",
        Some("write `&name` before what `*name` stands for"),
    ),
    ("anchor", "this is no anchor or alias", Some("quote a text that begins with `*` or `&`")),
    ("simple key expect", "a `:` is missing after this key", Some("write `key: value`")),
    (
        "mapping values are not allowed",
        "a `:` where no key can be",
        Some("quote a text that holds `: `"),
    ),
    (
        "did not find expected key",
        "this does not belong to the map above it",
        Some("indent keys of one map alike"),
    ),
    (
        "'-' indicator",
        "this does not belong to the list above it",
        Some("indent items of one list alike"),
    ),
    ("',' or '}'", "a `,` or `}` is missing here", None),
    ("',' or ']'", "a `,` or `]` is missing here", None),
    (
        "invalid indentation",
        "this line is indented too little",
        Some("indent it as the lines above"),
    ),
    ("wrongly indented", "this line is indented too little", Some("indent it as the lines above")),
    ("end of stream", "a quote that is opened and never closed", None),
    ("misplaced bracket", "a bracket that was never opened", None),
    ("unexpected character", "a text cannot begin with this character", Some("put it in quotes")),
    (
        "escape",
        "an escape that YAML does not know",
        Some("write `\\\\` for a backslash, or use single quotes"),
    ),
    ("document indicator", "a document ends within a quote", None),
    ("block scalar", "a broken text block", Some("write `|`, then indented lines")),
    ("tag", "a broken tag", Some("quote a text that begins with `!`")),
    ("handle", "a tag with an undeclared handle", Some("quote a text that begins with `!`")),
    ("trailing content", "text after the closing quote", Some("put all of it in the quotes")),
    ("directive", "a broken `%` directive", Some("leave it out")),
    ("expected node content", "a value is missing here, or cannot stand here", None),
    (
        "expected <document",
        "text after the end of the document",
        Some("put all of it into one map"),
    ),
    ("eof", "the text ends too early", None),
    ("simple key expected", "a key must fit on one line", None),
];

/// The parser's words in ours, with what mends it.
pub(super) fn words(info: &str) -> (&'static str, Option<&'static str>) {
    let row = WORDS.iter().find(|(part, _, _)| info.contains(part));
    row.map_or(("this is not valid YAML", None), |(_, message, help)| (message, *help))
}
