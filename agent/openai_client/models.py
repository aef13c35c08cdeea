"""The models that a server lists, and which of their names was probably meant."""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass

_NAMED = 10
_LENGTH_FIELDS = ("max_model_len", "context_length", "context_window", "max_context_length")
"""In this order: vLLM and SGLang; OpenRouter and Together; Groq; Mistral."""


@dataclass(frozen=True, slots=True)
class Served:
    """The models of one server, in the server's order."""

    lengths: dict[str, int | None]
    """Context length by name; None: the server does not say."""

    def find(self, model: str) -> str | None:
        """The listed name that serves `model`."""
        # Ollama adds a tag, Gemini a folder; OpenRouter takes suffixes that it does not list.
        for name in (model, f"{model}:latest", f"models/{model}", model.partition(":")[0]):
            if name in self.lengths:
                return name
        return None

    def suggest(self, model: str) -> str:
        """Up to 10 names, the most similar first."""
        names = list(self.lengths)
        near = difflib.get_close_matches(model, names, n=_NAMED, cutoff=0.5)
        chosen = [*near, *(name for name in names if name not in near)][:_NAMED]
        left = len(names) - len(chosen)
        return ", ".join(chosen) + (f" and {left} more" if left else "")


def read_models(body: bytes) -> Served | None:
    """Read the answer to GET /models; None where it cannot be understood."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return None
    entries = data.get("data") if isinstance(data, dict) else data
    if not isinstance(entries, list):
        return None
    lengths: dict[str, int | None] = {}
    for entry in entries:
        if isinstance(entry, dict) and isinstance(name := entry.get("id"), str):
            told = (entry.get(field) for field in _LENGTH_FIELDS)
            lengths[name] = next((n for n in told if type(n) is int and n > 0), None)
    return Served(lengths)
