#!/usr/bin/env bash
# A real PostgreSQL with pgvector for the tests, taken from a Debian suite without installing anything.
#
#   postgres.sh start|stop|status|settings DIR SUITE VERSION PORT      e.g. start /tmp/pg trixie 17 55417
#   postgres.sh start|restart|remove DIR SUITE VERSION PORT OWNER      a further server, from the same folder
#
# `start` downloads the packages with apt into a private state, unpacks them into DIR, creates a cluster and starts it
# on 127.0.0.1:PORT as user `postgres` without a password. Each step is skipped when it is already done. Removing DIR
# after `stop` removes everything. `settings` prints NAME=value lines: URL, and SERVER, the arguments DIR SUITE VERSION.
#
# A further server belongs to the process OWNER (its id), for tests that must not disturb others. `restart` ends it as a
# crash would, without a farewell to anyone, and starts it again; `remove` removes it. The next start of any server removes
# those whose owners are gone.
#
# Exit codes as in debian.sh.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/debian.sh"

dir=${2:-$0}
[[ $# -eq 5 || $# -eq 6 ]] || fail 2 "usage: postgres.sh ACTION DIR SUITE VERSION PORT [OWNER]; see the head of this file"
action=$1 dir=$2 suite=$3 version=$4 port=$5 owner=${6:-}
case $action${owner:+ further} in start | stop | status | settings | 'start further' | 'restart further' | 'remove further') ;;
*) fail 2 "unknown action '$action': see the head of this file" ;;
esac
[[ $version =~ ^[0-9]+$ && $port =~ ^[0-9]+$ && $owner =~ ^[0-9]*$ ]] || fail 2 "VERSION, PORT and OWNER must be numbers"
checked

programs=/usr/lib/postgresql/$version/bin
home=/var/lib/pg
data=$home/data${owner:+-$owner}
# Packages that only maintainer scripts, certificates and just-in-time compilation need.
unneeded='perl|libperl|libllvm|debconf|adduser|passwd|login|ucf|sensible|ssl-cert|openssl_|postgresql-common'
unneeded="$unneeded|mount|util-linux|dpkg_|tar_|init-system|sysvinit|procps|bash"

running() { [ -x "$dir$programs/pg_ctl" ] && inside "$programs/pg_ctl" -D "$data" status >/dev/null 2>&1; }
# The port a running server was really given: line 4 of its pid file.
listening() { sed -n 4p "$dir$data/postmaster.pid"; }

initialise() {
  say "creating a cluster"
  rm -rf "$dir$data.new"
  # There is no /dev/shm inside, hence mmap.
  inside "$programs/initdb" -D "$data.new" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-instructions \
    -c dynamic_shared_memory_type=mmap >/dev/null
  mv -T "$dir$data.new" "$dir$data"
}

# Removes servers whose owners are gone; their folders end in the owner's id.
sweep() {
  local left
  for left in "$dir$home"/data-*[0-9]; do
    [ -d "$left" ] && [ ! -d "/proc/${left##*-}" ] || continue
    inside "$programs/pg_ctl" -D "${left#"$dir"}" -m immediate -w stop >/dev/null 2>&1 || true
    rm -rf "$left" "$left.log"
  done
}

start() {
  able
  lock
  if [ ! -x "$dir$programs/postgres" ]; then
    [ ! -e "$dir" ] || fail 1 "$dir exists but holds no PostgreSQL $version; remove it or name another folder"
    obtain postgres "$home" "$unneeded" coreutils dash "postgresql-$version" "postgresql-$version-pgvector"
  fi
  sweep
  [ -e "$dir$data/PG_VERSION" ] || initialise
  if running; then
    [ "$(listening)" = "$port" ] || fail 1 "the server in $dir already runs on port $(listening), not $port"
    say "already running on 127.0.0.1:$port"
    return
  fi
  inside "$programs/pg_ctl" -D "$data" -l "$data.log" -w start -o "-p $port -c listen_addresses=127.0.0.1 \
    -c unix_socket_directories=/tmp -c max_connections=100 -c jit=off" >/dev/null 9>&- || {
    tail -n 5 "$dir$data.log" >&2
    fail 1 "the server did not start; its log is $dir$data.log"
  }
  say "running on 127.0.0.1:$port"
}

stop() {
  able
  running || { say "not running" && return; }
  inside "$programs/pg_ctl" -D "$data" -m fast -w stop >/dev/null
  say "stopped"
}

restart() {
  able
  inside "$programs/pg_ctl" -D "$data" -m immediate -w restart -l "$data.log" >/dev/null
  say "restarted"
}

remove() {
  able
  inside "$programs/pg_ctl" -D "$data" -m immediate -w stop >/dev/null 2>&1 || true
  rm -rf "$dir$data" "$dir$data.log"
  say "removed"
}

status() {
  able
  running || { say "not running" && return 1; }
  say "running on 127.0.0.1:$(listening)"
}

settings() {
  printf 'URL=postgres://postgres@127.0.0.1:%s/postgres\nSERVER=%s\n' "$port" "$dir $suite $version"
}

"$action"
