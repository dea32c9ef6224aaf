//! What a registry asks for: the `WWW-Authenticate` header.
//!
//! Sources: RFC 9110 section 11.6.1 for the grammar, RFC 6750 section 3 and the token authentication of Docker's registry API
//! for the parameters.

use http::{HeaderMap, header::WWW_AUTHENTICATE};

/// How a registry wants to be convinced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// With a token that its realm gives out.
    Bearer {
        /// Where to get one, as it was written.
        realm: String,
        /// The name that the token is made out for.
        service: Option<String>,
    },
    /// With user name and password on each request.
    Basic,
}

impl Challenge {
    /// The strongest challenge of an answer that this client understands: a token before a password.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let values = headers.get_all(WWW_AUTHENTICATE).iter();
        let schemes: Vec<Scheme> = values.filter_map(|value| value.to_str().ok()).flat_map(parse).collect();
        let bearer = schemes.iter().filter(|scheme| scheme.is("bearer")).find_map(|scheme| {
            Some(Self::Bearer {
                realm: scheme.get("realm")?.to_owned(),
                service: scheme.get("service").map(str::to_owned),
            })
        });
        bearer.or_else(|| schemes.iter().any(|scheme| scheme.is("basic")).then_some(Self::Basic))
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Scheme {
    name: String,
    parameters: Vec<(String, String)>,
}

impl Scheme {
    fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    fn get(&self, name: &str) -> Option<&str> {
        let mut named = self.parameters.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        named.next().map(|(_, value)| value.as_str())
    }
}

/// The schemes of one header with their parameters. What is outside the grammar ends the reading; what was read before stays.
fn parse(header: &str) -> Vec<Scheme> {
    let mut schemes: Vec<Scheme> = Vec::new();
    let mut rest = header.trim_start_matches([' ', '\t', ',']);
    while let Some((word, after)) = token(rest) {
        let after = after.trim_start_matches([' ', '\t']);
        // A word is the name of a parameter if "=" follows, and of the next scheme if not.
        match (after.strip_prefix('='), schemes.last_mut()) {
            (Some(after), Some(scheme)) => {
                let Some((text, after)) = value(after.trim_start_matches([' ', '\t'])) else {
                    break;
                };
                scheme.parameters.push((word.to_owned(), text));
                rest = after;
            }
            (None, _) => {
                schemes.push(Scheme {
                    name: word.to_owned(),
                    parameters: Vec::new(),
                });
                rest = after;
            }
            (Some(_), None) => break,
        }
        rest = rest.trim_start_matches([' ', '\t', ',']);
    }
    schemes
}

fn token(text: &str) -> Option<(&str, &str)> {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let end = text.find(|c| !is_token(c)).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

/// A token, or a quoted string with its escapes undone.
fn value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        return token(text).map(|(value, rest)| (value.to_owned(), rest));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &quoted[at + 1..])),
            '\\' => value.push(characters.next()?.1),
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn challenge(values: &[&'static str]) -> Option<Challenge> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(WWW_AUTHENTICATE, http::HeaderValue::from_static(value));
        }
        Challenge::of(&headers)
    }

    fn bearer(realm: &str, service: Option<&str>) -> Challenge {
        Challenge::Bearer {
            realm: realm.to_owned(),
            service: service.map(str::to_owned),
        }
    }

    #[test]
    fn a_token_is_preferred_to_a_password() {
        let token = Some(bearer("https://reg.example/token", Some("reg")));
        assert_eq!(
            challenge(&[
                "Bearer realm=\"https://reg.example/token\",service=\"reg\",scope=\"repository:a/b:pull,push\""
            ]),
            token
        );
        assert_eq!(
            challenge(&[
                "Basic realm=\"x, y\"",
                "bearer service=reg , realm=\"https://reg.example/token\""
            ]),
            token
        );
        assert_eq!(
            challenge(&["Basic realm=\"x\", Bearer realm=\"https://reg.example/token\", service=\"reg\""]),
            token
        );
        assert_eq!(challenge(&["Basic realm=\"a \\\"b\\\"\""]), Some(Challenge::Basic));
        assert_eq!(challenge(&["Bearer realm=\"a\\\"b\""]), Some(bearer("a\"b", None)));
    }

    #[test]
    fn what_cannot_be_understood_is_no_challenge() {
        for values in [
            &[][..],
            &[""],
            &["Negotiate"],
            &["Bearer"],
            &["Bearer realm=\"unterminated"],
            &["=x"],
            &["Bearer scope=\"a\""],
        ] {
            assert_eq!(challenge(values), None, "{values:?}");
        }
    }
}
