"""A model folder in, a static folder out: the playground with the model in it, for any file server.

Never imports torch.
"""

from .write import PAGE as PAGE
from .write import write_site as write_site
