//! A list of networks: an array in the file, or text with commas, which is what fits into a variable.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::Deserialize;

/// Networks such as `10.0.0.0/8`; an address alone is the network of that address.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(try_from = "Text")]
pub(super) struct Networks(Vec<IpNet>);

impl Networks {
    pub(super) fn into_inner(self) -> Vec<IpNet> {
        self.0
    }
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a list of networks such as 10.0.0.0/8")]
enum Text {
    List(Vec<String>),
    Commas(String),
}

impl TryFrom<Text> for Networks {
    type Error = String;

    fn try_from(text: Text) -> Result<Self, String> {
        let networks: Result<Vec<_>, _> = match &text {
            Text::List(list) => list.iter().map(|text| network(text)).collect(),
            Text::Commas(text) => text.split(',').map(network).collect(),
        };
        networks.map(Self)
    }
}

fn network(text: &str) -> Result<IpNet, String> {
    let text = text.trim();
    text.parse()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
        .map_err(|_| format!("{text} is no network: write 10.0.0.0/8 or 10.0.0.1"))
}
