#!/usr/bin/env python3
"""Each tool that holds the tree to its law meets a small good tree, which it accepts, and bad ones, each wrong in one
point, which it must refuse by naming the point. Reports in TAP. The argument is the source root."""
import json
import pathlib
import sys
import tempfile

from cases import ROOT, make, report, tool

SPDX = "/* SPDX-FileCopyrightText: The MesaTEE authors */\n/* SPDX-License-Identifier: Apache-2.0 */\n"
A, AH, B, LABELS, README = "lib/base/a.c", "lib/base/a.h", "lib/wire/b.c", "lib/crypto/labels.h", "README.md"
FUZZ, GATE, API, SERVICE = "lib/wire/b_fuzz.c", "tee/gate/gate.c", "tee/api/service.h", "tee/services/data/data.c"


def header(guard, body):
    return f"{SPDX}#ifndef {guard}\n#define {guard}\n{body}#endif\n"


# A tree that every tool accepts.
GOOD = {
    "layers.txt": (ROOT / "layers.txt").read_text(),
    AH: header("MT_BASE_A_H", "#include <stddef.h>\nint mt_a_add(int a, int b);\n"),
    A: SPDX + '#include "base/a.h"\nint mt_a_add(int a, int b)\n{\n    return a + b; /* MT_LABEL_ONE */\n}\n',
    LABELS: header("MT_CRYPTO_LABELS_H", '#define MT_LABELS(X) X(MT_LABEL_ONE, "mesatee-one-v1")\n'),
    README: "`make all` makes `lib/base/a.c`, see [one](spec/one.md), that is `one.md`; "
            "`mesatee --json data get x --now`\n",
    "client/cli/verbs.c": SPDX + '/* {"data", "get", "data get FILE [--now]", */\n',
    "Makefile": "all: ; cc\n",
    "packages.txt": "[build]\ngcc  builds\n",
    "docs/dependencies.md": "| `gcc` | builds |\n",
    "spec/versions.md": "| labels.md, one.md, configuration.md | `a thing of another version` |\n",
    "spec/configuration.md": "| `one` | 0 to 9 | 1 |\n",
    "tee/node/config.c": SPDX + '/* {"one", NUMBER, AT(one), NULL, 1, 0, 9, "a thing of another version" */\n',
    "spec/labels.md": "| `mesatee-one-v1` | signed | one thing | one.md |\n",
    "spec/one.md": "With the label `mesatee-one-v1`.\n",
    "lib/wire/b.h": header("MT_WIRE_B_H", "int mt_b_parse(const char *s);\n"),
    B: SPDX + '#include "wire/b.h"\n\n#include "base/a.h"\nint mt_b_parse(const char *s)\n{\n'
              "    return mt_a_add(*s, 1);\n}\n",
    FUZZ: SPDX + '#include <stddef.h>\n#include "wire/b.h"\nint LLVMFuzzerTestOneInput(const char *s, size_t n)\n{\n'
                 "    return n > 0 ? mt_b_parse(s) : 0;\n}\n",
    "lib/wire/b_corpus/one": "1",
    "tee/gate/permit.h": header("MT_GATE_PERMIT_H",
                                "struct mt_permit;\nint mt_permit_subject(const struct mt_permit *p);\n"),
    "tee/gate/gate.h": header("MT_GATE_GATE_H", '#include "gate/permit.h"\nstruct mt_permit *mt_gate_admit(int a);\n'),
    GATE: SPDX + '#include "gate/gate.h"\nstruct mt_permit {\n    int subject;\n};\nstatic struct mt_permit one;\n'
                 "int mt_permit_subject(const struct mt_permit *p)\n{\n    return p->subject;\n}\n"
                 "struct mt_permit *mt_gate_admit(int a)\n{\n    one.subject = a;\n    return &one;\n}\n",
    API: header("MT_API_SERVICE_H", '#include "gate/permit.h"\n'),
    "tee/services/data/data.h": header("MT_SERVICES_DATA_DATA_H", '#include "api/service.h"\n'
                                       "int mt_data_get(const struct mt_permit *p);\n"),
    SERVICE: SPDX + '#include "services/data/data.h"\nint mt_data_get(const struct mt_permit *p)\n{\n'
                    "    return mt_permit_subject(p);\n}\n",
}


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
        make("cc", "-g", "-O1", "-w", "-I", folder / "lib", "-I", folder / "tee", "-c", c, "-o", build / f"{n}.o")
        entries.append({"file": f"../{c.relative_to(folder)}", "output": f"{n}.o"})
    (build / "compile_commands.json").write_text(json.dumps(entries))
    return build


def verdict(name, changes):
    with tempfile.TemporaryDirectory() as t:
        folder = pathlib.Path(t).resolve()
        plant(folder, changes)
        needs_objects = name in ("objects.py", "permit.py", "parsers.py")
        return tool(name, folder, *([compile_all(folder)] if needs_objects else []))


def accepts(name):
    status, said = verdict(name, {})
    assert status == 0, said


def refuses(name, changes, words):
    status, said = verdict(name, changes)
    assert status == 1, f"status {status}: {said}"
    assert words in said, f"does not say {words!r}: {said}"


def b_also_includes(line):
    return {B: ('#include "wire/b.h"\n', f'#include "wire/b.h"\n{line}\n')}


def b_calls(expression):
    return {B: ("mt_a_add(*s, 1)", expression)}


def a_also_has(text):
    return {A: ("int mt_a_add", f"{text}int mt_a_add")}


def a_function(lines=1, parameters="void", head="int mt_a_add"):
    return {A: SPDX + f"{head}({parameters})\n{{\n" + "    ;\n" * (lines - 1) + "}\n"}


HIDDEN = ("int mt_data_get", "#define P mt_permit\nstruct P { int subject; };\nstatic struct P one;\n"
          "const void *mt_data_one(void)\n{\n    return &one;\n}\nint mt_data_get")

# tool -> (sentence, what is wrong, what the tool must say)
CASES = {
    "layers.py": [
        ("a smaller zone may not include a greater one", {A: ('#include "base/a.h"\n', '#include "wire/b.h"\n')},
         "lib/base/a.c:3: may not include lib/wire/b.h"),
        ("a service may not include the gate", {SERVICE: ("{", '{\n#include "gate/gate.h"\n')},
         "may not include tee/gate/gate.h"),
        ("a service may not include the permit but through tee/api", {SERVICE: ("{", '{\n#include "gate/permit.h"\n')},
         "may not include tee/gate/permit.h"),
        ("tee/api may include one header of the gate alone",
         {API: ("gate/permit.h", "gate/gate.h")},
         "may not include tee/gate/gate.h"),
        ("lib/ may not include POSIX", b_also_includes("#include <sys/socket.h>"),
         "b.c:4: may not include <sys/socket.h>"),
        ("lib/wire may not include OpenSSL", b_also_includes("#include <openssl/evp.h>"),
         "not include <openssl/evp.h>"),
        ("the clock is not everybody's", b_also_includes("# include\t<time.h>"), "may not include <time.h>"),
        ("stdio is not everybody's", b_also_includes("#include <stdio.h>"), "may not include <stdio.h>"),
        ("an include that is broken over lines is seen", b_also_includes("#include \\\n<time.h>"),
         "not include <time.h>"),
        ("an include after a comment is seen", b_also_includes("/* */ #include <time.h>"), "may not include <time.h>"),
        ("an include by a digraph is seen", b_also_includes("%:include <time.h>"), "may not include <time.h>"),
        ("a header of ours in angle brackets is none", b_also_includes("#include <base/a.h>"),
         "not include <base/a.h>"),
        ("an include of what is no header is refused",
         {**b_also_includes('#include "base/a.inc"'), "lib/base/a.inc": "#include <time.h>\n"}, "includes base/a.inc"),
        ("a third party's header is its door's alone", {SERVICE: ("{", "{\n#include <jansson.h>\n")},
         "data.c:6: may not include <jansson.h>"),
        ("an include by macro is refused", b_also_includes("#define H <time.h>\n#include H"), "by macro"),
        ("a folder that the law does not know is refused", {"lib/utils/x.h": SPDX},
         "does not know the folder lib/utils"),
        ("a path from elsewhere is refused", {B: ('"wire/b.h"', '"b.h"')}, '"b.h" is not a path from'),
        ("a path with .. is refused", {B: ('"wire/b.h"', '"base/../wire/b.h"')}, "is not a path from"),
    ],
    "objects.py": [
        ("lib/ may not read the environment", b_calls("!getenv(s)"), "lib/wire/b.c: takes getenv, which nobody may"),
        ("lib/ may not open files", b_calls("!fopen(s, s)"), "may not take fopen"),
        ("lib/ may not open sockets", b_calls("socket(1, 2, 3)"), "may not take socket"),
        ("lib/ may not ask the time", b_calls("clock_gettime(0, s)"), "may not take clock_gettime"),
        ("a function of ours that is declared by hand is seen", {A: ("a + b", "mt_b_parse(0)")},
         "lib/base/a.c: may not take mt_b_parse of lib/wire/b.c"),
        ("a service may not take what the gate does not offer", {SERVICE: ("mt_permit_subject(p)", "mt_gate_admit(1)")},
         "may not take mt_gate_admit of tee/gate/gate.c"),
        ("nobody in tee/ starts a shell", {GATE: ("p->subject", 'system("")')}, "takes system, which nobody may"),
        ("a system call without a function is seen", b_calls('({ __asm__("syscall"); 1; })'),
         "lib/wire/b.c: has the instruction syscall"),
        ("the processor's clock is not everybody's", b_calls("(int)__builtin_ia32_rdtsc()"), "the instruction rdtsc"),
        ("a function under another's name is seen",
         {A: ("return a + b", 'extern int f(void) __asm__("time");\n    return f()')},
         "may not take time"),
        ("a global name of the client without prefix is refused",
         {"client/cli/c.c": "int helper(void)\n{\n    return 1;\n}\n"}, "client/cli/c.c: helper is global"),
        ("a global name without prefix is refused", a_also_has("int helper(void)\n{\n    return 1;\n}\n"),
         "helper is global and does not begin with mt_"),
        ("OpenSSL's own way to files is closed",
         {"lib/crypto/c.c": "int mt_c_x(void)\n{\n    return BIO_new_file();\n}\n"}, "may not take BIO_new_file"),
    ],
    "permit.py": [
        ("a service that names a constructor is refused", {SERVICE: ("{", "{\n    extern int mt_gate_admit(int);\n")},
         "names mt_gate_admit"),
        ("a service that hides a constructor's name in a macro is refused",
         {SERVICE: ("mt_permit_subject(p)", "G(admit)(1)"), API: ("#endif", "#define G(x) mt_ga##te_##x\n#endif")},
         "its object takes mt_gate_admit"),
        ("a service that defines the permit is refused",
         {SERVICE: ("int mt", "struct /* */ mt_permit\n{ int i; };\nint mt")},
         "defines struct mt_permit"),
        ("a service that defines the permit by a macro is refused", {SERVICE: HIDDEN},
         "knows what a permit consists of"),
        ("a service that casts to a permit is refused", {SERVICE: ("(p)", '((const struct mt_permit *)"x")')},
         "casts something to a permit"),
        ("a service that makes a permit of bytes is refused",
         {SERVICE: ("{", '{\n    static char forged[9];\n    const struct mt_permit *q = (void *)forged;\n    p = q;\n')},
         "has a permit that it was not given"),
        ("a gate without constructors is no gate", {"tee/gate/gate.h": ("struct mt_permit *mt_gate_admit(int a);\n", "")},
         "looks in the wrong place"),
    ],
    "parsers.py": [
        ("a parser that no target calls is refused", {FUZZ: ("mt_b_parse(s)", "1")},
         "mt_b_parse is called by no fuzz target"),
        ("a parser that no header declares is counted", a_also_has("int mt_a_parse_all(void)\n{\n    return 1;\n}\n"),
         "lib/base/a.c: mt_a_parse_all is called by no fuzz target"),
        ("a target without corpus is refused", {"lib/wire/b_corpus/one": None},
         "no committed corpus in lib/wire/b_corpus"),
    ],
    "shape.py": [
        ("a function of 71 lines is refused", a_function(lines=72), "mt_a_add has 71 lines"),
        ("a function of 6 parameters is refused",
         a_function(parameters="int a, int b, int (*c)(int, int), int d, int e,\n    int f"),
         "has 6 parameters"),
        ("a declaration of 6 parameters is refused",
         {AH: ("(int a, int b)", "(int a, int b, int c, int d, int e, int f)")},
         "has 6 parameters"),
        ("a file of 1001 lines is refused", {A: SPDX + "\n" * 999}, "1001 lines, more than 1000"),
        ("a header of 251 lines is refused", {AH: ("#endif\n", "\n" * 244 + "#endif\n")}, "251 lines, more than 250"),
        ("a static function with a global's prefix is refused", a_function(head="static int mt_a_add"), "is static"),
        ("a header with another's guard is refused", {AH: ("MT_BASE_A_H", "MT_BASE_B_H")},
         "its guard is not MT_BASE_A_H"),
        ("a file without licence is refused", {A: "int mt_x;\n"}, "SPDX"),
        ("an unfinished thing is refused", {A: ("{", "{ /* TO" + "DO */")}, "marks something unfinished"),
    ],
    "docs.py": [
        ("a file that is not there is missed", {README: ("lib/base/a.c", "lib/base/b.c")},
         "README.md:1: there is no lib/base/b.c"),
        ("a link to nowhere is seen", {README: ("(spec/one.md)", "(spec/two.md)")}, "there is no spec/two.md"),
        ("a page of spec/ that is not there is missed", {README: ("`one.md`", "`two.md`")}, "there is no two.md"),
        ("a target that is not there is missed", {README: ("make all", "make most")}, "there is no target most"),
        ("a verb that is not there is missed", {README: ("data get", "data git")}, "no command mesatee data git"),
        ("an option that is not there is missed", {README: ("--now", "--soon")}, "mesatee data get takes no --soon"),
        ("a page without a version is refused", {"spec/versions.md": ("one.md", "")},
         "does not say how one.md changes"),
        ("a refusal that nothing says is refused", {"spec/versions.md": ("a thing", "no thing")},
         "nothing says 'no thing of another version'"),
        ("a setting of another range is refused", {"tee/node/config.c": ("0, 9", "0, 8")},
         "does not have | `one` | 0 to 8 | 1 |"),
        ("a package without a reason is refused", {"packages.txt": ("gcc", "tcc")}, "says nothing of tcc"),
        ("a path of somebody's machine is refused", {A: ("/* MT", "/* /ho" + "me/me MT")},
         "lib/base/a.c:6: names a path of"),
        ("what was generated is refused", {"lib/base/a.o": "\0"}, "lib/base/a.o: a binary"),
    ],
    "labels.py": [
        ("a label that the page does not have is refused", {LABELS: ("mesatee-one-v1", "mesatee-two-v1")},
         "differ: mesatee-one-v1, mesatee-two-v1"),
        ("a label that nobody uses is refused", {A: ("MT_LABEL_ONE", "none")}, "nobody uses MT_LABEL_ONE"),
        ("a label that the code writes itself is refused", b_calls('*"mesatee-two-v1"'),
         "lib/wire/b.c: writes mesatee-two-v1"),
        ("a page that does not name its label is refused", {"spec/one.md": "nothing"}, "spec/one.md does not name"),
    ],
    "headers.sh": [
        ("a header that needs another first is refused", {AH: ("int mt_a_add(int a", "int mt_a_add(uint8_t a")},
         "a.h does not stand alone"),
        ("a header that breaks when included twice is refused", {AH: "enum { MT_ONE };\n"}, "a.h does not stand alone"),
    ],
}


def main():
    cases = [(f"{name}: a good tree is accepted", lambda n=name: accepts(n)) for name in CASES]
    cases += [(f"{name}: {sentence}", lambda n=name, c=changes, w=words: refuses(n, c, w))
              for name, table in CASES.items() for sentence, changes, words in table]
    return report(cases)


sys.exit(main())
