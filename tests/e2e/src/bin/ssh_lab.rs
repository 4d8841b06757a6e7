//! `ssh-lab SERVERS ADDRESSES [homes]`: a lab for whoever is not a test, until
//! standard input ends. Prints the directory of its files.

#![forbid(unsafe_code)]

use std::io::{Read, Write};

use anyhow::{Context, Result, bail};
use e2e::lab::{Lab, Plan};

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (servers, addresses, homes) = match words.as_slice() {
        [servers, addresses] => (servers, addresses, false),
        [servers, addresses, word] if word == "homes" => (servers, addresses, true),
        _ => bail!("usage: ssh-lab SERVERS ADDRESSES [homes]"),
    };
    let (servers, addresses) = (servers.parse()?, addresses.parse()?);
    let lab = Lab::start(Plan { homes, ..Plan::alike(servers, addresses) })?;
    let mut out = std::io::stdout();
    writeln!(out, "{}", lab.path().display()).context("say where it is")?;
    out.flush()?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
