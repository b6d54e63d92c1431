# OpenSMTPD: one listener for each host of HOSTS. This build offers STARTTLS and then fails the handshake.
for user in opensmtpd opensmtpq; do useradd -r -d /nonexistent -s /usr/sbin/nologin "$user" 2>/dev/null || true; done
mkdir -p /var/spool/smtpd /var/lib/opensmtpd/empty
chmod 711 /var/spool/smtpd
# It takes a key that only its owner reads.
install -m 600 "$KEY" /etc/smtpd.key
install -m 644 "$CERT" /etc/smtpd.cert
{
    printf 'pki test cert "/etc/smtpd.cert"\npki test key "/etc/smtpd.key"\n'
    for pair in $HOSTS; do
        printf 'listen on %s port 25 tls pki test hostname "%s"\n' "${pair%=*}" "${pair#*=}"
    done
    printf 'action "none" relay\nmatch from any for any reject\n'
} >/etc/smtpd.test.conf
exec smtpd -d -f /etc/smtpd.test.conf
