# Makes the administrator of a server that is there already, as cloud-init makes one at a provider's.
# Each step looks first, so that a second time changes nothing, and what an earlier run began is finished.
set -eu
umask 022
export DEBIAN_FRONTEND=noninteractive
here=/var/lib/stackwise/existing
mkdir -p $here
if [ ! -s $here/packages ]; then
  dpkg-query -W -f='${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p' > $here/packages.new
  mv $here/packages.new $here/packages
fi
if [ ! -e $here/admin ] && ! getent passwd @admin@ >/dev/null; then echo made > $here/admin; fi
echo @ours@ > $here/site
missing=
for tool in python3 sudo; do command -v $tool >/dev/null || missing="$missing $tool"; done
if [ -n "$missing" ]; then
  apt-get -q -o DPkg::Lock::Timeout=300 update >&2
  apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends $missing >&2
fi
# The site has a cluster and a cache of its own; what the packages would start beside them is nobody's.
if ! grep -qx postgresql-common $here/packages; then
  mkdir -p /etc/postgresql-common/createcluster.d
  echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.d/stackwise.conf
fi
if ! grep -qx redis-server $here/packages; then
  redis=/etc/systemd/system/redis-server.service.d
  mkdir -p $redis
  printf '%s\n' '[Unit]' 'ConditionPathExists=/nonexistent' > $redis/stackwise-unused.conf
fi
getent passwd @admin@ >/dev/null || useradd --create-home --shell /bin/bash @admin@
home=$(getent passwd @admin@ | cut -d: -f6)
install -d -m 0700 -o @admin@ -g "$(id -g @admin@)" "$home/.ssh"
keys=$home/.ssh/authorized_keys
if ! grep -qF @key@ "$keys" 2>/dev/null; then
  [ ! -s "$keys" ] || [ -z "$(tail -c 1 "$keys")" ] || echo >> "$keys"
  printf '%s\n' '# BEGIN of the keys that stackwise keeps' @key@ '# END of the keys that stackwise keeps' >> "$keys"
fi
chown @admin@ "$keys"
chmod 0600 "$keys"
umask 077
printf '%s\n' '# Written by Ansible, role base.' @sudo@ > /etc/sudoers.d/.stackwise.new
chmod 0440 /etc/sudoers.d/.stackwise.new
visudo -cq -f /etc/sudoers.d/.stackwise.new
mv -f /etc/sudoers.d/.stackwise.new /etc/sudoers.d/stackwise
echo prepared
