# Programs of a Debian suite, unpacked into a folder and run from there, never installed. Sourced by the services beside
# it, which set `dir` (the folder, whose name stands before what is said) and `suite`.
#
# Everything is made beside the folder and renamed at the end, so that an interrupted run leaves no half of a server.
# Nothing is mounted and nothing outside DIR and DIR.lock is written: removing DIR removes everything.
#
# Exit codes of every service: 0 done or running, 1 failed or not running, 2 wrong usage, 3 this machine cannot.

say() { printf '%s: %s\n' "${dir##*/}" "$*"; }
fail() {
  local code=$1
  shift
  say "$*" >&2
  exit "$code"
}

account=70 # the uid and gid that services have inside DIR
inside() { env -i LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin HOME=/tmp chroot --userspec="$account:$account" "$dir" "$@"; }

# Refuses a folder whose removal would hurt, and a suite that apt could read as something else.
checked() {
  case $dir in /*[!/]*) dir=${dir%/} ;; *) fail 2 "DIR must be an absolute path below /, not '$dir'" ;; esac
  [[ $suite =~ ^[a-z][a-z-]*$ ]] || fail 2 "SUITE must be a Debian suite such as trixie, not '$suite'"
}

able() {
  [ "$EUID" -eq 0 ] || fail 3 "needs root (chroot, device nodes); run as root, or point the tests at a server you have"
  local tool
  for tool in chroot flock mknod; do
    command -v "$tool" >/dev/null || fail 3 "needs '$tool', which this machine does not have"
  done
}

# Two callers at once: the second waits, and finds the work of the first. A server must not inherit the lock (9>&-).
lock() {
  mkdir -p "$(dirname "$dir")"
  exec 9>"$dir.lock"
  flock 9
}

# The mirror this machine already uses for its own Debian release.
mirror() {
  local codename
  codename=$(. /etc/os-release && printf %s "${VERSION_CODENAME:-}")
  apt-get indextargets --no-release-info --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
    awk -v release="$codename" '!found && $1 == release && $2 == "main" { print $3; found = 1 }'
}

download() { # the packages $2… and what they need, into $1
  local state=$1 tool source keys=/usr/share/keyrings/debian-archive-keyring.gpg
  shift
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
  say "downloading $*"
  apt --download-only --yes install libc6 tzdata "$@" >/dev/null || fail 3 "apt could not download $* from $suite"
}

unpack() { # the archives below $1 into the new root $2, but for those whose names begin with the pattern $3
  local archive link
  mkdir -p "$2"
  for archive in "$1"/cache/archives/*.deb; do
    if [[ ${archive##*/} =~ ^($3) ]]; then continue; fi
    dpkg-deb --fsys-tarfile "$archive" | tar -x -C "$2" --keep-directory-symlink \
      --exclude='./usr/share/'{doc,man,locale} --exclude='*/bitcode/*'
  done
  for link in bin lib lib64 sbin; do
    [ -e "$2/$link" ] || ln -s "usr/$link" "$2/$link"
  done
  mkdir -p "$2"/{dev,tmp,etc}
  chmod 1777 "$2/tmp"
  # Nodes, not a bind mount of /dev: removing the folder can then never reach the machine's own devices.
  mknod -m 666 "$2/dev/null" c 1 3
  mknod -m 666 "$2/dev/urandom" c 1 9
  printf '127.0.0.1 localhost\n' >"$2/etc/hosts"
  ln -sf /usr/share/zoneinfo/Etc/UTC "$2/etc/localtime"
}

# Makes DIR: an account named $1 with the home $2, and the packages $4… without those that match $3.
obtain() {
  local user=$1 home=$2 unneeded=$3
  shift 3
  rm -rf "$dir.download" "$dir.partial"
  trap 'rm -rf "$dir.download" "$dir.partial"' EXIT
  download "$dir.download" "$@"
  say "unpacking into $dir"
  unpack "$dir.download" "$dir.partial" "$unneeded"
  mkdir -p "$dir.partial$home"
  chown "$account:$account" "$dir.partial$home"
  printf '%s:x:%s:%s::%s:/bin/sh\n' "$user" "$account" "$account" "$home" >"$dir.partial/etc/passwd"
  printf '%s:x:%s:\n' "$user" "$account" >"$dir.partial/etc/group"
  mv -T "$dir.partial" "$dir"
  rm -rf "$dir.download"
  trap - EXIT
}
