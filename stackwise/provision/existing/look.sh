# What is on a server that is there already. Everything is read, and nothing is changed.
# Each section of the answer starts with a line `== name`, so that one session is enough for all the questions.
# Locks of files are read from the kernel: trying to take one would keep apt from it for a moment.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
export LC_ALL=C
say() { printf '== %s\n' "$1"; }
say system; . /etc/os-release; printf '%s-%s\n%s\n' "$ID" "$VERSION_ID" "$PRETTY_NAME"; uname -m
say manager; cat /proc/1/comm
say container; systemd-detect-virt --container 2>/dev/null || true
say size; nproc; awk '/^MemTotal/ {t=$2} /^MemAvailable/ {a=$2} END {print int(t/1024), int(a/1024)}' /proc/meminfo
df -Pm / | awk 'NR==2 {print $2, $4}'
say listeners; if command -v ss >/dev/null; then ss -Hltnp; else echo unknown; fi
say packages; dpkg-query -W -f='${db:Status-Status} ${Package}\n' 2>/dev/null | sed -n 's/^installed //p'
say services; systemctl list-units --type=service --state=running --no-legend --plain 2>/dev/null | cut -d' ' -f1
say firewall
if command -v ufw >/dev/null && ufw status 2>/dev/null | grep -q '^Status: active'; then echo ufw; fi
if systemctl is-active --quiet firewalld 2>/dev/null; then echo firewalld; fi
if command -v nft >/dev/null && nft list ruleset 2>/dev/null | grep -q 'hook input.*policy drop'; then echo nftables; fi
if command -v nft >/dev/null; then nft list tables 2>/dev/null | sed 's/^/table /'; fi
# Asking iptables loads its modules, so it is asked only where they are loaded.
if [ -s /proc/net/ip_tables_names ] && iptables -S INPUT 2>/dev/null | grep -q '^-P INPUT DROP'; then echo iptables; fi
say open; if command -v ufw >/dev/null; then ufw status 2>/dev/null | awk '$2 == "ALLOW" {print $1}'; fi
if systemctl is-active --quiet firewalld 2>/dev/null; then
  firewall-cmd --list-ports --list-services 2>/dev/null | tr ' ' '\n' | sed 's/^https$/443/; s/^http$/80/'
fi
if command -v nft >/dev/null; then
  nft list ruleset 2>/dev/null | sed -n 's/.*tcp dport \(.*\) accept.*/\1/p' | sed 's/counter.*//'; fi
if [ -s /proc/net/ip_tables_names ]; then
  iptables -S INPUT 2>/dev/null | sed -n 's/.*--dports* \([0-9,]*\) .*-j ACCEPT.*/\1/p'; fi
say containers
for tool in docker podman; do
  command -v $tool >/dev/null && timeout 10 $tool ps --format "$tool {{.Names}}" 2>/dev/null; done
for tool in docker podman incus lxc; do command -v $tool >/dev/null && echo "installed $tool"; done
say clusters; if command -v pg_lsclusters >/dev/null; then pg_lsclusters --no-header | awk '{print $1"/"$2, $3, $4}'; fi
say sites; for folder in /etc/nginx/sites-enabled /etc/apache2/sites-enabled /etc/caddy /var/www /srv; do
  find $folder -mindepth 1 -maxdepth 1 2>/dev/null; done
say cron; find /etc/cron.d /var/spool/cron/crontabs -type f 2>/dev/null; ls -d /etc/crontab 2>/dev/null
say logins; getent passwd | while IFS=: read -r name _ _ _ _ home shell; do
  case $shell in */nologin | */false | */sync | '') continue ;; esac
  keys=$(grep -c '^[^#]' "$home/.ssh/authorized_keys" 2>/dev/null || true)
  password=$(getent shadow "$name" | cut -d: -f2)
  case $password in '' | '!'* | '*'*) password=no ;; *) password=yes ;; esac
  echo "$name ${keys:-0} $password"; done
say sshd; sshd -T 2>/dev/null | grep -E '^(permitrootlogin|passwordauthentication|allowusers|allowgroups|port) '
say locked; for file in /var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/lib/apt/lists/lock; do
  [ -e $file ] && grep -q ":$(stat -c %i $file) " /proc/locks && echo $file; done
say tools; for tool in python3 sudo; do command -v $tool; done
say ours; cat /var/lib/stackwise/existing/site 2>/dev/null
say kept; [ -e /var/lib/stackwise/existing/before.tar ] && echo kept
say before; cat /var/lib/stackwise/existing/packages 2>/dev/null
say taken; for path in @paths@; do [ -e $path ] && echo $path; done
getent passwd @site@ >/dev/null && echo "the user @site@"
say @last@
true
