//! Every picture is one SVG element with title and description, in colours that a page can turn dark.

use emberlab_pictures::{
    Axis, Band, Chart, Field, HeatMap, Line, Matrix, Panels, Picture, PictureError, Points, Tone,
    style_sheet,
};

fn chart() -> Chart {
    Chart::new(
        "Loss <of> \"A & B\"",
        Axis::new("epoch").whole(),
        Axis::new("loss").logarithmic(),
    )
    .with(Band::new("", [(1.0, 0.5, 2.0), (2.0, 0.05, 0.2)]))
    .with(Line::new("a < b", [(1.0, 1.0), (2.0, 0.1)]))
    .with(Line::new("b", [(1.0, 0.5), (1.5, f64::NAN), (2.0, 0.2)]))
}

#[test]
fn a_picture_has_a_title_and_a_description() {
    let svg = chart().render().expect("a chart").inline();
    assert!(svg.contains("role=\"img\""));
    assert!(svg.contains("<title>Loss &lt;of&gt; &quot;A &amp; B&quot;</title>"));
    assert!(
        svg.contains("<desc>loss over epoch: a &lt; b, b.</desc>"),
        "{svg}"
    );
}

#[test]
fn every_colour_of_a_chart_is_one_that_the_style_sheet_turns_dark() {
    let css = style_sheet();
    let svg = chart().render().expect("a chart").inline();
    let mut colours = 0;
    for property in ["fill", "stroke"] {
        for part in svg.split(&format!(" {property}=\"#")).skip(1) {
            let selector = format!("[{property}=\"#{}\"]", &part[..6]);
            assert!(css.contains(&selector), "{selector}");
            colours += 1;
        }
    }
    assert!(colours > 20, "{colours}");
}

#[test]
fn only_a_standalone_picture_has_a_style_sheet_and_a_background() {
    let svg = chart().render().expect("a chart");
    assert!(svg.standalone().contains("color-scheme:light dark"));
    assert!(svg.standalone().starts_with("<svg xmlns="));
    assert!(!svg.inline().contains("<style>"));
}

#[test]
fn a_page_can_compute_values_from_pixels() {
    let svg = chart().render().expect("a chart").inline();
    assert!(
        svg.contains("data-x=\"1 2\" data-x-scale=\"linear\" data-x-label=\"epoch\""),
        "{svg}"
    );
    assert!(svg.contains("data-y-scale=\"log\""));
    assert!(svg.contains("data-name=\"a &lt; b\""));
}

#[test]
fn a_missing_value_leaves_a_gap() {
    let svg = chart().render().expect("a chart").inline();
    let group = svg.split("data-name=\"b\">").nth(1).expect("the line");
    let group = group.split("</g></g>").next().expect("its end");
    assert!(!group.contains("NaN"));
    assert_eq!(
        group.matches("<circle").count(),
        2,
        "two values on their own: {group}"
    );
}

#[test]
fn series_differ_by_more_than_colour() {
    let svg = chart().render().expect("a chart").inline();
    assert!(svg.contains("stroke-dasharray"));
    let points = Chart::new("classes", Axis::new("x"), Axis::new("y"))
        .with(Points::new("0", [(0.0, 0.0)]))
        .with(Points::new("1", [(1.0, 1.0)]));
    let svg = points.render().expect("points").inline();
    assert!(
        svg.contains("<circle") && svg.contains("<path"),
        "circles and triangles"
    );
}

#[test]
fn a_png_has_the_size_asked_for_and_more_than_its_background() {
    let svg = chart().render().expect("a chart");
    let file = svg.png(2.0).expect("a font on this system");
    assert_eq!(file[..8], *b"\x89PNG\r\n\x1a\n");
    // The header holds width and height after its length and its name.
    assert_eq!(file[16..20], 960_u32.to_be_bytes());
    assert_eq!(file[20..24], 640_u32.to_be_bytes());
    assert!(file.len() > 10_000, "{} bytes", file.len());
}

#[test]
fn a_chart_without_layers_is_refused_and_says_which() {
    let empty = Chart::new("nothing", Axis::new("x"), Axis::new("y"));
    let error = empty.render().expect_err("nothing to draw");
    assert!(
        matches!(&error, PictureError::Empty { title, .. } if title == "nothing"),
        "{error}"
    );
}

#[test]
fn a_chart_with_a_long_legend_is_higher() {
    let line = |n: usize| {
        Line::new(
            format!("a variant with a long name, number {n}"),
            [(0.0, 1.0)],
        )
    };
    let chart = |count| {
        Chart::new("curves", Axis::new("epoch"), Axis::new("loss")).with_all((0..count).map(line))
    };
    let size = |count| chart(count).render().expect("a picture").size();
    assert_eq!(size(3), (480.0, 320.0));
    assert!(size(40).1 > 500.0, "{:?}", size(40));
}

#[test]
fn a_matrix_of_the_wrong_size_is_refused() {
    let names = vec!["a".to_string(), "b".to_string()];
    let matrix = Matrix::new(
        "m",
        ("row", names.clone()),
        ("column", names),
        vec![vec![1.0, 2.0]],
    );
    assert!(matches!(
        matrix.render(),
        Err(PictureError::Grid {
            width: 2,
            height: 2,
            found: 2
        })
    ));
}

#[test]
fn panels_hold_each_picture_once() {
    let field = Field::of((0.0, 1.0), (0.0, 1.0), 10, 10, |x, _| x);
    let map = || {
        Chart::new("p", Axis::new("x"), Axis::new("y"))
            .with(HeatMap::probabilities(&field))
            .with(Line::new("", [(0.0, 0.0), (1.0, 1.0)]).tone(Tone::Ink))
    };
    let svg = Panels::new("both", 2)
        .with(map())
        .with(map())
        .render()
        .expect("panels");
    assert_eq!(svg.inline().matches("<image").count(), 2);
    assert!(svg.size().0 > 900.0);
}

#[test]
fn a_row_of_panels_is_as_high_as_its_highest_picture() {
    let map = |height: f64| {
        Chart::new("p", Axis::new("x"), Axis::new("y"))
            .with(Line::new("", [(0.0, 0.0), (1.0, 1.0)]))
            .size(300.0, height)
    };
    let panels = |heights: &[f64]| {
        let all = heights.iter();
        let panels = all.fold(Panels::new("", 1), |panels, h| panels.with(map(*h)));
        panels.render().expect("panels").size().1
    };
    assert_eq!(panels(&[200.0, 400.0]), panels(&[200.0]) + 400.0);
}
