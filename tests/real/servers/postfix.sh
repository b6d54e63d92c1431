# Postfix: one smtpd for each host of HOSTS, each with its own name. `reject:` before a name makes it turn every client
# away in its greeting; `screen:` puts postscreen with its teaser and its wait before it; `default:` leaves it the name
# that Postfix makes of the machine's.
useradd -r -d /nonexistent -s /usr/sbin/nologin postfix 2>/dev/null || true
groupadd -r postdrop 2>/dev/null || true
cd /etc/postfix
cp -n /usr/share/postfix/main.cf.debian main.cf
cp /usr/share/postfix/master.cf.dist master.cf
# No service of the stock file listens on an address of its own, and none is jailed: the tree is a jail already.
sed -i -E '/^smtp +inet/d; s/^([a-z]+ +(unix|fifo|pass|inet) +[-yn] +[-yn] +)[y-]/\1n/' master.cf
for pair in $HOSTS; do
    address=${pair%=*} name=${pair#*=}
    case $name in
    reject:*)
        printf '%s:25 inet n - n - - smtpd\n' "$address"
        printf '  -o myhostname=%s -o smtpd_delay_reject=no -o smtpd_client_restrictions=reject\n' "${name#*:}"
        ;;
    screen:*)
        printf '%s:25 inet n - n - 1 postscreen\n' "$address"
        printf '  -o myhostname=%s\nsmtpd pass - - n - - smtpd\n  -o myhostname=%s\n' "${name#*:}" "${name#*:}"
        printf 'dnsblog unix - - n - 0 dnsblog\ntlsproxy unix - - n - 0 tlsproxy\n'
        ;;
    default:*)
        printf '%s:25 inet n - n - - smtpd\n' "$address"
        printf '%s' "${name#*:}" >/proc/sys/kernel/hostname
        ;;
    *) printf '%s:25 inet n - n - - smtpd\n  -o myhostname=%s\n' "$address" "$name" ;;
    esac
done >>master.cf
postconf -e compatibility_level=3.6 mydestination= maillog_file=/dev/stdout \
    smtpd_tls_security_level=may "smtpd_tls_cert_file=$CERT" "smtpd_tls_key_file=$KEY" \
    smtpd_relay_restrictions=reject default_transport=discard: smtpd_peername_lookup=no \
    'postscreen_greet_banner=$myhostname ESMTP wait' postscreen_greet_wait=2s postscreen_greet_action=enforce \
    'postscreen_access_list=' inet_interfaces=all alias_maps= alias_database=
mkdir -p /var/lib/postfix /var/spool/postfix
chown postfix /var/lib/postfix
chgrp postdrop /usr/sbin/postqueue /usr/sbin/postdrop
chmod g+s /usr/sbin/postqueue /usr/sbin/postdrop
# Its master leads a session of its own, so it is ended by the id in its file, and this shell waits for it.
trap 'kill "$(cat /var/spool/postfix/pid/master.pid)"' TERM
postfix start-fg &
wait || wait
