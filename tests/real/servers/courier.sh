# Courier: one host. Its couriertls is taken away, so a STARTTLS that it accepted stalls.
pair=${HOSTS%% *}
useradd -r -d /var/lib/courier -s /usr/sbin/nologin courier 2>/dev/null || true
printf '%s\n' "${pair#*=}" >/etc/courier/me
sed -i -E 's/^(ESMTP_BLOCKBACKSCATTER|BOFHCHECKDNS|BOFHCHECKHELO)=.*/\1=0/' /etc/courier/esmtpd
rm -f /usr/bin/couriertls
cd /usr/sbin
exec couriertcpd -address="${pair%=*}" -nodnslookup -noidentlookup -maxprocs=20 -maxperc=20 -maxperip=20 25 /usr/sbin/courieresmtpd
