"""The credentials of a tenant, in the words that an application's server uses."""

import re
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
        """One entry a provider, by its code: `integrations.all()["OPENAI"]["status"]`.

        An entry has the names of the API for tenants too: `credential_name`, `last_validated_at`, `last_error`, `created_at`.
        """
        listed = self._client.call("listCredentials", tenant=self._org)
        return {one["provider"]: _shown(one) for one in listed["items"]}

    def validate(self, provider: str) -> dict[str, Any]:
        """Asks the provider whether the credential works."""
        told: dict[str, Any] = self._client.call("validateCredential", tenant=self._org, provider=provider.lower())
        return told

    def delete(self, provider: str) -> None:
        """Removes the credential."""
        self._client.call("deleteCredential", tenant=self._org, provider=provider.lower())


def _shown(one: dict[str, Any]) -> dict[str, Any]:
    named = {"credential_name": one["name"], "last_error": one["error"]}
    return {**one, **named, "last_validated_at": _to_the_second(one["validated"]), "created_at": _to_the_second(one["created"])}


def _to_the_second(time: str | None) -> str | None:
    return None if time is None else re.sub(r"\.\d+Z$", "Z", time)
