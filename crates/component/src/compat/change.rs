//! One change, and the sentence that says it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One difference between an older and a newer interface. `Display` is a plain sentence without a full stop.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What happened.
    pub kind: ChangeKind,
    /// Whether somebody who relied on the older one can be broken by it.
    pub breaking: bool,
    /// Where: `export acme:hello/greet@1.2.0`, `interface greet`, `world proxy, import wasi:io/streams@0.2.6`.
    pub at: String,
    /// The function or type in there, if it is not the whole: `function hello`, `method stream.read`, `record point`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    /// What was there, as WIT writes it; at most about 400 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// What is there now, as WIT writes it; at most about 400 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// What happened.
#[derive(Serialize, Deserialize, Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each name says it")]
pub enum ChangeKind {
    PackageRenamed,
    WorldAdded,
    WorldRemoved,
    InterfaceAdded,
    InterfaceRemoved,
    ImportAdded,
    ImportRemoved,
    /// Another thing under the same name.
    ImportChanged,
    ExportAdded,
    ExportRemoved,
    /// Another thing under the same name.
    ExportChanged,
    VersionRaised,
    VersionLowered,
    FunctionAdded,
    FunctionRemoved,
    AsyncAdded,
    AsyncRemoved,
    ParameterAdded,
    ParameterRemoved,
    ParameterRenamed,
    ParameterTypeChanged,
    ParametersReordered,
    ResultChanged,
    ResourceAdded,
    ResourceRemoved,
    TypeAdded,
    TypeRemoved,
    TypeChanged,
    FieldAdded,
    FieldRemoved,
    FieldTypeChanged,
    FieldsReordered,
    /// Of a variant or an enum, as all that speaks of cases.
    CaseAdded,
    CaseRemoved,
    CaseTypeChanged,
    CasesReordered,
    FlagAdded,
    FlagRemoved,
    FlagsReordered,
    /// `@unstable` or `@deprecated` came or went.
    StabilityChanged,
    DocsChanged,
}

impl ChangeKind {
    /// Whether there is something more.
    pub(super) fn is_addition(self) -> bool {
        matches!(
            self,
            Self::WorldAdded
                | Self::InterfaceAdded
                | Self::ImportAdded
                | Self::ExportAdded
                | Self::FunctionAdded
                | Self::ResourceAdded
                | Self::TypeAdded
        )
    }

    /// Whether there is something less.
    pub(super) fn is_removal(self) -> bool {
        matches!(
            self,
            Self::WorldRemoved
                | Self::InterfaceRemoved
                | Self::ImportRemoved
                | Self::ExportRemoved
                | Self::FunctionRemoved
                | Self::ResourceRemoved
                | Self::TypeRemoved
        )
    }
}

impl Change {
    /// What the sentence is about: "the function `hello`", or "it" for the whole.
    fn subject(&self) -> String {
        match self.item.as_deref().map(|item| item.rsplit_once(' ')) {
            Some(Some((noun, name))) => format!("the {noun} `{name}`"),
            _ => "it".to_owned(),
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use ChangeKind as Kind;
        let it = self.subject();
        let before = self.before.as_deref().unwrap_or_default();
        let after = self.after.as_deref().unwrap_or_default();
        let has = if it.starts_with("the flags") { "have" } else { "has" };
        write!(f, "{}", self.at)?;
        match self.kind {
            Kind::WorldAdded | Kind::InterfaceAdded | Kind::ImportAdded | Kind::ExportAdded => {
                f.write_str(" is new")?;
                return with_text(f, after);
            }
            Kind::WorldRemoved | Kind::InterfaceRemoved | Kind::ImportRemoved | Kind::ExportRemoved => {
                return f.write_str(" is gone");
            }
            Kind::PackageRenamed => return write!(f, " was called {before}"),
            _ => f.write_str(": ")?,
        }
        match self.kind {
            Kind::ImportChanged | Kind::ExportChanged => write!(f, "it is {after} instead of {before}"),
            Kind::VersionRaised | Kind::VersionLowered => {
                match (&self.before, &self.after) {
                    (None, _) => write!(f, "version {after} instead of none")?,
                    (_, None) => write!(f, "no version instead of {before}")?,
                    _ => write!(f, "version {after} instead of {before}")?,
                }
                f.write_str(if self.breaking {
                    ", and the two are not compatible"
                } else {
                    ""
                })
            }
            Kind::FunctionAdded | Kind::TypeAdded | Kind::ResourceAdded => {
                write!(f, "{it} is new")?;
                with_text(f, after)
            }
            Kind::FunctionRemoved | Kind::TypeRemoved | Kind::ResourceRemoved => write!(f, "{it} is gone"),
            Kind::TypeChanged => write!(f, "{it} is `{after}` instead of `{before}`"),
            Kind::AsyncAdded => write!(f, "{it} is async now"),
            Kind::AsyncRemoved => write!(f, "{it} is async no more"),
            Kind::ParameterAdded => write!(f, "{it} takes `{after}` now"),
            Kind::ParameterRemoved => write!(f, "{it} takes `{before}` no more"),
            Kind::ParameterTypeChanged => write!(f, "{it} takes `{after}` instead of `{before}`"),
            Kind::ParameterRenamed => write!(f, "{it} calls its parameter `{after}`, which was `{before}`"),
            Kind::ParametersReordered => write!(f, "{it} takes its parameters in another order: `{after}`"),
            Kind::ResultChanged => match (&self.before, &self.after) {
                (None, _) => write!(f, "{it} returns `{after}` now, and returned nothing"),
                (_, None) => write!(f, "{it} returns nothing now, and returned `{before}`"),
                _ => write!(f, "{it} returns `{after}` instead of `{before}`"),
            },
            Kind::FieldAdded => write!(f, "{it} {has} the field `{after}` now"),
            Kind::FieldRemoved => write!(f, "{it} {has} the field `{before}` no more"),
            Kind::CaseAdded => write!(f, "{it} {has} the case `{after}` now"),
            Kind::CaseRemoved => write!(f, "{it} {has} the case `{before}` no more"),
            Kind::FieldTypeChanged | Kind::CaseTypeChanged => write!(f, "{it} {has} `{after}` instead of `{before}`"),
            Kind::FlagAdded => write!(f, "{it} {has} the flag `{after}` now"),
            Kind::FlagRemoved => write!(f, "{it} {has} the flag `{before}` no more"),
            Kind::FieldsReordered => write!(f, "{it} {has} its fields in another order: `{after}`"),
            Kind::CasesReordered => write!(f, "{it} {has} its cases in another order: `{after}`"),
            Kind::FlagsReordered => write!(f, "{it} {has} its flags in another order: `{after}`"),
            Kind::StabilityChanged => match (&self.before, &self.after) {
                (_, None) => write!(f, "{it} is {before} no more"),
                _ => write!(f, "{it} is {after} now"),
            },
            Kind::DocsChanged if self.item.is_none() => f.write_str("its documentation has changed"),
            // Each of the others has returned above.
            _ => write!(f, "the documentation of {it} has changed"),
        }
    }
}

fn with_text(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    if text.is_empty() {
        return Ok(());
    }
    write!(f, ": `{text}`")
}
