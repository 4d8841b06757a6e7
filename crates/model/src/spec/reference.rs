//! The reference of every key as Markdown tables, made from the declarations.

use std::fmt::Write as _;

use super::provider_map::{ALIASES, NEEDS};
use super::read::{About, Section, Shape};
use super::resolve::LOCAL_SIZES;
use super::section::{CHECK, CLOUD, CLUSTER, POOL, SCHEDULER, STORAGE, TOP, USER, VOLUME};
use crate::diagnostic::CODES;

/// The part of the documentation that lists keys, sizes and diagnostics.
#[must_use]
pub fn reference() -> String {
    let mut page = String::new();
    let sections: [(&str, &Section); 11] = [
        ("The top", &TOP),
        ("`cloud`", &CLOUD),
        ("`cluster`", &CLUSTER),
        ("`nodes[]`", &POOL),
        ("`instance_type` by need", &NEEDS),
        ("`nodes[].volumes[]`", &VOLUME),
        ("`users[]`", &USER),
        ("`scheduler`", &SCHEDULER),
        ("`storage[]`", &STORAGE),
        ("`checks[]`", &CHECK),
        ("The alias table", &ALIASES),
    ];
    for (title, section) in sections {
        let _ = write!(page, "### {title}\n\n{}\n\n", section.doc);
        page.push_str("| key | value | meaning | when it changes |\n|---|---|---|---|\n");
        for about in section.keys {
            page.push_str(&row(about));
        }
        page.push('\n');
    }
    page.push_str("### Sizes on `local`\n\n| instance_type | memory | cores |\n|---|---|---|\n");
    page.push_str("| `host` | not limited | not limited |\n");
    for (name, mib, cores) in LOCAL_SIZES {
        let memory = crate::unit::Memory { bytes: mib << 20 };
        let _ = writeln!(page, "| `{name}` | {memory} | {cores} |");
    }
    page.push_str("\n### Diagnostics\n\n| code | meaning |\n|---|---|\n");
    for (code, meaning) in CODES {
        let _ = writeln!(page, "| `{code}` | {meaning} |");
    }
    page
}

fn row(about: &About) -> String {
    let required = if about.required { " **Required.**" } else { "" };
    let later =
        about.later.map(|what| format!(" *Read and checked; this build cannot {what} yet.*"));
    let local = about.not_local.map(|why| format!(" No meaning on `local`: {why}."));
    format!(
        "| `{}` | {} | {}{required}{}{} | {} |\n",
        about.name,
        describe(&about.shape).replace('|', "\\|"),
        about.doc,
        later.unwrap_or_default(),
        local.unwrap_or_default(),
        if is_section(&about.shape) { "see there" } else { about.policy.as_str() },
    )
}

const fn is_section(shape: &Shape) -> bool {
    matches!(shape, Shape::Section(_) | Shape::List(Shape::Section(_)))
}

fn describe(shape: &Shape) -> String {
    match shape {
        Shape::Text { what, .. } => (*what).to_owned(),
        Shape::Scalar => "text or number".to_owned(),
        Shape::Boolean => "`yes` or `no`".to_owned(),
        Shape::Integer { min, max } => format!("{min} to {max}"),
        Shape::Words(words) => {
            words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
        }
        Shape::List(item) => format!("list of: {}", describe(item)),
        Shape::OneOrList(item) => format!("{}, or a list of them", describe(item)),
        Shape::MapOf(value) => format!("map of: {}", describe(value)),
        Shape::PerProvider(value) => format!("{}; or a map per provider", describe(value)),
        Shape::Section(section) => format!("map, see {}", section.name),
        Shape::Either(shapes) => shapes.iter().map(describe).collect::<Vec<_>>().join(", or "),
    }
}
