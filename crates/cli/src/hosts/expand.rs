//! Folded names in lists of hosts: `web[01-16].example`, `rack[1-3]-n[1,5-8]`.
//! Pure.

/// Names that one line may stand for.
const NAMES_MAX: usize = 10_000;

/// The names that a folded one stands for, in order.
///
/// # Errors
/// What is wrong with it, in words.
pub(super) fn expand(text: &str) -> Result<Vec<String>, String> {
    let Some((before, rest)) = text.split_once('[') else {
        return Ok(vec![text.to_owned()]);
    };
    let (inside, after) = rest.split_once(']').ok_or("a `[` without its `]`")?;
    let ends = expand(after)?;
    let mut names = Vec::new();
    for part in inside.split(',') {
        for number in numbers(part)? {
            for end in &ends {
                names.push(format!("{before}{number}{end}"));
            }
            if names.len() > NAMES_MAX {
                return Err(format!("it stands for more than {NAMES_MAX} names"));
            }
        }
    }
    Ok(names)
}

/// `7`, `1-8`, `01-64`, `1-9/2`.
fn numbers(part: &str) -> Result<Vec<String>, String> {
    let wrong = || format!("`{part}` is no range of numbers");
    let (range, step) = match part.split_once('/') {
        Some((range, step)) => (range, step.parse::<usize>().ok().filter(|step| *step > 0)),
        None => (part, Some(1)),
    };
    let step = step.ok_or_else(wrong)?;
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !is_number(first) || !is_number(last) {
        return Err(wrong());
    }
    let (from, to): (u64, u64) =
        (first.parse().map_err(|_| wrong())?, last.parse().map_err(|_| wrong())?);
    if from > to {
        return Err(format!("`{part}` runs backwards"));
    }
    if to - from > NAMES_MAX as u64 {
        return Err(format!("it stands for more than {NAMES_MAX} names"));
    }
    let width = if first.starts_with('0') { first.len() } else { 1 };
    Ok((from..=to).step_by(step).map(|number| format!("{number:0width$}")).collect())
}

#[cfg(test)]
mod tests {
    use super::expand;

    #[test]
    fn folded_names_are_spelled_out() {
        let table: [(&str, &[&str]); 7] = [
            ("web", &["web"]),
            ("n[1-3]", &["n1", "n2", "n3"]),
            ("n[08-10].x", &["n08.x", "n09.x", "n10.x"]),
            ("n[1,3-4]", &["n1", "n3", "n4"]),
            ("n[1-7/3]", &["n1", "n4", "n7"]),
            ("r[1-2]-n[1-2]", &["r1-n1", "r1-n2", "r2-n1", "r2-n2"]),
            ("n[0-1]", &["n0", "n1"]),
        ];
        for (text, names) in table {
            assert_eq!(expand(text).unwrap(), names, "{text}");
        }
        for text in ["n[1", "n[a]", "n[3-1]", "n[]", "n[1-]", "n[1-3/0]", "n[1-99999]"] {
            assert!(expand(text).is_err(), "{text}");
        }
    }
}
