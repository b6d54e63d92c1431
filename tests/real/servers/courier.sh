# Courier: one host. In the place of its TLS program stands one that listens and never speaks, so STARTTLS is offered and
# accepted, and then stalls until the client leaves.
pair=${HOSTS%% *}
useradd -r -d /var/lib/courier -s /usr/sbin/nologin courier 2>/dev/null || true
printf '%s\n' "${pair#*=}" >/etc/courier/me
sed -i -E 's/^(ESMTP_BLOCKBACKSCATTER|BOFHCHECKDNS|BOFHCHECKHELO)=.*/\1=0/' /etc/courier/esmtpd
cat >/usr/bin/couriertls <<'PROGRAM'
#!/usr/bin/perl
# The client is on standard input, which was left without waiting.
use IO::Handle;
STDIN->blocking(1);
1 while sysread(STDIN, $_, 4096);
PROGRAM
chmod 755 /usr/bin/couriertls
export COURIERTLS=/usr/bin/couriertls TLS_CERTFILE=$CERT
cd /usr/sbin
exec couriertcpd -address="${pair%=*}" -nodnslookup -noidentlookup -maxprocs=20 -maxperc=20 -maxperip=20 25 /usr/sbin/courieresmtpd
