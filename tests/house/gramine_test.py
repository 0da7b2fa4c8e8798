#!/usr/bin/env python3
"""The manifest for Gramine: as Gramine's own schema has it (python/graminelibos/manifest_check.py of version 1.8), and with nothing
that level 5 does not bear. Reports in TAP. The arguments are the source root and the build folder."""
import pathlib
import re
import subprocess
import sys
import tomllib

from cases import ROOT, report, sentences

MANIFEST = ROOT / "host/gramine/mesateed.manifest.template"
VALUES = {"gramine.libos": "/usr/lib/gramine/libsysdb.so", "gramine.runtimedir()": "/usr/lib/gramine/runtime/glibc",
          "arch_libdir": "/lib/x86_64-linux-gnu", "sbindir": "/usr/local/sbin"}
SIZE = re.compile(r"\d+[KMG]")
STATE = "file:/var/lib/mesatee"


def size(value):
    return isinstance(value, str) and SIZE.fullmatch(value) is not None


def uri(value):
    return isinstance(value, str) and value.startswith("file:/")


def one_of(*words):
    return lambda value: value in words


def is_a(kind):
    return lambda value: type(value) is kind


def every(check):
    return lambda value: isinstance(value, list) and all(map(check, value))


def mount(value):
    return {"path", "uri"} <= set(value) <= {"path", "uri", "type"} and value["path"].startswith("/") and uri(value["uri"]) and \
        value.get("type", "chroot") == "chroot"


TEXT, FLAG, NUMBER = is_a(str), is_a(bool), is_a(int)
# The part of the schema that a node may use: what stands there under insecure__ and debug__ does not stand here.
SCHEMA = {
    "libos.entrypoint": TEXT,
    "loader.entrypoint.uri": uri, "loader.argv": every(TEXT), "loader.env": lambda v: all(map(TEXT, v.values())),
    "loader.uid": NUMBER, "loader.gid": NUMBER, "loader.log_level": one_of("none", "error", "warning"),
    "fs.mounts": every(mount), "fs.start_dir": TEXT,
    "sgx.trusted_files": every(uri), "sgx.allowed_files": every(uri), "sgx.debug": one_of(False),
    "sgx.remote_attestation": one_of("dcap"), "sgx.enclave_size": size, "sgx.max_threads": NUMBER, "sgx.isvprodid": NUMBER,
    "sgx.isvsvn": NUMBER, "sgx.edmm_enable": FLAG, "sgx.use_exinfo": FLAG, "sgx.file_check_policy": one_of("strict"),
    "sys.disallow_subprocesses": one_of(True), "sys.enable_sigterm_injection": FLAG, "sys.experimental__enable_flock": FLAG,
    "sys.stack.size": size, "sys.brk.max_size": size, "sys.fds.limit": NUMBER,
}
REQUIRED = {"libos.entrypoint", "loader.entrypoint.uri", "fs.mounts", "sgx.remote_attestation", "sgx.debug", "sgx.trusted_files",
            "sys.disallow_subprocesses"}


def rendered(text):
    return re.sub(r"\{\{ (.*?) \}\}", lambda m: VALUES[m[1]], text)


def settings(tree, before=""):
    """[(dotted name, value)] down to what the schema names."""
    for key, value in tree.items():
        name = before + key
        if isinstance(value, dict) and name not in SCHEMA:
            yield from settings(value, name + ".")
        else:
            yield name, value


def faults_of(text):
    found = dict(settings(tomllib.loads(rendered(text))))
    faults = [name for name, value in found.items() if name not in SCHEMA or not SCHEMA[name](value)]
    return faults + sorted(REQUIRED - set(found))


def covered(path, files):
    return any(path == f or (f.endswith("/") and (path + "/").startswith(f)) or f.startswith(path + "/") for f in files)


def libraries(program):
    """What the program is linked to, and what that is linked to."""
    lines = subprocess.run(["ldd", program], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    return {pathlib.Path(line.split("=>")[0].split("(")[0].strip()).name for line in lines}


def the_manifest_keeps_to_the_schema():
    assert faults_of(MANIFEST.read_text()) == []


def the_schema_refuses_what_weakens_an_enclave():
    text = MANIFEST.read_text()
    for bad in ("sgx.debug = true", 'sgx.remote_attestation = "none"', "sgx.isvsvn = true", 'sgx.enclave_size = "much"'):
        name = bad.split(" =")[0]
        assert faults_of(re.sub(rf"^{re.escape(name)} = .*$", bad, text, flags=re.M)) == [name], bad
    for more in ("loader.insecure__use_host_env = true", "loader.insecure__use_cmdline_argv = true", "sys.insecure__allow_eventfd = true",
                 'sgx.file_check_policy = "allow_all_but_log"', "sgx.no_such_setting = 1"):
        assert faults_of(text + more + "\n") == [more.split(" =")[0]], more
    assert faults_of(text.replace('loader.env.LD_LIBRARY_PATH = "', 'loader.env.HOME = { passthrough = true } #')) == ["loader.env"]


def every_mount_is_measured_but_the_state_directory():
    manifest = tomllib.loads(rendered(MANIFEST.read_text()))
    mounts = [m["uri"] for m in manifest["fs"]["mounts"]]
    assert manifest["sgx"]["allowed_files"] == [STATE + "/"]
    assert [m for m in mounts if not covered(m, manifest["sgx"]["trusted_files"])] == [STATE]


def every_library_of_the_program_is_measured_and_no_other_file():
    trusted = tomllib.loads(rendered(MANIFEST.read_text()))["sgx"]["trusted_files"]
    gramines = {"libc.so.6", "ld-linux-x86-64.so.2", "linux-vdso.so.1"}
    folder = f"file:{VALUES['arch_libdir']}/"
    assert {t.removeprefix(folder) for t in trusted if t.startswith(folder)} == libraries(pathlib.Path(sys.argv[2]) / "mesateed") - gramines


if __name__ == "__main__":
    sys.exit(report(sentences(the_manifest_keeps_to_the_schema, the_schema_refuses_what_weakens_an_enclave,
                              every_mount_is_measured_but_the_state_directory,
                              every_library_of_the_program_is_measured_and_no_other_file)))
