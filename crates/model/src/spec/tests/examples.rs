//! Whole specs: the project's own examples, and files of older tools.

use super::{accept, say};

pub(super) const EXAMPLES: &[(&str, &str)] = &[
    ("hello", include_str!("../../../../../examples/hello.yaml")),
    ("cloud", include_str!("../../../../../examples/cloud.yaml")),
    ("anywhere", include_str!("../../../../../examples/anywhere.yaml")),
];

pub(super) const COMPAT: &[(&str, &str)] = &[
    ("sample1", include_str!("../../../tests/compat/sample1.yaml")),
    ("sample1-key", include_str!("../../../tests/compat/sample1-key.yaml")),
    ("sample1-placement-group", include_str!("../../../tests/compat/sample1-placement-group.yaml")),
    ("existing-vpc", include_str!("../../../tests/compat/existing-vpc.yaml")),
    ("new-vpc", include_str!("../../../tests/compat/new-vpc.yaml")),
];

#[test]
fn old_files_load_unchanged_for_ec2() {
    for (name, text) in COMPAT {
        let resolution = accept(text);
        assert_eq!(resolution.notes.to_plain(), "", "{name}");
        assert_eq!(resolution.not_yet.list.len(), 1, "{name}");
        let spec = resolution.spec;
        let nodes: Vec<String> = spec.nodes().map(|node| node.name.to_string()).collect();
        assert_eq!(nodes, ["master", "worker1", "worker2"], "{name}");
        assert_eq!(spec.region.as_deref(), Some("us-east-1"), "{name}");
        let network = &spec.network;
        assert_eq!(network.use_placement_group, *name == "sample1-placement-group", "{name}");
        assert_eq!(network.create_vpc, *name == "new-vpc", "{name}");
        assert_eq!(network.vpc_id.is_some(), *name == "existing-vpc", "{name}");
        let key = spec.pools[0].key.to_string();
        assert_eq!(key, if *name == "sample1-key" { "YourKeyName" } else { "default" }, "{name}");
        for pool in &spec.pools {
            assert_eq!(
                (pool.image.as_str(), pool.username.as_str()),
                ("ami-8fcee4e5", "ec2-user"),
                "{name}"
            );
        }
    }
}

#[test]
fn old_files_make_the_same_cluster_on_this_machine() {
    for (name, text) in COMPAT {
        let said = say(&format!("> --provider local\n{text}"));
        assert!(said.starts_with("accepted: master,worker[1-2]\n"), "{name}: {said}");
        assert!(
            said.lines().skip(1).all(|line| line.contains(": note[no-meaning-here]: ")),
            "{name}: {said}"
        );
        assert!(
            said.contains("t2.nano has no meaning on local; the node is not limited"),
            "{name}: {said}"
        );
    }
}

#[test]
fn examples_are_accepted_without_a_word() {
    for (name, text) in EXAMPLES {
        let resolution = accept(text);
        assert_eq!(resolution.notes.to_plain(), "", "{name}");
        let local = say(&format!("> --provider local\n{text}"));
        assert!(local.starts_with("accepted: "), "{name}: {local}");
        if *name != "cloud" {
            assert!(resolution.not_yet.is_empty(), "{name}");
            assert_eq!(local.lines().count(), 1, "{name}: {local}");
        }
    }
}

#[test]
fn what_is_left_out_is_given() {
    let spec = accept(EXAMPLES[2].1).spec;
    assert_eq!(spec.head().unwrap().as_str(), "head");
    assert_eq!(spec.region.as_deref(), Some("local"));
    let said: Vec<String> = spec
        .pools
        .iter()
        .map(|pool| {
            let scripts: Vec<&str> =
                pool.first_boot.iter().map(|script| script.kind.as_str()).collect();
            format!(
                "{} {} {} {} {} {} {:?}/{:?} {:?} {:?}",
                pool.name,
                pool.role,
                pool.count,
                pool.instance_type,
                pool.image,
                pool.username,
                pool.limits.memory_bytes,
                pool.limits.cores_milli,
                pool.tags,
                scripts,
            )
        })
        .collect();
    assert_eq!(
        said,
        [
            r#"head head 1 local.small host ada Some(2147483648)/Some(1000) {"project": "weather"} ["setup"]"#,
            r#"worker worker 3 1 core, 256 MiB host ada Some(268435456)/Some(1000) {"project": "weather"} []"#,
        ]
    );
    let nodes: Vec<String> =
        spec.nodes().map(|node| format!("{}={}", node.name, node.rank)).collect();
    assert_eq!(nodes, ["head=0", "worker0=0", "worker1=1", "worker2=2"]);
}

#[test]
fn scripts_run_in_order_and_tags_of_pools_win() {
    let spec = accept(
        "cloud: {provider: local}\ncluster: {name: Demo}\ntags: {a: cluster, b: cluster}\nnodes:\n\
         - {nodename: m, count: 0, tags: {a: pool}, setup: '#!/bin/b', user_data: '#!/bin/a'}\n\
         - {nodename: h, role: head, count: 0}\n- {nodename: i, role: head, count: 2}\n",
    )
    .spec;
    let pool = &spec.pools[0];
    let kinds: Vec<&str> = pool.first_boot.iter().map(|script| script.text.as_str()).collect();
    assert_eq!(kinds, ["#!/bin/a", "#!/bin/b"]);
    assert_eq!(format!("{:?}", pool.tags), r#"{"a": "pool", "b": "cluster"}"#);
    assert_eq!(spec.tags["a"], "cluster");
    assert_eq!(spec.head().unwrap().as_str(), "i1");
    assert_eq!(spec.cluster.slug(), "demo");
    assert_eq!((pool.limits.memory_bytes, pool.instance_type.as_str()), (None, "host"));
}

#[test]
fn the_specs_of_the_reference_page_are_accepted() {
    let page = include_str!("../../../../../docs/src/spec-reference.md");
    let blocks: Vec<&str> =
        page.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let [least, table] = blocks.as_slice() else { panic!("{blocks:?}") };
    assert_eq!(accept(least).spec.node_count(), 3);
    let flat = table
        .trim()
        .replace("instance_type:", "{instance_type: {")
        .replace("image:", "}, image: {");
    let said = say(&format!(
        "> --provider local\n> aliases: {} }}}}\n{}",
        flat.replace('\n', " "),
        COMPAT[0].1
    ));
    assert!(!said.contains("t2.nano") && !said.contains("ami-8fcee4e5"), "{said}");
}
