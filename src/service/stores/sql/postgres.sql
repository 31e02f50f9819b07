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
    id         UUID   PRIMARY KEY,
    place      BIGINT NOT NULL UNIQUE GENERATED ALWAYS AS IDENTITY,
    customer   TEXT,
    restaurant TEXT   NOT NULL REFERENCES restaurants,
    rider      TEXT   REFERENCES riders DEFERRABLE INITIALLY DEFERRED,
    status     TEXT   NOT NULL,
    amount     BIGINT NOT NULL CHECK (amount > 0),
    version    BIGINT NOT NULL CHECK (version > 0),
    etag       TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX orders_of_customer ON orders (customer, place);
CREATE INDEX orders_of_restaurant ON orders (restaurant, place);
CREATE INDEX orders_of_rider ON orders (rider, place);

CREATE TABLE events (
    seq         BIGINT PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    order_id    UUID   NOT NULL REFERENCES orders,
    action      TEXT   NOT NULL,
    actor       TEXT   NOT NULL,
    from_status TEXT   NOT NULL,
    to_status   TEXT   NOT NULL,
    version     BIGINT NOT NULL,
    at          BIGINT NOT NULL,
    reason      TEXT
);
CREATE INDEX events_of_order ON events (order_id, seq);

CREATE TABLE charges (
    seq            BIGINT PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    id             UUID   NOT NULL UNIQUE,
    order_id       UUID   NOT NULL REFERENCES orders,
    amount         BIGINT NOT NULL,
    payment_method TEXT   NOT NULL,
    created_at     BIGINT NOT NULL
);
CREATE INDEX charges_of_order ON charges (order_id, seq);

-- In progress: a lease and no answer. Finished: an answer and no lease.
CREATE TABLE idempotency_keys (
    caller      TEXT   NOT NULL,
    key         TEXT   NOT NULL,
    fingerprint TEXT   NOT NULL,
    expires     BIGINT NOT NULL,
    lease       UUID,
    status      BIGINT,
    headers     TEXT,
    body        BYTEA,
    PRIMARY KEY (caller, key)
);
CREATE INDEX idempotency_keys_by_expiry ON idempotency_keys (expires);

INSERT INTO restaurants (id, name) VALUES
    ('trattoria-roma', 'Trattoria Roma'),
    ('sushi-kaze',     'Sushi Kaze'),
    ('taqueria-sol',   'Taquería Sol'),
    ('curry-palace',   'Curry Palace');
