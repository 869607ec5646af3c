#!/usr/bin/env bash
# Starts every service the tests use, and prints the variables that tell the tests where they are:
#
#   eval "$(bash test/services/index.sh)"
#
# Only those lines go to stdout. Services live below AOSIQ_SERVICES (default /tmp/aosiq-services) and keep running.
# Exit codes are those of the service that failed: 3 when this machine cannot run one.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
services=${AOSIQ_SERVICES:-/tmp/aosiq-services}
port=55417

bash "$here/postgres.sh" start "$services/postgres-17" trixie 17 "$port" >&2
printf 'export AOSIQ_TEST_POSTGRES_URL=postgres://postgres@127.0.0.1:%s/postgres\n' "$port"
