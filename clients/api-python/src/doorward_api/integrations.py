"""The credentials of a tenant, in the words that an application's server uses."""

from typing import Any

from .client import Client


class Integrations:
    """What one tenant keeps for providers. A call that fails raises: an outage never looks like "not configured"."""

    def __init__(self, client: Client, org_slug: str) -> None:
        self._client, self._org = client, org_slug

    def setup(
        self,
        provider: str,
        credential: str | dict[str, Any],
        credential_name: str | None = None,
        metadata: dict[str, Any] | None = None,
        skip_validation: bool | None = None,
    ) -> dict[str, Any]:
        """Sets a credential up. `valid` of what comes back says whether the provider takes it."""
        told: dict[str, Any] = self._client.call(
            "setUpCredential", tenant=self._org, provider=provider.lower(), credential=credential, name=credential_name,
            metadata=metadata, skip_validation=skip_validation,
        )
        return told

    def all(self) -> dict[str, dict[str, Any]]:
        """One entry a provider, by its code: `integrations.all()["OPENAI"]["status"]`."""
        listed = self._client.call("listCredentials", tenant=self._org)
        return {one["provider"]: one for one in listed["items"]}

    def validate(self, provider: str) -> dict[str, Any]:
        """Asks the provider whether the credential works."""
        told: dict[str, Any] = self._client.call("validateCredential", tenant=self._org, provider=provider.lower())
        return told

    def delete(self, provider: str) -> None:
        """Removes the credential."""
        self._client.call("deleteCredential", tenant=self._org, provider=provider.lower())
