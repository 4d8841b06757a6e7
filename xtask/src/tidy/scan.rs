//! Rust text taken apart into code, comments and test parts, line by line. Not
//! a parser: it knows comments, literals and braces, which is all the rules
//! need, and it costs no dependency. Relies on the text being valid Rust.

/// A Rust file taken apart. All texts have the line breaks of the original.
#[derive(Debug)]
pub(crate) struct Scan {
    /// The text with comments and the insides of literals turned to blanks.
    pub(crate) code: String,
    /// The text of the comments, all else left out.
    pub(crate) comments: String,
    /// For each line, whether it is compiled for tests only.
    pub(crate) in_test: Vec<bool>,
    /// Modules in files of their own that are compiled for tests only.
    pub(crate) test_modules: Vec<String>,
}

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function {
    /// Its name.
    pub(crate) name: String,
    /// Line of the `fn`, from 1.
    pub(crate) line: usize,
    /// Lines from the `fn` to the closing brace, both counted.
    pub(crate) lines: usize,
}

impl Scan {
    /// Takes a text apart. `all_test` says that the file as a whole is a test.
    pub(crate) fn new(text: &str, all_test: bool) -> Self {
        let (code, comments) = Splitter::split(text);
        let mut in_test = vec![all_test; code.lines().count()];
        let mut test_modules = Vec::new();
        for (start, attribute) in code.match_indices("#[cfg(") {
            let condition = &code[start + attribute.len()..];
            if !(condition.starts_with("test)") || condition.starts_with("all(test")) {
                continue;
            }
            let end = item_end(&code, start).unwrap_or(code.len());
            let (first, last) = (line_of(&code, start), line_of(&code, end));
            for line in in_test.iter_mut().take(last).skip(first - 1) {
                *line = true;
            }
            let item = code.get(start..end).unwrap_or_default();
            if let Some((_, name)) =
                item.rsplit_once("mod ").filter(|(_, name)| name.chars().all(is_word))
            {
                test_modules.push(name.to_owned());
            }
        }
        Self { code, comments, in_test, test_modules }
    }

    /// Makes all of the file a test, because only tests include it.
    pub(crate) fn make_test(&mut self) {
        self.in_test.fill(true);
    }

    /// Lines of code with their numbers from 1 and whether they are tests.
    pub(crate) fn code_lines(&self) -> impl Iterator<Item = (usize, &str, bool)> {
        self.code
            .lines()
            .zip(&self.in_test)
            .enumerate()
            .map(|(i, (line, test))| (i + 1, line, *test))
    }

    /// Whether the line (from 1) is compiled for tests only.
    pub(crate) fn is_test(&self, line: usize) -> bool {
        self.in_test.get(line.wrapping_sub(1)).copied().unwrap_or(false)
    }

    /// All functions that have a body, nested ones too.
    pub(crate) fn functions(&self) -> Vec<Function> {
        let mut found = Vec::new();
        for (start, _) in self.code.match_indices("fn ") {
            let before = self.code[..start].chars().next_back();
            if before.is_some_and(is_word) {
                continue;
            }
            let name: String = self.code[start + 3..].chars().take_while(|c| is_word(*c)).collect();
            let Some(end) = item_end(&self.code, start) else { continue };
            if name.is_empty() || !self.code[..=end].ends_with('}') {
                continue;
            }
            let (first, last) = (line_of(&self.code, start), line_of(&self.code, end));
            found.push(Function { name, line: first, lines: last - first + 1 });
        }
        found
    }
}

/// Whether `word` stands in `text` as a whole word.
pub(crate) fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(start, _)| {
        let before = text[..start].chars().next_back();
        let after = text[start + word.len()..].chars().next();
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Line number, from 1, of a byte position.
fn line_of(text: &str, position: usize) -> usize {
    text.as_bytes().iter().take(position).filter(|byte| **byte == b'\n').count() + 1
}

/// Where the item that starts at `start` ends: at the semicolon, or at the
/// brace that closes its body.
fn item_end(code: &str, start: usize) -> Option<usize> {
    let (mut round, mut curly) = (0_i32, 0_i32);
    for (offset, character) in code[start..].char_indices() {
        match character {
            '(' | '[' => round += 1,
            ')' | ']' => round -= 1,
            '{' => curly += 1,
            '}' => curly -= 1,
            _ => {}
        }
        let closed = character == '}' && curly <= 0 && round <= 0;
        let ended = character == ';' && curly == 0 && round == 0;
        if closed || ended {
            return Some(start + offset);
        }
    }
    None
}

/// Walks over a text and sorts each character into code or comment.
struct Splitter {
    text: Vec<char>,
    position: usize,
    code: String,
    comments: String,
}

impl Splitter {
    fn split(text: &str) -> (String, String) {
        let mut splitter = Self {
            text: text.chars().collect(),
            position: 0,
            code: String::with_capacity(text.len()),
            comments: String::new(),
        };
        while splitter.position < splitter.text.len() {
            splitter.step();
        }
        (splitter.code, splitter.comments)
    }

    fn peek(&self, ahead: usize) -> char {
        self.text.get(self.position + ahead).copied().unwrap_or('\0')
    }

    /// Takes one character as code, as comment, or as neither; a line break is
    /// always both.
    fn take(&mut self, as_code: bool, as_comment: bool) {
        let character = self.peek(0);
        self.position += 1;
        if character == '\n' {
            self.code.push('\n');
            self.comments.push('\n');
            return;
        }
        self.code.push(if as_code { character } else { ' ' });
        if as_comment {
            self.comments.push(character);
        }
    }

    fn step(&mut self) {
        match (self.peek(0), self.peek(1)) {
            ('/', '/') => {
                while !matches!(self.peek(0), '\n' | '\0') {
                    self.take(false, true);
                }
            }
            ('/', '*') => self.block_comment(),
            ('"', _) => self.string(),
            ('r', '"' | '#') if self.starts_raw() => self.raw_string(),
            ('\'', _) => self.quote(),
            _ => self.take(true, false),
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0;
        loop {
            match (self.peek(0), self.peek(1)) {
                ('/', '*') => depth += 1,
                ('*', '/') => depth -= 1,
                ('\0', _) => return,
                _ => {
                    self.take(false, true);
                    continue;
                }
            }
            self.take(false, true);
            self.take(false, true);
            if depth == 0 {
                return;
            }
        }
    }

    fn string(&mut self) {
        self.take(true, false);
        loop {
            match self.peek(0) {
                '"' => return self.take(true, false),
                '\0' => return,
                '\\' => {
                    self.take(false, false);
                    self.take(false, false);
                }
                _ => self.take(false, false),
            }
        }
    }

    /// Whether the `r` here begins a raw string, and is not the end of a name
    /// or of a raw identifier.
    fn starts_raw(&self) -> bool {
        let hashes = (1..).take_while(|ahead| self.peek(*ahead) == '#').count();
        let mut before = self.text[..self.position].iter().rev();
        let joined = match before.next() {
            Some('b' | 'c') => before.next().is_some_and(|c| is_word(*c)),
            other => other.is_some_and(|c| is_word(*c)),
        };
        self.peek(1 + hashes) == '"' && !joined
    }

    fn raw_string(&mut self) {
        self.take(true, false);
        let mut hashes = 0;
        while self.peek(0) == '#' {
            hashes += 1;
            self.take(false, false);
        }
        self.take(true, false);
        loop {
            let closes = self.peek(0) == '"' && (1..=hashes).all(|ahead| self.peek(ahead) == '#');
            if closes {
                self.take(true, false);
                for _ in 0..hashes {
                    self.take(false, false);
                }
                return;
            }
            if self.peek(0) == '\0' {
                return;
            }
            self.take(false, false);
        }
    }

    /// A character literal, or the tick of a lifetime.
    fn quote(&mut self) {
        if self.peek(1) == '\\' {
            self.take(true, false);
            self.take(false, false);
            self.take(false, false);
            while !matches!(self.peek(0), '\'' | '\n' | '\0') {
                self.take(false, false);
            }
        } else if self.peek(2) == '\'' {
            self.take(true, false);
            self.take(false, false);
        }
        self.take(true, false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_and_comments_are_not_code() {
        let rows = [
            ("let a = \"fn x() {\"; // {", "let a = \"        \";     "),
            ("let a = r#\"}\"#;", "let a = r \" \" ;"),
            ("let a = br\"}\";", "let a = br\" \";"),
            ("let a = '{';", "let a = ' ';"),
            ("let a = '\\'';", "let a = '  ';"),
            ("fn f<'a>(x: &'a str) {}", "fn f<'a>(x: &'a str) {}"),
            ("let a = \"\\\"}\";", "let a = \"   \";"),
            ("a /* { /* { */ */ b", "a                 b"),
            ("let for_r = r#type;", "let for_r = r#type;"),
        ];
        for (text, code) in rows {
            assert_eq!(Scan::new(text, false).code, code, "of {text}");
        }
    }

    #[test]
    fn comments_keep_their_lines() {
        let scan = Scan::new("a();\nb(); // why\n/* two\nlines */", false);
        assert_eq!(scan.comments, "\n// why\n/* two\nlines */");
    }

    #[test]
    fn a_test_module_is_a_test_to_its_closing_brace() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\nfn c() {}\n";
        assert_eq!(Scan::new(text, false).in_test, [false, true, true, true, true, false]);
        let text = "#[cfg(test)]\nmod tests;\nfn c() {}\n";
        let scan = Scan::new(text, false);
        assert_eq!(
            (scan.in_test, scan.test_modules),
            (vec![true, true, false], vec!["tests".into()])
        );
    }

    #[test]
    fn functions_are_measured_from_signature_to_brace() {
        let text = "trait T {\n    fn a(&self);\n    fn b(&self) {\n        x()\n    }\n}\ntype P = fn (u8);\n";
        let found = Scan::new(text, false).functions();
        assert_eq!(found, [Function { name: "b".into(), line: 3, lines: 3 }]);
    }

    #[test]
    fn a_word_is_not_a_part_of_a_word() {
        assert!(has_word("an unsafe block", "unsafe"));
        assert!(!has_word("unsafe_code", "unsafe"));
    }
}
