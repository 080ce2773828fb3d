//! The embedded local KMS: a server that speaks AWS's wire, inside this process or, over the same
//! function, on a socket. It is no mock: data keys are sealed with AES-256-GCM under key material of
//! its own, the encryption context is authenticated, states count, pages end, and errors carry AWS's
//! codes and words.
//!
//! It must use no other module of this crate: it is the other side of the wire, so its enums and
//! records are deliberately its own.
//!
//! ```text
//! connector          the SDK's transport
//! server             a socket for any other client
//! front              delays and faults happen here
//! behaviour          which fault is due, and how a switch of `kmx serve` is spelled
//! service            a request in, an answer out; synchronous
//! operations         one function for each operation of KMS that is here
//! state              what a key's state lets be done with it
//! due, usage         what happens to keys by itself; when they were last used
//! policy             key policies as documents
//! wire               a request and an answer, whatever carries them
//! shape, identifier  what the members of a request may be; how keys and aliases are named
//! answer, error      what comes back
//! marker             where a listing goes on
//! key, blob          what a key is; what a ciphertext is
//! asymmetric         key pairs, and RSA encryption
//! store, seed        what is kept, and what it begins with
//! clock, randomness  passed in
//! hex                how ids are spelled
//! ```
//!
//! What it does not do: verify signatures, evaluate policies or grants (every caller is the account's
//! own user, and only AWS managed keys refuse), sign, verify, make MACs, import, replicate, have key
//! stores made. Key material lies unencrypted in the store. Plaintexts are wiped here after use; what
//! a transport or the database buffers of them is not.

mod answer;
mod asymmetric;
mod behaviour;
mod blob;
mod clock;
mod connector;
mod due;
mod error;
mod front;
mod hex;
mod identifier;
mod key;
mod marker;
mod operations;
mod policy;
mod randomness;
mod seed;
mod server;
mod service;
mod shape;
mod state;
mod store;
mod usage;
mod wire;

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use zeroize::Zeroizing;

pub use behaviour::{Behaviour, Denial, Fault, Odds, Rate, Rule, Share, SwitchError, parse_latency};
pub use clock::Clock;
pub use randomness::{Exhausted, Randomness};
pub use server::{ServeError, Server, ServerOptions};
pub use wire::Response;

use front::Front;
use marker::Markers;
use seed::{Generated, Keyring};
use service::Service;
use store::Store;
use usage::Usage;
use wire::Request;

/// The account that every key of the local KMS is in.
pub const ACCOUNT: &str = "111122223333";

/// An embedded KMS over one store. Clones share it; the last one dropped closes the store.
///
/// Keys live in the region that a request was signed for. Credentials may be any: they are not
/// verified, but a request without a signature is refused, as AWS refuses it.
#[derive(Clone)]
pub struct LocalKms {
    front: Arc<Front>,
}

/// Where the keys are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreLocation {
    /// In this process, until the last clone is dropped.
    Memory,
    /// In that file. It is created with mode 0600 where it does not exist, its folder with 0700.
    File(PathBuf),
}

/// What a new store begins with.
///
/// The default: the demo keyring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seed {
    /// A keyring, as TOML; see `assets/demo/keyring.toml`. A store that exists is left as it is.
    Keyring(Cow<'static, str>),
    /// So many keys in us-east-1, made up from a number: a realistic mixture, the first one enabled
    /// and with `alias/demo/orders`. Their material comes from the number as well, so whoever knows it
    /// knows the keys: they are for tests and demonstrations. A store that exists is an error.
    Generated {
        /// At most [`MAX_GENERATED_KEYS`].
        keys: u32,
        /// The same number gives the same keys; what lies ahead of them counts from the clock.
        seed: u64,
    },
}

/// The most keys that are made up for a store.
pub const MAX_GENERATED_KEYS: u32 = 1_000_000;

impl Default for Seed {
    fn default() -> Self {
        Self::Keyring(Cow::Borrowed(seed::DEMO))
    }
}

impl<T: Into<Cow<'static, str>>> From<T> for Seed {
    /// That keyring.
    fn from(keyring: T) -> Self {
        Self::Keyring(keyring.into())
    }
}

/// What the local KMS takes from outside.
///
/// The default: the real clock, real randomness, the demo keyring, no misbehaviour.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The time. It decides when a key was created and last used, when a deletion, an expiry or a
    /// rotation is due, and what the days of a keyring count from.
    pub clock: Clock,
    /// Key material, data keys, salts, nonces, ids.
    pub randomness: Randomness,
    /// What a new store begins with.
    pub seed: Seed,
    /// Delays and faults.
    pub behaviour: Behaviour,
}

/// Why a store could not be opened. The file is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process has it open: redb gives a file to one at a time.
    #[error(
        "the local KMS's store `{}` is in use by another process: share it through one `kmx serve` and \
         `AWS_ENDPOINT_URL_KMS`, or leave that one, or name another file with `--demo-store`",
        path.display()
    )]
    InUse {
        /// The store.
        path: PathBuf,
    },
    /// A later version of this program wrote it.
    #[error(
        "the local KMS's store `{}` has format {found}, this kmx knows {known}: use a newer kmx, or \
         name another file with `--demo-store`",
        path.display()
    )]
    Newer {
        /// The store.
        path: PathBuf,
        /// The schema's version in the file.
        found: u32,
        /// The highest version that this program reads.
        known: u32,
    },
    /// A file of something else, or one so damaged that it is not to be recognised.
    #[error(
        "`{}` is not a store of the local KMS, or is damaged: it was left as it is; move it away, or \
         name another file with `--demo-store`",
        path.display()
    )]
    NotAStore {
        /// The file.
        path: PathBuf,
    },
    /// The store is there, and cannot be read or written.
    #[error(
        "the local KMS's store `{}` cannot be used, it may be damaged: {reason}; move it away, or \
         name another file with `--demo-store`",
        path.display()
    )]
    Store {
        /// The store.
        path: PathBuf,
        /// What the database says.
        reason: String,
    },
    /// The file or its folder cannot be opened or created.
    #[error(
        "cannot open the local KMS's store `{}`: {source}; name another file with `--demo-store`",
        path.display()
    )]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The keyring is not one.
    #[error("the keyring cannot be read: {reason}")]
    Keyring {
        /// What is wrong, and where.
        reason: String,
    },
    /// More keys are to be made up than [`MAX_GENERATED_KEYS`]. No store was made.
    #[error(
        "cannot make up {keys} keys: at most {MAX_GENERATED_KEYS} are possible, name a smaller number with \
         `--seed-keys`"
    )]
    TooManyKeys {
        /// What was asked for.
        keys: u32,
    },
    /// Keys are to be made up in a store that exists.
    #[error(
        "the local KMS's store `{}` exists, and `--seed-keys` is for new stores: leave it out to use the \
         keys that are there, name another file with `--demo-store`, or keep them in memory with \
         `--ephemeral`",
        path.display()
    )]
    NotNew {
        /// The store.
        path: PathBuf,
    },
    /// A new store could not be written: the disk is full, say. The next call makes it from the
    /// beginning.
    #[error(
        "the local KMS's store `{}` could not be made: {reason}; make room for it, or name another file \
         with `--demo-store`",
        path.display()
    )]
    NotMade {
        /// The store.
        path: PathBuf,
        /// What the database says.
        reason: String,
    },
    /// The first keys could not be written into a new store in memory.
    #[error("the keys of a new store could not be stored: {reason}")]
    Seed {
        /// What the database says.
        reason: String,
    },
    /// There is no key material without random bytes.
    #[error(transparent)]
    Randomness(#[from] Exhausted),
}

impl LocalKms {
    /// Opens the store, or makes and seeds it on first use. Blocking.
    ///
    /// # Errors
    /// See [`OpenError`]; its sentence names the file and the way out.
    pub fn open(location: StoreLocation, options: Options) -> Result<Self, OpenError> {
        let Options { clock, randomness, seed, behaviour } = options;
        if let Seed::Generated { keys, .. } = seed
            && keys > MAX_GENERATED_KEYS
        {
            return Err(OpenError::TooManyKeys { keys });
        }
        let must_be_new = matches!(seed, Seed::Generated { .. });
        let store = Store::open(location, clock.now(), must_be_new, |writer| {
            let marker_key: [u8; 32] = randomness.array()?;
            writer
                .put_marker_key(&marker_key)
                .map_err(|error| OpenError::Seed { reason: error.to_string() })?;
            match &seed {
                Seed::Keyring(keyring) => Keyring::parse(keyring)?.plant(writer, &clock, &randomness),
                Seed::Generated { keys, seed } => {
                    Generated { keys: *keys, seed: *seed }.plant(writer, &clock)
                }
            }
        })?;
        let markers = Markers::new(&store.marker_key()?);
        let store = Arc::new(store);
        let usage = Usage::new(Arc::clone(&store));
        let service = Service { store, usage, clock, randomness, markers };
        Ok(Self { front: Arc::new(Front::new(service, behaviour)) })
    }

    /// The in-process transport for the SDK: no socket, no TLS, no serialisation but the SDK's own.
    ///
    /// Latency and writing need a tokio runtime with time enabled around the call.
    #[must_use]
    pub fn http_client(&self) -> SharedHttpClient {
        connector::http_client(Arc::clone(&self.front))
    }

    /// Answers one request, at once and on this thread: what a transport gets from the service where
    /// no delay and no fault is due. [`Behaviour`] is not asked, and its counts stay as they are.
    ///
    /// `target` is the header `X-Amz-Target` (`TrentService.` and one of [`operations()`]),
    /// `authorization` the header `Authorization`, `body` whatever came. It blocks: an operation may
    /// write to the store, or make a key. An answer's status is 200, or 400 with an error of the
    /// request, or 500 where the store or the system's randomness failed.
    #[must_use]
    pub fn handle(&self, target: &str, authorization: Option<&str>, body: Vec<u8>) -> Response {
        self.front.service.handle(&Request {
            target: Some(target.to_owned()),
            authorization: authorization.map(str::to_owned),
            body: Zeroizing::new(body),
        })
    }

    /// Replaces the behaviour from the next request on. Counts of the old rules are forgotten.
    pub fn set_behaviour(&self, behaviour: Behaviour) {
        self.front.set_behaviour(behaviour);
    }
}

/// The names of the operations that the local KMS has, in AWS's spelling.
pub fn operations() -> impl Iterator<Item = &'static str> {
    operations::names()
}

/// Names the store and nothing in it.
impl fmt::Debug for LocalKms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalKms").field("store", &self.front.service.store.path()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
