"""Measurements for TensorBoard, beside metrics.jsonl."""

from pathlib import Path


class TensorBoard:
    """Writes scalars and texts to one folder; what was written after `purge_step` is hidden when a run goes
    on.
    """

    def __init__(self, folder: Path, purge_step: int) -> None:
        from torch.utils.tensorboard.writer import SummaryWriter

        self._writer = SummaryWriter(str(folder), purge_step=purge_step or None)

    def add(self, step: int, scalars: dict[str, float], texts: dict[str, str] | None = None) -> None:
        """Add numbers and texts of one step."""
        for name, value in scalars.items():
            self._writer.add_scalar(name, value, step)
        for name, text in (texts or {}).items():
            self._writer.add_text(name, text, step)

    def close(self) -> None:
        """Write out what is left."""
        self._writer.close()
