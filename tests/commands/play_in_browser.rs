//! `emberlab play` in a real browser: what a person does with mouse, finger and keys, and what the screen shows.

use std::time::Instant;

use serde_json::Value;

use super::play::{PATIENCE, Page, Playground, metrics_after_training};
use crate::browser::{Browser, axe_core};
use crate::lab::Lab;

/// The picture of the prediction.
const PLANE: &str = "[data-panel=\"output\"] canvas";

/// Functions of the page: how much of a square of the prediction, at shares of its width and height, is blue and
/// orange, the colours of the first two classes.
const COLOURS: &str = "window.colours = (x, y, share) => { \
    const canvas = document.querySelector('[data-panel=\"output\"] canvas'); const { width, height } = canvas; \
    const copy = document.createElement('canvas'); copy.width = width; copy.height = height; \
    const pixels = copy.getContext('2d', { willReadFrequently: true }); pixels.drawImage(canvas, 0, 0); \
    const side = Math.round(share * Math.min(width, height)); \
    const { data } = pixels.getImageData(x * width - side / 2, y * height - side / 2, side, side); \
    let blue = 0, orange = 0; \
    for (let i = 0; i < data.length; i += 4) { if (data[i] > data[i + 2] + 40) orange++; if (data[i + 2] > data[i] + 40) blue++; } \
    return { blue: blue / (side * side), orange: orange / (side * side) }; }; true";

/// Opens the playground in a window of this size and waits until it draws.
fn open(browser: &mut Browser, playground: &Playground, width: u32, height: u32) {
    browser.open(&playground.url(), width, height);
    browser.wait(
        &format!("document.querySelector('{PLANE}')?.width > 0"),
        PATIENCE,
    );
    browser.wait("document.querySelector('.unit canvas') !== null", PATIENCE);
    browser.evaluate(COLOURS);
}

/// The page has written nothing to the console and asked no other host.
fn assert_quiet(browser: Browser, playground: &Playground) {
    let (messages, requests) = browser.close();
    assert_eq!(messages, Vec::<String>::new());
    assert_eq!(playground.outside(&requests), Vec::<&String>::new());
}

fn assert_no_scroll_to_the_side(browser: &mut Browser) {
    let wide = browser.evaluate("document.documentElement.scrollWidth - window.innerWidth");
    assert!(wide.as_f64().unwrap() <= 0.0, "{wide} pixels too wide");
}

/// Places along a zigzag in a part of the plane, given as shares of its width and height.
fn zigzag(
    browser: &mut Browser,
    [left, right]: [f64; 2],
    [top, bottom]: [f64; 2],
) -> Vec<[f64; 2]> {
    browser.middle(PLANE, "() => true");
    let bounds = browser.evaluate(&format!(
        "(() => {{ const {{ left, top, width, height }} = document.querySelector('{PLANE}').getBoundingClientRect(); \
         return [left, top, width, height]; }})()"
    ));
    let of = |i: usize| bounds[i].as_f64().unwrap();
    let lines = 5;
    let places = (0..2 * lines).map(|i| {
        let line = i / 2;
        let is_right = (i + line) % 2 == 1;
        let y = top + (bottom - top) * f64::from(line) / f64::from(lines - 1);
        let x = if is_right { right } else { left };
        [of(0) + of(2) * x, of(1) + of(3) * y]
    });
    // A mouse moves in small steps.
    let corners: Vec<[f64; 2]> = places.collect();
    let between = |pair: &[[f64; 2]]| {
        let (from, to) = (pair[0], pair[1]);
        (0..4).map(move |i| {
            [0, 1].map(|axis| from[axis] + (to[axis] - from[axis]) * f64::from(i) / 4.0)
        })
    };
    corners.windows(2).flat_map(between).collect()
}

/// The last epoch of the training, from another page of the same playground.
fn last_epoch(page: &mut Page) -> Value {
    let epochs = page.wait("epochs", |epochs| epochs["is_whole"] == true);
    epochs["rows"].as_array().unwrap().last().unwrap().clone()
}

#[test]
fn painted_points_are_learnt_and_their_setting_trains_to_the_same_loss() {
    let lab = Lab::new();
    let playground = Playground::start(&lab, &[]);
    let Some(mut browser) = Browser::start() else {
        return;
    };
    open(&mut browser, &playground, 1280, 900);
    browser.click("Paint points");
    browser.click("Clear");
    // Blue on the left by mouse, orange on the right by a finger.
    browser.click("Paint class 0");
    let left = zigzag(&mut browser, [0.2, 0.4], [0.2, 0.7]);
    browser.drag(&left);
    browser.click("Paint class 1");
    let right = zigzag(&mut browser, [0.7, 0.9], [0.2, 0.7]);
    browser.swipe(&right);
    browser.wait(
        "document.querySelector('#dataset-menu').selectedOptions[0].value === 'points'",
        PATIENCE,
    );
    browser.click("Stop painting");
    browser.click("Run");
    let is_separated = "colours(0.3, 0.45, 0.2).blue > 0.8 && colours(0.3, 0.45, 0.2).orange < 0.05 \
        && colours(0.8, 0.45, 0.2).orange > 0.8 && colours(0.8, 0.45, 0.2).blue < 0.05";
    browser.wait(is_separated, PATIENCE);
    browser.click("Pause");
    // An epoch that is under way is trained to its end.
    browser.click("One epoch");
    // The setting reaches the page some time after the epoch.
    let deadline = Instant::now() + PATIENCE;
    let (toml, last) = loop {
        browser.click("Copy as TOML");
        let toml = browser.evaluate("document.querySelector('textarea').value");
        let toml = toml.as_str().unwrap().to_string();
        let last = last_epoch(&mut playground.page());
        let epoch = last["epoch"].as_f64().unwrap();
        if toml.contains(&format!("num_epochs = {epoch}\n")) {
            break (toml, last);
        }
        assert!(Instant::now() < deadline, "{last}, {toml}");
    };
    browser.wait(
        "document.querySelector('[aria-label=\"Run\"]') !== null",
        PATIENCE,
    );
    assert!(toml.contains("name = \"points\""), "{toml}");
    let trained = metrics_after_training(&lab, &toml);
    assert_eq!(trained["epoch"], last["epoch"].as_f64().unwrap());
    assert_eq!(
        trained["train_loss"],
        last["train"]["loss"].as_f64().unwrap()
    );

    // Another learning rate is a change of the training that goes on.
    let rate = browser.middle(
        "input",
        "input => input.getAttribute('aria-label') === 'Learning rate, number'",
    );
    browser.drag(&[rate]);
    browser.evaluate("document.activeElement.select()");
    for key in ["0", ".", "1", "Enter"] {
        browser.press(key);
    }
    browser.wait(
        "document.querySelector('.curves-changes').textContent.includes('optimizer.learning_rate')",
        PATIENCE,
    );
    browser.click("Copy as TOML");
    let altered = browser.evaluate("document.querySelector('textarea').value");
    assert!(
        altered.as_str().unwrap().starts_with("# Keys were changed"),
        "{altered}"
    );
    assert_quiet(browser, &playground);
}

#[test]
fn a_table_dropped_on_the_page_is_learnt() {
    let lab = Lab::new();
    let playground = Playground::start(&lab, &[]);
    let Some(mut browser) = Browser::start() else {
        return;
    };
    // Two columns that tell the classes apart, one that says nothing.
    let row = |i: i32| {
        format!(
            "{},{},{},{}\n",
            i % 10,
            i / 10,
            (i * 7) % 5,
            if i % 10 < 5 { "low" } else { "high" }
        )
    };
    let rows: String = (0..100).map(row).collect();
    let table = lab.write("leaves.csv", format!("width,height,day,kind\n{rows}"));
    open(&mut browser, &playground, 1280, 900);
    browser.drop_file(&table);
    browser.wait("document.querySelector('dialog')?.open === true", PATIENCE);
    let columns = browser.evaluate(
        "[...document.querySelector('#label-column').options].map(option => option.value).join()",
    );
    assert_eq!(columns, "width,height,day,kind");
    assert_eq!(
        browser.evaluate("document.querySelector('#label-column').value"),
        "kind"
    );
    browser.click("Learn it");
    browser.wait(
        "document.querySelector('[data-panel=\"output\"]').textContent.includes('high')",
        PATIENCE,
    );
    let mut page = playground.page();
    let scene = page.wait("scene", |_| true);
    assert_eq!(
        scene["inputs"],
        serde_json::json!(["width", "height", "day"])
    );
    browser.click("Run");
    // A row of the last column alone is right in half of the cases.
    page.wait("epochs", |epochs| {
        let last = epochs["rows"].as_array().unwrap().last();
        last.is_some_and(|row| row["train"]["accuracy"].as_f64() > Some(0.9))
    });
    assert_quiet(browser, &playground);
}

#[test]
fn the_keyboard_alone_builds_trains_and_copies() {
    let lab = Lab::new();
    let playground = Playground::start(&lab, &[]);
    let Some(mut browser) = Browser::start() else {
        return;
    };
    open(&mut browser, &playground, 1280, 900);
    let focused = "(() => { const part = document.activeElement; const style = getComputedStyle(part); \
        const name = part.getAttribute('aria-label') ?? part.labels?.[0]?.textContent ?? part.textContent; \
        const isSeen = style.outlineStyle !== 'none' || style.boxShadow !== 'none'; return `${name}|${isSeen}`; })()";
    let mut reached: Vec<String> = Vec::new();
    let mut press_until = |browser: &mut Browser, wanted: &str| {
        for _ in 0..150 {
            browser.press("Tab");
            let now = browser.evaluate(focused).as_str().unwrap().to_string();
            let (name, is_seen) = now.rsplit_once('|').unwrap();
            assert!(
                !name.trim().is_empty(),
                "a part without a name has the focus after {reached:?}"
            );
            assert_eq!(is_seen, "true", "the focus on {name} cannot be seen");
            reached.push(name.to_string());
            if name == wanted {
                return;
            }
        }
        panic!("Tab never reaches {wanted}: {reached:?}");
    };
    press_until(&mut browser, "Add a hidden layer");
    browser.press("Enter");
    browser.wait("document.querySelector('[data-panel=\"network\"]').textContent.includes('3 hidden layers')", PATIENCE);
    press_until(&mut browser, "Add a unit to layer 1");
    browser.press("Enter");
    browser.wait(
        "document.querySelector('[data-panel=\"network\"]').textContent.includes('65 units')",
        PATIENCE,
    );
    browser.press("e");
    browser.wait(
        "document.querySelector('.epoch-count').textContent === '1'",
        PATIENCE,
    );
    press_until(&mut browser, "Copy as TOML");
    browser.press("Enter");
    browser.wait(
        "document.querySelector('textarea').value.includes('hidden = [65, 64, 4]')",
        PATIENCE,
    );
    assert_quiet(browser, &playground);
}

#[test]
fn axe_core_finds_nothing_wrong_with_the_playground() {
    let lab = Lab::new();
    let playground = Playground::start(&lab, &[]);
    let (Some(mut browser), Some(axe)) = (Browser::start(), axe_core()) else {
        return;
    };
    open(&mut browser, &playground, 1280, 900);
    browser.press("e");
    browser.wait(
        "document.querySelector('.epoch-count').textContent === '1'",
        PATIENCE,
    );
    assert_eq!(browser.violations(&axe), Vec::<String>::new());
    // It finds what is wrong: a button without a name.
    browser.evaluate("document.body.append(document.createElement('button'))");
    assert_eq!(browser.violations(&axe), ["button-name"]);
}

#[test]
fn a_phone_shows_two_classes_and_scrolls_only_down() {
    let lab = Lab::new();
    let playground = Playground::start(&lab, &[]);
    let Some(mut browser) = Browser::start() else {
        return;
    };
    open(&mut browser, &playground, 390, 844);
    assert_no_scroll_to_the_side(&mut browser);
    browser.press(" ");
    browser.wait(
        "(({ blue, orange }) => blue > 0.05 && orange > 0.05)(colours(0.5, 0.5, 1))",
        PATIENCE,
    );
    assert_no_scroll_to_the_side(&mut browser);
    assert_quiet(browser, &playground);
}
