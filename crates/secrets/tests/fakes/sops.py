#!/usr/bin/env -S python3 -IS
"""A stand-in for the program `sops`, after its reference of `--decrypt` and `--extract`. Its files are JSON behind a line
`sops:`, and open only where SOPS_AGE_KEY_FILE is set."""
import json, os, re, sys

words = sys.argv[1:]
assert words[0] == "--decrypt"
extract = words[2] if words[1] == "--extract" else None
assert len(words) == (4 if extract else 2)
text = open(words[-1]).read()
if not text.startswith("sops:\n"):
    sys.exit("sops metadata not found CANARY")
if not os.environ.get("SOPS_AGE_KEY_FILE"):
    sys.exit("Failed to get the data key required to decrypt the SOPS file. CANARY")
tree = json.loads(text[len("sops:\n"):])
if extract is None:
    sys.stdout.write(json.dumps(tree))
    sys.exit(0)
key = re.fullmatch(r'\["([^"\\\[\]]+)"\]', extract).group(1)
if key not in tree:
    sys.exit("error extracting key path: component ['%s'] not found" % key)
sys.stdout.write(tree[key])
