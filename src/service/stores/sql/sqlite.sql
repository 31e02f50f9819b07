-- Times are microseconds since 1970. Version and ledger are not fenced by UNIQUE constraints: V1 charges as often as it
-- is asked to, and what keeps V2 right is the conditional UPDATE, which this schema is there to show.

CREATE TABLE restaurants (
    id   TEXT PRIMARY KEY,
    name TEXT NOT NULL
);

CREATE TABLE riders (
    id   TEXT PRIMARY KEY,
    name TEXT NOT NULL
);

CREATE TABLE orders (
    id         TEXT    NOT NULL UNIQUE,
    place      INTEGER PRIMARY KEY AUTOINCREMENT,
    customer   TEXT,
    restaurant TEXT    NOT NULL REFERENCES restaurants,
    rider      TEXT    REFERENCES riders DEFERRABLE INITIALLY DEFERRED,
    status     TEXT    NOT NULL,
    amount     INTEGER NOT NULL CHECK (amount > 0),
    version    INTEGER NOT NULL CHECK (version > 0),
    etag       TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);
CREATE INDEX orders_of_customer ON orders (customer, place);
CREATE INDEX orders_of_restaurant ON orders (restaurant, place);
CREATE INDEX orders_of_rider ON orders (rider, place);

CREATE TABLE events (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT,
    order_id    TEXT    NOT NULL REFERENCES orders (id),
    action      TEXT    NOT NULL,
    actor       TEXT    NOT NULL,
    from_status TEXT    NOT NULL,
    to_status   TEXT    NOT NULL,
    version     INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    reason      TEXT
);
CREATE INDEX events_of_order ON events (order_id, seq);

CREATE TABLE charges (
    seq            INTEGER PRIMARY KEY AUTOINCREMENT,
    id             TEXT    NOT NULL UNIQUE,
    order_id       TEXT    NOT NULL REFERENCES orders (id),
    amount         INTEGER NOT NULL,
    payment_method TEXT    NOT NULL,
    created_at     INTEGER NOT NULL
);
CREATE INDEX charges_of_order ON charges (order_id, seq);

-- In progress: a lease and no answer. Finished: an answer and no lease.
CREATE TABLE idempotency_keys (
    caller      TEXT    NOT NULL,
    key         TEXT    NOT NULL,
    fingerprint TEXT    NOT NULL,
    expires     INTEGER NOT NULL,
    lease       TEXT,
    status      INTEGER,
    headers     TEXT,
    body        BLOB,
    PRIMARY KEY (caller, key)
);
CREATE INDEX idempotency_keys_by_expiry ON idempotency_keys (expires);

INSERT INTO restaurants (id, name) VALUES
    ('trattoria-roma', 'Trattoria Roma'),
    ('sushi-kaze',     'Sushi Kaze'),
    ('taqueria-sol',   'Taquería Sol'),
    ('curry-palace',   'Curry Palace');
