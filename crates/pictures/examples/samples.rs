//! One picture of each kind, into the folder named on the command line.

use std::f64::consts::TAU;
use std::path::Path;

use emberlab_pictures::{
    Axis, Band, Bars, Bitmap, Chart, Contours, Field, HeatMap, Image, ImageGrid, Line, Marker,
    Matrix, Panels, Picture, PictureError, Points, RankedBar, RankedBars, Rule, Svg, Tone,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("usage: samples FOLDER")?;
    for (name, picture) in samples()? {
        let file = |kind| Path::new(&folder).join(format!("{name}.{kind}"));
        std::fs::write(file("svg"), picture.standalone())?;
        std::fs::write(file("png"), picture.png(2.0)?)?;
    }
    Ok(())
}

fn samples() -> Result<Vec<(&'static str, Svg)>, PictureError> {
    Ok(vec![
        ("lines", lines().render()?),
        ("boundary", boundary(480.0).render()?),
        ("confusion", confusion().render()?),
        ("histogram", histogram().render()?),
        ("ranked_bars", ranked_bars().render()?),
        ("images", images()?.render()?),
        ("contours", contours().render()?),
        (
            "panels",
            Panels::new("Boundaries side by side", 3)
                .with(boundary(320.0))
                .with(boundary(320.0))
                .with(contours())
                .render()?,
        ),
    ])
}

fn lines() -> Chart {
    let epochs = || (1..=1000).map(f64::from);
    let mut chart = Chart::new(
        "Train loss of six activations over epochs, median and range of ten seeds",
        Axis::new("epoch").whole(),
        Axis::new("loss").logarithmic(),
    );
    for (i, name) in ["linear", "sigmoid", "relu", "tanh", "leaky_relu", "elu"]
        .iter()
        .enumerate()
    {
        let loss = move |t: f64| 0.7 / (1.0 + t * (i as f64 + 0.5) / 40.0) + 1e-4;
        chart = chart
            .with(Band::new(
                "",
                epochs().map(|t| (t, 0.6 * loss(t), 1.5 * loss(t))),
            ))
            .with(Line::new(*name, epochs().map(|t| (t, loss(t)))));
    }
    chart.with(Rule::level("target", 0.01))
}

fn boundary(width: f64) -> Chart {
    let field = Field::of((-1.5, 2.5), (-1.0, 1.5), 120, 80, |x, y| {
        1.0 / (1.0 + (-6.0 * (y - 0.5 * (TAU * x / 3.0).sin())).exp())
    });
    let class = |upper: bool| {
        (0..60).map(move |i| {
            let x = -1.4 + f64::from(i) * 0.06;
            let wobble = 0.3 + 0.25 * (f64::from(i) * 2.4).sin();
            (
                x,
                0.5 * (TAU * x / 3.0).sin() + if upper { wobble } else { -wobble },
            )
        })
    };
    Chart::new("Decision boundary", Axis::new("x₁"), Axis::new("x₂"))
        .with(HeatMap::probabilities(&field))
        .with(Contours::at(&field, [0.5]).width(1.5))
        .with(Points::new("class 0", class(false)))
        .with(Points::new("class 1", class(true)))
        .size(width, width * 0.75)
}

fn confusion() -> Matrix {
    let classes: Vec<String> = (0..10).map(|i| i.to_string()).collect();
    let counts: Vec<Vec<u64>> = (0..10u64)
        .map(|i| {
            (0..10u64)
                .map(|j| if i == j { 90 + i } else { (i * 7 + j * 3) % 5 })
                .collect()
        })
        .collect();
    Matrix::confusion("Confusion matrix on the test split", &classes, &counts)
}

fn histogram() -> Chart {
    let values = |shift: f64| {
        (0..500)
            .map(|i| {
                let u = (f64::from(i) * 0.618_034).fract();
                shift + (u / (1.0 - u + 1e-9)).ln().clamp(-4.0, 4.0)
            })
            .collect::<Vec<_>>()
    };
    Chart::new(
        "Activations of two layers",
        Axis::new("activation"),
        Axis::new("count").whole(),
    )
    .with(Bars::histogram("layer 1", &values(0.0), 24))
    .with(Bars::histogram("layer 2", &values(1.5), 24))
}

fn ranked_bars() -> RankedBars {
    let bar = |name: &str, value: f64, spread: f64| RankedBar {
        name: name.to_string(),
        value,
        interval: Some((value - spread, value + spread)),
    };
    RankedBars::new(
        "Importance of the columns",
        "drop of the valid accuracy",
        [
            bar("sex", 0.21, 0.03),
            bar("passenger class", 0.08, 0.02),
            bar("age", 0.04, 0.015),
            bar("port", -0.002, 0.004),
        ],
    )
}

fn images() -> Result<ImageGrid, PictureError> {
    let images: Result<Vec<Image>, PictureError> = (0..10)
        .map(|n| {
            let pixels: Vec<f64> = (0..64)
                .map(|i| ((i * (n + 1)) % 17) as f64 - if n < 5 { 0.0 } else { 8.0 })
                .collect();
            let bitmap = if n < 5 {
                Bitmap::grey(8, 8, &pixels, (0.0, 16.0))?
            } else {
                Bitmap::signed(8, 8, &pixels, None)?
            };
            Ok(Image::new(bitmap)
                .caption(format!("is {n}, said {}", (n + 3) % 10))
                .caption("0.98"))
        })
        .collect();
    Ok(ImageGrid::new("The most confident mistakes", 5, images?))
}

fn contours() -> Chart {
    let f = |x: f64, y: f64| x * x + y * y + x * (y + 2.0) + (3.0 * x).cos();
    let field = Field::of((-4.0, 3.5), (-3.0, 3.0), 120, 100, f);
    let path = |rate: f64| {
        let mut at: (f64, f64) = (3.0, 2.0);
        (0..20).map(move |_| {
            let here = at;
            let (x, y) = at;
            at = (
                x - rate * (2.0 * x + y + 2.0 - 3.0 * (3.0 * x).sin()),
                y - rate * (2.0 * y + x),
            );
            here
        })
    };
    Chart::new(
        "f(x, y) = x² + y² + x(y + 2) + cos 3x",
        Axis::new("x"),
        Axis::new("y"),
    )
    .with(HeatMap::values(&field, "f"))
    .with(Contours::even(&field, 14).tone(Tone::Muted))
    .with(Line::new("step 0.1", path(0.1)).marker(Marker::Circle))
    .with(Line::new("step 0.2", path(0.2)).marker(Marker::Triangle))
    .with(
        Points::new("minimum", [(-1.088, 0.544)])
            .marker(Marker::Star)
            .tone(Tone::Ink)
            .radius(5.0),
    )
    .size(480.0, 400.0)
}
