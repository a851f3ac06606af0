//! What the headers of an archive may ask for, before the archive is read.

use std::io::{self, Read};

use tar::{EntryType, Header};

const BLOCK: u64 = 512;

/// Longest name of a file, or set of extended attributes; the reader of archives keeps each in memory.
const MAX_EXTENSION: u64 = 1024 * 1024;

/// Passes an archive on as long as nothing is wrong with it.
pub(super) struct TarGuard<R> {
    inner: R,
    header: Vec<u8>,
    /// Bytes until the next header.
    body: u64,
}

impl<R: Read> TarGuard<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { inner, header: Vec::new(), body: 0 }
    }

    fn look_at(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let skipped = usize::try_from(self.body).unwrap_or(usize::MAX).min(bytes.len());
            self.body -= skipped as u64;
            bytes = &bytes[skipped..];
            let (part, rest) = bytes.split_at(bytes.len().min(BLOCK as usize - self.header.len()));
            self.header.extend_from_slice(part);
            bytes = rest;
            if self.header.len() as u64 == BLOCK {
                self.body = body(Header::from_byte_slice(&self.header))?;
                self.header.clear();
            }
        }
        Ok(())
    }
}

/// How long the body behind this header is.
fn body(header: &Header) -> io::Result<u64> {
    if header.as_bytes().iter().all(|byte| *byte == 0) {
        return Ok(0);
    }
    let (kind, size) = (header.entry_type(), header.entry_size()?);
    let is_extension =
        matches!(kind, EntryType::GNULongName | EntryType::GNULongLink | EntryType::XHeader | EntryType::XGlobalHeader);
    if is_extension && size > MAX_EXTENSION {
        return Err(io::Error::other(format!("a name or attribute of {size} bytes; at most {MAX_EXTENSION} are read")));
    }
    if kind == EntryType::GNUSparse {
        return Err(io::Error::other("sparse files are not supported by the local endpoint"));
    }
    size.checked_next_multiple_of(BLOCK).ok_or_else(|| io::Error::other("an entry without end"))
}

impl<R: Read> Read for TarGuard<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.look_at(&buffer[..length])?;
        Ok(length)
    }
}
