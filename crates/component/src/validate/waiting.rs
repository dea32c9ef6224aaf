//! Functions whose bodies wait to be validated together, since that is most of the work and each can be done by itself.

use std::{
    mem,
    num::NonZeroUsize,
    ops::Range,
    sync::{Mutex, MutexGuard, PoisonError},
    thread, vec,
};

use wasmparser::{BinaryReader, FuncToValidate, FuncValidatorAllocations, FunctionBody, ValidatorResources};

use super::body;
use crate::invalid::Invalid;

/// How many bytes of bodies a thread takes at a time. Fewer than these are not worth a thread.
const SHARE: u64 = 64 << 10;

/// A function, and where in the file its body is.
struct Function {
    to_validate: FuncToValidate<ValidatorResources>,
    body: Range<u64>,
}

/// Functions in the order of the file.
#[derive(Default)]
pub(super) struct Waiting {
    functions: Vec<Function>,
    size: u64,
}

impl Waiting {
    pub(super) fn add(&mut self, to_validate: FuncToValidate<ValidatorResources>, body: &FunctionBody<'_>) {
        let body = body.range();
        self.size += body.end - body.start;
        self.functions.push(Function { to_validate, body });
    }

    pub(super) fn count(&self) -> usize {
        self.functions.len()
    }

    /// The size of their bodies together, in bytes.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Validates them all, of the file `bytes`, on up to `threads` threads; none waits any more. The first error in the order of
    /// the file is the answer, whoever finds which error first.
    pub(super) fn validate(&mut self, bytes: &[u8], threads: NonZeroUsize) -> Result<(), Invalid> {
        let Self { functions, size } = mem::take(self);
        let threads = usize::try_from(size / SHARE).map_or(threads.get(), |shares| threads.get().min(shares));
        let queue = Mutex::new(Queue {
            functions: functions.into_iter(),
            first: None,
        });
        thread::scope(|scope| {
            for _ in 1..threads {
                // If there is no thread to be had, this one does it all.
                let _ = thread::Builder::new().spawn_scoped(scope, || work(&queue, bytes));
            }
            work(&queue, bytes);
        });
        let queue = queue.into_inner().unwrap_or_else(PoisonError::into_inner);
        queue.first.map_or(Ok(()), |(_, invalid)| Err(invalid))
    }
}

struct Queue {
    functions: vec::IntoIter<Function>,
    /// The first error in the order of the file so far, and where its function begins.
    first: Option<(u64, Invalid)>,
}

impl Queue {
    /// The next functions, about [`SHARE`] bytes of them; none at the end.
    fn share(&mut self) -> Vec<Function> {
        let mut share = Vec::new();
        let mut size = 0;
        while size < SHARE
            && let Some(function) = self.functions.next()
        {
            size += function.body.end - function.body.start;
            share.push(function);
        }
        share
    }

    /// Nobody needs to look at the functions that no thread has taken yet: all stand behind this one.
    fn found(&mut self, at: u64, invalid: Invalid) {
        self.functions = Vec::new().into_iter();
        if self.first.as_ref().is_none_or(|(first, _)| at < *first) {
            self.first = Some((at, invalid));
        }
    }
}

fn work(queue: &Mutex<Queue>, bytes: &[u8]) {
    let mut allocations = FuncValidatorAllocations::default();
    loop {
        let share = lock(queue).share();
        if share.is_empty() {
            return;
        }
        for Function { to_validate, body } in share {
            let at = body.start;
            if let Err(invalid) = validate(to_validate, body, bytes, &mut allocations) {
                return lock(queue).found(at, invalid);
            }
        }
    }
}

/// A panic of another thread ends the whole validation, so that nobody sees what it left.
fn lock(queue: &Mutex<Queue>) -> MutexGuard<'_, Queue> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

fn validate(
    function: FuncToValidate<ValidatorResources>,
    body: Range<u64>,
    bytes: &[u8],
    allocations: &mut FuncValidatorAllocations,
) -> Result<(), Invalid> {
    let place = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX);
    let content = bytes.get(place(body.start)..place(body.end)).unwrap_or_default();
    let reader = BinaryReader::new_features(content, body.start, function.features);
    body::validate(function, &FunctionBody::new(reader), allocations)
}
