//! The order in which people expect names: `worker2` before `worker10`.

/// A key that sorts digits by value and the rest by letters.
#[must_use]
pub fn natural_key(name: &str) -> Vec<(u64, String)> {
    let mut key = Vec::new();
    let mut text = String::new();
    let mut digits = String::new();
    for character in name.chars() {
        if character.is_ascii_digit() {
            if digits.is_empty() && !text.is_empty() {
                key.push((0, std::mem::take(&mut text)));
            }
            digits.push(character);
        } else {
            flush(&mut digits, &mut key);
            text.push(character);
        }
    }
    flush(&mut digits, &mut key);
    if !text.is_empty() {
        key.push((0, text));
    }
    key
}

/// Turns collected digits into a number part. The digits stay beside the value,
/// so that `a1` and `a01` differ.
fn flush(digits: &mut String, key: &mut Vec<(u64, String)>) {
    if !digits.is_empty() {
        let text = std::mem::take(digits);
        key.push((text.parse().unwrap_or(u64::MAX), text));
    }
}

#[cfg(test)]
mod tests {
    use super::natural_key;

    #[test]
    fn numbers_sort_by_value() {
        let mut names = ["worker10", "master", "worker2", "worker1", "w", "worker"];
        names.sort_by_key(|name| natural_key(name));
        assert_eq!(names, ["master", "w", "worker", "worker1", "worker2", "worker10"]);
    }
}
