//! Globs over names, which are bytes: `*`, `?`, `[abc]`, `[a-z]`, `[!a]`, and a
//! backslash before what is meant as it is. As shells have it, a name with a
//! dot in front is matched only by a pattern with one. Pure.

/// Whether a path or name has anything to be matched in it.
pub(super) fn is_glob(pattern: &[u8]) -> bool {
    pattern.iter().any(|byte| matches!(byte, b'*' | b'?' | b'['))
}

/// Whether a single name, without slashes, matches.
pub(super) fn matches(pattern: &[u8], name: &[u8]) -> bool {
    if name.first() == Some(&b'.') && pattern.first() != Some(&b'.') {
        return false;
    }
    matches_rest(pattern, name)
}

/// Goes back to the last star only: linear in pattern times name.
fn matches_rest(pattern: &[u8], name: &[u8]) -> bool {
    let (mut rest, mut left) = (pattern, name);
    let mut star: Option<(&[u8], &[u8])> = None;
    loop {
        let step = match (rest, left) {
            ([], []) => return true,
            ([b'*', after @ ..], _) => {
                star = Some((after, left));
                rest = after;
                continue;
            }
            (_, []) => None,
            ([], _) => None,
            (_, [byte, after @ ..]) => one(rest, *byte).map(|pattern| (pattern, after)),
        };
        match (step, star) {
            (Some((pattern, after)), _) => (rest, left) = (pattern, after),
            (None, Some((after_star, [_, from @ ..]))) => {
                star = Some((after_star, from));
                (rest, left) = (after_star, from);
            }
            (None, _) => return false,
        }
    }
}

/// What of the pattern is left when its first part matches the byte.
fn one(pattern: &[u8], byte: u8) -> Option<&[u8]> {
    match pattern {
        [b'?', rest @ ..] => Some(rest),
        [b'[', class @ ..] => match class_end(class) {
            Some(end) => {
                let (members, rest) = (class.get(..end)?, class.get(end + 1..)?);
                in_class(members, byte).then_some(rest)
            }
            // A bracket that is never closed is a bracket.
            None => (byte == b'[').then_some(class),
        },
        [b'\\', escaped, rest @ ..] => (*escaped == byte).then_some(rest),
        [plain, rest @ ..] => (*plain == byte).then_some(rest),
        [] => None,
    }
}

/// Where a class ends. A bracket that comes first belongs to it.
fn class_end(class: &[u8]) -> Option<usize> {
    let first = usize::from(matches!(class.first(), Some(b'!' | b'^')));
    let from = first + 1;
    class.iter().skip(from).position(|byte| *byte == b']').map(|at| at + from)
}

fn in_class(members: &[u8], byte: u8) -> bool {
    let (negated, mut rest) = match members {
        [b'!' | b'^', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let mut found = false;
    loop {
        match rest {
            [low, b'-', high, after @ ..] => {
                found |= (*low..=*high).contains(&byte);
                rest = after;
            }
            [member, after @ ..] => {
                found |= *member == byte;
                rest = after;
            }
            [] => return found != negated,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{is_glob, matches};
    use proptest::prelude::*;

    #[test]
    fn names_match_as_in_a_shell() {
        for (pattern, name, expected) in [
            ("*", "anything", true),
            ("*", ".hidden", false),
            (".*", ".hidden", true),
            ("a*c", "abbbc", true),
            ("a*c", "abbb", false),
            ("*.log", "x.log", true),
            ("*a*b*", "xxaxxbxx", true),
            ("?", "ab", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]]", "]", true),
            ("[!]]", "]", false),
            ("[a", "[a", true),
            ("[-a]", "-", true),
            (r"\*", "*", true),
            (r"\*", "x", false),
            ("", "", true),
            ("", "x", false),
        ] {
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
        }
        assert!(matches(b"\xff*", b"\xff\n"), "names are bytes");
        assert!(is_glob(b"a[b]") && !is_glob(b"plain"));
    }

    proptest! {
        #[test]
        fn every_name_matches_itself_escaped_and_a_star(name in prop::collection::vec(1_u8.., 0..12)) {
            let escaped: Vec<u8> = name.iter().flat_map(|byte| [b'\\', *byte]).collect();
            prop_assert_eq!(matches(&escaped, &name), name.first() != Some(&b'.'));
            prop_assert_eq!(matches(b"*", &name), name.first() != Some(&b'.'));
        }

        #[test]
        fn no_pattern_takes_for_ever(
            pattern in prop::collection::vec(prop_oneof![Just(b'*'), Just(b'a'), Just(b'['), any::<u8>()], 0..40),
            name in prop::collection::vec(prop_oneof![Just(b'a'), any::<u8>()], 0..60),
        ) {
            let _ = matches(&pattern, &name);
        }
    }
}
