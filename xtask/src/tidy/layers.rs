//! Who may import whom, held against what `cargo metadata` says. A crate that
//! is not in the table fails: a new layer is a decision, not an accident.

use serde_json::Value;

use super::finding::{Finding, Rule};

/// What one crate may depend on.
struct Layer {
    name: &'static str,
    /// Crates of ours, as normal dependencies.
    ours: &'static [&'static str],
    /// A pure crate names only these from outside; `None` is any that
    /// [`RESERVED`] leaves open.
    outside: Option<&'static [&'static str]>,
}

/// The layers, lowest first.
const LAYERS: [Layer; 9] = [
    Layer {
        name: "model",
        ours: &[],
        outside: Some(&[
            "jiff",
            "regex",
            "saphyr-parser",
            "serde",
            "serde_json",
            "sha2",
            "strsim",
            "thiserror",
            "zeroize",
        ]),
    },
    Layer {
        name: "engine",
        ours: &["model"],
        outside: Some(&["jiff", "serde", "serde_json", "thiserror"]),
    },
    Layer { name: "transport", ours: &["model"], outside: None },
    Layer { name: "providers", ours: &["model"], outside: None },
    Layer {
        name: "controller",
        ours: &["model", "engine", "transport", "providers"],
        outside: None,
    },
    Layer {
        name: "cli",
        ours: &["model", "engine", "transport", "providers", "controller"],
        outside: None,
    },
    Layer { name: "testkit", ours: &["model", "engine", "providers"], outside: None },
    Layer { name: "xtask", ours: &[], outside: Some(&["anyhow", "serde_json"]) },
    Layer { name: "e2e", ours: &["model", "testkit"], outside: None },
];

/// Only pure crates have a closed list; tests of theirs may use these too.
const PURE_TEST_CRATES: [&str; 4] = ["insta", "proptest", "regex", "serde_json"];

/// A crate from outside that only some may name.
struct Reserved {
    /// Its name; a star at the end stands for any ending.
    pattern: &'static str,
    owners: &'static [&'static str],
    reason: &'static str,
}

/// Crates that belong to a layer. Holds for tests and build scripts as well.
const RESERVED: [Reserved; 20] = [
    Reserved { pattern: "russh*", owners: &["transport"], reason: "ssh has one home" },
    Reserved { pattern: "ssh-key", owners: &["transport"], reason: "ssh has one home" },
    Reserved { pattern: "aws-*", owners: &["providers"], reason: "clouds are providers" },
    Reserved { pattern: "reqwest", owners: &["providers"], reason: "clouds are providers" },
    Reserved {
        pattern: "netlink-*",
        owners: &["providers"],
        reason: "networks of nodes are the local provider's",
    },
    Reserved {
        pattern: "rtnetlink",
        owners: &["providers"],
        reason: "networks of nodes are the local provider's",
    },
    Reserved {
        pattern: "libc",
        owners: &["providers"],
        reason: "unsafe system calls live in providers::local::sys",
    },
    Reserved { pattern: "nix", owners: &[], reason: "rustix is the one binding of system calls" },
    Reserved { pattern: "rusqlite", owners: &["controller"], reason: "the journal has one writer" },
    Reserved { pattern: "clap*", owners: &["cli"], reason: "only the command line has arguments" },
    Reserved {
        pattern: "annotate-snippets",
        owners: &["cli"],
        reason: "diagnostics are drawn in one place",
    },
    Reserved { pattern: "anstream", owners: &["cli"], reason: "only cli writes to the terminal" },
    Reserved {
        pattern: "comfy-table",
        owners: &["cli"],
        reason: "only cli writes to the terminal",
    },
    Reserved { pattern: "indicatif", owners: &["cli"], reason: "only cli writes to the terminal" },
    Reserved {
        pattern: "tracing-subscriber",
        owners: &["cli"],
        reason: "libraries emit, cli listens",
    },
    Reserved {
        pattern: "etcetera",
        owners: &["cli"],
        reason: "directories of the user are an argument to the rest",
    },
    Reserved {
        pattern: "tokio*",
        owners: &["transport", "providers", "controller", "cli"],
        reason: "decisions are not asynchronous",
    },
    Reserved { pattern: "anyhow", owners: &["xtask", "e2e"], reason: "libraries have error enums" },
    Reserved {
        pattern: "cargo_metadata",
        owners: &[],
        reason: "xtask reads the JSON itself and builds faster",
    },
    // providers: namespaces, mounts, pidfds. transport: Unix sockets and the
    // pty of the embedded server. controller: locks and ids. cli: the mode and
    // size of the terminal. testkit, e2e: users, signals and ptys of tests.
    Reserved {
        pattern: "rustix",
        owners: &["providers", "transport", "controller", "cli", "testkit", "e2e"],
        reason: "decisions make no system calls",
    },
];

/// A crate of the workspace, as `cargo metadata` describes it.
#[derive(Debug, Clone)]
pub(crate) struct Package {
    name: String,
    dependencies: Vec<Dependency>,
}

#[derive(Debug, Clone)]
struct Dependency {
    name: String,
    dev: bool,
    ours: bool,
}

/// Reads the answer of `cargo metadata --no-deps`.
pub(crate) fn packages(metadata: &Value) -> Vec<Package> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let rows = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let dependency = |value: &Value| Dependency {
        name: text(&value["name"]),
        dev: value["kind"] == "dev",
        ours: value["path"].is_string(),
    };
    rows(&metadata["packages"])
        .iter()
        .map(|package| Package {
            name: text(&package["name"]),
            dependencies: rows(&package["dependencies"]).iter().map(dependency).collect(),
        })
        .collect()
}

/// Every arrow that is not in the table.
pub(crate) fn check(packages: &[Package]) -> Vec<Finding> {
    let mut found = Vec::new();
    for package in packages {
        let Some(layer) = LAYERS.iter().find(|layer| layer.name == package.name) else {
            let message = format!("crate {} is not in the layer table", package.name);
            found.push(Finding::new(Rule::Layers, "Cargo.toml", 0, message));
            continue;
        };
        let wrong = package.dependencies.iter().filter_map(|one| refusal(layer, one));
        found.extend(
            wrong.map(|message| Finding::new(Rule::Layers, &manifest(layer.name), 0, message)),
        );
    }
    for layer in &LAYERS {
        if !packages.iter().any(|package| package.name == layer.name) {
            let message = format!("the layer table lists {}, which does not exist", layer.name);
            found.push(Finding::new(Rule::Layers, "Cargo.toml", 0, message));
        }
    }
    found
}

fn refusal(layer: &Layer, dependency: &Dependency) -> Option<String> {
    let Dependency { name, dev, ours } = dependency;
    if *ours {
        let allowed = layer.ours.contains(&name.as_str()) || (*dev && name == "testkit");
        return (!allowed).then(|| format!("{} may not import {name}", layer.name));
    }
    let matches = |reserved: &&Reserved| match reserved.pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == reserved.pattern,
    };
    if let Some(reserved) = RESERVED.iter().find(matches) {
        let allowed = reserved.owners.contains(&layer.name);
        return (!allowed)
            .then(|| format!("{} may not name {name}: {}", layer.name, reserved.reason));
    }
    let listed = layer.outside?;
    let allowed =
        listed.contains(&name.as_str()) || (*dev && PURE_TEST_CRATES.contains(&name.as_str()));
    (!allowed)
        .then(|| format!("{} has a closed list of crates and {name} is not on it", layer.name))
}

fn manifest(name: &str) -> String {
    match name {
        "xtask" => "xtask/Cargo.toml".to_owned(),
        "e2e" => "tests/e2e/Cargo.toml".to_owned(),
        _ => format!("crates/{name}/Cargo.toml"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A workspace that is right but for one more dependency of one crate.
    fn messages(of: &str, name: &str, dev: bool, ours: bool) -> Vec<String> {
        let packages: Vec<Package> = LAYERS
            .iter()
            .map(|layer| {
                let mut package = Package { name: layer.name.into(), dependencies: Vec::new() };
                if layer.name == of {
                    package.dependencies.push(Dependency { name: name.into(), dev, ours });
                }
                package
            })
            .collect();
        check(&packages).into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn arrows_of_the_table_pass_and_others_fail() {
        let rows = [
            ("engine", "model", false, true, true),
            ("engine", "providers", false, true, false),
            ("model", "engine", false, true, false),
            ("providers", "transport", false, true, false),
            ("transport", "testkit", true, true, true),
            ("transport", "testkit", false, true, false),
            ("engine", "providers", true, true, false),
            ("transport", "russh", false, false, true),
            ("cli", "russh", false, false, false),
            ("providers", "aws-config", false, false, true),
            ("controller", "aws-config", false, false, false),
            ("controller", "clap_complete", false, false, false),
            ("engine", "tokio", true, false, false),
            ("engine", "rustix", false, false, false),
            ("engine", "rand", false, false, false),
            ("engine", "proptest", true, false, true),
            ("engine", "proptest", false, false, false),
            ("cli", "strsim", false, false, true),
        ];
        for (of, name, dev, ours, passes) in rows {
            let found = messages(of, name, dev, ours);
            assert_eq!(found.is_empty(), passes, "{of} -> {name} (dev {dev}): {found:?}");
        }
    }

    #[test]
    fn a_crate_without_a_row_fails_and_a_row_without_a_crate_too() {
        let stranger = Package { name: "utils".into(), dependencies: Vec::new() };
        let found = check(&[stranger]);
        assert!(found.iter().any(|f| f.message.contains("utils is not in")), "{found:?}");
        assert!(found.iter().any(|f| f.message.contains("lists model")), "{found:?}");
    }

    #[test]
    fn the_kind_and_the_origin_of_a_dependency_are_read() {
        let metadata = serde_json::json!({"packages": [{"name": "engine", "dependencies": [
            {"name": "model", "kind": null, "path": "/x/model"},
            {"name": "insta", "kind": "dev"},
        ]}]});
        let packages = packages(&metadata);
        let seen: Vec<_> =
            packages[0].dependencies.iter().map(|d| (d.name.as_str(), d.dev, d.ours)).collect();
        assert_eq!(seen, [("model", false, true), ("insta", true, false)]);
    }
}
