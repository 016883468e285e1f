"""Prints the token that azure-identity finds by itself."""

from azure.identity import ManagedIdentityCredential

print(ManagedIdentityCredential().get_token("https://vault.azure.net/.default").token)
