"""A model and a text in, the surprise of each token out."""

from elman.errors import RequestError

from .gaps import gap_nats
from .score import Scored, TokenScore
from .surprisal import SurprisalStream


def score_tokens(model: Scored, text: str) -> list[TokenScore]:
    """Return the surprise of each token of a text, the first given nothing; in gaps, each given all others.

    Raises:
        RequestError: the text is empty.
    """
    if not text:
        raise RequestError("the text is empty, expected at least one character to score")
    tokenizer = model.tokenizer
    ids = tokenizer.encode(text)
    if model.window is not None:
        nats = gap_nats(model.engine, ids, model.window).nats.tolist()
    else:
        stream = SurprisalStream(model.engine, in_order=model.in_order)
        nats = [float(n) for block in stream.read(ids) for n in block]
    unknown = iter(tokenizer.unknown_pieces(text))
    scored = []
    for token, surprise in zip(ids.tolist(), nats, strict=True):
        if token == tokenizer.unknown:
            piece = next(unknown)
            scored.append(TokenScore(piece, surprise + model.spelling.nats(piece)))
        else:
            scored.append(TokenScore(tokenizer.pieces[token].decode("utf-8", "replace"), surprise))
    return scored
