//! Callers who hang up, at whatever moment: they leave neither a transaction open nor a key locked.
//!
//! ```text
//! caller    POST …/payment ──╳ gone
//! service     seen ─ claim ─ BEGIN ─ lock ─ UPDATE ─ COMMIT     cut short anywhere in here
//! next one                                                      is not kept waiting by what is left of it
//! ```

use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::caller::{Order, Service};
use crate::venue::{Venue, on_venues};

on_venues!(everywhere: whoever_hangs_up_leaves_the_key_and_the_order_to_the_next);

/// Before a claim runs out by itself (a minute) or a database gives a session up (half of one): what takes longer was
/// waited for.
const SOON: Duration = Duration::from_secs(15);

/// Sends a whole request, the order's id for its key, and hangs up after a while. The while is no synchronisation: any
/// moment is as good.
async fn hang_up(service: &Service, order: &Order, after: Duration) {
    let mut caller = TcpStream::connect(service.base().trim_start_matches("http://")).await.unwrap();
    let body = r#"{"payment_method":"card","amount":25000}"#;
    let request = format!(
        "POST /api/v2/orders/{}/payment HTTP/1.1\r\nhost: x\r\nif-match: {}\r\nidempotency-key: {}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        order.id,
        order.tag,
        order.id,
        body.len()
    );
    caller.write_all(request.as_bytes()).await.unwrap();
    tokio::time::sleep(after).await;
}

async fn whoever_hangs_up_leaves_the_key_and_the_order_to_the_next(venue: Venue) {
    let service = Service::sound(venue).await;
    for step in 0..60_u32 {
        let order = service.order().await;
        hang_up(&service, &order, Duration::from_micros(100) * step).await;
        let started = Instant::now();
        let reply = loop {
            let reply = service.payment(&order).key(&order.id).send().await;
            assert!(started.elapsed() < SOON, "{reply:?}");
            if reply.status != 409 {
                break reply;
            }
        };
        assert_eq!(reply.status, 200, "{reply:?}");
        assert_eq!(service.ledger(&order).await.len(), 1);
    }
}
