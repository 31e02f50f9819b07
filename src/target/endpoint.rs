//! Where the target is: the URL a user typed, checked.

use std::fmt;
use std::net::IpAddr;

use url::{Host, Url};

use super::Trust;
use crate::text::harmless;

/// A target's address.
#[derive(Debug, Clone)]
pub struct Endpoint {
    url: Url,
    prefix: String,
    trust: Trust,
}

/// Why a URL cannot be a target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Not a URL.
    #[error("`{0}` is not a URL ({1}): write it as http://127.0.0.1:8000")]
    Malformed(String, url::ParseError),
    /// Not HTTP.
    #[error("`{0}` is not an HTTP URL: write it as http://127.0.0.1:8000 or https://…")]
    Scheme(String),
    /// It carries a user name or password, which would end up in logs and reports.
    #[error("a target URL must not carry a user name or password: they would stand in logs and reports")]
    Credentials,
    /// It carries a query or fragment, which no request could keep.
    #[error("a target URL has no `?` or `#`: give the address alone, the API description adds paths")]
    Query,
}

impl Endpoint {
    /// Reads `typed`, such as `http://127.0.0.1:8000` or `https://shop.example/base`.
    ///
    /// # Errors
    /// What is wrong with it and how it should look.
    pub fn parse(typed: &str) -> Result<Self, EndpointError> {
        let url = Url::parse(typed).map_err(|error| EndpointError::Malformed(harmless(typed, 200), error))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(EndpointError::Credentials);
        }
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err(EndpointError::Scheme(harmless(typed, 200)));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(EndpointError::Query);
        }
        let prefix = url.path().trim_end_matches('/').to_owned();
        Ok(Self { url, prefix, trust: Trust::default() })
    }

    /// The same address, trusted otherwise where it is spoken to over TLS.
    #[must_use]
    pub fn trusting(self, trust: Trust) -> Self {
        Self { trust, ..self }
    }

    pub(super) const fn trust(&self) -> &Trust {
        &self.trust
    }

    /// Whether it is on this machine: a loopback address, or `localhost`.
    pub fn is_loopback(&self) -> bool {
        match self.url.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => IpAddr::V6(address).to_canonical().is_loopback(),
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            None => false,
        }
    }

    /// Whether it is spoken to over TLS.
    pub fn is_tls(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// The host, without brackets around an IPv6 address.
    pub(super) fn host(&self) -> String {
        match self.url.host() {
            Some(Host::Ipv6(address)) => address.to_string(),
            Some(host) => host.to_string(),
            None => String::new(),
        }
    }

    /// The port, given or implied.
    pub(super) fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or(80)
    }

    /// The value of the Host header.
    pub(super) fn authority(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        self.url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// `path` below the target's own path.
    pub(super) fn path(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }

    /// The whole URL of `path`.
    pub(super) fn join(&self, path: &str) -> String {
        format!("{}://{}{}", self.url.scheme(), self.authority(), self.path(path))
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.join(""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_joined_below_its_own_path() {
        let endpoint = Endpoint::parse("http://127.0.0.1:8000/shop/").unwrap();
        assert_eq!(endpoint.join("/api/v2/orders"), "http://127.0.0.1:8000/shop/api/v2/orders");
        assert_eq!(endpoint.authority(), "127.0.0.1:8000");
        assert_eq!(Endpoint::parse("http://[::1]:8000").unwrap().authority(), "[::1]:8000");
    }

    #[test]
    fn only_addresses_of_this_machine_are_loopback() {
        for (typed, expected) in [
            ("http://127.0.0.1:80", true),
            ("http://127.8.9.1", true),
            ("http://[::1]:80", true),
            ("http://[::ffff:127.0.0.1]:80", true),
            ("https://localhost:8443", true),
            ("http://10.0.0.1", false),
            ("http://0.0.0.0:80", false),
            ("http://localhost.example.com", false),
            ("http://127.0.0.1.nip.example", false),
        ] {
            assert_eq!(Endpoint::parse(typed).unwrap().is_loopback(), expected, "{typed}");
        }
    }

    #[test]
    fn what_is_no_target_is_refused_without_repeating_a_password() {
        for typed in
            ["", "localhost:8000", "ftp://127.0.0.1", "http://", "http://a b", "http://127.0.0.1/?q", "file:///etc"]
        {
            assert!(Endpoint::parse(typed).is_err(), "{typed}");
        }
        let error = Endpoint::parse("http://admin:hunter2@127.0.0.1").unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }
}
