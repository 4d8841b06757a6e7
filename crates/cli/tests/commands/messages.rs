//! The page of messages lists every code that a diagnostic may carry.

/// What the page must hold below its marker.
fn wanted() -> String {
    let parts = [
        ("Plans", engine::CODES),
        ("The local provider", providers::local::CODES),
        ("Specs and targets", model::diagnostic::CODES),
    ];
    parts
        .iter()
        .map(|(title, codes)| {
            let rows: String =
                codes.iter().map(|(code, meaning)| format!("| `{code}` | {meaning} |\n")).collect();
            format!("## {title}\n\n| code | meaning |\n|---|---|\n{rows}\n")
        })
        .collect()
}

#[test]
fn the_page_of_messages_holds_every_code() {
    let page = include_str!("../../../../docs/src/messages.md");
    let wanted = wanted();
    let (_, after) = page.split_once("<!-- made from the lists of codes -->\n").unwrap();
    assert!(after.trim() == wanted.trim(), "<<<<<<<< messages\n{wanted}>>>>>>>>");
}

#[test]
fn no_two_parts_have_a_code_in_common() {
    let all = engine::CODES.iter().chain(providers::local::CODES).chain(model::diagnostic::CODES);
    let mut codes: Vec<&str> = all.map(|(code, _)| *code).collect();
    codes.sort_unstable();
    for pair in codes.windows(2) {
        assert_ne!(pair[0], pair[1]);
    }
}
