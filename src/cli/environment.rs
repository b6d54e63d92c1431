//! The variables `BANNERET_*`: each is a flag, or a mistake, or one that Kubernetes makes of a service of
//! this name. Knows no file and no value's meaning.

use std::ffi::{OsStr, OsString};

use clap::builder::BoolishValueParser;
use clap::{Arg, ArgAction, Command};

use super::explain::distance;

/// What the name of each of our variables starts with.
const PREFIX: &str = "BANNERET_";
/// So many letters of a name allow one slip, for the name to be proposed.
const LETTERS_FOR_A_SLIP: usize = 3;

/// The variable of a flag: `--prefix-rate` is `BANNERET_PREFIX_RATE`.
pub(super) fn variable(long: &str) -> String {
    format!("{PREFIX}{}", long.replace('-', "_").to_uppercase())
}

/// What the environment holds for us, apart from what flags take from it themselves.
#[derive(Debug, Default)]
pub(super) struct Environment {
    /// Variables that are no flag of any command.
    unknown: Vec<String>,
    /// Variables that Kubernetes made.
    of_service: Vec<String>,
}

impl Environment {
    /// Sorts the variables of `all` by what they are.
    pub(super) fn of(command: &Command, all: impl Iterator<Item = (OsString, OsString)>) -> Self {
        let known: Vec<String> = flags(command).iter().map(|long| variable(long)).collect();
        let mut sorted = Self::default();
        for (name, value) in all {
            let name = name.to_string_lossy();
            let Some(rest) = name.strip_prefix(PREFIX) else { continue };
            if is_of_service(rest, &value) {
                sorted.of_service.push(name.into_owned());
            } else if !known.iter().any(|flag| *flag == name) {
                sorted.unknown.push(name.into_owned());
            }
        }
        sorted.unknown.sort();
        sorted.of_service.sort();
        sorted
    }

    /// The definitions with each flag heard in the environment.
    pub(super) fn heard_by(&self, mut command: Command) -> Command {
        let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
        for name in names {
            command = command.mut_subcommand(name, |sub| sub.mut_args(|arg| self.heard(arg)));
        }
        command.mut_args(|arg| self.heard(arg))
    }

    fn heard(&self, arg: Arg) -> Arg {
        let Some(long) = arg.get_long() else { return arg };
        let variable = variable(long);
        if self.of_service.contains(&variable) {
            return arg.env(clap::builder::Resettable::Reset);
        }
        let arg = arg.env(variable);
        match arg.get_action() {
            // `1` and `yes` are as good as `true`, where no bare flag can be typed.
            ArgAction::SetTrue => arg.value_parser(BoolishValueParser::new()),
            _ => arg,
        }
    }

    /// What is wrong with the first variable that is no flag; a misspelt one must not leave a scan without
    /// its exclusions.
    pub(super) fn mistake(&self, command: &Command) -> Option<String> {
        let name = self.unknown.first()?;
        let typed = name.strip_prefix(PREFIX).unwrap_or_default().to_lowercase().replace('_', "-");
        let advice = match nearest(command, &typed) {
            Some(flag) => format!("did you mean `{}`?", variable(&flag)),
            None => "unset it; `banneret scan --help` lists those that are".to_owned(),
        };
        Some(format!("variable `{name}` is no flag of any command; {advice}"))
    }

    /// What is said of the variables that Kubernetes made.
    pub(super) fn passed_over(&self) -> Option<String> {
        let [first, rest @ ..] = self.of_service.as_slice() else { return None };
        let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
        Some(format!("passed over `{first}`{more}, as Kubernetes sets them for a service called `banneret`"))
    }
}

/// The flag that may have been meant by another word.
pub(super) fn nearest(command: &Command, typed: &str) -> Option<String> {
    let near = |flag: &String| distance(typed, flag) <= typed.len().max(flag.len()) / LETTERS_FOR_A_SLIP;
    let flags = flags(command).into_iter().filter(near);
    flags.min_by_key(|flag| distance(typed, flag))
}

/// The long flags of all commands.
pub(super) fn flags(command: &Command) -> Vec<String> {
    let all = command.get_subcommands().chain([command]).flat_map(Command::get_arguments);
    let mut flags: Vec<String> = all.filter_map(Arg::get_long).map(str::to_owned).collect();
    flags.sort();
    flags.dedup();
    flags
}

/// Whether Kubernetes made a variable for a service: `BANNERET_SERVICE_HOST`, `BANNERET_SERVICE_PORT_SMTP`,
/// `BANNERET_PORT=tcp://10.0.0.1:25`, `BANNERET_PORT_25_TCP_ADDR` (the form that Docker's links had).
fn is_of_service(rest: &str, value: &OsStr) -> bool {
    let is_url =
        || ["tcp://", "udp://", "sctp://"].iter().any(|scheme| value.to_string_lossy().starts_with(scheme));
    match rest.strip_prefix("PORT") {
        Some("") => is_url(),
        Some(port) => {
            port.strip_prefix('_').is_some_and(|port| port.starts_with(|c: char| c.is_ascii_digit()))
        }
        None => rest.starts_with("SERVICE_"),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::args::Cli;

    fn of(variables: &[(&str, &str)]) -> Environment {
        let variables = variables.iter().map(|&(name, value)| (name.into(), value.into()));
        Environment::of(&Cli::command(), variables)
    }

    #[test]
    fn a_variable_that_is_no_flag_is_a_mistake_with_what_may_have_been_meant() {
        for (name, meant) in [
            ("BANNERET_EXCLUDE_FIEL", Some("BANNERET_EXCLUDE_FILE")),
            ("BANNERET_EXCLUDE_FILES", Some("BANNERET_EXCLUDE_FILE")),
            ("BANNERET_RATES", Some("BANNERET_RATE")),
            ("BANNERET_GROUPBY", Some("BANNERET_GROUP_BY")),
            ("BANNERET_PASSWORD", None),
            ("BANNERET_", None),
            ("BANNERET_rate", Some("BANNERET_RATE")),
        ] {
            let told = of(&[(name, "x")]).mistake(&Cli::command()).unwrap();
            assert!(told.starts_with(&format!("variable `{name}` is no flag of any command; ")), "{told}");
            let proposed = told.split('`').nth(3).filter(|word| word.starts_with(PREFIX));
            assert_eq!(proposed, meant, "{name}: {told}");
        }
        for name in
            ["BANNERET_RATE", "BANNERET_CONFIG", "BANNERET_NAGIOS", "BANNERET_GROUP_BY", "BANNERETTE", "RATE"]
        {
            assert_eq!(of(&[(name, "x")]).mistake(&Cli::command()), None, "{name}");
        }
    }

    #[test]
    fn what_kubernetes_makes_of_a_service_is_passed_over() {
        let made = of(&[
            ("BANNERET_SERVICE_HOST", "10.0.0.1"),
            ("BANNERET_SERVICE_PORT", "25"),
            ("BANNERET_SERVICE_PORT_SMTP", "25"),
            ("BANNERET_PORT", "tcp://10.0.0.1:25"),
            ("BANNERET_PORT_25_TCP", "tcp://10.0.0.1:25"),
            ("BANNERET_PORT_25_TCP_PROTO", "tcp"),
        ]);
        assert_eq!(made.mistake(&Cli::command()), None);
        assert_eq!(
            made.passed_over().unwrap(),
            "passed over `BANNERET_PORT` and 5 more, as Kubernetes sets them for a service called `banneret`"
        );
        let ours = of(&[("BANNERET_PORT", "25,587")]);
        assert_eq!((ours.mistake(&Cli::command()), ours.passed_over()), (None, None));
        for name in ["BANNERET_PORTS", "BANNERET_SERVICES", "BANNERET_PORT_X"] {
            assert!(of(&[(name, "1")]).mistake(&Cli::command()).is_some(), "{name}");
        }
    }
}
