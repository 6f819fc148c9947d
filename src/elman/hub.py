"""Model folders and texts in a Hugging Face repository: `hf:owner/name` in, a folder on this machine out.

A model folder is such a repository as it stands. The network is used for names of this form only.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from elman.errors import ElmanError, RequestError
from elman.packages import require
from elman.storage.folder import CARD, GRAPHS, METRICS, MODEL, ModelFolder

PREFIX = "hf:"
MODEL_FILES = [*MODEL, *GRAPHS.values(), CARD, METRICS]
TEXT_FILES = ["*.txt", "*.txt.gz", "*.txt.bz2", "*.txt.xz", "*.txt.zst"]


def is_remote(name: str) -> bool:
    """Say whether a name is one of a repository."""
    return name.startswith(PREFIX)


def fetch_model(name: str) -> Path:
    """Return a folder with the newest model of a repository; what is here already is not fetched again.

    Raises:
        RequestError: there is no such repository, or it cannot be reached.
        MissingPackageError: huggingface_hub is not installed.
    """
    return _fetch(name, "model", MODEL_FILES)


def fetch_texts(names: Sequence[str]) -> list[str]:
    """Return names of texts in which datasets of repositories are folders on this machine.

    Raises what `fetch_model` raises.
    """
    return [str(_fetch(name, "dataset", TEXT_FILES)) if is_remote(name) else name for name in names]


def push(folder: ModelFolder, name: str, private: bool = False) -> str:
    """Write a model to a repository, which is made where there is none, and return its address.

    Raises:
        FolderError: a file of the model is missing or damaged.
        RequestError: the repository cannot be written.
        MissingPackageError: huggingface_hub is not installed.
    """
    folder.refuse_if_damaged("pushed")
    with _asking(name) as repository:
        from huggingface_hub import HfApi, get_token

        if get_token() is None:
            raise RequestError(f"{name} is written to with a token, found none; set HF_TOKEN to yours")
        api = HfApi()
        address = api.create_repo(repository, private=private, exist_ok=True)
        api.upload_folder(
            repo_id=repository,
            folder_path=folder.path,
            allow_patterns=MODEL_FILES,
            commit_message="A model by elman",
        )
    return str(address)


def _fetch(name: str, kind: str, files: list[str]) -> Path:
    with _asking(name) as repository:
        from huggingface_hub import snapshot_download

        folder = snapshot_download(repository, repo_type=kind, allow_patterns=files)
    return Path(folder)


@contextmanager
def _asking(name: str) -> Iterator[str]:
    """Give the repository that a name means; say in one line what the hub refuses."""
    require("a Hugging Face repository", "huggingface_hub", extra="hub")
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    repository = name.removeprefix(PREFIX)
    if repository.count("/") != 1:
        raise RequestError(f"{name!r} names no repository, expected hf:owner/name")
    try:
        yield repository
    except HFValidationError:
        raise RequestError(f"{name!r} names no repository, expected hf:owner/name") from None
    except ElmanError:
        raise
    except Exception as error:  # the hub's errors, its HTTP client's and its uploader's have no common class
        if isinstance(error, HfHubHTTPError):
            reason = f"the answer is {error.response.status_code}"
        else:
            reason = getattr(error, "strerror", None) or "no answer"
        raise RequestError(
            f"{name} cannot be reached ({reason}); see that the name is right and, where it is private or "
            "written to, that HF_TOKEN is set"
        ) from None
