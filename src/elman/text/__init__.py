"""Files, folders, globs, pipes and archives in, characters out; and the cut into train, validation, test.

    sources      what the user names            -> Source: a name and its raw bytes, as often as asked
    streams      a file                         -> a stream of its decompressed bytes (zips, zstd: likewise)
    corpora      a named corpus                 -> a stream of its bytes
    spool        a pipe                         -> a file that can be read again
    decoding     sources                        -> characters, and the fingerprint of their bytes
    encodings    the name of an encoding        -> its codec; bytes that do not fit -> the error to show
    store        characters                     -> a TextStore: the text on disk, read from any position
    seen         files                          -> the fingerprint they had when they were last read
    cache        what the user names            -> the TextStore of it, made once
    split        a number of characters         -> the parts of the text

Knows nothing of tokens, models or torch.
"""

from elman.text.cache import cache_folder as cache_folder
from elman.text.cache import find_text as find_text
from elman.text.cache import open_text as open_text
from elman.text.decoding import fingerprint as fingerprint
from elman.text.decoding import first_characters as first_characters
from elman.text.decoding import read_text as read_text
from elman.text.encodings import find_codec as find_codec
from elman.text.sources import Source as Source
from elman.text.sources import find_sources as find_sources
from elman.text.split import Part as Part
from elman.text.split import split as split
from elman.text.store import TextStore as TextStore
