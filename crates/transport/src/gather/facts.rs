//! What is known of a node whose output is gathered: what it may be called in
//! its own output. Pure.

use std::net::IpAddr;

/// What a node may call itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NodeFacts {
    /// The name that users know it by.
    pub name: String,
    /// Names it may print: its own, a short one, one with a domain.
    pub aliases: Vec<String>,
    /// Addresses it may print.
    pub addresses: Vec<String>,
}

impl NodeFacts {
    /// By the name that users know it by: `worker1`, `demo:worker1`,
    /// `login.example.org` or an address.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        let mut facts = Self { name: name.into(), ..Self::default() };
        facts.call(&facts.name.clone());
        facts
    }

    /// One more name or address that it may print.
    #[must_use]
    pub fn called(mut self, text: &str) -> Self {
        self.call(text);
        self
    }

    fn call(&mut self, text: &str) {
        let bare = text.trim_start_matches('[').trim_end_matches(']');
        if bare.parse::<IpAddr>().is_ok() {
            add(&mut self.addresses, bare);
            return;
        }
        // CLUSTER:NODE, and USER@HOST.
        let bare = bare.rsplit([':', '@']).next().unwrap_or(bare);
        add(&mut self.aliases, bare);
        if let Some((short, _)) = bare.split_once('.') {
            add(&mut self.aliases, short);
        }
    }
}

/// One letter is too little to tell a name from a word.
fn add(list: &mut Vec<String>, text: &str) {
    if text.len() > 1 && !list.iter().any(|known| known == text) {
        list.push(text.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::NodeFacts;

    #[test]
    fn a_node_is_known_by_its_short_name_too() {
        for (name, aliases, addresses) in [
            ("worker1", &["worker1"][..], &[][..]),
            ("demo:worker1", &["worker1"], &[]),
            ("login.example.org", &["login.example.org", "login"], &[]),
            ("10.0.0.7", &[], &["10.0.0.7"]),
            ("[fd00::7]", &[], &["fd00::7"]),
            ("root@n2", &["n2"], &[]),
            ("a", &[], &[]),
        ] {
            let facts = NodeFacts::new(name);
            assert_eq!(
                (&facts.aliases[..], &facts.addresses[..]),
                (
                    &aliases.iter().map(ToString::to_string).collect::<Vec<_>>()[..],
                    &addresses.iter().map(ToString::to_string).collect::<Vec<_>>()[..],
                )
            );
        }
        let facts = NodeFacts::new("n1").called("10.0.0.7").called("n1");
        assert_eq!(facts.aliases, ["n1"]);
        assert_eq!(facts.addresses, ["10.0.0.7"]);
    }
}
