//! `/openapi.json` held against reality: every answer that any test of this suite gets is one that the document tells
//! of, with the headers and the body that it tells of. Also where the service makes a mistake, unless the mistake is to
//! answer something else.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use jsonschema::Validator;
use quickeats_bench::jwt::Secret;
use quickeats_bench::service::{Auth, ServiceConfig};
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, Url};
use serde_json::{Value, json};

use crate::caller::{Reply, Service};
use crate::venue::{Venue, on_venues};

on_venues!(memory: Memory =>
    the_document_is_openapi_3_1_and_needs_no_token,
    every_path_allows_what_the_document_tells_and_nothing_else,
    what_the_document_does_not_tell_of_is_noticed,
);

/// A service's own description, ready to be held against its answers.
pub(crate) struct Described {
    document: Value,
    /// The schemas of bodies, by JSON pointer.
    schemas: Mutex<HashMap<String, Arc<Validator>>>,
}

/// There are as many descriptions as ways to be asked for a token: all services share them.
static KNOWN: LazyLock<Mutex<HashMap<String, Arc<Described>>>> = LazyLock::new(Mutex::default);

impl Described {
    pub(crate) async fn fetch(client: &Client, base: &str) -> Arc<Self> {
        let text = client.get(format!("{base}/openapi.json")).send().await.unwrap().text().await.unwrap();
        let mut known = KNOWN.lock().unwrap();
        let described = known.entry(text).or_insert_with_key(|text| {
            Arc::new(Self { document: serde_json::from_str(text).unwrap(), schemas: Mutex::default() })
        });
        Arc::clone(described)
    }

    /// The name of the path that a request is for, with `{id}`.
    fn path(&self, asked: &str) -> Option<&String> {
        let asked: Vec<_> = asked.strip_suffix('/').unwrap_or(asked).split('/').collect();
        let names = self.document["paths"].as_object().unwrap().keys();
        let fits = |name: &&String| {
            let parts: Vec<_> = name.split('/').collect();
            parts.len() == asked.len() && parts.iter().zip(&asked).all(|(part, asked)| part == asked || *part == "{id}")
        };
        names.filter(fits).min_by_key(|name| name.contains("{id}"))
    }

    fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str() {
            Some(pointer) => self.document.pointer(pointer.trim_start_matches('#')).unwrap(),
            None => value,
        }
    }

    fn validator(&self, pointer: &str) -> Arc<Validator> {
        let mut schemas = self.schemas.lock().unwrap();
        let validator = schemas.entry(pointer.to_owned()).or_insert_with(|| {
            let schema = self.document.pointer(pointer).unwrap();
            let whole = json!({
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "allOf": [schema],
                "components": self.document["components"],
            });
            Arc::new(jsonschema::options().should_validate_formats(true).build(&whole).unwrap())
        });
        Arc::clone(validator)
    }

    fn check_value(&self, pointer: &str, value: &Value) -> Result<(), String> {
        self.validator(pointer).validate(value).map_err(|error| format!("{error} at {}", error.instance_path()))
    }

    /// What is wrong with an answer. A path or a method that the document does not have is refused without a word
    /// from it, and so is a head that is too large.
    pub(crate) fn check(&self, method: &Method, url: &Url, reply: &Reply) -> Result<(), String> {
        let Some(path) = self.path(url.path()) else {
            return if reply.status == 404 {
                Ok(())
            } else {
                Err("an answer from a path that is not there".to_owned())
            };
        };
        let asked = if *method == Method::HEAD { Method::GET } else { method.clone() };
        let operation = asked.as_str().to_ascii_lowercase();
        if self.document["paths"][path].get(&operation).is_none() {
            return if reply.status == 405 {
                Ok(())
            } else {
                Err("an answer to a method that is not there".to_owned())
            };
        }
        if reply.status == 431 {
            return Ok(());
        }
        let escaped = path.replace('/', "~1");
        let pointer = format!("/paths/{escaped}/{operation}/responses/{}", reply.status);
        let Some(told) = self.document.pointer(&pointer) else {
            return Err("the document knows of no such status".to_owned());
        };
        self.check_headers(&pointer, told, &reply.headers)?;
        let content_type = reply.header("content-type").map(|value| value.split(';').next().unwrap());
        match (content_type, told.get("content")) {
            (None, None) if reply.bytes.is_empty() => Ok(()),
            (Some(content_type), Some(content)) if content.get(content_type).is_some() => {
                if content_type.ends_with("json") && *method != Method::HEAD {
                    let content_type = content_type.replace('/', "~1");
                    self.check_value(&format!("{pointer}/content/{content_type}/schema"), &reply.body)?;
                }
                Ok(())
            }
            (sent, told) => Err(format!("a body of {sent:?}, where the document tells of {told:?}")),
        }
    }

    fn check_headers(&self, pointer: &str, told: &Value, sent: &HeaderMap) -> Result<(), String> {
        let told = told["headers"].as_object().unwrap();
        for (name, header) in told {
            let header = self.resolve(header);
            let Some(value) = sent.get(name) else {
                if header["required"] == true {
                    return Err(format!("{name} is missing"));
                }
                continue;
            };
            let schema = format!("/components/headers/{name}/schema");
            self.check_value(&schema, &json!(value.to_str().unwrap())).map_err(|error| format!("{name}: {error}"))?;
        }
        // What every answer to any request may have, and what is told by its body's description.
        let ordinary = ["content-length", "content-type", "date", "connection"];
        for name in sent.keys().map(reqwest::header::HeaderName::as_str).filter(|name| !ordinary.contains(name)) {
            if !told.keys().any(|known| known.eq_ignore_ascii_case(name)) {
                return Err(format!("{name} is not in the document ({pointer})"));
            }
        }
        Ok(())
    }
}

async fn the_document_is_openapi_3_1_and_needs_no_token(venue: Venue) {
    let config = ServiceConfig { auth: Auth::Jwt(Secret::random()), ..ServiceConfig::default() };
    let guarded = Service::with(venue, config).await;
    let reply = guarded.get("/openapi.json").send().await;
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/json")));
    assert_eq!(reply.body["openapi"], "3.1.0");
    assert_eq!(reply.body["components"]["securitySchemes"]["bearer"]["scheme"], "bearer");
    let act = &reply.body["paths"]["/api/v2/orders/{id}/payment"]["post"];
    assert_eq!(act["security"], json!([{"bearer": []}]));
    assert!(act["responses"].get("401").is_some() && act["responses"].get("403").is_some());

    let open = Service::sound(venue).await.get("/openapi.json").send().await;
    assert!(open.body["components"].get("securitySchemes").is_none());
    assert!(!String::from_utf8(open.bytes).unwrap().contains("\"401\""));
}

async fn every_path_allows_what_the_document_tells_and_nothing_else(venue: Venue) {
    let service = Service::sound(venue).await;
    let document = service.get("/openapi.json").send().await.body;
    for (path, methods) in document["paths"].as_object().unwrap() {
        let mut told: Vec<_> = methods.as_object().unwrap().keys().map(|method| method.to_uppercase()).collect();
        if told.contains(&"GET".to_owned()) {
            told.push("HEAD".to_owned());
        }
        told.retain(|method| method != "OPTIONS");
        told.sort_unstable();
        for spelt in [path.clone(), format!("{path}/")] {
            let asked = spelt.replace("{id}", "3fa85f64-5717-4562-b3fc-2c963f66afa6");
            let reply = service.request(Method::OPTIONS, &asked).send().await;
            let mut allowed: Vec<_> = reply.header("allow").unwrap().split(',').collect();
            allowed.sort_unstable();
            assert_eq!(allowed, told, "{spelt}");
        }
    }
}

async fn what_the_document_does_not_tell_of_is_noticed(venue: Venue) {
    let service = Service::sound(venue).await;
    let order = service.order().await;
    let path = format!("/api/v2/orders/{}", order.id);
    let url = Url::parse(&format!("http://x{path}")).unwrap();
    let good = service.get(&path).send().await;
    let check = |change: fn(&mut Reply)| {
        let mut reply = good.clone();
        change(&mut reply);
        service.described().check(&Method::GET, &url, &reply)
    };
    assert_eq!(check(|_| ()), Ok(()));
    let bad: [fn(&mut Reply); 8] = [
        |reply| reply.status = 201,
        |reply| drop(reply.headers.remove("etag")),
        |reply| drop(reply.headers.insert("etag", "W/\"x\"".parse().unwrap())),
        |reply| drop(reply.headers.insert("x-new", "1".parse().unwrap())),
        |reply| drop(reply.headers.insert("content-type", "text/plain".parse().unwrap())),
        |reply| reply.body["status"] = json!("eaten"),
        |reply| reply.body["version"] = json!("1"),
        |reply| drop(reply.body.as_object_mut().unwrap().remove("rider")),
    ];
    for (number, change) in bad.into_iter().enumerate() {
        assert!(check(change).is_err(), "{number}");
    }
}
