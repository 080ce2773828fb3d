//! Credentials that outlive the call that asked for them.
//!
//! The SDK fetches credentials within an attempt of a call, so the attempt's time-out drops a provider
//! that is still at work, and the next attempt starts it anew: a process that waits for a person would
//! never be done. Here the work is a task of its own, and whoever asks next waits for the same one.
//! It keeps nothing that was handed out: that is the SDK's cache.

use std::sync::Arc;

use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, Result, SharedCredentialsProvider, future};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

/// A provider whose work goes on when the one who asked has left.
#[derive(Clone, Debug)]
pub(super) struct Patient {
    inner: SharedCredentialsProvider,
    work: Arc<Mutex<Work>>,
}

#[derive(Debug)]
enum Work {
    None,
    /// Somebody asked, and may have left since.
    Running(JoinHandle<Result>),
    /// Done, and not handed out.
    Done(Result),
}

impl Patient {
    pub(super) fn new(inner: SharedCredentialsProvider) -> Self {
        Self { inner, work: Arc::new(Mutex::new(Work::None)) }
    }

    /// Waits for credentials, or for their failure, and keeps them for the first who asks.
    pub(super) async fn fetch_ahead(&self) {
        let mut work = self.work.lock().await;
        let result = self.next(&mut work).await;
        *work = Work::Done(result);
    }

    /// The work's result. Dropped in the middle, it leaves the work running.
    async fn next(&self, work: &mut Work) -> Result {
        if let Work::None = work {
            let inner = self.inner.clone();
            *work = Work::Running(tokio::spawn(async move { inner.provide_credentials().await }));
        }
        if let Work::Running(task) = work {
            let result = task.await.unwrap_or_else(|error| Err(CredentialsError::unhandled(error)));
            *work = Work::Done(result);
        }
        match std::mem::replace(work, Work::None) {
            Work::Done(result) => result,
            Work::None | Work::Running(_) => Err(CredentialsError::not_loaded_no_source()),
        }
    }
}

impl ProvideCredentials for Patient {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async move {
            let mut work = self.work.lock().await;
            self.next(&mut work).await
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    use aws_credential_types::Credentials;

    use super::*;

    /// Takes a minute, as somebody who looks for a key to touch.
    #[derive(Clone, Debug, Default)]
    struct Slow(Arc<AtomicU32>);

    impl ProvideCredentials for Slow {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            future::ProvideCredentials::new(async {
                self.0.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_mins(1)).await;
                Ok(Credentials::new("AKID", "secret", None, None, "test"))
            })
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_that_gives_up_leaves_the_work_to_the_next() {
        let slow = Slow::default();
        let patient = Patient::new(SharedCredentialsProvider::new(slow.clone()));
        for _ in 0..5 {
            let attempt = tokio::time::timeout(Duration::from_secs(10), patient.provide_credentials());
            assert!(attempt.await.is_err());
        }
        assert!(patient.provide_credentials().await.is_ok());
        assert_eq!(slow.0.load(Ordering::Relaxed), 1);
        assert!(patient.provide_credentials().await.is_ok());
        assert_eq!(slow.0.load(Ordering::Relaxed), 2, "nothing is kept that was handed out");
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_fetched_ahead_is_handed_out_once() {
        let slow = Slow::default();
        let patient = Patient::new(SharedCredentialsProvider::new(slow.clone()));
        patient.fetch_ahead().await;
        let attempt = tokio::time::timeout(Duration::from_secs(1), patient.provide_credentials());
        assert!(attempt.await.is_ok_and(|credentials| credentials.is_ok()));
        assert_eq!(slow.0.load(Ordering::Relaxed), 1);
    }
}
