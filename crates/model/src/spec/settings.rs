//! The user's settings: what holds for all clusters and is written once. Read
//! as strictly as a spec.

use super::complain::wrong_type;
use super::read::{Context, Fields, Key, Read, Section, Shape};
use super::tree::Node;
use super::value::line;
use crate::diagnostic::Diagnostics;
use crate::span::{Sources, Spanned};
use crate::target::Sets;

/// What the user set.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Named sets of nodes, written `@name` in targets.
    pub sets: Sets,
}

/// Reads settings. `name` is what users call the file; an empty one sets
/// nothing.
///
/// # Errors
/// All that is wrong with the file.
pub fn settings(name: &str, bytes: &[u8]) -> Result<Settings, Diagnostics> {
    let mut sources = Sources::default();
    let mut context = Context::default();
    let root = super::load::text(name, bytes, &mut sources, &mut context.found)
        .and_then(|(id, text)| super::yaml::parse(id, &text, 0, &mut context.found));
    let settings = root.and_then(|root| Settings::read(&root, &mut context)).unwrap_or_default();
    let mut found = Diagnostics { sources, list: context.found };
    found.sort();
    if found.has_errors() { Err(found) } else { Ok(settings) }
}

static SETS: Key<SetMap> = Key::new("sets", "Names for targets, written `@name` in them.");

static SETTINGS: Section = Section {
    name: "the settings",
    doc: "What holds for all clusters.",
    keys: &[&SETS.about],
    holder_prefix: None,
};

impl Read for Settings {
    const SHAPE: Shape = Shape::Section(&SETTINGS);

    fn read(node: &Node, context: &mut Context) -> Option<Self> {
        let mut fields = Fields::open(node, &SETTINGS, context)?;
        let sets = fields.take(&SETS, context);
        fields.finish(context);
        Some(Self { sets: sets.value().map(|map| map.0.clone()).unwrap_or_default() })
    }
}

/// Sets by name.
#[derive(Debug, Clone)]
struct SetMap(Sets);

impl Read for SetMap {
    const SHAPE: Shape = Shape::MapOf(&Shape::Text { pattern: None, what: "target" });

    fn read(node: &Node, context: &mut Context) -> Option<Self> {
        let Some(entries) = node.entries() else {
            let problem = wrong_type(node, "a map of names and targets");
            context.found.push(problem.help("write `sets: {gpu: \"worker[1-4]\"}`"));
            return None;
        };
        let mut defined = Vec::new();
        for entry in entries {
            let text = line(&entry.value, "a target", context);
            defined.extend(text.map(|text| {
                let name = Spanned::new(entry.key.clone(), entry.key_span);
                (name, Spanned::new(text.to_owned(), entry.value.span))
            }));
        }
        let (sets, problems) = Sets::define(&defined);
        context.found.extend(problems);
        Some(Self(sets))
    }
}

#[cfg(test)]
mod tests {
    use super::settings;

    #[test]
    fn what_is_wrong_with_settings_is_said_with_its_place() {
        for (text, expected) in [
            ("", "gpu: none"),
            ("# nothing\n", "gpu: none"),
            ("sets: {gpu: \"worker[1-4]\"}\n", "gpu: worker[1-4]"),
            ("sets:\n  gpu: worker*!worker3\n  all2: \"@gpu,x\"\n", "gpu: worker*!worker3"),
            (
                "set:\n  gpu: w\n",
                "c.yaml:1:1: error[unknown-key]: unknown key `set` in the settings\n  help: did you \
                 mean `sets`?",
            ),
            (
                "sets:\n  gpu: a\n  gpu: b\n",
                "c.yaml:3:3: error[duplicate-key]: `gpu` is there twice\n  again here\n  \
                 c.yaml:2:3: first here\n  help: keep one of them",
            ),
            (
                "sets:\n  gpu: \"a,\"\n",
                "c.yaml:2:8: error[target-syntax]: `a,` is no target: a target is missing here\n  \
                 help: name nodes, as in `worker[1-8]`",
            ),
            (
                "sets: {failed: a}\n",
                "c.yaml:1:8: error[bad-name]: `failed` is a reserved word of targets or DNS",
            ),
            (
                "sets: {a: \"@b\", b: \"@a\"}\n",
                "c.yaml:1:11: error[target-set]: the set `@a` is made of itself\n  help: @a uses @b \
                 uses @a\nc.yaml:1:20: error[target-set]: the set `@b` is made of itself\n  help: \
                 @b uses @a uses @b",
            ),
            (
                "sets: [a]\n",
                "c.yaml:1:7: error[wrong-type]: expected a map of names and targets, found a \
                 list\n  help: write `sets: {gpu: \"worker[1-4]\"}`",
            ),
        ] {
            let said = match settings("c.yaml", text.as_bytes()) {
                Ok(settings) => {
                    let gpu = settings.sets.target("gpu");
                    format!("gpu: {}", gpu.map_or("none".to_owned(), ToString::to_string))
                }
                Err(found) => found.to_plain(),
            };
            assert_eq!(said, expected, "{text}");
        }
    }
}
