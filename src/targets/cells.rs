//! One line of CSV as its cells.

use csv::{ByteRecord, ReaderBuilder};

/// The cells of one line.
pub(super) fn split_cells(line: &[u8], delimiter: u8) -> Vec<String> {
    let mut reader = ReaderBuilder::new().has_headers(false).delimiter(delimiter).from_reader(line);
    let mut record = ByteRecord::new();
    // Reading from memory does not fail, and one record can't be uneven.
    if !reader.read_byte_record(&mut record).unwrap_or(false) {
        return Vec::new();
    }
    record.iter().map(|name| String::from_utf8_lossy(name).trim().to_owned()).collect()
}

/// The same, with the blanks around them.
pub(super) fn split_cells_untrimmed(line: &[u8], delimiter: u8) -> Vec<Vec<u8>> {
    let mut reader = ReaderBuilder::new().has_headers(false).delimiter(delimiter).from_reader(line);
    let mut record = ByteRecord::new();
    if !reader.read_byte_record(&mut record).unwrap_or(false) {
        return Vec::new();
    }
    record.iter().map(<[u8]>::to_vec).collect()
}
