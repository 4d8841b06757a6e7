//! Files that the spec names: scripts of the first boot, public keys.

use std::collections::BTreeMap;

use super::Frame;
use crate::diagnostic::Diagnostic;
use crate::plan::FirstBootScript;
use crate::resolved::ProviderKind;
use crate::span::{Span, Spanned};
use crate::spec::load::{FileRef, scripts};
use crate::spec::read::Field;
use crate::spec::section::PoolSpec;
use crate::spec::tree::shorten;
use crate::spec::value::{Script, not_a_script};

/// What became of each file that the spec names, by path as written: its
/// contents, or why they could not be read.
pub type Files = BTreeMap<String, Result<Vec<u8>, String>>;

/// Largest script, in bytes: it travels with every node and with the record.
pub const SCRIPT_BYTES_MAX: usize = 256 << 10;

/// Largest user data on EC2, in bytes before they are encoded.
const EC2_USER_DATA_BYTES_MAX: usize = 16 << 10;

/// What a private key or a cloud's secret looks like in a script. Scripts are
/// stored with the cluster, so a secret in one can be read by whoever sees it.
const SECRET_MARKS: [&str; 3] = ["PRIVATE KEY-----", "AWS_SECRET_ACCESS_KEY=", "OS_PASSWORD="];

impl Frame<'_> {
    /// The scripts of a pool, in the order they run; `None` when one of them
    /// is of no use, which is reported.
    pub(super) fn scripts(&mut self, pool: &PoolSpec) -> Option<Vec<FirstBootScript>> {
        let mut all = Some(Vec::new());
        for (kind, field) in scripts(pool) {
            let script = match field {
                Field::Absent => continue,
                Field::Bad => None,
                Field::Is(script, _) => self.script(kind, script),
            };
            match (&mut all, script) {
                (Some(all), Some(script)) => all.push(script),
                (_, None) => all = None,
                (None, Some(_)) => {}
            }
        }
        all
    }

    fn script(&mut self, kind: &'static str, script: &Spanned<Script>) -> Option<FirstBootScript> {
        let span = script.span;
        let (text, source) = match &script.value {
            Script::Inline(text) => (text.clone(), "the spec".to_owned()),
            Script::Path(path) => (self.text(path, span)?, path.clone()),
        };
        let what = match &script.value {
            Script::Inline(_) => "this text".to_owned(),
            Script::Path(path) => format!("`{}`", shorten(path)),
        };
        let most = match self.provider {
            Some(ProviderKind::Ec2) if kind == "user_data" => EC2_USER_DATA_BYTES_MAX,
            Some(_) | None => SCRIPT_BYTES_MAX,
        };
        if text.len() > most {
            let message = format!("{what} has {} bytes, `{kind}` has at most {most}", text.len());
            self.found.push(Diagnostic::error("file-too-big", message).at(span, ""));
            return None;
        }
        if !text.starts_with("#!") {
            self.found.push(not_a_script(&what).at(span, ""));
            return None;
        }
        if text.split('\n').next().is_some_and(|line| line.ends_with('\r')) {
            let message = format!("{what} has the line ends of Windows, so nothing can run it");
            let problem = Diagnostic::error("not-a-script", message).at(span, "");
            self.found.push(problem.help("save it with the line ends of Unix (LF)"));
            return None;
        }
        if let Some(mark) = SECRET_MARKS.iter().find(|mark| text.contains(**mark)) {
            let message = format!("{what} seems to hold a secret (`{mark}`)");
            let problem = Diagnostic::warning("secret-in-script", message).at(span, "");
            self.found.push(
                problem.help("scripts are stored with the cluster; fetch secrets at run time"),
            );
        }
        Some(FirstBootScript { kind: kind.to_owned(), source, text })
    }

    fn text(&mut self, path: &str, span: Span) -> Option<String> {
        let problem = match self.files.get(path) {
            Some(Ok(bytes)) => match String::from_utf8(bytes.clone()) {
                Ok(text) if !text.contains('\0') => return Some(text),
                Ok(_) | Err(_) => not_a_script(&format!("`{}` is no text and", shorten(path))),
            },
            Some(Err(why)) => {
                let message = format!("`{}` cannot be read: {why}", shorten(path));
                let problem = Diagnostic::error("file-missing", message);
                problem.help("paths are relative to the spec")
            }
            None => Diagnostic::error("file-missing", format!("`{}` was not read", shorten(path))),
        };
        self.found.push(problem.at(span, ""));
        None
    }

    /// Checks the files that hold users' public keys.
    pub(super) fn public_keys(&mut self, named: &[FileRef]) {
        for file in named.iter().filter(|file| file.key == "key") {
            let Some(text) = self.text(&file.path, file.span) else { continue };
            if !crate::spec::load::is_public_key(&text) {
                let private = text.contains("PRIVATE KEY-----");
                let message = format!(
                    "`{}` holds {}",
                    shorten(&file.path),
                    if private { "a private key, not a public one" } else { "no public key" }
                );
                let problem = Diagnostic::error("bad-value", message).at(file.span, "");
                self.found.push(problem.help("name the file that ends with .pub"));
            }
        }
    }
}
