//! What a request costs: SQL statements, told in `Server-Timing`. However many orders there are, a list takes as many.

use crate::caller::{Reply, Service};
use crate::venue::{Venue, on_venues};

on_venues!(sqlite: Sqlite =>
    a_list_takes_as_many_statements_for_thirty_orders_as_for_one,
    an_action_takes_as_many_statements_as_it_has_rows_to_write,
);
on_venues!(postgres: Postgres =>
    a_list_takes_as_many_statements_for_thirty_orders_as_for_one,
    an_action_takes_as_many_statements_as_it_has_rows_to_write,
);
on_venues!(memory: Memory => a_store_without_sql_says_so);

fn statements(reply: &Reply) -> u32 {
    let timing = reply.header("server-timing").unwrap();
    let [db, total, arrival] = timing.split(", ").collect::<Vec<_>>()[..] else { panic!("{timing}") };
    assert!(total.strip_prefix("total;dur=").unwrap().parse::<f64>().unwrap() > 0.0, "{timing}");
    let (millis, fraction) = arrival.strip_prefix("arrival;dur=").unwrap().split_once('.').unwrap();
    assert!(millis.parse::<u64>().is_ok() && fraction.len() == 6 && fraction.parse::<u64>().is_ok(), "{timing}");
    db.strip_prefix("db;desc=\"").unwrap().split(' ').next().unwrap().parse().unwrap()
}

async fn a_list_takes_as_many_statements_for_thirty_orders_as_for_one(venue: Venue) {
    let service = Service::sound(venue).await;
    for (placed, shown) in [(1, 1), (29, 30)] {
        for _ in 0..placed {
            service.order_in("in_transit").await;
        }
        for (query, expected) in [("", 1), ("include=restaurant", 2), ("include=restaurant,rider", 3)] {
            let page = service.get(&format!("/api/v2/orders?limit=100&{query}")).send().await;
            assert_eq!(page.body["results"].as_array().unwrap().len(), shown);
            assert_eq!(statements(&page), expected, "{query}");
        }
    }
}

async fn an_action_takes_as_many_statements_as_it_has_rows_to_write(venue: Venue) {
    let service = Service::sound(venue).await;
    let order = service.order().await;
    let read = service.now(&order).await;
    assert_eq!(statements(&read), 1);
    // Seen, claimed; and in the transaction: order, key, event, charge.
    let paid = service.payment(&order).key("k").send().await;
    assert_eq!((paid.status, statements(&paid)), (200, 6));
    // Seen; and the claim that fails, and what it found.
    let again = service.payment(&order).key("k").send().await;
    assert_eq!((again.is_replayed(), statements(&again)), (true, 3));
    // Seen; order, event.
    let cancelled = service.act(&order.tagged(&paid.tag()), "cancellation").send().await;
    assert_eq!((cancelled.status, statements(&cancelled)), (200, 3));
}

async fn a_store_without_sql_says_so(venue: Venue) {
    let service = Service::sound(venue).await;
    let order = service.order().await;
    assert_eq!(statements(&service.now(&order).await), 0);
}
