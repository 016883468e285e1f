#!/usr/bin/env -S python3 -IS
"""A stand-in for 1Password's program `op`, after its reference of `op read` with a service account.

It takes its token from OP_SERVICE_ACCOUNT_TOKEN and from nowhere else, and refuses an argument that holds one. What it keeps is
`NAME.json` beside it in HOME: {"op://vault/item/field": "value"}.
"""
import json, os, sys

if os.environ.get("OP_SERVICE_ACCOUNT_TOKEN") != "ops_CANARY-service":
    sys.exit("[ERROR] 2026/11/22 09:00:00 (401) Unauthorized: CANARY-said-by-op")
for name in os.environ:
    # What a shell or a launcher of Python adds by itself is not ours.
    ours = name.startswith(("AWS_", "VAULT_", "DOORWARD_", "CARGO_", "RUST"))
    assert not ours, name
assert sys.argv[1:3] == ["read", "--no-newline"] and len(sys.argv) == 4
kept = json.load(open(os.path.join(os.environ["HOME"], "op.json")))
if sys.argv[3] not in kept:
    item = sys.argv[3].split("/")[3]
    sys.exit('[ERROR] 2026/11/22 09:00:00 could not read secret "CANARY": "%s" isn\'t an item in the vault' % item)
sys.stdout.write(kept[sys.argv[3]])
