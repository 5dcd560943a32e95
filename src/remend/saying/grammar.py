"""From a command in words to what it names: what goes, and what stays.

A command is phrases with "and" between, each a noun (a kind of damage, or a thing) with what is said of it: a
colour, a place, a size, which one. What stands behind "but keep", "except", 保留 … stays.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from remend.errors import UsageError
from remend.saying.chinese import CHINESE
from remend.saying.english import ENGLISH
from remend.saying.words import Language, Phrase, Token, Word, matches_at

__all__ = ["DAMAGE", "MOST_LETTERS", "Command", "parse"]

DAMAGE = ("scratch", "crack", "dust", "stain", "hole")
MOST_LETTERS = 400
LONGEST = 5  # parts of an entry
ALIKE = 0.84  # of a misspelt word; shorter ones than LEAST_SPELT are other words instead
LEAST_SPELT = 5
ENDS = str.maketrans(dict.fromkeys('.!?;:"“”„()[]…。！？；：（）《》', " "))


@dataclass(slots=True)
class Command:
    """What a command means.

    Attributes:
        said: as it came, blanks set straight.
        language: in which it is, and in which it is answered.
        remove, keep: what goes, and what stays.
    """

    said: str
    language: Language
    remove: list[Phrase] = field(default_factory=list)
    keep: list[Phrase] = field(default_factory=list)

    def refuse(self, answer: str, **fields: object) -> UsageError:
        """The error of that answer."""
        return UsageError(self.language.answers[answer].format(said=self.said, **fields))


def parse(text: str) -> Command:
    """What a command means.

    Args:
        text: at most 400 letters, English or Chinese.

    Raises:
        UsageError: it means nothing, or nothing that repair does; in the command's own language.

    >>> command = parse("remove the red spots at the top left, but keep the date")
    >>> command.remove[0].colours, command.remove[0].zones, command.keep[0].kinds
    (['red'], ['top', 'left'], ('text',))
    """
    said = " ".join(unicodedata.normalize("NFKC", text).split())[:MOST_LETTERS]
    language = CHINESE if re.search(r"[\u3400-\u9fff]", said) else ENGLISH
    command = Command(said, language)
    tokens = _tokens(said, language)
    for token in tokens:
        if token.word.role == "refused":
            raise command.refuse("refused", word=token.text)
    cleans = any(token.word.role == "clean" for token in tokens)
    removes = any(token.word.role == "remove" for token in tokens)
    _divide(command, tokens)
    for phrase in (*command.remove, *command.keep):
        _check(command, phrase, only_cleans=cleans or not removes)
    if not command.remove and command.keep:  # "keep the text": all the damage but that
        command.remove.append(Phrase(kinds=DAMAGE, many=True))
    if not command.remove:
        if not (cleans and not removes):
            raise command.refuse("empty")
        command.remove.append(Phrase(kinds=DAMAGE, many=True))
    return command


def _tokens(said: str, language: Language) -> list[Token]:
    if language.spaced:
        return _spaced_tokens(said, language)
    text = said.translate(ENDS)
    longest = max(map(len, language.words))
    tokens: list[Token] = []
    at = 0
    while at < len(text):
        for count in range(min(longest, len(text) - at), 0, -1):
            if text[at : at + count] in language.words:
                break
        else:
            count = 0
        if count:
            tokens.append(Token(text[at : at + count], language.words[text[at : at + count]]))
            at += count
            continue
        if text[at] != " ":
            last = tokens[-1] if tokens else None
            if last is not None and last.word.role == "unknown":
                tokens[-1] = Token(last.text + text[at], last.word)
            else:
                tokens.append(Token(text[at], Word("unknown")))
        at += 1
    return tokens


def _spaced_tokens(said: str, language: Language) -> list[Token]:
    parts = said.lower().replace("’", "'").replace("-", " ").translate(ENDS).replace(",", " , ").split()
    tokens: list[Token] = []
    at = 0
    single = [word for word in language.words if " " not in word and len(word) >= LEAST_SPELT]
    while at < len(parts):
        count = next(matches_at(language.words, parts, at, LONGEST), 0)
        if count:
            text = " ".join(parts[at : at + count])
            tokens.append(Token(text, language.words[text]))
            at += count
            continue
        part = parts[at]
        at += 1
        if part == ",":
            tokens.append(Token(part, Word("and")))
            continue
        close = get_close_matches(part, single, 1, ALIKE) if len(part) >= LEAST_SPELT else []
        tokens.append(Token(part, language.words[close[0]] if close else Word("unknown")))
    return tokens


def _divide(command: Command, tokens: Sequence[Token]) -> None:
    """Fill what goes and what stays with phrases."""
    goes, group = command.remove, [Phrase()]
    spaced = command.language.spaced

    def close() -> None:
        """The phrases gathered go where they belong; neighbours share what only one of them was told."""
        phrases = _placed([phrase for phrase in group if phrase != Phrase()])
        _share(phrases, backwards=spaced)
        goes.extend(phrases)
        group[:] = [Phrase()]

    for number, token in enumerate(tokens):
        role = token.word.role
        phrase = group[-1]
        if role == "keeps" or (role == "keep" and not spaced and _ends(tokens, number)):
            # What stands before it stays: "the text stays", 除了文字以外的灰尘, 把文字保留.
            last = group[-1:] if goes is command.remove else group[:]
            group[:] = group[: len(group) - len(last)] or [Phrase()]
            if goes is command.remove:
                close()
            command.keep.extend(phrase for phrase in last if phrase != Phrase())
            group[:], goes = [Phrase()], command.remove
        elif role == "keep":
            close()
            goes = command.keep
        elif role in ("remove", "clean"):
            if spaced or not _ends(tokens, number):
                close()
                goes = command.remove
            else:  # 把灰尘去掉
                close()
        elif role == "and":
            if phrase.is_named or phrase.is_placed or phrase.colours:
                group.append(Phrase())
        else:
            if phrase.is_named and _begins_another(phrase, token, spaced):
                group.append(Phrase())
            _take(group[-1], token)
    close()


def _ends(tokens: Sequence[Token], number: int) -> bool:
    """Whether nothing with a meaning follows before the next comma: the verb stands behind its noun."""
    for token in tokens[number + 1 :]:
        if token.word.role == "and":
            return True
        if token.word.role not in ("filler", "remove", "clean"):
            return False
    return True


def _begins_another(phrase: Phrase, token: Token, spaced: bool) -> bool:
    """Whether a word cannot belong to a phrase that has its noun: in Chinese the noun is the last of it."""
    role = token.word.role
    if role in ("kind", "object", "person"):
        return phrase.pointed and not spaced and not phrase.is_bare
    return False


def _take(phrase: Phrase, token: Token) -> None:
    """Note what a word says of a thing."""
    role, value = token.word.role, token.word.value
    if role == "kind":
        kinds = tuple(value.split())
        if not phrase.kinds or set(kinds) < set(phrase.kinds) or not phrase.is_object:
            phrase.kinds = (
                kinds if not phrase.kinds else tuple(k for k in kinds if k in phrase.kinds) or kinds
            )
        phrase.many, phrase.noun = token.word.many, token.text
    elif role == "object":
        phrase.is_object, phrase.noun = True, token.text
        phrase.many = token.word.many
        phrase.shapes += value.split()
    elif role == "person":
        phrase.person, phrase.noun = token.text, token.text
    elif role == "colour":
        phrase.colours.append(value)
    elif role == "zone":
        phrase.zones += value.split()
    elif role == "area":
        phrase.areas.append(value)
    elif role == "shape":
        phrase.shapes.append(value)
    elif role == "most":
        phrase.most = value
    elif role == "ordinal":
        phrase.ordinal = int(value)
    elif role == "from":
        phrase.side = value
    elif role == "all":
        phrase.every = True
    elif role == "one":
        phrase.every = phrase.every or False
        phrase.pointed = True
    elif role == "count":
        phrase.count = int(value)
    elif role == "unknown":
        phrase.unknown.append(token.text)
    elif role == "the":
        phrase.pointed = True
    if role not in ("filler", "the"):
        phrase.said = f"{phrase.said} {token.text}".strip()


def _placed(phrases: list[Phrase]) -> list[Phrase]:
    """Places that stand by themselves behind a thing belong to it: "the date, bottom right"."""
    found: list[Phrase] = []
    for phrase in phrases:
        alone = Phrase(zones=phrase.zones, areas=phrase.areas, said=phrase.said, pointed=phrase.pointed)
        if found and phrase == alone and phrase.is_placed and found[-1].is_named and not found[-1].is_placed:
            found[-1].zones, found[-1].areas = phrase.zones, phrase.areas
        else:
            found.append(phrase)
    return found


def _share(phrases: Sequence[Phrase], *, backwards: bool) -> None:
    """A place said once is meant for bare neighbours of the same sort: "scratches and dust in the sky"."""
    order = list(reversed(phrases)) if backwards else list(phrases)
    for one, other in itertools.pairwise(order):
        alike = set(one.kinds) <= set(DAMAGE) and set(other.kinds) <= set(DAMAGE)
        if one.is_placed and other.is_bare and one.kinds and other.kinds and alike and other.many:
            other.zones, other.areas = list(one.zones), list(one.areas)


def _check(command: Command, phrase: Phrase, *, only_cleans: bool) -> None:
    """See that a phrase means something, and give one without a noun what it is about.

    Raises:
        UsageError: it does not.
    """
    language = command.language
    if phrase.person:
        raise command.refuse("person", word=phrase.person)
    if phrase.unknown:
        word = phrase.unknown[-1]
        if phrase.is_named or not phrase.colours or len(phrase.unknown) > 1:
            if phrase.is_placed and not phrase.is_named and not phrase.colours and len(phrase.unknown) == 1:
                raise command.refuse("nameless", word=word)
            raise command.refuse("unknown", word=word, kinds=language.told(*DAMAGE, "text", "watermark"))
        phrase.is_object, phrase.noun = True, word  # "the red car": the red thing
    if phrase.is_named:
        return
    singled = phrase.most or phrase.ordinal or phrase.count or phrase.pointed or phrase.every is not None
    if phrase.areas and not phrase.colours and not only_cleans and phrase in command.remove:
        raise command.refuse("area", area=language.told(*phrase.areas))
    if phrase.areas and phrase in command.keep:
        return  # all of the sky stays
    before = [other for other in command.remove if other.is_named and other is not phrase]
    if before and singled:
        phrase.kinds, phrase.is_object = before[0].kinds, before[0].is_object
        phrase.noun = before[0].noun
    elif phrase.colours:
        phrase.is_object = True
    else:
        phrase.kinds, phrase.many = DAMAGE, True
