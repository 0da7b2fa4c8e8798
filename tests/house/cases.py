"""A check that cannot fail is not a check: what the tests of the tools share."""
import pathlib
import subprocess
import sys
import traceback

ROOT = pathlib.Path(sys.argv[1]).resolve()


def tool(name, *arguments):
    """(status, words) of a tool."""
    done = subprocess.run([str(ROOT / "tools" / name), *map(str, arguments)], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    return done.returncode, done.stdout


def make(*command):
    """Runs a command that has to succeed."""
    subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)


def report(cases):
    """Runs (sentence, check) pairs and reports in TAP; returns what the process should."""
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


def sentences(*functions):
    return [(f.__name__.replace("_", " "), f) for f in functions]
