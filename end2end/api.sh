#!/usr/bin/env bash
# Lets schemathesis call the release binary in every way its OpenAPI document allows, and in some it does not.
set -euo pipefail
cd "$(dirname "$0")/.."

data=$(mktemp -d)
./target/release/webchat --listen 127.0.0.1:0 --data-dir "$data" --rate-limit off 2>"$data/log" &
server=$!
trap 'kill "$server"; wait "$server" || true; rm -rf "$data"' EXIT

url=
while [[ -z $url ]]; do
	kill -0 "$server" || { cat "$data/log" >&2; exit 1; }
	sleep 0.1
	url=$(grep -o 'http://[0-9.:]*' "$data/log" || true)
done

# Somebody in the lobby, for whom the configuration lets schemathesis speak.
end2end/.venv/bin/python -c 'import sys, requests; requests.post(sys.argv[1], timeout=10).raise_for_status()' "$url/join?id=alan"

# A guest, as whom it is called.
key='import sys, requests; print(requests.post(sys.argv[1], timeout=10).json()["token"])'
WEBCHAT_TOKEN=$(end2end/.venv/bin/python -c "$key" "$url/guests/")
export WEBCHAT_TOKEN

end2end/.venv/bin/schemathesis --config-file end2end/schemathesis.toml run "$url/openapi.json" "$@"
