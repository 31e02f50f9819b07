//! What goes into a statement and what comes out of a row, the same for every database.

use jiff::Timestamp;
use uuid::Uuid;

use super::super::super::etag::EntityTag;
use super::super::super::orders::{Charge, Event, Order, OrderId, Status};
use super::super::StoreError;

/// A parameter of a statement, or a column of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Integer(i64),
    Text(String),
    /// Text that may be NULL. (A bare NULL would have no type, and PostgreSQL wants one.)
    MaybeText(Option<String>),
    Uuid(Uuid),
    Bytes(Vec<u8>),
    Null,
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

/// Versions and places. Saturating: no order has so many versions, and no list is so long.
impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Integer(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Option<String>> for Value {
    fn from(text: Option<String>) -> Self {
        Self::MaybeText(text)
    }
}

impl From<Uuid> for Value {
    fn from(uuid: Uuid) -> Self {
        Self::Uuid(uuid)
    }
}

impl From<OrderId> for Value {
    fn from(id: OrderId) -> Self {
        Self::Uuid(id.uuid())
    }
}

impl From<Status> for Value {
    fn from(status: Status) -> Self {
        status.name().into()
    }
}

impl From<Timestamp> for Value {
    fn from(at: Timestamp) -> Self {
        Self::Integer(at.as_microsecond())
    }
}

/// A row, whose columns are taken in the order of the `SELECT`.
#[derive(Debug)]
pub(super) struct Row(std::vec::IntoIter<Value>);

impl Row {
    pub(super) fn new(columns: Vec<Value>) -> Self {
        Self(columns.into_iter())
    }

    /// The next column is not what this service writes there.
    fn unreadable<T>() -> Result<T, StoreError> {
        Err(StoreError::Unreadable)
    }

    pub(super) fn integer(&mut self) -> Result<i64, StoreError> {
        match self.0.next() {
            Some(Value::Integer(number)) => Ok(number),
            _ => Self::unreadable(),
        }
    }

    pub(super) fn maybe_integer(&mut self) -> Result<Option<i64>, StoreError> {
        match self.0.next() {
            Some(Value::Integer(number)) => Ok(Some(number)),
            Some(Value::Null) => Ok(None),
            _ => Self::unreadable(),
        }
    }

    pub(super) fn count(&mut self) -> Result<u64, StoreError> {
        u64::try_from(self.integer()?).or_else(|_| Self::unreadable())
    }

    pub(super) fn maybe_text(&mut self) -> Result<Option<String>, StoreError> {
        match self.0.next() {
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(Value::Null) => Ok(None),
            _ => Self::unreadable(),
        }
    }

    pub(super) fn text(&mut self) -> Result<String, StoreError> {
        self.maybe_text()?.ok_or(StoreError::Unreadable)
    }

    pub(super) fn maybe_bytes(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        match self.0.next() {
            Some(Value::Bytes(bytes)) => Ok(Some(bytes)),
            Some(Value::Null) => Ok(None),
            _ => Self::unreadable(),
        }
    }

    /// A database without a type for UUIDs keeps them as text.
    pub(super) fn uuid(&mut self) -> Result<Uuid, StoreError> {
        match self.0.next() {
            Some(Value::Uuid(uuid)) => Ok(uuid),
            Some(Value::Text(text)) => text.parse().or_else(|_| Self::unreadable()),
            _ => Self::unreadable(),
        }
    }

    fn status(&mut self) -> Result<Status, StoreError> {
        Status::named(&self.text()?).ok_or(StoreError::Unreadable)
    }

    fn time(&mut self) -> Result<Timestamp, StoreError> {
        Timestamp::from_microsecond(self.integer()?).or_else(|_| Self::unreadable())
    }

    /// The columns that `select_orders!` names.
    pub(super) fn order(&mut self) -> Result<Order, StoreError> {
        Ok(Order {
            id: OrderId::new(self.uuid()?),
            customer: self.maybe_text()?,
            restaurant: self.text()?,
            restaurant_name: self.text()?,
            rider: self.maybe_text()?,
            status: self.status()?,
            amount: self.integer()?,
            version: self.count()?,
            tag: EntityTag::strong(self.text()?),
            created_at: self.time()?,
            updated_at: self.time()?,
        })
    }

    /// `id, amount, payment_method, created_at`; none for the row of an order that was never charged.
    pub(super) fn charge(&mut self) -> Result<Option<Charge>, StoreError> {
        if matches!(self.0.as_slice().first(), Some(Value::Null)) {
            return Ok(None);
        }
        Ok(Some(Charge {
            id: self.uuid()?,
            amount: self.integer()?,
            payment_method: self.text()?,
            created_at: self.time()?,
        }))
    }

    /// `action, actor, from_status, to_status, version, at, reason`; none for the row of an order without events.
    pub(super) fn event(&mut self) -> Result<Option<Event>, StoreError> {
        let Some(action) = self.maybe_text()? else {
            return Ok(None);
        };
        Ok(Some(Event {
            action: action.parse().or_else(|_| Self::unreadable())?,
            actor: self.text()?,
            from: self.status()?,
            to: self.status()?,
            version: self.count()?,
            at: self.time()?,
            reason: self.maybe_text()?,
        }))
    }
}

/// Reads `(id, name)` rows.
pub(super) fn named<T>(rows: Vec<Row>, make: impl Fn(String, String) -> T) -> Result<Vec<T>, StoreError> {
    rows.into_iter().map(|mut row| Ok(make(row.text()?, row.text()?))).collect()
}

/// Any number of ids as one parameter.
pub(super) fn json_list(ids: &[String]) -> Value {
    Value::Text(serde_json::to_string(ids).expect("a list of texts is JSON"))
}

/// The rows of an order that was joined with a table: none if there is no order, and one of NULLs if it has no rows.
pub(super) fn joined<T>(
    rows: Vec<Row>,
    read: impl Fn(&mut Row) -> Result<Option<T>, StoreError>,
) -> Result<Option<Vec<T>>, StoreError> {
    if rows.is_empty() {
        return Ok(None);
    }
    let read = rows.into_iter().filter_map(|mut row| read(&mut row).transpose());
    read.collect::<Result<_, _>>().map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_taken_in_order_and_only_as_what_they_are() {
        let id = Uuid::from_u128(7);
        let mut row = Row::new(vec![
            Value::Uuid(id),
            Value::Text(id.to_string()),
            Value::Text("x".to_owned()),
            Value::Null,
            Value::Integer(-1),
        ]);
        assert_eq!(row.uuid(), Ok(id));
        assert_eq!(row.uuid(), Ok(id));
        assert_eq!(row.uuid(), Err(StoreError::Unreadable));
        assert_eq!(row.maybe_text(), Ok(None));
        assert_eq!(row.count(), Err(StoreError::Unreadable));
        assert_eq!(row.text(), Err(StoreError::Unreadable));
    }

    #[test]
    fn times_keep_their_microseconds() {
        let at: Timestamp = "2026-01-02T03:04:05.678901Z".parse().unwrap();
        let mut row = Row::new(vec![at.into()]);
        assert_eq!(row.time(), Ok(at));
    }
}
