#!/usr/bin/env bash
# Tests the server against its OpenAPI document with schemathesis, with valid and invalid requests.
set -euo pipefail
cd "$(dirname "$0")/.."

data=$(mktemp -d)
./target/debug/webchat --listen 127.0.0.1:0 --data-dir "$data" --rate-limit off 2>"$data/log" &
server=$!
trap 'kill "$server"; wait "$server" || true; rm -rf "$data"' EXIT

url=
while [[ -z $url ]]; do
	kill -0 "$server" || { cat "$data/log" >&2; exit 1; }
	sleep 0.1
	url=$(grep -o 'http://[0-9.:]*' "$data/log" || true)
done

# The user alan joins the lobby, because schemathesis.toml makes schemathesis send as alan.
end2end/.venv/bin/python -c 'import sys, requests; requests.post(sys.argv[1], timeout=10).raise_for_status()' "$url/join?id=alan"

# The guest token that schemathesis sends with every request.
guest='import sys, requests; print(requests.post(sys.argv[1], timeout=10).json()["token"])'
WEBCHAT_TOKEN=$(end2end/.venv/bin/python -c "$guest" "$url/guests/")
export WEBCHAT_TOKEN

end2end/.venv/bin/schemathesis --config-file end2end/schemathesis.toml run "$url/openapi.json" "$@"
