#!/usr/bin/env python3
"""evidence.py BUILD: hardware evidence in files, from outside: every set of vectors at its time, and what the command says of it; TAP."""
import datetime
import json
import pathlib
import subprocess
import sys

import world as the_world

DONE, REFUSED, NOT_GENUINE, USAGE, IO = 0, 2, 3, 64, 74
VECTORS = pathlib.Path(__file__).parent.parent / "vectors"
STATUSES = {"OK": "UpToDate"}


def sets():
    """(folder, what is expected of it) of all that the command can judge."""
    for path in sorted(VECTORS.glob("*/*/expected.json")):
        expected = json.loads(path.read_text())
        if path.parent.parent.name in ("dcap", "snp") and "report_data" in expected and "reference_time" in expected:
            yield path.parent, expected
        if path.parent.parent.name == "azure":  # the hardware's report data is the paravisor's: ours is in the vTPM's quote
            yield path.parent, dict(expected, report_data=expected["tpm_nonce"])


def is_amd(folder):
    return folder.parent.name == "snp" or folder.name.startswith("snp")


def beside(folder):
    """The quote and lists of the TD on Azure lie with the other TDs."""
    return ("--collateral", VECTORS / "dcap/tdx_v4_azure") if folder == VECTORS / "azure/tdx" else ()


def at(expected, days=0):
    time = datetime.datetime.fromisoformat(expected["reference_time"].replace("Z", "+00:00"))
    return (time + datetime.timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


class Verifier:
    def __init__(self, w):
        self.w = w

    def run(self, folder, expected, *more, days=0, report_data=None):
        words = ["--report-data", report_data or expected["report_data"], "--at", at(expected, days)]
        done = self.w.cli("auditor", "--json", "verify", folder, *words, *beside(folder), *more, check=False)
        return done.returncode, json.loads(done.stdout) if done.stdout else done.stderr

    def rule(self, *words, **more):
        code, answer = self.run(*words, **more)
        return code, answer["failed"][-1]["rule"] if answer["failed"] else None


def genuine(tap, v, all_sets):
    """Claims are those that others found in the same evidence."""
    bad = []
    for folder, expected in all_sets:
        code, answer = v.run(folder, expected)
        wanted = STATUSES.get(expected["verdict"], expected.get("tcb_status", "Unrated"))
        wanted = "NotSupported" if expected["verdict"] == "TCB_NOT_SUPPORTED" else wanted
        wanted = "Unrated" if is_amd(folder) else wanted
        advisories = sorted(expected.get("advisory_ids", []))
        if code != REFUSED or not answer["genuine"] or answer["accepted"] or answer["tcb_status"] != wanted \
                or sorted(answer["advisories"]) != advisories or answer["failed"][-1]["rule"] != "policy-missing":
            bad.append((str(folder), code, answer))
    tap.ok(len(all_sets) > 0 and not bad, "every set of vectors is genuine at its time, with the status and the advisories that others "
           "found, and without a policy not accepted", bad)


def refused(tap, v, all_sets):
    bad = []
    for folder, expected in all_sets:
        for days in (-400, 400):
            code, rule = v.rule(folder, expected, days=days)
            if not is_amd(folder) and code != NOT_GENUINE:
                bad.append((str(folder), days, code, rule))
    tap.ok(not bad, "400 days earlier or later no set of Intel's is", bad)
    bad = []
    for folder, expected in all_sets:
        wrong = expected["report_data"][:-1] + ("0" if expected["report_data"][-1] != "0" else "1")
        code, rule = v.rule(folder, expected, report_data=wrong)
        if (code, rule) != (NOT_GENUINE, "report-data"):
            bad.append((str(folder), code, rule))
    tap.ok(not bad, "what is about other report data, in its last digit, is not genuine", bad)


def policy_of(w, answer, *more):
    """What somebody writes who wants this machine with this code."""
    path = w.dir / "hardware.policy"
    words = ["--kind", answer["kind"], "--measurement", answer["claims"]["measurement"], "--machine", answer["claims"]["platform"]]
    w.cli("auditor", "policy", "new", path, "--identity", "auditor", "--name", "hardware", "--level", "4", *words, *more)
    return path


def accepted(w, tap, v, all_sets):
    bad = []
    for folder, expected in all_sets:
        _, answer = v.run(folder, expected)
        allow = [x for name in answer["claims"]["weaknesses"] for x in ("--allow", name)]
        allow += [x for name in answer["advisories"] for x in ("--advisory", name)]
        level = "5" if answer["kind"] == "sgx" else "4"
        policy = policy_of(w, answer, "--tcb-status", answer["tcb_status"], *allow)
        code, found = v.run(folder, expected, "--policy", policy, "--format", answer["kind"])
        strict = policy_of(w, answer)
        strict_code, strict_rule = v.rule(folder, expected, "--policy", strict)
        is_clean = not allow and answer["tcb_status"] in ("UpToDate", "Unrated")
        if code != DONE or not found["accepted"] or found["claims"]["level"] != int(level) \
                or strict_code != (DONE if is_clean else REFUSED):
            bad.append((str(folder), code, found["failed"], strict_code, strict_rule))
    tap.ok(not bad, "a policy that names code, machine, status, advisories and weaknesses accepts each; one that names only code and "
           "machine takes none that is out of date, open or weak", bad)


def token(w, tap, v, all_sets):
    """A JOSE library of others checks the token, and not one that was changed."""
    folder, expected = next(s for s in all_sets if s[0].name == "tdx_v4_uptodate")
    _, answer = v.run(folder, expected)
    path = w.dir / "result.jwt"
    pem = w.dir / "auditor.pem"
    w.cli("auditor", "identity", "export", "auditor", pem)
    checks = []
    for policy, status in ((policy_of(w, answer, "--tcb-status", answer["tcb_status"]), "affirming"), (None, "contraindicated")):
        words = ["--policy", policy] if policy else []
        v.run(folder, expected, *words, "--token", path, "--identity", "auditor")
        program = ("import json, jwt, sys\ntoken = open(sys.argv[1]).read()\nkey = open(sys.argv[2]).read()\n"
                   "print(json.dumps(jwt.decode(token, key, algorithms=['ES256'])))\n"
                   "bad = token[:-3] + ('A' if token[-3] != 'A' else 'B') + token[-2:]\n"
                   "try:\n    jwt.decode(bad, key, algorithms=['ES256'])\nexcept jwt.InvalidSignatureError:\n    print('refused')\n")
        done = subprocess.run(["/usr/bin/python3", "-c", program, path, pem], text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        lines = done.stdout.splitlines()
        result = json.loads(lines[0])["submods"]["platform"] if done.returncode == 0 else {}
        checks.append(result.get("ear.status") == status and lines[-1] == "refused" or done.stdout)
    tap.ok(checks == [True, True], "the result is a token that PyJWT verifies, and refuses when it was changed", checks)


def shown(w, tap, v, all_sets):
    """What evidence says of itself is what verifying finds, under other names; and it is never a verdict."""
    bad = []
    for folder, expected in all_sets:
        _, verified = v.run(folder, expected)
        done = w.cli("auditor", "--json", "evidence", "show", folder, *beside(folder), check=False)
        said = json.loads(done.stdout)
        fields = dict(said["says"]["fields"])
        told = verified["claims"]["fields"]
        if done.returncode != DONE or said["verified"] or said["kind"] != verified["kind"] or fields["report_data"] != expected["report_data"] \
                or said["says"]["weaknesses"] != verified["claims"]["weaknesses"] or {"genuine", "accepted", "claims", "tcb_status"} & set(said) \
                or any(fields[name] != told[name] for name in fields if name in told):
            bad.append((str(folder), done.returncode, said))
    tap.ok(not bad, "evidence show tells of every set what verifying finds, says that nothing is verified, and judges nothing", bad)
    folder = next(f for f, _ in all_sets if f.name == "tdx_v4_uptodate")
    quote = bytearray((folder / "quote.bin").read_bytes())
    quote[600] ^= 1  # of its report data
    forged, cut = w.dir / "forged.bin", w.dir / "cut.bin"
    forged.write_bytes(quote)
    cut.write_bytes(quote[:1000])
    forged_code = w.cli("auditor", "evidence", "show", forged, check=False)
    codes = [w.cli("auditor", "evidence", "show", path, check=False).returncode for path in (cut, w.dir / "nothing", w.dir)]
    tap.ok(forged_code.returncode == DONE and "verified: false" in forged_code.stdout and codes == [NOT_GENUINE, IO, IO],
           "a forged quote is shown as well, one that is cut is malformed, and what is not there cannot be read",
           f"{forged_code} {codes}")


def composite(w, tap, v, all_sets):
    """Of Azure's evidence the hardware's part can be asked for alone, and nothing but by name."""
    bad = []
    for folder, expected in (s for s in all_sets if s[0].parent.name == "azure"):
        kind = "snp" if is_amd(folder) else "tdx"
        own = json.loads((folder / "expected.json").read_text())["report_data"]
        rules = [v.rule(folder, expected, "--format", "azure"), v.rule(folder, expected, "--format", "auto"),
                 v.rule(folder, expected, "--format", kind, report_data=own), v.rule(folder, expected, report_data=own),
                 v.rule(folder, expected, "--format", "tpm")]
        if rules != [(REFUSED, "policy-missing")] * 3 + [(NOT_GENUINE, "report-data"), (NOT_GENUINE, "evidence-expected")]:
            bad.append((str(folder), rules))
    tap.ok(not bad, "evidence of Azure is about the quote's data; its hardware alone, if that is asked for by name, about its own", bad)


def usage(w, tap, v, all_sets):
    folder, expected = all_sets[0]
    words = ["verify", folder, "--at", at(expected)]
    codes = [w.cli("auditor", *words, check=False).returncode, w.cli("auditor", *words, "--report-data", "00x", check=False).returncode,
             w.cli("auditor", "verify", folder, "--report-data", "00" * 64, "--at", "yesterday", check=False).returncode,
             w.cli("auditor", *words, "--report-data", "00" * 64, "--format", "sev", check=False).returncode]
    tap.ok(codes == [USAGE] * 4, "evidence is never judged without report data, nor with words that say nothing", codes)
    other = "tdx" if is_amd(folder) else "snp"
    found = v.rule(folder, expected, "--format", other)
    (w.dir / "nothing.bin").write_bytes(b"\0" * 100)
    nothing = v.rule(w.dir / "nothing.bin", expected)
    (w.dir / "empty").mkdir()
    empty = w.cli("auditor", *words[:1], w.dir / "empty", "--at", at(expected), "--report-data", "00" * 64, check=False)
    tap.ok(found == (NOT_GENUINE, "evidence-expected") and nothing == (NOT_GENUINE, "evidence-kind")
           and empty.returncode not in (DONE, REFUSED) and "no evidence is there" in empty.stderr,
           "another kind than was asked for, no evidence, and an empty folder are told apart", f"{found} {nothing} {empty}")


def explained(w, tap, v, all_sets):
    """Each check with what it reads and the document that demands it, under a heading; in JSON the same."""
    bad = []
    for folder, expected in all_sets:
        words = ["verify", folder, "--report-data", expected["report_data"], "--at", at(expected), *beside(folder), "--explain"]
        said = w.cli("auditor", *words, check=False)
        _, answer = v.run(folder, expected)
        for check in answer["checks"]:
            lines = [f"{check['rule']} ", f"reads: {check['reads']}\n", f"by: {check['demand']}\n"] if "demand" in check else ["nowhere"]
            if check["under"] == "other" or any(line not in said.stderr for line in lines):
                bad.append((str(folder), check))
        if "mend: genuine is not acceptable" not in said.stderr or "genuine, and refused" not in said.stdout:
            bad.append((str(folder), said))
    tap.ok(not bad, "--explain names each check of every set, what it reads, the document that demands it, and what to do", bad)


def test(w, tap):
    w.identity("auditor")
    v, all_sets = Verifier(w), list(sets())
    genuine(tap, v, all_sets)
    refused(tap, v, all_sets)
    accepted(w, tap, v, all_sets)
    shown(w, tap, v, all_sets)
    token(w, tap, v, all_sets)
    composite(w, tap, v, all_sets)
    usage(w, tap, v, all_sets)
    explained(w, tap, v, all_sets)


if __name__ == "__main__":
    sys.exit(the_world.main(test))
