"""Files, folders, globs, pipes, archives and corpora, by name, in; sources of raw bytes, in order, out.

Knows nothing of encodings or characters. A folder or a zip gives the files whose names look like text; a
file that is named outright, or matched by a glob, is taken whatever its name.
"""

import difflib
import glob
import os
import stat
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePath
from typing import BinaryIO

from elman.errors import TextError
from elman.text.corpora import CORPORA, open_corpus
from elman.text.spool import spool_pipe
from elman.text.streams import COMPRESSIONS, explained, open_file
from elman.text.zips import open_member, zip_members

PROSE = ".txt .text .md .markdown .rst .adoc .org .tex .bib .srt .vtt .log .po"
DATA = ".csv .tsv .json .jsonl .ndjson .html .htm .xhtml .xml .yaml .yml .toml .ini .cfg .abc .fasta .pgn"
CODE = (
    ".py .pyi .c .h .cc .cpp .cxx .hpp .cs .java .kt .scala .go .rs .swift .js .mjs .jsx .ts .tsx .css "
    ".scss .rb .pl .pm .php .lua .r .jl .m .f .f90 .hs .ml .mli .el .lisp .clj .scm .erl .ex .exs .sh "
    ".bash .ps1 .bat .sql .vim .asm .s .v .vhd .tcl .dart .zig .nim .d .pas .proto .cmake .mk"
)
TEXT_SUFFIXES = frozenset(f"{PROSE} {DATA} {CODE}".split())

EXPECTED = "expected a file, a folder, a glob, - for standard input, or " + " or ".join(CORPORA)


@dataclass(frozen=True)
class Source:
    """One text to read: the name the user sees (`book.txt`, `pack.zip!book.txt`, `-`), and how to open it."""

    name: str
    opener: Callable[[], BinaryIO] = field(repr=False, compare=False)
    file: Path | None = field(default=None, repr=False, compare=False)  # that the bytes come from, if any

    def open(self) -> BinaryIO:
        """Open the raw bytes, decompressed, from their start, as often as needed. Raises TextError."""
        return self.opener()


def find_sources(
    texts: Sequence[str], stdin: BinaryIO | None = None, spool: Path | None = None
) -> list[Source]:
    """Find what each of `texts` names, in the order given; within a folder, a glob or a zip, sorted.

    `-` reads `stdin` (by default the standard input) to its end, once, into a file in the folder `spool`
    (by default the system's folder for temporary files), so that it too can be opened again; a named pipe
    likewise. That file goes when its source is let go.

    Raises TextError for what is missing, empty or unreadable, MissingPackageError for .zst without
    zstandard, and StorageError where a pipe cannot be spooled.
    """
    found: list[Source] = []
    standard_input: Source | None = None
    for text in texts:
        if text == "-":
            standard_input = standard_input or _pipe("-", stdin, spool)
            found.append(standard_input)
        else:
            found.extend(_find(text, spool))
    return found


def _find(text: str, spool: Path | None) -> list[Source]:
    mode = _mode(text)
    if mode is None:
        if glob.has_magic(text):
            return _matches(text)
        if text in CORPORA:
            return [Source(text, partial(open_corpus, text))]
        raise _missing(text)
    path = Path(text)
    if stat.S_ISDIR(mode):
        return _folder(path)
    if stat.S_ISFIFO(mode):
        return [_pipe(text, None, spool)]
    if not stat.S_ISREG(mode):
        raise TextError(f"{text} is a device or a socket; {EXPECTED}")
    return _file(path)


def _mode(text: str) -> int | None:
    """Give the kind of file that is there, links followed; None where there is none."""
    with explained(text):
        try:
            return os.stat(text).st_mode
        except (FileNotFoundError, NotADirectoryError, ValueError):  # the last: a zero character in the name
            return None


def _file(path: Path) -> list[Source]:
    if path.suffix.lower() != ".zip":
        return [_plain(path)]
    members = zip_members(path, str(path))
    chosen = members if len(members) == 1 else list(filter(_is_text_like, members))
    if not chosen:
        raise TextError(
            f"{path} holds {len(members)} files, none with a suffix of text such as .txt or .md; "
            "expected text; unpack it and name the files"
        )
    return _members(path, chosen)


def _plain(path: Path) -> Source:
    source = Source(str(path), partial(open_file, path, str(path)), path)
    source.open().close()  # says now, not after an hour of other texts, that it cannot be read
    return source


def _members(path: Path, members: list[str]) -> list[Source]:
    names = [f"{path}!{member}" for member in members]
    return [
        Source(name, partial(open_member, path, member, name), path)
        for name, member in zip(names, members, strict=True)
    ]


def _folder(folder: Path) -> list[Source]:
    found: list[Source] = []
    for path in sorted(_files_below(folder), key=lambda path: path.parts):
        if path.suffix.lower() == ".zip":
            found += _members(path, list(filter(_is_text_like, zip_members(path, str(path)))))
        elif _is_text_like(path.name):
            found.append(_plain(path))
    if not found:
        raise TextError(
            f"{folder} is a folder without text; expected files with a suffix such as .txt, .md or .txt.gz "
            f"in it; name other files outright, for example with the glob '{folder / '*'}'"
        )
    return found


def _files_below(folder: Path) -> list[Path]:
    def refuse(error: OSError) -> None:
        with explained(str(error.filename)):
            raise error

    files: list[Path] = []
    for parent, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        files += [Path(parent, name) for name in names if not name.startswith(".")]
    with explained(str(folder)):
        return [path for path in files if path.is_file()]


def _is_text_like(name: str) -> bool:
    path = PurePath(name.lower())
    suffix = PurePath(path.stem).suffix if path.suffix in COMPRESSIONS else path.suffix
    return suffix in TEXT_SUFFIXES


def _matches(pattern: str) -> list[Source]:
    paths = [Path(name) for name in sorted(set(glob.glob(pattern, recursive=True)))]
    found = [source for path in paths if path.is_file() for source in _file(path)]
    if not found:
        raise TextError(
            f"no file matches {pattern!r}; {EXPECTED}; quote a glob with ** so that the shell leaves it"
        )
    return found


def _pipe(name: str, stdin: BinaryIO | None, spool: Path | None) -> Source:
    path = spool_pipe(name, stdin, spool)
    source = Source(name, partial(open_file, path, name))
    weakref.finalize(source, path.unlink, missing_ok=True)
    return source


def _missing(text: str) -> TextError:
    path = Path(text)
    try:
        neighbours = os.listdir(path.parent)
    except (OSError, ValueError):
        neighbours = []
    near = [str(path.parent / name) for name in difflib.get_close_matches(path.name, neighbours)]
    near += difflib.get_close_matches(text, CORPORA)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    return TextError(f"no file or folder {text!r}; {EXPECTED}{hint}")
