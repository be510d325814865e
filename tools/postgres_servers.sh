#!/usr/bin/env bash
# Runs a PostgreSQL server and what belongs to it, until its standard input ends. It prints the address of the server, and
# after each line of the input a line when that is done: `standby` starts a standby and prints its address, `backup` makes a
# base backup, `recover NAME` stops the server, and starts one from the base backup and the archive of the write-ahead log, up
# to a named point, and prints its address.
set -euo pipefail
. "$(dirname "$0")/postgres.sh"

# Starts the server of a data directory, and prints its address when it answers to a statement.
start() {
	start_server "$1" "${2:-select 1}" max_connections=200
	echo "$url"
}

"${as_owner[@]}" mkdir "$folder/archive"
init_data
"${as_owner[@]}" tee -a "$folder/data/postgresql.conf" >/dev/null <<-END
	archive_mode = on
	archive_command = 'cp %p $folder/archive/%f'
END
start data
first=$url
while read -r command name; do
	case $command in
	standby)
		"${as_owner[@]}" pg_basebackup --dbname="$first" --pgdata="$folder/standby" --checkpoint=fast --write-recovery-conf
		start standby
		;;
	backup)
		"${as_owner[@]}" pg_basebackup --dbname="$first" --pgdata="$folder/recovered" --checkpoint=fast
		echo done
		;;
	recover)
		kill -INT "${servers[data]}"
		wait "${servers[data]}" || true
		"${as_owner[@]}" tee -a "$folder/recovered/postgresql.conf" >/dev/null <<-END
			restore_command = 'cp $folder/archive/%f %p'
			recovery_target_name = '$name'
			recovery_target_action = promote
		END
		"${as_owner[@]}" touch "$folder/recovered/recovery.signal"
		# It answers before its recovery has ended.
		start recovered 'select 1 / (not pg_is_in_recovery())::int'
		;;
	esac
done
