#!/usr/bin/env bash
# Runs tests for longer than `make test` does: more seeds, more kills, larger files. `soak.sh PART…` runs only the lines that
# contain one of these texts.
set -euo pipefail
cd "$(dirname "$0")/.."

soak() {
	local line=$1
	shift
	if (($#)) && ! grep -qF "${@/#/-e}" <<<"$line"; then return; fi
	printf '\n==> %s\n' "$line"
	env $line -- --nocapture
}

tests='cargo test --locked --workspace --features server/embed'
while read -r variables test; do
	[ -z "$variables" ] || soak "${variables//,/ } $tests $test" "$@"
done <<'LINES'
WEBCHAT_FILE_MEGABYTES=2048,WEBCHAT_KILLS=20 --test external upload_survives
WEBCHAT_FILE_MEGABYTES=2048 --test it memory_for_a_file
WEBCHAT_SEEDS=5000 --lib nothing_is_missed
WEBCHAT_SEEDS=100000 --lib simple_model
WEBCHAT_SEEDS=10000 --lib whichever_tab
WEBCHAT_KILLS=100 --test it kill_9
WEBCHAT_MESSAGES=10000,WEBCHAT_STUCK=1000 --test it stalled_readers_cost
WEBCHAT_HISTORY=200000 --test it joiners_of_a_large
WEBCHAT_STREAMS=5000 --test it restart_under
LINES
