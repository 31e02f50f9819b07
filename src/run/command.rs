//! A target that is restarted by a command of the user's.

use std::pin::Pin;
use std::process::Stdio;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::process::Command;

use crate::race::Restart;
use crate::target::Endpoint;

/// How long the command may take, and then the target until it takes connections again.
const LIMIT: Duration = Duration::from_mins(1);
/// Between two looks whether it does.
const PAUSE: Duration = Duration::from_millis(20);

/// A command that restarts the target.
#[derive(Debug)]
pub(super) struct RestartCommand {
    pub(super) command: String,
    pub(super) endpoint: Endpoint,
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
        let address = (self.endpoint.host(), self.endpoint.port());
        let listens = async {
            while TcpStream::connect((address.0.as_str(), address.1)).await.is_err() {
                tokio::time::sleep(PAUSE).await;
            }
        };
        let is_back = tokio::time::timeout(LIMIT, listens).await;
        is_back.map_err(|_| format!("after `{}` the target took no connections within {LIMIT:?}", self.command))
    }
}

impl Restart for RestartCommand {
    fn restart(&self) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + '_>> {
        Box::pin(self.run())
    }
}
