//! Tests of detecting formats.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use super::*;

fn found(text: &str) -> Format {
    detect(
        Path::new("table.csv"),
        text.as_bytes(),
        true,
        &FormatConfig::default(),
    )
    .unwrap()
    .format
}

fn assert_found(text: &str, delimiter: &str, header: bool) {
    let format = found(text);
    assert_eq!(
        (format.delimiter.to_string().as_str(), format.header),
        (delimiter, header),
        "{text:?}"
    );
}

#[test]
fn the_delimiter_is_found() {
    assert_found("a,b\n1,x\n2,y\n", ",", true);
    assert_found("a;b\n1,5;x\n2,5;y\n", ";", true);
    assert_found("10,66;4,25;Birne\n13,61;4,49;Apfel\n", ";", false);
    assert_found("a\tb\n1\tx, y\n2\ty, z\n", "tab", true);
    assert_found("a|b\n1|x;y\n2|y;z\n", "|", true);
    assert_found("a:b\n1:x\n2:y\n", ":", true);
    assert_found(
        "when,x\n2024-01-01 10:00:00,1\n2024-01-01 11:00:00,2\n",
        ",",
        true,
    );
    assert_found("name\nJohn Smith\nJane Jones\n", ",", true);
}

#[test]
fn columns_between_blanks_are_found() {
    let table =
        "mpg cylinders\tname\n18.0   8 \t\"chevrolet malibu\"\n15.0   8\t\"buick skylark 320\"\n";
    assert_found(table, "whitespace", true);
    let no_header = &table[table.find('\n').unwrap() + 1..];
    assert_found(no_header, "whitespace", false);
    assert_found(
        "A11 6 A34 1\nA12 48 A32 2\nA14 12 A34 1\n",
        "whitespace",
        false,
    );
}

#[test]
fn the_quote_is_found() {
    assert_eq!(found("'40-49','a,b','no'\n'50-59','c','yes'\n").quote, '\'');
    assert_eq!(found("x,y\n1.5,'-1'\n2.5,'1'\n").quote, '\'');
    assert_eq!(found("x,y\n1.5,rock 'n' roll\n2.5,'tis\n").quote, '"');
    assert_eq!(found("x,y\n1.5,\"'a'\"\n2.5,'b'\n").quote, '"');
}

#[test]
fn the_decimal_mark_is_found() {
    assert_eq!(found("a;b\n1,5;x\n2;y\n").decimal, ',');
    assert_eq!(found("a,b\n\"1,5\",x\n\"2,25\",y\n").decimal, ',');
    assert_eq!(found("a;b\n1.5;x\n2;y\n").decimal, '.');
    assert_eq!(
        found("a;b\n\"1,234\";1.5\n\"2,345\";2.5\n").decimal,
        '.',
        "commas between thousands"
    );
    assert_eq!(found("a;b\n1,5;NA\n?;2\n").decimal, ',');
}

#[test]
fn a_header_is_found_by_what_stands_below() {
    assert_found("x,kind\n1.5,a\n2.5,b\n", ",", true);
    assert_found("1.5,a\n2.5,b\n3.5,a\n", ",", false);
    assert_found("day,x\n2024-01-01,a\n2024-01-02,b\n", ",", true);
    assert_found("2024-01-01,a\n2024-01-02,b\n", ",", false);
    assert_found(
        "edible,x,s\nedible,y,s\npoison,x,s\nedible,y,t\n",
        ",",
        false,
    );
    assert_found(
        "kind,shape\nedible,x\npoison,y\nedible,y\npoison,x\n",
        ",",
        true,
    );
    assert_found("?,1.5,a\n2,2.5,b\n3,3.5,b\n", ",", false);
    assert_found("x,kind\n", ",", true);
    assert_found("1.5,a\n", ",", false);
    // Two files one after the other, each with its header.
    assert_found("x,z,kind\n1,2,a\n2,3,b\nx,z,kind\n3,4,a\n", ",", true);
}

#[test]
fn numbers_can_be_names() {
    assert_found("0,1,2\n0,0,0\n0,1,0\n1,0,1\n1,1,1\n", ",", true);
    assert_found("0,1\n0.5,1\n1.5,0\n2.5,1\n", ",", true);
    assert_found(",0,1\n0,0.5,1\n1,1.5,0\n", ",", true);
    assert_found(
        "land,2019,2020,2021\nA,83.1,83.2,83.0\nB,60.1,61.2,62.0\nC,9.1,9.2,9.0\nD,5.1,5,5\nE,20,21,22\n",
        ",",
        true,
    );
    assert_found("1,0\n0,1\n1,1\n0,0\n", ",", false);
    assert_found("5,1,1,1,2\n5,4,4,5,7\n3,1,1,1,2\n", ",", false);
    assert_found("1,2,3\n2,3,1\n3,1,2\n", ",", false);
}

#[test]
fn the_line_of_excel_names_the_delimiter() {
    for line in ["sep=;\n", "sep=;\r\n", "\"SEP=;\"\r"] {
        let text = format!("{line}a,b\n1,2\n");
        let detected = detect(
            Path::new("t"),
            text.as_bytes(),
            true,
            &FormatConfig::default(),
        )
        .unwrap();
        assert_eq!(detected.format.delimiter, Delimiter::Char(';'));
        assert_eq!(
            (detected.first_line.start, detected.first_line.number),
            (line.len(), 2)
        );
    }
}

#[test]
fn lines_above_the_table_are_left_out_and_named() {
    let text = "|1x3 Cross validator\r\n\r\nPeople\r\n25, Private, no.\r\n38, Private, yes.\r\n28, Local, no.\r\n";
    let detected = detect(
        Path::new("t"),
        text.as_bytes(),
        true,
        &FormatConfig::default(),
    )
    .unwrap();
    assert_eq!(detected.format.title, "|1x3 Cross validator\nPeople");
    assert!(!detected.format.header);
    assert_eq!(detected.first_line.number, 4);
    assert!(text[detected.first_line.start..].starts_with("25, Private"));
}

#[test]
fn lines_above_two_columns_are_left_out_if_a_blank_line_or_number_signs_tell_them_from_rows() {
    for title in [
        "Monthly export\n\n",
        "# Monthly export\n",
        "# Monthly\n# export\n",
    ] {
        let format = found(&format!("{title}x,y\n0.5,a\n1.5,b\n"));
        let expected = title.trim_end();
        assert_eq!(
            (format.title.as_str(), format.header),
            (expected, true),
            "{title:?}"
        );
    }
    let text = "Monthly export\nx,y\n0.5,a\n1.5,b\n";
    let detected = detect(
        Path::new("t"),
        text.as_bytes(),
        true,
        &FormatConfig::default(),
    );
    let detected = detected.unwrap();
    assert_eq!(detected.format.title, "");
    assert!(
        detected.advice.contains("delete the lines above"),
        "{}",
        detected.advice
    );
}

#[test]
fn one_row_has_a_decimal_mark_too() {
    assert_eq!(found("2,5;0,1\n").decimal, ',');
    assert_eq!(found("2.5;0.1\n").decimal, '.');
}

#[test]
fn delimiters_are_written_as_in_a_configuration() {
    for (text, delimiter) in [
        ("\"tab\"", Delimiter::Char('\t')),
        ("\"whitespace\"", Delimiter::Whitespace),
        ("\";\"", Delimiter::Char(';')),
    ] {
        assert_eq!(serde_json::to_string(&delimiter).unwrap(), text);
        assert_eq!(serde_json::from_str::<Delimiter>(text).unwrap(), delimiter);
    }
    for text in ["\"\"", "\";;\"", "\"é\""] {
        assert!(serde_json::from_str::<Delimiter>(text).is_err(), "{text}");
    }
}
