//! Real small file systems in memory, where the system lets this process mount them (as root).

use std::{fs::File, io::Write as _, path::PathBuf, process::Command, sync::Arc};

use tempfile::TempDir;

/// A mounted file system, with a data folder in it. Unmounted on drop, when nobody uses the folder any more.
pub(crate) struct SmallDisk {
    root: TempDir,
    data: Option<Arc<TempDir>>,
}

impl SmallDisk {
    /// Mounts one of so many bytes, or notes that the test cannot be run here: then the answer is `None`, and the test must return.
    pub(crate) fn mount(size: u64) -> Option<Self> {
        let root = tempfile::tempdir().expect("a temporary folder");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "none"])
            .arg(root.path())
            .output()
            .is_ok_and(|output| output.status.success());
        if !mounted {
            wreg_harness::note_not_run("it needs a file system of its own, and this process may not mount one");
            return None;
        }
        let data = tempfile::tempdir_in(root.path()).expect("there is room for a folder");
        Some(Self {
            root,
            data: Some(Arc::new(data)),
        })
    }

    /// The data folder.
    pub(crate) fn data(&self) -> Arc<TempDir> {
        Arc::clone(self.data.as_ref().expect("it is there until the drop"))
    }

    fn filler(&self) -> PathBuf {
        self.root.path().join("filler")
    }

    /// Takes all the room that is left.
    pub(crate) fn fill(&self) {
        let mut filler = File::create(self.filler()).expect("a name takes no room");
        for piece in [&[0; 16384][..], &[0; 512]] {
            while filler.write_all(piece).is_ok() {}
        }
    }

    /// Gives the room back.
    pub(crate) fn free(&self) {
        std::fs::remove_file(self.filler()).expect("it was filled");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(self.data.take());
        let _ = Command::new("umount").arg("--lazy").arg(self.root.path()).status();
    }
}
