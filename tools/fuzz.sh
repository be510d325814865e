#!/usr/bin/env bash
# Builds the fuzz targets and runs each for some seconds, two at a time: `fuzz.sh SECONDS TARGET…`. New inputs are kept in
# target/fuzz/corpus, so the next run continues there; an input that breaks a target is written to target/fuzz/faults.
# fuzz/corpus has inputs that somebody has written, and fuzz/corpus.tar.gz those that an hour of each target has found.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=$1
shift

# With all crates of the workspace, other crates have the features that they have in the tests, and are not compiled again.
examples=()
for target in "$@"; do examples+=(--example "$target"); done
RUSTC_WORKSPACE_WRAPPER=$PWD/tools/instrument.sh \
	cargo build --locked --workspace --features fuzz/libfuzzer "${examples[@]}"

mkdir -p target/fuzz/corpus
tar --extract --gzip --skip-old-files --file fuzz/corpus.tar.gz --directory target/fuzz/corpus

run() {
	local log=target/fuzz/$1.log status=0
	mkdir -p "target/fuzz/corpus/$1" target/fuzz/faults
	"target/debug/examples/$1" "target/fuzz/corpus/$1" "fuzz/corpus/$1" -max_total_time="$2" -max_len=2048 -timeout=20 \
		-artifact_prefix="target/fuzz/faults/$1-" >"$log" 2>&1 || status=$?
	if ((status)); then
		printf '%s FAILED\n' "$1"
		tail -n 40 "$log"
		return 255
	fi
	printf '%-10s %s\n' "$1" "$(grep DONE "$log" | tr -s '[:space:]' ' ')"
}
export -f run
printf '%s\n' "$@" | xargs -P 2 -I{} bash -c "run {} $seconds"
