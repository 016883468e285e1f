"""Doorward's API: one call an operation, problems as exceptions, pages as an iterator."""

from .client import ApiError, Client
from .integrations import Integrations

__all__ = ["ApiError", "Client", "Integrations"]
