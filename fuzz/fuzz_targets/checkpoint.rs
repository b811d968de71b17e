//! Any bytes as a checkpoint's folder: reading it never panics, and what is read is what was written.

#![no_main]

mod folder;

use std::fs;

use emberlab_storage::{Checkpoint, CheckpointStore, Position, sha256};
use folder::FOLDER;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((&choice, rest)) = data.split_first() else {
        return;
    };
    let path = FOLDER.path().join(Position::default().to_string());
    fs::create_dir_all(&path).expect("a folder");
    // What follows a zero byte is the next file.
    let mut parts = rest.split(|&byte| byte == 0);
    let manifest = parts.next().unwrap_or_default();
    let config = parts.next().unwrap_or_default();
    let network = parts.next().unwrap_or_default();
    // Mostly with sums that agree, to come past them.
    let manifest = match choice % 4 {
        0 => manifest.to_vec(),
        _ => {
            let text = String::from_utf8_lossy(manifest).into_owned();
            let text = text.replace("$C", &sha256(config));
            text.replace("$N", &sha256(network)).into_bytes()
        }
    };
    let sum = match choice % 8 {
        1 => parts.next().unwrap_or_default().to_vec(),
        _ => format!("{}  manifest.json\n", sha256(&manifest)).into_bytes(),
    };
    let files: [(&str, &[u8]); 4] = [
        ("manifest.json", &manifest),
        ("manifest.sha256", &sum),
        ("config.toml", config),
        ("network.bpk", network),
    ];
    for (name, content) in files {
        fs::write(path.join(name), content).expect("a file");
    }
    if let Ok(checkpoint) = Checkpoint::read(&path) {
        assert_eq!(checkpoint.identity.config.as_bytes(), config);
        assert!(
            checkpoint
                .optional("network.bpk")
                .is_none_or(|n| n == network)
        );
    }
    drop(CheckpointStore::new(FOLDER.path(), 1).newest());
});
