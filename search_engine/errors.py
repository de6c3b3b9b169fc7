"""The mistakes of a user that the engine refuses, each naming the field that is wrong."""


class UserError(Exception):
    """Something the user gave is wrong.

    field: dotted path of the value that is wrong, such as "space.blocks"; "" when it is not one value.
    message: one sentence, what was found and what is wanted.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}" if field else message)
        self.field = field
        self.message = message


class ConfigError(UserError):
    """A configuration holds a value outside its range or at odds with another."""


class ArchitectureError(UserError):
    """An architecture cannot exist: an unknown operation, an input that does not come earlier, a wrong shape."""


class DataError(UserError):
    """A data set cannot be had, or is not what its name says."""


class CheckpointError(UserError):
    """A file of weights or state is damaged, or belongs to something else."""


class DamagedFile(CheckpointError):
    """A file of weights or state is not what was written: what was before it, or starting anew, helps."""
