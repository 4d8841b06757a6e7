//! The commands of a script, one per line:
//!
//! ```text
//! spec NAME                     a spec follows, up to the line `end`
//! plan create|update NAME       shows the plan
//! plan terminate NODE... | plan delete
//! create|update NAME            plans, shows and carries out
//! terminate NODE... | delete
//! hold ...                      plans as `plan` does, and keeps the plan
//! carry-out                     carries out the plan that was kept
//! break-off N                   the next change ends after N steps
//! start|stop|reboot NODE
//! observe | clusters | timeline
//! fault CALL [NODE] EFFECT [ARGUMENT] [xTIMES]
//! faults-end
//! vanish NODE | power-off NODE | stray NODE
//! sleep SECONDS
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use jiff::SignedDuration;
use model::name::ClusterName;
use model::node::{Generation, NodeId};
use model::plan::{Intent, Plan, Reason, Step, StepId, StepKind};
use model::resolved::Resolved;
use model::spec::{Files, LoadOptions, load, resolve};
use model::tag;
use testkit::build::{cluster, node};
use testkit::fake::{Call, Fault, FaultEffect};
use testkit::now::now;
use testkit::world::World;
use testkit::{ErrorKind, Provider};

use crate::show;

/// Runs a script and writes down what comes of it.
pub(crate) struct Teller {
    world: World,
    specs: BTreeMap<String, Resolved>,
    cluster: ClusterName,
    held: Option<Plan>,
    break_off: Option<usize>,
    told: String,
}

impl Teller {
    pub(crate) fn new() -> Self {
        Self {
            world: World::new(),
            specs: BTreeMap::new(),
            cluster: cluster("demo"),
            held: None,
            break_off: None,
            told: String::new(),
        }
    }

    /// The transcript of a script.
    pub(crate) fn tell(mut self, script: &str) -> String {
        let mut lines = script.lines();
        while let Some(line) = lines.next() {
            if line.is_empty() || line.starts_with('#') {
                writeln!(self.told, "{line}").unwrap();
                continue;
            }
            writeln!(self.told, "> {line}").unwrap();
            let words: Vec<&str> = line.split_whitespace().collect();
            if let ["spec", name] = words[..] {
                let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "end").collect();
                self.spec(name, &text.join("\n"));
            } else {
                self.command(&words);
            }
        }
        self.told
    }

    fn command(&mut self, words: &[&str]) {
        match words {
            ["plan", rest @ ..] => {
                self.plan(rest);
            }
            ["hold", rest @ ..] => self.held = self.plan(rest),
            ["carry-out"] => {
                if let Some(plan) = self.held.take() {
                    self.carry_out(&plan);
                }
            }
            ["create" | "update" | "terminate" | "delete", ..] => {
                if let Some(plan) = self.plan(words) {
                    self.carry_out(&plan);
                }
            }
            ["break-off", steps] => self.break_off = Some(steps.parse().unwrap()),
            ["start" | "stop" | "reboot", name] => self.verb(words[0], name),
            ["observe"] => {
                let seen = self.world.observe(&self.cluster);
                self.say(&show::inventory(seen.as_ref()));
            }
            ["clusters"] => {
                let seen = now(self.world.provider.clusters()).unwrap();
                self.say(&show::clusters(&seen));
            }
            ["timeline"] => {
                let seen = now(self.world.provider.events(&self.cluster)).unwrap();
                self.say(&show::timeline(&seen));
            }
            ["fault", rest @ ..] => self.world.provider.script(fault(rest)).unwrap(),
            ["faults-end"] => self.world.provider.clear_faults().unwrap(),
            ["vanish", name] => self.world.provider.vanish(&self.cluster, &node(name)).unwrap(),
            ["power-off", name] => {
                self.world.provider.power_off(&self.cluster, &node(name)).unwrap();
            }
            ["stray", name] => self.stray(name),
            ["sleep", seconds] => {
                let time = SignedDuration::from_secs(seconds.parse().unwrap());
                self.world.provider.clock().advance(time);
            }
            _ => panic!("no such command: {words:?}"),
        }
    }

    fn spec(&mut self, name: &str, text: &str) {
        self.say(&indent(text));
        let options = LoadOptions::default();
        match resolve(load(name, text.as_bytes(), &options), &Files::default()) {
            Ok(resolution) => self.specs.insert(name.to_owned(), resolution.spec),
            Err(problems) => panic!("{}", problems.to_plain()),
        };
    }

    fn plan(&mut self, words: &[&str]) -> Option<Plan> {
        let (intent, spec) = match words {
            ["create", name] => (Intent::Create, Some(self.specs[*name].clone())),
            ["update", name] => (Intent::Update, Some(self.specs[*name].clone())),
            ["terminate", names @ ..] => {
                let names: BTreeSet<_> = names.iter().map(|name| node(name)).collect();
                (Intent::Terminate(names), None)
            }
            ["delete"] => (Intent::Delete, None),
            _ => panic!("no such plan: {words:?}"),
        };
        match self.world.plan(intent, spec.as_ref(), &self.cluster) {
            Ok(plan) => {
                self.say(&show::plan(&plan));
                Some(plan)
            }
            Err(problems) => {
                self.say(&show::diagnostics(&problems));
                None
            }
        }
    }

    fn carry_out(&mut self, plan: &Plan) {
        let outcome = self.world.execute(plan, self.break_off.take());
        self.say(&show::outcome(&outcome));
    }

    fn verb(&mut self, verb: &str, name: &str) {
        let name = node(name);
        let kind = match verb {
            "start" => StepKind::StartNode { name },
            "stop" => StepKind::StopNode { name },
            _ => StepKind::RebootNode { name },
        };
        let inventory = self.world.observe(&self.cluster).unwrap();
        let generation = inventory.record().map_or(Generation::default(), |record| record.accepted);
        let reason = Reason::new("asked for");
        let step = Step { id: StepId(0), after: Vec::new(), generation, kind, reason };
        let answer = self.world.run(&self.cluster, &step);
        self.say(&show::step(&step, &answer));
    }

    /// A machine that carries the cluster's name and another creation's id.
    fn stray(&mut self, name: &str) {
        let inventory = self.world.observe(&self.cluster).unwrap();
        let mut machine = inventory.nodes()[0].clone();
        machine.name = node(name);
        machine.id = NodeId("f-stray".to_owned());
        machine.tags.insert(tag::CLUSTER_ID.to_owned(), "c-of-last-year".to_owned());
        self.world.provider.place(machine).unwrap();
    }

    fn say(&mut self, text: &str) {
        self.told.push_str(text);
    }
}

fn indent(text: &str) -> String {
    text.lines().map(|line| format!("    {line}\n")).collect()
}

fn fault(words: &[&str]) -> Fault {
    let (times, words) = match words.split_last() {
        Some((last, rest)) if last.starts_with('x') => (last[1..].parse().unwrap(), rest),
        _ => (1, words),
    };
    let call = |word: &str| -> Call { serde_json::from_value(word.into()).unwrap() };
    let kind = |word: &str| -> ErrorKind { serde_json::from_value(word.into()).unwrap() };
    let (call, rest) = (call(words[0]), &words[1..]);
    let effects = [
        "refuse",
        "lose-answer",
        "slow-boot",
        "never-boots",
        "zombie",
        "hide-record",
        "hide-nodes",
    ];
    let (name, rest) = match rest {
        [first, rest @ ..] if !effects.contains(first) => (Some(node(first)), rest),
        rest => (None, rest),
    };
    let effect = match rest {
        ["refuse", word] => FaultEffect::Refuse(kind(word)),
        ["lose-answer", word] => FaultEffect::LoseAnswer(kind(word)),
        ["slow-boot", seconds] => FaultEffect::SlowBoot { boot_s: seconds.parse().unwrap() },
        ["never-boots"] => FaultEffect::NeverBoots,
        ["zombie", seconds] => FaultEffect::Zombie { gone_s: seconds.parse().unwrap() },
        ["hide-record"] => FaultEffect::HideRecord,
        ["hide-nodes"] => FaultEffect::HideNodes,
        _ => panic!("no such effect: {rest:?}"),
    };
    Fault { call, node: name, effect, times }
}
