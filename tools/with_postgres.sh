#!/usr/bin/env bash
# Runs a command with a PostgreSQL server of its own, which ends with it: `with_postgres.sh [--durable] COMMAND…`. The command
# finds the server's address in WEBCHAT_TEST_DATABASE. Only a durable server waits for the disk.
set -euo pipefail
. "$(dirname "$0")/postgres.sh"

settings=(max_connections=1000 shared_buffers=256MB)
if [ "${1:-}" = --durable ]; then
	shift
	settings+=(fsync=on)
else
	settings+=(full_page_writes=off)
fi
init_data
start_server data 'select 1' "${settings[@]}"
export WEBCHAT_TEST_DATABASE=$url
"$@"
