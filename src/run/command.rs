//! A target that is restarted by a command of the user's.

use std::pin::Pin;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::process::Command;

use super::look::answers;
use crate::api::Api;
use crate::race::Restart;
use crate::target::HttpTarget;

/// How long the command may take, and then the target until it answers again.
const LIMIT: Duration = Duration::from_mins(1);
/// Between two looks whether it does.
const PAUSE: Duration = Duration::from_millis(20);

/// A command that restarts the target.
#[derive(Debug)]
pub(super) struct RestartCommand {
    pub(super) command: String,
    /// The target, over connections of its own.
    pub(super) target: HttpTarget,
    pub(super) api: Arc<Api>,
}

impl RestartCommand {
    async fn run(&self) -> Result<(), String> {
        let mut command = Command::new("sh");
        command.arg("-c").arg(&self.command).stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true);
        let ended = tokio::time::timeout(LIMIT, command.status()).await;
        match ended {
            Err(_) => return Err(format!("`{}` did not end within {LIMIT:?}", self.command)),
            Ok(Err(error)) => return Err(format!("`{}` cannot be run: {error}", self.command)),
            Ok(Ok(status)) if !status.success() => return Err(format!("`{}` failed: {status}", self.command)),
            Ok(Ok(_)) => {}
        }
        // That a connection is taken says nothing: a killed process's socket takes some more until it is gone.
        let is_up = async {
            while !answers(&self.target, &self.api).await {
                tokio::time::sleep(PAUSE).await;
            }
        };
        let is_back = tokio::time::timeout(LIMIT, is_up).await;
        is_back.map_err(|_| format!("after `{}` the target did not answer within {LIMIT:?}", self.command))
    }
}

impl Restart for RestartCommand {
    fn restart(&self) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + '_>> {
        Box::pin(self.run())
    }
}
