"""What a form may read of its case, beside the process data: asked of the capability that knows it.

A capability above the inbox registers a provider for its forms when it is imported; the inbox asks it when the
form is shown and again when the answer arrives, so both see the same.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from disputes.cases.models import Case
from disputes.inbox.models import InboxItem

Provider = Callable[[Session, Case, InboxItem, datetime], Mapping[str, Any]]

_providers: dict[str, Provider] = {}


def provides(*forms: str) -> Callable[[Provider], Provider]:
    """Register what fills the context of these forms. A form has one provider."""

    def register(provider: Provider) -> Provider:
        for form in forms:
            if _providers.setdefault(form, provider) is not provider:
                raise ValueError(f"Two providers are registered for the form {form!r}.")
        return provider

    return register


def provided(session: Session, case: Case, item: InboxItem, now: datetime) -> Mapping[str, Any]:
    """What the provider of the item's form says; nothing when it has none."""
    provider = _providers.get(item.form)
    return provider(session, case, item, now) if provider else {}
