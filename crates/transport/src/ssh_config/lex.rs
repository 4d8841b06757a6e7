//! One line of a configuration: a keyword and its words. Pure.

/// A line, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Words {
    /// In lower case.
    pub(super) keyword: String,
    /// Its words, without their quotes.
    pub(super) words: Vec<String>,
    /// All that follows the keyword, as it is written.
    pub(super) rest: String,
}

/// Takes a line apart; none for an empty one or a comment.
///
/// # Errors
/// What is wrong with it.
pub(super) fn words(line: &str) -> Result<Option<Words>, String> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let is_end = |letter: char| letter.is_ascii_whitespace() || letter == '=';
    let (keyword, rest) = line.split_at(line.find(is_end).unwrap_or(line.len()));
    let rest = rest.trim_start();
    let rest = rest.strip_prefix('=').unwrap_or(rest).trim();
    let keyword = keyword.trim_matches('"').to_ascii_lowercase();
    Ok(Some(Words { keyword, words: split(rest)?, rest: rest.to_owned() }))
}

/// Words are parted by blanks; quotes of both kinds keep blanks, and a
/// backslash keeps a quote, a backslash or, outside quotes, a blank. `#` at
/// the start of a word begins a comment.
fn split(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match (letter, quote) {
            ('\\', _) => {
                let kept = letters.next_if(|&next| {
                    matches!(next, '"' | '\'' | '\\') || (quote.is_none() && next == ' ')
                });
                word.get_or_insert_default().push(kept.unwrap_or('\\'));
            }
            (letter, Some(open)) if letter == open => quote = None,
            (letter, Some(_)) => word.get_or_insert_default().push(letter),
            ('"' | '\'', None) => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (' ' | '\t', None) => words.extend(word.take()),
            ('#', None) if word.is_none() => return Ok(words),
            (letter, None) => word.get_or_insert_default().push(letter),
        }
    }
    if quote.is_some() {
        return Err("a quote is not closed".to_owned());
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::words;

    fn owned(words: &[&str]) -> Vec<String> {
        words.iter().map(|&word| word.to_owned()).collect()
    }

    #[test]
    fn lines_are_a_keyword_and_words() {
        let table: [(&str, &str, &[&str]); 10] = [
            ("Host a b", "host", &["a", "b"]),
            ("  HostName=x", "hostname", &["x"]),
            ("Port = 22 # why", "port", &["22"]),
            ("IdentityFile \"/a b/c\"", "identityfile", &["/a b/c"]),
            ("IdentityFile '/a b/c' d", "identityfile", &["/a b/c", "d"]),
            ("Host a#b", "host", &["a#b"]),
            ("User", "user", &[]),
            ("X a\\ b \\\"c \\d", "x", &["a b", "\"c", "\\d"]),
            ("X \"\"", "x", &[""]),
            ("X==a", "x", &["=a"]),
        ];
        for (line, keyword, expected) in table {
            let found = words(line).unwrap().unwrap();
            assert_eq!((found.keyword.as_str(), found.words), (keyword, owned(expected)));
        }
        assert_eq!(words("  # only").unwrap(), None);
        assert!(words("User \"a").is_err());
    }
}
