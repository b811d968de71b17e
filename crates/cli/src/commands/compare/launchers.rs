//! Scripts that run the trials of a plan on a cluster.

use std::path::Path;

use clap::ValueEnum;

use emberlab_report::quoted;

/// A scheduler that runs the trials of a plan on a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LauncherChoice {
    /// A Slurm job array, for `sbatch`.
    Slurm,
    /// HyperQueue tasks, for `sh`.
    Hq,
    /// A Kubernetes Job with an index, for `kubectl apply -f`.
    K8s,
}

/// The trials to run and how.
pub struct Launch<'a> {
    /// The comparison's name.
    pub name: &'a str,
    /// Trials in the plan.
    pub num_trials: usize,
    /// Cores of one trial.
    pub threads: u16,
    /// Path of the `emberlab` program.
    pub program: &'a Path,
    /// File of the plan.
    pub plan: &'a Path,
    /// Folder for run folders.
    pub artifacts: &'a Path,
    /// Folder with data sets, if one was given.
    pub data_dir: Option<&'a Path>,
    /// The device.
    pub device: &'a str,
}

impl Launch<'_> {
    /// The script for a launcher. A job that was killed can be submitted again: finished trials are skipped, and the
    /// others continue from their checkpoints.
    pub fn script(&self, launcher: LauncherChoice) -> String {
        match launcher {
            LauncherChoice::Slurm => self.slurm(),
            LauncherChoice::Hq => self.hq(),
            LauncherChoice::K8s => self.k8s(),
        }
    }

    /// The command that runs one trial; the launcher passes its number in the environment.
    fn trial(&self) -> String {
        let words = self.words();
        quoted(words.iter().map(String::as_str))
    }

    /// The program and its arguments.
    fn words(&self) -> Vec<String> {
        let text = |path: &Path| path.display().to_string();
        let mut words = vec![
            text(self.program),
            "trial".to_string(),
            "--plan".to_string(),
            text(self.plan),
            "--artifacts".to_string(),
            text(self.artifacts),
        ];
        if let Some(folder) = self.data_dir {
            words.extend(["--data-dir".to_string(), text(folder)]);
        }
        let threads = self.threads.to_string();
        let rest = [
            "--device",
            self.device,
            "--threads",
            &threads,
            "--dashboard",
            "plain",
        ];
        words.extend(rest.map(String::from));
        words
    }

    fn slurm(&self) -> String {
        format!(
            "#!/bin/sh\n\
             #SBATCH --job-name={name}\n\
             #SBATCH --array=0-{last}\n\
             #SBATCH --cpus-per-task={threads}\n\
             #SBATCH --requeue\n\
             # One minute before the time limit, the trial is asked to save and stop: `B:` is this script, whose process\n\
             # the trial takes over.\n\
             #SBATCH --signal=B:TERM@60\n\
             exec {trial}\n",
            name = self.name,
            last = self.num_trials - 1,
            threads = self.threads,
            trial = self.trial(),
        )
    }

    fn hq(&self) -> String {
        format!(
            "#!/bin/sh\n\
             exec hq submit --name {name} --array 0-{last} --cpus {threads} -- {trial}\n",
            name = self.name,
            last = self.num_trials - 1,
            threads = self.threads,
            trial = self.trial(),
        )
    }

    fn k8s(&self) -> String {
        let words = self.words().into_iter();
        let words: Vec<String> = words
            .map(|w| serde_json::Value::from(w).to_string())
            .collect();
        format!(
            "# Fill in the image with the command, and the volume with the plan and the artifacts.\n\
             apiVersion: batch/v1\n\
             kind: Job\n\
             metadata:\n\
             \x20 name: {name}\n\
             spec:\n\
             \x20 completionMode: Indexed\n\
             \x20 completions: {num_trials}\n\
             \x20 parallelism: {num_trials}\n\
             \x20 backoffLimit: {num_trials}\n\
             \x20 template:\n\
             \x20   spec:\n\
             \x20     restartPolicy: OnFailure\n\
             \x20     containers:\n\
             \x20       - name: trial\n\
             \x20         image: IMAGE\n\
             \x20         command: [{command}]\n\
             \x20         resources:\n\
             \x20           requests: {{ cpu: {threads} }}\n\
             \x20         volumeMounts:\n\
             \x20           - {{ name: lab, mountPath: /lab }}\n\
             \x20         workingDir: /lab\n\
             \x20     volumes:\n\
             \x20       - name: lab\n\
             \x20         persistentVolumeClaim: {{ claimName: CLAIM }}\n",
            name = self.name.replace('_', "-").to_lowercase(),
            num_trials = self.num_trials,
            command = words.join(", "),
            threads = self.threads,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn launch() -> Launch<'static> {
        Launch {
            name: "activations_moons",
            num_trials: 110,
            threads: 1,
            program: Path::new("/opt/emberlab"),
            plan: Path::new("/lab/my plans/plan.jsonl"),
            artifacts: Path::new("artifacts"),
            data_dir: Some(Path::new("/lab/data")),
            device: "flex",
        }
    }

    #[test]
    fn a_slurm_array_covers_every_trial_and_quotes_paths() {
        let script = launch().script(LauncherChoice::Slurm);
        assert!(script.starts_with("#!/bin/sh\n#SBATCH --job-name=activations_moons\n"));
        assert!(script.contains("#SBATCH --array=0-109\n"), "{script}");
        assert!(script.contains("#SBATCH --signal=B:TERM@60\n"), "{script}");
        let trial = "exec /opt/emberlab trial --plan '/lab/my plans/plan.jsonl' --artifacts artifacts \
             --data-dir /lab/data --device flex --threads 1 --dashboard plain\n";
        assert!(script.contains(trial), "{script}");
    }

    #[test]
    fn hyperqueue_and_kubernetes_count_from_zero_too() {
        let script = launch().script(LauncherChoice::Hq);
        assert!(
            script.contains("hq submit --name activations_moons --array 0-109"),
            "{script}"
        );
        let script = launch().script(LauncherChoice::K8s);
        for line in [
            "  completions: 110\n",
            "  completionMode: Indexed\n",
            "  name: activations-moons\n",
        ] {
            assert!(script.contains(line), "{script}");
        }
    }
}
