#!/usr/bin/env python3
"""A check that cannot fail is not a check: each tool of the house meets small trees, one good, the others bad in one
point each, and must refuse these and name the point. Reports in TAP. The argument is the source root."""
import json
import pathlib
import subprocess
import sys
import tempfile
import traceback

ROOT = pathlib.Path(sys.argv[1]).resolve()
SPDX = "/* SPDX-FileCopyrightText: The MesaTEE authors */\n/* SPDX-License-Identifier: Apache-2.0 */\n"
BANNED = (ROOT / "lib/base/banned.h").read_text()

# A tree that every tool accepts.
GOOD = {
    "layers.txt": (ROOT / "layers.txt").read_text(),
    "lib/base/a.h": SPDX + "#ifndef MT_BASE_A_H\n#define MT_BASE_A_H\n#include <stddef.h>\nint mt_a_add(int a, int b);\n#endif\n",
    "lib/base/a.c": SPDX + '#include "base/a.h"\nint mt_a_add(int a, int b)\n{\n    return a + b;\n}\n',
    "lib/wire/b.h": SPDX + "#ifndef MT_WIRE_B_H\n#define MT_WIRE_B_H\nint mt_b_parse(const char *s);\n#endif\n",
    "lib/wire/b.c": SPDX + '#include "wire/b.h"\n\n#include "base/a.h"\nint mt_b_parse(const char *s)\n{\n    return mt_a_add(*s, 1);\n}\n',
    "lib/wire/b_fuzz.c": SPDX + '#include <stddef.h>\n#include "wire/b.h"\nint LLVMFuzzerTestOneInput(const char *s, size_t n)\n'
                                '{\n    return n > 0 ? mt_b_parse(s) : 0;\n}\n',
    "lib/wire/b_corpus/one": "1",
    "tee/gate/permit.h": SPDX + "#ifndef MT_GATE_PERMIT_H\n#define MT_GATE_PERMIT_H\nstruct mt_permit;\nint mt_permit_subject(const struct mt_permit *p);\n#endif\n",
    "tee/gate/gate.h": SPDX + '#ifndef MT_GATE_GATE_H\n#define MT_GATE_GATE_H\n#include "gate/permit.h"\nstruct mt_permit *mt_gate_admit(int a);\n#endif\n',
    "tee/gate/gate.c": SPDX + '#include "gate/gate.h"\nstruct mt_permit {\n    int subject;\n};\n'
                              'static struct mt_permit one;\nint mt_permit_subject(const struct mt_permit *p)\n{\n    return p->subject;\n}\n'
                              'struct mt_permit *mt_gate_admit(int a)\n{\n    one.subject = a;\n    return &one;\n}\n',
    "tee/api/service.h": SPDX + '#ifndef MT_API_SERVICE_H\n#define MT_API_SERVICE_H\n#include "gate/permit.h"\n#endif\n',
    "tee/services/data/data.h": SPDX + '#ifndef MT_SERVICES_DATA_DATA_H\n#define MT_SERVICES_DATA_DATA_H\n#include "api/service.h"\n'
                                       'int mt_data_get(const struct mt_permit *p);\n#endif\n',
    "tee/services/data/data.c": SPDX + '#include "services/data/data.h"\nint mt_data_get(const struct mt_permit *p)\n{\n    return mt_permit_subject(p);\n}\n',
}
SERVICE = "tee/services/data/data.c"


def tool(name, *arguments):
    done = subprocess.run([str(ROOT / "tools" / name), *map(str, arguments)], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    return done.returncode, done.stdout


def plant(folder, changes):
    """Writes GOOD with the changes: a text replaces a file, a pair replaces a part of it, None removes it."""
    files = dict(GOOD)
    for path, change in changes.items():
        if change is None:
            del files[path]
        elif isinstance(change, tuple):
            assert change[0] in files[path], f"{path} has no {change[0]!r}"
            files[path] = files[path].replace(*change)
        else:
            files[path] = change
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


def compile_all(folder):
    """Makes the build folder that Meson would: objects and compile_commands.json."""
    build, entries = folder / "build", []
    build.mkdir()
    for n, c in enumerate(sorted(folder.rglob("*.c"))):
        subprocess.run(["cc", "-g", "-O1", "-w", "-I", folder / "lib", "-I", folder / "tee", "-c", c, "-o", build / f"{n}.o"], check=True)
        entries.append({"directory": str(build), "file": f"../{c.relative_to(folder)}", "output": f"{n}.o"})
    (build / "compile_commands.json").write_text(json.dumps(entries))
    return build


def verdict(name, changes):
    """(status, words) of a tool about GOOD with the changes."""
    with tempfile.TemporaryDirectory() as t:
        folder = pathlib.Path(t).resolve()
        plant(folder, changes)
        if name in ("layers.py", "shape.py", "headers.sh"):
            return tool(name, folder)
        return tool(name, folder, compile_all(folder))


def accepts(name, **_):
    status, words = verdict(name, {})
    assert status == 0, words


def refuses(name, changes, *words):
    status, said = verdict(name, changes)
    assert status == 1, f"status {status}: {said}"
    for w in words:
        assert w in said, f"does not say {w!r}: {said}"


def function(lines=1, parameters="void", head="int mt_a_add"):
    return SPDX + f"{head}({parameters})\n{{\n" + "    ;\n" * (lines - 1) + "}\n"


B, A = "lib/wire/b.c", "lib/base/a.c"
INCLUDE = '#include "wire/b.h"\n'
CASES = [
    ("layers.py", "a smaller zone may not include a greater one", {A: ('#include "base/a.h"\n', '#include "base/a.h"\n#include "wire/b.h"\n')},
     "lib/base/a.c:4: may not include lib/wire/b.h"),
    ("layers.py", "a service may not include the gate", {SERVICE: ("{", '{\n#include "gate/gate.h"\n')}, "may not include tee/gate/gate.h"),
    ("layers.py", "a service may not include the permit but through tee/api", {SERVICE: ("{", '{\n#include "gate/permit.h"\n')},
     "may not include tee/gate/permit.h"),
    ("layers.py", "tee/api may include one header of the gate alone", {"tee/api/service.h": ("gate/permit.h", "gate/gate.h")},
     "may not include tee/gate/gate.h"),
    ("layers.py", "lib/ may not include POSIX", {B: (INCLUDE, INCLUDE + "#include <sys/socket.h>\n")}, "b.c:4: may not include <sys/socket.h>"),
    ("layers.py", "lib/wire may not include OpenSSL", {B: (INCLUDE, INCLUDE + "#include <openssl/evp.h>\n")}, "may not include <openssl/evp.h>"),
    ("layers.py", "the clock is not everybody's", {B: (INCLUDE, INCLUDE + "# include\t<time.h>\n")}, "may not include <time.h>"),
    ("layers.py", "stdio is not everybody's", {B: (INCLUDE, INCLUDE + "#include <stdio.h>\n")}, "may not include <stdio.h>"),
    ("layers.py", "an include that is broken over lines is seen", {B: (INCLUDE, INCLUDE + "#include \\\n<time.h>\n")}, "may not include <time.h>"),
    ("layers.py", "an include after a comment is seen", {B: (INCLUDE, INCLUDE + "/* */ #include <time.h>\n")}, "may not include <time.h>"),
    ("layers.py", "an include by macro is refused", {B: (INCLUDE, INCLUDE + "#define H <time.h>\n#include H\n")}, "by macro"),
    ("layers.py", "a folder that the law does not know is refused", {"lib/utils/x.h": SPDX}, "does not know the folder lib/utils"),
    ("layers.py", "a relative path is refused", {B: (INCLUDE, '#include "b.h"\n')}, '"b.h" is not a path from'),
    ("layers.py", "a path with .. is refused", {B: (INCLUDE, '#include "base/../wire/b.h"\n')}, "is not a path from"),
    ("objects.py", "lib/ may not read the environment", {B: ("mt_a_add(*s, 1)", '!getenv(s)')}, "lib/wire/b.c: takes getenv, which nobody may"),
    ("objects.py", "lib/ may not open files", {B: ("mt_a_add(*s, 1)", '!fopen(s, s)')}, "may not take fopen"),
    ("objects.py", "lib/ may not open sockets", {B: ("mt_a_add(*s, 1)", "socket(1, 2, 3)")}, "may not take socket"),
    ("objects.py", "lib/ may not ask the time", {B: ("mt_a_add(*s, 1)", "clock_gettime(0, s)")}, "may not take clock_gettime"),
    ("objects.py", "a function of ours that is declared by hand is seen", {A: ("a + b", "mt_b_parse(0)")}, "lib/base/a.c: may not take mt_b_parse of lib/wire/b.c"),
    ("objects.py", "a service may not take what the gate does not offer", {SERVICE: ("mt_permit_subject(p)", "mt_gate_admit(1)")},
     "may not take mt_gate_admit of tee/gate/gate.c"),
    ("objects.py", "nobody in tee/ starts a shell", {"tee/gate/gate.c": ("p->subject", 'system("")')}, "takes system, which nobody may"),
    ("objects.py", "a global name without prefix is refused", {A: ("int mt_a_add", "int helper(void) { return 1; }\nint mt_a_add")},
     "helper is global and does not begin with mt_"),
    ("objects.py", "OpenSSL's own way to files is closed", {"lib/crypto/c.c": "int mt_c_x(void)\n{\n    return BIO_new_file();\n}\n"}, "may not take BIO_new_file"),
    ("permit.py", "a service that names a constructor is refused", {SERVICE: ("{", "{\n    extern int mt_gate_admit(int);\n")}, "names mt_gate_admit"),
    ("permit.py", "a service that hides a constructor's name in a macro is refused",
     {SERVICE: ("mt_permit_subject(p)", "G(admit)(1)"), "tee/api/service.h": ("#endif", "#define G(x) mt_ga##te_##x\n#endif")},
     "its object takes mt_gate_admit"),
    ("permit.py", "a service that defines the permit is refused", {SERVICE: ("int mt_data_get", "struct /* */ mt_permit\n{ int subject; };\nint mt_data_get")},
     "defines struct mt_permit"),
    ("permit.py", "a service that defines the permit by a macro is refused",
     {SERVICE: ("int mt_data_get", "#define P mt_permit\nstruct P { int subject; };\nstatic struct P p1;\nconst void *mt_data_p(void)\n{\n    return &p1;\n}\nint mt_data_get")},
     "knows what a permit consists of"),
    ("permit.py", "a service that casts to a permit is refused", {SERVICE: ("(p)", "((const struct mt_permit *)\"x\")")}, "casts something to a permit"),
    ("parsers.py", "a parser that no target calls is refused", {"lib/wire/b_fuzz.c": ("mt_b_parse(s)", "1")}, "mt_b_parse is called by no fuzz target"),
    ("parsers.py", "a parser that no header declares is counted", {A: ("int mt_a_add", "int mt_a_parse_all(void)\n{\n    return 1;\n}\nint mt_a_add")},
     "lib/base/a.c: mt_a_parse_all is called by no fuzz target"),
    ("parsers.py", "a target without corpus is refused", {"lib/wire/b_corpus/one": None}, "no committed corpus in lib/wire/b_corpus"),
    ("shape.py", "a function of 71 lines is refused", {A: function(lines=72)}, "mt_a_add has 71 lines"),
    ("shape.py", "a function of 6 parameters is refused", {A: function(parameters="int a, int b, int (*c)(int, int), int d, int e,\n    int f")}, "has 6 parameters"),
    ("shape.py", "a declaration of 6 parameters is refused", {"lib/base/a.h": ("(int a, int b)", "(int a, int b, int c, int d, int e, int f)")}, "has 6 parameters"),
    ("shape.py", "a file of 1001 lines is refused", {A: SPDX + "\n" * 999}, "1001 lines, more than 1000"),
    ("shape.py", "a header of 251 lines is refused", {"lib/base/a.h": ("#endif\n", "\n" * 244 + "#endif\n")}, "251 lines, more than 250"),
    ("shape.py", "a static function with a global's prefix is refused", {A: function(head="static int mt_a_add")}, "is static"),
    ("shape.py", "a header with another's guard is refused", {"lib/base/a.h": ("MT_BASE_A_H", "MT_BASE_B_H")}, "its guard is not MT_BASE_A_H"),
    ("shape.py", "a file without licence is refused", {A: "int mt_x;\n"}, "SPDX"),
    ("shape.py", "an unfinished thing is refused", {A: ("{", "{ /* TO" + "DO */")}, "marks something unfinished"),
    ("headers.sh", "a header that needs another first is refused", {"lib/base/a.h": ("int mt_a_add(int a", "int mt_a_add(uint8_t a")}, "a.h does not stand alone"),
    ("headers.sh", "a header that breaks when included twice is refused",
     {"lib/base/a.h": "enum { MT_ONE };\n"}, "a.h does not stand alone"),
]


def log(folder, *tests):
    path = pathlib.Path(folder, "testlog.json")
    path.write_text("".join(json.dumps(dict(zip(("name", "result", "stdout"), t))) + "\n" for t in tests))
    return path


def tally_of(status, *tests):
    with tempfile.TemporaryDirectory() as t:
        return tool("tally.py", status, log(t, *tests))


def tally_counts_sentences_and_plain_tests():
    status, said = tally_of(0, ("a", "OK", "1..2\nok 1 - x\nok 2 - y # SKIP no root\n"), ("b", "OK", "fine"), ("c", "SKIP", "no disk\n"))
    assert (status, said.splitlines()[-1]) == (0, "2 passed, 0 failed, 2 skipped"), said
    assert "skipped a: y: no root" in said and "skipped c: no disk" in said, said


def tally_fails_for_whatever_did_not_pass():
    for status, tests in [(0, []), (1, [("a", "OK", "ok 1 - x\n")]), (0, [("a", "OK", ""), ("b", "FAIL", "")]),
                          (0, [("a", "ERROR", "1..2\nok 1 - x\n")]), (0, [("a", "TIMEOUT", "ok 1 - x\n")]),
                          (0, [("a", "FAIL", "ok 1\nnot ok 2 - y\n")]), (0, [("a", "OK", "ok 1\nok 2 - y # SKIP\n")])]:
        got, said = tally_of(status, *tests)
        assert got == 1 and "0 failed" not in said, (tests, said)


ADD = "int add(int a, int b)\n{\n    return a + b;\n}\n"
PROJECT = {
    "meson.build": "project('x', 'c')\ntest('adds', executable('adds', 'adds.c', 'add.c'), protocol: 'tap')\n",
    "add.c": ADD,
    "adds.c": '#include <stdio.h>\nint add(int, int);\nint main(void)\n{\n    puts("1..1");\n'
              '    puts(add(1, 2) == 3 ? "ok 1 - one and two" : "not ok 1 - one and two");\n}\n',
    ".gitignore": "build-mutants/\n",
}


def patch(promise, test, old, new):
    body = "".join("-" + line + "\n" if line == old else " " + line + "\n" for line in ADD.splitlines())
    body = body.replace(f"-{old}\n", f"-{old}\n+{new}\n")
    return f"# Promise: {promise}\n# Test: {test}\n--- a/add.c\n+++ b/add.c\n@@ -1,4 +1,4 @@\n{body}"


MUTANTS = {
    "001-killed": (patch("sums", "adds", "    return a + b;", "    return a - b;"), "killed  001-killed"),
    "002-equal": (patch("sums", "adds", "    return a + b;", "    return b + a;"), "SURVIVES adds"),
    "003-broken": (patch("sums", "adds", "    return a + b;", "    return a + ;"), "does not compile"),
    "004-old": (patch("sums", "adds", "    return a + b;", "    return a - b;").replace("-    return a + b", "-    return a * b"), "does not apply"),
    "005-untested": (patch("sums", "nobody", "    return a + b;", "    return a - b;"), "there is no test nobody"),
    "006-silent": (patch("", "adds", "    return a + b;", "    return a - b;"), "it lacks `# Promise:`"),
}


def mutants_of(names, **changes):
    with tempfile.TemporaryDirectory() as t:
        folder = pathlib.Path(t).resolve()
        for path, text in {**PROJECT, **changes}.items():
            (folder / path).write_text(text)
        (folder / "tests/mutants").mkdir(parents=True)
        for name in names:
            (folder / f"tests/mutants/{name}.patch").write_text(MUTANTS[name][0])
        subprocess.run(["git", "init", "-q", folder], check=True)
        return tool("mutants.py", folder)


def a_mutant_that_its_test_sees_is_killed():
    status, said = mutants_of(["001-killed"])
    assert status == 0 and "adds: one and two" in said and "1 mutants, 1 killed" in said, said


def a_mutant_that_lives_or_is_no_mutant_fails():
    status, said = mutants_of(sorted(MUTANTS))
    assert status == 1 and "6 mutants, 1 killed" in said, said
    for name, (_, words) in MUTANTS.items():
        assert words in said[said.index(name) - 8:], f"{name} is not reported as {words!r}: {said}"


def a_test_that_is_red_anyway_kills_nothing():
    status, said = mutants_of(["001-killed"], **{"add.c": ADD.replace("+", "*")})
    assert status == 1 and "its test adds is red without it" in said, said


def a_build_that_depends_on_its_path_is_refused():
    for flags, status in ("'-g0'", 0), ("'-DPATH=\"' + meson.project_build_root() + '\"'", 1):
        with tempfile.TemporaryDirectory() as t:
            pathlib.Path(t, "meson.build").write_text(f"project('x', 'c')\nexecutable('x', 'x.c', c_args: [{flags}])\n")
            pathlib.Path(t, "x.c").write_text(f"int main(void)\n{{\n    return {'*PATH' if status else '0'};\n}}\n")
            subprocess.run(["meson", "setup", f"{t}/build", t], check=True, stdout=subprocess.DEVNULL)
            subprocess.run(["ninja", "-C", f"{t}/build"], check=True, stdout=subprocess.DEVNULL)
            got, said = tool("reproducible.sh", t, f"{t}/build", "x")
            assert got == status, said


PROGRAM = ("#include <stdio.h>\n#include <string.h>\nint main(int c, char **v)\n{\n    char b[64];\n"
           "    memset(b, c, (unsigned)c);\n    snprintf(b, sizeof b, \"%s\", v[0]);\n    puts(b);\n    return 0;\n}\n")
HARD = ["-O2", "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=3", "-fstack-protector-strong", "-fPIE", "-pie", "-w",
        "-Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code"]
SOFT = [
    ("a fixed address", ["-no-pie"], "not position independent"),
    ("lazy binding", ["-Wl,-z,lazy"], "binds lazily"),
    ("an executable stack", ["-Wl,-z,execstack"], "has an executable stack"),
    ("writable relocations", ["-Wl,-z,norelro"], "no read-only relocations"),
    ("code in one segment with the headers", ["-Wl,-z,noseparate-code"], "executes its own headers"),
    ("a search path", ["-Wl,-rpath,/tmp"], "searches for libraries"),
    ("no stack protector", ["-fno-stack-protector"], "has no stack protector"),
    ("no fortification", ["-D_FORTIFY_SOURCE=0"], "is not fortified"),
    ("a library that was not linked in", ["-Wl,--no-as-needed", "-lcrypto"], "needs libcrypto.so.3"),
    ("the path of its source", [f'-DPATH="{ROOT}/x"', "-include", "path.h"], "contains the path of its source"),
]


def hardening_of(*flags):
    with tempfile.TemporaryDirectory() as t:
        pathlib.Path(t, "p.c").write_text(PROGRAM)
        pathlib.Path(t, "path.h").write_text("#ifdef PATH\nconst char *const path = PATH;\n#endif\n")
        subprocess.run(["cc", *HARD, f"-I{t}", f"{t}/p.c", "-o", f"{t}/p", *flags], check=True)
        return tool("hardening.sh", f"{t}/p")


def softness_is_refused(flags, words):
    status, said = hardening_of(*flags)
    assert status == 1 and words in said, said


def a_hard_program_is_accepted():
    status, said = hardening_of()
    assert status == 0, said


def a_library_that_exports_more_is_refused():
    with tempfile.TemporaryDirectory() as t:
        pathlib.Path(t, "l.c").write_text("int mesatee_a(void) { return 1; }\nint mt_b(void) { return 2; }\n")
        for flags, status in (["-fvisibility=hidden"], 1), ([], 1), (["-Dmt_b=mesatee_b"], 0):
            subprocess.run(["cc", "-shared", "-fPIC", *flags, f"{t}/l.c", "-o", f"{t}/l.so"], check=True)
            got, said = tool("exports.sh", "mesatee_", f"{t}/l.so")
            assert got == status, (flags, said)


def main():
    cases = [(f"{name}: a good tree is accepted", lambda n=name: accepts(n))
             for name in ("layers.py", "objects.py", "permit.py", "parsers.py", "shape.py", "headers.sh")]
    cases += [(f"{name}: {sentence}", lambda n=name, c=changes, w=words: refuses(n, c, *w)) for name, sentence, changes, *words in CASES]
    cases += [(f.__name__.replace("_", " "), f) for f in (tally_counts_sentences_and_plain_tests, tally_fails_for_whatever_did_not_pass,
               a_mutant_that_its_test_sees_is_killed, a_mutant_that_lives_or_is_no_mutant_fails,
               a_test_that_is_red_anyway_kills_nothing, a_hard_program_is_accepted,
               a_library_that_exports_more_is_refused, a_build_that_depends_on_its_path_is_refused)]
    cases += [(f"hardening.sh: {what} is refused", lambda f=flags, w=words: softness_is_refused(f, w)) for what, flags, words in SOFT]
    print(f"1..{len(cases)}")
    failed = 0
    for n, (sentence, check) in enumerate(cases, 1):
        try:
            check()
            print(f"ok {n} - {sentence}")
        except (AssertionError, subprocess.CalledProcessError):
            failed += 1
            print(f"not ok {n} - {sentence}")
            print("".join("# " + line + "\n" for line in traceback.format_exc().splitlines()), end="")
    return 1 if failed else 0


sys.exit(main())
