//! Whatever is handed in, nothing panics, and what is accepted keeps its
//! promises.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::{accept, try_accept};
use crate::diagnostic::DIAGNOSTICS_MAX;
use crate::resolved::{Resolved, UpdatePolicy, differences};
use crate::spec::section::{CLOUD, CLUSTER, POOL, TOP};
use crate::spec::{Files, LoadOptions, load, resolve};

fn plain(bytes: &[u8]) -> String {
    match resolve(load("spec.yaml", bytes, &LoadOptions::default()), &Files::new()) {
        Ok(_) => "accepted".to_owned(),
        Err(problems) => problems.to_plain(),
    }
}

#[test]
fn enormous_and_binary_inputs_are_refused_in_one_line() {
    let flow = "[".repeat(50_000);
    let block = "- ".repeat(50_000);
    let keys: String = (0..500).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    let bomb = {
        let mut text = "x-0: &a0 [a, a, a, a, a, a, a, a, a]\n".to_owned();
        for n in 1..20 {
            let alias = vec![format!("*a{}", n - 1); 9].join(", ");
            writeln!(text, "x-{n}: &a{n} [{alias}]").unwrap();
        }
        text
    };
    let binary: Vec<u8> =
        (0..1_u32 << 20).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for (input, code) in [
        (flow.into_bytes(), "[yaml-nesting]"),
        (block.into_bytes(), "[yaml-nesting]"),
        (keys.into_bytes(), "[yaml-nesting]"),
        (bomb.into_bytes(), "[yaml-too-big]"),
        (binary, "[yaml-encoding]"),
        (vec![b'a'; (1 << 20) + 1], "[yaml-too-big]"),
        (b"\xff\xfea\0".to_vec(), "[yaml-encoding]"),
        (b"a: \"b\0c\"".to_vec(), "1:6: error[yaml-syntax]: a control character"),
        (b"a: \0".to_vec(), "a control character"),
    ] {
        let said = plain(&input);
        assert!(said.contains(code), "{code}: {said}");
        assert!(said.lines().count() <= 3, "{said}");
    }
}

#[test]
fn large_inputs_of_any_form_are_read_in_linear_time() {
    let many = |item: &str| item.repeat((1 << 20) / item.len() - 1).into_bytes();
    let numbered =
        |item: fn(usize) -> String| (0..20_000).map(item).collect::<String>().into_bytes();
    for input in [
        numbered(|n| format!("k{n}: 1\n")),
        numbered(|n| format!("x-{n}: &a 1\n")),
        numbered(|n| format!("- &a{n} 1\n")),
        [b"nodes:\n".to_vec(), numbered(|n| format!("- x{n}: 1\n"))].concat(),
        many("a: b\n"),
        many("{"),
        many("[a, "),
        many("[a,b],"),
        many("\n"),
        many("# c\n"),
        many("- "),
        many("? "),
        many("'"),
        many("\""),
        many("a: |\n x\n"),
        many("&a "),
        many("!t "),
        many("é: "),
        many(" a\n"),
    ] {
        let said = plain(&input);
        assert!(said.lines().count() <= 4 * DIAGNOSTICS_MAX + 1);
    }
}

#[test]
fn a_byte_order_mark_is_not_part_of_the_spec() {
    let text = "\u{feff}cloud: {provider: local}\ncluster: {name: a}\nnodes: [{nodename: a}]\n";
    assert_eq!(plain(text.as_bytes()), "accepted");
}

#[test]
fn a_thousand_pools_are_read_in_no_time_and_kept() {
    let mut text = "cloud: {provider: fake}\ncluster: {name: big}\nnodes:\n".to_owned();
    for n in 0..1000 {
        writeln!(text, "  - {{nodename: pool{n}x, count: 10, tags: {{n: {n}}}}}").unwrap();
    }
    assert_eq!(accept(&text).spec.node_count(), 10_000);
}

#[test]
fn the_policies_of_keys_and_of_differences_are_the_same() {
    let old = accept("cloud: {provider: fake}\ncluster: {name: a}\nnodes: [{nodename: p}]\n");
    let mut new = old.spec.clone();
    let changed = accept(
        "cloud: {provider: fake}\n\
         cluster: {name: b, use_placement_group: yes, vpc_id: v, subnet_id: s}\n\
         tags: {a: b}\nssh_from: 1.2.3.4\non_failure: keep\nexpires: 8h\n\
         nodes: [{nodename: p, count: 2, first: 0, role: login, image: i, instance_type: t, \
         username: u, key: k, spot: yes, user_data: '#!/bin/sh', setup: '#!/bin/sh'}]\n",
    );
    new.clone_from(&changed.spec);
    let mut seen = 0;
    for difference in differences(&old.spec, &new) {
        let name = difference.key.rsplit('.').next().unwrap();
        let section = match (difference.pool.is_some(), difference.key.split_once('.')) {
            (true, _) => &POOL,
            (false, Some(("cloud", _))) => &CLOUD,
            (false, Some(_)) => &CLUSTER,
            (false, None) => &TOP,
        };
        let about = section.keys.iter().find(|about| about.name == name).unwrap();
        assert_eq!(about.policy, difference.policy, "{}", difference.key);
        seen += 1;
    }
    assert_eq!(seen, 19);
}

#[test]
fn the_digest_changes_with_what_makes_a_machine_and_with_nothing_else() {
    let digest = |pool: &str| {
        let text = format!(
            "cloud: {{provider: local}}\ncluster: {{name: a}}\nnodes: [{{nodename: p, {pool}}}]\n"
        );
        accept(&text).spec.pools[0].digest()
    };
    let base = digest("count: 1");
    for same in
        ["count: 5", "tags: {a: b}", "role: login", "first: 0", "image: host", "username: root"]
    {
        assert_eq!(digest(same), base, "{same}");
    }
    for other in [
        "instance_type: local.nano",
        "instance_type: {cores: 2}",
        "username: ada",
        "setup: '#!/bin/sh'",
        "user_data: '#!/bin/sh'",
    ] {
        assert_ne!(digest(other), base, "{other}");
    }
    assert_ne!(digest("setup: '#!/bin/sh'"), digest("user_data: '#!/bin/sh'"));
    // Written down: another digest for the same pool would replace every node.
    assert_eq!(base, "f822b0e2890a648d");
}

#[test]
fn differences_name_what_changes_and_what_it_does() {
    let spec = |nodes: &str| {
        accept(&format!("cloud: {{provider: local}}\ncluster: {{name: a}}\nnodes: {nodes}\n")).spec
    };
    let old =
        spec("[{nodename: m}, {nodename: w, count: 2, instance_type: local.nano}, {nodename: x}]");
    let new =
        spec("[{nodename: m}, {nodename: w, count: 3, instance_type: local.small}, {nodename: y}]");
    let said: Vec<String> = differences(&old, &new)
        .iter()
        .map(|d| {
            format!(
                "{} {}: {:?} -> {:?} {}",
                d.pool.as_ref().unwrap(),
                d.key,
                d.from,
                d.to,
                d.policy.as_str()
            )
        })
        .collect();
    assert_eq!(
        said,
        [
            r#"w count: "2" -> "3" live"#,
            r#"w instance_type: "local.nano (1 core, 512 MiB)" -> "local.small (1 core, 2 GiB)" replaces the nodes"#,
            r#"y count: "" -> "1" live"#,
            r#"x count: "1" -> "" live"#,
        ]
    );
    assert!(differences(&old, &old).is_empty());
    let renamed =
        accept("cloud: {provider: fake}\ncluster: {name: b}\nnodes: [{nodename: m}]\n").spec;
    let forbidden = differences(&old, &renamed);
    assert_eq!(forbidden.iter().filter(|d| d.policy == UpdatePolicy::Forbidden).count(), 3);
}

#[test]
fn stored_specs_of_other_versions_and_broken_ones_are_told_apart() {
    let stored = accept("cloud: {provider: fake}\ncluster: {name: a}\nnodes: [{nodename: p}]\n")
        .spec
        .to_stored()
        .unwrap();
    assert!(stored.starts_with("{\"version\":1,"), "{stored}");
    let newer = stored.replacen("\"version\":1", "\"version\":2,\"new\":true", 1);
    let unknown = stored.replacen("\"cluster\":", "\"added_later\":5,\"cluster\":", 1);
    let twice = stored.replacen("\"min\":1,\"max\":1", "\"min\":3,\"max\":1", 1);
    for (text, expected) in [
        (stored.as_str(), "a"),
        (unknown.as_str(), "a"),
        (newer.as_str(), "a newer squall wrote it (version 2, this one reads 1)"),
        (twice.as_str(), "it is damaged: a pool's minimum is above its maximum"),
        ("", "it is damaged"),
        ("{\"version\":1}", "it is damaged"),
    ] {
        let found = Resolved::from_stored(text)
            .map_or_else(|error| error.to_string(), |spec| spec.cluster.to_string());
        assert_eq!(found, expected, "{text}");
    }
}

fn yaml_tree() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("nodename".to_owned()),
        Just("count".to_owned()),
        Just("instance_type".to_owned()),
        Just("cloud".to_owned()),
        Just("nodes".to_owned()),
        Just("cluster".to_owned()),
        Just("local".to_owned()),
        Just("image".to_owned()),
        Just("tags".to_owned()),
        Just("checks".to_owned()),
        Just("1..4".to_owned()),
        Just("~".to_owned()),
        Just("&a x".to_owned()),
        Just("*a".to_owned()),
        Just("<<".to_owned()),
        Just("8h".to_owned()),
        "[a-zA-Z0-9_.:/-]{0,12}",
    ];
    word.prop_recursive(6, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6)
                .prop_map(|items| format!("[{}]", items.join(", "))),
            prop::collection::vec(
                ("[a-z_]{1,9}|nodes|nodename|count|cloud|cluster|name|provider|image", inner),
                0..6
            )
            .prop_map(|entries| {
                let each: Vec<String> =
                    entries.iter().map(|(key, value)| format!("{key}: {value}")).collect();
                format!("{{{}}}", each.join(", "))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        plain(&bytes);
    }

    #[test]
    fn random_text_near_yaml_never_panics(text in "[a-z0-9 \\n\\t:#&*!|>'\"%@`{}\\[\\],?~.<-]{0,120}\\PC{0,5}") {
        plain(text.as_bytes());
    }

    #[test]
    fn random_trees_never_panic(text in yaml_tree(), set in "[a-z0-9.=]{0,20}") {
        let options = LoadOptions { sets: vec![set], name: Some("x".to_owned()), ..LoadOptions::default() };
        let loaded = load("spec.yaml", text.as_bytes(), &options);
        if let Err(problems) = resolve(loaded, &Files::new()) {
            prop_assert!(problems.has_errors());
            prop_assert!(!problems.to_plain().is_empty());
        }
    }

    #[test]
    fn what_is_accepted_keeps_its_promises(
        pools in prop::collection::vec(("[a-c][a-z0-9-]{0,3}", 0u32..5, 0u32..4, prop::option::of(0u32..3)), 1..5)
    ) {
        let mut text = "cloud: {provider: local}\ncluster: {name: Demo}\nnodes:\n".to_owned();
        for (name, min, more, first) in &pools {
            let first = first.map(|first| format!(", first: {first}")).unwrap_or_default();
            writeln!(text, "  - {{nodename: {name}, count: {min}..{}{first}}}", min + more).unwrap();
        }
        let Ok(resolution) = try_accept(&text) else { return Ok(()) };
        let spec = resolution.spec;
        let mut slugs: Vec<String> = spec.nodes().map(|node| node.name.slug()).collect();
        prop_assert_eq!(slugs.len() as u32, spec.node_count());
        slugs.sort();
        slugs.dedup();
        prop_assert_eq!(slugs.len() as u32, spec.node_count());
        let stored = spec.to_stored().unwrap();
        let read = Resolved::from_stored(&stored).unwrap();
        prop_assert_eq!(&read, &spec);
        prop_assert_eq!(read.to_stored().unwrap(), stored);
        prop_assert!(differences(&spec, &read).is_empty());
    }
}
