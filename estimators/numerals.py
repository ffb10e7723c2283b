"""Numbers of things, in words."""


def counted(number: int, one: str, many: str = "") -> str:
    """ "1 picture", "1,200 pictures"; `many` where it is not `one` with an s."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def people(number: int) -> str:
    """ "1 person", "12 people"."""
    return counted(number, "person", "people")
