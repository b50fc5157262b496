#!/bin/bash
# OpenSSH's server with SFTP alone, for the user who runs this and one key. Usage: sshd.sh DIR PORT
# SSHD_REKEY says after how many bytes keys are exchanged anew; often, unless it is `default`, so that tests meet it.
# Prints `ready` when it serves; ends, with all it started and wrote, when its standard input closes.
set -u
B=$1 PORT=$2
SSHD= WATCH=
# Its sessions leave the process group: they are found by their parents.
below() {
  local child
  for child in $(pgrep -P "$1"); do below "$child"; echo "$child"; done
}
finish() {
  trap - EXIT INT TERM HUP
  # Stopped first: it would let another session in.
  [ -n "$SSHD" ] && kill -STOP "$SSHD" 2>/dev/null && kill -9 $(below "$SSHD") "$SSHD" 2>/dev/null
  kill -9 $WATCH 2>/dev/null
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

mkdir -p "$B"/{keys,root,log}
[ "$(id -u)" = 0 ] && mkdir -p /run/sshd
for type in ed25519 ecdsa; do ssh-keygen -q -t $type -N '' -f "$B/keys/host_$type"; done
ssh-keygen -q -t rsa -b 2048 -N '' -f "$B/keys/host_rsa"
ssh-keygen -q -t ed25519 -N '' -f "$B/keys/client"
ssh-keygen -q -t ed25519 -N 'correct horse' -f "$B/keys/sealed"
cat "$B/keys/client.pub" "$B/keys/sealed.pub" > "$B/keys/authorized_keys"
for key in "$B"/keys/host_*.pub; do echo "[127.0.0.1]:$PORT $(cut -d' ' -f1,2 "$key")"; done > "$B/keys/known_hosts"
cat > "$B/sshd_config" <<X
Port $PORT
ListenAddress 127.0.0.1
HostKey $B/keys/host_ed25519
HostKey $B/keys/host_ecdsa
HostKey $B/keys/host_rsa
PidFile $B/sshd.pid
AuthorizedKeysFile $B/keys/authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication no
PubkeyAuthentication yes
PermitRootLogin prohibit-password
MaxStartups 100
RekeyLimit ${SSHD_REKEY:-2M}
Subsystem sftp internal-sftp
ForceCommand internal-sftp -d $B/root
AllowTcpForwarding no
X11Forwarding no
X
"$(command -v sshd)" -D -e -f "$B/sshd_config" 2> "$B/log/sshd" < /dev/null &
SSHD=$!
for _ in $(seq 300); do
  (exec 4<> "/dev/tcp/127.0.0.1/$PORT" && read -r -t 2 line <&4 && [[ $line == SSH-2.0-* ]]) 2>/dev/null && { echo ready; break; }
  kill -0 $SSHD 2>/dev/null || { cat "$B/log/sshd" >&2; exit 1; }
  sleep 0.1
done
wait $WATCH
