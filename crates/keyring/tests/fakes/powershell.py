#!/usr/bin/env -S python3 -IS
"""A stand-in for PowerShell with the Credential Manager behind it: what `credentials.ps1` reads and answers.

The script itself is checked only for being the one that was given; it is C# for Windows, and this is no Windows. Blobs of
more than 2,560 bytes are refused with the error of Windows (RPC_X_BAD_STUB_DATA). Where FAKE_LOCKED is set, there is no
logon session.
"""
import base64, fcntl, json, os, sys

assert sys.argv[1:5] == ["-NoLogo", "-NoProfile", "-NonInteractive", "-EncodedCommand"] and len(sys.argv) == 6
script = base64.b64decode(sys.argv[5]).decode("utf-16-le")
assert "CredReadW" in script and "[Console]::In.ReadLine()" in script
line = sys.stdin.readline()
calls = open(os.environ["FAKE_CALLS"], "a")
fcntl.flock(calls, fcntl.LOCK_EX)
calls.write(json.dumps({"arguments": sys.argv[1:], "input": line}) + "\n")
calls.flush()
path = os.environ["FAKE_CALLS"] + ".store"
store = json.load(open(path)) if os.path.exists(path) else {}


def answer(text):
    print(text, end="\r\n")
    sys.exit(0)


def save():
    with open(path + ".new", "w") as file:
        json.dump(store, file)
    os.rename(path + ".new", path)


words = line.rstrip("\r\n").split(" ")
text = [base64.b64decode(word) for word in words[1:]]
if os.environ.get("FAKE_LOCKED"):
    answer("error 1312")
target = text[0].decode()
if words[0] == "read":
    answer("ok " + store[target] if target in store else "none")
if words[0] == "write":
    if len(text[2]) > 2560:
        answer("error 1783")
    store[target] = words[3]
    save()
    answer("ok")
if words[0] == "erase":
    if target not in store:
        answer("none")
    del store[target]
    save()
    answer("ok")
if words[0] == "list":
    found = [t for t in store if t.startswith(target)]
    answer("ok " + " ".join(base64.b64encode(t.encode()).decode() for t in found) if found else "none")
answer("error 87")
