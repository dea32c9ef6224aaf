//! Witnesses: servers of others that sign the checkpoints of the log beside it. Nothing else here asks another server for anything but
//! object storage.
//!
//! Source: C2SP tlog-witness.

mod settings;

use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use reqwest::{Client, StatusCode, header::CONTENT_TYPE, redirect::Policy};
use wreg_trust::log::{
    AddCheckpoint,
    note::NoteSignature,
    witness::{MAX_LEN, PATH, SIZE_TYPE, read_cosignatures, read_size},
};

pub(crate) use self::settings::WitnessSettings;
use crate::clock::{Millis, millis};

/// The pause before a witness is asked again that failed; it doubles with each failure.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest.
const MAX_PAUSE: Duration = Duration::from_mins(5);
/// How much of a refusal's text is shown.
const MAX_SHOWN: usize = 200;

/// Why a witness has not signed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WitnessError {
    /// There is no client for it.
    #[error("there is no way to ask it")]
    Client(#[source] reqwest::Error),
    /// It did not answer, or not to the end.
    #[error("it cannot be reached")]
    Unreachable(#[from] reqwest::Error),
    /// It answered something else.
    #[error("it answered with {status}: {text}")]
    Refused {
        /// The status.
        status: StatusCode,
        /// The beginning of the answer.
        text: String,
    },
    /// The answer is too long to be one.
    #[error("its answer has more than {MAX_LEN} bytes")]
    TooLong,
}

/// What a witness answers.
#[derive(Debug)]
pub(crate) enum Answer {
    /// Signatures; whose they are, and whether they are right, is to be looked at.
    Signed(Vec<NoteSignature>),
    /// It has last signed a checkpoint of another size than it was asked about.
    SignedLast(u64),
}

/// A witness, and how it went with it.
pub(crate) struct Witness {
    settings: WitnessSettings,
    client: Client,
    state: Mutex<State>,
}

#[derive(Debug, Clone, Copy, Default)]
struct State {
    /// The size that it signed last, as far as this server knows.
    size: u64,
    failures: u32,
    /// It is not asked before.
    not_before: Millis,
}

/// The witnesses of the log.
#[derive(Default)]
pub(crate) struct Witnesses {
    all: Vec<Witness>,
    interval: Millis,
}

impl Witnesses {
    /// `interval` is how long a cosignature is good.
    pub(crate) fn new(settings: Vec<WitnessSettings>, interval: Duration) -> Result<Self, WitnessError> {
        let all: Result<_, _> = settings.into_iter().map(Witness::new).collect();
        Ok(Self {
            all: all?,
            interval: millis(interval),
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Those that may be asked now.
    pub(crate) fn ready(&self, now: Millis) -> Vec<&Witness> {
        let ready = |witness: &&Witness| now >= witness.state().not_before;
        self.all.iter().filter(ready).collect()
    }

    /// How long a cosignature is good, in milliseconds.
    pub(crate) fn interval(&self) -> Millis {
        self.interval
    }
}

impl Witness {
    fn new(settings: WitnessSettings) -> Result<Self, WitnessError> {
        let builder = Client::builder()
            .user_agent(concat!("wreg-registry/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none());
        let builder = if settings.is_loopback() {
            builder.no_proxy()
        } else {
            builder
        };
        // Without TLS no authorities are needed, and there may be none on this machine.
        let builder = if settings.is_plain() {
            builder.tls_certs_only([])
        } else {
            builder
        };
        Ok(Self {
            settings,
            client: builder.build().map_err(WitnessError::Client)?,
            state: Mutex::default(),
        })
    }

    /// Who checks its signatures.
    pub(crate) fn key(&self) -> &wreg_trust::log::Verifier {
        &self.settings.key
    }

    /// The size of the checkpoint that it has signed last, as far as this server knows; else 0.
    pub(crate) fn last_size(&self) -> u64 {
        self.state().size
    }

    /// Notes what it has signed.
    pub(crate) fn signed(&self, size: u64) {
        let before = self.change(|state| {
            *state = State {
                size,
                ..State::default()
            }
        });
        if before.failures > 0 {
            tracing::info!(witness = %self, "the witness signs again");
        }
    }

    /// Notes that it did not sign, and how long it is left alone.
    pub(crate) fn failed(&self, now: Millis) {
        self.change(|state| {
            let pause = PAUSE.saturating_mul(1 << state.failures.min(16)).min(MAX_PAUSE);
            state.not_before = now.saturating_add(millis(pause));
            state.failures = state.failures.saturating_add(1);
        });
    }

    /// Asks it to sign a checkpoint.
    pub(crate) async fn add_checkpoint(&self, request: &AddCheckpoint) -> Result<Answer, WitnessError> {
        let url = format!("{}{PATH}", self.settings.url);
        let mut response = self.client.post(url).body(request.to_string()).send().await?;
        let is_size = response
            .headers()
            .get(CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(SIZE_TYPE.as_bytes()));
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > MAX_LEN {
                return Err(WitnessError::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        let text = String::from_utf8_lossy(&body);
        match response.status() {
            StatusCode::OK => return Ok(Answer::Signed(read_cosignatures(&text))),
            StatusCode::CONFLICT if is_size => {
                if let Some(size) = read_size(text.trim_end()) {
                    self.change(|state| state.size = size);
                    return Ok(Answer::SignedLast(size));
                }
            }
            _ => {}
        }
        let shown = |c: &char| !c.is_control();
        Err(WitnessError::Refused {
            status: response.status(),
            text: text.chars().filter(shown).take(MAX_SHOWN).collect(),
        })
    }

    fn state(&self) -> State {
        self.change(|_| {})
    }

    /// Changes the state, and gives the one before.
    fn change(&self, change: impl FnOnce(&mut State)) -> State {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let before = *state;
        change(&mut state);
        before
    }
}

impl fmt::Display for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.settings.url, self.settings.key.name())
    }
}
