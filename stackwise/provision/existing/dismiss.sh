# Takes the administrator away. It is run by somebody else: nobody can remove the user that he is logged in as.
set -eu
here=/var/lib/stackwise/existing
rm -f /etc/sudoers.d/stackwise
home=$(getent passwd @admin@ | cut -d: -f6)
if [ -e $here/admin ]; then
  loginctl terminate-user @admin@ 2>/dev/null || true
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    pgrep -u @admin@ >/dev/null || break
    pkill -u @admin@ || true
    sleep 1
  done
  userdel --remove @admin@ 2>/dev/null
  rm -f $here/admin
  echo gone
elif [ -n "$home" ]; then
  sed -i '/^# BEGIN of the keys that stackwise keeps$/,/^# END of the keys that stackwise keeps$/d' \
    "$home/.ssh/authorized_keys"
  echo kept
else
  echo gone
fi
