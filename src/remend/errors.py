"""Every error that Remend raises on purpose.

    RemendError                    exit code
    ├── UsageError                 2   an option or argument that cannot be meant
    │   ├── MaskError              2   a mask that does not fit its picture
    │   └── AmbiguousError         2   words that fit several things, one of which is meant
    ├── PictureError               1   this picture cannot be repaired; others can
    │   ├── FormatError            1   not a picture, or a format that is not supported
    │   └── DecodeError            1   a picture, but truncated or damaged beyond reading
    ├── ModelError                 3   a model file that is missing, damaged or breaks the contract
    ├── ResourceError              4   the machine's or the user's limits
    │   ├── LimitError             4   more pixels than allowed
    │   └── WriteError             4   the output cannot be written
    ├── EvaluationError            2   pairs or reports that cannot be measured
    ├── DivergedError              5   training came to numbers that are not finite, again and again
    └── InternalError              1   a fault of our own: something raised what nobody thought of

A message is one line: what came, what was expected, what to do next.
"""

import re
from dataclasses import dataclass

__all__ = [
    "AmbiguousError",
    "Choice",
    "DecodeError",
    "DivergedError",
    "EvaluationError",
    "FormatError",
    "InternalError",
    "LimitError",
    "MaskError",
    "ModelError",
    "PictureError",
    "RemendError",
    "ResourceError",
    "UsageError",
    "WriteError",
]


_STEERING = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_LONGEST = 1000


class RemendError(Exception):
    """Base of all errors that Remend raises on purpose.

    ``exit_code`` is what the command line ends with when this error is the cause. Messages may quote what
    a file says of itself, so what would break the line or steer a terminal is escaped, and of more than
    1,000 characters the middle is left out.

    >>> str(RemendError("a.dcm: of a kind \\n\\x1b[2J"))
    'a.dcm: of a kind \\\\n\\\\x1b[2J'
    """

    exit_code: int = 1

    def __str__(self) -> str:
        text = _STEERING.sub(lambda c: c[0].encode("unicode_escape").decode(), super().__str__())
        half = _LONGEST // 2
        return text if len(text) <= _LONGEST else f"{text[:half]} … {text[-half:]}"


class UsageError(RemendError):
    """An option or argument that cannot be meant."""

    exit_code = 2


class MaskError(UsageError):
    """A mask that does not fit its picture."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several things that words fit.

    Attributes:
        number: from 1 on; what ``pick`` takes.
        name: what it is told as.
        box: left, top, right and bottom in pixels.
    """

    number: int
    name: str
    box: tuple[int, int, int, int]


class AmbiguousError(UsageError):
    """Words that fit several things, one of which is meant.

    Args:
        question: with the choices in it.
        advice: what to do on a command line; "" = nothing.
        choices: what there is to choose from.
    """

    def __init__(self, question: str, advice: str = "", choices: tuple[Choice, ...] = ()) -> None:
        super().__init__(question, advice, choices)
        self.question, self.advice, self.choices = question, advice, choices

    def __str__(self) -> str:
        return self.question + self.advice


class PictureError(RemendError):
    """This picture cannot be repaired; the others of a batch can."""

    exit_code = 1


class FormatError(PictureError):
    """Not a picture, or a format that is not supported."""


class DecodeError(PictureError):
    """A picture, but truncated or damaged beyond reading."""


class ModelError(RemendError):
    """A model file that is missing, damaged or breaks the contract."""

    exit_code = 3


class ResourceError(RemendError):
    """The machine's or the user's limits are reached."""

    exit_code = 4


class LimitError(ResourceError):
    """More pixels than allowed."""


class WriteError(ResourceError):
    """The output cannot be written."""


class EvaluationError(RemendError):
    """Pairs or reports that cannot be measured."""

    exit_code = 2


class DivergedError(RemendError):
    """Training came to numbers that are not finite, again and again."""

    exit_code = 5


class InternalError(RemendError):
    """A fault of our own: something raised what nobody thought of. Its cause is that exception."""
