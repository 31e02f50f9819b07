//! The code of each server in a few lines of pseudo-Rust and SQL: the same in every language, and true to `service`.

use super::Act;

/// Some lines of code, and whether they are sound.
#[derive(Debug, Clone, Copy)]
pub(super) struct Code {
    pub(super) lines: &'static str,
    pub(super) is_sound: bool,
}

const PUT_STATUS: Code = Code {
    lines: "\
PUT /orders/{id} {\"status\": s}

UPDATE orders SET status = s WHERE id = ?
return 200",
    is_sound: false,
};

const CHECK_THEN_SAVE: Code = Code {
    lines: "\
order = SELECT * FROM orders WHERE id = ?
if order.etag != if_match { return 412 }
                            {gap}
UPDATE orders SET status = ?, version = ?
 WHERE id = ?
return 200",
    is_sound: false,
};

const CONDITIONAL_UPDATE: Code = Code {
    lines: "\
order = SELECT * FROM orders WHERE id = ?
if order.etag != if_match { return 412 }

UPDATE orders SET status = ?, version = version + 1
 WHERE id = ? AND version = order.version
if rows_changed == 0 { return 412 }
return 200",
    is_sound: true,
};

const KEY_LOOKED_UP: Code = Code {
    lines: "\
if SELECT answer FROM keys WHERE key = ? {
    return answer
}
                            {gap}
INSERT INTO charges …
UPDATE orders … WHERE id = ? AND version = ?
if rows_changed == 0 { return 412 }
INSERT INTO keys (key, answer) VALUES (?, ?)
return 200",
    is_sound: false,
};

const KEY_CLAIMED: Code = Code {
    lines: "\
INSERT INTO keys (key) VALUES (?)
    ON CONFLICT DO NOTHING
if rows_changed == 0 {
    return stored answer, or 409 if there is none yet
}
BEGIN
UPDATE orders … WHERE id = ? AND version = ?
if rows_changed == 0 { ROLLBACK, return 412 }
INSERT INTO charges …
UPDATE keys SET answer = ? WHERE key = ?
COMMIT
return 200",
    is_sound: true,
};

impl Act {
    /// What stood there before, and what stands there now.
    pub(super) const fn code(self) -> (Option<Code>, Code) {
        match self {
            Self::PutStatus => (None, PUT_STATUS),
            Self::FakeLock => (Some(PUT_STATUS), CHECK_THEN_SAVE),
            Self::ConditionalUpdate => (Some(CHECK_THEN_SAVE), CONDITIONAL_UPDATE),
            Self::KeyLookedUp => (None, KEY_LOOKED_UP),
            Self::KeyClaimed => (Some(KEY_LOOKED_UP), KEY_CLAIMED),
        }
    }
}
