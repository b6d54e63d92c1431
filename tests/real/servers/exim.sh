# Exim: one daemon for all hosts of HOSTS, its name told from the address that was called. `notice:` before a name adds
# the second greeting line of hosting panels.
useradd -r -d /var/spool/exim4 -s /usr/sbin/nologin Debian-exim 2>/dev/null || true
spool=/var/spool/exim4
mkdir -p "$spool"
chown Debian-exim "$spool"
addresses= names= notices=
for pair in $HOSTS; do
    address=${pair%=*} name=${pair#*=}
    addresses+=" ; $address"
    [[ $name != notice:* ]] || notices+="\${if eq{\$received_ip_address}{$address}{\\nWe do not authorize the use of this system}{}}"
    names+="\${if eq{\$received_ip_address}{$address}{${name#*:}}{}}"
done
cat >/etc/exim4/test.conf <<CONF
primary_hostname = exim.invalid
local_interfaces = <;${addresses# ;}
daemon_smtp_ports = 25
smtp_active_hostname = $names
smtp_banner = \$smtp_active_hostname ESMTP Exim \$version_number \$tod_full$notices
tls_advertise_hosts = *
tls_certificate = $CERT
tls_privatekey = $KEY
spool_directory = $spool
log_file_path = $spool/log-%s
acl_smtp_rcpt = deny
host_lookup =
rfc1413_query_timeout = 0s
queue_only
CONF
exec exim4 -C /etc/exim4/test.conf -bdf
