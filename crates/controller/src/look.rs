//! Looking at what is there, and what to say when it is not.

use std::future::Future;
use std::time::Duration;

use model::inventory::{ClusterSummary, Inventory, Known};
use model::name::{ClusterName, NodeName};
use providers::{ErrorKind, ProviderError};

use crate::controller::Controller;
use crate::error::{FailureKind, OperationError};

/// Clusters listed in an error before the rest is only counted.
const NAMES_LISTED_MAX: usize = 20;

/// Names at least so alike are suggested; 1 is equal.
const LIKENESS_MIN: f64 = 0.75;

impl Controller {
    /// Every cluster at the provider.
    ///
    /// # Errors
    /// When the provider cannot be asked.
    pub async fn clusters(&self) -> Result<Vec<ClusterSummary>, Box<OperationError>> {
        let limit = self.parts.timing.look_timeout;
        Ok(within(limit, "list the clusters", self.parts.provider.clusters()).await?)
    }

    /// What is there of a cluster; also when there is nothing.
    ///
    /// # Errors
    /// When the provider cannot be asked.
    pub async fn observe(&self, cluster: &ClusterName) -> Result<Inventory, Box<OperationError>> {
        Ok(self.look(cluster).await?)
    }

    /// What is there of a cluster that must exist.
    ///
    /// # Errors
    /// `NotFound`, with the clusters there are and the one that was perhaps
    /// meant; or when the provider cannot be asked.
    pub async fn require(&self, cluster: &ClusterName) -> Result<Inventory, Box<OperationError>> {
        let inventory = self.observe(cluster).await?;
        if matches!(inventory.record, Known::Seen(None)) {
            return Err(self.unknown(cluster).await);
        }
        Ok(inventory)
    }

    /// What a node printed on its console.
    ///
    /// # Errors
    /// `NotFound` when there is no such cluster or node.
    pub async fn console(
        &self,
        cluster: &ClusterName,
        node: &NodeName,
    ) -> Result<Vec<u8>, Box<OperationError>> {
        self.require(cluster).await?;
        let limit = self.parts.timing.look_timeout;
        let reading = self.parts.provider.console(cluster, node);
        Ok(within(limit, "read the console", reading).await?)
    }

    pub(crate) async fn look(&self, cluster: &ClusterName) -> Result<Inventory, ProviderError> {
        let limit = self.parts.timing.look_timeout;
        within(limit, "look at the cluster", self.parts.provider.observe(cluster)).await
    }

    /// The error for a cluster that is not there.
    pub(crate) async fn unknown(&self, cluster: &ClusterName) -> Box<OperationError> {
        let provider = &self.parts.provider;
        let what = format!(
            "there is no cluster {cluster} on {}",
            provider.kind().place(&provider.region())
        );
        let error = OperationError::new(FailureKind::NotFound, what);
        match self.clusters().await {
            Ok(clusters) => {
                let names: Vec<&str> = clusters.iter().map(|found| found.name.as_str()).collect();
                suggest(error, cluster.as_str(), &names)
            }
            Err(failed) => error.hint(format!("which clusters there are is not known: {failed}")),
        }
    }
}

/// Adds the name that was perhaps meant, and the names there are.
fn suggest(error: Box<OperationError>, wanted: &str, names: &[&str]) -> Box<OperationError> {
    if names.is_empty() {
        return error.hint("there is no cluster at all; `squall create SPEC` makes one");
    }
    let error = match nearest(wanted, names) {
        Some(name) => error.hint(format!("did you mean {name}?")),
        None => error,
    };
    let listed: Vec<&str> = names.iter().copied().take(NAMES_LISTED_MAX).collect();
    let more = match names.len().saturating_sub(listed.len()) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    error.hint(format!("the clusters there are: {}{more}", listed.join(", ")))
}

fn nearest<'a>(wanted: &str, names: &[&'a str]) -> Option<&'a str> {
    let wanted = wanted.to_ascii_lowercase();
    let mut best: Option<(f64, &'a str)> = None;
    for name in names.iter().copied() {
        let likeness = strsim::jaro_winkler(&wanted, &name.to_ascii_lowercase());
        if likeness >= LIKENESS_MIN && best.is_none_or(|(before, _)| likeness > before) {
            best = Some((likeness, name));
        }
    }
    best.map(|(_, name)| name)
}

/// An answer of a provider, if it comes in time.
pub(crate) async fn within<T>(
    limit: Duration,
    doing: &str,
    asking: impl Future<Output = Result<T, ProviderError>>,
) -> Result<T, ProviderError> {
    match tokio::time::timeout(limit, asking).await {
        Ok(answer) => answer,
        Err(_elapsed) => {
            let cause = format!("no answer within {} s", limit.as_secs());
            Err(ProviderError::new(ErrorKind::Timeout, doing, cause))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::suggest;
    use crate::error::{FailureKind, OperationError};

    #[test]
    fn an_unknown_name_is_answered_with_the_names_there_are() {
        let many: Vec<String> = (0..22).map(|number| format!("c{number}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        for (wanted, names, expected) in [
            ("demo", vec![], vec!["there is no cluster at all; `squall create SPEC` makes one"]),
            (
                "dmeo",
                vec!["demo", "prod"],
                vec!["did you mean demo?", "the clusters there are: demo, prod"],
            ),
            ("DEMO", vec!["demo"], vec!["did you mean demo?", "the clusters there are: demo"]),
            ("x", vec!["demo"], vec!["the clusters there are: demo"]),
        ] {
            let error = OperationError::new(FailureKind::NotFound, "no");
            assert_eq!(suggest(error, wanted, &names).hints, expected, "{wanted}");
        }
        let error = suggest(OperationError::new(FailureKind::NotFound, "no"), "zzz", &many);
        assert!(error.hints[0].ends_with("c19 and 2 more"), "{:?}", error.hints);
    }
}
