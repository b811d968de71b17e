//! `emberlab gallery`.

use crate::lab::Lab;

#[test]
fn the_gallery_is_one_page_that_asks_for_no_other_file() {
    let lab = Lab::new();
    lab.succeed(&["gallery", "--out", "pictures"]);
    let page = std::fs::read_to_string(lab.path().join("pictures/index.html")).unwrap();
    assert_eq!(page.matches("<svg class=\"picture\"").count(), 16);
    for outside in ["http://", "https://", "<link", "<script", "src="] {
        assert!(!page.contains(outside), "{outside}");
    }
    let relu = std::fs::read_to_string(lab.path().join("pictures/activations/relu.svg")).unwrap();
    assert!(relu.starts_with("<svg xmlns="), "{relu}");
}
