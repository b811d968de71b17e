//! Parts that a test needs and a machine may lack, such as a Slurm or a browser.
//!
//! A test that misses a part skips and says so. The environment variable `EMBERLAB_REQUIRE` names the parts that
//! must be there, separated by commas, or is `all`: then the test fails instead. The checks of this project set it.

/// Something that not every machine or build has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The full data sets, in the folder that `EMBERLAB_DATA_DIR` names.
    Mnist,
    /// Slurm and munge, and a user who may start them.
    Slurm,
    /// A Chromium.
    Chromium,
    /// A wgpu device, compiled in and found.
    Wgpu,
    /// The ndarray device, compiled in.
    Ndarray,
    /// The feature `fault-injection`.
    FaultInjection,
    /// A second build of the command without optimisation, which `EMBERLAB_DEBUG_COMMAND` names.
    UnoptimizedBuild,
    /// The right to mount a small file system.
    Tmpfs,
    /// Linux's `/proc`.
    Procfs,
    /// A Python with pyarrow, polars and DuckDB, which `EMBERLAB_PYTHON` names; else `python3`.
    ParquetReaders,
    /// The checks of accessibility of axe-core, in the Python package axe-playwright-python.
    AxeCore,
}

impl Part {
    const ALL: [(Self, &'static str); 11] = [
        (Self::Mnist, "mnist"),
        (Self::Slurm, "slurm"),
        (Self::Chromium, "chromium"),
        (Self::Wgpu, "wgpu"),
        (Self::Ndarray, "ndarray"),
        (Self::FaultInjection, "fault-injection"),
        (Self::UnoptimizedBuild, "unoptimized-build"),
        (Self::Tmpfs, "tmpfs"),
        (Self::Procfs, "procfs"),
        (Self::ParquetReaders, "parquet-readers"),
        (Self::AxeCore, "axe-core"),
    ];

    fn name(self) -> &'static str {
        let (_, name) = Self::ALL.iter().find(|(part, _)| *part == self).unwrap();
        name
    }

    /// Says that a test skips for want of this part.
    ///
    /// Fails the test where `EMBERLAB_REQUIRE` asks for the part.
    #[track_caller]
    pub fn is_missing(self, why: &str) {
        let required = std::env::var("EMBERLAB_REQUIRE").unwrap_or_default();
        let test = std::thread::current();
        let test = test.name().unwrap_or("a test");
        let name = self.name();
        assert!(
            !is_required(name, &required),
            "{test} cannot run, and EMBERLAB_REQUIRE asks for `{name}`: {why}"
        );
        eprintln!("{test} skips, without `{name}`: {why}");
    }
}

/// Whether the list `required` asks for a part.
fn is_required(name: &str, required: &str) -> bool {
    let known = Part::ALL.map(|(_, known)| known);
    let mut parts = required.split(',').map(str::trim).filter(|p| !p.is_empty());
    parts.any(|part| {
        assert!(
            part == "all" || known.contains(&part),
            "EMBERLAB_REQUIRE names `{part}`, which is none of {known:?}"
        );
        part == "all" || part == name
    })
}

#[test]
fn a_required_part_is_one_that_the_list_names() {
    assert!(is_required("slurm", "mnist, slurm"));
    assert!(is_required("slurm", "all"));
    assert!(!is_required("slurm", ""));
    assert!(!is_required("slurm", "mnist,wgpu"));
}
