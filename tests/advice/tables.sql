-- What the hints' SQL is about, and a value for each of its parameters (psql puts them where `:name` stands).
\set ON_ERROR_STOP on
\set QUIET on

CREATE SEQUENCE document_versions;
CREATE TABLE documents (id uuid PRIMARY KEY, body text, version bigint NOT NULL DEFAULT 1);
CREATE TABLE orders (id uuid PRIMARY KEY, status text, version bigint NOT NULL DEFAULT 1, customer_id uuid);
CREATE TABLE order_lines (order_id uuid, item text);
CREATE TABLE order_events (order_id uuid, version bigint, kind text, PRIMARY KEY (order_id, version));
CREATE TABLE charges (order_id uuid, amount int, refunded_at timestamptz);
CREATE TABLE stock (item text PRIMARY KEY, available int);
CREATE TABLE accounts (id text PRIMARY KEY, balance int);
CREATE TABLE bookings (operation_id uuid, account text, amount int, UNIQUE (operation_id, account));
CREATE TABLE outbox (topic text, payload jsonb);
CREATE TABLE idempotency_keys (
  principal text, key text PRIMARY KEY, request_hash bytea, answer jsonb,
  status int, etag text, body bytea, expires_at timestamptz);

\set id '''00000000-0000-0000-0000-000000000001'''
\set ids 'ARRAY[''00000000-0000-0000-0000-000000000001'']::uuid[]'
\set order :id
\set caller :id
\set operation :id
\set expected_version 1
\set if_match 1
\set next '''preparing'''
\set kind '''accepted'''
\set body '''text'''
\set amount 5
\set wanted 1
\set item '''soup'''
\set from '''one'''
\set to '''another'''
\set principal '''customer'''
\set key '''K'''
\set hash '''\\x00'''
\set status 200
\set etag '''"1"'''
\set answer '''{}'''
\set payload '''{}'''
\set seen_lsn '''0/0'''
