"""Prints the project and the tokens that google-auth finds by itself: an access token, then an identity token."""

import google.auth
import google.auth.compute_engine
from google.auth.transport.requests import Request

credentials, project = google.auth.default(scopes=["https://www.googleapis.com/auth/cloud-platform"])
credentials.refresh(Request())
identity = google.auth.compute_engine.IDTokenCredentials(
    Request(), "https://audience.example", use_metadata_identity_endpoint=True
)
identity.refresh(Request())
print(project)
print(credentials.token)
print(identity.token)
