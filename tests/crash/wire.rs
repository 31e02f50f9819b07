//! A wire between a service and what it stores in. It carries everything until the service sends a certain word: that
//! and what comes after it is never delivered, on any connection. So a process can be killed at an exact place.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

pub(crate) struct Wire {
    pub(crate) port: u16,
    reached: watch::Receiver<bool>,
    _carried: JoinSet<()>,
}

impl Wire {
    /// To the server on this port, until somebody says `word` to it.
    pub(crate) async fn until(word: &'static str, server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (reach, reached) = watch::channel(false);
        let mut carried = JoinSet::new();
        carried.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (near, _) = listener.accept().await.unwrap();
                let far = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
                let ((from_near, to_near), (from_far, to_far)) = (near.into_split(), far.into_split());
                connections.spawn(carry(from_near, to_far, Some((word, reach.clone()))));
                connections.spawn(carry(from_far, to_near, None));
            }
        });
        Self { port, reached, _carried: carried }
    }

    /// Returns when the word has been said.
    pub(crate) async fn word_was_said(&mut self) {
        self.reached.wait_for(|reached| *reached).await.unwrap();
    }
}

async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, until: Option<(&str, watch::Sender<bool>)>) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        if let Some((word, reach)) = &until {
            if buffer[..count].windows(word.len()).any(|window| window == word.as_bytes()) {
                reach.send_replace(true);
            }
            if *reach.borrow() {
                // Neither delivered nor refused: silence.
                std::future::pending::<()>().await;
            }
        }
        if to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}
