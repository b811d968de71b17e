//! `emberlab gallery`: pictures of activations, losses, initialisers and normalisations.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use emberlab_gallery::{GalleryError, Section, gallery};
use emberlab_pictures::style_sheet;

use crate::failure::Failure;
use crate::output_files::{write, write_picture};
use crate::tables;

/// Draw activations, losses, initialisers and normalisations.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder for the pictures, and for a page that shows them all.
    #[arg(long, default_value = "gallery", value_name = "DIR")]
    out: PathBuf,
    /// Write every picture as PNG too.
    #[arg(long)]
    png: bool,
}

/// Draws the gallery.
///
/// # Errors
/// [`Failure`] if a picture cannot be drawn or written.
pub fn run(args: &Args) -> Result<ExitCode, Failure> {
    let sections = gallery().map_err(|error| match error {
        GalleryError::Training(error) => error.into(),
        other => Failure::Failed(other.to_string()),
    })?;
    let mut table = tables::table(["section", "picture", "file"], 3);
    for section in &sections {
        for (name, svg) in &section.pictures {
            let files = write_picture(&args.out.join(name), svg, args.png)?;
            let files: Vec<String> = files
                .iter()
                .map(|path| path.display().to_string())
                .collect();
            table.add_row([section.title, svg.title(), &files.join("\n")]);
        }
    }
    let index = args.out.join("index.html");
    write(&index, page(&sections).as_bytes())?;
    let mut out = std::io::stdout();
    writeln!(out, "{table}\nall on one page: {}", index.display())?;
    Ok(ExitCode::SUCCESS)
}

/// A page with all pictures, which needs no other file.
fn page(sections: &[Section]) -> String {
    let mut body = String::new();
    for section in sections {
        body += &format!(
            "<section>\n<h2>{}</h2>\n<p>{}</p>\n<div class=\"wall\">\n",
            section.title, section.text
        );
        for (_, svg) in &section.pictures {
            // Charts side by side would be too small on a phone, so they scroll instead.
            let class = if svg.size().0 > 600.0 {
                " class=\"wide\""
            } else {
                ""
            };
            body += &format!("<figure{class}>{}</figure>\n", svg.inline());
        }
        body += "</div>\n</section>\n";
    }
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Emberlab: the gallery</title>\n<style>\n{PAGE_STYLE}{}</style>\n</head>\n<body>\n<main>\n\
         <h1>What networks are made of</h1>\n{body}</main>\n</body>\n</html>\n",
        style_sheet()
    )
}

const PAGE_STYLE: &str = "\
:root{color-scheme:light dark}
body{margin:0;font:16px/1.55 system-ui,sans-serif;background:light-dark(#fffffe,#16181c);color:light-dark(#1f2328,#e8eaed)}
main{max-width:82rem;margin:0 auto;padding:1rem}
p{max-width:46rem}
.wall{display:flex;flex-wrap:wrap;gap:1rem;align-items:flex-start}
figure{margin:0;max-width:100%;overflow-x:auto}
.wide .picture{min-width:40rem}
@media print{:root{color-scheme:light}}
";
