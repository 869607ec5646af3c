#!/usr/bin/env bash
# A real PostgreSQL with pgvector for the tests, taken from a Debian suite without installing anything.
#
#   postgres.sh start|stop|status|settings DIR SUITE VERSION PORT      e.g. start /tmp/pg trixie 17 55417
#
# `start` downloads the packages with apt into a private state, unpacks them into DIR, creates a cluster and starts it
# on 127.0.0.1:PORT as user `postgres` without a password. Each step is skipped when it is already done. Removing DIR
# after `stop` removes everything. `settings` prints NAME=value lines: URL.
#
# Exit codes as in debian.sh.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/debian.sh"

dir=${2:-$0}
[ $# -eq 5 ] || fail 2 "usage: postgres.sh start|stop|status|settings DIR SUITE VERSION PORT"
action=$1 dir=$2 suite=$3 version=$4 port=$5
case $action in start | stop | status | settings) ;;
*) fail 2 "unknown action '$action': start, stop, status or settings" ;;
esac
[[ $version =~ ^[0-9]+$ && $port =~ ^[0-9]+$ ]] || fail 2 "VERSION and PORT must be numbers"
checked

programs=/usr/lib/postgresql/$version/bin
home=/var/lib/pg
data=$home/data
# Packages that only maintainer scripts, certificates and just-in-time compilation need.
unneeded='perl|libperl|libllvm|debconf|adduser|passwd|login|ucf|sensible|ssl-cert|openssl_|postgresql-common'
unneeded="$unneeded|mount|util-linux|dpkg_|tar_|init-system|sysvinit|procps|bash"

running() { [ -x "$dir$programs/pg_ctl" ] && inside "$programs/pg_ctl" -D "$data" status >/dev/null 2>&1; }
# The port a running server was really given: line 4 of its pid file.
listening() { sed -n 4p "$dir$data/postmaster.pid"; }

initialise() {
  say "creating a cluster"
  rm -rf "$dir$home/new"
  # There is no /dev/shm inside, hence mmap.
  inside "$programs/initdb" -D "$home/new" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-instructions \
    -c dynamic_shared_memory_type=mmap >/dev/null
  mv -T "$dir$home/new" "$dir$data"
}

start() {
  able
  lock
  if [ ! -x "$dir$programs/postgres" ]; then
    [ ! -e "$dir" ] || fail 1 "$dir exists but holds no PostgreSQL $version; remove it or name another folder"
    obtain postgres "$home" "$unneeded" coreutils dash "postgresql-$version" "postgresql-$version-pgvector"
  fi
  [ -e "$dir$data/PG_VERSION" ] || initialise
  if running; then
    [ "$(listening)" = "$port" ] || fail 1 "the server in $dir already runs on port $(listening), not $port"
    say "already running on 127.0.0.1:$port"
    return
  fi
  inside "$programs/pg_ctl" -D "$data" -l "$home/log" -w start -o "-p $port -c listen_addresses=127.0.0.1 \
    -c unix_socket_directories=/tmp -c max_connections=100 -c jit=off" >/dev/null 9>&- || {
    tail -n 5 "$dir$home/log" >&2
    fail 1 "the server did not start; its log is $dir$home/log"
  }
  say "running on 127.0.0.1:$port"
}

stop() {
  able
  running || { say "not running" && return; }
  inside "$programs/pg_ctl" -D "$data" -m fast -w stop >/dev/null
  say "stopped"
}

status() {
  able
  running || { say "not running" && return 1; }
  say "running on 127.0.0.1:$(listening)"
}

settings() {
  printf 'URL=postgres://postgres@127.0.0.1:%s/postgres\n' "$port"
}

"$action"
