//! Quantities as users write them: memory, cores, lengths of time. A bare
//! number is refused where it could mean two things.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a text is no quantity. Reads after "failed to read a quantity: ".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// No number, or nothing but a number.
    #[error("expected {expected}")]
    Form {
        /// What it should look like.
        expected: &'static str,
    },
    /// The unit is another.
    #[error("unknown unit `{unit}`, expected one of {units}")]
    Unit {
        /// What was found.
        unit: String,
        /// What there is.
        units: &'static str,
    },
    /// Zero, or beyond what can be held.
    #[error("{0}")]
    Range(&'static str),
}

/// An amount of memory or disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Memory {
    /// Bytes.
    pub bytes: u64,
}

const MEMORY_UNITS: [(&str, u64); 8] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
];

impl Memory {
    /// Reads `4GiB`, `512 MiB`, `0.5GiB`, `20GB`.
    ///
    /// # Errors
    /// Without a unit, with an unknown one, or out of range.
    pub fn parse(text: &str) -> Result<Self, UnitError> {
        let expected = "a number with its unit, as in 4GiB";
        let (thousandths, unit) = thousandths_and_unit(text).ok_or(UnitError::Form { expected })?;
        if unit.is_empty() {
            return Err(UnitError::Form { expected });
        }
        let known = MEMORY_UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit));
        let (_, size) = known.ok_or_else(|| UnitError::Unit {
            unit: unit.to_owned(),
            units: "KiB, MiB, GiB, TiB, KB, MB, GB, TB",
        })?;
        let bytes = u128::from(thousandths) * u128::from(*size) / 1000;
        match u64::try_from(bytes) {
            Ok(0) => Err(UnitError::Range("the amount is zero")),
            Ok(bytes) => Ok(Self { bytes }),
            Err(_) => Err(UnitError::Range("the amount is too large")),
        }
    }
}

impl fmt::Display for Memory {
    /// The largest binary unit that gives a whole number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let binary = MEMORY_UNITS.iter().take(4).rev();
        for (name, size) in binary {
            if self.bytes >= *size && self.bytes.is_multiple_of(*size) {
                return write!(f, "{} {name}", self.bytes / size);
            }
        }
        write!(f, "{} B", self.bytes)
    }
}

/// A number of cores, in thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cores {
    /// Thousandths of a core.
    pub milli: u32,
}

impl Cores {
    /// Reads `2`, `0.5`.
    ///
    /// # Errors
    /// When it is no number, below a hundredth of a core, or above a million.
    pub fn parse(text: &str) -> Result<Self, UnitError> {
        let expected = "a number of cores, as in 2 or 0.5";
        match thousandths_and_unit(text) {
            Some((milli, "")) => match u32::try_from(milli) {
                Ok(milli @ 10..=1_000_000_000) => Ok(Self { milli }),
                Ok(0..10) => Err(UnitError::Range("at least 0.01 cores")),
                Ok(_) | Err(_) => Err(UnitError::Range("the number is too large")),
            },
            Some(_) | None => Err(UnitError::Form { expected }),
        }
    }
}

impl fmt::Display for Cores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.milli == 1000 { "core" } else { "cores" };
        write!(f, "{} {plural}", f64::from(self.milli) / 1000.0)
    }
}

/// A length of time in whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seconds {
    /// Seconds.
    pub seconds: u64,
}

/// Longest time that is accepted: ten years, which no cluster lasts.
const SECONDS_MAX: u64 = 10 * 366 * 86_400;

impl Seconds {
    /// Reads `60s`, `10m`, `8h`, `7d`, `1h30m`.
    ///
    /// # Errors
    /// Without a unit, with an unknown one, or out of range.
    pub fn parse(text: &str) -> Result<Self, UnitError> {
        let form = UnitError::Form { expected: "a time with its unit, as in 90s, 10m, 8h or 7d" };
        let mut rest = text.trim();
        let mut total: u64 = 0;
        if rest.is_empty() {
            return Err(form);
        }
        while !rest.is_empty() {
            let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let (number, after) = rest.split_at_checked(digits).ok_or(form.clone())?;
            let number: u64 = number.parse().map_err(|_| form.clone())?;
            let unit_len = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
            let (unit, after) = after.split_at_checked(unit_len).ok_or(form.clone())?;
            let scale = match unit.trim() {
                "s" => 1,
                "m" | "min" => 60,
                "h" => 3600,
                "d" => 86_400,
                "w" => 7 * 86_400,
                "" => return Err(form),
                other => {
                    return Err(UnitError::Unit { unit: other.to_owned(), units: "s, m, h, d, w" });
                }
            };
            total = total.saturating_add(number.saturating_mul(scale));
            rest = after.trim_start();
        }
        match total {
            0 => Err(UnitError::Range("the time is zero")),
            1..=SECONDS_MAX => Ok(Self { seconds: total }),
            _ => Err(UnitError::Range("longer than ten years")),
        }
    }
}

/// A decimal number with at most three decimals, in thousandths, and what
/// follows it.
fn thousandths_and_unit(text: &str) -> Option<(u64, &str)> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
    if whole.is_empty() || decimals.is_empty() || decimals.len() > 3 || decimals.contains('.') {
        return None;
    }
    let whole: u64 = whole.parse().ok()?;
    let decimals: u64 = format!("{decimals:0<3}").parse().ok()?;
    Some((whole.checked_mul(1000)?.checked_add(decimals)?, unit.trim()))
}

#[cfg(test)]
mod tests {
    use super::{Cores, Memory, Seconds};

    #[test]
    fn memory_needs_its_unit() {
        for (text, expected) in [
            ("4GiB", "4 GiB"),
            ("0.5 GiB", "512 MiB"),
            ("1gib", "1 GiB"),
            ("20GB", "19531250 KiB"),
            ("1.5MB", "1500000 B"),
            ("4", "expected a number with its unit, as in 4GiB"),
            ("", "expected a number with its unit, as in 4GiB"),
            ("GiB", "expected a number with its unit, as in 4GiB"),
            ("-1GiB", "expected a number with its unit, as in 4GiB"),
            ("4G", "unknown unit `G`, expected one of KiB, MiB, GiB, TiB, KB, MB, GB, TB"),
            ("0MiB", "the amount is zero"),
            ("99999999999999TiB", "the amount is too large"),
        ] {
            let found = Memory::parse(text).map_or_else(|e| e.to_string(), |m| m.to_string());
            assert_eq!(found, expected, "{text:?}");
        }
    }

    #[test]
    fn cores_are_numbers() {
        for (text, expected) in [
            ("2", "2 cores"),
            ("1", "1 core"),
            ("0.5", "0.5 cores"),
            ("0", "at least 0.01 cores"),
            ("2 cores", "expected a number of cores, as in 2 or 0.5"),
            ("5000000", "the number is too large"),
        ] {
            let found = Cores::parse(text).map_or_else(|e| e.to_string(), |c| c.to_string());
            assert_eq!(found, expected, "{text:?}");
        }
    }

    #[test]
    fn times_need_their_unit() {
        for (text, expected) in [
            ("90s", "90"),
            ("10m", "600"),
            ("1h30m", "5400"),
            ("7d", "604800"),
            ("1 h 1 s", "3601"),
            ("60", "expected a time with its unit, as in 90s, 10m, 8h or 7d"),
            ("soon", "expected a time with its unit, as in 90s, 10m, 8h or 7d"),
            ("", "expected a time with its unit, as in 90s, 10m, 8h or 7d"),
            ("3y", "unknown unit `y`, expected one of s, m, h, d, w"),
            ("0s", "the time is zero"),
            ("9999999999999999999d", "longer than ten years"),
        ] {
            let found =
                Seconds::parse(text).map_or_else(|e| e.to_string(), |s| s.seconds.to_string());
            assert_eq!(found, expected, "{text:?}");
        }
    }
}
