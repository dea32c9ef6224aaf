//! Who asks, and by which name this server was reached: worked out once for each request, from the connection and from the word of
//! proxies that are trusted.
//!
//! Anybody can send forwarding headers, so they count only where the connection itself comes from a configured proxy. The list of
//! addresses is read from the right, since everything to the left of the last proxy that is trusted may have been made up.

use std::{net::IpAddr, sync::Arc};

use axum::{
    extract::Request,
    http::{Extensions, HeaderMap, HeaderName, HeaderValue, header},
};
use ipnet::IpNet;
use wreg_oci::Host;

use super::connection::Peer;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Where the client reached this server, as `https://registry.example`: what the realm of a challenge must lie on. Empty if the client
/// named no host.
///
/// Few answers need it, so that it is put into words only there.
#[derive(Debug, Clone, Default)]
pub(super) enum Origin {
    /// The client named no host.
    #[default]
    Unknown,
    /// Scheme and host, as they are configured or a proxy says.
    Known(Arc<str>),
    /// The host is what the client wrote in `Host`.
    Requested {
        /// Whether the scheme is https.
        https: bool,
        /// As it came.
        host: HeaderValue,
    },
}

impl Origin {
    /// The origin of a request that has passed [`identify`].
    pub(super) fn of<B>(request: &axum::http::Request<B>) -> Self {
        request.extensions().get().cloned().unwrap_or_default()
    }

    fn named(https: bool, host: &Host) -> String {
        let scheme = if https { "https" } else { "http" };
        format!("{scheme}://{host}")
    }

    /// Scheme and host, without a slash at the end.
    pub(super) fn to_text(&self) -> String {
        match self {
            Self::Unknown => String::new(),
            Self::Known(text) => text.to_string(),
            Self::Requested { https, host } => {
                let host: Option<Host> = host.to_str().ok().and_then(|host| host.parse().ok());
                host.map_or_else(String::new, |host| Self::named(*https, &host))
            }
        }
    }

    /// Host and port as a reference names them.
    pub(super) fn host(&self) -> Option<String> {
        self.to_text().split_once("://").map(|(_, host)| host.to_owned())
    }
}

/// The address that a request comes from, among its extensions: what limits by address count, and what logs show. It is the other end
/// of the connection, or what a trusted proxy says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ClientAddress(pub(super) IpAddr);

/// The address that a request comes from, if it is known: what limits by address count.
pub(super) fn client_address(extensions: &Extensions) -> Option<IpAddr> {
    extensions.get().map(|ClientAddress(address)| *address)
}

/// Puts [`Origin`] and [`ClientAddress`] among the extensions of a request.
pub(super) fn identify(request: &mut Request, public_url: Option<&Arc<str>>, proxies: &[IpNet]) {
    let peer = request.extensions().get::<Peer>().copied();
    let trusted = peer.is_some_and(|peer| is_among(proxies, peer.address.ip()));
    let told = if trusted {
        Told::by_proxy(request.headers(), proxies)
    } else {
        Told::default()
    };
    let https = told.https.unwrap_or(peer.is_some_and(|peer| peer.tls));
    // The host of the target (`:authority` in HTTP/2) goes before the `Host` header (RFC 9112, section 3.2).
    let authority = request.uri().authority();
    let origin = if let Some(url) = public_url {
        Origin::Known(Arc::clone(url))
    } else if let Some(host) = told.host.or_else(|| authority?.as_str().parse().ok()) {
        Origin::Known(Origin::named(https, &host).into())
    } else if let Some(host) = request.headers().get(header::HOST).filter(|_| authority.is_none()) {
        let host = host.clone();
        Origin::Requested { https, host }
    } else {
        Origin::Unknown
    };
    if let Some(address) = told.address.or(peer.map(|peer| peer.address.ip())) {
        request.extensions_mut().insert(ClientAddress(address.to_canonical()));
    }
    request.extensions_mut().insert(origin);
}

fn is_among(proxies: &[IpNet], address: IpAddr) -> bool {
    let address = address.to_canonical();
    proxies.iter().any(|proxies| proxies.contains(&address))
}

/// What a trusted proxy says of the client.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    address: Option<IpAddr>,
    https: Option<bool>,
    host: Option<Host>,
}

impl Told {
    /// From `X-Forwarded-For`, `-Proto` and `-Host` if there is one of them, else from `Forwarded` (RFC 7239). A proxy that sets the
    /// one kind passes the other on as the client wrote it, so the two are never mixed.
    fn by_proxy(headers: &HeaderMap, proxies: &[IpNet]) -> Self {
        if [FORWARDED_FOR, FORWARDED_PROTO, FORWARDED_HOST]
            .iter()
            .any(|name| headers.contains_key(name))
        {
            return Self {
                address: nearest_untrusted(elements(headers, &FORWARDED_FOR).map(node), proxies)
                    .and_then(|(address, _)| address),
                https: elements(headers, &FORWARDED_PROTO).next().and_then(is_https),
                host: elements(headers, &FORWARDED_HOST)
                    .next()
                    .and_then(|host| host.parse().ok()),
            };
        }
        let hops = elements(headers, &header::FORWARDED);
        let nodes = hops.map(|hop| parameter(hop, "for").and_then(node));
        let Some((address, index)) = nearest_untrusted(nodes, proxies) else {
            return Self::default();
        };
        // The proxy that told of this client is the one that the client spoke to.
        let hop = elements(headers, &header::FORWARDED).nth(index).unwrap_or_default();
        Self {
            address,
            https: parameter(hop, "proto").and_then(is_https),
            host: parameter(hop, "host").and_then(|host| host.parse().ok()),
        }
    }
}

/// The elements of a list header from its end, over all of its lines.
fn elements<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let lines: Vec<_> = headers.get_all(name).iter().collect();
    let texts = lines.into_iter().rev().map(|line| line.to_str().unwrap_or_default());
    texts.flat_map(|line| line.rsplit(',').map(str::trim))
}

/// The first address that is no trusted proxy's, from the nearest hop on, and which hop it is; the farthest hop if all are trusted.
/// A hop that is no address ends the search: nobody says what is behind it.
fn nearest_untrusted(hops: impl Iterator<Item = Option<IpAddr>>, proxies: &[IpNet]) -> Option<(Option<IpAddr>, usize)> {
    let mut nearest = None;
    for (index, hop) in hops.enumerate() {
        let Some(address) = hop else {
            return nearest.or(Some((None, index)));
        };
        nearest = Some((Some(address), index));
        if !is_among(proxies, address) {
            break;
        }
    }
    nearest
}

/// The value of a parameter of one element of `Forwarded`, without quotes.
fn parameter<'a>(hop: &'a str, name: &str) -> Option<&'a str> {
    hop.split(';').find_map(|pair| {
        let (found, value) = pair.split_once('=')?;
        found
            .trim()
            .eq_ignore_ascii_case(name)
            .then(|| value.trim().trim_matches('"'))
    })
}

/// The address of a node: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:80`.
fn node(text: &str) -> Option<IpAddr> {
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
        .map(|(address, _)| address);
    let address = bare.unwrap_or(text);
    address
        .parse()
        .or_else(|_| address.rsplit_once(':').map_or(address, |(address, _)| address).parse())
        .ok()
}

fn is_https(scheme: &str) -> Option<bool> {
    if scheme.eq_ignore_ascii_case("https") {
        Some(true)
    } else {
        scheme.eq_ignore_ascii_case("http").then_some(false)
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::body::Body;

    use super::*;

    /// What is made of a request from 10.0.0.1 with these headers, where 10.0.0.0/8 and `2001:db8::/32` are proxies.
    fn identified(peer: &str, headers: &[(&'static str, &str)], public_url: Option<&str>) -> (String, String) {
        let proxies = ["10.0.0.0/8", "2001:db8::/32"].map(|network| network.parse().expect("a network"));
        let mut request = Request::new(Body::empty());
        request
            .headers_mut()
            .insert("host", "own.example:5000".parse().expect("a value"));
        for (name, value) in headers {
            request.headers_mut().append(*name, value.parse().expect("a value"));
        }
        let address = SocketAddr::new(peer.parse().expect("an address"), 4711);
        request.extensions_mut().insert(Peer { address, tls: false });
        identify(&mut request, public_url.map(Into::into).as_ref(), &proxies);
        let ClientAddress(address) = *request.extensions().get().expect("an address");
        (address.to_string(), Origin::of(&request).to_text())
    }

    /// **H14** Forwarding headers from a trusted proxy → believed as far as the rightmost address that is no proxy's; from anybody else → ignored.
    #[test]
    fn a_trusted_proxy_is_believed_and_nobody_else() {
        let plain = "http://own.example:5000";
        let told = "https://reg.example";
        let all = [
            ("x-forwarded-for", "192.0.2.9, 198.51.100.7, 10.9.9.9"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "reg.example"),
        ];
        let forwarded = |value: &'static str| [("forwarded", value)];
        let expect = |(address, origin): (String, String), wanted: (&str, &str)| {
            assert_eq!((address.as_str(), origin.as_str()), wanted);
        };
        expect(identified("10.0.0.1", &all, None), ("198.51.100.7", told));
        expect(identified("::ffff:10.0.0.1", &all, None), ("198.51.100.7", told));
        expect(identified("192.0.2.1", &all, None), ("192.0.2.1", plain));
        expect(
            identified("192.0.2.1", &forwarded("for=1.2.3.4;proto=https;host=evil"), None),
            ("192.0.2.1", plain),
        );
        expect(identified("10.0.0.1", &[], None), ("10.0.0.1", plain));
        expect(
            identified(
                "10.0.0.1",
                &forwarded(
                    "for=192.0.2.9;host=evil, for=\"[2001:4860::1]:99\";proto=HTTPS;host=reg.example, for=10.1.1.1;proto=http",
                ),
                None,
            ),
            ("2001:4860::1", told),
        );
        // Several lines are one list; all hops trusted: the farthest. The kind that the proxy does not set is the client's own.
        expect(
            identified(
                "10.0.0.1",
                &[("x-forwarded-for", "192.0.2.9"), ("x-forwarded-for", "10.2.2.2:80")],
                None,
            ),
            ("192.0.2.9", plain),
        );
        expect(
            identified("10.0.0.1", &[("x-forwarded-for", "10.3.3.3, 2001:db8::5")], None),
            ("10.3.3.3", plain),
        );
        expect(
            identified(
                "10.0.0.1",
                &[
                    ("x-forwarded-proto", "https"),
                    ("forwarded", "for=1.2.3.4;host=evil.example"),
                ],
                None,
            ),
            ("10.0.0.1", "https://own.example:5000"),
        );
        // What is no address, scheme or host says nothing.
        expect(
            identified(
                "10.0.0.1",
                &[
                    ("x-forwarded-for", "1.2.3.4, unknown"),
                    ("x-forwarded-proto", "gopher"),
                    ("x-forwarded-host", "a/b"),
                ],
                None,
            ),
            ("10.0.0.1", plain),
        );
        expect(
            identified(
                "10.0.0.1",
                &forwarded("for=1.2.3.4, for=_hidden, for=10.4.4.4;proto=https"),
                None,
            ),
            ("10.4.4.4", "https://own.example:5000"),
        );
        // The configured URL wins.
        expect(
            identified("10.0.0.1", &all, Some("https://pub.example")),
            ("198.51.100.7", "https://pub.example"),
        );
    }
}
