#!/usr/bin/env -S python3 -IS
"""A stand-in for Bitwarden's program `bws`, after the reference of `bws secret get`."""
import json, os, sys

if os.environ.get("BWS_ACCESS_TOKEN") != "0.CANARY-machine":
    sys.exit("Error: \n   0: Access token is not in a valid format: CANARY-said-by-bws")
assert sys.argv[1:3] == ["secret", "get"] and sys.argv[4:] == ["--output", "json"]
kept = json.load(open(os.path.join(os.environ["HOME"], "bws.json")))
if sys.argv[3] not in kept:
    sys.exit('Error: \n   0: Received error message from server: [404 Not Found] {"message":"Resource not found."}')
print(json.dumps({
    "object": "secret", "id": sys.argv[3], "organizationId": "10e8cbfa", "projectId": None, "key": "SLACK",
    "value": kept[sys.argv[3]], "note": "", "creationDate": "2026-01-01T00:00:00Z", "revisionDate": "2026-01-01T00:00:00Z",
}, indent=2))
