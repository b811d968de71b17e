//! `trials.parquet`, read by the three readers of Parquet that most people use.

use std::process::Command;

use crate::lab::{Lab, outcome, project, shipped};
use crate::requirements::Part;

#[test]
fn pyarrow_polars_and_duckdb_read_the_same_table_as_the_csv_file_holds() {
    let python = std::env::var("EMBERLAB_PYTHON").unwrap_or("python3".to_string());
    let imports = ["-c", "import duckdb, polars, pyarrow.parquet"];
    let found = Command::new(&python).args(imports).output();
    if !found.is_ok_and(|output| output.status.success()) {
        Part::ParquetReaders.is_missing(&format!(
            "`{python}` does not import pyarrow, polars and duckdb; EMBERLAB_PYTHON can name another"
        ));
        return;
    }
    let lab = Lab::new();
    let config = shipped("compare/activations_moons.toml");
    lab.succeed(&[
        "compare",
        config.to_str().unwrap(),
        "--set",
        "sweep={ \"optimizer.learning_rate\" = [0.1, 1e30] }",
        "--set",
        "seeds=2",
        "--set",
        "training.num_epochs=3",
        "--set",
        "at_epochs=[2]",
    ]);
    let folder = lab.path().join("artifacts/activations_moons");
    let read = outcome(
        Command::new(&python)
            .arg(project().join("tests/references/parquet_readers.py"))
            .args(["trials.parquet", "trials.csv"].map(|name| folder.join(name)))
            .output()
            .unwrap(),
    );
    assert_eq!(read.code, Some(0), "{read:#?}");
    assert!(read.stdout.starts_with("4 rows read by"), "{read:#?}");
}
