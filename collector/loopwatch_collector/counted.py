"""Numbers of things in sentences."""


def counted(number: int, noun: str, nouns: str = "") -> str:
    """Writes how many there are: "1 rule", "2 rules".

    Args:
        number: how many.
        noun: what one is called.
        nouns: what several are called; the noun with an s when empty.
    """
    return f"{number} {noun if number == 1 else nouns or noun + 's'}"
