//! Credentials.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use detainer::client::Credential;
use detainer::pb;
use detainer::sheet::table::{Cell, Table, column, more};
use detainer::sheet::{names, time, words};

use crate::context::{As, Context, Failure};
use crate::output;
use crate::parse::In;

/// What to do with credentials.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a token and print its secret, once. It names one person or system.
    ///
    /// Example: detainerctl token create --person jail-desk --role records --county dade --save
    Create(Create),
    /// List tokens, without their secrets.
    List,
    /// Take a token back, at once.
    Revoke {
        /// The token's id, as `token list` shows it.
        id: String,
    },
}

/// Makes a token.
#[derive(Debug, Args)]
pub struct Create {
    /// The person or system it names: the actor of every record made with it.
    #[arg(long, default_value = "operator", value_name = "NAME")]
    person: String,
    /// What it may do; may be given more than once.
    #[arg(long, required = true, value_name = "ROLE")]
    role: Vec<In<pb::Role>>,
    /// When it stops. Left out: never.
    #[arg(long, value_name = "TIME")]
    expires: Option<String>,
    /// What it is for.
    #[arg(long, default_value = "", hide_default_value = true)]
    name: String,
    /// Write the secret to this file, readable by its owner only, and print nothing of it.
    #[arg(long, value_name = "FILE", conflicts_with = "save")]
    out: Option<PathBuf>,
    /// Write the secret into the data folder, where detainerctl looks for it: as ROLE.COUNTY.token, or as ROLE.token where
    /// no county is named. A file that is there already is left.
    #[arg(long)]
    save: bool,
}

pub async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::Create(make) => create(context, make).await,
        Command::List => list(context).await,
        Command::Revoke { id } => {
            let client = context.client(As::Administrator).await?;
            let name = if id.starts_with("tokens/") { id.clone() } else { format!("tokens/{id}") };
            let request = pb::RevokeTokenRequest { name, request_id: detainer::client::ids::request_id(), validate_only: false };
            client.revoke_token(request).await?;
            println!("Token {id} is taken back.");
            Ok(())
        }
    }
}

/// A token for a county, or for all where none is named.
async fn create(context: &Context, make: Create) -> Result<(), Failure> {
    let file = make.out.clone().or_else(|| make.save.then(|| place(context, &make.role)));
    if make.save
        && let Some(file) = file.as_ref().filter(|file| file.exists())
    {
        let file = file.display();
        return Err(Failure::Usage(format!("{file} is there already: remove it first, or name another file with --out")));
    }
    let client = context.client(As::Administrator).await?;
    let expires = make.expires.as_deref().map(|text| time::read(text, chrono_tz::Tz::UTC, context.now())).transpose()?;
    let request = pb::CreateTokenRequest {
        person: make.person.clone(),
        request_id: detainer::client::ids::request_id(),
        validate_only: false,
        roles: make.role.iter().map(|role| i32::from(*role)).collect(),
        counties: context.named_county().into_iter().collect(),
        expire_time: expires.map(time::stamp),
        display_name: make.name,
    };
    let answer = client.create_token(request).await?;
    let token = answer.token.unwrap_or_default();
    let id = names::id(&token.name);
    match file {
        Some(file) => {
            keep(&file, &answer.secret)?;
            println!("Token {id} for {} is in {}.", make.person, file.display());
        }
        None => {
            eprintln!("Token {id} for {}. The secret is shown this once:", make.person);
            println!("{}", answer.secret);
        }
    }
    Ok(())
}

/// Where a token of these roles is looked for: an administrator's as `admin`, any other by its first role.
fn place(context: &Context, roles: &[In<pb::Role>]) -> PathBuf {
    let role = match roles.first().map(|role| role.0) {
        Some(pb::Role::Administrator) => "admin".to_owned(),
        role => role.map(words::word).unwrap_or_default(),
    };
    match context.named_county() {
        Some(county) => Credential::file_for(context.data_dir(), &role, names::id(&county)),
        None => Credential::file_of(context.data_dir(), &role),
    }
}

/// Writes a secret so that only its owner can read it.
fn keep(file: &Path, secret: &str) -> Result<(), Failure> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(file).and_then(|mut out| writeln!(out, "{secret}"));
    written.map_err(|error| Failure::Other(format!("{}: {error}; the secret is {secret}", file.display())))
}

async fn list(context: &Context) -> Result<(), Failure> {
    let client = context.client(As::Administrator).await?;
    let columns = vec![
        column("token", "TOKEN"),
        column("person", "PERSON"),
        column("roles", "ROLES"),
        column("counties", "COUNTIES"),
        column("create_time", "MADE"),
        column("expire_time", "STOPS"),
        column("revoke_time", "TAKEN BACK"),
        more("display_name"),
    ];
    let mut table = Table::new("", columns, "There is no token.");
    let county = context.named_county().unwrap_or_default();
    let mut page_token = String::new();
    loop {
        let request = pb::ListTokensRequest { county: county.clone(), page_size: 1_000, page_token };
        let page = client.list_tokens(request).await?;
        table.rows.extend(page.tokens.iter().map(row));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return output::table(context, &table);
        }
    }
}

fn row(token: &pb::Token) -> Vec<Cell> {
    let utc = chrono_tz::Tz::UTC;
    let roles: Vec<String> = token.roles.iter().map(|role| words::word_of::<pb::Role>(*role)).collect();
    let counties: Vec<&str> = token.counties.iter().map(|county| names::id(county)).collect();
    vec![
        Cell::text(names::id(&token.name)),
        Cell::text(token.person.as_str()),
        Cell::text(roles.join(" ")),
        Cell::text(if counties.is_empty() { "(all)".to_owned() } else { counties.join(" ") }),
        Cell::time(token.create_time.as_ref(), utc),
        Cell::time(token.expire_time.as_ref(), utc),
        Cell::time(token.revoke_time.as_ref(), utc),
        Cell::text(token.display_name.as_str()),
    ]
}
