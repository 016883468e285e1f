#!/usr/bin/env -S python3 -IS
"""A stand-in for `passage`: the commands `show`, `insert -m -f` and `rm -f` of `pass`, over files `*.age` in PASSAGE_DIR.

A file opens with the key in FAKE_KEY that it was written with. Nothing is encrypted; that is the business of age. As with
the program, a file is written in place; where FAKE_FULL is set, the disk is full after ten bytes.
"""
import base64, os, sys

key, folder = os.environ["FAKE_KEY"], os.environ["PASSAGE_DIR"]
with open(os.environ["FAKE_CALLS"], "a") as calls:
    calls.write(repr(sys.argv[1:]) + "\n")


def fail(text):
    sys.stderr.write("Error: " + text + "\n")
    sys.exit(1)


verb, rest = sys.argv[1], sys.argv[2:]
if "--" in rest:
    options, name = rest[: rest.index("--")], rest[-1]
else:
    options, name = rest[:-1], rest[-1]
    if name.startswith("-"):
        fail("an option that nobody knows")
if ".." in name.split("/"):
    fail("You've attempted to pass a sneaky path to passage. Go home.")
path = os.path.join(folder, name + ".age")
if key == "none":
    fail("no identity matched any of the recipients")
if verb == "insert" and options == ["-m", "-f"]:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        sealed = key.encode() + b"\n" + base64.b64encode(sys.stdin.buffer.read())
        if "FAKE_FULL" in os.environ:
            file.write(sealed[:10])
            fail("no space left on device")
        file.write(sealed)
    print("Enter contents of %s and press Ctrl+D when finished:" % name)
elif verb == "show" and options == []:
    owner, sealed = open(path, "rb").read().split(b"\n", 1)
    if owner != key.encode():
        fail("no identity matched any of the recipients")
    sys.stdout.buffer.write(base64.b64decode(sealed))
elif verb == "rm" and options == ["-f"]:
    os.remove(path)
else:
    fail("unknown command")
