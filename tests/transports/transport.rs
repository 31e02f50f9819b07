//! What carries the requests: one suite, told once, runs over each of them.

use quickeats_bench::history::{Method, Version};

/// Which versions of HTTP a target speaks, and whether within TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Plain,
    PlainHttp1,
    PlainHttp2,
    Tls,
    TlsHttp1,
    TlsHttp2,
}

impl Transport {
    pub(crate) const fn is_tls(self) -> bool {
        matches!(self, Self::Tls | Self::TlsHttp1 | Self::TlsHttp2)
    }

    pub(crate) const fn speaks(self, version: Version) -> bool {
        match version {
            Version::Http1 => !matches!(self, Self::PlainHttp2 | Self::TlsHttp2),
            Version::Http2 => !matches!(self, Self::PlainHttp1 | Self::TlsHttp1),
        }
    }

    /// The methods of delivery that it allows.
    pub(crate) fn methods(self) -> Vec<Method> {
        Method::ALL.into_iter().filter(|method| self.speaks(method.version())).collect()
    }
}

/// Runs each of the named tests over each transport. (A test that is not named is dead code, which the compiler tells.)
macro_rules! over_every_transport {
    ($($test:ident),+ $(,)?) => {
        over_every_transport!(plain: Plain => $($test),+);
        over_every_transport!(plain_http1: PlainHttp1 => $($test),+);
        over_every_transport!(plain_http2: PlainHttp2 => $($test),+);
        // Where trusted roots are files, an environment variable may name another one.
        #[cfg(target_os = "linux")]
        over_every_transport!(tls: Tls => $($test),+);
        #[cfg(target_os = "linux")]
        over_every_transport!(tls_http1: TlsHttp1 => $($test),+);
        #[cfg(target_os = "linux")]
        over_every_transport!(tls_http2: TlsHttp2 => $($test),+);
    };
    ($module:ident: $transport:ident => $($test:ident),+) => {
        mod $module {
            $(
                #[test]
                fn $test() {
                    super::$test($crate::transport::Transport::$transport);
                }
            )+
        }
    };
}
pub(crate) use over_every_transport;
