"""What a user can do wrong, as a tree of exceptions. Knows nothing of the rest of elman.

    ElmanError                 one line: what was found, what was expected, what to do next
    ├── SettingsError          an unknown recipe, an unknown or wrong setting
    ├── TextError              a text that is missing, empty, binary, in another encoding, or too short
    ├── TokenError             a text that the chosen tokenizer cannot serve
    ├── RequestError           a prompt or a sampling option that cannot be used
    ├── FolderError            a model folder that is missing something or belongs to another run
    │   └── DamagedFileError   a file whose checksum does not match what it holds
    ├── StorageError           a disk that is full or cannot be written
    ├── DivergedError          a loss that is no longer a number
    ├── RankError              a process of a run that ended before the others
    ├── LeakError              a model that sees what it has to predict
    └── MissingPackageError    an optional dependency that is not installed

The command line prints an ElmanError on one line and exits with 2; any other exception is a bug of elman's.
"""


class ElmanError(Exception):
    """Something that the user can mend; the message says how."""


class SettingsError(ElmanError):
    """An unknown recipe, or settings that are unknown or out of range: all of them in one message."""


class TextError(ElmanError):
    """A text that is missing, empty, binary, in another encoding, or too short."""


class TokenError(ElmanError):
    """A text that the chosen tokenizer cannot serve."""


class RequestError(ElmanError):
    """A prompt or a sampling option that cannot be used."""


class FolderError(ElmanError):
    """A model folder that is missing something, or an output folder that holds another run."""


class DamagedFileError(FolderError):
    """A file whose checksum does not match what it holds."""


class MissingGraphError(FolderError):
    """A model that is not written as ONNX, or whose weights have changed since."""


class StorageError(ElmanError):
    """A disk that is full or cannot be written."""


class DivergedError(ElmanError):
    """A loss that is no longer a number."""


class ExportError(ElmanError):
    """A model that cannot be written in another form."""


class RankError(ElmanError):
    """One of the processes that train together ended before the others."""


class LeakError(ElmanError):
    """A model that sees what it has to predict."""


class MissingPackageError(ElmanError):
    """An optional dependency that is not installed."""
