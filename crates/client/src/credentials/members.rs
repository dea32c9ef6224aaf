//! A JSON object whose members keep their order, and whose values keep every byte.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::{RawValue, to_raw_value};

/// The members of an object, in their order, with their values as they are written.
#[derive(Debug, Clone, Default)]
pub(super) struct Members(Vec<(String, Box<RawValue>)>);

impl Members {
    /// Reads an object; `null` is an empty one.
    pub(super) fn parse(json: &str) -> Result<Self, serde_json::Error> {
        Ok(serde_json::from_str::<Option<Self>>(json)?.unwrap_or_default())
    }

    /// The value of a member, as it is written.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.get())
    }

    /// The object that a member holds; an empty one if there is no such member.
    pub(super) fn object(&self, name: &str) -> Result<Self, serde_json::Error> {
        self.get(name).map_or_else(|| Ok(Self::default()), Self::parse)
    }

    /// The text that a member holds.
    pub(super) fn text(&self, name: &str) -> Result<Option<String>, serde_json::Error> {
        self.get(name).map_or(Ok(None), serde_json::from_str)
    }

    /// Sets a member where it is, or behind the others.
    pub(super) fn set(&mut self, name: &str, value: Box<RawValue>) {
        match self.0.iter_mut().find(|(key, _)| key == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name.to_owned(), value)),
        }
    }

    /// Keeps the members that `keeps` is true for; whether any was removed.
    pub(super) fn retain(&mut self, keeps: impl Fn(&str) -> bool) -> bool {
        let before = self.0.len();
        self.0.retain(|(key, _)| keeps(key));
        self.0.len() < before
    }

    /// Writes the object with a line for each member, at a depth of `depth` tabs.
    pub(super) fn write(&self, depth: usize) -> Result<Box<RawValue>, serde_json::Error> {
        let (indent, end) = ("\t".repeat(depth + 1), "\t".repeat(depth));
        let mut lines = Vec::with_capacity(self.0.len());
        for (key, value) in &self.0 {
            lines.push(format!("{indent}{}: {}", to_raw_value(key)?.get(), value.get()));
        }
        let text = if lines.is_empty() {
            "{}".to_owned()
        } else {
            format!("{{\n{}\n{end}}}", lines.join(",\n"))
        };
        RawValue::from_string(text)
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}
