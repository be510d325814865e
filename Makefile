# The commands of development and CI. `make` alone lists them. Each installs the tools that it needs and that are missing.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help run build debug-build dev test rust-test postgres-test chaos-test browser-test api-test client-test budget bench bench-nodes load chaos soak fuzz ci format lint docs need-cc need-cxx need-wasm need-opponents need-chromium need-nginx need-postgres need-chaos FORCE

# Tools in exactly these versions, in a folder of their own beside other installed versions.
TOOLS := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/webchat-tools
BINDGEN := $(TOOLS)/wasm-bindgen-$(shell sed -n 's/^wasm-bindgen = "=\(.*\)"/\1/p' Cargo.toml)
LEPTOS := $(TOOLS)/cargo-leptos-0.3.10
NODE := $(TOOLS)/node-22.23.3
NODE_PACKAGE := node-linux-$(if $(filter aarch64,$(shell uname -m)),arm64,x64)
export PATH := $(BINDGEN)/bin:$(LEPTOS)/bin:$(NODE)/bin:$(PATH)
export CARGO_TARGET_DIR := $(CURDIR)/target

# The tools run for seconds, so they are compiled quickly and with little optimisation.
cheaply := env -u CARGO_TARGET_DIR CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_OPT_LEVEL
say = @printf '\n\033[1m==> %s\033[0m\n' "$(1)"

WASM := target/wasm32-unknown-unknown/wasm-release/frontend.wasm
SITE := target/site/pkg
# The address of `make dev`. cargo-leptos reloads pages once a server answers there again.
DEV_ADDRESS = $(or $(shell sed -n 's/.*--listen[ =]\([^ ]*\).*/\1/p' <<< '$(ARGS)'),$(WEBCHAT_LISTEN),127.0.0.1:8080)
SOURCES := $(shell find style public locales app/src/room/files app/src/room/timeline/code_colours -type f) tools/site.mjs tools/locations.mjs
# How long `make fuzz` runs each target, and which.
SECONDS = 60
TARGETS = $(basename $(notdir $(wildcard fuzz/targets/*.rs)))
NATIVE := --locked --workspace
# The tests and the server that they test are built as one, so that no crate is compiled twice for its features.
TESTED := $(NATIVE) --features server/embed
# Any of these runs the browser tests; the first one, which has no windows, in two thirds of the time. It keeps no page for
# Back, so one test needs another one.
BROWSERS := chromium-headless-shell chromium chromium-browser google-chrome
BROWSER := --locked --target wasm32-unknown-unknown -p protocol -p app -p frontend --lib --features frontend/hydrate

help: ## List these commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 22

run: build ## Build for release and serve, with flags in ARGS="--timeout 1h"
	@exec ./target/release/webchat $(ARGS)

build: $(SITE) ## Build the release binary, target/release/webchat
	$(call say,Compiling the server)
	cargo build --locked --release -p server --features embed

dev: need-cc need-wasm $(BINDGEN)/bin/wasm-bindgen $(LEPTOS)/bin/cargo-leptos ## Serve, and rebuild and reload on each change
	LEPTOS_SITE_ADDR=$(DEV_ADDRESS) cargo leptos watch -- $(ARGS)

test: rust-test postgres-test chaos-test browser-test api-test client-test budget ## Run all tests: Rust, PostgreSQL, chaos, browser, API, client libraries, size of a first visit

# A test whose program is missing fails here; under plain `cargo test` it is ignored and named at the end.
rust-test: debug-build need-opponents end2end/node_modules/.ready
	$(call say,Testing the Rust code)
	WEBCHAT_TESTS_REQUIRE_ALL=1 cargo test $(TESTED)

# The same tests of the rules and over HTTP, with the database of a server. Most of them wait for it, so four run at a time.
postgres-test: debug-build need-postgres ## Test the rules and the API with PostgreSQL
	$(call say,Testing with PostgreSQL)
	RUST_TEST_THREADS=4 tools/with_postgres.sh cargo test $(NATIVE) --features server/embed --lib --test it

# A minute of the chaos.
chaos-test: debug-build need-chaos
	$(call say,Testing several nodes under faults)
	target/debug/examples/chaos --seconds 60 $(if $(SEED),--seed $(SEED))

browser-test: debug-build need-chromium end2end/node_modules/.ready
	$(call say,Testing in the browser)
	cd end2end && npx playwright test $(ARGS)

api-test: debug-build end2end/.venv/.ready
	$(call say,Testing the API against its description)
	end2end/api.sh

client-test: debug-build need-postgres end2end/.venv/.ready end2end/node_modules/.ready
	$(call say,Testing with client libraries)
	tools/with_postgres.sh end2end/.venv/bin/python end2end/clients/run.py

budget: $(SITE) ## Print how many bytes a first visit loads, and fail above the limit
	@node tools/budget.mjs target/site

bench: load need-nginx ## Compare with nginx's push module; ARGS="--records" adds measurements of webchat alone
	taskset -c 1 target/release/examples/load $(ARGS)

bench-nodes: load need-postgres ## Measure one and several nodes with PostgreSQL, for docs/capacity.md
	tools/with_postgres.sh --durable target/release/examples/load --nodes $(ARGS)

load: build
	cargo build --locked --release -p server --features embed --example load

chaos: SECONDS = 600
chaos: debug-build need-chaos ## Kill and halt several nodes and their database under load; SECONDS=600, SEED=1
	$(call say,Running several nodes under faults)
	target/debug/examples/chaos --seconds $(SECONDS) $(if $(SEED),--seed $(SEED)) $(ARGS)

soak: debug-build need-opponents end2end/node_modules/.ready ## Run tests with more seeds, more kills and larger files, for hours; PARTS="upload memory"
	$(call say,Running tests for longer)
	tools/soak.sh $(PARTS)

fuzz: need-cc need-cxx ## Fuzz the parsers; SECONDS=60 for each of TARGETS="cursor host"
	$(call say,Fuzzing the parsers)
	tools/fuzz.sh $(SECONDS) $(TARGETS)

ci: format lint docs test fuzz ## Run all checks of the CI

format:
	$(call say,Checking the format)
	cargo fmt --all --check

lint: need-cc need-cxx need-wasm $(SITE)
	$(call say,Running clippy)
	cargo clippy $(NATIVE) --all-targets -- -D warnings
	cargo clippy $(NATIVE) --all-targets --features server/embed,fuzz/libfuzzer -- -D warnings
	cargo clippy $(BROWSER) -- -D warnings

docs:
	$(call say,Checking the documentation)
	RUSTDOCFLAGS="-D warnings" cargo doc $(NATIVE) --no-deps

# Steps and tools that the commands above need.

# The tests of all crates, and the server for the tests of other programs: target/debug/webchat.
debug-build: need-cc $(SITE)
	$(call say,Compiling the server and its tests)
	cargo test $(TESTED) --no-run

$(SITE): $(WASM) $(SOURCES) tools/node_modules/.ready $(BINDGEN)/bin/wasm-bindgen
	$(call say,Optimising and compressing the site)
	node tools/site.mjs $(WASM) target/site

$(WASM): need-cc need-wasm FORCE
	$(call say,Compiling the app to WebAssembly)
	cargo build --locked --profile wasm-release --target wasm32-unknown-unknown -p frontend --lib --features hydrate

$(BINDGEN)/bin/wasm-bindgen: | need-cc
	$(call say,Installing $(notdir $(BINDGEN)))
	$(cheaply)=1 cargo install --locked --root $(BINDGEN) \
		wasm-bindgen-cli@$(patsubst wasm-bindgen-%,%,$(notdir $(BINDGEN)))

$(LEPTOS)/bin/cargo-leptos:
	$(call say,Installing $(notdir $(LEPTOS)))
	$(cheaply)=0 cargo install --locked --root $(LEPTOS) \
		--no-default-features --features no_downloads $(subst cargo-leptos-,cargo-leptos@,$(notdir $(LEPTOS)))

# The system's Node if it is recent enough for the tests, else one from npm.
$(NODE)/bin/node:
	@tools/need.sh npm npm
	@mkdir -p $(@D)
	@if (($$(node -p 'parseInt(process.versions.node)') >= 20)); then ln -sf "$$(command -v node)" $@; else \
		npm install --prefix $(NODE) --ignore-scripts --no-audit --no-fund $(NODE_PACKAGE)@$(patsubst node-%,%,$(notdir $(NODE))); \
		ln -sf ../node_modules/$(NODE_PACKAGE)/bin/node $@; fi

%/node_modules/.ready: %/package-lock.json | $(NODE)/bin/node
	$(call say,Installing the npm packages of $*)
	cd $* && npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

end2end/.venv/.ready: end2end/requirements.txt
	@tools/need.sh python3 python3-venv
	$(call say,Installing the Python packages of end2end)
	python3 -m venv end2end/.venv
	end2end/.venv/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

need-cc:
	@tools/need.sh cc build-essential

need-cxx:
	@tools/need.sh c++ build-essential

# Programs that the tests in server/tests/external run the server against.
need-opponents: need-postgres
	@tools/need.sh pebble pebble
	@tools/need.sh nginx nginx
	@tools/need.sh caddy caddy
	@tools/need.sh slowhttptest slowhttptest
	@tools/need.sh systemd-analyze systemd
	@tools/need.sh docker-compose docker-compose
	@tools/need.sh curl curl
	@tools/need.sh pgbouncer pgbouncer

need-chromium:
	@command -v $(BROWSERS) >/dev/null || tools/need.sh chromium-headless-shell chromium-headless-shell
	@command -v $(filter-out %-shell,$(BROWSERS)) >/dev/null || tools/need.sh chromium chromium

# The package of the module installs nginx too. It has no command, so its file is checked.
need-nginx:
	@test -e /usr/lib/nginx/modules/ngx_nchan_module.so || tools/need.sh ngx_nchan_module.so libnginx-mod-nchan
	@tools/need.sh nginx nginx

# The package has no command in the path, so its files are looked for.
need-postgres:
	@ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || tools/need.sh initdb postgresql

need-chaos: need-postgres
	@tools/need.sh nginx nginx
	@tools/need.sh faketime faketime
	@tools/need.sh curl curl

need-wasm:
	@test -d "$$(rustc --print target-libdir --target wasm32-unknown-unknown)" || rustup target add wasm32-unknown-unknown
