use clap::{CommandFactory as _, Parser as _};

use super::{Cli, Command, quoted};

fn parse(words: &[&str]) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(std::iter::once("squall").chain(words.iter().copied()))
}

#[test]
fn the_declarations_fit_together() {
    Cli::command().debug_assert();
}

#[test]
fn every_command_line_of_the_manual_is_understood() {
    for line in [
        "demo --keep --count 8",
        "doctor --json",
        "plan a.yaml --provider local --name n --set nodes.worker.count=2 --set a=b",
        "create a.yaml --yes",
        "list",
        "ls",
        "show",
        "nodes",
        "nodes worker[1-8]!worker3 --expand -x worker4 -x worker5",
        "nodes demo --count --json",
        "show worker[1-8] -vv",
        "status demo --follow",
        "run worker* -- uname -n",
        "run worker* uname -n",
        "run * --fanout 3 --timeout 5s -- sleep 9",
        "run * sh -c true -- x",
        "put data.bin worker*",
        "put -p conf/ hosts demo /etc/app -c",
        "put a.bin -- demo data",
        "get results.csv worker*",
        "get /var/log/*.log demo logs -n --fanout 3 -u 5s -t 2s -x worker3",
        "run -f 3 -u 5s * -t 20 -- sleep 9",
        "run w* -n -x w3 --dir ~/job --env A=b --env C=d -b make",
        "run w* --sudo -- id",
        "run w* --sudo=bob --sudo-password-file f -- id",
        "run w* --script ./check.sh -- --quick",
        "run w* --script ./check.sh",
        "run w* --literal -S --output-dir d -- find -printf %h",
        "ssh demo",
        "ssh demo -- df -h /",
        "ssh -t demo top",
        "stop a,b --yes",
        "start a -C demo",
        "reboot a --all-clusters",
        "terminate worker[5-8] -y",
        "console worker1",
        "update a.yaml",
        "delete demo --yes",
        "forget demo",
        "completions zsh",
        "schema",
        "ssh-config demo",
        "-vv --color never -q list",
        "__proxy /run/x.sock 10.77.0.2 22",
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        assert!(parse(&words).is_ok(), "{line}: {:?}", parse(&words).err());
    }
}

#[test]
fn what_follows_the_target_of_a_run_is_the_command() {
    for (line, expected) in [
        ("run t -- ls -l", vec!["ls", "-l"]),
        ("run t ls -l --json", vec!["ls", "-l", "--json"]),
        ("run t --json ls -v", vec!["ls", "-v"]),
        ("run t ls -- -l", vec!["ls", "--", "-l"]),
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        let Command::Run(args) = parse(&words).unwrap().command else {
            panic!("{line} is no run");
        };
        assert_eq!(args.command.command, expected, "{line}");
    }
}

#[test]
fn v_is_for_traces_except_with_show() {
    for (line, level) in [("-vv list", 2), ("show -vv", 0), ("list", 0)] {
        let words: Vec<&str> = line.split(' ').collect();
        let cli = parse(&words).unwrap();
        assert_eq!(cli.command.trace_level(&cli.global), level, "{line}");
    }
}

#[test]
fn wrong_command_lines_are_refused() {
    for line in [
        "run t",
        "frobnicate",
        "list --json --quiet",
        "create",
        "run t --timeout x ls",
        "run t --env 1=2 ls",
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        assert_eq!(parse(&words).unwrap_err().exit_code(), 2, "{line}");
    }
}

#[test]
fn an_option_of_run_with_nothing_in_it_is_refused() {
    // A shell's variable that is not set: none of these may mean a default.
    for option in ["--dir=", "--env=", "--env==x", "--output-dir=", "--script=", "--sudo="] {
        assert_eq!(parse(&["run", "t", option, "ls"]).unwrap_err().exit_code(), 2, "{option}");
    }
    for option in ["--dir", "--env", "--output-dir", "--script"] {
        assert_eq!(parse(&["run", "t", option, "", "ls"]).unwrap_err().exit_code(), 2, "{option}");
    }
}

#[test]
fn words_are_quoted_as_a_shell_takes_them() {
    for (word, expected) in
        [("a.yaml", "a.yaml"), ("a b", "'a b'"), ("it's", r"'it'\''s'"), ("", "''")]
    {
        assert_eq!(quoted(word), expected);
    }
}

#[test]
fn help_says_it_all() {
    let mut command = Cli::command();
    command.build();
    insta::assert_snapshot!("help", command.render_help());
    let names: Vec<String> = command
        .get_subcommands()
        .filter(|one| !one.is_hide_set())
        .map(|one| one.get_name().to_owned())
        .collect();
    for name in names {
        let one = command.find_subcommand_mut(&name).unwrap();
        let help = one.render_help().to_string();
        if !["schema", "list", "doctor", "completions"].contains(&name.as_str()) {
            assert!(help.contains("Examples:"), "{name} has no examples");
        }
        insta::assert_snapshot!(format!("help_{name}"), help);
    }
}
