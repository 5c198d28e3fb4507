# Keeps what a server that is ours as a whole is like beforehand, so that restore.sh can bring it back.
set -eu
umask 077
here=/var/lib/stackwise/existing
mkdir -p $here
if [ ! -e $here/before.tar ]; then
  hostname > $here/hostname
  systemctl is-enabled nftables.service > $here/nftables 2>/dev/null || true
  systemctl is-active nftables.service >> $here/nftables 2>/dev/null || true
  grep '^127\.0\.1\.1[[:space:]]' /etc/hosts > $here/hosts || true
  [ ! -e /swapfile ] || echo there > $here/swapfile
  cd /
  files=
  for file in @files@; do
    if [ -e "$file" ] || [ -L "$file" ]; then files="$files $file"; fi
  done
  # shellcheck disable=SC2086 # names of ours, without spaces
  tar -cf $here/before.new $files
  mv $here/before.new $here/before.tar
fi
echo kept
