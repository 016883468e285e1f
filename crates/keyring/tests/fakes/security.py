#!/usr/bin/env -S python3 -IS
"""A stand-in for the program `security` of macOS, after its manual page: the commands for generic passwords.

It keeps them in the keychain file that the last argument names, as JSON. Writes down each call's arguments and input in
FAKE_CALLS. Where FAKE_LOCKED is set, reading and writing answer as when the person turned the prompt down.
"""
import fcntl, json, os, sys

calls = open(os.environ["FAKE_CALLS"], "a")
fcntl.flock(calls, fcntl.LOCK_EX)


def fail(text, status):
    sys.stderr.write("security: " + text + "\n")
    sys.exit(status)


def words_of(line):
    """Splits a line as `security -i` does: double quotes, and a backslash before what is meant as it is."""
    words, word, inside, escaped, started = [], "", False, False, False
    for c in line.rstrip("\n"):
        if escaped:
            word, escaped = word + c, False
        elif c == "\\":
            escaped = True
        elif c == '"':
            inside, started = not inside, True
        elif c == " " and not inside:
            if started or word:
                words.append(word)
            word, started = "", False
        else:
            word += c
    if started or word:
        words.append(word)
    return words


def load(path):
    if not os.path.exists(path):
        fail("SecKeychainOpen: The specified keychain could not be found.", 50)
    return json.load(open(path))


def save(path, items):
    with open(path + ".new", "w") as file:
        json.dump(items, file)
    os.rename(path + ".new", path)


def shown(data):
    plain = all(0x20 <= byte <= 0x7E for byte in data)
    return '"' + data.decode() + '"' if plain else "0x" + data.hex().upper() + '  "..."'


def find(items, options):
    for at, item in enumerate(items):
        if item["acct"] == options["-a"] and item["svce"] == options["-s"]:
            return at
    fail("SecKeychainSearchCopyNext: The specified item could not be found in the keychain.", 44)


def options_of(words, alone):
    options, rest, words = {}, [], iter(words)
    for word in words:
        if word in alone:
            options[word] = True
        elif word.startswith("-"):
            options[word] = next(words)
        else:
            rest.append(word)
    return options, rest[-1]


def do(words):
    verb = words[0]
    if verb == "create-keychain":
        options, path = options_of(words[1:], {"-P"})
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if os.path.exists(path):
            fail("SecKeychainCreate: A keychain with the same name already exists.", 48)
        save(path, [])
    elif verb == "add-generic-password":
        options, path = options_of(words[1:], {"-U", "-A"})
        if os.environ.get("FAKE_LOCKED"):
            fail("SecKeychainItemCreateFromContent: User interaction is not allowed.", 36)
        data = bytes.fromhex(options["-X"]) if "-X" in options else options["-w"].encode()
        items = [i for i in load(path) if (i["acct"], i["svce"]) != (options["-a"], options["-s"])]
        items.append({"acct": options["-a"], "svce": options["-s"], "labl": options["-l"], "data": data.hex(), "trust": options.get("-T")})
        save(path, items)
    elif verb == "find-generic-password":
        options, path = options_of(words[1:], {"-g"})
        items = load(path)
        item = items[find(items, options)]
        if os.environ.get("FAKE_LOCKED"):
            fail("SecKeychainSearchCopyNext: User interaction is not allowed.", 36)
        data = bytes.fromhex(item["data"])
        sys.stderr.write("password: " + (shown(data) if data else "") + "\n")
    elif verb == "delete-generic-password":
        options, path = options_of(words[1:], set())
        items = load(path)
        del items[find(items, options)]
        save(path, items)
    elif verb == "dump-keychain":
        for item in load(words[1]):
            print('keychain: "%s"\nversion: 512\nclass: "genp"\nattributes:' % words[1])
            for name in ("acct", "svce"):
                print('    "%s"<blob>=%s' % (name, shown(item[name].encode())))
    else:
        fail("unknown command " + verb, 2)


typed = sys.stdin.read() if sys.argv[1:] == ["-i"] else ""
calls.write(json.dumps({"arguments": sys.argv[1:], "input": typed}) + "\n")
calls.flush()
if sys.argv[1:] == ["-i"]:
    for line in typed.splitlines(keepends=True):
        if len(line) > 4096:
            fail("line too long", 2)
        try:
            do(words_of(line))
        except SystemExit:
            # It goes on with the next line and ends well.
            pass
else:
    do(sys.argv[1:])
