//! Ansible's format for inventories that a program prints: groups with their
//! hosts, and what each host's connection needs. Pure.

use std::collections::{BTreeMap, BTreeSet};

use model::target::Member;
use serde::Serialize;
use serde_json::{Map, Value};
use transport::sshconfig::HostBlock;

use crate::args::quoted;

/// An inventory.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Inventory {
    #[serde(flatten)]
    groups: BTreeMap<String, Group>,
    #[serde(rename = "_meta")]
    meta: Meta,
}

#[derive(Debug, Default, Serialize)]
struct Group {
    hosts: BTreeSet<String>,
}

#[derive(Debug, Default, Serialize)]
struct Meta {
    hostvars: BTreeMap<String, Map<String, Value>>,
}

/// Properties of which every value becomes a group.
const GROUPED: [&str; 3] = ["pool", "role", "state"];

impl Inventory {
    /// Adds a host under the name that Ansible knows it by.
    pub(crate) fn add(&mut self, name: &str, member: &Member, connection: Map<String, Value>) {
        let mut groups = vec!["all".to_owned()];
        if !member.cluster.is_empty() {
            groups.push(group_name(&["cluster", &member.cluster]));
        }
        for key in GROUPED {
            for value in member.fields.get(key).into_iter().flatten() {
                groups.push(group_name(&[key, value]));
            }
        }
        // Squall's own tags say once more what properties say.
        for (key, value) in member.tags.iter().filter(|(key, _)| !key.starts_with("squall:")) {
            groups.push(group_name(&["tag", key, value]));
        }
        for group in groups {
            self.groups.entry(group).or_default().hosts.insert(name.to_owned());
        }
        let mut variables = connection;
        variables.extend(facts(member));
        self.meta.hostvars.insert(name.to_owned(), variables);
    }

    /// What is known of one host; none if it is not there.
    pub(crate) fn host(&self, name: &str) -> Option<&Map<String, Value>> {
        self.meta.hostvars.get(name)
    }
}

/// What Ansible takes for a group's name: letters, digits and `_`.
fn group_name(parts: &[&str]) -> String {
    let plain = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '_' };
    parts.join("_").chars().map(plain).collect()
}

/// Properties and tags, each with a name that nothing of Ansible's has.
fn facts(member: &Member) -> Map<String, Value> {
    let mut facts = Map::new();
    if !member.cluster.is_empty() {
        facts.insert("squall_cluster".to_owned(), member.cluster.clone().into());
    }
    for (key, values) in &member.fields {
        let value = match values.as_slice() {
            [] => continue,
            [one] => Value::from(one.clone()),
            many => many.to_vec().into(),
        };
        // An age is another one the next time, and says what a time says.
        if !member.tags.contains_key(key) && key != "age" {
            facts.insert(format!("squall_{key}"), value);
        }
    }
    let tags: Map<String, Value> =
        member.tags.iter().map(|(key, value)| (key.clone(), value.clone().into())).collect();
    facts.insert("squall_tags".to_owned(), tags.into());
    facts
}

/// How plain ssh reaches a node, in Ansible's words.
pub(crate) fn connection(block: &HostBlock) -> Map<String, Value> {
    let mut variables = Map::new();
    let mut put = |key: &str, value: Value| {
        variables.insert(key.to_owned(), value);
    };
    put("ansible_host", block.host_name.clone().into());
    put("ansible_user", block.user.clone().into());
    put("ansible_port", block.port.unwrap_or(transport::limits::SSH_PORT).into());
    put("ansible_ssh_private_key_file", block.identity_file.clone().into());
    let mut options = vec![
        "IdentitiesOnly=yes".to_owned(),
        format!("UserKnownHostsFile={}", block.known_hosts_file.replace('%', "%%")),
        format!("HostKeyAlias={}", block.host_key_alias),
        "StrictHostKeyChecking=yes".to_owned(),
    ];
    if let Some(command) = &block.proxy_command {
        options.push(format!("ProxyCommand={command}"));
    }
    let words: Vec<String> = options.iter().map(|one| format!("-o {}", quoted(one))).collect();
    put("ansible_ssh_common_args", words.join(" ").into());
    variables
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use model::target::Member;
    use transport::sshconfig::HostBlock;

    use super::{Inventory, connection};

    fn member() -> Member {
        let field = |key: &str, value: &str| (key.to_owned(), vec![value.to_owned()]);
        Member {
            cluster: "my-lab".into(),
            name: "worker1".into(),
            fields: [field("pool", "worker"), field("role", "gpu.big"), field("state", "running")]
                .into(),
            tags: BTreeMap::from([("owner:team".to_owned(), "a b".to_owned())]),
        }
    }

    fn block() -> HostBlock {
        HostBlock {
            names: vec!["worker1".into()],
            host_name: "10.77.0.2".into(),
            port: None,
            user: "root".into(),
            identity_file: "/h/id".into(),
            known_hosts_file: "/h/k n".into(),
            host_key_alias: "squall-lab-worker1".into(),
            proxy_command: Some("'/bin/squall' __proxy /run/x %h %p".into()),
        }
    }

    #[test]
    fn a_node_is_in_a_group_for_each_of_its_properties_and_tags() {
        let mut inventory = Inventory::default();
        inventory.add("worker1", &member(), connection(&block()));
        let json = serde_json::to_string_pretty(&inventory).unwrap();
        insta::assert_snapshot!(json, @r#"
        {
          "all": {
            "hosts": [
              "worker1"
            ]
          },
          "cluster_my_lab": {
            "hosts": [
              "worker1"
            ]
          },
          "pool_worker": {
            "hosts": [
              "worker1"
            ]
          },
          "role_gpu_big": {
            "hosts": [
              "worker1"
            ]
          },
          "state_running": {
            "hosts": [
              "worker1"
            ]
          },
          "tag_owner_team_a_b": {
            "hosts": [
              "worker1"
            ]
          },
          "_meta": {
            "hostvars": {
              "worker1": {
                "ansible_host": "10.77.0.2",
                "ansible_port": 22,
                "ansible_ssh_common_args": "-o IdentitiesOnly=yes -o 'UserKnownHostsFile=/h/k n' -o HostKeyAlias=squall-lab-worker1 -o StrictHostKeyChecking=yes -o 'ProxyCommand='\\''/bin/squall'\\'' __proxy /run/x %h %p'",
                "ansible_ssh_private_key_file": "/h/id",
                "ansible_user": "root",
                "squall_cluster": "my-lab",
                "squall_pool": "worker",
                "squall_role": "gpu.big",
                "squall_state": "running",
                "squall_tags": {
                  "owner:team": "a b"
                }
              }
            }
          }
        }
        "#);
    }
}
