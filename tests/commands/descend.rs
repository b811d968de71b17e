//! `emberlab descend`.

use serde_json::Value;

use crate::lab::Lab;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn descents_of_the_course_are_found_on_the_command_line_and_in_the_paths() {
    let lab = Lab::new();
    let words = "descend --optimizer sgd --learning-rate 0.1 --learning-rate 0.2 --steps 10 --json";
    let found = json(&lab.succeed(&words.split(' ').collect::<Vec<_>>()).stdout);
    // Section B1.
    let expected = [1.296_761_584_990_209_7, -1.819_240_328_427_473];
    for (descent, expected) in found["descents"].as_array().unwrap().iter().zip(expected) {
        let value = descent["value"].as_f64().unwrap();
        assert!((value - expected).abs() < 1e-12, "{value}");
    }
    let paths = std::fs::read_to_string(lab.path().join("descent/paths.csv")).unwrap();
    let lines: Vec<&str> = paths.lines().collect();
    assert_eq!(lines.len(), 1 + 2 * 11);
    assert_eq!(lines[0], "descent,step,x,y,value,learning_rate");
    assert!(lines[1].starts_with("sgd 0.1,0,3,2,"), "{}", lines[1]);
    let map = std::fs::read_to_string(lab.path().join("descent/map.svg")).unwrap();
    assert!(map.contains("data-name=\"sgd 0.2\""));
}

#[test]
fn the_loss_around_a_trained_network_is_lowest_near_it() {
    let lab = Lab::new();
    lab.train("train/moons.toml", "valley", &["training.num_epochs=60"]);
    let words = "descend --run valley --nodes 9 --json";
    let found = json(&lab.succeed(&words.split(' ').collect::<Vec<_>>()).stdout);
    let losses: Vec<f64> = found["losses"]
        .as_array()
        .unwrap()
        .iter()
        .map(|loss| loss.as_f64().unwrap())
        .collect();
    assert_eq!(losses.len(), 81);
    let center = found["center"].as_f64().unwrap();
    assert!(
        (losses[40] - center).abs() < 1e-6 * center.abs().max(1.0),
        "the middle node is the network"
    );
    for corner in [losses[0], losses[8], losses[72], losses[80]] {
        assert!(
            corner > 1.5 * center,
            "{corner} at a corner, {center} in the middle"
        );
    }
}

#[test]
fn pictures_are_written_as_png_too_where_that_is_asked_for() {
    let lab = Lab::new();
    lab.succeed(&["descend", "--png"]);
    let folder = lab.path().join("descent");
    let mut num_pictures = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let vector = entry.unwrap().path();
        if vector.extension() != Some("svg".as_ref()) {
            continue;
        }
        num_pictures += 1;
        let svg = std::fs::read_to_string(&vector).unwrap();
        let file = std::fs::File::open(vector.with_extension("png")).unwrap();
        let decoder = png::Decoder::new(std::io::BufReader::new(file));
        let reader = decoder.read_info().unwrap();
        let (width, height) = reader.info().size();
        // Two pixels for each of the SVG's.
        let size = format!("width=\"{}\" height=\"{}\"", width / 2, height / 2);
        assert!(svg.contains(&size), "{}: {size}", vector.display());
    }
    assert!(num_pictures > 0);
}

#[test]
fn a_descent_starts_where_it_is_told_to_and_large_values_are_short() {
    let lab = Lab::new();
    let words = ["descend", "--start", "-1,2", "--steps", "300"];
    let more = ["--optimizer", "sgd", "--learning-rate", "10"];
    let told = lab.succeed(&[&words[..], &more].concat()).stdout;
    assert!(
        told.lines().all(|line| line.chars().count() < 150),
        "{told}"
    );
    let paths = std::fs::read_to_string(lab.path().join("descent/paths.csv")).unwrap();
    let first = paths.lines().nth(1).unwrap();
    assert!(first.starts_with("sgd 10,0,-1,2,"), "{first}");
}

#[test]
fn there_is_nothing_to_see_around_a_network_whose_loss_is_nan() {
    let lab = Lab::new();
    let exploding = [
        "optimizer={ name = \"sgd\", learning_rate = 1e30 }",
        "training.num_epochs=3",
    ];
    lab.train("train/regression.toml", "nan", &exploding);
    let refused = lab.run(&["descend", "--run", "nan"]);
    assert_eq!(refused.code, Some(1), "{refused:#?}");
    assert!(refused.stderr.contains("emberlab diagnose"), "{refused:#?}");
    let told = lab.succeed(&["evaluate", "nan", "--pictures"]).stderr;
    assert!(told.contains("no pictures: "), "{told}");
}
