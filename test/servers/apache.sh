#!/bin/bash
# Apache with mod_dav over a folder; basic authentication as `quorate` with the password `webdavsecret`. Usage: apache.sh DIR PORT
# Prints `ready` when it serves; ends, with all it started and wrote, when its standard input closes.
set -u
GIVEN=$1 PORT=$2
# Its own user may not get through to a folder that only root may enter.
if [ "$(id -u)" = 0 ]; then B=$(mktemp -d /tmp/quorate-apache-XXXXXXXX); else B=$GIVEN; fi
HTTPD= WATCH=
finish() {
  trap - EXIT INT TERM HUP
  # Stopped first: it would begin another worker for one that is gone.
  [ -n "$HTTPD" ] && kill -STOP "$HTTPD" 2>/dev/null && kill -9 $(pgrep -P "$HTTPD") "$HTTPD" 2>/dev/null
  kill -9 $WATCH 2>/dev/null
  wait 2>/dev/null
  rm -rf "$B" "$GIVEN"
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

mkdir -p "$B"/{root/vault,run,logs}
# As root Apache takes another user, who must be able to write; else it stays who it is.
OWNER=$(id -un)
if [ "$(id -u)" = 0 ]; then
  OWNER=www-data
  chown -R www-data "$B/root" "$B/run"
  chmod 711 "$B"
fi
printf 'quorate:{SHA}%s\n' "$(printf webdavsecret | openssl dgst -sha1 -binary | openssl base64)" > "$B/run/users"
M=/usr/lib/apache2/modules
cat > "$B/httpd.conf" <<X
ServerRoot $B
PidFile $B/run/httpd.pid
Listen 127.0.0.1:$PORT
ServerName localhost
User $OWNER
Group $(id -gn "$OWNER")
LoadModule mpm_event_module $M/mod_mpm_event.so
LoadModule authn_core_module $M/mod_authn_core.so
LoadModule authn_file_module $M/mod_authn_file.so
LoadModule authz_core_module $M/mod_authz_core.so
LoadModule authz_user_module $M/mod_authz_user.so
LoadModule auth_basic_module $M/mod_auth_basic.so
LoadModule dav_module $M/mod_dav.so
LoadModule dav_fs_module $M/mod_dav_fs.so
ServerLimit 2
StartServers 1
ThreadsPerChild 25
KeepAliveTimeout 60
DavLockDB $B/run/DavLock
ErrorLog $B/logs/error.log
DocumentRoot $B/root
<Directory $B/root>
  Dav On
  AuthType Basic
  AuthName quorate
  AuthUserFile $B/run/users
  Require valid-user
</Directory>
X
apache2 -f "$B/httpd.conf" -D FOREGROUND 2> "$B/logs/start" < /dev/null &
HTTPD=$!
for _ in $(seq 300); do
  (exec 4<> "/dev/tcp/127.0.0.1/$PORT" && printf 'GET / HTTP/1.0\r\n\r\n' >&4 && read -r -t 2 line <&4 && [[ $line == HTTP/* ]]) 2>/dev/null && { echo ready; break; }
  kill -0 $HTTPD 2>/dev/null || { cat "$B/logs/start" "$B/logs/error.log" >&2; exit 1; }
  sleep 0.1
done
wait $WATCH
