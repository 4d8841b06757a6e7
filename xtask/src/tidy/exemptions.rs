//! Places where a rule does not hold, each with its reason. One that is no
//! longer needed fails, so the list only says what is true.

use super::finding::{Finding, Rule};

/// A rule that is set aside in one file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Exemption {
    rule: Rule,
    path: &'static str,
    reason: &'static str,
}

/// All of them.
pub(crate) const EXEMPTIONS: &[Exemption] = &[
    Exemption {
        rule: Rule::TestSleep,
        path: "crates/testkit/src/until.rs",
        reason: "the one place where tests ask again, with a deadline",
    },
    Exemption {
        rule: Rule::TestSleep,
        path: "crates/providers/tests/local_provider/killed.rs",
        reason: "kills at a random moment; the pause is what is drawn",
    },
];

/// Where the table is.
const TABLE: &str = "xtask/src/tidy/exemptions.rs";

/// Takes out what is exempt, and adds a finding for each exemption that
/// nothing needs or that gives no reason.
pub(crate) fn apply(found: Vec<Finding>, exemptions: &[Exemption]) -> Vec<Finding> {
    let covers = |exemption: &Exemption, finding: &Finding| {
        exemption.rule == finding.rule && exemption.path == finding.path
    };
    let mut stale = Vec::new();
    for exemption in exemptions {
        let Exemption { rule, path, reason } = exemption;
        if !found.iter().any(|finding| covers(exemption, finding)) {
            let message = format!("stale: {rule:?} holds in {path} without it");
            stale.push(Finding::new(Rule::Exemption, TABLE, 0, message));
        }
        if reason.trim().is_empty() {
            let message = format!("{rule:?} in {path} gives no reason");
            stale.push(Finding::new(Rule::Exemption, TABLE, 0, message));
        }
    }
    let mut kept: Vec<Finding> = found
        .into_iter()
        .filter(|finding| !exemptions.iter().any(|exemption| covers(exemption, finding)))
        .collect();
    kept.extend(stale);
    kept.sort();
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exemption(path: &'static str, reason: &'static str) -> Exemption {
        Exemption { rule: Rule::Unwrap, path, reason }
    }

    #[test]
    fn an_exemption_covers_its_rule_in_its_file_only() {
        let found = vec![
            Finding::new(Rule::Unwrap, "a.rs", 1, "x"),
            Finding::new(Rule::Allow, "a.rs", 2, "x"),
            Finding::new(Rule::Unwrap, "b.rs", 3, "x"),
        ];
        let left: Vec<usize> =
            apply(found, &[exemption("a.rs", "why")]).iter().map(|finding| finding.line).collect();
        assert_eq!(left, [2, 3]);
    }

    #[test]
    fn a_stale_exemption_and_one_without_a_reason_fail() {
        let found = vec![Finding::new(Rule::Unwrap, "a.rs", 1, "x")];
        let left = apply(found, &[exemption("a.rs", " "), exemption("gone.rs", "why")]);
        let messages: Vec<&str> = left.iter().map(|finding| finding.message.as_str()).collect();
        assert_eq!(
            messages,
            ["Unwrap in a.rs gives no reason", "stale: Unwrap holds in gone.rs without it"]
        );
    }
}
