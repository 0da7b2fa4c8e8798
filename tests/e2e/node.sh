#!/bin/sh
# node.sh BUILD: the node and the command as users meet them, sentence by sentence; TAP.
set -u
build=$1
mesatee=$build/mesatee
mesateed=$build/mesateed
work=$(mktemp -d)
chmod 711 "$work"
node='' n=0

stop_node() {
    [ -z "$node" ] || { kill "${1:--TERM}" "$node" 2>/dev/null; wait "$node" 2>/dev/null; }
    node=
}
trap 'stop_node; rm -rf "$work"' EXIT
as() {
    owner=$1
    shift
    "$mesatee" --home "$work/$owner" "$@"
}
field() { sed -n "s/.*\"$1\":\"\\([^\"]*\\)\".*/\\1/p"; }
number() { sed -n "s/.*\"$1\":\\([0-9]*\\).*/\\1/p"; }
ok() {
    n=$((n + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $n - $2"
    else
        echo "not ok $n - $2"
        sed 's/^/# /' "$work/said" 2>/dev/null
    fi
}
# expect STATUS TEXT SENTENCE COMMAND...: it ends with this status and says this.
expect() {
    status=$1 text=$2 sentence=$3
    shift 3
    "$@" >"$work/said" 2>&1
    got=$?
    if [ $got -eq "$status" ] && grep -qF -- "$text" "$work/said"; then
        ok 0 "$sentence"
    else
        echo "# status $got" >>"$work/said"
        ok 1 "$sentence"
    fi
}

# The node itself, so that it can be killed by its own number.
write_config() {
    cat >"$work/node.conf" <<CONF
listen = 127.0.0.1:0
probes = 127.0.0.1:0
metrics =
state = $work/state
keyfile = $work/keyfile
user = nobody
administrator = $admin
CONF
}
start_node() {
    rm -f "$work/state/public.json"
    "$mesateed" --config "$work/node.conf" 2>>"$work/log" &
    node=$!
    for _ in $(seq 4000); do
        [ -s "$work/state/public.json" ] && break
        kill -0 "$node" 2>/dev/null || { node=; return 1; }
        sleep 0.03
    done
    port=$(number port <"$work/state/public.json")
}
join_node() {
    for who in "$@"; do
        [ -f "$work/$who.policy" ] || as "$who" policy new "$work/$who.policy" --identity "$who" --name test \
            --platform "$(field platform <"$work/state/public.json")" --measurement "$(field measurement <"$work/state/public.json")"
        as "$who" context add node --address "127.0.0.1:$port" --identity "$who" --policy "$work/$who.policy" || return $?
    done
}

for who in admin alice bob mallory; do
    as $who identity new $who >/dev/null
done
admin=$(as admin --json identity show admin | field subject)
head -c 32 /dev/urandom >"$work/keyfile"
write_config

echo 'listen = 127.0.0.1:0
wrokers = 3' >"$work/bad.conf"
expect 64 'bad.conf:2: there is no setting of this name' 'an unknown setting is refused with its line' "$mesateed" --config "$work/bad.conf" --check
echo 'workers = 65' >"$work/bad.conf"
expect 64 'bad.conf:1: workers takes a whole number from 1 to 64' 'a setting out of its range is refused with the range' "$mesateed" --config "$work/bad.conf" --check
expect 64 'usage:' 'an unknown verb gets the usage' "$mesatee" --home "$work/alice" fly
expect 0 'Example: mesatee data put' 'every verb has help with an example' "$mesatee" data put --help

start_node && join_node admin >"$work/said" 2>&1
ok $? 'a node starts, and its administrator verifies and joins it'
expect 0 'level-minimum' 'verify explains every check' as admin verify --explain
expect 0 '0 checks failed' 'the doctor finds nothing' as admin doctor
expect 0 '"limits_enforced_against_rollback":false' 'the status says what is not enforced' as admin --json status
[ "$(stat -c %U "$work/state")" = "$(id -un | sed 's/root/nobody/')" ]
ok $? 'a node that root started works as somebody else'
port_probe=$(number probe_port <"$work/state/public.json")
python3 - "$port_probe" <<'PY' >"$work/said" 2>&1
import sys, urllib.request
assert urllib.request.urlopen(f"http://127.0.0.1:{sys.argv[1]}/readyz").read() == b"ready\n"
PY
ok $? 'the probe says ready'

# who
expect 2 'this node does not know you' 'a stranger is told nothing' join_node mallory
for who in alice bob; do
    as admin user add $who "$(as $who --json identity show $who | field public_key)" >/dev/null
    join_node $who
done
expect 2 'only an administrator' 'a user adds nobody' as alice user add eve "$(as mallory --json identity show mallory | field public_key)"
expect 1 'this key is known already' 'a known key is never changed' as admin user add eve "$(as alice --json identity show alice | field public_key)"
expect 1 'the last administrator cannot be revoked' 'the last administrator stays' as admin user revoke administrator

# what is trusted
as alice policy new "$work/wrong.policy" --identity alice --name test --platform "$(field platform <"$work/state/public.json")" --measurement "$(printf '%064d' 0)"
expect 2 'measurement-unknown' 'another measurement is refused, with the mend' as alice context add wrong --address "127.0.0.1:$port" --identity alice --policy "$work/wrong.policy"
as alice policy new "$work/wrong.policy" --identity alice --name test --platform "$(printf '%064d' 0)" --measurement "$(field measurement <"$work/state/public.json")"
expect 3 'platform-unknown' 'an unknown platform is not genuine' as alice context add wrong --address "127.0.0.1:$port" --identity alice --policy "$work/wrong.policy"
expect 3 'policy-signer' "a policy signed by somebody else is refused" as bob context add wrong --address "127.0.0.1:$port" --identity bob --policy "$work/alice.policy"
as alice context use node && as bob context use node

# data
printf 'email,v\na@x,1\nb@x,2\nc@x,3\n' >"$work/a.csv"
printf 'email,w\nb@x,5\nc@x,6\nd@x,7\n' >"$work/b.csv"
head -c 3000000 /dev/urandom >"$work/big"
expect 0 'version: 1' 'data is uploaded' as alice data put t "$work/a.csv"
as bob data put t "$work/b.csv" >/dev/null
expect 0 'version: 2' 'a second upload is a second version' as alice data put t "$work/big"
as alice data get t "$work/back" --version 2 >"$work/said" 2>&1 && cmp -s "$work/back" "$work/big"
ok $? 'what is downloaded is what was uploaded'
as alice data get t "$work/back" >"$work/said" 2>&1 && cmp -s "$work/back" "$work/big"
ok $? 'without a number the newest version is meant'
expect 1 'there is no data called' 'data of others is not even listed' as bob data show alice/t
id=$(as alice --json data list | field data)
expect 1 'there is no such thing' 'nor by its id' as bob data show "$id"
expect 1 "a data set's name is made of" 'a bad name is refused by name' as alice data put 'a~b' "$work/a.csv"

# tasks
as bob data grant t alice --function psi >/dev/null
cat >"$work/task.json" <<'TASK'
{"function": {"name": "psi", "version": 1},
 "arguments": {"inputs": [{"name": "a", "key": "email", "canonical": "none", "duplicates": "refuse"}, {"name": "b", "key": "email", "canonical": "none", "duplicates": "refuse"}],
  "outputs": [{"name": "both", "columns": [{"key": true, "as": "email"}]}]},
 "inputs": [{"name": "a", "data": "t", "version": 1}, {"name": "b", "data": "bob/t"}],
 "outputs": [{"name": "both", "receivers": ["alice"]}], "runs": 2}
TASK
task=$(as alice --json task create "$work/task.json" | field task)
expect 2 "an owner's approval is missing" 'nothing runs before everybody has signed' as alice task run "$task"
as alice task approve "$task" >/dev/null
expect 2 'task-changed' 'an approval of another digest is not signed' as bob task approve "$task" --digest "$(printf '%064d' 1)"
expect 2 "an owner's approval is missing" 'one signature is not two' as alice task run "$task"
expect 0 'approved' 'the other owner signs' as bob task approve "$task"
expect 2 'only its owner may' 'only the creator runs a task' as bob task run "$task"
expect 0 'state: done' 'an approved task runs' as alice task run "$task"
as alice task result "$task" both "$work/both.csv" >"$work/said" 2>&1 && [ "$(tr -d '\r' <"$work/both.csv")" = "$(printf 'email\nb@x\nc@x')" ]
ok $? 'the intersection is right'
expect 1 'there is no such thing' 'who is no receiver gets nothing' as bob task result "$task" both "$work/stolen"
as alice receipt get "$task" "$work/r1" >/dev/null
expect 0 'The receipt is genuine.' 'the receipt is genuine' as bob receipt verify "$work/r1"
size=$(wc -c <"$work/r1")
bad=0
for at in $(seq 0 97 $((size - 1))); do
    python3 - "$work/r1" "$work/r2" "$at" <<'PY'
import sys
b = bytearray(open(sys.argv[1], "rb").read()); b[int(sys.argv[3])] ^= 4; open(sys.argv[2], "wb").write(b)
PY
    as bob receipt verify "$work/r2" >"$work/said" 2>&1 && bad=$((bad + 1))
done
[ $bad -eq 0 ]
ok $? 'a receipt with a flipped bit is not'
expect 0 'withdrawn' 'an approval can be withdrawn' as bob task withdraw "$task"
expect 2 "an owner's approval is missing" 'then nothing runs any more' as alice task run "$task"
expect 0 'The audit log is whole' 'the audit log rebuilds the tree' as admin audit verify
expect 2 'only an administrator' 'a user does not read the audit log' as alice audit list

# faults in the data are named, never shown
printf 'email,w\n"b@x,5\n' >"$work/b.csv"
as bob data put q "$work/b.csv" >/dev/null && as bob data grant q alice >/dev/null
sed 's|bob/t|bob/q|' "$work/task.json" >"$work/task2.json"
task2=$(as alice --json task create "$work/task2.json" | field task)
as alice task approve "$task2" >/dev/null && as bob task approve "$task2" >/dev/null
expect 1 'state: failed' 'a run over broken CSV fails' as alice task run "$task2"
grep -q 'row' "$work/said"
ok $? 'and names the row'

# deletion
expect 0 'deleted' 'data is deleted' as alice data delete t --now
for _ in $(seq 1200); do
    as alice data show "$id" 2>&1 | grep -qF 'state: shredded' && break
    sleep 0.1
done
expect 0 'state: shredded' 'and its keys are destroyed at once if asked' as alice data show "$id"

# the disk
stop_node
start_node && join_node admin alice bob && as bob data get t "$work/bob.back" && cmp -s "$work/bob.back" - <<DATA
email,w
b@x,5
c@x,6
d@x,7
DATA
ok $? 'a node that was stopped has everything'
lost=0
for round in $(seq 10); do
    as bob data put k "$work/a.csv" >/dev/null || lost=1
    (for _ in 1 2 3 4 5; do as alice data put "load$round" "$work/a.csv" >/dev/null 2>&1 || break; done) &
    load=$!
    sleep 0.0$((round % 5 + 1))
    stop_node -KILL
    wait $load
    start_node && join_node admin alice bob >/dev/null 2>"$work/said" || lost=1
    [ "$(as bob --json data show k | grep -o '"version":' | wc -l)" -ge "$round" ] || lost=1
done
[ $lost -eq 0 ]
ok $? 'nothing acknowledged is lost when the node is killed under load, 10 rounds'
stop_node
cp -a "$work/state" "$work/older"
start_node && join_node bob && as bob data put later "$work/a.csv" >/dev/null
stop_node
rm -rf "$work/state" && mv "$work/older" "$work/state"
start_node
as bob policy show >/dev/null
sed -i "s|\"address\":\"[^\"]*\"|\"address\":\"127.0.0.1:$port\"|" "$work/bob/contexts/node.json"
expect 3 'ledger-rolled-back' 'a disk that was rolled back is found by a client who has seen more' as bob data list
sed -i "s|\"address\":\"[^\"]*\"|\"address\":\"127.0.0.1:$port\"|" "$work/alice/contexts/node.json"
for fork in 1 2 3; do as alice data put "fork$fork" "$work/a.csv" >/dev/null || echo "alice cannot go on"; done
expect 3 'ledger-forked' 'a ledger that went another way is found, however long it is' as bob data list
stop_node
head -c 32 /dev/urandom >"$work/otherkey"
sed "s|$work/keyfile|$work/otherkey|" "$work/node.conf" >"$work/other.conf"
expect 1 'no key slot opens' 'another key file opens nothing' "$mesateed" --config "$work/other.conf"
chunk=$(find "$work/state/ledger" -name '*.mtl' | sort | head -1)
undetected=0
for at in 17 600 1500 4097 9000; do
    cp "$chunk" "$work/chunk"
    python3 - "$chunk" "$at" <<'PY'
import sys
f = open(sys.argv[1], "r+b"); f.seek(int(sys.argv[2])); b = f.read(1)[0]; f.seek(int(sys.argv[2])); f.write(bytes([b ^ 8]))
PY
    timeout 120 "$mesateed" --config "$work/node.conf" >"$work/said" 2>&1
    [ $? -eq 1 ] || undetected=1
    cp "$work/chunk" "$chunk"
done
[ $undetected -eq 0 ]
ok $? 'a flipped bit of the ledger stops the node before it serves'
secret=$(cut -d' ' -f2 "$work/alice/identities/alice.key")
! grep -qE "$secret|a@x|b@x" "$work/log" && ! grep -rqaE 'a@x|b@x,' "$work/state"
ok $? 'neither the log nor the disk has a key or a row in clear'
[ -z "$(ls "$work/state/staging")" ]
ok $? 'and nothing is left in staging'
echo "1..$n"
