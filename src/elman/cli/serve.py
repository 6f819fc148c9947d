"""`elman serve`: models over HTTP, to many readers at once."""

from pathlib import Path
from typing import Annotated

import typer

from .engines import Int8

EXAMPLE = (
    "Example: elman serve models/book --port 8000; "
    'curl localhost:8000/v1/completions -H "Content-Type: application/json" '
    '-d \'{"model": "book", "prompt": "Once", "max_tokens": 200}\''
)


def command(
    models: Annotated[
        list[Path],
        typer.Argument(metavar="MODEL...", help="Model folders, or hf:OWNER/NAME.", show_default=False),
    ],
    host: Annotated[str, typer.Option(help="The address to listen on; 0.0.0.0 is all.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 is any free one.")] = 8000,
    api_key: Annotated[
        str | None,
        typer.Option(
            envvar="ELMAN_API_KEY",
            help="Serve only who sends this key; /health, /metrics and the page need none.",
            show_default=False,
        ),
    ] = None,
    int8: Int8 = False,
    streams: Annotated[int, typer.Option(min=1, help="Texts of one model that are written together.")] = 64,
    queue: Annotated[int, typer.Option(min=0, help="Texts that may wait for a place.")] = 1000,
    max_prompt: Annotated[int, typer.Option(min=1, help="Characters of a prompt, at most.")] = 32_768,
    max_tokens: Annotated[int, typer.Option(min=1, help="Tokens of one text, at most.")] = 32_768,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds that one request may take.")] = 300,
    states: Annotated[int, typer.Option(min=0, help="States that are kept, at most.")] = 1000,
    state_minutes: Annotated[float, typer.Option(min=0, help="How long an unused state is kept.")] = 60,
    drain_seconds: Annotated[
        float, typer.Option(min=0, help="Seconds in which what runs may end, once told to stop.")
    ] = 8,
) -> None:
    """Serve models over HTTP in the form of OpenAI's completions, with a page to write on."""
    from elman.api import LanguageModel
    from elman.display import talk
    from elman.errors import RequestError
    from elman.packages import require

    require("serving", "fastapi", "uvicorn", extra="serve")
    from elman.serve import Limits, Service, listen, serve

    folders = {folder.resolve().name: folder for folder in models}
    if len(folders) < len(models):
        raise RequestError("two models have the same name, expected a name of its own for each; rename one")
    if api_key == "":
        raise RequestError("the API key is empty, expected at least one character; leave it out to need none")
    limits = Limits(
        streams,
        queue,
        max_prompt,
        max_tokens,
        timeout,
        states=states,
        state_seconds=60 * state_minutes,
        drain_seconds=drain_seconds,
    )
    loaded = {name: LanguageModel.load(folder, int8=int8, shared=True) for name, folder in folders.items()}
    service = Service(loaded, limits)
    listening = listen(host, port)
    address, bound = listening.getsockname()[:2]
    shown = f"[{address}]" if ":" in address else address
    talk.print(
        f"serving {', '.join(loaded)}{' in 8 bits' if int8 else ''} on http://{shown}:{bound}"
        f"{', with an API key' if api_key else ''}; {streams} streams a model and {queue} in the queue, "
        f"prompts of {max_prompt:,} characters, texts of {max_tokens:,} tokens, {timeout:g} s a request, "
        f"{states:,} states of {state_minutes:g} min; stop with Ctrl-C",
        soft_wrap=True,
    )
    serve(service, listening, api_key)
