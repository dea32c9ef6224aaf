//! What the kernel says of processes: their time on a processor, and their memory.

use std::{
    fs::File,
    io::{self, Read as _},
    time::Duration,
};

/// What a tick of the processor's clock takes, as the kernel tells it to programs.
const TICK: Duration = Duration::from_millis(10);

/// Memory in MiB: what is a process's own, and what is mapped from files.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Memory {
    pub(crate) anon: f64,
    pub(crate) file: f64,
}

impl Memory {
    /// The larger of each.
    pub(crate) fn max(self, other: Self) -> Self {
        Self {
            anon: self.anon.max(other.anon),
            file: self.file.max(other.file),
        }
    }
}

/// Time on processors so far, of all their threads.
pub(crate) fn cpu_time(pids: &[u32]) -> io::Result<Duration> {
    let of = |pid: &u32| {
        let stat = read(&format!("/proc/{pid}/stat"))?;
        ticks_in(&stat).ok_or_else(|| unknown("stat"))
    };
    let ticks: u32 = pids.iter().map(of).sum::<io::Result<_>>()?;
    Ok(TICK * ticks)
}

/// Memory now, of all together.
pub(crate) fn memory(pids: &[u32]) -> io::Result<Memory> {
    let mut sum = Memory::default();
    for pid in pids {
        let status = read(&format!("/proc/{pid}/status"))?;
        sum.anon += mib_in(&status, "RssAnon:").ok_or_else(|| unknown("status"))?;
        sum.file += mib_in(&status, "RssFile:").ok_or_else(|| unknown("status"))?;
    }
    Ok(sum)
}

/// User and system time, the 14th and 15th field; the second, a name in parentheses, may hold blanks.
fn ticks_in(stat: &str) -> Option<u32> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    Some(fields.next()?.parse::<u32>().ok()? + fields.next()?.parse::<u32>().ok()?)
}

fn mib_in(status: &str, name: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: f64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib / 1024.0)
}

fn read(file: &str) -> io::Result<String> {
    let mut text = String::new();
    File::open(file)?.read_to_string(&mut text)?;
    Ok(text)
}

fn unknown(what: &str) -> io::Error {
    io::Error::other(format!("/proc/…/{what} does not say what it does on Linux"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_behind_a_name_with_blanks() {
        let stat = "7 (a ) b) S 1 7 7 0 -1 4194560 1 2 3 4 120 30 5 6 20 0 1 0 99";
        assert_eq!(ticks_in(stat), Some(150));
    }

    #[test]
    fn this_process_has_memory() {
        let memory = memory(&[std::process::id()]).expect("this is Linux");
        assert!(memory.anon > 0.0 && memory.file > 0.0, "{memory:?}");
    }
}
