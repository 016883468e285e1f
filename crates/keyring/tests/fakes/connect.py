#!/usr/bin/env -S python3 -IS
"""A stand-in for a 1Password Connect server, after the vendor's API reference (version 1.8).

Listens on a loopback port that the system picks and prints it. Takes the bearer token in its first argument for the vault in
the second one; answers 401, 403 and 404 as the vendor does; writes down each request in the file that is its third one.
"""
import http.server, json, random, re, string, sys, threading, urllib.parse

token, vault, log = sys.argv[1:4]
items, lock = {}, threading.Lock()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, value=None):
        body = b"" if value is None else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def problem(self, status, message):
        self.answer(status, {"status": status, "message": message})

    def serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url = urllib.parse.urlsplit(self.path)
        with lock:
            with open(log, "a") as file:
                file.write("%s %s\n" % (self.command, self.path))
            if self.headers.get("Authorization") != "Bearer " + token:
                return self.problem(401, "Invalid token signature")
            parts = url.path.strip("/").split("/")
            if parts[:2] != ["v1", "vaults"] or parts[3:4] != ["items"]:
                return self.problem(404, "not found")
            if parts[2] != vault:
                return self.problem(403, "vault is not in scope")
            self.item(parts[4:], urllib.parse.parse_qs(url.query), body)

    def item(self, rest, query, body):
        if not rest and self.command == "GET":
            kept = list(items.values())
            for wanted in query.get("filter", []):
                match = re.fullmatch(r'(title|tag) eq "([^"\\]*)"', wanted)
                if not match:
                    return self.problem(400, "invalid filter")
                kind, value = match.groups()
                kept = [i for i in kept if (i["title"] == value if kind == "title" else value in i.get("tags", []))]
            return self.answer(200, [{k: v for k, v in i.items() if k != "fields"} for i in kept])
        if not rest and self.command == "POST":
            identity = "".join(random.choices(string.ascii_lowercase + "234567", k=26))
            return self.store(identity, body)
        if len(rest) == 1 and rest[0] in items:
            if self.command == "GET":
                return self.answer(200, items[rest[0]])
            if self.command == "PUT":
                return self.store(rest[0], body)
            if self.command == "DELETE":
                del items[rest[0]]
                return self.answer(204)
        return self.problem(404, "item not found")

    def store(self, identity, body):
        item = json.loads(body)
        known = item.get("category") == "API_CREDENTIAL" and item.get("vault", {}).get("id") == vault
        if not known or item.get("id") not in (None, identity):
            return self.problem(400, "invalid item")
        item["id"] = identity
        items[identity] = item
        self.answer(200, item)

    do_GET = do_POST = do_PUT = do_DELETE = serve


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
print(server.server_address[1], flush=True)
# Ends with whoever started it: then the standard input is closed.
threading.Thread(target=lambda: (sys.stdin.read(), server.shutdown()), daemon=True).start()
server.serve_forever()
