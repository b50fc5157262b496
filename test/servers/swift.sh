#!/bin/bash
# OpenStack Swift with its S3 face, one replica on three folders. Usage: swift.sh DIR PROXY ACCOUNT CONTAINER OBJECT MEMCACHED (ports)
# Prints `ready` when it serves; ends, with all it started and wrote, when its standard input closes.
set -u
B=$1 PROXY=$2 ACCOUNT=$3 CONTAINER=$4 OBJECT=$5 MEMCACHED=$6
CHILDREN=() WATCH=
finish() {
  trap - EXIT INT TERM HUP
  # Each server has workers of its own; its process group goes as a whole.
  for child in "${CHILDREN[@]}"; do kill -9 -- "-$child" 2>/dev/null; done
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
set -m

# Whoever runs this owns it all: another user might not be let into the folder.
OWNER=$(id -un)
mkdir -p "$B"/{etc,run,log,srv/d1,srv/d2,srv/d3}
cat > "$B/etc/swift.conf" <<X
[swift-hash]
swift_hash_path_suffix = testsuffix
swift_hash_path_prefix = testprefix
[storage-policy:0]
name = default
default = yes
policy_type = replication
[swift-constraints]
max_file_size = 5368709122
X
for pair in account:$ACCOUNT container:$CONTAINER object:$OBJECT; do
  name=${pair%:*} port=${pair#*:}
  cat > "$B/etc/$name-server.conf" <<X
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = $port
user = $OWNER
swift_dir = $B/etc
devices = $B/srv
mount_check = false
workers = 1
log_level = WARNING
log_address = /nonexistent
[pipeline:main]
pipeline = healthcheck $name-server
[app:$name-server]
use = egg:swift#$name
[filter:healthcheck]
use = egg:swift#healthcheck
X
  (
    cd "$B/etc" || exit 1
    swift-ring-builder "$name.builder" create 6 1 0
    for device in d1 d2 d3; do swift-ring-builder "$name.builder" add --region 1 --zone 1 --ip 127.0.0.1 --port "$port" --device $device --weight 1; done
    swift-ring-builder "$name.builder" rebalance
  ) >> "$B/log/rings" 2>&1 < /dev/null
done
cat > "$B/etc/proxy-server.conf" <<X
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = $PROXY
user = $OWNER
swift_dir = $B/etc
workers = 2
log_level = WARNING
log_address = /nonexistent
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck cache listing_formats bulk tempurl s3api tempauth copy container-quotas account-quotas slo dlo versioned_writes symlink proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:healthcheck]
use = egg:swift#healthcheck
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:$MEMCACHED
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:bulk]
use = egg:swift#bulk
[filter:tempurl]
use = egg:swift#tempurl
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
s3_acl = false
force_swift_request_proxy_log = false
check_bucket_owner = false
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
user_test2_tester2 = testing2 .admin
[filter:copy]
use = egg:swift#copy
[filter:container-quotas]
use = egg:swift#container_quotas
[filter:account-quotas]
use = egg:swift#account_quotas
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_versioned_writes = true
allow_object_versioning = true
[filter:symlink]
use = egg:swift#symlink
X
memcached -u "$OWNER" -l 127.0.0.1 -p "$MEMCACHED" -m 64 >> "$B/log/memcached" 2>&1 < /dev/null & CHILDREN+=($!)
for name in account container object proxy; do
  "swift-$name-server" "$B/etc/$name-server.conf" >> "$B/log/$name" 2>&1 < /dev/null & CHILDREN+=($!)
done
# A server listens before it has started; only an answer counts.
healthy() {
  (
    exec 3<> "/dev/tcp/127.0.0.1/$1" || exit 1
    printf 'GET /healthcheck HTTP/1.0\r\n\r\n' >&3
    read -r -t 2 _ status _ <&3 && [ "$status" = 200 ]
  ) 2>/dev/null
}
# Says what each log ended with, and gives up.
give_up() {
  echo "$1" >&2
  tail -n 5 "$B"/log/* >&2
  exit 1
}
for _ in $(seq 1500); do
  up=0
  for port in "$ACCOUNT" "$CONTAINER" "$OBJECT" "$PROXY"; do healthy "$port" && up=$((up + 1)); done
  [ $up = 4 ] && break
  for child in "${CHILDREN[@]}"; do kill -0 "$child" 2>/dev/null || give_up "one of its servers ended"; done
  sleep 0.1
done
[ "$up" = 4 ] || give_up "$up of 4 servers answer"
echo ready
wait $WATCH
