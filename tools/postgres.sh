# What the scripts that start PostgreSQL servers share: the programs, a folder that is thrown away, and a server of its own port.
# The data is thrown away too, so no server waits for the disk.

programs=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1 || true)
if [ -n "$programs" ]; then PATH=$programs:$PATH; fi
for program in initdb postgres psql; do
	command -v "$program" >/dev/null || { echo "$program is missing: install PostgreSQL (Debian: postgresql)" >&2; exit 1; }
done

folder=$(mktemp -d)
as_owner=()
if [ "$(id -u)" = 0 ]; then
	# A server refuses to run as root.
	chown postgres "$folder"
	as_owner=(setpriv --reuid=postgres --regid=postgres --init-groups)
fi
declare -A servers
stop_servers() {
	for server in "${servers[@]}"; do kill -QUIT "$server" 2>/dev/null || true; done
	wait 2>/dev/null || true
	rm -rf "$folder"
}
trap stop_servers EXIT

# Makes the data directory `data`.
init_data() {
	"${as_owner[@]}" initdb --pgdata="$folder/data" --username=webchat --auth=trust --encoding=UTF8 --no-locale --no-sync \
		>"$folder/log" 2>&1
}

# Starts the server of a data directory, and sets `url` when it answers to a statement: `start_server DATA STATEMENT SETTING…`.
start_server() {
	local data=$1 statement=$2 port settings=()
	shift 2
	for setting in fsync=off "$@"; do settings+=(-c "$setting"); done
	port=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })')
	url=postgres://webchat@127.0.0.1:$port/postgres
	"${as_owner[@]}" postgres -D "$folder/$data" -h 127.0.0.1 -p "$port" -k "$folder" "${settings[@]}" >>"$folder/$data.log" 2>&1 <&- &
	servers[$data]=$!
	for ((tries = 0; ; tries++)); do
		if psql "$url" --quiet --command "$statement" >/dev/null 2>&1; then break; fi
		if ((tries > 300)) || ! kill -0 "${servers[$data]}" 2>/dev/null; then
			cat "$folder/$data.log" >&2
			exit 1
		fi
		sleep 0.1
	done
}
