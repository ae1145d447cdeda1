"""Constructor arguments checked before anything is built, by their own names."""


def check_choice(name, value, choices):
    """Refuse an argument that is none of its choices.

    Args:
        name: string. Of the argument.
        value: what was given.
        choices: tuple of what may be given.

    Raises:
        ValueError: naming the argument, its choices and the value.
    """
    if value not in choices:
        raise ValueError(f"`{name}` must be one of {tuple(choices)}, got {value!r}.")


def check_above_zero(**numbers):
    """Refuse numbers that are not above 0, such as temperatures to divide by.

    Args:
        **numbers: arguments by name.

    Raises:
        ValueError: naming the first that is not.
    """
    for name, number in numbers.items():
        # Written so that a NaN is refused too.
        if not number > 0:
            raise ValueError(f"`{name}` must be above 0, got {number}.")
