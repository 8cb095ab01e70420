"""Secrets and personal data taken out of text: keys, tokens, e-mail, phone, card and account numbers.

Each rule has a plain-text hint without which its pattern cannot match; looking for the hints is what nearly all
text costs. Every pattern is linear: it starts only where a run of its characters starts, and its quantifiers give
nothing back (possessive, or bounded).
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from loopwatch.errors import ConfigurationError

Match = re.Match[str]


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of secret.

    Args:
        kind: the word left in its place.
        hints: at least one of them occurs in any text the pattern matches; none means that it is always tried.
        pattern: what to look for; its group `secret` is what is taken out, the whole match if there is no such group.
        is_real: a further test of the match, such as a checksum.
        ignore_case: whether the hints are lower case and looked for in the lower-cased text.
    """

    kind: str
    hints: tuple[str, ...]
    pattern: re.Pattern[str]
    is_real: Callable[[Match], bool] | None = None
    ignore_case: bool = False


def _luhn(match: Match) -> bool:
    """ISO/IEC 7812-1 check digit, on lengths and first digits that card networks use."""
    digits = [int(char) for char in match["secret"] if char.isdigit()]
    if not 13 <= len(digits) <= 19 or digits[0] not in {2, 3, 4, 5, 6} or len(set(digits)) < 2:
        return False
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[::-2]) + sum(doubled)) % 10 == 0


def _iban(match: Match) -> bool:
    """ISO 13616: the rearranged number is 1 modulo 97."""
    text = match["secret"].replace(" ", "")
    if not 15 <= len(text) <= 34:
        return False
    return int("".join(str(int(char, 36)) for char in text[4:] + text[:4])) % 97 == 1


def _phone(match: Match) -> bool:
    digits = sum(char.isdigit() for char in match["secret"])
    return 8 <= digits <= 15


def _looks_secret(match: Match) -> bool:
    """A value beside a word such as `token`: not a number, a placeholder or a plain word."""
    value = match["secret"]
    if value.isdigit() or value.lower() in _PLACEHOLDERS or "redacted" in value.lower() or value[0] in "<${[*":
        return False
    return any(char.isdigit() for char in value) or any(not char.isalnum() and char not in "_-." for char in value)


_PLACEHOLDERS: Final = frozenset({"null", "none", "true", "false", "undefined", "changeme"})
_START = r"(?<![A-Za-z0-9_])"
_END = r"(?![A-Za-z0-9_])"


def _token(kind: str, hints: tuple[str, ...], pattern: str) -> Rule:
    return Rule(kind, hints, re.compile(f"{_START}(?:{pattern}){_END}"))


TOKEN_RULES: Final = (
    Rule(
        "private_key",
        ("PRIVATE KEY-----",),
        re.compile(r"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----[^-]{0,20000}+(?:-----END [A-Z ]{0,20}PRIVATE KEY-----)?"),
    ),
    _token("key", ("sk-",), r"sk-(?:ant-|proj-|svcacct-|or-v1-|lf-)?[A-Za-z0-9_\-]{16,200}+"),
    _token("key", ("pk-lf-",), r"pk-lf-[A-Za-z0-9\-]{20,60}+"),
    _token("key", ("AKIA", "ASIA"), r"A(?:KIA|SIA)[0-9A-Z]{16}"),
    _token("key", ("AIza",), r"AIza[0-9A-Za-z_\-]{35}"),
    _token("token", ("ya29.",), r"ya29\.[0-9A-Za-z_\-]{20,400}+"),
    _token("token", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), r"gh[pousr]_[A-Za-z0-9]{36,255}+"),
    _token("token", ("github_pat_",), r"github_pat_[A-Za-z0-9_]{30,255}+"),
    _token("token", ("glpat-", "gldt-", "glrt-"), r"gl(?:pat|dt|rt)-[A-Za-z0-9_\-]{20,64}+"),
    _token("token", ("xox",), r"xox[abeoprs]-[A-Za-z0-9\-]{10,250}+"),
    _token("token", ("xapp-",), r"xapp-[0-9]-[A-Za-z0-9\-]{20,250}+"),
    Rule(
        "webhook",
        ("hooks.slack.com/",),
        re.compile(r"hooks\.slack\.com/(?P<secret>(?:services|workflows)/[A-Za-z0-9/]{20,200}+)"),
    ),
    _token("key", ("k_live_", "k_test_"), r"[rsp]k_(?:live|test)_[A-Za-z0-9]{16,250}+"),
    _token("key", ("whsec_",), r"whsec_[A-Za-z0-9+/=]{20,100}+"),
    _token("token", ("npm_",), r"npm_[A-Za-z0-9]{36}"),
    _token("token", ("pypi-",), r"pypi-[A-Za-z0-9_\-]{50,300}+"),
    _token("key", ("SG.",), r"SG\.[A-Za-z0-9_\-]{16,32}+\.[A-Za-z0-9_\-]{16,64}+"),
    _token("token", ("hf_",), r"hf_[A-Za-z0-9]{30,60}+"),
    _token("token", ("dop_v1_", "doo_v1_", "dor_v1_"), r"do[por]_v1_[a-f0-9]{64}"),
    _token("key", ("AC", "SK"), r"(?:AC|SK)[0-9a-f]{32}"),
    _token("token", ("shpat_", "shpss_", "shpca_"), r"shp(?:at|ss|ca)_[a-fA-F0-9]{32}"),
    _token("token", ("sq0",), r"sq0(?:atp|csp)-[A-Za-z0-9_\-]{22,60}+"),
    _token("token", ("dapi",), r"dapi[a-f0-9]{32}"),
    _token("token", ("eyJ",), r"eyJ[A-Za-z0-9_\-]{8,4000}+\.eyJ[A-Za-z0-9_\-]{8,8000}+\.[A-Za-z0-9_\-]{10,2000}+"),
    Rule(
        "token",
        ("earer ", "asic "),
        re.compile(r"(?<![A-Za-z])(?:[Bb]earer|[Bb]asic) (?P<secret>[A-Za-z0-9._~+/\-]{16,4000}+=*)"),
        _looks_secret,
    ),
)

PLAIN_RULES: Final = (
    Rule("password", ("://",), re.compile(r"://[^\s/:@\"'<>]{0,100}+:(?P<secret>[^\s/@\"'<>]{1,200}+)@")),
    Rule(
        "secret",
        ("passw", "pwd", "secret", "token", "api", "access", "auth", "credential"),
        re.compile(
            r"(?<![a-z])(?:[a-z0-9]{1,20}[_\-.]){0,4}(?:password|passwd|pwd|passphrase|secret|token|api[_\-]?key|access[_\-]?key"
            r"|secret[_\-]?key|auth[_\-]?token|client[_\-]?secret|credentials?)(?:[_\-](?:key|id|value))?"
            r"\\?[\"']?\s{0,3}(?:[:=]|=>)\s{0,3}\\?[\"']?(?P<secret>[^\s\"'\\,;&<>(){}\[\]]{6,500}+)",
            re.IGNORECASE,
        ),
        _looks_secret,
        ignore_case=True,
    ),
    Rule(
        "email",
        ("@",),
        re.compile(
            r"[A-Za-z0-9_%+](?<![A-Za-z0-9._%+\-].)[A-Za-z0-9._%+\-]{0,63}+@(?:[A-Za-z0-9](?:[A-Za-z0-9\-]{0,62}+)\.){1,8}[A-Za-z]{2,24}(?![A-Za-z0-9\-])"
        ),
    ),
    Rule(
        "phone",
        ("+",),
        re.compile(
            r"(?<![0-9A-Za-z+])(?P<secret>\+[1-9](?:[ .\-/]{0,2}(?:\([0-9]{1,5}\)|[0-9])){7,16}+)(?![0-9A-Za-z])"
        ),
        _phone,
    ),
    Rule(
        "phone",
        ("tel", "phone", "mobile", "fax", "call"),
        re.compile(
            r"(?<![a-z])(?:tel|telephone|phone|mobile|fax|call)(?:[_ ]?(?:number|no\.?))?\\?[\"']?[:= ]{1,3}\\?[\"']?"
            r"(?P<secret>\(?[0-9](?:[ ./\-()]{0,2}[0-9]){6,14}+)(?![0-9A-Za-z])",
            re.IGNORECASE,
        ),
        _phone,
        ignore_case=True,
    ),
)

_IBAN_RULE: Final = Rule(
    "iban",
    (),
    re.compile(
        r"(?P<secret>[A-Z](?<![A-Za-z0-9].)[A-Z][0-9]{2}(?: ?[A-Z0-9]{4}){2,7}+(?: ?[A-Z0-9]{1,3})?+)(?![A-Za-z0-9])"
    ),
    _iban,
)
DIGIT_RULES: Final = (
    _IBAN_RULE,
    Rule(
        "card",
        (),
        re.compile(r"(?P<secret>[0-9](?<![0-9A-Za-z.\-].)(?<![0-9] .)(?:[ \-]?[0-9]){12,18}+)(?!-?[0-9A-Za-z]| [0-9])"),
        _luhn,
    ),
    Rule(
        "phone",
        (),
        re.compile(
            # the North American form: its first character is matched before what may stand to its left is looked at
            r"(?P<secret>[(1-9](?<![0-9A-Za-z.\-/:+].)(?<![0-9] .)(?:(?<=1)[ .\-](?=[(2-9]))?"
            r"(?:(?<=\()[2-9][0-9]{2}\) ?|(?<=[2-9])[0-9]{2}[.\-]"
            r"|(?<=[ .\-])(?:\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}[.\-]))"
            r"[2-9][0-9]{2}[.\-][0-9]{4})(?![0-9A-Za-z\-]|\.[0-9])"
        ),
    ),
)

_TEN_DIGITS: Final = re.compile(r"[0-9](?:[ .\-()]{0,2}[0-9]){9}")
_LONG_RUN: Final = re.compile(r"[A-Za-z0-9_\-]{16}")
"""Every key and token has one; prose and rows of a table seldom do."""


class Redactor:
    """Takes secrets out of text.

    Args:
        author_patterns: further regular expressions; a group named `secret` narrows what is taken out.

    Raises:
        ConfigurationError: a pattern is no regular expression.
    """

    def __init__(self, author_patterns: Sequence[str] = ()) -> None:
        self._authors = [_author_rule(pattern) for pattern in author_patterns]

    def redact(self, text: str) -> str:
        """Returns the text with each secret replaced by `[redacted:kind]`."""
        for rule in self._authors:
            text = _apply(rule, text)
        for rule in _hinted(text):
            text = _apply(rule, text)
        return text


def _hinted(text: str) -> list[Rule]:
    """The rules that may match, in their order: one look for what a whole group needs, then one per hint."""
    lowered = text.lower()
    candidates = PLAIN_RULES if _LONG_RUN.search(text) is None else (*TOKEN_RULES, *PLAIN_RULES)
    found: list[Rule] = []
    for rule in candidates:
        searched = lowered if rule.ignore_case else text
        for hint in rule.hints:
            if hint in searched:
                found.append(rule)
                break
    if _TEN_DIGITS.search(text):
        found += DIGIT_RULES
    return found


def _apply(rule: Rule, text: str) -> str:
    return rule.pattern.sub(lambda match: _replaced(rule, match), text)


def _author_rule(pattern: str) -> Rule:
    try:
        return Rule("custom", (), re.compile(pattern))
    except re.error as fault:
        raise ConfigurationError(f"redact_patterns: {pattern!r} is no regular expression: {fault}") from fault


def _replaced(rule: Rule, match: Match) -> str:
    if rule.is_real is not None and not rule.is_real(match):
        return match[0]
    mark = f"[redacted:{rule.kind}]"
    if "secret" not in match.re.groupindex:
        return _as_json_value(match, *match.span(), mark)
    start, end = match.span("secret")
    return (
        match.string[match.start() : start] + _as_json_value(match, start, end, mark) + match.string[end : match.end()]
    )


def _as_json_value(match: Match, start: int, end: int, mark: str) -> str:
    """A bare number in JSON is replaced by a string, so that the JSON stays JSON."""
    bare = match.string[max(start - 1, 0) : start] in {":", "[", ","} and match.string[end : end + 1] in {",", "}", "]"}
    return f'"{mark}"' if bare and match.string[start:end].isdigit() else mark
