#!/usr/bin/env bash
# A real PostgreSQL with pgvector for the tests, taken from a Debian suite without installing anything.
#
#   postgres.sh start|stop|status DIR SUITE VERSION PORT      e.g. start /tmp/pg trixie 17 55417
#
# `start` downloads the packages with apt into a private state, unpacks them into DIR, creates a cluster and starts it
# on 127.0.0.1:PORT as user `postgres` without a password. Each step is skipped when it is already done. Removing DIR
# after `stop` removes everything: nothing is mounted, nothing outside DIR and DIR.lock is written.
#
# Exit codes: 0 done or running, 1 failed or not running, 2 wrong usage, 3 this machine cannot (not root, no apt).
set -euo pipefail

say() { printf 'postgres.sh: %s\n' "$*"; }
fail() {
  local code=$1
  shift
  say "$*" >&2
  exit "$code"
}

[ $# -eq 5 ] || fail 2 "usage: postgres.sh start|stop|status DIR SUITE VERSION PORT"
action=$1 dir=$2 suite=$3 version=$4 port=$5
case $action in start | stop | status) ;; *) fail 2 "unknown action '$action': start, stop or status" ;; esac
case $dir in /*[!/]*) dir=${dir%/} ;; *) fail 2 "DIR must be an absolute path below /, not '$dir'" ;; esac
[[ $version =~ ^[0-9]+$ && $port =~ ^[0-9]+$ ]] || fail 2 "VERSION and PORT must be numbers"
[[ $suite =~ ^[a-z][a-z-]*$ ]] || fail 2 "SUITE must be a Debian suite such as trixie, not '$suite'"

programs=/usr/lib/postgresql/$version/bin
home=/var/lib/pg
data=$home/data
account=70 # the uid and gid of `postgres` inside DIR
inside() { chroot --userspec="$account:$account" "$dir" /usr/bin/env -i LC_ALL=C.UTF-8 PATH=/usr/bin "$@"; }
running() { [ -x "$dir$programs/pg_ctl" ] && inside "$programs/pg_ctl" -D "$data" status >/dev/null 2>&1; }
# The port a running server was really given: line 4 of its pid file.
listening() { sed -n 4p "$dir$data/postmaster.pid"; }

able() {
  [ "$EUID" -eq 0 ] || fail 3 "needs root (chroot, device nodes); run as root, or point the tests at a server you have"
  local tool
  for tool in chroot flock mknod; do
    command -v "$tool" >/dev/null || fail 3 "needs '$tool', which this machine does not have"
  done
}

# The mirror this machine already uses for its own Debian release.
mirror() {
  local codename
  codename=$(. /etc/os-release && printf %s "${VERSION_CODENAME:-}")
  apt-get indextargets --no-release-info --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
    awk -v release="$codename" '!found && $1 == release && $2 == "main" { print $3; found = 1 }'
}

# Packages that only maintainer scripts, certificates and just-in-time compilation need.
unneeded='perl|libperl|libllvm|debconf|adduser|passwd|login|ucf|sensible|ssl-cert|openssl_|postgresql-common'
unneeded="$unneeded|mount|util-linux|dpkg_|tar_|init-system|sysvinit|procps|bash"

download() { # into $1
  local state=$1 tool source keys=/usr/share/keyrings/debian-archive-keyring.gpg
  for tool in apt-get dpkg-deb; do
    command -v "$tool" >/dev/null || fail 3 "needs '$tool' (a Debian machine); point the tests at a server you have"
  done
  [ -r "$keys" ] || fail 3 "needs the package debian-archive-keyring to check signatures"
  source=$(mirror)
  [ -n "$source" ] || fail 3 "found no Debian mirror among this machine's apt sources"
  mkdir -p "$state"/{lists/partial,cache/archives/partial}
  printf 'deb [signed-by=%s] %s %s main\n' "$keys" "$source" "$suite" >"$state/sources.list"
  apt() {
    apt-get -qq -o Dir::Etc::sourcelist="$state/sources.list" -o Dir::Etc::sourceparts=/dev/null \
      -o Dir::State::lists="$state/lists" -o Dir::State::status=/dev/null -o Dir::Cache="$state/cache" \
      -o APT::Install-Recommends=false -o APT::Sandbox::User=root -o Acquire::Languages=none "$@"
  }
  say "reading the package list of $suite"
  apt update || fail 3 "apt could not read the package list of $suite"
  say "downloading PostgreSQL $version and pgvector"
  apt --download-only --yes install libc6 coreutils dash tzdata "postgresql-$version" "postgresql-$version-pgvector" \
    >/dev/null || fail 3 "apt could not download postgresql-$version from $suite"
}

unpack() { # the archives below $1 into the new root $2
  local archive link
  mkdir -p "$2"
  for archive in "$1"/cache/archives/*.deb; do
    if [[ ${archive##*/} =~ ^($unneeded) ]]; then continue; fi
    dpkg-deb --fsys-tarfile "$archive" | tar -x -C "$2" --keep-directory-symlink \
      --exclude='./usr/share/'{doc,man,locale} --exclude='*/bitcode/*'
  done
  for link in bin lib lib64 sbin; do
    [ -e "$2/$link" ] || ln -s "usr/$link" "$2/$link"
  done
  mkdir -p "$2"/{dev,tmp,etc} "$2$home"
  chmod 1777 "$2/tmp"
  chown "$account:$account" "$2$home"
  # Nodes, not a bind mount of /dev: removing the folder can then never reach the machine's own devices.
  mknod -m 666 "$2/dev/null" c 1 3
  mknod -m 666 "$2/dev/urandom" c 1 9
  printf 'postgres:x:%s:%s::%s:/bin/sh\n' "$account" "$account" "$home" >"$2/etc/passwd"
  printf 'postgres:x:%s:\n' "$account" >"$2/etc/group"
  printf '127.0.0.1 localhost\n' >"$2/etc/hosts"
  ln -sf /usr/share/zoneinfo/Etc/UTC "$2/etc/localtime"
}

# Everything is made beside DIR and renamed at the end, so that an interrupted run leaves no half of a server.
obtain() {
  [ ! -e "$dir" ] || fail 1 "$dir exists but holds no PostgreSQL $version; remove it or name another folder"
  rm -rf "$dir.download" "$dir.partial"
  trap 'rm -rf "$dir.download" "$dir.partial"' EXIT
  download "$dir.download"
  say "unpacking into $dir"
  unpack "$dir.download" "$dir.partial"
  mv -T "$dir.partial" "$dir"
}

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
  mkdir -p "$(dirname "$dir")"
  exec 9>"$dir.lock"
  flock 9 # two callers at once: the second finds the work of the first
  [ -x "$dir$programs/postgres" ] || obtain
  [ -e "$dir$data/PG_VERSION" ] || initialise
  if running; then
    [ "$(listening)" = "$port" ] || fail 1 "the server in $dir already runs on port $(listening), not $port"
    say "already running on 127.0.0.1:$port"
    return
  fi
  # The server must not inherit the lock, or it would hold it for as long as it lives.
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

"$action"
