# Runs a server from its unpacked tree, laid over this machine's own root, in mount and UTS namespaces that the caller
# made: the machine's files, accounts and name stay as they are, and all that is written vanishes with the process.
# Usage: bash overlay.sh TREE SCRIPT; the environment has WORK (a directory that the script may use as it is named),
# HOSTS (`address=name` …), CERT and KEY, RESOLVER.
set -euo pipefail
tree=$1 script=$2

top=$(mktemp -d -p "$WORK")
# The tree must not lie below the lower `/` itself, and an upper directory needs a file system with attributes.
mount -t tmpfs tmpfs "$top"
mkdir "$top/upper" "$top/scratch" "$top/root"
cp -a "$tree" "$top/tree"
mount -t overlay -o "lowerdir=$top/tree:/,upperdir=$top/upper,workdir=$top/scratch" overlay "$top/root"
for part in /proc /dev /sys; do mount --rbind "$part" "$top/root$part"; done
mkdir -p "$top/root$WORK"
mount --bind "$WORK" "$top/root$WORK"
rm -f "$top/root/etc/resolv.conf"
printf 'nameserver %s\n' "$RESOLVER" >"$top/root/etc/resolv.conf"
printf '127.0.0.1 localhost\n' >"$top/root/etc/hosts"
for pair in $HOSTS; do printf '%s %s\n' "${pair%=*}" "${pair#*=}" >>"$top/root/etc/hosts"; done

# Sendmail waits a minute if the machine has no full name.
first=${HOSTS%% *}
printf '%s' "${first#*=}" >/proc/sys/kernel/hostname

exec chroot "$top/root" /bin/bash -euo pipefail -c "$(cat "$script")"
