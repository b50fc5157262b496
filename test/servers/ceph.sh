#!/bin/bash
# A RADOS gateway over one monitor and one OSD in memory. Usage: ceph.sh DIR MON_PORT RGW_PORT
# Prints `ready` when it serves; ends, with all it started and wrote, when its standard input closes.
set -u
B=$1 MON_PORT=$2 RGW_PORT=$3
CHILDREN=() STEP= WATCH=
finish() {
  trap - EXIT INT TERM HUP
  kill $STEP 2>/dev/null
  kill -9 "${CHILDREN[@]}" $WATCH 2>/dev/null
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

mkdir -p "$B"/{mon,osd/0,run,log,rgw}
FSID=$(uuidgen)
cat > "$B/ceph.conf" <<X
[global]
fsid = $FSID
mon host = [v1:127.0.0.1:$MON_PORT]
mon initial members = a
public addr = 127.0.0.1
cluster addr = 127.0.0.1
auth cluster required = none
auth service required = none
auth client required = none
auth allow insecure global id reclaim = true
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon max pg per osd = 2000
mon allow pool size one = true
mon warn on pool no redundancy = false
run dir = $B/run
admin socket = $B/run/\$cluster-\$name.asok
log file = $B/log/\$name.log
ms bind ipv6 = false
[mon.a]
mon data = $B/mon/a
mon data avail crit = 1
mon data avail warn = 1
[osd.0]
osd class update on start = false
osd crush update on start = false
osd data = $B/osd/0
osd objectstore = memstore
memstore device bytes = ${CEPH_BYTES:-2147483648}
osd op num shards = 2
osd memory target = 1073741824
[client.rgw.a]
rgw frontends = beast endpoint=127.0.0.1:$RGW_PORT
rgw enable usage log = false
rgw thread pool size = 32
rgw dns name = localhost
rgw crypt require ssl = false
keyring = $B/rgw/keyring
X
C=(-c "$B/ceph.conf")
# Says what each log ended with, and gives up.
give_up() {
  tail -n 5 "$B"/log/* >&2
  exit 1
}
# In the background, so that the trap need not wait for it.
step() {
  echo "== $*" >> "$B/log/steps"
  timeout 60 "$@" >> "$B/log/steps" 2>&1 < /dev/null &
  STEP=$!
  wait $STEP
}

step monmaptool --create --fsid "$FSID" --addv a "[v1:127.0.0.1:$MON_PORT]" "$B/monmap" || give_up
step ceph-mon "${C[@]}" --mkfs -i a --monmap "$B/monmap" || give_up
ceph-mon "${C[@]}" -i a -f >> "$B/log/mon.out" 2>&1 < /dev/null & CHILDREN+=($!)
OSD=$(uuidgen)
step ceph "${C[@]}" osd new "$OSD" 0 || give_up
step ceph-osd "${C[@]}" -i 0 --mkfs --osd-uuid "$OSD" || give_up
ceph-osd "${C[@]}" -i 0 -f >> "$B/log/osd.out" 2>&1 < /dev/null & CHILDREN+=($!)
step ceph "${C[@]}" osd crush add osd.0 1.0 root=default host=h1 || give_up
for pool in .rgw.root default.rgw.log default.rgw.control default.rgw.meta default.rgw.buckets.index default.rgw.buckets.data default.rgw.buckets.non-ec; do
  step ceph "${C[@]}" osd pool create "$pool" 4 4
  step ceph "${C[@]}" osd pool application enable "$pool" rgw
done
radosgw "${C[@]}" -n client.rgw.a -f >> "$B/log/rgw.out" 2>&1 < /dev/null & CHILDREN+=($!)
for user in main alt; do
  step radosgw-admin "${C[@]}" -n client.rgw.a user create --uid=$user --display-name=$user --access-key=RGW${user^^} --secret=rgw${user}secret || give_up
done
answers() {
  (
    exec 3<> "/dev/tcp/127.0.0.1/$RGW_PORT" || exit 1
    printf 'GET / HTTP/1.0\r\n\r\n' >&3
    read -r -t 5 _ status _ <&3 && [ "$status" = 200 ]
  ) 2>/dev/null
}
for _ in $(seq 1000); do
  answers && break
  sleep 0.1
done
answers || give_up
echo ready
wait $WATCH
