//! Asking a run to stop.

use std::sync::Arc;

/// Asks a run to stop. Cheap to clone; all clones agree.
#[derive(Debug, Clone)]
pub struct Stop {
    sender: Arc<tokio::sync::watch::Sender<bool>>,
}

impl Default for Stop {
    fn default() -> Self {
        Self { sender: Arc::new(tokio::sync::watch::Sender::new(false)) }
    }
}

impl Stop {
    /// Asks.
    pub fn ask(&self) {
        self.sender.send_replace(true);
    }

    /// Whether someone has asked.
    pub fn is_asked(&self) -> bool {
        *self.sender.borrow()
    }

    /// Waits until someone asks.
    pub async fn asked(&self) {
        let mut receiver = self.sender.subscribe();
        // The sender lives as long as `self`.
        let _ = receiver.wait_for(|asked| *asked).await;
    }
}
