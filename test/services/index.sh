#!/usr/bin/env bash
# Every service the tests use, side by side.
#
#   eval "$(bash test/services/index.sh)"     starts what does not run, and tells the tests where it all is
#   bash test/services/index.sh stopped       prints the names of those that do not run
#   bash test/services/index.sh needed        prints the names of those that the tests need
#   bash test/services/index.sh stop NAME...  stops these
#
# Services live below AOSIQ_SERVICES (default /tmp/aosiq-services) and keep running. A start prints nothing but
# `export` lines to stdout; AOSIQ_TEST_SKIPPED names the optional services that this machine cannot have now. When one
# that is needed cannot start, the exit code is that service's (see debian.sh), and nothing is printed.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
services=${AOSIQ_SERVICES:-/tmp/aosiq-services}
startSeconds=300 # the longest that one service may take to download, unpack and start

# One line a service: name, whether the tests need it, prefix of its variables, script and its arguments after DIR. Tests on
# a service have its name in their titles, in brackets: that is how CI knows whether they ran.
table() {
  cat <<'TABLE'
postgres-17  needed    AOSIQ_TEST_POSTGRES    postgres.sh  trixie  17  55417
postgres-18  optional  AOSIQ_TEST_POSTGRES18  postgres.sh  forky   18  55418
radosgw      optional  AOSIQ_TEST_S3          radosgw.sh   trixie  55480
TABLE
}

call() { # ACTION NAME NEED PREFIX SCRIPT ARGUMENT...
  bash "$here/$5" "$1" "$services/$2" "${@:6}"
}

# Each in the background; what they say goes to stderr.
start() {
  local name row code skipped='' worst=0 variables=''
  local -A started
  while read -r -a row; do
    name=${row[0]}
    timeout "$startSeconds" bash "$here/${row[3]}" start "$services/$name" "${row[@]:4}" >&2 </dev/null &
    started[$name]=$!
  done < <(table)
  while read -r -a row; do
    name=${row[0]} code=0
    wait "${started[$name]}" || code=$?
    if [ "$code" -eq 0 ]; then
      variables+=$(call settings "${row[@]}" | sed "s/^\([A-Z_]*\)=\(.*\)/export ${row[2]}_\1='\2'/")$'\n'
    elif [ "${row[1]}" = optional ]; then
      skipped="$skipped $name"
    else
      worst=$code
    fi
  done < <(table)
  [ "$worst" -eq 0 ] || exit "$worst"
  printf "%sexport AOSIQ_TEST_SKIPPED='%s'\n" "$variables" "${skipped# }"
}

stopped() {
  local row
  while read -r -a row; do
    call status "${row[@]}" >/dev/null 2>&1 || printf '%s\n' "${row[0]}"
  done < <(table)
}

needed() { table | awk '$2 == "needed" { print $1 }'; }

stop() {
  local row
  while read -r -a row; do
    [[ " $* " != *" ${row[0]} "* ]] || call stop "${row[@]}"
  done < <(table)
}

action=${1:-start}
case $action in
start | stopped | needed | stop) "$action" "${@:2}" ;;
*)
  printf 'usage: index.sh [start | stopped | needed | stop NAME...]\n' >&2
  exit 2
  ;;
esac
