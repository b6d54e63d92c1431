# Sendmail: one host, without STARTTLS; its greeting tells the date.
pair=${HOSTS%% *}
useradd -r -d /nonexistent -s /usr/sbin/nologin smmta 2>/dev/null || true
useradd -r -d /nonexistent -s /usr/sbin/nologin smmsp 2>/dev/null || true
mkdir -p /var/spool/mqueue /run/sendmail/mta /etc/mail /var/lib/sendmail/host_status
cd /etc/mail
cat >test.mc <<CONF
include(\`/usr/share/sendmail/cf/m4/cf.m4')dnl
OSTYPE(\`debian')dnl
define(\`confDOMAIN_NAME', \`${pair#*=}')dnl
define(\`confTO_IDENT', \`0s')dnl
FEATURE(\`no_default_msa')dnl
DAEMON_OPTIONS(\`Family=inet, Name=MTA, Port=25, Addr=${pair%=*}')dnl
CONF
m4 test.mc >test.cf
exec /usr/libexec/sendmail/sendmail -bD -C /etc/mail/test.cf
