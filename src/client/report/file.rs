//! Files that are there whole or not at all: written beside their place, summed up on the way, renamed at the end.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;

/// A file that is being written. Dropped before [`Pending::keep`], it leaves nothing, and what was there stays.
#[derive(Debug)]
pub struct Pending {
    file: BufWriter<NamedTempFile>,
    sum: Sha256,
    path: PathBuf,
}

impl Pending {
    /// Begins a file for a path, in the folder where it shall be.
    ///
    /// # Errors
    /// Where no file can be made there; the message names the path.
    pub fn new(path: &Path) -> io::Result<Self> {
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let mut builder = tempfile::Builder::new();
        builder.prefix(".report-").suffix(".part");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            // As any other file: the process's own mask takes from it.
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        let file = builder.tempfile_in(folder).map_err(|error| named(path, &error))?;
        Ok(Self { file: BufWriter::new(file), sum: Sha256::new(), path: path.to_owned() })
    }

    /// Renames it into its place, on disk before it is; the SHA-256 of its bytes.
    ///
    /// # Errors
    /// As the file's.
    pub fn keep(self) -> io::Result<[u8; 32]> {
        let Self { file, sum, path } = self;
        let file = file.into_inner().map_err(|error| named(&path, &error.into_error()))?;
        file.as_file().sync_all().map_err(|error| named(&path, &error))?;
        file.persist(&path).map_err(|error| named(&path, &error.error))?;
        Ok(sum.finalize().into())
    }
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

impl Write for Pending {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes).map_err(|error| named(&self.path, &error))?;
        self.sum.update(bytes.get(..written).unwrap_or(bytes));
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush().map_err(|error| named(&self.path, &error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_there_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cost.csv");
        let names = || -> Vec<_> { std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect() };
        let mut cut = Pending::new(&path).unwrap();
        cut.write_all(b"half").unwrap();
        drop(cut);
        assert_eq!(names().len(), 0);
        let mut whole = Pending::new(&path).unwrap();
        whole.write_all(b"whole").unwrap();
        assert!(!path.exists());
        assert_eq!(whole.keep().unwrap(), <[u8; 32]>::from(Sha256::digest(b"whole")));
        assert_eq!((std::fs::read(&path).unwrap(), names().len()), (b"whole".to_vec(), 1));
        // What is there stays until another is whole.
        let mut cut = Pending::new(&path).unwrap();
        cut.write_all(b"other").unwrap();
        drop(cut);
        assert_eq!(std::fs::read(&path).unwrap(), b"whole");
        let error = Pending::new(&folder.path().join("no/such/folder.csv")).unwrap_err();
        assert!(error.to_string().contains("no/such/folder.csv"), "{error}");
    }
}
