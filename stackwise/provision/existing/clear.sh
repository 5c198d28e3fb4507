# Takes away what prepare.sh and the roles leave when the site is gone, and names the packages that came with it.
set -eu
here=/var/lib/stackwise/existing
redis=/etc/systemd/system/redis-server.service.d
if [ -e $redis/stackwise-unused.conf ]; then
  # Without this it would run from the next boot on, with a package's defaults.
  systemctl disable --quiet redis-server.service 2>/dev/null || true
  rm -f $redis/stackwise-unused.conf
  rmdir --ignore-fail-on-non-empty $redis
  systemctl daemon-reload
fi
rm -f /etc/postgresql-common/createcluster.d/stackwise.conf $here/site
rmdir --ignore-fail-on-non-empty -p /etc/postgresql-common/createcluster.d 2>/dev/null || true
rm -rf /var/lib/stackwise/applied
apt-mark showauto | sed 's/:.*//' > $here/automatic
dpkg-query -W -f='${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p' | grep -vxFf $here/packages |
  while read -r package; do
    if grep -qxF "$package" $here/automatic; then echo "$package automatic"; else echo "$package asked-for"; fi
  done
rm -f $here/automatic
