//! The files of the page, compiled into the program.

use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

/// A row of the table of files: its path, and its content.
macro_rules! files {
    ($($path:literal),* $(,)?) => {
        /// All files by their paths.
        const FILES: &[(&str, &[u8])] =
            &[$(($path, include_bytes!(concat!("../../page/", $path)))),*];
    };
}

files! {
    "app.js",
    "colors.js",
    "connection.js",
    "dom.js",
    "drawing/charts.js",
    "drawing/drawing.css",
    "drawing/layers.js",
    "drawing/maps.js",
    "drawing/plane.js",
    "drawing/redraw.js",
    "index.html",
    "messages.js",
    "play/boundary.js",
    "play/compare.js",
    "play/controls.js",
    "play/curves.js",
    "play/data.js",
    "play/explanation.js",
    "play/features.js",
    "play/findings.js",
    "play/layers.js",
    "play/lessons.js",
    "play/lessons_data.js",
    "play/main.js",
    "play/network.js",
    "play/painting.js",
    "play/panels.css",
    "play/parts.js",
    "play/play.css",
    "play/run.js",
    "play/share.js",
    "play/task.js",
    "play/training.js",
    "play/words.js",
    "schema.js",
    "style.css",
    "vendor/uPlot.iife.min.js",
    "vendor/uPlot.min.css",
    "watch.html",
    "watch/curves.js",
    "watch/inside.js",
    "watch/list.js",
    "watch/looks.js",
    "watch/main.js",
    "watch/picture.js",
    "watch/records.js",
    "watch/tiles.js",
    "watch/variants.js",
    "watch/watch.css",
}

/// The file at the path of an address; `index` at the root.
pub(super) async fn answer(index: &'static str, uri: Uri) -> Response {
    let path = match uri.path().trim_start_matches('/') {
        "" => index,
        path => path,
    };
    let file = FILES.iter().find(|(known, _)| *known == path);
    match file {
        Some((path, content)) => ([(header::CONTENT_TYPE, kind(path))], *content).into_response(),
        None => (StatusCode::NOT_FOUND, "There is nothing at this address.").into_response(),
    }
}

fn kind(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::path::{Path, PathBuf};

    fn all_files(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => all_files(&path, found),
                false => found.push(path),
            }
        }
    }

    #[test]
    fn every_file_of_the_page_is_in_the_table() {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("page");
        let mut found = Vec::new();
        all_files(&page, &mut found);
        let paths = found.iter().map(|path| path.strip_prefix(&page).unwrap());
        let mut paths: Vec<String> = paths
            .map(|p| p.to_str().unwrap().replace('\\', "/"))
            .collect();
        paths.retain(|path| !path.ends_with("LICENSE"));
        paths.sort();
        let mut known: Vec<&str> = FILES.iter().map(|(path, _)| *path).collect();
        known.sort_unstable();
        assert_eq!(paths, known);
    }
}
