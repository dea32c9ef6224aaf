//! What a process writes, collected while it runs, so that it never blocks on a full pipe.

use std::{
    io::{BufRead, BufReader, Read},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, Receiver},
    },
    thread,
    time::Duration,
};

/// All that was written to one pipe so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Output(Arc<Mutex<String>>);

/// The lines of a pipe as they come. The channel closes when the pipe does.
#[derive(Debug)]
pub(crate) struct Lines(Receiver<String>);

impl Output {
    /// Collects the pipe on a thread of its own.
    pub(crate) fn collect(pipe: impl Read + Send + 'static) -> (Self, Lines) {
        let (output, (sender, lines)) = (Self::default(), mpsc::channel());
        let collected = output.clone();
        thread::spawn(move || {
            let mut pipe = BufReader::new(pipe);
            let mut line = Vec::new();
            while pipe.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                let text = String::from_utf8_lossy(&line).into_owned();
                collected
                    .0
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push_str(&text);
                // Nobody has to listen.
                let _ = sender.send(text);
                line.clear();
            }
        });
        (output, Lines(lines))
    }

    /// As if that had been written.
    #[cfg(test)]
    pub(crate) fn of(text: &str) -> Self {
        Self(Arc::new(Mutex::new(text.to_owned())))
    }

    /// What came so far.
    pub(crate) fn text(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Lines {
    /// The first line for which `pick` has an answer; `None` once the pipe is closed or `patience` is over between two lines.
    pub(crate) fn find<T>(&self, patience: Duration, pick: impl Fn(&str) -> Option<T>) -> Option<T> {
        std::iter::from_fn(|| self.0.recv_timeout(patience).ok()).find_map(|line| pick(&line))
    }

    /// Waits until the pipe is closed; `false` if it is not when `patience` is over between two lines.
    pub(crate) fn wait_for_close(&self, patience: Duration) -> bool {
        loop {
            match self.0.recv_timeout(patience) {
                Ok(_) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => return true,
                Err(mpsc::RecvTimeoutError::Timeout) => return false,
            }
        }
    }
}
