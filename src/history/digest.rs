//! Digests: what a body was, in 64 bits, so that two can be compared later.

use serde_json::{Number, Value};

/// A 64-bit digest of a body; equal bodies have equal digests. Written as hexadecimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest(pub u64);

impl Digest {
    /// The digest of `bytes`. FNV-1a: stable across versions and machines, so that a saved digest can be compared later.
    pub fn of(bytes: &[u8]) -> Self {
        let fold = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        Self(bytes.iter().fold(0xcbf2_9ce4_8422_2325, fold))
    }

    /// The digest of a JSON value: the same however it was spelt and in whatever order its members stood (RFC 8259 §4), and
    /// another for `1` than for `1.0`. Stable across versions and machines as well.
    ///
    /// ```
    /// use quickeats_bench::history::Digest;
    ///
    /// let of = |text: &str| Digest::of_json(&serde_json::from_str(text).unwrap());
    /// assert_eq!(of(r#"{"a": [1, 2], "b": "x"}"#), of(r#"{"b":"\u0078","a":[1,2]}"#));
    /// assert_ne!(of(r#"{"a": [1, 2]}"#), of(r#"{"a": [2, 1]}"#));
    /// ```
    pub fn of_json(value: &Value) -> Self {
        Self(of_value(value))
    }
}

/// What kind of value it is goes in first, so that `"1"`, `1` and `[1]` differ: digits of π, as good as any.
const NULL: u64 = 0x243f_6a88_85a3_08d3;
const TRUTH: u64 = 0x1319_8a2e_0370_7344;
const WHOLE: u64 = 0xa409_3822_299f_31d0;
const NEGATIVE: u64 = 0x082e_fa98_ec4e_6c89;
const FRACTION: u64 = 0x4528_21e6_38d0_1377;
const TEXT: u64 = 0xbe54_66cf_34e9_0c6c;
const LIST: u64 = 0xc0ac_29b7_c97c_50dd;
const TABLE: u64 = 0x3f84_d5b5_b547_0917;

fn of_value(value: &Value) -> u64 {
    match value {
        Value::Null => NULL,
        Value::Bool(truth) => mix(TRUTH, u64::from(*truth)),
        Value::Number(number) => of_number(number),
        Value::String(text) => of_text(text),
        Value::Array(items) => items.iter().fold(LIST, |hash, item| mix(hash, of_value(item))),
        // Added up, so that the order does not matter.
        Value::Object(members) => {
            members.iter().fold(TABLE, |sum, (name, member)| sum.wrapping_add(mix(of_text(name), of_value(member))))
        }
    }
}

fn of_number(number: &Number) -> u64 {
    match (number.as_u64(), number.as_i64()) {
        (Some(whole), _) => mix(WHOLE, whole),
        (None, Some(negative)) => mix(NEGATIVE, negative.unsigned_abs()),
        (None, None) => mix(FRACTION, number.as_f64().unwrap_or_default().to_bits()),
    }
}

/// Eight bytes at a time; the length goes in first, so that the last ones may be filled up with zeros.
fn of_text(text: &str) -> u64 {
    let (words, rest) = text.as_bytes().as_chunks::<8>();
    let hash = words.iter().fold(mix(TEXT, text.len() as u64), |hash, word| mix(hash, u64::from_le_bytes(*word)));
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    mix(hash, u64::from_le_bytes(last))
}

/// Both numbers in all bits of the result: a product of 128 bits, folded (as wyhash and its kin do).
fn mix(hash: u64, word: u64) -> u64 {
    let (low, high) = (hash.rotate_left(23) ^ 0x9e37_79b9_7f4a_7c15).carrying_mul(word ^ 0xd1b5_4a32_d192_ed03, 0);
    low ^ high
}

impl serde::Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:016x}", self.0))
    }
}

impl<'de> serde::Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        u64::from_str_radix(&text, 16)
            .map(Self)
            .map_err(|_| serde::de::Error::custom(format!("expected 16 hexadecimal digits, found `{text}`")))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use serde_json::json;

    use super::*;
    use crate::seed::{Dice, Seed};

    fn of(text: &str) -> Digest {
        Digest::of_json(&serde_json::from_str(text).unwrap())
    }

    #[test]
    fn what_is_not_the_same_value_has_another_digest() {
        let texts = [
            "null",
            "false",
            "true",
            "0",
            "1",
            "-1",
            "1.0",
            "-0.0",
            "0.0",
            "1e300",
            r#""""#,
            r#""1""#,
            r#""null""#,
            r#""a""#,
            r#""a\u0000""#,
            r#""abcdefgh""#,
            r#""abcdefgh\u0000""#,
            "[]",
            "[[]]",
            "[null]",
            "[1]",
            "[1,2]",
            "[2,1]",
            "[[1],2]",
            "[[1,2]]",
            "{}",
            r#"{"a":1}"#,
            r#"{"a":"1"}"#,
            r#"{"b":1}"#,
            r#"{"a":1,"b":2}"#,
            r#"{"a":2,"b":1}"#,
            r#"{"a":{"b":1}}"#,
            r#"{"a":{},"b":1}"#,
            r#"{"a":null}"#,
            "18446744073709551615",
            "-9223372036854775808",
            "9223372036854775808",
        ];
        let mut seen = HashMap::new();
        for text in texts {
            assert_eq!(seen.insert(of(text), text), None, "{text}");
        }
    }

    #[test]
    fn a_saved_digest_can_be_compared_with_one_of_today() {
        assert_eq!(Digest::of(b"[1]"), Digest(0xdc72_d61a_20e8_3324));
        let order = json!({ "id": "3fa85f64", "version": 2, "rider": null, "lines": [1.5, true] });
        assert_eq!(Digest::of_json(&order), Digest(0xbe71_b9af_f30b_7ad7));
    }

    /// Some value of a few kinds, so that equal ones come up often.
    fn some(dice: &mut Dice, depth: usize) -> Value {
        match dice.below(if depth == 0 { 4 } else { 6 }) {
            0 => Value::Null,
            1 => json!(dice.below(3)),
            2 => json!(["", "a", "b"][dice.below(3)]),
            3 => json!(dice.below(2) == 0),
            4 => (0..dice.below(3)).map(|_| some(dice, depth - 1)).collect(),
            _ => {
                let mut members = serde_json::Map::new();
                for _ in 0..dice.below(3) {
                    members.insert(["a", "b", "c"][dice.below(3)].to_owned(), some(dice, depth - 1));
                }
                members.into()
            }
        }
    }

    #[test]
    fn digests_are_equal_where_the_sorted_texts_are() {
        let mut dice = Seed::new(11).dice();
        let mut texts = HashMap::new();
        for _ in 0..20_000 {
            let value = some(&mut dice, 3);
            let mut sorted = value.clone();
            sorted.sort_all_objects();
            let text = sorted.to_string();
            assert_eq!(Digest::of_json(&value), Digest::of_json(&sorted));
            let known = texts.entry(Digest::of_json(&value)).or_insert_with(|| text.clone());
            assert_eq!(*known, text);
        }
        assert!(texts.len() > 1_000);
    }
}
