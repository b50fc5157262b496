#!/bin/bash
# PostgreSQL with an empty database `quorate`, for whoever is on this machine. Usage: postgres.sh DIR PORT
# Prints `ready` when it serves; ends, with all it started and wrote, when its standard input closes.
set -u
B=$1 PORT=$2
WATCH= DATA=
BIN=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)
as_postgres=()
if [ "$(id -u)" -eq 0 ]; then as_postgres=(setpriv --reuid=postgres --regid=postgres --clear-groups); fi
finish() {
  trap - EXIT INT TERM HUP
  "${as_postgres[@]}" "$BIN/pg_ctl" -D "$DATA" -m immediate -w -t 10 stop > /dev/null 2>&1
  kill -9 $WATCH 2>/dev/null
  wait 2>/dev/null
  rm -rf "$B" "${DATA:-$B}"
}
trap finish EXIT
trap 'exit 1' INT TERM HUP
# Whoever started this holds the other end of the pipe; when it closes, even while all is still starting, this ends.
exec 3<&0
(
  cat <&3 > /dev/null
  kill -TERM $$
) &
WATCH=$!

# The server's own user may not get through to a folder that only root may enter.
mkdir -p "$B"
if [ "$(id -u)" -eq 0 ]; then
  DATA=$("${as_postgres[@]}" mktemp -d /tmp/quorate-postgres-XXXXXXXX) || exit 1
else
  DATA=$B/data
  mkdir -p "$DATA"
fi
cd / || exit 1
"${as_postgres[@]}" "$BIN/initdb" -D "$DATA" -U quorate -E UTF8 --locale=C.UTF-8 --auth=trust > "$B/log" 2>&1 ||
  { cat "$B/log" >&2; exit 1; }
"${as_postgres[@]}" "$BIN/postgres" -D "$DATA" -p "$PORT" -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=400 \
  -c shared_buffers=64MB >> "$B/log" 2>&1 < /dev/null 3<&- &
SERVER=$!
for _ in $(seq 600); do
  kill -0 $SERVER 2>/dev/null || { tail -20 "$B/log" >&2; exit 1; }
  "$BIN/createdb" -h 127.0.0.1 -p "$PORT" -U quorate quorate > /dev/null 2>&1 && break
  sleep 0.1
done
echo ready
wait $SERVER
