//! A list of witnesses: tables or texts in the file, or one text with commas, which is what fits into a variable.

use serde::Deserialize;

use crate::witness::WitnessSettings;

/// Witnesses, each with its URL and its key.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(try_from = "Text")]
pub(super) struct Witnesses(Vec<WitnessSettings>);

impl Witnesses {
    pub(super) fn into_inner(self) -> Vec<WitnessSettings> {
        self.0
    }
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "a list of witnesses such as { url = \"https://witness.example\", key = \"name+hash+base64\" }"
)]
enum Text {
    List(Vec<One>),
    Commas(String),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum One {
    Table(Table),
    Text(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    url: String,
    key: String,
}

impl TryFrom<Text> for Witnesses {
    type Error = String;

    fn try_from(text: Text) -> Result<Self, String> {
        let all: Result<Vec<_>, _> = match &text {
            Text::List(list) => list.iter().map(one).collect(),
            Text::Commas(text) => text.split(',').map(from_text).collect(),
        };
        all.map(Self)
    }
}

fn one(one: &One) -> Result<WitnessSettings, String> {
    match one {
        One::Table(Table { url, key }) => read(url, key),
        One::Text(text) => from_text(text),
    }
}

fn from_text(text: &str) -> Result<WitnessSettings, String> {
    let text = text.trim();
    let (url, key) = text
        .split_once(' ')
        .ok_or_else(|| format!("{text} is no witness: write its URL, a space and its key"))?;
    read(url, key.trim())
}

fn read(url: &str, key: &str) -> Result<WitnessSettings, String> {
    WitnessSettings::new(url, key).map_err(|invalid| format!("{url}: {invalid}"))
}
