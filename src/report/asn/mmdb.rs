//! MMDB files, whose tree is the longest match. Makers name the fields of a system differently; the usual
//! ones are known.

use std::fs;
use std::net::IpAddr;
use std::path::Path;

use maxminddb::{MaxMindDbError, Reader, WithinOptions};
use serde::Deserialize;

use super::{About, AsnError, day, number};
use crate::prefix::Prefix;
use crate::record::Network;

/// Whose data they are, by how the name of their kind begins, small letters: their makers want to be named,
/// and no MMDB has a field for it.
const MAKERS: [(&str, &str); 4] = [
    (
        "geolite2",
        "GeoLite2 data created by MaxMind, https://www.maxmind.com, under the GeoLite End User License Agreement",
    ),
    ("geoip2", "MaxMind, https://www.maxmind.com, under the MaxMind End User License Agreement"),
    ("ipinfo", "IPinfo, https://ipinfo.io; its free data are under CC BY-SA 4.0"),
    ("dbip", "DB-IP, https://db-ip.com; its free data are under CC BY 4.0"),
];

#[derive(Debug)]
pub(super) struct Mmdb(Reader<Vec<u8>>);

impl Mmdb {
    pub(super) fn open(path: &Path, shown: &str) -> Result<Self, AsnError> {
        let bytes = fs::read(path).map_err(|source| AsnError::Read { path: shown.to_owned(), source })?;
        Ok(Self(Reader::from_source(bytes).map_err(|wrong| broken(shown, &wrong))?))
    }

    pub(super) fn about(&self, path: String) -> About {
        let data = self.0.metadata();
        let kind = data.database_type.to_ascii_lowercase();
        let maker = MAKERS.iter().find(|(name, _)| kind.starts_with(name));
        let description = data.description.get("en").or_else(|| data.description.values().next());
        About {
            path,
            name: data.database_type.clone(),
            date: data.build_time().ok().map(day),
            description: description.filter(|text| !text.is_empty()).cloned(),
            licence: maker.map(|(_, licence)| (*licence).to_owned()),
        }
    }

    pub(super) fn network(&self, ip: IpAddr) -> Option<Network> {
        let fields: Fields<'_> = self.0.lookup(ip).ok()?.decode().ok()??;
        let asn = fields.number()?;
        Some(Network { asn, name: fields.name().map(Into::into) })
    }

    /// Hands over each prefix with its system. A record that says nothing of a system is passed over.
    pub(super) fn each(&self, path: &str, mut each: impl FnMut(u32, Prefix)) -> Result<(), AsnError> {
        let wrong = |wrong: MaxMindDbError| broken(path, &wrong);
        for found in self.0.networks(WithinOptions::default()).map_err(wrong)? {
            let found = found.map_err(wrong)?;
            let network = found.network().map_err(wrong)?;
            let Ok(Some(fields)) = found.decode::<Fields<'_>>() else { continue };
            if let Some(asn) = fields.number() {
                each(asn, Prefix::of(network.network(), network.prefix()));
            }
        }
        Ok(())
    }
}

fn broken(path: &str, wrong: &MaxMindDbError) -> AsnError {
    AsnError::Mmdb { path: path.to_owned(), reason: wrong.to_string() }
}

/// What makers call number and name.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Fields<'a> {
    #[serde(borrow)]
    autonomous_system_number: Option<Number<'a>>,
    asn: Option<Number<'a>>,
    as_number: Option<Number<'a>>,
    autonomous_system_organization: Option<&'a str>,
    as_name: Option<&'a str>,
    as_organization: Option<&'a str>,
    as_description: Option<&'a str>,
    name: Option<&'a str>,
    organization: Option<&'a str>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Number<'a> {
    Plain(u32),
    Text(#[serde(borrow)] &'a str),
}

impl<'a> Fields<'a> {
    fn number(&self) -> Option<u32> {
        let fields = [&self.autonomous_system_number, &self.asn, &self.as_number];
        let number = match fields.into_iter().flatten().next()? {
            Number::Plain(number) => Some(*number),
            Number::Text(text) => number(text),
        };
        number.filter(|&number| number != 0)
    }

    fn name(&self) -> Option<&'a str> {
        let fields = [
            self.autonomous_system_organization,
            self.as_name,
            self.as_organization,
            self.as_description,
            self.name,
            self.organization,
        ];
        fields.into_iter().flatten().find(|name| !name.is_empty())
    }
}
