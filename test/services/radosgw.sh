#!/usr/bin/env bash
# A real S3 server for the tests, Ceph's radosgw, taken from a Debian suite without installing anything.
#
#   radosgw.sh start|stop|status|settings DIR SUITE PORT      e.g. start /tmp/radosgw trixie 55480
#
# `start` downloads the packages into a private state, unpacks them into DIR and starts the smallest cluster there is:
# a monitor (PORT + 1), one store in memory (a port in PORT + 2 … PORT + 19) and the gateway on 127.0.0.1:PORT. Every
# start is a new, empty cluster with two users: `owner` may make buckets and may do all in them; `writer` can neither
# make a bucket nor delete, and writes where a bucket's policy lets it. `settings` prints NAME=value lines: ENDPOINT and
# the keys of both. A start that finds the gateway running leaves it as it is, with its buckets.
#
# Exit codes as in debian.sh.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/debian.sh"

dir=${2:-$0}
[ $# -eq 4 ] || fail 2 "usage: radosgw.sh start|stop|status|settings DIR SUITE PORT"
action=$1 dir=$2 suite=$3 port=$4
case $action in start | stop | status | settings) ;;
*) fail 2 "unknown action '$action': start, stop, status or settings" ;;
esac
[[ $port =~ ^[0-9]+$ ]] || fail 2 "PORT must be a number"
checked

home=/var/lib/ceph
run=$home/run # the cluster: configuration, keys, logs, process ids
conf=$run/ceph.conf
waitMs=60000 # for the gateway's first answer
# Test keys of a server that only this machine can reach, and that forgets everything when it stops.
owner=(owner-of-the-test-buckets owner-secret-of-a-loopback-server)
writer=(writer-of-the-test-anchors writer-secret-of-a-loopback-server)

# Packages that are needed to install, to mount disks or to administer, and for which there is no library to load.
unneeded='sudo|systemd|cryptsetup-bin|smartmontools|nvme-cli|passwd|login|binutils|xfsprogs|e2fsprogs|openssl_|cron'
unneeded="$unneeded|logrotate|parted_|gdisk|dmidecode|hdparm|lvm2|ceph-volume|adduser|debconf|dpkg_|tar_|mount_"
unneeded="$unneeded|uuid-runtime|psmisc|init-system|sysvinit|dmeventd|dmsetup|logsave|netbase|ca-certificates"
unneeded="$unneeded|media-types|libgprofng|readline|libpam-runtime|python3|libpython3|sensible|perl|libperl"

# A process id counts only while its process is still inside DIR: ids are used again.
pids() {
  local file pid
  for file in "$dir$run"/*.pid; do
    pid=$(cat "$file" 2>/dev/null) || continue
    [ "$(readlink "/proc/$pid/root" 2>/dev/null)" != "$dir" ] || printf '%s\n' "$pid"
  done
}
answers() { curl -sf -m 2 -o /dev/null "http://127.0.0.1:$port/"; }
# The users are made last, so that their mark says that a start came to its end.
running() { [ "$(cat "$dir$run/ready" 2>/dev/null)" = "$port" ] && [ "$(pids | wc -l)" -eq 3 ] && answers; }

end() {
  local pid
  for pid in $(pids); do kill -KILL "$pid"; done # nothing in memory is worth an orderly end
  for _ in $(seq 100); do
    [ -n "$(pids)" ] || break
    sleep 0.05
  done
  rm -rf "$dir$run"
}

configure() {
  mkdir -p "$dir$run"/{mon,osd,rgw}
  cat >"$dir$conf" <<CONF
[global]
fsid = $1
mon_host = 127.0.0.1:$((port + 1))
mon_initial_members = a
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
ms_bind_ipv6 = false
ms_bind_msgr1 = false
ms_bind_port_min = $((port + 2))
ms_bind_port_max = $((port + 19))
auth_cluster_required = cephx
auth_service_required = cephx
auth_client_required = cephx
keyring = $run/keyring
run_dir = $run
crash_dir = $run
admin_socket = $run/\$name.asok
pid_file = $run/\$name.pid
log_file = $run/\$name.log
mon_cluster_log_file = $run/cluster.log
mon_allow_pool_size_one = true
osd_objectstore = memstore
memstore_device_bytes = 1073741824
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 1
osd_pool_default_pgp_num = 1
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
[mon.a]
mon_data = $run/mon
[osd.0]
osd_data = $run/osd
[client.rgw]
rgw_frontends = beast endpoint=127.0.0.1:$port
rgw_data = $run/rgw
CONF
  chown -R "$account:$account" "$dir$run"
}

# The first map of the cluster names the store and the first keyring holds its key, so that no administrator's program
# has to announce it later. The daemons go to the background themselves.
assemble() ( # a cluster named $1
  key() { inside ceph-authtool "$run/keyring" --gen-key -n "$@"; }
  user() { inside radosgw-admin -c "$conf" user create --uid "$1" --display-name "$1" "${@:2}"; }
  set -e
  inside ceph-authtool --create-keyring "$run/keyring" --gen-key -n mon. --cap mon 'allow *'
  key client.admin --cap mon 'allow *' --cap osd 'allow *'
  key osd.0 --cap mon 'allow profile osd' --cap osd 'allow *'
  key client.rgw --cap mon 'allow rw' --cap osd 'allow rwx'
  inside osdmaptool -c "$conf" --createsimple 1 "$run/osdmap"
  inside monmaptool --create --fsid "$1" --add a "127.0.0.1:$((port + 1))" "$run/monmap"
  inside ceph-mon -c "$conf" -i a --mkfs --monmap "$run/monmap" --osdmap "$run/osdmap" --keyring "$run/keyring"
  inside ceph-mon -c "$conf" -i a
  inside ceph-osd -c "$conf" -i 0 --mkfs --osd-uuid "$(cat /proc/sys/kernel/random/uuid)"
  inside ceph-osd -c "$conf" -i 0
  inside radosgw -c "$conf" -n client.rgw
  user owner --access-key "${owner[0]}" --secret-key "${owner[1]}"
  user writer --access-key "${writer[0]}" --secret-key "${writer[1]}" --op-mask 'read, write' --max-buckets -1
  for ((tries = 0; tries < waitMs / 100; tries++)); do
    if answers; then exit; fi
    [ "$(pids | wc -l)" -eq 3 ] || break
    sleep 0.1
  done
  printf 'the gateway ended, or did not answer within %s ms\n' "$waitMs"
  exit 1
)

start() {
  able
  command -v curl >/dev/null || fail 3 "needs 'curl', which this machine does not have"
  lock
  if [ ! -x "$dir/usr/bin/radosgw" ]; then
    [ ! -e "$dir" ] || fail 1 "$dir exists but holds no radosgw; remove it or name another folder"
    obtain ceph "$home" "$unneeded" radosgw ceph-mon ceph-osd
  fi
  if running; then
    say "already running on 127.0.0.1:$port"
    return
  fi
  end # what an interrupted start, or one on another port, has left
  local cluster log=$dir$home/start.log
  cluster=$(cat /proc/sys/kernel/random/uuid)
  configure "$cluster"
  # In the background, for behind a plain || its set -e would not hold.
  assemble "$cluster" >"$log" 2>&1 9>&- &
  wait $! || {
    tail -n 20 "$log" >&2
    end
    fail 1 "the cluster did not start; its log is $log"
  }
  printf '%s\n' "$port" >"$dir$run/ready"
  say "running on 127.0.0.1:$port"
}

stop() {
  able
  [ -n "$(pids)" ] || { say "not running" && return; }
  end
  say "stopped"
}

status() {
  able
  running || { say "not running" && return 1; }
  say "running on 127.0.0.1:$port"
}

settings() {
  printf '%s\n' "ENDPOINT=http://127.0.0.1:$port" \
    "ACCESS_KEY_ID=${owner[0]}" "SECRET_ACCESS_KEY=${owner[1]}" \
    "WRITER_ACCESS_KEY_ID=${writer[0]}" "WRITER_SECRET_ACCESS_KEY=${writer[1]}"
}

"$action"
