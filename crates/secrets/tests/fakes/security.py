#!/usr/bin/env -S python3 -IS
"""A stand-in for the program `security` of macOS, after its manual page: `find-generic-password -s S [-a A] -w`."""
import os, sys

words = sys.argv[1:]
assert words[0] == "find-generic-password" and words[1] == "-s" and words[-1] == "-w"
account = words[words.index("-a") + 1] if "-a" in words else "any"
path = os.path.join(os.environ["HOME"], "%s.%s" % (words[2], account))
if not os.path.exists(path):
    sys.stderr.write("security: SecKeychainSearchCopyNext: The specified item could not be found in the keychain. CANARY\n")
    sys.exit(44)
sys.stdout.buffer.write(open(path, "rb").read() + b"\n")
