#!/usr/bin/env python3
"""sources_test.py ROOT: what --explain says that a check reads, and what demands it, is there for each rule; TAP."""
import re
import sys

from cases import ROOT, report, sentences

LITERAL = r'"((?:[^"\\]|\\.)*)"'


def shipped(*zones):
    """The text of a zone's program files."""
    return [p.read_text() for zone in zones for p in sorted((ROOT / zone).rglob("*.c")) if not p.stem.endswith(("_test", "_fuzz"))]


def table():
    """[(rule, reads, demand)] of the program."""
    text = (ROOT / "client/cli/sources.c").read_text()
    rows = re.findall(r"\{((?:\s*" + LITERAL + r",?)+)\}", text)
    fields = [re.sub(r'"\s*"', "", row[0]) for row in rows]  # neighbouring literals are one
    return [tuple(re.findall(LITERAL, f)) for f in fields]


def rules():
    return [row[0] for row in table()]


def demanded():
    """Rules that the pages of spec/ about evidence and policy have in their tables."""
    found = set()
    for page in ("dcap", "snp", "tpm", "azure", "soft"):
        text = (ROOT / f"spec/evidence-{page}.md").read_text()
        found |= rules_of(text)
    return found | rules_of((ROOT / "spec/policy.md").read_text()) | rules_of((ROOT / "spec/auditors-list.md").read_text())


def rules_of(page):
    found = set()
    for body in re.findall(r"^\| rule \|.*\n\|[-| ]+\n((?:\|.*\n)+)", page, re.M):
        for line in body.splitlines():
            first = None
            for name in re.findall(r"`([^`]+)`", line.split("|")[1]):
                first = first or name
                whole = first.split("-")[0] + name if name.startswith("-") else name  # `certificate-untrusted`, `-expired`
                if not name.endswith("..."):
                    found.add(whole)
    return found


def checked():
    """Rules that the verifiers name themselves."""
    text = "\n".join(shipped("lib/attest"))
    found = {m[1] for m in re.finditer(r'\bMT_CHECK\([^;]*?"([a-z0-9]+(?:-[a-z0-9]+)*)",\s*"', text)}
    return {rule for rule in found if not rule.startswith("receipt-")}


def each_rule_of_the_specification_has_a_source():
    assert len(demanded()) > 60 and not demanded() - set(rules()), demanded() - set(rules())


def each_rule_of_a_verifier_has_a_source():
    assert len(checked()) > 50 and not checked() - set(rules()), checked() - set(rules())


def no_source_is_of_a_rule_that_nobody_checks():
    text = "\n".join(shipped("lib", "client/mesatee"))
    assert not [rule for rule in rules() if f'"{rule}"' not in text]


def none_stands_twice_and_none_is_without_a_document():
    assert len(set(rules())) == len(rules()) > 80
    assert not [row for row in table() if len(row) != 3 or not row[1] or not re.match(r"\S.*: \S", row[2])]


def pages_that_are_named_exist():
    pages = {page for row in table() for page in re.findall(r"spec/[a-z-]+\.md", " ".join(row))}
    assert len(pages) > 5 and not [page for page in pages if not (ROOT / page).is_file()]


sys.exit(report(sentences(each_rule_of_the_specification_has_a_source, each_rule_of_a_verifier_has_a_source, no_source_is_of_a_rule_that_nobody_checks,
                          none_stands_twice_and_none_is_without_a_document, pages_that_are_named_exist)))
