//! `detainerctl`: the server's client for people at a terminal and for scripts.
//!
//! One file for each group of commands; [`context`] is what they share (server, credential, county, zones), [`output`]
//! how answers are written, [`parse`] how words, days, times and amounts are read. No rule of the field lives here: every
//! command is one call of the contract, or a few, and what comes back is shown as it is.
//!
//! To add a command: a variant in [`cli`], a file or function beside the others, a line in [`cli::run`].

mod agreement;
mod board;
mod booking;
mod booking_fact;
mod booking_show;
mod books;
mod claim;
mod cli;
mod context;
mod correction;
mod county;
mod detainer;
mod events;
mod import;
mod output;
mod parse;
mod policy;
mod policy_chain;
mod policy_change;
mod policy_explain;
mod policy_file;
mod policy_simulate;
mod rate;
mod release;
mod report;
mod report_change;
mod review;
mod token;

use std::process::ExitCode;

use clap::Parser as _;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = cli::Cli::parse();
    match cli::run(arguments).await {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            eprintln!("detainerctl: {failure}");
            ExitCode::from(failure.code())
        }
    }
}
