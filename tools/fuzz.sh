#!/usr/bin/env bash
# Builds the fuzz targets and runs each for some seconds, two at a time: `fuzz.sh SECONDS TARGET…`. New inputs are kept in
# fuzz/target/corpus, so the next run continues there; an input that breaks a target is written to fuzz/target/faults.
set -euo pipefail
cd "$(dirname "$0")/../fuzz"
seconds=$1
shift
host=$(rustc --print host-tuple)
export CARGO_TARGET_DIR=$PWD/target

# What `cargo fuzz build --sanitizer none` passes: the compiler counts how often each edge of the program is taken, and libFuzzer
# keeps the inputs that take new ones. Only the parsers' target is built so, not the programs that run during the build.
export RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1"
bins=()
for target in "$@"; do bins+=(--bin "$target"); done
cargo build --locked --target "$host" "${bins[@]}"

run() {
	local log=target/$1.log status=0
	mkdir -p "target/corpus/$1" target/faults
	"target/$2/debug/$1" "target/corpus/$1" "corpus/$1" -max_total_time="$3" -max_len=2048 -timeout=20 \
		-artifact_prefix="target/faults/$1-" >"$log" 2>&1 || status=$?
	if ((status)); then
		printf '%s FAILED\n' "$1"
		tail -n 40 "$log"
		return 255
	fi
	printf '%-10s %s\n' "$1" "$(grep DONE "$log" | tr -s '[:space:]' ' ')"
}
export -f run
printf '%s\n' "$@" | xargs -P 2 -I{} bash -c "run {} $host $seconds"
