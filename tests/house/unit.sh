#!/bin/sh
# unit.sh BUILD: the systemd unit says what systemd understands, locks the node in, and starts the program by options
# that it has; TAP.
set -u
build=$(cd "$1" && pwd)
unit=$build/mesateed.service
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
n=0
ok() {
    n=$((n + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $n - $2"
    else
        echo "not ok $n - $2"
        sed 's/^/# /' "$work/said"
    fi
}
sed "s|^\\(Exec[A-Za-z]*=\\)[^ ]*/mesateed|\\1$build/mesateed|" "$unit" >"$work/mesateed.service"
if ! command -v systemd-analyze >/dev/null; then
    n=$((n + 1))
    echo "ok $n - systemd understands the unit # SKIP systemd-analyze is not here"
else
    systemd-analyze verify --man=no "$work/mesateed.service" >"$work/said" 2>&1 && [ ! -s "$work/said" ]
    ok $? 'systemd understands the unit and complains of nothing'
    # 0 is a unit that can do nothing, 10 one that can do all; below 2 systemd calls it OK.
    systemd-analyze security --offline=true --threshold=20 "$work/mesateed.service" >"$work/said" 2>&1
    ok $? 'it exposes less than 2.0 of 10'
fi
if command -v systemd-analyze >/dev/null; then
    cp "$(dirname "$0")/../../host/deploy/mesateed-collateral.timer" "$work"
    sed "s|^\\(ExecStart=\\)[^ ]*/mesatee|\\1$build/mesatee|" "$build/mesateed-collateral.service" >"$work/mesateed-collateral.service"
    systemd-analyze verify --man=no "$work/mesateed-collateral.timer" "$work/mesateed-collateral.service" >"$work/said" 2>&1 &&
        [ ! -s "$work/said" ]
    ok $? 'systemd understands the fetching of collateral, daily, and complains of nothing'
fi
if command -v systemd-analyze >/dev/null; then
    mkdir "$work/mesateed.service.d"
    cp "$(dirname "$0")/../../host/deploy/mesateed-tpm.conf" "$work/mesateed.service.d/tpm.conf"
    systemd-analyze verify --man=no "$work/mesateed.service" >"$work/said" 2>&1 && [ ! -s "$work/said" ]
    ok $? 'systemd understands what lets the node at its TPM, and complains of nothing'
    systemd-analyze security --offline=true --threshold=20 "$work/mesateed.service" >"$work/said" 2>&1 &&
        grep -q 'SupplementaryGroups=.*supplementary' "$work/said" && grep -q 'DeviceAllow=.*/dev/tpmrm0:rw' "$work/said"
    ok $? 'it is at the TPM alone, and exposes less than 2.0 of 10'
    rm -r "$work/mesateed.service.d"
fi
printf 'listen = 127.0.0.1:0\n' >"$work/good.conf"
printf 'listen = 127.0.0.1:0\nworkers = 0\n' >"$work/bad.conf"
command=$(sed -n 's/^ExecStartPre=//p' "$work/mesateed.service")
good=$(echo "$command" | sed "s|/etc/mesatee/mesateed.conf|$work/good.conf|")
bad=$(echo "$command" | sed "s|/etc/mesatee/mesateed.conf|$work/bad.conf|")
$good >"$work/said" 2>&1
ok $? 'its check takes a configuration that is good'
$bad >"$work/said" 2>&1
[ $? -eq 64 ] && grep -q 'bad.conf:2: workers takes a whole number from 1 to 64' "$work/said"
ok $? 'and refuses another with file, line and reason, by the status that is not retried'
grep -q '^RestartPreventExitStatus=.*\b64\b' "$unit"
ok $? 'which the unit knows'
[ "$(sed -n 's/^ExecStart=//p' "$unit")" = "$(sed -n 's/^ExecStartPre=\(.*\) --check$/\1/p' "$unit")" ]
ok $? 'what is checked is what is started'
echo "1..$n"
