#!/bin/bash
# rclone's WebDAV over a folder: it ignores conditions on PUT. User `quorate`, password `webdavsecret`. Usage: rclone.sh DIR PORT
# Prints `ready` when it serves; ends, with all it started and wrote, when its standard input closes.
set -u
B=$1 PORT=$2
RCLONE= WATCH=
finish() {
  trap - EXIT INT TERM HUP
  kill -9 $RCLONE $WATCH 2>/dev/null
  wait 2>/dev/null
  rm -rf "$B"
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

mkdir -p "$B"/{root/vault,cache,log}
: > "$B/rclone.conf"
rclone serve webdav "$B/root" --config "$B/rclone.conf" --cache-dir "$B/cache" --dir-cache-time 1s --addr "127.0.0.1:$PORT" \
  --user quorate --pass webdavsecret > "$B/log/rclone" 2>&1 < /dev/null &
RCLONE=$!
for _ in $(seq 300); do
  (exec 4<> "/dev/tcp/127.0.0.1/$PORT" && printf 'GET / HTTP/1.0\r\n\r\n' >&4 && read -r -t 2 line <&4 && [[ $line == HTTP/* ]]) 2>/dev/null && { echo ready; break; }
  kill -0 $RCLONE 2>/dev/null || { cat "$B/log/rclone" >&2; exit 1; }
  sleep 0.1
done
wait $WATCH
