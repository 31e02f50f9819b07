//! Parameters of requests and headers of answers, each described once.

use serde_json::{Value, json};

use super::super::super::orders::Status;
use super::super::listing::{DEFAULT_LIMIT, LARGEST_LIMIT};

/// A list of entity tags or `*` (RFC 9110 §13.1.1), as [`etag`](super::super::super::etag) reads it.
const TAG_LIST: &str = "^([ \\t]*\\*[ \\t]*|[ \\t,]*((W/)?\"[!#-~\\u0080-\\u00ff]*\"[ \\t]*\
    (,[ \\t,]*(W/)?\"[!#-~\\u0080-\\u00ff]*\"[ \\t]*)*(,[ \\t,]*)?)?)$";

/// A structured-field string with parameters, or its characters bare.
const KEY: &str = "^([!#-~][!-~]{0,254}|\"([!#-\\[\\]-~]|\\\\[\"\\\\]){1,255}\"(;[ -~]*)?)$";

/// Headers of answers, by their names.
pub(super) fn answered() -> Value {
    let header = |description: &str, required: bool, schema: Value| json!({"description": description, "required": required, "schema": schema});
    let text = || json!({"type": "string"});
    json!({
        "ETag": header(
            "Names this version of this order and no other. Strong.",
            true,
            json!({"type": "string", "pattern": "^\"[!#-~]+\"$"}),
        ),
        "Location": header("Where the new order is.", true, json!({"type": "string", "format": "uri-reference"})),
        "Allow": header("The methods that are answered here.", true, text()),
        "Idempotent-Replayed": header(
            "There, and true, where this is what an earlier request with this Idempotency-Key was told.",
            false,
            json!({"type": "string", "const": "true"}),
        ),
        "Cache-Control": header("No problem is to be kept.", true, json!({"type": "string", "const": "no-store"})),
        "WWW-Authenticate": header("How to say who is asking.", true, json!({"type": "string", "const": "Bearer"})),
        "Server-Timing": header(
            "SQL statements and milliseconds that the answer took, and when its request arrived: milliseconds on the service's own clock.",
            true,
            text(),
        ),
        "Deprecation": header(
            "Since when this API is deprecated (RFC 9745).",
            true,
            json!({"type": "string", "pattern": "^@[0-9]+$"}),
        ),
        "Sunset": header("Until when it will be there (RFC 8594).", true, text()),
        "Link": header("What takes its place.", true, json!({"type": "string", "pattern": "successor-version"})),
    })
}

/// Parameters of requests, by the names that the document has for them.
pub(super) fn asked() -> Value {
    let mut statuses = Status::ALL.map(Status::name).to_vec();
    statuses.push("");
    let query = |name: &str, description: &str, schema: Value| json!({"in": "query", "name": name, "description": description, "required": false, "schema": schema});
    let header = |name: &str, description: &str, required: bool, pattern: &str, example: &str| {
        let schema = json!({"type": "string", "pattern": pattern, "examples": [example]});
        json!({"in": "header", "name": name, "description": description, "required": required, "schema": schema})
    };
    let path = |description: &str, schema: Value| json!({"in": "path", "name": "id", "description": description, "required": true, "schema": schema});
    let if_match = "Goes ahead if this names the order's current ETag, by strong comparison.";
    let key = "Names the request: its retries send the same key and are told what it was told. Kept for 24 hours \
        unless the service is told otherwise, and the caller's own.";
    json!({
        "OrderId": path("An order's id.", json!({"type": "string", "format": "uuid"})),
        "RowId": path("An id.", json!({"type": "string", "minLength": 1})),
        "IfMatch": header("If-Match", if_match, true, TAG_LIST, "*"),
        "IfMatchOnRead": header("If-Match", if_match, false, TAG_LIST, "*"),
        "IfNoneMatch": header(
            "If-None-Match",
            "304 if this names the order's current ETag, by weak comparison; on an action, 412.",
            false,
            TAG_LIST,
            "\"abc\"",
        ),
        "IdempotencyKey": header("Idempotency-Key", key, false, KEY, "\"8e03978e-40d5-43dd-bc93-6894a57f9324\""),
        "IdempotencyKeyOfPayment": header("Idempotency-Key", key, true, KEY, "\"8e03978e-40d5-43dd-bc93-6894a57f9324\""),
        "XActor": header(
            "X-Actor",
            "Who is asking. Believed: this service asks nobody for a token.",
            false,
            "^(customer|restaurant|rider):[!-~]{1,100}$",
            "customer:ann",
        ),
        "Include": query(
            "include",
            "Rows to send along: `restaurant`, `rider`, or both with a comma between them.",
            json!({"type": "string", "pattern": "^[ ,]*((restaurant|rider)[ ]*(,[ ,]*|$))*$"}),
        ),
        "Status": query("status", "Only orders that stand there.", json!({"type": "string", "enum": statuses})),
        "Limit": query("limit", "How many orders a page has.", json!({
            "default": DEFAULT_LIMIT,
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": LARGEST_LIMIT},
                {"type": "string", "maxLength": 0},
            ],
        })),
        "Cursor": query(
            "cursor",
            "`next_cursor` of the page before.",
            json!({"type": "string", "pattern": "^[0-9]{0,18}$"}),
        ),
    })
}
