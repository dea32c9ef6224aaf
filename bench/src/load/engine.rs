//! The clock and the threads: each thread keeps its share of the connections busy, by one epoll.

use std::{
    io,
    net::SocketAddr,
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

use rustix::{
    buffer::spare_capacity,
    event::{
        Timespec,
        epoll::{self, Event, EventData, EventFlags},
    },
    fd::OwnedFd,
};

use super::{
    connection::{Connection, Scrap, Turn},
    histogram::Histogram,
    usage::{self, Memory},
    work::Work,
};

/// How often memory is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// How long what is under way at the end may still take.
const PATIENCE: Duration = Duration::from_mins(1);
/// How many mistakes end the run.
const TOO_MANY: u64 = 1000;
/// How many of them are told in words.
const TOLD: usize = 5;

/// What to do, and for how long.
pub(super) struct Plan<'a> {
    pub(super) address: SocketAddr,
    pub(super) connections: usize,
    pub(super) threads: usize,
    pub(super) warm_up: Duration,
    pub(super) time: Duration,
    /// The most operations.
    pub(super) operations: usize,
    pub(super) discard: bool,
    /// The processes of the server.
    pub(super) pids: &'a [u32],
}

/// What came of it.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) operations: u64,
    /// Bytes of bodies.
    pub(super) moved: u64,
    pub(super) errors: u64,
    pub(super) told: Vec<String>,
    pub(super) latencies: Histogram,
    pub(super) took: Duration,
    /// Of the server, while the clock ran.
    pub(super) cpu: Duration,
    /// Of this program.
    pub(super) own_cpu: Duration,
    pub(super) before: Memory,
    pub(super) peak: Memory,
}

/// Runs until the time is over or there is no more work.
pub(super) fn run(plan: &Plan<'_>, work: &dyn Work) -> io::Result<Outcome> {
    let next = AtomicUsize::new(0);
    let from = Instant::now() + plan.warm_up;
    let until = from + plan.time;
    let (running, ended) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let mut threads = Vec::new();
        for number in 0..plan.threads {
            let share = plan.connections / plan.threads + usize::from(number < plan.connections % plan.threads);
            let mut thread = Thread::new(plan, work, &next, (from, until), share)?;
            let running = running.clone();
            threads.push(scope.spawn(move || {
                let outcome = thread.run();
                drop(running);
                outcome.map(|()| thread.outcome)
            }));
        }
        drop(running);
        let mut all = watch(plan.pids, (from, until), &ended)?;
        let mut last = from;
        for thread in threads {
            let one = thread.join().map_err(|_| io::Error::other("a thread panicked"))??;
            all.operations += one.operations;
            all.moved += one.moved;
            all.errors += one.errors;
            all.told.extend(one.told);
            all.latencies.add(&one.latencies);
            last = last.max(from + one.took);
        }
        // Where the work was done before the time was over, until it was.
        all.took = last - from;
        Ok(all)
    })
}

/// Watches the server while the others work: its time between the two instants, and its memory.
fn watch(pids: &[u32], (from, until): (Instant, Instant), ended: &mpsc::Receiver<()>) -> io::Result<Outcome> {
    let own = [std::process::id()];
    let times = || io::Result::Ok((usage::cpu_time(pids)?, usage::cpu_time(&own)?));
    let mut outcome = Outcome {
        before: usage::memory(pids)?,
        ..Outcome::default()
    };
    let (mut at_start, mut at_end) = (None, None);
    loop {
        outcome.peak = outcome.peak.max(usage::memory(pids)?);
        let now = Instant::now();
        if at_start.is_none() && now >= from {
            at_start = Some(times()?);
        }
        if at_end.is_none() && now >= until {
            at_end = Some(times()?);
        }
        let due = if now < from {
            from - now
        } else {
            until.saturating_duration_since(now)
        };
        let wait = if due.is_zero() { LOOK } else { due.min(LOOK) };
        if ended.recv_timeout(wait) == Err(RecvTimeoutError::Disconnected) {
            break;
        }
    }
    let ((start, own_start), (end, own_end)) = match (at_start, at_end) {
        (Some(start), Some(end)) => (start, end),
        (Some(start), None) => (start, times()?),
        _ => return Ok(outcome),
    };
    (outcome.cpu, outcome.own_cpu) = (end.saturating_sub(start), own_end.saturating_sub(own_start));
    Ok(outcome)
}

struct Thread<'a> {
    address: SocketAddr,
    work: &'a dyn Work,
    next: &'a AtomicUsize,
    operations: usize,
    from: Instant,
    until: Instant,
    epoll: OwnedFd,
    connections: Vec<Connection<'a>>,
    /// Whether each waits to send.
    sending: Vec<bool>,
    scrap: Scrap,
    outcome: Outcome,
}

impl<'a> Thread<'a> {
    fn new(
        plan: &Plan<'_>,
        work: &'a dyn Work,
        next: &'a AtomicUsize,
        (from, until): (Instant, Instant),
        share: usize,
    ) -> io::Result<Self> {
        let connections = (0..share).map(|_| Connection::open(plan.address));
        let connections = connections.collect::<io::Result<Vec<_>>>()?;
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        for (index, connection) in connections.iter().enumerate() {
            epoll::add(&epoll, connection, EventData::new_u64(index as u64), EventFlags::IN)?;
        }
        Ok(Self {
            address: plan.address,
            work,
            next,
            operations: plan.operations,
            from,
            until,
            epoll,
            sending: vec![false; share],
            connections,
            scrap: Scrap::new(plan.discard),
            outcome: Outcome::default(),
        })
    }

    fn run(&mut self) -> io::Result<()> {
        for index in 0..self.connections.len() {
            self.begin(index, Instant::now())?;
        }
        let mut events: Vec<Event> = Vec::with_capacity(256);
        let tick = Timespec {
            tv_sec: 0,
            tv_nsec: 50_000_000,
        };
        while self.connections.iter().any(|connection| connection.is_busy) {
            epoll::wait(&self.epoll, spare_capacity(&mut events), Some(&tick))?;
            for event in events.drain(..) {
                self.turn(event)?;
            }
            let now = Instant::now();
            if self.outcome.errors >= TOO_MANY || now > self.until + PATIENCE {
                let left = self.connections.iter().filter(|connection| connection.is_busy).count();
                self.wrong(format!("gave up, with {left} operations under way"));
                break;
            }
        }
        Ok(())
    }

    fn turn(&mut self, event: Event) -> io::Result<()> {
        let index = usize::try_from(event.data.u64()).unwrap_or(usize::MAX);
        let connection = &mut self.connections[index];
        if !connection.is_busy {
            // Its work is done: whatever the server says now, such as that it closes, is nobody's business.
            return Ok(epoll::delete(&self.epoll, connection)?);
        }
        // Also where it is neither: reading tells what is wrong.
        let flags = event.flags;
        let has_come = flags != EventFlags::OUT;
        let turn = connection.turn(self.work, has_come, &mut self.scrap);
        self.settle(index, turn)
    }

    fn begin(&mut self, index: usize, now: Instant) -> io::Result<()> {
        match self.begin_one(index, now) {
            Some(turn) => self.settle(index, turn),
            None => Ok(()),
        }
    }

    fn begin_one(&mut self, index: usize, now: Instant) -> Option<Turn> {
        if now >= self.until || self.outcome.errors >= TOO_MANY {
            return None;
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        if number >= self.operations {
            return None;
        }
        self.connections[index].begin(self.work, number, now)
    }

    /// Notes what came of a turn, and begins what follows.
    fn settle(&mut self, index: usize, mut turn: Turn) -> io::Result<()> {
        loop {
            let now = match turn {
                Turn::Waits { to_send } => return self.watch(index, to_send),
                Turn::Done { began, moved, closes } => {
                    let now = Instant::now();
                    self.done(began, now, moved);
                    if closes {
                        self.reopen(index)?;
                    }
                    now
                }
                Turn::Wrong(why) => {
                    self.wrong(why);
                    self.reopen(index)?;
                    Instant::now()
                }
            };
            match self.begin_one(index, now) {
                Some(next) => turn = next,
                None => return Ok(()),
            }
        }
    }

    /// Counts what ended while the clock ran.
    fn done(&mut self, began: Instant, now: Instant, moved: u64) {
        let outcome = &mut self.outcome;
        if now >= self.from && now <= self.until {
            outcome.operations += 1;
            outcome.moved += moved;
            outcome.latencies.record(now - began);
            outcome.took = now - self.from;
        }
    }

    fn wrong(&mut self, why: String) {
        self.outcome.errors += 1;
        if self.outcome.told.len() < TOLD {
            self.outcome.told.push(why);
        }
    }

    fn reopen(&mut self, index: usize) -> io::Result<()> {
        // The old one leaves the epoll by being closed.
        let connection = &mut self.connections[index];
        connection.reopen(self.address)?;
        self.sending[index] = false;
        epoll::add(
            &self.epoll,
            connection,
            EventData::new_u64(index as u64),
            EventFlags::IN,
        )?;
        Ok(())
    }

    fn watch(&mut self, index: usize, to_send: bool) -> io::Result<()> {
        if self.sending[index] != to_send {
            self.sending[index] = to_send;
            let flags = if to_send {
                EventFlags::IN | EventFlags::OUT
            } else {
                EventFlags::IN
            };
            epoll::modify(
                &self.epoll,
                &self.connections[index],
                EventData::new_u64(index as u64),
                flags,
            )?;
        }
        Ok(())
    }
}
