#!/usr/bin/env python3
"""Sizes and names that the eye should not have to watch. The argument is the source root.

Refused are: a function of more than 70 lines or 5 parameters, a .c of more than 1000 lines, a header of more than
250, a global function without its prefix, a static one with it, a header without its guard, a file without its
licence, and words that mark something unfinished.
"""
import pathlib
import re
import sys

import law as the_law

FUNCTION_LINES_MAX, PARAMETERS_MAX, SOURCE_LINES_MAX, HEADER_LINES_MAX = 70, 5, 1000, 250
# clang-format puts a function's brace alone into column 0, so that no C parser is needed to find it. A macro
# (__attribute__ and its like) after the parameters stays in the head.
FUNCTION = re.compile(r"^(?P<head>[A-Za-z_][^;{}#/]*?)\n\{\n(?P<body>.*?)^\}", re.S | re.M)
PROTOTYPE = re.compile(r"^(?P<head>(?!typedef\b)[A-Za-z_][^;{}#=/]*\)[^;{}#=/()]*);", re.S | re.M)
# Callbacks whose parameters OpenSSL has chosen (provider-rand(7)).
FOREIGN_SHAPES = {"rand_instantiate", "rand_generate", "rand_reseed"}
LICENCE = "/* SPDX-FileCopyrightText: The MesaTEE authors */\n/* SPDX-License-Identifier: Apache-2.0 */\n"
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


def without_comments(text):
    """The same text, line for line, with comments and strings blank."""
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'',
                  lambda m: re.sub(r"[^\n]", " ", m[0]), text, flags=re.S)


def name_and_parameters(head):
    """(name, number of parameters) of a function's head."""
    head = re.sub(r"__attribute__\s*\(\(.*?\)\)", "", head, flags=re.S)
    m = re.search(r"(\w+)\s*\((.*)\)\s*\w*\s*$", head, re.S)
    if not m:
        return None, 0
    depth, count = 0, 1
    for c in m[2]:
        depth += (c == "(") - (c == ")")
        count += c == "," and depth == 0
    return m[1], 0 if m[2].strip() in ("", "void") else count


def function_faults(file, code):
    for m in [*FUNCTION.finditer(code), *(PROTOTYPE.finditer(code) if file.endswith(".h") else [])]:
        name, parameters = name_and_parameters(m["head"])
        at = f"{file}:{code.count(chr(10), 0, m.start()) + 1}"
        if name is None:
            continue
        lines = m.groupdict().get("body", "").count("\n")
        if lines > FUNCTION_LINES_MAX:
            yield f"{at}: {name} has {lines} lines, more than {FUNCTION_LINES_MAX}"
        if parameters > PARAMETERS_MAX and name not in FOREIGN_SHAPES:
            yield f"{at}: {name} has {parameters} parameters, more than {PARAMETERS_MAX}"
        is_static = re.match(r"static\b", m["head"]) is not None
        if is_static and file.endswith(".c") and name.startswith("mt_"):
            yield f"{at}: {name} is static and has the prefix of a global function"


def file_faults(file, text):
    code = without_comments(text)
    limit = HEADER_LINES_MAX if file.endswith(".h") else SOURCE_LINES_MAX
    lines = text.count("\n")
    if lines > limit:
        yield f"{file}: {lines} lines, more than {limit}"
    if not text.startswith(LICENCE):
        yield f"{file}: does not begin with the two SPDX lines"
    if file.endswith(".h"):
        guard = "MT_" + re.sub(r"\W", "_", "/".join(pathlib.Path(file).parts[1:])).upper()
        guards = re.findall(r"^#\s*(?:ifndef|define)\s+(\w+_H)$", code, re.M)
        if guards[:2] != [guard, guard]:
            yield f"{file}: its guard is not {guard}"
    for m in UNFINISHED.finditer(text):
        yield f"{file}:{text.count(chr(10), 0, m.start()) + 1}: {m[0]} marks something unfinished"
    yield from function_faults(file, code)


def main(root):
    files = sorted(p for zone in the_law.ROOTS for p in (root / zone).rglob("*.[ch]"))
    faults = [f for p in files for f in file_faults(str(p.relative_to(root)), p.read_text())]
    print("\n".join(faults) or f"{len(files)} files keep their shape")
    return 1 if faults or not files else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
