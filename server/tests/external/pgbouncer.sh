# Two nodes behind PgBouncer: `pgbouncer.sh FOLDER HOST WEBCHAT`. The folder has pgbouncer.ini, in which @PORT@ is the port of the
# database, and recipe.sh, which starts a node with the flags $NODE.
set -euo pipefail
cd "$1"
host=$2 webchat=$3
export WEBCHAT=$webchat
trap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT

port=${WEBCHAT_TEST_DATABASE##*:}
sed -i "s/@PORT@/${port%%/*}/" pgbouncer.ini
as_owner=()
if [ "$(id -u)" = 0 ]; then
	# PgBouncer refuses to run as root.
	chown -R postgres .
	as_owner=(setpriv --reuid=postgres --regid=postgres --init-groups)
fi
"${as_owner[@]}" pgbouncer --quiet pgbouncer.ini 2>pgbouncer.log &
for ((tries = 0; ; tries++)); do
	if psql "postgres://webchat:PASSWORD@$host:6432/webchat" -c 'select 1' >/dev/null 2>&1; then break; fi
	if ((tries > 100)); then cat pgbouncer.log >&2; exit 1; fi
	sleep 0.1
done

for number in 1 2; do
	export NODE="--listen $host:808$number --metrics $host:909$number --data-dir node$number --archive off"
	bash recipe.sh >psql$number.log 2>node$number.log &
	node=$!
	until curl --silent --fail "http://$host:808$number/readyz" >/dev/null; do
		if ! kill -0 $node 2>/dev/null; then cat node$number.log; echo "node $number has ended"; exit; fi
		sleep 0.1
	done
done

room=$(curl --silent -X POST "http://$host:8081/rooms/" | sed 's/.*"id":"\([0-9a-f]*\)".*/\1/')
curl --silent --no-buffer --max-time 6 "http://$host:8082/rooms/$room/messages/" >heard & reader=$!
for body in one two three; do
	curl --silent --fail "http://$host:8081/rooms/$room/messages/" -d "username=ada&body=$body" >/dev/null
done
wait $reader || true
cat heard
curl --silent "http://$host:9091/metrics" "http://$host:9092/metrics" | grep -E '^webchat_(leader|nodes|hears_rings) '
echo "transactions with snapshots: $(psql "$WEBCHAT_TEST_DATABASE" -Atc "select count(*), count(backend_xmin), count(backend_xid)
	from pg_stat_activity where state = 'idle in transaction'")"
cat node1.log node2.log
