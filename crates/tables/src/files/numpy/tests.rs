#![allow(clippy::unwrap_used)]

use super::*;

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests-data")
        .join(name)
}

/// All rows with their numbers.
fn read(mut rows: NumpyRows) -> Result<Vec<(u64, Vec<String>)>, NumpyError> {
    let mut all = Vec::new();
    let mut cells = Vec::new();
    while let Some(number) = rows.next_row(&mut cells)? {
        all.push((number, cells.clone()));
    }
    Ok(all)
}

fn cells(name: &str) -> Vec<Vec<String>> {
    let rows = read(NumpyRows::open(&file(name)).unwrap()).unwrap();
    rows.into_iter().map(|(_, cells)| cells).collect()
}

fn refusal(name: &str, bytes: &[u8]) -> String {
    let rows = NumpyRows::parse(Path::new(name), bytes.to_vec());
    match rows {
        Err(problem) => problem,
        Ok(rows) => read(rows).unwrap_err().to_string(),
    }
}

/// A file of version 1.
fn npy(descr: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

#[test]
fn both_orders_of_a_matrix_and_of_bytes_give_the_same_rows() {
    // The rows of arrays.py.
    let expected = [["1", "-2.5"], ["0.1", "1e300"], ["NaN", "-inf"]];
    for name in ["matrix_c.npy", "matrix_fortran_big_endian.npy"] {
        assert_eq!(cells(name), expected, "{name}");
        assert_eq!(NumpyRows::open(&file(name)).unwrap().names(), None);
    }
}

#[test]
fn every_kind_of_number_and_text_is_read_exactly() {
    let rows = NumpyRows::open(&file("kinds.npz")).unwrap();
    // np.load("kinds.npz"): its arrays, one after the other. 0.1 is the nearest number of each size: float(f2[0]) is
    // 0.0999755859375.
    let expected = [
        ("f2", ["0.099975586", "-1.5", "65504"]),
        ("f4", ["0.1", "1e30", "-0"]),
        ("f8", ["0.1", "0.3333333333333333", "1.2345678901234567e19"]),
        ("i1", ["-128", "0", "127"]),
        ("i2", ["-32768", "0", "32767"]),
        ("i4", ["-2147483648", "0", "2147483647"]),
        ("i8", ["-9223372036854775808", "0", "9223372036854775807"]),
        ("u1", ["0", "1", "255"]),
        ("u2", ["0", "1", "65535"]),
        ("u4", ["0", "1", "4294967295"]),
        ("u8", ["0", "1", "18446744073709551615"]),
        ("yes", ["true", "false", "true"]),
        ("word", ["ä", "", "two words"]),
        ("big", ["no", "yes", "é,è"]),
        ("ascii", ["a", "bc", ""]),
    ];
    let names: Vec<_> = expected.iter().map(|(name, _)| *name).collect();
    assert_eq!(rows.names().unwrap(), names);
    for (i, (number, row)) in read(rows).unwrap().iter().enumerate() {
        assert_eq!(*number, i as u64 + 1);
        let column: Vec<_> = expected.iter().map(|(_, values)| values[i]).collect();
        assert_eq!(*row, column);
    }
}

#[test]
fn a_matrix_and_a_vector_stand_side_by_side() {
    let rows = NumpyRows::open(&file("features_and_labels.npz")).unwrap();
    assert_eq!(rows.names().unwrap(), ["X_1", "X_2", "y"]);
    // np.column_stack([X, y])
    assert_eq!(
        cells("features_and_labels.npz"),
        [["0", "0.25", "0"], ["0.5", "0.75", "1"], ["1", "1.25", "1"]]
    );
}

#[test]
fn what_is_no_table_is_refused() {
    for (name, expected) in [
        (
            "cube.npy",
            "expected an array [rows] or [rows, columns], found the shape [2, 3, 4]",
        ),
        (
            "complex.npy",
            "expected numbers of at most 64 bits, booleans or texts, found NumPy's type \"<c16\"",
        ),
        (
            "fields.npy",
            "expected numbers of at most 64 bits, booleans or texts, found a structure of fields",
        ),
        (
            "objects.npy",
            "expected numbers of at most 64 bits, booleans or texts, found NumPy's type \"|O\"",
        ),
        (
            "lengths.npz",
            "array \"y\": expected 3 rows, as in the first array, found 2",
        ),
        (
            "arrays.py",
            "expected NumPy's format .npy, found other bytes",
        ),
    ] {
        let path = file(name);
        let message = NumpyRows::open(&path).unwrap_err().to_string();
        assert_eq!(message, format!("{}: {expected}", path.display()));
    }
    let missing = NumpyRows::open(&file("none.npy")).unwrap_err().to_string();
    assert!(missing.contains("none.npy: "), "{missing}");
}

#[test]
fn text_that_is_not_unicode_is_refused_with_its_place() {
    let mut bytes = std::fs::read(file("kinds.npz")).unwrap();
    // The first character of `big`, 'n' as a big-endian number of four bytes, becomes 0x6e00006e.
    let place = bytes
        .windows(8)
        .position(|window| window == b"\0\0\0n\0\0\0o")
        .unwrap();
    bytes[place] = 0x6e;
    let message = refusal("kinds.npz", &bytes);
    assert!(
        message.starts_with("array \"big\": the archive is damaged: "),
        "{message}"
    );

    assert_eq!(
        refusal("t.npy", &npy("|S1", "(2,)", b"a\xe9")),
        "t.npy: row 2, column 1: expected Unicode text, found other bytes"
    );
}

#[test]
fn a_shape_that_does_not_fit_the_bytes_is_refused() {
    for (shape, expected) in [
        (
            "(3,)",
            "expected 6 bytes after the header for the shape [3], found 4",
        ),
        (
            "(1,)",
            "expected 2 bytes after the header for the shape [1], found 4",
        ),
        (
            "(9999999999999999999, 2)",
            "expected more than 2^64 bytes after the header for the shape [9999999999999999999, 2], found 4",
        ),
        (
            "(2, 0)",
            "expected an array [rows] or [rows, columns], found the shape [2, 0]",
        ),
        (
            "()",
            "expected an array [rows] or [rows, columns], found the shape []",
        ),
    ] {
        let bytes = npy("<i2", shape, &[1, 0, 2, 0]);
        assert_eq!(refusal("t.npy", &bytes), expected);
    }
}

#[test]
fn damaged_files_are_refused_or_read_without_a_panic() {
    for name in ["matrix_c.npy", "kinds.npz", "features_and_labels.npz"] {
        let whole = std::fs::read(file(name)).unwrap();
        for end in 0..whole.len() {
            assert!(
                NumpyRows::parse(Path::new(name), whole[..end].to_vec()).is_err(),
                "{name}: {end} bytes"
            );
        }
        for i in 0..whole.len() {
            for flip in [0x01, 0x55, 0xff] {
                let mut damaged = whole.clone();
                damaged[i] ^= flip;
                if let Ok(rows) = NumpyRows::parse(Path::new(name), damaged) {
                    let _ = read(rows);
                }
            }
        }
    }
}
