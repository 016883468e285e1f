"""The token endpoints of Google and Microsoft Entra, from their documentation; refuses what they refuse.

    fake_clouds.py DIR

Writes keys into DIR (`gcp.json`, `gcp-stranger.json`, `azure-secret.json`, `azure-certificate.json`, `azure-federated.json`, the
token `federated`), prints its address, and writes one line of JSON for each request into `DIR/asked`: never a key, never a token.

Sources: developers.google.com/identity/protocols/oauth2/service-account; the IAM Service Account Credentials API;
learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow and certificate-credentials.
"""

import base64
import datetime
import http.server
import json
import pathlib
import sys
import time
import urllib.parse

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

EMAIL = "ci@canary-project.iam.gserviceaccount.com"
IMPERSONATED = "ops@canary-project.iam.gserviceaccount.com"
TENANT, CLIENT = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"
SECRET, FEDERATED = "CANARY~client.secret/+=", "CANARY.federated.token"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
PLATFORM = "https://www.googleapis.com/auth/cloud-platform"


def key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(private):
    kind = serialization.PrivateFormat.PKCS8
    return private.private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption()).decode()


def certificate(private):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "canary")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(private.public_key())
    made = made.serial_number(1).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    return made.sign(private, hashes.SHA256())


class Clouds:
    """What both clouds know, and what they gave."""

    def __init__(self, folder):
        self.folder, self.given, self.seen = folder, set(), set()
        self.google, self.entra = key(), key()
        self.certificate = certificate(self.entra)
        self.write("gcp.json", self.key_file(self.google))
        self.write("gcp-stranger.json", self.key_file(key()))
        document = {"tenant": TENANT, "appId": CLIENT, "displayName": "ci"}
        self.write("azure-secret.json", {**document, "password": SECRET})
        self.write("azure-wrong.json", {**document, "password": SECRET + "x"})
        text = self.certificate.public_bytes(serialization.Encoding.PEM).decode() + pem(self.entra)
        self.write("azure-certificate.json", {**document, "certificate": text})
        self.write("azure-federated.json", {**document, "federated": True})
        (folder / "federated").write_text(FEDERATED + "\n")

    def key_file(self, private):
        return {
            "type": "service_account", "project_id": "canary-project", "private_key_id": "kid-1",
            "private_key": pem(private), "client_email": EMAIL, "client_id": "1",
            "token_uri": "https://elsewhere.example/never-asked",
        }

    def write(self, name, value):
        (self.folder / name).write_text(json.dumps(value))

    def token(self, kind):
        token = f"{kind}-CANARY-{len(self.given) + 1}"
        self.given.add(token)
        return token

    def google_token(self, form, address):
        if form.get("grant_type") != JWT_BEARER:
            return 400, {"error": "unsupported_grant_type", "error_description": "Invalid grant_type"}
        try:
            header = jwt.get_unverified_header(form["assertion"])
            claims = jwt.decode(
                form["assertion"], self.google.public_key(), algorithms=["RS256"], audience=f"{address}/token",
                options={"require": ["iss", "aud", "iat", "exp"]},
            )
        except (KeyError, jwt.InvalidTokenError):
            return 400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
        if header.get("kid") != "kid-1" or claims["iss"] != EMAIL or claims["exp"] - claims["iat"] > 3600:
            return 400, {"error": "invalid_grant", "error_description": "Invalid JWT."}
        if "target_audience" in claims:
            return 200, {"id_token": self.identity(EMAIL, claims["target_audience"])}
        if not claims.get("scope"):
            return 400, {"error": "invalid_scope", "error_description": "Invalid OAuth scope or ID token audience."}
        return 200, {"access_token": self.token("ya29"), "expires_in": 3599, "token_type": "Bearer"}

    def identity(self, email, audience):
        claims = {"aud": audience, "email": email, "exp": int(time.time()) + 3600, "iat": int(time.time())}
        return jwt.encode(claims, self.google, algorithm="RS256")

    def impersonated(self, path, headers, body):
        if headers.get("authorization", "").removeprefix("Bearer ") not in self.given:
            return 401, {"error": {"code": 401, "message": "Invalid credentials.", "status": "UNAUTHENTICATED"}}
        email, method = path.removeprefix("/v1/projects/-/serviceAccounts/").split(":")
        if email != IMPERSONATED:
            message = "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist)."
            return 403, {"error": {"code": 403, "message": message, "status": "PERMISSION_DENIED"}}
        asked = json.loads(body)
        if method == "generateAccessToken" and asked.get("scope") and asked.get("lifetime", "").endswith("s"):
            end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
            return 200, {"accessToken": self.token("ya29.ops"), "expireTime": end.strftime("%Y-%m-%dT%H:%M:%SZ")}
        if method == "generateIdToken" and asked.get("audience"):
            return 200, {"token": self.identity(email, asked["audience"])}
        return 400, {"error": {"code": 400, "message": "Request contains an invalid argument.", "status": "INVALID_ARGUMENT"}}

    def entra_token(self, path, form, address):
        def refused(status, error, text):
            return status, {"error": error, "error_description": f"{text}\r\nTrace ID: 1", "error_codes": [1]}

        if path != f"/{TENANT}/oauth2/v2.0/token":
            return refused(400, "invalid_request", "AADSTS90002: Tenant not found.")
        if form.get("grant_type") != "client_credentials":
            return refused(400, "unsupported_grant_type", "AADSTS70003: The app requested an unsupported grant type.")
        if not form.get("scope", "").endswith("/.default"):
            return refused(400, "invalid_scope", "AADSTS1002012: The provided value for scope is not valid.")
        if form.get("client_id") != CLIENT:
            return refused(400, "unauthorized_client", "AADSTS700016: Application was not found in the directory.")
        if "client_assertion" in form:
            if form.get("client_assertion_type") != ASSERTION or not self.asserted(form["client_assertion"], address + path):
                return refused(401, "invalid_client", "AADSTS700027: Client assertion failed signature validation.")
        elif form.get("client_secret") != SECRET:
            return refused(401, "invalid_client", "AADSTS7000215: Invalid client secret provided.")
        return 200, {"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599, "access_token": self.token("eyJ")}

    def asserted(self, assertion, audience):
        if assertion == FEDERATED:
            return True
        try:
            header = jwt.get_unverified_header(assertion)
            claims = jwt.decode(
                assertion, self.entra.public_key(), algorithms=["PS256"], audience=audience,
                options={"require": ["iss", "sub", "jti", "nbf", "exp"]},
            )
        except jwt.InvalidTokenError:
            return False
        der = self.certificate.public_bytes(serialization.Encoding.DER)
        digest = hashes.Hash(hashes.SHA256())
        digest.update(der)
        thumbprint = base64.urlsafe_b64encode(digest.finalize()).decode().rstrip("=")
        fresh = claims["jti"] not in self.seen
        self.seen.add(claims["jti"])
        return fresh and header.get("x5t#S256") == thumbprint and claims["iss"] == claims["sub"] == CLIENT


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        headers = {name.lower(): value for name, value in self.headers.items()}
        clouds, address = self.server.clouds, self.server.address
        form = dict(urllib.parse.parse_qsl(body)) if "form" in headers.get("content-type", "") else {}
        if self.path == "/token":
            status, answer = clouds.google_token(form, address)
        elif self.path.startswith("/v1/projects/-/serviceAccounts/"):
            status, answer = clouds.impersonated(self.path, headers, body)
        else:
            status, answer = clouds.entra_token(self.path, form, address)
        with open(clouds.folder / "asked", "a") as asked:
            asked.write(json.dumps({"path": self.path, "status": status, "scope": form.get("scope")}) + "\n")
        text = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json; charset=utf-8")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *arguments):
        pass


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.address = f"http://127.0.0.1:{server.server_address[1]}"
    server.clouds = Clouds(pathlib.Path(sys.argv[1]))
    print(server.address, flush=True)
    server.serve_forever()


main()
