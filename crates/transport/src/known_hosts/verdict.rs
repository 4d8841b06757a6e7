//! Whether a host may show the key or the certificate that it shows. Pure; the
//! time is an argument.

use russh::keys::Certificate;
use russh::keys::ssh_key::certificate::CertType;

use super::line::Place;
use super::name::HostName;
use super::store::{Known, KnownKey};
use crate::host_pattern::PatternList;
use crate::keys::PublicKey;

/// What a host shows to prove who it is.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// Its key.
    pub key: &'a PublicKey,
    /// The certificate that the key is in, if it is.
    pub(crate) certificate: Option<&'a Certificate>,
}

/// What comes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is who we know.
    Accepted,
    /// Nothing is known of the host.
    Unknown,
    /// The host is known by other keys.
    Changed {
        /// Those keys, with their places.
        expected: Vec<KnownKey>,
    },
    /// The key, or the one that vouches for it, is revoked.
    Revoked {
        /// Where that is written.
        at: Place,
    },
    /// An authority that we know signed a certificate that is not good for
    /// this host now.
    BadCertificate(CertificateProblem),
}

/// What is wrong with a host certificate. Reads after "its certificate".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateProblem {
    /// The bytes are not what was signed.
    #[error("has a signature that is wrong")]
    Signature,
    /// It is for logging in.
    #[error("is one for users, not for hosts")]
    NotForHosts,
    /// Its time has not come.
    #[error("is not valid yet; it begins {0} s from now")]
    NotYet(u64),
    /// Its time is over.
    #[error("ran out {0} s ago")]
    Over(u64),
    /// It is for others.
    #[error("is for {}, not for {name}", names(.principals))]
    OtherHost {
        /// The names it is for.
        principals: Vec<String>,
        /// The name that we called.
        name: String,
    },
    /// It asks for something that we do not know.
    #[error("demands `{0}`, which means nothing to us")]
    CriticalOption(String),
}

fn names(principals: &[String]) -> String {
    if principals.is_empty() { "nobody".to_owned() } else { principals.join(", ") }
}

/// Judges what a host shows by what is known of it. `now_s` is in seconds of
/// Unix time.
pub(crate) fn judge(known: &Known, name: &HostName, shown: Shown<'_>, now_s: u64) -> Verdict {
    let authority = shown.certificate.map(|certificate| {
        PublicKey::from_russh(russh::keys::PublicKey::new(certificate.signature_key().clone(), ""))
    });
    let is_revoked = |entry: &&KnownKey| {
        entry.key == *shown.key || authority.as_ref().is_some_and(|key| *key == entry.key)
    };
    if let Some(revoked) = known.revoked.iter().find(is_revoked) {
        return Verdict::Revoked { at: revoked.place.clone() };
    }
    if let (Some(certificate), Some(authority)) = (shown.certificate, &authority)
        && known.authorities.iter().any(|entry| entry.key == *authority)
    {
        return match check(certificate, name, now_s) {
            Ok(()) => Verdict::Accepted,
            Err(problem) => Verdict::BadCertificate(problem),
        };
    }
    // A certificate of nobody we know counts as the key in it.
    let holds = |keys: &[KnownKey]| keys.iter().any(|entry| entry.key == *shown.key);
    // Keys of the name without the port count only where the name with the
    // port has none: another server of the same machine is not this one.
    if holds(&known.keys) || (known.keys.is_empty() && holds(&known.bare_keys)) {
        Verdict::Accepted
    } else if known.keys.is_empty() {
        Verdict::Unknown
    } else {
        Verdict::Changed { expected: known.keys.clone() }
    }
}

fn check(certificate: &Certificate, name: &HostName, now_s: u64) -> Result<(), CertificateProblem> {
    certificate.verify_signature().map_err(|_| CertificateProblem::Signature)?;
    if certificate.cert_type() != CertType::Host {
        return Err(CertificateProblem::NotForHosts);
    }
    if let Some((option, _)) = certificate.critical_options().iter().next() {
        return Err(CertificateProblem::CriticalOption(option.clone()));
    }
    if now_s < certificate.valid_after() {
        return Err(CertificateProblem::NotYet(certificate.valid_after() - now_s));
    }
    if now_s >= certificate.valid_before() {
        return Err(CertificateProblem::Over(now_s - certificate.valid_before()));
    }
    // One without principals is for nobody, as ssh has it since OpenSSH 10; a
    // certificate that is good for every host in the world helps no one.
    let principals = certificate.valid_principals();
    let matches =
        |principal: &String| PatternList::new([principal.as_str()]).matches(name.principal());
    if principals.iter().any(matches) {
        return Ok(());
    }
    Err(CertificateProblem::OtherHost {
        principals: principals.to_vec(),
        name: name.principal().to_owned(),
    })
}
