#!/usr/bin/env python3
"""Runs test programs and counts: `count.py COMMAND...` passes on what COMMAND prints, and ends with the line
`N passed, N failed, N skipped` that `cargo xtask test` reads. Knows the closing lines of Go (-v), unittest, Node and Rust.
"""

import re
import subprocess
import sys


def main() -> int:
    passed = failed = skipped = 0
    # A step that fails without a failed test, such as a build, is one failure.
    process = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    assert process.stdout is not None
    ran = 0
    for line in process.stdout:
        sys.stdout.write(line)
        sys.stdout.flush()
        if match := re.match(r"\s*--- (PASS|FAIL|SKIP): ", line):
            passed += match[1] == "PASS"
            failed += match[1] == "FAIL"
            skipped += match[1] == "SKIP"
        elif match := re.match(r"test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored", line):
            passed, failed, skipped = passed + int(match[1]), failed + int(match[2]), skipped + int(match[3])
        elif match := re.match(r"(?:# |ℹ )(pass|fail|skipped) (\d+)$", line):
            passed += int(match[2]) * (match[1] == "pass")
            failed += int(match[2]) * (match[1] == "fail")
            skipped += int(match[2]) * (match[1] == "skipped")
        elif match := re.match(r"Ran (\d+) tests? in", line):
            ran = int(match[1])
        elif match := re.match(r"(OK|FAILED)(?: \((.*)\))?$", line):
            told = dict(re.findall(r"(\w+)=(\d+)", match[2] or ""))
            bad = int(told.get("failures", 0)) + int(told.get("errors", 0))
            left_out = int(told.get("skipped", 0))
            passed, failed, skipped = passed + ran - bad - left_out, failed + bad, skipped + left_out
    ended = process.wait()
    if ended != 0 and failed == 0:
        failed = 1
    if passed == 0:
        failed = failed or 1
    print(f"{passed} passed, {failed} failed, {skipped} skipped", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
