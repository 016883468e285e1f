#!/usr/bin/env -S python3 -IS
"""A stand-in for 1Password's program `op` (1Password CLI 2, `op item`), after the vendor's reference.

It keeps items in the folder FAKE_STATE, writes down each call (arguments and standard input) in FAKE_STATE/calls, takes
the token in FAKE_STATE/token or the account in FAKE_STATE/account and no other, and complains in the vendor's words.
"""
import fcntl, json, os, random, string, sys

state = os.environ["FAKE_STATE"]


def fail(text):
    sys.stderr.write("[ERROR] 2026/11/22 12:00:00 " + text + "\n")
    sys.exit(1)


def kept(name):
    with open(os.path.join(state, name)) as file:
        return file.read().strip()


arguments = sys.argv[1:]
typed = "" if os.isatty(0) else sys.stdin.read()
lock = open(os.path.join(state, "lock"), "w")
fcntl.flock(lock, fcntl.LOCK_EX)
with open(os.path.join(state, "calls"), "a") as calls:
    calls.write(json.dumps({"arguments": arguments, "input": typed}) + "\n")

flags, words = {}, []
rest = iter(arguments)
for word in rest:
    if word.startswith("--"):
        name, _, value = word.partition("=")
        flags[name] = value or next(rest)
    else:
        words.append(word)

for other in ("OP_CONNECT_HOST", "OP_CONNECT_TOKEN"):
    if other in os.environ:
        fail("Connect comes first: " + other)
if "--account" in flags:
    if flags["--account"] != kept("account"):
        fail('account "%s" is not signed in' % flags["--account"])
elif os.environ.get("OP_SERVICE_ACCOUNT_TOKEN") != kept("token"):
    fail("(401) Unauthorized: You aren't authorized to perform this action.")
if flags.get("--vault") != kept("vault"):
    fail('"%s" isn\'t a vault in this account. Specify the vault with its ID or name.' % flags.get("--vault"))
if flags.get("--format") != "json" or words[:1] != ["item"]:
    fail("unknown command")

path = os.path.join(state, "items.json")
items = json.load(open(path)) if os.path.exists(path) else {}


def save():
    with open(path, "w") as file:
        json.dump(items, file)


def one(identity):
    if identity not in items:
        fail('"%s" isn\'t an item. Specify the item with its UUID, name, or domain.' % identity)
    return items[identity]


def template(identity):
    try:
        item = json.loads(typed)
    except ValueError:
        fail("invalid JSON in piped input")
    if item.get("category") != "API_CREDENTIAL" or not item.get("title"):
        fail("the piped input is no item")
    item["id"] = identity
    items[identity] = item
    save()
    print(json.dumps(item))


verb = words[1]
if verb == "list":
    wanted = set(flags["--tags"].split(","))
    found = [i for i in items.values() if wanted & set(i.get("tags", []))]
    print(json.dumps([{k: i[k] for k in ("id", "title", "tags", "category")} for i in found]))
elif verb == "get":
    print(json.dumps(one(words[2])))
elif verb == "create" and words[2:] == ["-"]:
    template("".join(random.choices(string.ascii_lowercase + "234567", k=26)))
elif verb == "edit":
    one(words[2])
    template(words[2])
elif verb == "delete":
    one(words[2])
    del items[words[2]]
    save()
else:
    fail("unknown command")
