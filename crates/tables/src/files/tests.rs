//! Tests of reading files.
#![allow(clippy::unwrap_used)]

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;
use crate::mutations::Lcg;

/// The columns, and the rows with their lines.
type Content = (Vec<String>, Vec<(u64, Vec<String>)>);

/// Reads bytes: columns and rows with their lines.
fn read(bytes: &[u8], format: &FormatConfig) -> Result<Content, TableError> {
    let stream = Box::new(Cursor::new(bytes.to_vec()));
    let mut reader = RowReader::from_stream(Path::new("table.csv"), stream, format)?;
    let num_columns = reader.columns().len();
    let mut rows = Vec::new();
    while let Some(row) = reader.next_row()? {
        assert_eq!(row.len(), num_columns);
        rows.push((
            row.line,
            (0..row.len())
                .map(|column| row.cell(column).to_owned())
                .collect(),
        ));
    }
    Ok((reader.columns().to_vec(), rows))
}

fn read_all(bytes: &[u8]) -> Content {
    read(bytes, &FormatConfig::default()).unwrap()
}

fn error(bytes: &[u8]) -> String {
    read(bytes, &FormatConfig::default())
        .unwrap_err()
        .to_string()
}

fn error_with_comma(text: &str) -> String {
    let format = FormatConfig {
        delimiter: Some(Delimiter::Char(',')),
        quote: Some('"'),
        decimal: Some('.'),
        ..FormatConfig::default()
    };
    read(text.as_bytes(), &format).unwrap_err().to_string()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn utf16(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(to_bytes).collect()
}

const TABLE: &str = "größe,sorte\n1.5,Müßig\n2.5,𝄞\n";

#[test]
fn text_reads_the_same_in_every_encoding() {
    let (columns, rows) = read_all(TABLE.as_bytes());
    assert_eq!(columns, ["größe", "sorte"]);
    assert_eq!(rows[0], (2, vec!["1.5".to_owned(), "Müßig".to_owned()]));
    let with_mark = format!("\u{feff}{TABLE}");
    for bytes in [
        with_mark.clone().into_bytes(),
        utf16(&with_mark, u16::to_le_bytes),
        utf16(&with_mark, u16::to_be_bytes),
        gzip(TABLE.as_bytes()),
        gzip(&utf16(&with_mark, u16::to_le_bytes)),
    ] {
        assert_eq!(read_all(&bytes), (columns.clone(), rows.clone()));
    }
    let plain = utf16("ab,cd\n1,2\n", u16::to_le_bytes);
    assert_eq!(read_all(&plain).0, ["ab", "cd"], "UTF-16 without a mark");
}

#[test]
fn bytes_that_are_no_utf8_are_read_as_windows_1252() {
    let bytes = b"gr\xf6\xdfe,preis\n1,5 \x80\n2,x\xb0\n";
    let (columns, rows) = read_all(bytes);
    assert_eq!(columns, ["größe", "preis"]);
    assert_eq!(rows[0].1, ["1", "5 €"]);
    assert_eq!(rows[1].1, ["2", "x°"]);
    assert_eq!(
        error(b"a,b\n1,x\n2,\x82\xb1\x81\x5b\n"),
        "table.csv, line 3: expected text in UTF-8, or in Windows-1252; save the file as UTF-8, found the byte 0x81 of \
         another encoding"
    );
    // After more than the first part of the file.
    let mut late = "a,b\n".to_owned() + &"1,x\n".repeat(300_000);
    late.push_str("2,");
    let mut late = late.into_bytes();
    late.extend(b"\xfc\n");
    assert_eq!(
        read_all(&late).1.last(),
        Some(&(300_002, vec!["2".to_owned(), "ü".to_owned()]))
    );
}

#[test]
fn a_file_of_two_encodings_is_refused_with_its_line() {
    let mut bytes = "a,b\n1,ü\n".to_owned() + &"1,x\n".repeat(300_000);
    bytes.push_str("2,");
    let mut bytes = bytes.into_bytes();
    bytes.extend(b"\xfc\n");
    assert_eq!(
        error(&bytes),
        "table.csv, line 300003: expected UTF-8 as in the lines before, found other bytes"
    );
    let mark = [b"\xef\xbb\xbfa,b\n1,\xfc\n".as_slice()].concat();
    assert!(
        error(&mark).contains("line 2: expected UTF-8"),
        "{}",
        error(&mark)
    );
    let half = [0xff, 0xfe, b'a', 0, b','];
    assert!(
        error(&half).contains("not valid UTF-16"),
        "{}",
        error(&half)
    );
}

#[test]
fn all_members_of_a_gzipped_file_are_read() {
    let bytes = [gzip(b"a,b\n1,2\n"), gzip(b"3,4\n")].concat();
    assert_eq!(read_all(&bytes).1.len(), 2);
    let cut = &bytes[..bytes.len() - 9];
    assert!(matches!(
        read(cut, &FormatConfig::default()),
        Err(TableError::Io { .. })
    ));
}

#[test]
fn what_is_no_text_is_refused_with_advice() {
    let excel = [
        b"PK\x03\x04\x14\0\x06\0".as_slice(),
        &[0; 30],
        b"[Content_Types].xml",
    ]
    .concat();
    for (bytes, expected) in [
        (
            excel.as_slice(),
            "this looks like an Excel file; save it as CSV",
        ),
        (
            b"%PDF-1.7\n",
            "this looks like a PDF; save its table as CSV",
        ),
        (
            b"PAR1\x15\0",
            "this looks like a Parquet file; convert it with pandas: `read_parquet(…).to_csv(…, index=False)`",
        ),
        (
            b"<!DOCTYPE html>\n<html>",
            "this looks like a web page; download the file that it links to",
        ),
        (b"[{\"a\": 1}]", "this looks like JSON; save it as CSV"),
        (b"", "the file is empty"),
        (b"\n \n\n", "the file has no rows"),
    ] {
        assert_eq!(error(bytes), format!("table.csv: {expected}"));
    }
    assert_eq!(
        error(b"a,b\n1,2\n1,\x002\n"),
        "table.csv, line 3: expected text, found a NUL byte, which no text file has; save the file as UTF-8 if it is \
         in UTF-16 or UTF-32"
    );
}

#[test]
fn rows_of_another_length_are_refused_with_their_line() {
    for end in ["\n", "\r\n", "\r"] {
        let short = ["a,b,c", "1,2,3", "", "\"4\n4\",5,6", "7,8", "9,10,11"].join(end);
        assert_eq!(
            error(short.as_bytes()),
            "table.csv, line 6: expected 3 cells as in the header, found 2 cells"
        );
    }
    let long = error(b"1,2\n3,4\n5,6,7\n");
    assert_eq!(
        long,
        "table.csv, line 3: expected 2 cells as in the first row, found 3 cells"
    );
}

#[test]
fn a_delimiter_at_the_end_of_every_row_makes_no_column() {
    let expected = vec!["a".to_owned(), "b".to_owned()];
    for text in ["a,b,\n1,2,\n3,4,\n", "a,b\n1,2,\n3,4,\n"] {
        let (columns, rows) = read_all(text.as_bytes());
        assert_eq!(columns, expected);
        assert_eq!(rows[1].1, ["3", "4"]);
    }
    assert_eq!(read_all(b"1,2,\n3,4,\n").0, ["column_1", "column_2"]);
    let late = "a,b,\n".to_owned() + &"1,2,\n".repeat(2000) + "1,2,3\n";
    assert_eq!(
        error(late.as_bytes()),
        "table.csv, line 2002: expected nothing after the last delimiter, as in the other rows, found \"3\""
    );
    let quoted = read_all(b"a,b,c\n1,2,\n3,4,5\n");
    assert_eq!(
        quoted.0.len(),
        3,
        "a last column with missing values is a column"
    );
}

#[test]
fn a_line_of_delimiters_without_end_is_no_table() {
    let message = error(&b",".repeat(MAX_COLUMNS));
    assert_eq!(
        message,
        "table.csv, line 1: expected at most 100000 columns, found 100001 cells"
    );
}

#[test]
fn names_of_columns_are_unique_and_never_empty() {
    assert_eq!(
        error(b"id,x,y,x\n1,2,3,4\n"),
        "table.csv, line 1: expected one line with a name of its own for each column, found \"x\" as \
         the name of columns 2 and 4"
    );
    assert_eq!(
        read_all(b",x,y\n0,1.5,a\n1,2.5,b\n").0,
        ["column_1", "x", "y"]
    );
}

#[test]
fn the_keys_to_set_are_named_where_the_given_ones_do_not_fit() {
    let german = "Gewicht;Länge;Sorte\n10,66;4,25;Birne\n13,61;4,49;Apfel\n";
    assert_eq!(
        error_with_comma(german),
        "table.csv: with the delimiter \",\" the first line is one cell; set `delimiter = \";\"` and `decimal = \",\"`, which \
         gives 3 columns"
    );
    let german = "Gewicht;Sorte\n10,66;Birne\n13,61;Apfel\n";
    let message = error_with_comma(german);
    assert!(
        message.ends_with(
            "found 2 cells; set `delimiter = \";\"` and `decimal = \",\"`, which gives 2 columns"
        ),
        "{message}"
    );
    let quoted = "\"Gewicht\";\"Sorte\"\n10.66;Birne\n13.61;Apfel\n";
    let message = error_with_comma(quoted);
    assert!(
        message.ends_with("; set `delimiter = \";\"`, which gives 2 columns"),
        "{message}"
    );
    let single = "age,menopause\n'40-49','a,b'\n'50-59','c'\n'30-39','d'\n";
    let message = error_with_comma(single);
    assert!(
        message.ends_with("found 3 cells; set `quote = \"'\"`, which gives 2 columns"),
        "{message}"
    );
    assert!(error_with_comma("sep=;\na;b\n1;2\n").contains("`delimiter = \";\"`"));
}

#[test]
fn keys_that_no_table_can_have_are_refused() {
    let comma = Some(Delimiter::Char(','));
    for (key, format) in [
        (
            "delimiter",
            FormatConfig {
                delimiter: Some(Delimiter::Char('é')),
                ..FormatConfig::default()
            },
        ),
        (
            "quote",
            FormatConfig {
                quote: Some('“'),
                ..FormatConfig::default()
            },
        ),
        (
            "quote",
            FormatConfig {
                delimiter: comma,
                quote: Some(','),
                ..FormatConfig::default()
            },
        ),
        (
            "decimal",
            FormatConfig {
                decimal: Some(';'),
                ..FormatConfig::default()
            },
        ),
    ] {
        match read(b"a,b\n1,2\n", &format) {
            Err(TableError::Value(problem)) => assert_eq!(problem.key, key),
            other => panic!("{key}: {other:?}"),
        }
    }
}

#[test]
fn no_row_of_a_mutated_table_is_lost_without_an_error() {
    let mut rng = Lcg(1);
    let (mut num_read, mut num_refused) = (0, 0);
    for seed in 0..1000 {
        let delimiter = [',', ';', '\t', '|'][rng.below(4)];
        let end = ["\n", "\r\n", "\r"][rng.below(3)];
        let mut rows = vec![["id", "color", "size"].join(&delimiter.to_string())];
        for row in 0..20 {
            let color = ["red", "\"b\"\"lue\"", "grün", ""][rng.below(4)];
            rows.push(format!(
                "{row}{delimiter}{color}{delimiter}{}.5",
                rng.below(100)
            ));
        }
        let mut bytes = rows.join(end).into_bytes();
        rng.mutate(&mut bytes);
        let format = FormatConfig {
            delimiter: Some(Delimiter::Char(delimiter)),
            quote: Some('"'),
            header: Some(true),
            ..FormatConfig::default()
        };
        match read(&bytes, &format) {
            Ok((columns, rows)) => {
                num_read += 1;
                assert_eq!(
                    rows.len() + 1 + num_titles(&bytes, &format),
                    count_rows(&String::from_utf8_lossy(&bytes), delimiter),
                    "seed {seed}: {:?}",
                    String::from_utf8_lossy(&bytes)
                );
                assert!(!columns.is_empty());
            }
            Err(error) => {
                num_refused += 1;
                assert!(error.to_string().contains("table.csv"), "{error}");
            }
        }
        // Whatever is found out, nothing panics.
        let _ = read(&bytes, &FormatConfig::default());
    }
    assert!(
        num_read > 200 && num_refused > 200,
        "{num_read} read, {num_refused} refused"
    );
}

fn num_titles(bytes: &[u8], format: &FormatConfig) -> usize {
    let stream = Box::new(Cursor::new(bytes.to_vec()));
    let reader = RowReader::from_stream(Path::new("table.csv"), stream, format).unwrap();
    reader.format().title.lines().count()
}

/// The number of lines outside quotes that are not blank, counted apart from the reader. A quote opens at the start of
/// a cell only.
fn count_rows(text: &str, delimiter: char) -> usize {
    let (mut in_quotes, mut is_start, mut is_closed) = (false, true, false);
    let outside = text.chars().map(|c| {
        let toggles = c == '"' && (in_quotes || is_start || is_closed);
        is_closed = toggles && in_quotes;
        in_quotes ^= toggles;
        is_start = c == delimiter || c == '\r' || c == '\n' || is_start && c == ' ';
        if in_quotes && (c == '\r' || c == '\n') {
            '_'
        } else {
            c
        }
    });
    let outside: String = outside.collect();
    outside
        .split(['\r', '\n'])
        .filter(|line| {
            !line.trim_matches([' ', '\t']).is_empty() || delimiter == '\t' && line.contains('\t')
        })
        .count()
}

#[test]
fn a_header_without_a_name_for_the_names_of_rows_is_read_as_in_r() {
    for text in [
        "a,b,y\n1,0.5,2,yes\n2,1.5,3,no\n",
        "\"a\" \"b\" \"y\"\n\"1\" 0.5 2 \"yes\"\n\"2\" 1.5 3 \"no\"\n",
    ] {
        let (columns, rows) = read_all(text.as_bytes());
        assert_eq!(columns, ["column_1", "a", "b", "y"]);
        assert_eq!(
            rows[0],
            (2, ["1", "0.5", "2", "yes"].map(str::to_owned).to_vec())
        );
        assert_eq!(rows.len(), 2);
    }
    // Not where one row has another length, where names repeat, or without a header.
    for text in ["a,b\n1,2,3\n4,5\n", "a,b\n1,2,3\n1,5,6\n"] {
        assert!(
            error(text.as_bytes()).contains("expected 2 cells"),
            "{text}"
        );
    }
    let format = FormatConfig {
        header: Some(false),
        ..FormatConfig::default()
    };
    let rows = "1,2\n3,4,5\n6,7,8\n";
    assert!(read(rows.as_bytes(), &format).is_err());
}

#[test]
fn lines_that_are_no_rows_are_refused_with_what_they_are() {
    for (text, expected) in [
        (
            "a,b\n1,2\na,b\n3,4\n",
            "line 3: expected a row of values; delete the line, found the names of the columns again",
        ),
        (
            "|a|b|\n|---|:---:|\n|1|2|\n|3|4|\n",
            "line 2: expected a row of values; delete the line, found a line of dashes",
        ),
        (
            "a,b\n1,2\n(2 rows affected)\n",
            "line 3: expected 2 cells as in the header, found 1 cell, \"(2 rows affected)\"; delete the line if it is no row",
        ),
        (
            "a,b\n1,2\n\u{1a}\n3,4\n",
            "line 3: expected the end of the file behind Ctrl-Z, found more rows",
        ),
    ] {
        let message = error(text.as_bytes());
        assert!(message.contains(expected), "{message}");
    }
    assert_eq!(read_all(b"a,b\n1,2\n3,4\n\x1a").1.len(), 2);
    assert_eq!(read_all(b"a,b\n-,-\n3,4\n").1.len(), 2);
}

#[test]
fn files_of_other_programs_are_refused_with_what_they_are() {
    for (bytes, expected) in [
        (
            b"PK\x03\x04\x14\0table.csv".as_slice(),
            "a zip archive; unpack it first",
        ),
        (b"ARROW1\0\0", "a Feather file"),
        (b"\x80\x05\x95\x01", "a pickle of Python"),
        (b"$FL2@(#)", "an SPSS file"),
        (b"<?xml version=\"1.0\"?>", "XML"),
        (b"<table><tr><td>1", "a table in HTML"),
        (b"\xff\xfe\0\0a\0\0\0", "text in UTF-32"),
    ] {
        let message = error(bytes);
        assert!(message.contains(expected), "{message}");
    }
}
