#!/usr/bin/env python3
"""Hold the compiled objects to layers.txt: objects.py ROOT BUILD.

An include shows what a file may name; an object shows what it does take. Refused are: a function of a folder of
ours or of a library that the row does not allow (so "pure" is proved, not declared), what stands under [never], an
instruction that asks the kernel, the clock or the processor's randomness past all functions, and a global name that
does not begin with mt_ (in client/mesatee, whose library is public, mesatee_ too).
"""
import fnmatch
import pathlib
import re
import sys

import compiled
import law as the_law


# x86-64 and ARM: system calls, time stamps, random numbers.
PAST_ALL = re.compile(r"\t(syscall|sysenter|int \$0x80|rdtscp?|rdrand|rdseed|svc|mrs\s+\S+, cntv?ct\w+)\b")

PROGRAMS = "tee/node/", "tee/boot/", "client/cli/"  # these have a main()


class Others:
    """The functions of others that each word of the law stands for."""

    def __init__(self, law):
        self.law, self.libraries = law, {}

    def is_in(self, word, name):
        answer = False
        for entry in self.law.functions.get(word, []):
            pattern = entry.lstrip("!")
            if re.search(r"\.(a|so)\b", pattern):
                if pattern not in self.libraries:
                    self.libraries[pattern] = compiled.gives_of_library(pattern)
                hit = name in self.libraries[pattern]
            else:
                hit = fnmatch.fnmatchcase(name, pattern)
            if hit:
                answer = not entry.startswith("!")
        return answer


def may_take_ours(root, law, o, name, homes):
    """Whether the object may take a function of ours that is defined in the files `homes`."""
    ours = law.row_of(o.source)[0]
    if any(the_law.allowed(home.rsplit("/", 1)[0], ours) for home in homes):
        return True
    headers = [root / h for h in law.single_headers(o.source)]
    return any(re.search(rf"\b{name}\b", h.read_text()) for h in headers if h.is_file())


def faults_of(root, law, others, homes, o):
    if law.row_of(o.source) is None:
        yield f"{o.source}: layers.txt does not know its folder"
        return
    is_trusted = o.source.startswith(("lib/", "tee/"))
    words = law.row_of(o.source)[1]
    for name in sorted(o.takes):
        if is_trusted and compiled.plain(name) in law.never:
            yield f"{o.source}: takes {name}, which nobody may"
        elif name in homes:
            if not may_take_ours(root, law, o, name, homes[name]):
                yield f"{o.source}: may not take {name} of {', '.join(sorted(homes[name]))}"
        elif name.startswith("mt_") or not is_trusted or "**" in words:
            continue  # ours and not built here: a program would not link
        elif not any(others.is_in(w, n) for w in words for n in (name, compiled.plain(name))):
            yield f"{o.source}: may not take {name}: none of {', '.join(words)}"
    if is_trusted:
        code = compiled.run("objdump", "-d", "--no-show-raw-insn", o.path)
        for instruction in sorted(set(PAST_ALL.findall(re.sub(r" +", " ", code)))):
            yield f"{o.source}: has the instruction {instruction}, which asks past all functions"
    prefixes = ("mt_", "mesatee_") if o.source.startswith("client/mesatee/") else ("mt_",)
    for name in sorted(o.gives):
        if not name.startswith(prefixes) and not (name == "main" and o.source.startswith(PROGRAMS)):
            yield f"{o.source}: {name} is global and does not begin with mt_"


def main(root, build):
    law = the_law.Law((root / "layers.txt").read_text())
    objects = [o for o in compiled.objects(root, build, {"lib", "tee", "client", "host"})
               if not the_law.BESIDE.search(o.source)]
    homes = {}
    for o in objects:
        for name in o.gives:
            homes.setdefault(name, set()).add(o.source)
    others = Others(law)
    faults = [f for o in objects for f in faults_of(root, law, others, homes, o)]
    print("\n".join(faults) or f"{len(objects)} objects take what they may")
    return 1 if faults or not objects else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()))
