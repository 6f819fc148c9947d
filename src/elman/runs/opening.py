"""Where a run begins: in a new folder, or where it stopped."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from glob import has_magic
from itertools import count
from pathlib import Path, PurePath

from elman.config import BUDGETS, Layer, Settings, settings_from
from elman.errors import FolderError, LeakError, SettingsError, TextError
from elman.evaluation.leak import Leak, find_leak, find_peek, predict_with
from elman.generation import GAP
from elman.model import TorchEngine
from elman.progress import Advance
from elman.storage import ModelFolder
from elman.training import ALONE, Ranks, Trainer

from .following import lead, tell
from .preparation import prepare, prepare_again
from .run import Run

# What may change when a run goes on: nothing that the saved state has the shape of. Precision and recurrence
# are kept as they were chosen, unless asked: the run may go on where the processor is another.
CHANGEABLE = (
    *BUDGETS,
    "learning_rate",
    "weight_decay",
    "clip",
    "schedule",
    "warmup_steps",
    "evaluate_every",
    "patience",
    "prompts",
    "precision",
    "recurrence",
)


def new_run(
    texts: Sequence[str],
    out: Path | None,
    recipe: str,
    asked: Layer,
    allow_leak: bool = False,
    advance: Advance | None = None,
    ranks: Ranks = ALONE,
) -> Run:
    """Prepare a run and write what it starts from; without `out` in a new folder under models/.

    This process leads where there are several.

    Raises:
        FolderError: the folder holds another run.
        LeakError: the model sees what it has to predict, and that is not allowed.
        SettingsError, TextError, TokenError: as `prepare` and `make_trainer`; nothing is written then.
        StorageError: the folder cannot be written.
    """
    if out is not None:
        ModelFolder(out).refuse_if_taken()
    preparation = prepare(texts, recipe, asked, advance)
    _refuse_prompts_without_gap(preparation.settings)
    train = preparation.settings.train
    trainer = lead(ranks, preparation, train.precision, train.recurrence)
    leak = _measure_leak(trainer, allow_leak)
    folder = _claim(out) if out is not None else _claim_free(texts[0], recipe)
    with ExitStack() as undo:
        undo.callback(folder.release)
        run = Run(preparation, trainer, folder, leak)
        tell(ranks, folder, None)
        run.begin()
        undo.pop_all()
    return run


def resumed_run(
    out: Path, texts: Sequence[str], asked: Layer, advance: Advance | None = None, ranks: Ranks = ALONE
) -> Run:
    """Prepare the run in a folder to go on from its newest intact state.

    `texts` have to be named only where they are no longer where they were.

    Raises:
        FolderError: there is no run to go on with, or another process is at it.
        DamagedFileError: no saved state is intact.
        SettingsError: a setting that cannot change when a run goes on.
        TextError: the text is not the one the run began with.
    """
    _refuse_fixed(asked)
    folder = ModelFolder(out)
    if not out.is_dir():
        folder.read_config()  # says what is wrong
    folder.claim()
    with ExitStack() as undo:
        undo.callback(folder.release)
        saved = folder.resume.read()
        config = saved.values["config"] if saved else _begun(folder)
        settings = settings_from([config["settings"], asked])
        _refuse_prompts_without_gap(settings)
        preparation = prepare_again(config, settings, asked, texts, advance)
        if preparation.text.fingerprint != config["text"]["fingerprint"]:
            raise TextError(
                f"the text is not the one that {out} began with ({config['text']['characters']:,} characters "
                f"of {', '.join(config['text']['sources'])}); name that text, or start a new run"
            )
        precision, recurrence = settings.train.precision, settings.train.recurrence
        if saved:
            changed = asked.get("train", {})
            precision = changed.get("precision", saved.values["precision"])
            recurrence = changed.get("recurrence", saved.values["recurrence"])
        trainer = lead(ranks, preparation, precision, recurrence)
        run = Run(preparation, trainer, folder, _measure_leak(trainer, allowed=bool(config["leak"])))
        tell(ranks, folder, saved)
        if saved:
            run.go_on(saved)
        else:
            run.begin()
        undo.pop_all()
    return run


def _measure_leak(trainer: Trainer, allowed: bool) -> Leak | None:
    """Try the model on a random text before time is spent on it."""
    network, engine = trainer.network, TorchEngine(trainer.network)
    if network.backward_stack is not None:
        leak = find_peek(engine)
    else:
        leak = find_leak(predict_with(engine), network.vocabulary_size)
    if leak and not allowed:
        raise LeakError(
            f"this model sees what it has to predict: {leak}; its score would be no quality: set "
            "model.bidirectional=false, or train it with --allow-leak"
        )
    return leak


def _refuse_prompts_without_gap(settings: Settings) -> None:
    whole = [prompt for prompt in settings.train.prompts if GAP not in prompt]
    if settings.model.two_stream and whole:
        raise SettingsError(
            f"train.prompts has {whole[0]!r}, expected a gap in it for a model that fills gaps, such as "
            f"'to {GAP}e'"
        )


def _refuse_fixed(asked: Layer) -> None:
    named: list[str] = []
    for key, value in asked.items():
        named += [f"{key}.{name}" for name in value] if isinstance(value, Mapping) else [key]
    if fixed := [name for name in named if name.removeprefix("train.") not in CHANGEABLE]:
        allowed = ", ".join(f"train.{name}" for name in CHANGEABLE)
        raise SettingsError(
            f"{', '.join(fixed)} cannot change when a run goes on, only {allowed}; start a new run"
        )


def _begun(folder: ModelFolder) -> Layer:
    """Return the config of a run that stopped before its first state was saved."""
    config = folder.read_config()
    if folder.holds_weights():
        raise FolderError(
            f"{folder.path} has a model, but no saved state to go on from (resume/ is missing); restore that "
            "folder, or train anew with another --out"
        )
    return config


def _claim(out: Path) -> ModelFolder:
    folder = ModelFolder(out)
    folder.claim()
    try:
        folder.refuse_if_taken()
    except FolderError:
        folder.release()
        raise
    return folder


def _claim_free(text: str, recipe: str) -> ModelFolder:
    """Claim models/NAME, or models/NAME-2 and so on where that is taken."""
    parts = [part for part in PurePath(text).parts if not has_magic(part)]
    stem = "standard-input" if text == "-" else parts[-1] if parts else ""
    name = stem.strip("/").split(".")[0] or "text"
    name = name if recipe == "default" else f"{name}-{Path(recipe).stem}"
    for number in count(1):
        path = Path("models") / (name if number == 1 else f"{name}-{number}")
        if not path.exists():
            try:
                return _claim(path)
            except FolderError:  # another process took it in this moment
                continue
    raise AssertionError("count ends never")
