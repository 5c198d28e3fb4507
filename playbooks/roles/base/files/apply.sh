# Lets a service, or a command, take in its files if it has not done so yet, and says what it did; says nothing if there is nothing to do.
#   sh -s -- CHECK HOW NAME FILE...
# CHECK  True only says what would be done.
# HOW    reload or restart NAME, a unit, which also runs now and at each boot; restart-unwaited does not wait until it has started;
#        reload-only leaves open whether it runs. Anything else is a command to run.
# What was taken in is written down once it is done, in /var/lib/stackwise/applied: a run that was cut off between
# a file and its service is finished by the next one, which a handler would not do.
set -eu
check=$1 how=$2 name=$3
shift 3
applied=/var/lib/stackwise/applied/$name
known=$applied
[ -e "$known" ] || known=/dev/null
seen=$(stat --printf='%n %i %.Y\n' -- "$@" 2>/dev/null || true)
new=$(printf '%s\n' "$seen" | grep --invert-match --line-regexp --fixed-strings --file="$known" || true)

act() {
  echo "$*"
  [ "$check" = True ] || "$@" || explain
}

# "Job failed, see the journal" helps nobody who reads this elsewhere: say it in the unit's own words, and who has the
# port that it wants.
explain() {
  words=$(journalctl --unit="$name" --boot --no-pager --output=cat --lines=10 2>/dev/null || true)
  printf '%s\n' "$words" >&2
  for port in $(printf '%s\n' "$words" | sed -n 's/.*:\([0-9]\{1,5\}\) failed.*Address already in use.*/\1/p' | sort -u); do
    holder=$(ss -Hltnp "sport = :$port" | sed -n 's/.*users:(("\([^"]*\)",pid=\([0-9]*\).*/\1 (process \2)/p' | head -n 1)
    echo "port $port is taken by ${holder:-another program}: stop it, or free the port" >&2
  done
  exit 1
}

case $how in
  reload | restart | restart-unwaited | reload-only)
    if [ "$how" != reload-only ] && [ "$(systemctl is-enabled "$name" 2>/dev/null || true)" != static ]; then
      systemctl is-enabled --quiet "$name" 2>/dev/null || act systemctl enable --quiet "$name"
    fi
    # A unit that was written anew is not what runs, and no reload makes it so.
    case $new in
      */etc/systemd/system/*)
        [ "$check" = True ] || systemctl daemon-reload
        how=restart
        ;;
    esac
    wait=
    case $how in *-unwaited) wait=--no-block ;; esac
    if ! systemctl is-active --quiet "$name"; then
      [ "$how" = reload-only ] || act systemctl start $wait "$name"
    elif [ -n "$new" ]; then
      # A socket can't be opened anew below the service that holds it.
      case $name in *.socket) act systemctl stop "${name%.socket}.service" ;; esac
      act systemctl "${how%-*}" $wait "$name"
    fi
    ;;
  *)
    # shellcheck disable=SC2086 # a command with its arguments
    [ -z "$new" ] || act $how
    ;;
esac

if [ -n "$new" ] && [ "$check" != True ]; then
  mkdir --parents "${applied%/*}"
  for file in "$@"; do
    printf '%s ' "$file"
    echo
  done > "$applied.names"
  {
    grep --invert-match --fixed-strings --file="$applied.names" "$known" || true
    printf '%s\n' "$seen"
  } > "$applied.new"
  rm "$applied.names"
  mv "$applied.new" "$applied"
fi
