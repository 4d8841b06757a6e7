//! The providers that this build has, each with its controller, and what is
//! there of clusters over all of them.

use std::path::PathBuf;
use std::sync::Arc;

use controller::{Clock, Controller, Journal, Keys, NodeDial, Parts, Random, Timing};
use model::inventory::{ClusterSummary, Inventory};
use model::resolved::ProviderKind;
use model::span::Sources;
use providers::Provider;
use providers::fake::{FakeClock, FakeProvider};
use providers::local::rung::Rung;
use providers::local::{LocalConfig, LocalProvider, SshChoice};
use transport::Dial;

use crate::context::Context;
use crate::exit::{CommandError, CommandResult, Exit};
use crate::output::Printer;
use crate::paths::Paths;

/// State file of the fake provider; being set, the fake provider is asked too.
const FAKE_VARIABLE: &str = "SQUALL_FAKE";

/// Chooses how nodes of new local clusters are made, over what works best.
const RUNG_VARIABLE: &str = "SQUALL_LOCAL_RUNG";

/// Chooses the ssh server of new local nodes: `real` or `embedded`.
const SSH_VARIABLE: &str = "SQUALL_LOCAL_SSH";

/// Names at least so alike are suggested; 1 is equal.
const LIKENESS_MIN: f64 = 0.75;

/// Every provider of this build.
#[derive(Clone)]
pub(crate) struct World {
    local: LocalProvider,
    local_controller: Controller,
    /// All of them.
    controllers: Vec<Controller>,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World").finish_non_exhaustive()
    }
}

impl World {
    /// The providers on the user's directories. Touches nothing yet.
    pub(crate) fn open(paths: &Paths, journal: &Journal) -> Result<Self, CommandError> {
        let owner = owner();
        let local = LocalProvider::new(LocalConfig {
            store_dir: paths.data.join("local"),
            program: PathBuf::from("/proc/self/exe"),
            rung: choice(RUNG_VARIABLE, Rung::from_word)?,
            ssh: choice(SSH_VARIABLE, SshChoice::from_word)?,
            masked_paths: vec![
                paths.config.clone(),
                paths.data.clone(),
                paths.state.clone(),
                paths.cache.clone(),
            ],
            now: controller::clock::now,
            random: controller::random::fill,
        });
        let parts = |provider: Arc<dyn Provider>, clock| Parts {
            provider,
            dial: Arc::new(NodeDial),
            journal: journal.clone(),
            clock,
            random: Random::system(),
            keys: Keys { path: paths.key(), comment: owner.clone() },
            owner: owner.clone(),
            timing: Timing::default(),
        };
        let local_controller = Controller::new(parts(Arc::new(local.clone()), Clock::System));
        let mut controllers = vec![local_controller.clone()];
        if let Some(file) = std::env::var_os(FAKE_VARIABLE) {
            let clock = FakeClock::starting_at(controller::clock::now());
            let fake = FakeProvider::in_file(PathBuf::from(file), clock.clone());
            controllers.push(Controller::new(parts(Arc::new(fake), Clock::Virtual(clock))));
        }
        Ok(Self { local, local_controller, controllers })
    }

    /// The provider of this machine.
    pub(crate) const fn local(&self) -> &LocalProvider {
        &self.local
    }

    /// The controller of this machine.
    pub(crate) const fn local_controller(&self) -> &Controller {
        &self.local_controller
    }

    /// The way to nodes of every provider.
    #[expect(clippy::unused_self, reason = "the ways to nodes belong to the world")]
    pub(crate) fn dial(&self) -> Arc<dyn Dial> {
        Arc::new(NodeDial)
    }

    /// The controller of a provider.
    ///
    /// # Errors
    /// When this build cannot make nodes there.
    pub(crate) fn controller(&self, kind: ProviderKind) -> Result<&Controller, CommandError> {
        self.controllers.iter().find(|controller| controller.provider().kind() == kind).ok_or_else(
            || {
                let message = format!("this build of squall cannot make nodes on {kind} yet");
                let error = CommandError::new(Exit::Usage, message);
                if kind == ProviderKind::Fake {
                    return error.hint(format!("{FAKE_VARIABLE} names its state file"));
                }
                error.hint("the same spec makes the cluster on this machine: --provider local")
            },
        )
    }

    /// Every cluster of every provider.
    pub(crate) async fn clusters(&self) -> Listing {
        let mut listing = Listing::default();
        for controller in &self.controllers {
            match controller.clusters().await {
                Ok(found) => listing.clusters.extend(found),
                Err(error) => {
                    let kind = controller.provider().kind();
                    let error = CommandError::operation(*error, &Sources::default());
                    listing.failed.push((kind, error));
                }
            }
        }
        listing
    }

    /// What is there of a cluster that was listed.
    pub(crate) async fn observe(
        &self,
        cluster: &ClusterSummary,
    ) -> Result<Inventory, CommandError> {
        let controller = self.controller(cluster.provider)?;
        let seen = controller.observe(&cluster.name).await;
        seen.map_err(|error| CommandError::operation(*error, &Sources::default()))
    }

    /// The cluster of a name, wherever it is, and its controller.
    ///
    /// # Errors
    /// `NotFound` with the clusters there are.
    pub(crate) async fn find(
        &self,
        name: &str,
    ) -> Result<(ClusterSummary, &Controller), CommandError> {
        let listing = self.clusters().await;
        let found = match named(&listing.clusters, name) {
            Ok(found) => found.clone(),
            // It may be where we could not look.
            Err(error) => match listing.failed.into_iter().next() {
                Some((_, failed)) => return Err(failed),
                None => return Err(error),
            },
        };
        let controller = self.controller(found.provider)?;
        Ok((found, controller))
    }
}

impl World {
    /// The cluster that is meant: the one named, that of `-C`, or the only one.
    ///
    /// # Errors
    /// `NotFound` with the clusters there are; `Usage` when several are.
    pub(crate) async fn meant(
        &self,
        context: &Context,
        name: Option<&str>,
    ) -> Result<(ClusterSummary, &Controller), CommandError> {
        if let Some(name) = name.or(context.global.cluster.as_deref()) {
            return self.find(name).await;
        }
        let clusters = self.clusters().await.all()?;
        match clusters.as_slice() {
            [only] => Ok((only.clone(), self.controller(only.provider)?)),
            [] => Err(unknown(&clusters, "")),
            _ => {
                let names: Vec<&str> = clusters.iter().map(|one| one.name.as_str()).collect();
                let error = CommandError::new(Exit::Usage, "there are several clusters");
                Err(error.hint(format!("name one of them: {}", names.join(", "))))
            }
        }
    }

    /// Waits until what happened is in the journal.
    pub(crate) async fn flush(&self) {
        if let Some(controller) = self.controllers.first() {
            controller.journal().flush().await;
        }
    }
}

/// The clusters there are.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// Those that could be listed.
    pub(crate) clusters: Vec<ClusterSummary>,
    /// Providers that could not be asked, and why.
    failed: Vec<(ProviderKind, CommandError)>,
}

impl Listing {
    /// The clusters, if every provider could be asked.
    pub(crate) fn all(self) -> Result<Vec<ClusterSummary>, CommandError> {
        match self.failed.into_iter().next() {
            Some((_, error)) => Err(error),
            None => Ok(self.clusters),
        }
    }

    /// Drops all but the cluster of a name, as far as could be looked.
    ///
    /// # Errors
    /// `NotFound` with the clusters there are, if every provider could be asked.
    pub(crate) fn keep_only(&mut self, name: &str) -> Result<(), CommandError> {
        let is_it = |one: &ClusterSummary| one.name.as_str().eq_ignore_ascii_case(name);
        if self.failed.is_empty() && !self.clusters.iter().any(is_it) {
            return Err(unknown(&self.clusters, name));
        }
        self.clusters.retain(is_it);
        Ok(())
    }

    /// Providers that could not be asked, and why.
    pub(crate) fn unavailable(&self) -> Vec<(ProviderKind, String)> {
        let why = |error: &CommandError| {
            let causes = error.causes.iter().map(String::as_str);
            let all: Vec<&str> = std::iter::once(error.message.as_str()).chain(causes).collect();
            all.join(": ")
        };
        self.failed.iter().map(|(kind, error)| (*kind, why(error))).collect()
    }

    /// How a listing ends: what could not be asked is said.
    pub(crate) fn ended(&self, printer: Printer) -> CommandResult {
        for (_, error) in &self.failed {
            printer.error(error);
        }
        Ok(self.failed.first().map_or(Exit::Done, |(_, error)| error.exit))
    }
}

/// The cluster of a name among those there are; case does not matter.
///
/// # Errors
/// `NotFound` with the clusters there are and the one that was perhaps meant;
/// `Refused` when several providers have one of that name.
pub(crate) fn named<'a>(
    clusters: &'a [ClusterSummary],
    name: &str,
) -> Result<&'a ClusterSummary, CommandError> {
    let mut found =
        clusters.iter().filter(|cluster| cluster.name.as_str().eq_ignore_ascii_case(name));
    match (found.next(), found.next()) {
        (Some(cluster), None) => Ok(cluster),
        (None, _) => Err(unknown(clusters, name)),
        (Some(one), Some(other)) => {
            let message = format!(
                "there is a cluster {name} on {} and one on {}",
                one.provider, other.provider
            );
            Err(CommandError::new(Exit::Refused, message))
        }
    }
}

fn unknown(clusters: &[ClusterSummary], name: &str) -> CommandError {
    if clusters.is_empty() {
        let message = match name {
            "" => "there is no cluster".to_owned(),
            name => format!("there is no cluster `{name}`, and no other"),
        };
        return CommandError::new(Exit::NotFound, message).hint("`squall create SPEC` makes one");
    }
    let error = CommandError::new(Exit::NotFound, format!("there is no cluster `{name}`"));
    let wanted = name.to_ascii_lowercase();
    let likeness = |name: &str| strsim::jaro_winkler(&wanted, &name.to_ascii_lowercase());
    let names: Vec<&str> = clusters.iter().map(|cluster| cluster.name.as_str()).collect();
    let nearest = names
        .iter()
        .map(|name| (likeness(name), *name))
        .filter(|(likeness, _)| *likeness >= LIKENESS_MIN)
        .max_by(|(one, _), (other, _)| one.total_cmp(other));
    error
        .hints(nearest.map(|(_, name)| format!("did you mean {name}?")))
        .hint(format!("the clusters there are: {}", names.join(", ")))
}

/// A word of the environment, where it is set.
fn choice<T>(variable: &str, read: fn(&str) -> Option<T>) -> Result<Option<T>, CommandError> {
    let Some(word) = std::env::var_os(variable).filter(|word| !word.is_empty()) else {
        return Ok(None);
    };
    match word.to_str().and_then(read) {
        Some(choice) => Ok(Some(choice)),
        None => {
            let message = format!("{variable} is set to {word:?}, which means nothing");
            Err(CommandError::new(Exit::Usage, message))
        }
    }
}

/// What our account is called.
pub(crate) fn account_name() -> String {
    let number = rustix::process::getuid().as_raw();
    let said = |name| std::env::var(name).ok().filter(|user| !user.is_empty());
    account(&fs_err::read_to_string("/etc/passwd").unwrap_or_default(), number)
        .or_else(|| ["USER", "LOGNAME"].into_iter().find_map(said))
        .unwrap_or_else(|| format!("uid{number}"))
}

/// Who we are, as `user@host`.
fn owner() -> String {
    let user = account_name();
    let system = rustix::system::uname();
    format!("{user}@{}", system.nodename().to_string_lossy())
}

/// The name of an account in the text of a passwd file. What the environment
/// says may be another's: `su` and set-uid leave it as it was.
fn account(passwd: &str, number: u32) -> Option<String> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        (fields.nth(1)?.parse() == Ok(number)).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::Timestamp;
    use model::inventory::{ClusterSummary, Condition};
    use model::name::ClusterName;
    use model::resolved::ProviderKind;

    use super::{account, named};
    use crate::exit::Exit;

    fn cluster(name: &str, provider: ProviderKind) -> ClusterSummary {
        ClusterSummary {
            name: ClusterName::parse(name).unwrap(),
            provider,
            region: "local".to_owned(),
            owner: "me@here".to_owned(),
            created_at: Timestamp::UNIX_EPOCH,
            nodes: BTreeMap::new(),
            condition: Condition::Complete,
            note: None,
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_those_there_are() {
        let there = [
            cluster("Hello", ProviderKind::Local),
            cluster("web", ProviderKind::Local),
            cluster("web", ProviderKind::Fake),
        ];
        assert_eq!(named(&there, "hello").unwrap().name.as_str(), "Hello");
        let error = named(&there, "helo").unwrap_err();
        assert_eq!(error.exit, Exit::NotFound);
        assert_eq!(error.hints, ["did you mean Hello?", "the clusters there are: Hello, web, web"]);
        assert_eq!(named(&there, "web").unwrap_err().exit, Exit::Refused);
        let none = named(&[], "hello").unwrap_err();
        assert!(none.hints[0].contains("squall create"));
    }

    #[test]
    fn owners_are_called_as_their_account_is() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\nbroken\n:x:7:7::/:\nada:x:1000:1000::/:\n";
        for (number, expected) in [(0, Some("root")), (1000, Some("ada")), (7, None), (8, None)] {
            assert_eq!(account(passwd, number).as_deref(), expected, "{number}");
        }
    }
}
