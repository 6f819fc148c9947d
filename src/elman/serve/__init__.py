"""Serve: models over HTTP, in OpenAI's form; all running streams advance together. Never imports torch."""

from .limits import Limits as Limits
from .server import listen as listen
from .server import serve as serve
from .service import Service as Service
