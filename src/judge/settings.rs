//! Where each platform sets the name that it gives: data.

/// How sure the table is of a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Certainty {
    /// The vendor documents it so.
    Known,
    /// It goes by about this name; the version in use may call it otherwise.
    LookFor,
}

/// What sets a platform's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// The record name of the platform.
    pub platform: &'static str,
    /// The options, paths or pages.
    pub by: &'static str,
    /// How sure that is.
    pub certainty: Certainty,
}

const fn known(platform: &'static str, by: &'static str) -> Setting {
    Setting { platform, by, certainty: Certainty::Known }
}

const fn look_for(platform: &'static str, by: &'static str) -> Setting {
    Setting { platform, by, certainty: Certainty::LookFor }
}

/// The settings of all platforms, a platform's own together.
const SETTINGS: &[Setting] = &[
    known("exchange", "`Set-ReceiveConnector -Banner \"220 mail.your-domain\"` for the greeting"),
    look_for(
        "exchange",
        "the FQDN of the receive connector, and for mail going out the FQDN of the send connector",
    ),
    look_for(
        "iis_smtp",
        "the fully-qualified domain name among the advanced delivery settings of the SMTP virtual server",
    ),
    known(
        "postfix",
        "`myhostname` for both directions; `smtpd_banner` for the greeting, `smtp_helo_name` for mail going out",
    ),
    known(
        "postscreen",
        "`myhostname`; `postscreen_greet_banner` for the teaser, `postscreen_greet_wait` for its length",
    ),
    known(
        "exim",
        "`primary_hostname`; `smtp_active_hostname` and `smtp_banner` for the greeting, `helo_data` of the transport for mail going out",
    ),
    known("cpanel", "WHM, Change Hostname"),
    look_for("cpanel", "`/etc/mailhelo` and `/etc/mailips`, which give a domain its own name and address"),
    known(
        "plesk",
        "Tools & Settings, Server Settings: full hostname; and the outgoing mail mode in the mail settings",
    ),
    known("sendmail", "`confDOMAIN_NAME` in the `.mc` file; `confSMTP_LOGIN_MSG` for the greeting's text"),
    known("qmail", "`control/me`"),
    look_for("qmail", "`control/smtpgreeting` for the greeting and `control/helohost` for mail going out"),
    look_for("opensmtpd", "the `hostname` option of `listen on`"),
    known("opensmtpd", "the `mailname` file"),
    look_for("courier", "the `esmtpgreeting` and `me` files"),
    look_for("haraka", "`config/me`"),
    known("stalwart", "`session.connect.greeting`"),
    known("kumomta", "`hostname` and `banner` in `start_esmtp_listener`"),
    look_for("powermta", "`host-name`"),
    look_for("momentum", "the host name in the configuration of the listener"),
    known("james", "`helloName` and `smtpGreeting` in the SMTP server's configuration"),
    known("mail_in_a_box", "the host name that its setup asks for"),
    look_for("asyncos", "the host name of the interface or listener in the appliance's administration"),
    look_for("barracuda", "the default host name in the appliance's administration"),
    look_for("fortimail", "host name and local domain in the appliance's administration"),
    look_for("symantec", "the host name in the appliance's administration"),
    look_for("sonicwall", "the host name in the appliance's administration"),
    look_for("zimbra", "the server's host name; Postfix inside takes `myhostname` from it"),
    look_for("kerio", "the Internet host name of the server"),
    look_for("mdaemon", "the FQDN of the primary domain"),
    look_for("icewarp", "the server's host name"),
    look_for("mailenable", "the host name among the properties of the SMTP connector"),
    look_for(
        "hmailserver",
        "the local host name among the settings for delivery of mail, and the welcome message of SMTP",
    ),
    look_for("smartermail", "the host name that belongs to the IP address"),
    look_for("axigen", "the greeting and the host name of the SMTP service"),
    look_for("communigate", "the main domain name"),
    look_for("domino", "the fully qualified Internet host name in the server document"),
    look_for("groupwise", "the host name of the Internet Agent"),
    look_for("xmail", "the server's root domain"),
    look_for("mox", "the host name in its static configuration"),
    look_for("directadmin", "the server's host name; Exim takes `primary_hostname` from it"),
];

/// What sets the name on a platform; empty where nobody but the service can.
pub fn settings(platform: &str) -> impl Iterator<Item = &'static Setting> {
    SETTINGS.iter().filter(move |setting| setting.platform == platform)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::platform::{self, Kind};

    #[test]
    fn every_setting_is_of_a_platform_and_every_software_has_one() {
        for setting in SETTINGS {
            assert!(platform::row(setting.platform).is_some(), "{}", setting.platform);
        }
        for row in platform::rows() {
            let has = settings(row.name).next().is_some();
            match row.kind {
                Kind::SelfHosted | Kind::Panel if row.name != "coremail" => assert!(has, "{}", row.name),
                Kind::Relay | Kind::Provider => assert!(!has, "{}", row.name),
                _ => {}
            }
        }
    }
}
