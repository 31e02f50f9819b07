//! The API descriptions that are shipped, against servers they are for: our own small ones in `tests/apis/servers`, and real ones.
//! Here they are spoken one request after the other: each reply must mean what the description says it means.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod servers;
mod settling;
mod speaker;
mod verdicts;

use quickeats_bench::api::Fill;
use quickeats_bench::history::{Meaning, Verb};
use servers::Server;
use speaker::{Speaker, word};

/// A value is made, replaced by who has seen it, kept from who has not, removed, and made again.
async fn a_register_is_understood(api: &str, server: Option<Server>) {
    let Some(server) = server else { return };
    let speaker = Speaker::new(api, &server);
    let id = speaker.api.dialect.made_id(&word()).unwrap();
    let id = id.as_str();
    let [first, second, third, fourth, last] = std::array::from_fn(|_| word());
    let fill = |unique| Fill { id, unique, ..Fill::default() };

    let made = speaker.ask(&Verb::Create, fill(&first)).await;
    assert_eq!(made.meaning, Meaning::Applied, "{made:?}");
    let (value, seen) = speaker.look(id).await;
    assert_eq!(value, first);

    let replaced = speaker.act("replace", Fill { token: seen.as_deref(), ..fill(&second) }).await;
    assert_eq!(replaced.meaning, Meaning::Applied, "{replaced:?}");
    let (value, now) = speaker.look(id).await;
    assert_eq!(value, second);
    assert!(now.is_some() && now != seen, "{now:?}");
    assert_eq!(replaced.token.as_deref(), now.as_deref(), "the reply to a change tells its token");
    assert!(replaced.state.is_none_or(|state| *state == *second));

    let late = speaker.act("replace", Fill { token: seen.as_deref(), ..fill(&third) }).await;
    assert_eq!(late.meaning, Meaning::Stale, "{late:?}");
    let blind = speaker.act("replace", fill(&third)).await;
    assert_eq!(blind.meaning.is_refusal(), speaker.api.model.precondition_required, "{blind:?}");
    let (value, now) = speaker.look(id).await;
    assert_eq!(value, if blind.meaning.is_refusal() { second.as_str() } else { &third });

    let again = speaker.act("put-new", fill(&fourth)).await;
    assert!(again.meaning.is_refusal(), "{again:?}");
    let removed = speaker.act("remove", Fill { token: now.as_deref(), ..fill(&fourth) }).await;
    assert_eq!(removed.meaning, Meaning::Applied, "{removed:?}");
    let nothing = speaker.ask(&Verb::Read, fill(&fourth)).await;
    assert_eq!(nothing.meaning, Meaning::NotFound, "{nothing:?}");
    let late = speaker.act("replace", Fill { token: now.as_deref(), ..fill(&fourth) }).await;
    assert!(late.meaning.is_refusal(), "{late:?}");
    let anew = speaker.act("put-new", fill(&last)).await;
    assert_eq!(anew.meaning, Meaning::Applied, "{anew:?}");
    assert_eq!(speaker.look(id).await.0, last);
}

#[tokio::test]
async fn documents() {
    a_register_is_understood("documents", servers::own("documents", "documents", &[])).await;
}

#[tokio::test]
async fn revisions() {
    a_register_is_understood("revisions", servers::own("revisions", "revisions", &[])).await;
}

#[tokio::test]
async fn transactions() {
    a_register_is_understood("transactions", servers::own("transactions", "transactions", &[])).await;
}

#[tokio::test]
async fn objects() {
    a_register_is_understood("objects", servers::own("objects", "objects", &[])).await;
}

#[tokio::test]
async fn transactions_of_etcd() {
    a_register_is_understood("transactions", servers::real("transactions_of_etcd", "etcd")).await;
}

#[tokio::test]
#[ignore = "PouchDB Server stands on 354 packages of npm: cargo test --test apis -- --ignored, with real parts required"]
async fn revisions_of_pouchdb() {
    a_register_is_understood("revisions", servers::real("revisions_of_pouchdb", "pouchdb")).await;
}

#[tokio::test]
async fn objects_of_moto() {
    a_register_is_understood("objects", servers::real("objects_of_moto", "moto")).await;
}

/// A fresh count is what was asked for, goes down and up by one, and never below none.
#[tokio::test]
async fn stock() {
    let Some(server) = servers::own("stock", "stock", &[]) else { return };
    let speaker = Speaker::new("stock", &server);
    let made = speaker.ask(&Verb::Create, Fill { starts: Some(2), ..Fill::default() }).await;
    let id = made.resource.unwrap();
    let fill = Fill { id: &id, ..Fill::default() };
    assert_eq!(made.state.as_deref(), Some("2"));
    let mut told = Vec::new();
    for action in ["take", "take", "take", "give"] {
        let reply = speaker.act(action, fill).await;
        told.push((reply.meaning, reply.state.map(|state| state.to_string())));
    }
    let expected = [
        (Meaning::Applied, Some("1".to_owned())),
        (Meaning::Applied, Some("0".to_owned())),
        (Meaning::Refused, None),
        (Meaning::Applied, Some("1".to_owned())),
    ];
    assert_eq!(told, expected);
    assert_eq!(speaker.look(&id).await.0, "1");
}

/// A request that is sent again charges once and hears the same; another payload is refused; the list has one row a charge.
#[tokio::test]
async fn charges() {
    let Some(server) = servers::own("charges", "charges", &[]) else { return };
    let speaker = Speaker::new("charges", &server);
    let id = speaker.api.dialect.made_id(&word()).unwrap();
    let [payload, other, key, other_key] = std::array::from_fn(|_| word());
    let fill = |unique, key| Fill { id: &id, unique, key: Some(key), ..Fill::default() };

    let first = speaker.act("charge", fill(&payload, &key)).await;
    assert_eq!((first.meaning, first.amount), (Meaning::Applied, Some(1200)));
    let retry = speaker.act("charge", fill(&payload, &key)).await;
    assert_eq!(retry.meaning, Meaning::Replayed);
    assert_eq!((&retry.effect, retry.digest), (&first.effect, first.digest));
    let reused = speaker.act("charge", fill(&other, &key)).await;
    assert_eq!(reused.meaning, Meaning::Refused);
    let second = speaker.act("charge", fill(&other, &other_key)).await;
    assert_eq!(second.meaning, Meaning::Applied);

    let listed = speaker.ask(&Verb::ListEffects, Fill { id: &id, ..Fill::default() }).await.records.unwrap();
    let ids: Vec<_> = listed.iter().map(|row| row.id.clone()).collect();
    assert_eq!(ids, [second.effect, first.effect]);
    assert!(listed.iter().all(|row| row.amount == Some(1200)));
}

/// While a request is being worked on, another one with its key hears so. Whether two meet is up to the machine, so it is tried until
/// they do; met or not, there is one charge.
#[tokio::test]
async fn charges_in_flight() {
    let Some(server) = servers::own("charges_in_flight", "charges", &["--window", "100ms"]) else { return };
    let speaker = Speaker::new("charges", &server);
    for _ in 0..20 {
        let id = speaker.api.dialect.made_id(&word()).unwrap();
        let [payload, key] = std::array::from_fn(|_| word());
        let fill = Fill { id: &id, unique: &payload, key: Some(&key), ..Fill::default() };
        let (one, two) = tokio::join!(speaker.act("charge", fill), speaker.act("charge", fill));
        let listed = speaker.ask(&Verb::ListEffects, Fill { id: &id, ..Fill::default() }).await;
        assert_eq!(listed.records.unwrap().len(), 1, "{one:?} {two:?}");
        if [one.meaning, two.meaning].contains(&Meaning::InProgress) {
            return;
        }
    }
    panic!("no two were in flight at once");
}
