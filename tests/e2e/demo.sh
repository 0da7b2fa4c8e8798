#!/bin/sh
# demo.sh BUILD: three owners who do not trust each other compute one function over their joined data; each gets a
# result of its own, and anyone can check offline what ran. Then three attacks. Every step is the real one; the data
# comes from a seed.
set -eu
mesatee=$1/mesatee
work=$(mktemp -d)
began=$(date +%s)
node=
tell() { printf '\n== %s\n' "$*"; }
fail() {
    echo "demo failed: $*" >&2
    [ ! -f "$work/node.log" ] || tail -5 "$work/node.log" >&2
    exit 1
}
stop_node() {
    if [ -n "$node" ] && kill "$node" 2>/dev/null; then
        wait "$node" || true
    fi
    node=
}
trap 'stop_node; rm -rf "$work"' EXIT
chmod 711 "$work"

# start_node: waits until the node answers its operator.
start_node() {
    : >"$work/node.log" # before anyone looks for what the node before has said
    "$mesatee" --home "$work/operator" dev --dir "$work/node" --identity operator --listen 127.0.0.1:0 >"$work/node.log" 2>&1 &
    node=$!
    for _ in $(seq 2400); do
        grep -q 'listens on' "$work/node.log" && return 0
        kill -0 "$node" 2>/dev/null || { wait "$node" || true; node=; return 1; }
        sleep 0.05
    done
    return 1
}
as() {
    owner=$1
    shift
    "$mesatee" --home "$work/$owner" "$@"
}
# field NAME, number NAME: out of the JSON on standard input (one line, written by ourselves).
field() { sed -n "s/.*\"$1\":\"\\([^\"]*\\)\".*/\\1/p"; }
number() { sed -n "s/.*\"$1\":\\([0-9]*\\).*/\\1/p"; }

tell "Three owners, 20,000 rows each"
awk 'BEGIN { srand(1); print "email,spend"; for (i = 0; i < 20000; i++) printf "user%06d@example.org,%d.%02d\n", i * 3, rand() * 500, rand() * 100 }' >"$work/alice.csv"
awk 'BEGIN { srand(2); print "email,segment"; for (i = 0; i < 20000; i++) printf "user%06d@example.org,segment-%d\n", i * 2, rand() * 8 }' >"$work/bob.csv"
awk 'BEGIN { srand(3); print "email,visits"; for (i = 0; i < 20000; i++) printf "user%06d@example.org,%d\n", i * 5, rand() * 40 }' >"$work/carol.csv"
for who in alice bob carol; do
    echo "$who: $(head -1 "$work/$who.csv"), $(($(wc -l <"$work/$who.csv") - 1)) rows"
done

tell "One node, which none of them trusts before it has verified it"
start_node || fail "the node did not start"
grep -v '^{' "$work/node.log"
platform=$(field platform <"$work/node/state/public.json")
measurement=$(field measurement <"$work/node/state/public.json")
join_node() {
    port=$(number port <"$work/node/state/public.json")
    for who in alice bob carol; do
        as $who context add node --address "127.0.0.1:$port" --identity $who --policy "$work/$who.policy"
    done
}
for who in alice bob carol; do
    key=$(as $who --json identity new $who | field public_key)
    as operator user add $who "$key" >/dev/null
    as $who policy new "$work/$who.policy" --identity $who --name three-owners --platform "$platform" --measurement "$measurement"
done
join_node
as alice verify --explain

tell "Each uploads, sealed; bob and carol let alice name their data in one function"
for who in alice bob carol; do
    as $who --json data put table "$work/$who.csv" | field commitment | sed "s/^/$who has a commitment: /"
done
as bob data grant table alice --function private-join-and-compute >/dev/null
as carol data grant table alice --function private-join-and-compute >/dev/null

tell "Alice proposes; everybody reads exactly what would be signed, and signs"
cat >"$work/task.json" <<'TASK'
{"function": {"name": "private-join-and-compute", "version": 1},
 "arguments": {
  "inputs": [
   {"name": "shop", "key": "email", "canonical": "trim-lower-ascii", "duplicates": "refuse", "columns": [{"name": "spend", "type": "decimal", "scale": 2}]},
   {"name": "segments", "key": "email", "canonical": "trim-lower-ascii", "duplicates": "refuse"},
   {"name": "site", "key": "email", "canonical": "trim-lower-ascii", "duplicates": "refuse", "columns": [{"name": "visits", "type": "integer"}]}],
  "join": "inner",
  "group_by": {"input": "segments", "column": "segment"},
  "minimum_group_size": 20,
  "outputs": [
   {"name": "for-alice", "columns": [{"group": true, "as": "segment"}, {"count": true, "as": "people"}, {"average": "site.visits", "as": "visits"}]},
   {"name": "for-bob", "columns": [{"group": true, "as": "segment"}, {"sum": "shop.spend", "as": "spend"}]},
   {"name": "for-carol", "columns": [{"group": true, "as": "segment"}, {"average": "shop.spend", "as": "spend"}, {"max": "site.visits", "as": "most"}]}]},
 "inputs": [{"name": "shop", "data": "table"}, {"name": "segments", "data": "bob/table"}, {"name": "site", "data": "carol/table"}],
 "outputs": [{"name": "for-alice", "receivers": ["alice"]}, {"name": "for-bob", "receivers": ["bob"]}, {"name": "for-carol", "receivers": ["carol"]}],
 "runs": 1}
TASK
task=$(as alice --json task create "$work/task.json" | field task)
[ -n "$task" ] || fail "no task"
as bob task show "$task" | cut -c1-150
for who in alice bob carol; do
    digest=$(as $who --json task show "$task" | field digest)
    as $who task approve "$task" --digest "$digest" | sed "s/^/$who: /"
done

tell "It runs once"
as alice task run "$task" | sed -n 's/^\(state\|number\|transaction\)/  &/p'
results=0 receipts=0
for who in alice bob carol; do
    as $who task result "$task" for-$who "$work/for-$who.csv" && results=$((results + 1))
    as $who receipt get "$task" "$work/$who.receipt"
done

tell "The node is gone; the receipts are checked without it"
stop_node
for who in alice bob carol; do
    as $who receipt verify "$work/$who.receipt" >"$work/$who.verified" && receipts=$((receipts + 1))
done
cat "$work/alice.verified"
as alice receipt compare "$work/bob.receipt" "$work/carol.receipt"
echo
echo "What alice got:"
sed 's/^/  /' "$work/for-alice.csv"

tell "Three attacks"
refused=0
# refuse WHAT COMMAND...: it must fail, and say why.
refuse() {
    what=$1
    shift
    if "$@" >"$work/said" 2>&1; then
        fail "not refused: $what"
    fi
    refused=$((refused + 1))
    printf '%s\n   refused: %s\n' "$what" "$(grep -v '^{' "$work/said" | head -1)"
}
start_node || fail "the node did not start again"
join_node
sed 's/"minimum_group_size": 20/"minimum_group_size": 1/' "$work/task.json" >"$work/changed.json"
changed=$(as alice --json task create "$work/changed.json" | field task)
refuse "1. An argument changed after the approvals: the changed task is run" as alice task run "$changed"
refuse "2. Bob asks for alice's result" as bob task result "$task" for-alice "$work/stolen.csv"
[ ! -e "$work/stolen.csv" ] || fail "bob has a file"
stop_node
chunk=$(find "$work/node/state/ledger" -name '*.mtl' | sort | head -1)
flip() {
    byte=$(od -An -tu1 -j "$1" -N1 "$chunk")
    # shellcheck disable=SC2059 # the format is an octal escape
    printf "\\$(printf %o $((byte ^ 1)))" | dd of="$chunk" bs=1 seek="$1" conv=notrunc status=none
}
start_damaged() { start_node || { grep -o '"what":"[^"]*"' "$work/node.log" | head -1; return 1; }; }
flip 5000
refuse "3. One byte of the node's disk is flipped, and the node started" start_damaged
flip 5000
start_node || fail "the mended node did not start"
stop_node

cat <<TABLE

What was proved                                                by
-------------------------------------------------------------  ---------------------------------------------
the node ran the measured code, on the machine that was pinned evidence, appraised before the first byte
each owner's data is what it uploaded                          commitments, compared on upload
exactly the approved computation ran                           three approvals over one digest
each result opened for its receiver alone                      the gate: $results receivers served, a thief refused
anyone can check it later without the node                     $receipts receipts, verified with the node stopped
a changed argument voids every approval                        attack 1
a changed disk is never served                                 attack 3
Not proved at level 2: anything against root or operator of the node's machine. Not oblivious.
TABLE
if [ "$results $receipts $refused" != "3 3 3" ]; then
    fail "$results results, $receipts receipts, $refused attacks refused"
fi
echo "demo passed: $results results, $receipts receipts, $refused attacks refused in $(($(date +%s) - began)) s"
