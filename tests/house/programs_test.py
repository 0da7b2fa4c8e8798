#!/usr/bin/env python3
"""The tools that read linked programs back meet good ones and bad ones. Reports in TAP. The argument is the source
root."""
import pathlib
import sys
import tempfile

from cases import ROOT, make, report, sentences, tool

PROGRAM = r"""
#include <stdio.h>
#include <string.h>
int main(int c, char **v)
{
    char b[64];
    memset(b, c, (unsigned)c);
    snprintf(b, sizeof b, "%s", v[0]);
    puts(b);
    return 0;
}
#ifdef BOTH
__attribute__((section(".both,\"awx\",@progbits#"))) int both = 1; /* the rest of the line is a comment */
#endif
#ifdef PATH
const char *const path = PATH;
#endif
"""
HARD = ["-O2", "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=3", "-fstack-protector-strong", "-fPIE", "-pie", "-w",
        "-Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code"]
SOFT = [
    ("a fixed address", ["-no-pie"], "not position independent"),
    ("lazy binding", ["-Wl,-z,lazy"], "binds lazily"),
    ("an executable stack", ["-Wl,-z,execstack"], "has an executable stack"),
    ("writable relocations", ["-Wl,-z,norelro"], "no read-only relocations"),
    ("code in one segment with the headers", ["-Wl,-z,noseparate-code"], "executes its own headers"),
    ("a segment both writable and executable", ["-DBOTH"], "both writable and executable"),
    ("a name that others could take", ["-rdynamic"], "exports main"),
    ("a search path", ["-Wl,-rpath,/tmp"], "searches for libraries"),
    ("no stack protector", ["-fno-stack-protector"], "has no stack protector"),
    ("no fortification", ["-D_FORTIFY_SOURCE=0"], "is not fortified"),
    ("a library that was not linked in", ["-Wl,--no-as-needed", "-lcrypto"], "needs libcrypto.so.3"),
    ("the path of its source", [f'-DPATH="{ROOT}/x"'], "contains the path of its source"),
]


def hardening_of(*flags):
    with tempfile.TemporaryDirectory() as t:
        pathlib.Path(t, "p.c").write_text(PROGRAM)
        make("cc", *HARD, f"{t}/p.c", "-o", f"{t}/p", *flags)
        return tool("hardening.sh", f"{t}/p")


def softness_is_refused(flags, words):
    status, said = hardening_of(*flags)
    assert status == 1 and words in said, said


def hardening_accepts_a_hard_program():
    status, said = hardening_of()
    assert status == 0, said


def hardening_refuses_a_program_that_is_not_there():
    status, said = tool("hardening.sh", "/nowhere")
    assert status == 1 and "is not there" in said, said


def exports_refuses_a_library_that_offers_more_than_its_prefix():
    with tempfile.TemporaryDirectory() as t:
        pathlib.Path(t, "l.c").write_text("int mesatee_a(void) { return 1; }\nint mt_b(void) { return 2; }\n")
        for flags, status in (["-fvisibility=hidden"], 1), ([], 1), (["-Dmt_b=mesatee_b"], 0):
            make("cc", "-shared", "-fPIC", *flags, f"{t}/l.c", "-o", f"{t}/l.so")
            got, said = tool("exports.sh", "mesatee_", f"{t}/l.so")
            assert got == status, (flags, said)


def reproducible_refuses_a_build_that_depends_on_its_path():
    for flags, value, status in ("'-g0'", "0", 0), ("'-DPATH=\"' + meson.project_build_root() + '\"'", "*PATH", 1):
        with tempfile.TemporaryDirectory() as t:
            pathlib.Path(t, "meson.build").write_text(f"project('x', 'c')\nexecutable('x', 'x.c', c_args: [{flags}])\n")
            pathlib.Path(t, "x.c").write_text(f"int main(void)\n{{\n    return {value};\n}}\n")
            make("meson", "setup", f"{t}/build", t)
            make("ninja", "-C", f"{t}/build")
            got, said = tool("reproducible.sh", t, f"{t}/build", "x")
            assert got == status, said


def tcb_counts_code_and_what_the_linker_took():
    with tempfile.TemporaryDirectory() as t:
        folder = pathlib.Path(t, "lib/base")
        folder.mkdir(parents=True)
        (folder / "a.c").write_text("/* not\n   code */\n\nint mt_a;\n\nint mt_b; // code\n")
        (folder / "a_test.c").write_text("int x;\n" * 50)
        pathlib.Path(t, "p.c").write_text("#include <openssl/sha.h>\nint main(void) { return !SHA256(0, 0, 0); }\n")
        make("cc", "-w", f"{t}/p.c", "-l:libcrypto.a", "-o", f"{t}/p", f"-Wl,-Map={t}/p.map")
        status, said = tool("tcb.py", t, f"{t}/p.map")
        assert status == 0 and "2 lines  lib/base" in said, said
        sizes = {line.split()[2]: int(line.split()[0]) for line in said.splitlines() if " KiB " in line}
        assert 10 < sizes["libcrypto.a"] < 20000 and sizes["libc.so.6"] > 1000, said


def main():
    cases = sentences(hardening_accepts_a_hard_program, hardening_refuses_a_program_that_is_not_there,
                      exports_refuses_a_library_that_offers_more_than_its_prefix,
                      reproducible_refuses_a_build_that_depends_on_its_path, tcb_counts_code_and_what_the_linker_took)
    cases += [(f"hardening refuses {what}", lambda f=flags, w=words: softness_is_refused(f, w))
              for what, flags, words in SOFT]
    return report(cases)


sys.exit(main())
