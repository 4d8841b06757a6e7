//! Where a cluster is.

use model::resolved::ProviderKind;

/// Provider and region; a provider with one region says it all.
pub(crate) fn place(provider: ProviderKind, region: &str) -> String {
    provider.place(region)
}
