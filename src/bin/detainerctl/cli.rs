//! The command line as a whole.

use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser as _};
use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use detainer::client::connect::DEFAULT_SERVER;
use detainer::sheet::table::Format;

use crate::context::{Context, Failure};
use crate::{
    agreement, board, booking, books, claim, correction, county, detainer as detainers, events, import, policy, rate, release,
    report, review, token,
};

const AFTER: &str = "\
Exit codes:
  0  done; for check-release: something covers the custody
  1  the server refused, or the command failed
  2  the command line, or a policy file, is wrong
  3  check-release: nothing covers the custody, or nobody knows what does
  4  no server answers
  5  import: done, but some rows were rejected

Credentials:
  --token-file, or DETAINERCTL_TOKEN_FILE, names a file that holds a token. Without it, the data folder is
  looked into: for what records staff write records.COUNTY.token, records.token and admin.token in this
  order, for everything else admin.COUNTY.token and admin.token first. `token create --save` writes them.

Times:
  2024-03-15T17:00:00-04:00 is exact. `2024-03-15 17:00` is local, and 2024-03-15 the first instant of that
  day: in the facility's zone for custody, in the county's for policies and agreements. `now` is now.

Examples:
  detainerctl county create dade --name \"Miami-Dade County\" --zone America/New_York --state FL
  detainerctl token create --person jail-desk --role records --county dade --save
  detainerctl --county dade board --watch
  detainerctl --county dade check-release 2024-000123
  detainerctl --county dade report cost --from 2024-01-01 --to 2024-02-01 --group-by facility --format csv";

/// Asks and tells a detainerd server: who is held on an immigration detainer, by what right, until when.
#[derive(Debug, Parser)]
#[command(name = "detainerctl", version, after_long_help = AFTER, after_help = "Try --help for exit codes and examples.")]
pub struct Cli {
    #[command(flatten)]
    pub globals: Globals,
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Options of every command")]
pub struct Globals {
    /// Where the server is.
    #[arg(long, global = true, env = "DETAINERCTL_SERVER", default_value = DEFAULT_SERVER, value_name = "URL")]
    pub server: String,
    /// File that holds the token to use.
    #[arg(long, global = true, env = "DETAINERCTL_TOKEN_FILE", value_name = "FILE", value_parser = OsStringValueParser::new().map(PathBuf::from))]
    pub token_file: Option<PathBuf>,
    /// The server's data folder, where its first token lies.
    #[arg(long, global = true, env = "DETAINERCTL_DATA_DIR", default_value = "detainer-data", value_name = "DIR")]
    pub data_dir: PathBuf,
    /// The county. May be left out where the token reaches exactly one.
    #[arg(long, global = true, env = "DETAINERCTL_COUNTY", value_name = "COUNTY")]
    pub county: Option<String>,
    /// Show times in UTC rather than in the zone of the place.
    #[arg(long, global = true)]
    pub utc: bool,
    /// How answers are written.
    #[arg(long, global = true, value_enum, default_value_t = FormatName::Table, value_name = "FORMAT")]
    pub format: FormatName,
    /// Seconds that one call may take.
    #[arg(long, global = true, default_value_t = 30, value_name = "SECONDS")]
    pub timeout: u64,
}

/// How answers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FormatName {
    /// For people.
    Table,
    /// For spreadsheets: exact times, decimal amounts, lengths in seconds.
    Csv,
    /// For programs: exact times, cents, seconds.
    Json,
}

impl From<FormatName> for Format {
    fn from(name: FormatName) -> Self {
        match name {
            FormatName::Table => Self::Table,
            FormatName::Csv => Self::Csv,
            FormatName::Json => Self::Json,
        }
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// May this person be held right now? Exit code 3: nothing covers the custody.
    CheckRelease(release::CheckRelease),
    /// Who is held on a detainer, until when, and who must be out.
    Board(board::Board),
    /// Every stretch of a booking, with its basis or authority.
    Timeline(release::Timeline),
    /// Bookings: create, show, list, open and close bases, facts, moves, release.
    #[command(subcommand)]
    Booking(booking::Command),
    /// Detainers: record, show, list, serve, lift, override, and what is owed because of them.
    #[command(subcommand)]
    Detainer(detainers::Command),
    /// Reviews: what waits for a person to look, and what that person says.
    #[command(subcommand)]
    Review(review::Command),
    /// Corrections of what was recorded wrong, some by two persons.
    #[command(subcommand)]
    Correction(correction::Command),
    /// The policy: switch, preview, activate, confirm, show, history; policy files: check, show, diff, make.
    #[command(subcommand)]
    Policy(policy::Command),
    /// Agreements: written federal promises to pay.
    #[command(subcommand)]
    Agreement(agreement::Command),
    /// What a day in a facility costs.
    #[command(subcommand)]
    Rate(rate::Command),
    /// Holds, decisions, cost, over-detention of a period, and why a figure changed; last month unless told otherwise.
    #[command(subcommand)]
    Report(report::Command),
    /// Claims: what agreements owe, asked for in portions, and what became of it.
    #[command(subcommand)]
    Claim(claim::Command),
    /// Books: periods that are closed and never rewritten.
    #[command(subcommand)]
    Books(books::Command),
    /// Load a file of earlier records.
    Import(import::Import),
    /// Counties.
    #[command(subcommand)]
    County(county::CountyCommand),
    /// Facilities of a county.
    #[command(subcommand)]
    Facility(county::FacilityCommand),
    /// The county's journal: what was recorded, when and by whom.
    Events(events::Events),
    /// Credentials.
    #[command(subcommand)]
    Token(token::Command),
    /// Print completions for a shell, for example: detainerctl completions bash > /etc/bash_completion.d/detainerctl
    Completions {
        /// The shell.
        shell: Shell,
    },
}

/// Carries out a command line; answers the exit code.
pub async fn run(cli: Cli) -> Result<u8, Failure> {
    let context = Context::new(cli.globals);
    match cli.command {
        Command::CheckRelease(command) => return release::check(&context, &command).await,
        Command::Import(command) => return import::run(&context, &command).await,
        Command::Board(command) => board::run(&context, &command).await?,
        Command::Timeline(command) => release::timeline(&context, &command).await?,
        Command::Booking(command) => booking::run(&context, command).await?,
        Command::Detainer(command) => detainers::run(&context, command).await?,
        Command::Review(command) => review::run(&context, command).await?,
        Command::Correction(command) => correction::run(&context, command).await?,
        Command::Policy(command) => policy::run(&context, command).await?,
        Command::Agreement(command) => agreement::run(&context, command).await?,
        Command::Rate(command) => rate::run(&context, command).await?,
        Command::Report(command) => report::run(&context, command).await?,
        Command::Claim(command) => claim::run(&context, command).await?,
        Command::Books(command) => books::run(&context, command).await?,
        Command::County(command) => county::run(&context, command).await?,
        Command::Facility(command) => county::run_facility(&context, command).await?,
        Command::Events(command) => events::run(&context, &command).await?,
        Command::Token(command) => token::run(&context, command).await?,
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "detainerctl", &mut std::io::stdout());
        }
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn examples_of_the_help_parse() {
        for line in AFTER.lines().filter_map(|line| line.trim().strip_prefix("detainerctl ")) {
            let words = line.replace("\"Miami-Dade County\"", "Miami-Dade");
            let parsed = Cli::try_parse_from(std::iter::once("detainerctl").chain(words.split(' ')));
            assert!(parsed.is_ok(), "{line}: {:?}", parsed.err());
        }
    }
}
