"""What all pictures of medicine have in common: the words that they carry once they were repaired."""

from __future__ import annotations

from dataclasses import replace

from remend.picture import Container

__all__ = ["NOT_FOR_DIAGNOSIS", "first_of"]

NOT_FOR_DIAGNOSIS = "Repaired values are estimates or blank: not for diagnosis."


def first_of(container: Container, count: int, axis: str) -> Container:
    """A container with a note that the others are kept, where there are others."""
    if count < 2:
        return container
    note = f"first of {count} {axis}s; the others are kept as they are: --pages all repairs them, too"
    return replace(container, notes=(*container.notes, note))
