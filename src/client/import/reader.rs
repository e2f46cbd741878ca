//! A file as groups of records: plain or gzip CSV, one group in memory at a time.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use flate2::read::MultiGzDecoder;
use sha2::{Digest as _, Sha256};

use super::ImportError;
use crate::client::mapping::{Mapping, Plan, Record, RowProblem};

/// How much of the file is read at a time, in bytes.
const BUFFER: usize = 64 * 1024;

/// A file being read.
pub(super) struct Rows {
    path: PathBuf,
    records: csv::ByteRecordsIntoIter<Box<dyn Read + Send>>,
    header: csv::StringRecord,
    digest: Arc<Mutex<Sha256>>,
    next: Option<Taken>,
}

/// One record, and what is wrong with its shape.
struct Taken {
    record: Record,
    problem: Option<RowProblem>,
}

/// One group, or what is wrong with a record of it.
pub(super) type Group = Result<Vec<Record>, (Vec<Record>, RowProblem)>;

/// Digests what passes through.
struct Digesting<R> {
    inner: R,
    digest: Arc<Mutex<Sha256>>,
}

impl<R: Read> Read for Digesting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let taken = self.inner.read(buffer)?;
        if let Ok(mut digest) = self.digest.lock() {
            digest.update(&buffer[..taken]);
        }
        Ok(taken)
    }
}

impl Rows {
    /// Opens a file. Gzip is known by its first two bytes, whatever the name.
    pub(super) fn open(path: &Path, mapping: &Mapping) -> Result<Self, ImportError> {
        let fail = |detail: String| ImportError::File { file: path.display().to_string(), detail };
        let packed = {
            let mut first = [0_u8; 2];
            let mut file = File::open(path).map_err(|error| fail(error.to_string()))?;
            file.read_exact(&mut first).is_ok() && first == [0x1f, 0x8b]
        };
        let file = File::open(path).map_err(|error| fail(error.to_string()))?;
        let digest = Arc::new(Mutex::new(Sha256::new()));
        let bytes = BufReader::with_capacity(BUFFER, Digesting { inner: file, digest: Arc::clone(&digest) });
        let text: Box<dyn Read + Send> = if packed { Box::new(MultiGzDecoder::new(bytes)) } else { Box::new(bytes) };
        let delimiter = u8::try_from(mapping.file.delimiter).unwrap_or(b',');
        let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(text);
        let header = reader.headers().map_err(|error| fail(error.to_string()))?.clone();
        if header.is_empty() || header.iter().all(str::is_empty) {
            return Err(fail("it has no header line".to_owned()));
        }
        Ok(Self { path: path.to_owned(), records: reader.into_byte_records(), header, digest, next: None })
    }

    /// The names of the columns.
    pub(super) fn header(&self) -> &csv::StringRecord {
        &self.header
    }

    /// SHA-256 of the file's bytes as they lie on disk; whole once every group was read.
    pub(super) fn digest(&self) -> Vec<u8> {
        self.digest.lock().map(|digest| digest.clone().finalize().to_vec()).unwrap_or_default()
    }

    /// The next group, or nothing at the end of the file. One record that cannot be read spoils its group, and no other.
    ///
    /// # Errors
    /// The file cannot be read on: the disk, or the packing, failed.
    pub(super) fn next_group(&mut self, plan: &Plan) -> Result<Option<Group>, ImportError> {
        let Some(Taken { record: first, mut problem }) = self.take()? else { return Ok(None) };
        let key = match plan.group(&first) {
            Ok(Some(key)) => key.into_owned(),
            Ok(None) => return Ok(Some(grouped(vec![first], problem))),
            Err(unclear) => {
                let unclear = RowProblem { line: first.line, field: "file.group_by".to_owned(), problem: unclear };
                return Ok(Some(grouped(vec![first], problem.or(Some(unclear)))));
            }
        };
        let mut group = vec![first];
        while let Some(mut next) = self.take()? {
            if plan.group(&next.record).ok().flatten().as_deref() != Some(key.as_str()) {
                self.next = Some(next);
                break;
            }
            next.record.place = group.len() + 1;
            problem = problem.or(next.problem);
            group.push(next.record);
        }
        Ok(Some(grouped(group, problem)))
    }

    fn take(&mut self) -> Result<Option<Taken>, ImportError> {
        if let Some(next) = self.next.take() {
            return Ok(Some(next));
        }
        match self.records.next() {
            None => Ok(None),
            Some(Ok(bytes)) => Ok(Some(self.taken(bytes))),
            Some(Err(error)) => {
                let detail = format!("it cannot be read on: {error}");
                Err(ImportError::File { file: self.path.display().to_string(), detail })
            }
        }
    }

    fn taken(&self, bytes: csv::ByteRecord) -> Taken {
        let line = bytes.position().map_or(0, csv::Position::line);
        let problem = |problem: String| Some(RowProblem { line, field: String::new(), problem });
        let (width, expected) = (bytes.len(), self.header.len());
        let (fields, mut wrong) = match csv::StringRecord::from_byte_record(bytes) {
            Ok(fields) => (fields, None),
            Err(error) => {
                (csv::StringRecord::from_byte_record_lossy(error.into_byte_record()), problem("it is not UTF-8 text".to_owned()))
            }
        };
        if width != expected {
            wrong = problem(format!("it has {width} columns, and the header has {expected}"));
        }
        Taken { record: Record { line, place: 1, fields }, problem: wrong }
    }
}

fn grouped(records: Vec<Record>, problem: Option<RowProblem>) -> Group {
    match problem {
        None => Ok(records),
        Some(problem) => Err((records, problem)),
    }
}
