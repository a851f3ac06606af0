//! Work in the background that ends only when it is done.

use std::future::Future;
use std::time::Duration;

/// How long after a panic the work begins again.
const AGAIN: Duration = Duration::from_secs(1);

/// Runs what `begin` makes to its end. A panic is a mistake of ours and not the end: the work begins again, from its
/// record, for who waits for it (a task, a stack, an experiment) would wait for ever.
pub(crate) fn drive<F>(what: impl Into<String>, begin: impl Fn() -> F + Send + 'static)
where
    F: Future<Output = ()> + Send + 'static,
{
    let what = what.into();
    tokio::spawn(async move {
        while let Err(error) = tokio::spawn(begin()).await {
            // Otherwise the runtime ends.
            if !error.is_panic() {
                return;
            }
            tracing::error!(what, %error, "work in the background was cut short by a mistake; it begins again");
            tokio::time::sleep(AGAIN).await;
        }
    });
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn work_that_panics_begins_again() {
        let begun = Arc::new(AtomicU32::new(0));
        let (done, end) = tokio::sync::oneshot::channel();
        let done = Arc::new(std::sync::Mutex::new(Some(done)));
        let count = Arc::clone(&begun);
        drive("test", move || {
            let (count, done) = (Arc::clone(&count), Arc::clone(&done));
            async move {
                assert!(count.fetch_add(1, Ordering::SeqCst) == 1, "a mistake");
                done.lock().unwrap().take().unwrap().send(()).unwrap();
            }
        });
        end.await.unwrap();
        assert_eq!(begun.load(Ordering::SeqCst), 2);
    }
}
