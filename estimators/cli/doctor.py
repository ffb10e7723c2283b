"""`doctor`: what is broken on this machine, and how to repair it."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from estimators.cli.codes import FAILED
from estimators.doctor.examination import examine
from estimators.doctor.report import Finding

_MARKS = {"fine": "ok    ", "note": "note  ", "broken": "BROKEN"}


def run(options: argparse.Namespace) -> int:
    """Prints what was found as it is found; returns the exit code."""
    findings = []
    for finding in examine():
        findings.append(finding)
        if not options.json:
            print(in_words(finding), flush=True)
    broken = sum(finding.state == "broken" for finding in findings)
    if options.json:
        said = {"broken": broken, "findings": [asdict(finding) for finding in findings]}
        print(json.dumps(said, indent=2, ensure_ascii=False))
    else:
        print(f"\n{broken} broken." if broken else "\nNothing is broken.")
    return FAILED if broken else 0


def in_words(finding: Finding) -> str:
    """One line, and another one with what to do."""
    line = f"{_MARKS[finding.state]}  {finding.name}: {finding.found}"
    return f"{line}\n{'':8}-> {finding.repair}" if finding.repair else line
