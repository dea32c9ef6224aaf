//! Programs written in Go, at pinned versions: each is built once, by `go install`, into the cache. And libraries, by programs of ours.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::{
    process,
    runner::Runner,
    setup::{self, Wants, go_program},
};

/// A program of a Go module.
pub(crate) struct GoTool {
    /// The package of the program: what `go install` is given, without the version.
    pub(crate) package: &'static str,
    /// The module's version.
    pub(crate) version: &'static str,
    /// What the program is called once it is built.
    pub(crate) program: &'static str,
    /// For a module whose versions the module proxy does not list: `go install PACKAGE@VERSION` asks for the list, a `go install` in a
    /// module that requires it does not.
    pub(crate) unlisted: bool,
}

impl GoTool {
    /// The program, built now if it is not there yet. Where the machine has no Go, one is installed first.
    pub(crate) fn install(&self, runner: &mut Runner) -> Result<PathBuf> {
        let (folder, _lock) = runner.locked_folder("go")?;
        let home = folder.join(format!("{}@{}", self.program, self.version));
        let program = home.join(self.program);
        if program.is_file() {
            return Ok(program);
        }
        let building = folder.join("building");
        if building.exists() {
            fs::remove_dir_all(&building).with_context(|| format!("removing {}", building.display()))?;
        }
        let mut go = go(runner, &folder)?;
        go.env("GOBIN", &building);
        if self.unlisted {
            let module = self.package.split("/cmd/").next().unwrap_or(self.package);
            let around = folder.join("module");
            fs::create_dir_all(&around)?;
            let text = format!("module tools\n\nrequire {module} {}\n", self.version);
            fs::write(around.join("go.mod"), text)?;
            go.current_dir(around)
                .args(["install", "-mod=mod", "-buildvcs=false", self.package]);
        } else {
            go.arg("install").arg(format!("{}@{}", self.package, self.version));
        }
        process::run(&mut go)?;
        fs::rename(&building, &home).with_context(|| format!("moving {} into place", building.display()))?;
        Ok(program)
    }
}

/// A library of a Go module, and a program of ours that shows what it does.
pub(crate) struct GoLibrary {
    pub(crate) module: &'static str,
    /// The module's version.
    pub(crate) version: &'static str,
    /// What is left out of it or taken in, as `go build -tags` has it.
    pub(crate) tags: &'static str,
    /// What the program is called.
    pub(crate) program: &'static str,
    /// Its text.
    pub(crate) source: &'static str,
}

impl GoLibrary {
    /// The program, built now if it is not there yet.
    pub(crate) fn build(&self, runner: &mut Runner) -> Result<PathBuf> {
        let (folder, _lock) = runner.locked_folder("go")?;
        let home = folder.join(format!("{}@{}", self.program, self.version));
        let (source, program) = (home.join("main.go"), home.join(self.program));
        let is_built = fs::read_to_string(&source).is_ok_and(|text| text == self.source);
        if is_built && program.is_file() {
            return Ok(program);
        }
        if home.exists() {
            fs::remove_dir_all(&home).with_context(|| format!("removing {}", home.display()))?;
        }
        fs::create_dir(&home)?;
        let text = format!("module {}\n\nrequire {} {}\n", self.program, self.module, self.version);
        fs::write(home.join("go.mod"), text)?;
        fs::write(source, self.source)?;
        let mut go = go(runner, &folder)?;
        go.current_dir(&home).args([
            "build",
            "-mod=mod",
            "-buildvcs=false",
            "-tags",
            self.tags,
            "-o",
            self.program,
        ]);
        process::run(&mut go)?;
        Ok(program)
    }
}

/// The Go command with its folders below `folder`. Where the machine has no Go, one is installed first.
fn go(runner: &mut Runner, folder: &Path) -> Result<Command> {
    if process::find_program("go").is_none() {
        let fixtures = Wants {
            postgres: false,
            fixtures: true,
        };
        setup::run(runner, fixtures)?;
    }
    let mut go = Command::new(go_program(runner));
    // The toolchain that is here, and no other by download; and module files that can be deleted like any others.
    go.envs([("GOTOOLCHAIN", "local"), ("GOFLAGS", "-modcacherw"), ("GOWORK", "off")])
        .env("GOMODCACHE", folder.join("modules"))
        .env("GOCACHE", folder.join("build"));
    Ok(go)
}
