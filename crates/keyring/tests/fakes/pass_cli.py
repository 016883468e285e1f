#!/usr/bin/env -S python3 -IS
"""A stand-in for Proton Pass' program `pass-cli`, after the vendor's reference of its commands `login` and `item`.

It keeps items in the folder FAKE_STATE, writes down each call, and signs in with the token in FAKE_STATE/token.
"""
import fcntl, json, os, random, string, sys

state = os.environ["FAKE_STATE"]
arguments = sys.argv[1:]
typed = sys.stdin.read()
lock = open(os.path.join(state, "lock"), "w")
fcntl.flock(lock, fcntl.LOCK_EX)
with open(os.path.join(state, "calls"), "a") as calls:
    calls.write(json.dumps({"arguments": arguments, "input": typed}) + "\n")


def fail(text):
    sys.stderr.write("Error: " + text + "\n")
    sys.exit(1)


flags, words = {}, []
rest = iter(arguments)
for word in rest:
    if word.startswith("--"):
        name, equals, value = word.partition("=")
        flags[name] = value if equals else next(rest)
    else:
        words.append(word)

session = os.path.join(state, "session")
token = open(os.path.join(state, "token")).read().strip()
if words == ["login"]:
    if os.environ.get("PROTON_PASS_PERSONAL_ACCESS_TOKEN") != token:
        fail("Error logging in with personal access token")
    open(session, "w").write("signed in")
    sys.exit(0)
if not os.path.exists(session):
    fail("This operation requires an authenticated client")
if flags.get("--share-id") != open(os.path.join(state, "share")).read().strip():
    fail("Error getting share")

path = os.path.join(state, "items.json")
items = json.load(open(path)) if os.path.exists(path) else {}


def save():
    with open(path, "w") as file:
        json.dump(items, file)


if words == ["item", "list"]:
    print(json.dumps({"items": list(items.values())}, indent=2))
elif words == ["item", "view"]:
    if flags["--item-id"] not in items:
        fail("Error retrieving item")
    print(json.dumps({"item": items[flags["--item-id"]], "attachments": []}, indent=2))
elif words == ["item", "create", "note"] and flags.get("--from-template") == "-":
    try:
        template = json.loads(typed)
    except ValueError:
        fail("Error parsing JSON from stdin")
    identity = "-" + "".join(random.choices(string.ascii_letters + string.digits + "_-", k=85)) + "=="
    content = {"title": template["title"], "note": template.get("note") or "", "item_uuid": "u", "content": "Note", "extra_fields": []}
    items[identity] = {"id": identity, "share_id": flags["--share-id"], "vault_id": "v", "content": content, "state": "Active", "flags": []}
    save()
    print(identity)
elif words == ["item", "delete"]:
    if flags["--item-id"] not in items:
        fail("Error deleting item")
    del items[flags["--item-id"]]
    save()
else:
    fail("unrecognized subcommand")
