//! Where each platform sets the name that it gives: data.

/// What sets a platform's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// The record name of the platform.
    pub platform: &'static str,
    /// The options, paths or pages.
    pub by: &'static str,
}

const fn setting(platform: &'static str, by: &'static str) -> Setting {
    Setting { platform, by }
}

/// The settings of all platforms, a platform's own together. Only what the maker's documentation or source says stands
/// here: a setting that does not exist helps nobody.
const SETTINGS: &[Setting] = &[
    setting(
        "exchange",
        "`Set-ReceiveConnector -Banner \"220 mail.your-domain\"` for the greeting and `-Fqdn` for the name in the reply to EHLO",
    ),
    setting("exchange", "`Set-SendConnector -Fqdn` for mail going out"),
    setting(
        "postfix",
        "`myhostname` for both directions; `smtpd_banner` for the greeting, `smtp_helo_name` for mail going out",
    ),
    setting(
        "postscreen",
        "`myhostname`; `postscreen_greet_banner` for the teaser, `postscreen_greet_wait` for its length",
    ),
    setting(
        "exim",
        "`primary_hostname`; `smtp_active_hostname` and `smtp_banner` for the greeting, `helo_data` of the transport for mail going out",
    ),
    setting("cpanel", "WHM, Change Hostname"),
    setting(
        "cpanel",
        "`/etc/mailhelo` and `/etc/mailips`, which give mail of a domain its own name and address",
    ),
    setting(
        "plesk",
        "Tools & Settings, Server Settings: full hostname; and the outgoing mail mode in the mail settings",
    ),
    setting("sendmail", "`confDOMAIN_NAME` in the `.mc` file; `confSMTP_LOGIN_MSG` for the greeting's text"),
    setting("qmail", "`control/me`"),
    setting("qmail", "`control/smtpgreeting` for the greeting and `control/helohost` for mail going out"),
    setting(
        "opensmtpd",
        "`hostname` of `listen on` for the greeting; the `mailname` file for the server's name",
    ),
    setting("courier", "the `esmtpgreeting` file for the greeting; without it, the `me` file"),
    setting("haraka", "`config/me`; `config/smtpgreeting` for the greeting's text"),
    setting("stalwart", "`session.connect.greeting`"),
    setting("kumomta", "`hostname` and `banner` in `start_esmtp_listener`"),
    setting("powermta", "`host-name`, also of a `<virtual-mta>`"),
    setting("momentum", "`EHLO_Hostname` for mail going out"),
    setting("james", "`helloName` and `smtpGreeting` in the SMTP server's configuration"),
    setting("mail_in_a_box", "the host name that its setup asks for"),
    setting("zimbra", "`/opt/zimbra/libexec/zmsetservername -n`, which renames the server"),
    setting("hmailserver", "the host name (`HostName`) and the welcome message of SMTP (`WelcomeSMTP`)"),
    setting("domino", "`Fully qualified Internet host name` in the server document"),
    setting(
        "xmail",
        "`SmtpServerDomain` for the greeting and `HeloDomain` for mail going out, in `server.tab`",
    ),
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
    fn every_setting_is_of_a_platform_that_its_operator_sets_up() {
        for setting in SETTINGS {
            let row = platform::row(setting.platform).unwrap_or_else(|| panic!("{}", setting.platform));
            assert!(matches!(row.kind, Kind::SelfHosted | Kind::Panel), "{}", row.name);
        }
    }

    #[test]
    fn settings_of_a_platform_stand_together() {
        let mut platforms: Vec<&str> = SETTINGS.iter().map(|setting| setting.platform).collect();
        platforms.dedup();
        let mut distinct = platforms.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(platforms.len(), distinct.len());
    }
}
