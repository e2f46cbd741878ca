//! Compiles the contract. `protox` stands for protoc, so that a fresh clone needs nothing installed.
//!
//! Two descriptor sets come out of one compilation: the whole one, with comments, is written to `OUT_DIR` for server
//! reflection; code is made only for `detainer.v1`. The journal's records have a codec of their own.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use prost::Message as _;

/// Where the contract lies.
const ROOT: &str = "proto";
/// The package that code is made for.
const PUBLIC: &str = "proto/detainer/v1";
/// Described to reflection, where it is there; no code is made for it.
const JOURNAL: &str = "proto/detainer/journal/v1";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={ROOT}");
    // `migrate!` reads the migrations while the crate compiles, and nothing else would notice a new one. A path that is
    // not there would count as changed each time.
    if Path::new("migrations").exists() {
        println!("cargo::rerun-if-changed=migrations");
    }

    let public = protos(Path::new(PUBLIC))?;
    let mut all = public.clone();
    all.extend(protos(Path::new(JOURNAL))?);

    let described = protox::compile(&all, [ROOT])?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    fs::write(out.join("detainer.v1.bin"), described.encode_to_vec())?;

    let coded = protox::compile(&public, [ROOT])?;
    tonic_prost_build::configure().build_client(true).build_server(true).compile_fds(coded)?;
    Ok(())
}

/// The `.proto` files of a folder, sorted; none where there is no such folder.
fn protos(folder: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "proto") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
