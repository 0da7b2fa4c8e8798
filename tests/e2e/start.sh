#!/bin/sh
# start.sh BUILD [TRANSACTIONS] [OBJECTS] [WHERE]: how long a node takes from exec to ready, first from the blocks alone, then
# from the snapshot that it wrote when it was stopped; and what it holds in memory when it idles. Goals: 1 s, 32 MiB.
set -eu
build=$1 transactions=${2:-100000} objects=${3:-10000}
work=$(mktemp -d -p "${4:-${TMPDIR:-/tmp}}")
node=
trap '[ -z "$node" ] || kill "$node" 2>/dev/null || :; rm -rf "$work"' EXIT
chmod 711 "$work"
mkdir -m 700 "$work/state"
head -c 32 /dev/urandom >"$work/keyfile"
"$build/tests/fill" "$work/state" "$work/keyfile" "$transactions" "$objects"
[ "$(id -u)" -ne 0 ] || chown -R nobody "$work/state"
cat >"$work/node.conf" <<CONF
listen = 127.0.0.1:0
state = $work/state
keyfile = $work/keyfile
CONF
# start WHAT: until the log says ready; then memory, and the orderly end.
start() {
    : >"$work/log"
    began=$(date +%s%N)
    "$build/mesateed" --config "$work/node.conf" 2>"$work/log" &
    node=$!
    until grep -q '"ready"' "$work/log"; do
        kill -0 $node || { cat "$work/log"; exit 1; }
        sleep 0.005
    done
    printf '%-28s %5d ms to ready' "$1" $((($(date +%s%N) - began) / 1000000))
    sleep 1
    awk '/^VmRSS/ { printf ", idle RSS %.1f MiB", $2 / 1024 }' "/proc/$node/status"
    began=$(date +%s%N)
    kill $node
    wait $node || { cat "$work/log"; exit 1; }
    node=
    printf ', %d ms to stop (%s)\n' $((($(date +%s%N) - began) / 1000000)) \
        "$(sed -n 's/.*snapshot-written","bytes":\([0-9]*\).*/snapshot of \1 bytes/p' "$work/log")"
    sed -n 's/.*"ledger-recovered",\(.*\)}/    \1/p' "$work/log"
}
start 'from the blocks alone'
for n in 1 2 3 4 5; do
    start "from a snapshot, $n"
done
