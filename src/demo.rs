//! `detainerd demo`: the rehearsal county, loaded through the public calls of the server that runs beside it, and shown.
//!
//! A client like any other: it knows the server's address and the first credential's file, and nothing else. Everything
//! it prints is in the answers of the server.

use anyhow::Context as _;
use chrono::NaiveDate;
use detainer::client::rehearsal::{self, Loaded, show};
use detainer::client::{Client, Credential, connect};
use detainer::pb::GroupBy;
use detainer::sheet::table::{Format, Look};
use indicatif::{ProgressBar, ProgressStyle};
use std::fmt::Write as _;
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

/// Columns of the tables.
const WIDTH: u16 = 110;

/// Loads what is not there yet, prints the board and the cost report, and says what to try next.
pub async fn run(listens: SocketAddr, data_dir: &Path) -> anyhow::Result<()> {
    let file = Credential::file_of(data_dir, "admin");
    let credential = Credential::file(&file).with_context(|| {
        format!("the demonstration is loaded with the first credential, which {} should hold", file.display())
    })?;
    let server = format!("http://{}", reachable(listens));
    let client = Client::connect(&server, credential).await?;
    let loaded = load(&client).await?;
    let mut out = std::io::stdout().lock();
    match loaded.recorded {
        0 => writeln!(out, "The rehearsal county was there already; nothing was loaded.\n")?,
        stays => {
            writeln!(out, "The rehearsal county is loaded: {stays} stays of 2013 to 2017, and some persons in custody now.\n")?
        }
    }
    let look = Look { format: Format::Table, utc: false, width: WIDTH };
    show::print_board(&client, &loaded.county, &mut out, look).await?;
    writeln!(out)?;
    let period = (day(2013), day(2018));
    let by = [GroupBy::Revision, GroupBy::Agreement];
    show::print_cost_report(&client, &loaded.county, period, &by, &mut out, look).await?;
    out.write_all(next(&server, data_dir).as_bytes())?;
    out.flush()?;
    Ok(())
}

async fn load(client: &Client) -> anyhow::Result<Loaded> {
    let bar = ProgressBar::new(0);
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let loaded = rehearsal::load(client, client, |progress| {
        bar.set_length(u64::try_from(progress.total).unwrap_or(0));
        bar.set_position(u64::try_from(progress.done).unwrap_or(0));
        bar.set_message(progress.what);
    })
    .await;
    bar.finish_and_clear();
    loaded.context("the rehearsal county could not be loaded")
}

fn day(year: i32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, 1, 1).unwrap_or_default()
}

/// Where a client of this machine reaches a server that listens there.
fn reachable(listens: SocketAddr) -> SocketAddr {
    if listens.ip().is_unspecified() { SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), listens.port()) } else { listens }
}

/// Commands to try, as they have to be typed here.
fn next(server: &str, data_dir: &Path) -> String {
    let cargo = std::env::var_os("CARGO_MANIFEST_DIR").is_some();
    let mut ctl = if cargo { "cargo run --release --bin detainerctl --" } else { "detainerctl" }.to_owned();
    if server != connect::DEFAULT_SERVER {
        let _ = write!(ctl, " --server {server}");
    }
    if data_dir != Path::new("./detainer-data") {
        let _ = write!(ctl, " --data-dir {}", data_dir.display());
    }
    let lines = [
        ("who is held, and until when; Ctrl-C ends it", "board --watch"),
        ("may this person be held? (exit code 3: no)", "check-release N-06-over"),
        ("the stay of one person, stretch by stretch", "timeline N-02-running"),
        ("three policies, and the papers that adopted them", "policy history"),
        ("how requests were answered, by policy", "report decisions --from 2013-01-01 --to 2018-01-01 --group-by revision"),
        ("2014 to 2016 had the county honored every request", "policy simulate honor-always --from 2014-01-01 --to 2017-01-01"),
        ("the same years under three policies", "report modes decline-all --from 2014-01-01 --to 2017-01-01"),
        ("every hold of 2015, for a spreadsheet", "report holds --from 2015-01-01 --to 2016-01-01 --format csv"),
        ("what was recorded, when and by whom", "events"),
    ];
    let mut text = "\nTry next, in another terminal:\n".to_owned();
    for (why, command) in lines {
        let _ = write!(text, "\n  # {why}\n  {ctl} {command}\n");
    }
    text.push_str("\nThe server stays up until Ctrl-C. Starting it again keeps what is there.\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_name_only_what_differs_from_the_defaults() {
        let plain = next(connect::DEFAULT_SERVER, Path::new("./detainer-data"));
        assert!(plain.contains("board --watch\n") && !plain.contains("--server") && !plain.contains("--data-dir"), "{plain}");
        let other = next("http://127.0.0.1:7", Path::new("/x"));
        assert!(other.contains(" --server http://127.0.0.1:7 --data-dir /x board --watch\n"), "{other}");
    }

    #[test]
    fn a_server_that_listens_everywhere_is_reached_here() {
        let of = |text: &str| reachable(text.parse().unwrap()).to_string();
        assert_eq!(of("0.0.0.0:7"), "127.0.0.1:7");
        assert_eq!(of("[::]:7"), "127.0.0.1:7");
        assert_eq!(of("192.0.2.1:7"), "192.0.2.1:7");
    }
}
