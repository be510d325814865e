#!/usr/bin/env bash
# Compiles a crate of the workspace for libFuzzer, as Cargo's RUSTC_WORKSPACE_WRAPPER. With the flags that `cargo fuzz build
# --sanitizer none` passes, the program counts how often each of its edges is taken, and libFuzzer keeps the inputs that take
# new ones. Programs that run during the build stay as they are.
set -euo pipefail
case " $* " in *" --crate-name build_script_"* | *" --crate-name ___ "*) exec "$@" ;; esac
exec "$@" -Cpasses=sancov-module -Ccodegen-units=1 -Cllvm-args=-sanitizer-coverage-level=4 \
	-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
	-Cllvm-args=-sanitizer-coverage-trace-compares
