#!/usr/bin/env python3
"""man_test.py ROOT BUILD: the man pages say what the programs say of themselves, all of it and nothing else; TAP."""
import pathlib
import re
import subprocess
import sys

from cases import ROOT, report, sentences

BUILD = pathlib.Path(sys.argv[2]).resolve()


def said(program, *words):
    return subprocess.run([BUILD / program, *words, "--help"], text=True, stdout=subprocess.PIPE, check=True).stdout


def entries(page, section):
    """(head, paragraph) of every .TP of a section, as a reader sees them."""
    text = (ROOT / "docs/man" / page).read_text().replace("\\-", "-").replace("\\e", "\\")
    body = re.search(rf"^\.SH {section}\n(.*?)(?=^\.SH |\Z)", text, re.S | re.M)[1]
    found = []
    for entry in body.split("\n.TP\n")[1:] if not body.startswith(".TP\n") else body[4:].split("\n.TP\n"):
        head, *rest = entry.strip().splitlines()
        words = [re.sub(r"^\.(BR|IR|BI|[BI]) ", "", line) for line in rest if line != ".br"]
        found.append((re.sub(r"^\.B ", "", head), " ".join(words)))
    return found


def verbs():
    """{usage: what --help says of the verb}, of the overview's every line."""
    table = {}
    for usage in re.findall(r"^  mesatee (.*)$", said("mesatee"), re.M):
        noun, *verb = re.match(r"[a-z]+(?: [a-z]+(?= |$))?", usage)[0].split()
        first, *lines = said("mesatee", noun, *verb).splitlines()
        assert first == f"usage: mesatee {usage}", (first, usage)
        table[usage] = " ".join(lines)
    return table


def every_verb_has_its_entry_with_usage_help_and_example():
    page = dict(entries("mesatee.1", "VERBS"))
    table = verbs()
    assert len(table) > 45
    assert list(page) == list(table), set(page) ^ set(table)
    for usage, text in table.items():
        assert page[usage] == text, f"{page[usage]}\n{text}"


def every_example_is_one_of_its_own_verb():
    for usage, text in verbs().items():
        verb = re.match(r"[a-z]+(?: [a-z]+(?= |$))?", usage)[0]
        assert text.split("Example: ")[1].startswith(f"mesatee {verb}"), text


def options_of(text):
    return set(re.findall(r'"(--[a-z-]+)"', text)) - {"--help"}


def every_option_that_a_verb_takes_is_in_its_usage():
    """Of the function of its row; and of those that it shares with others, in some usage."""
    sources = "".join(p.read_text() for p in sorted((ROOT / "client/cli").glob("*.c")))
    usages = said("mesatee")
    known = set(re.findall(r"--[a-z-]+", usages))
    assert options_of(sources) <= known, options_of(sources) - known
    rows = dict(re.findall(r'\{"(\w+", (?:"\w+|NULL)).*?\b(mt_cli_\w+)\}', (ROOT / "client/cli/verbs.c").read_text(), re.S))
    assert len(rows) > 45
    for words, function in rows.items():
        verb = words.replace('", "', " ").replace('", NULL', "")
        usage = re.search(rf"^  mesatee {verb}(?: .*)?$", usages, re.M)[0]
        body = re.search(rf"^int {function}\(struct mt_cli \*c\)\n\{{\n(.*?)^\}}", sources, re.S | re.M)[1]
        missing = options_of(body) - set(re.findall(r"--[a-z-]+", usage + usages.splitlines()[0]))
        assert not missing, f"{verb}: {missing}"


def every_setting_has_its_entry_with_range_and_default():
    page = entries("mesateed.8", "CONFIGURATION")
    table = re.findall(r"^  (\w+) +(.*)$", said("mesateed"), re.M)
    assert len(table) > 10 and page == table, set(page) ^ set(table)


def every_exit_status_of_the_command_is_explained():
    codes = re.search(r"Exit codes: (.*)\.", said("mesatee"))[1]
    assert [head for head, _ in entries("mesatee.1", "EXIT STATUS")] == re.findall(r"\d+", codes)


def both_pages_are_of_this_version():
    version = subprocess.run([BUILD / "mesatee", "version"], text=True, stdout=subprocess.PIPE, check=True).stdout.split()[1]
    header = (ROOT / "client/mesatee/mesatee.h").read_text()
    assert f'#define MESATEE_VERSION       "{version}"' in header
    assert version == ".".join(re.findall(r"^#define MESATEE_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)$", header, re.M))
    assert f"version: '{version}'" in (ROOT / "meson.build").read_text()
    for page in "mesatee.1", "mesateed.8":
        assert f'"MesaTEE {version}"' in (ROOT / "docs/man" / page).read_text()


sys.exit(report(sentences(every_verb_has_its_entry_with_usage_help_and_example, every_example_is_one_of_its_own_verb,
                          every_option_that_a_verb_takes_is_in_its_usage,
                          every_setting_has_its_entry_with_range_and_default, every_exit_status_of_the_command_is_explained,
                          both_pages_are_of_this_version)))
