"""A trace in, a picture of the unrolled network out: SVG with no script, legible on light and on dark."""

from html import escape

from .trace import Shape, Trace

COLUMN, ROW, WIDTH, HEIGHT, MARGIN = 150, 92, 104, 40, 24
STYLE = """
  svg { color-scheme: light dark; font: 13px system-ui, sans-serif; background: Canvas; }
  rect { fill: Canvas; stroke: CanvasText; rx: 6px; }
  text { fill: CanvasText; text-anchor: middle; }
  line { stroke: CanvasText; marker-end: url(#tip); }
  .shape { font-size: 11px; opacity: 0.75; }
  .time line { stroke: #c2410c; } .time .shape { fill: #c2410c; opacity: 1; }
  .token { font: 15px ui-monospace, monospace; }
"""


def draw(trace: Trace) -> str:
    """Return the unrolled graph of a trace: time to the right, layers upward, a shape beside each arrow.

    What goes up is input and output of a step; what goes right, or left (in colour), is the state.
    """
    cells = _cells(trace)
    rows = ["token", "input", *cells, "output", "prediction"]
    widths = dict(zip(("token", "input", "output"), ((trace.rows,), *trace.path[1::2]), strict=True))
    width = 2 * MARGIN + COLUMN * len(trace.pieces) - (COLUMN - WIDTH)
    height = 2 * MARGIN + ROW * len(rows) - (ROW - HEIGHT)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" aria-label="unrolled network">',
        f"<style>{STYLE}</style>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" '
        'orient="auto"><path d="M0 0L8 4L0 8z" fill="context-stroke"/></marker></defs>',
    ]
    for column, (token, predicted) in enumerate(zip(trace.pieces, trace.sequence.predicted, strict=True)):
        x = MARGIN + column * COLUMN
        for level, row in enumerate(rows):
            y = height - MARGIN - HEIGHT - level * ROW
            label = {"token": _visible(token), "prediction": _visible(predicted)}.get(row, row)
            parts.append(_box(x, y, label, "token" if row in ("token", "prediction") else ""))
            below = rows[level - 1]
            if row == "output" and trace.two_stream:
                sides = [side for side in (-1, 1) if 0 <= column + side < len(trace.pieces)]
                parts.append(_from_both_sides(x, y, sides, cells[below][0]))
            elif level:
                shapes = cells.get(below, [])[: 1 if trace.two_stream else None]
                parts.append(_up(x, y, widths.get(below) or _joined(shapes)))
            if row in cells and column:
                parts += [_sideways(x, y, shape, place) for place, shape in enumerate(cells[row])]
    return "\n".join([*parts, "</svg>\n"])


def _cells(trace: Trace) -> dict[str, list[Shape]]:
    """Return for each layer the shape of h in each of its directions, forward before backward."""
    cells: dict[str, list[Shape]] = {}
    for name, shape in trace.sequence.states.items():
        words = name.split()
        if words[-1] == "h":
            cells.setdefault(" ".join(words[:2]), []).append(shape)
    return cells


def _joined(directions: list[Shape]) -> Shape:
    return (directions[0][0], sum(shape[-1] for shape in directions))


def _box(x: int, y: int, label: str, style: str) -> str:
    middle = f'x="{x + WIDTH // 2}" y="{y + HEIGHT // 2 + 5}"'
    return (
        f'<g><rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}"/>'
        f'<text class="{style}" {middle}>{escape(label)}</text></g>'
    )


def _up(x: int, y: int, shape: Shape) -> str:
    middle, below, beside = x + WIDTH // 2, y + ROW, y + (ROW + HEIGHT) // 2 + 4
    return (
        f'<g><line x1="{middle}" y1="{below}" x2="{middle}" y2="{y + HEIGHT}"/>'
        f'<text class="shape" x="{middle + 26}" y="{beside}">{_size(shape)}</text></g>'
    )


def _from_both_sides(x: int, y: int, sides: list[int], shape: Shape) -> str:
    """Draw arrows from the cells before (-1) and after (1): no token has a part in its own prediction."""
    middle, below, above = x + WIDTH // 2, y + ROW, y + HEIGHT
    arrows = "".join(
        f'<line x1="{middle + side * (COLUMN - 12)}" y1="{below}" x2="{middle + side * 12}" y2="{above}"/>'
        for side in sides
    )
    return f'<g>{arrows}<text class="shape" x="{middle}" y="{below - 14}">{_size(shape)}</text></g>'


def _sideways(x: int, y: int, shape: Shape, backward: int) -> str:
    ends = (x, x - COLUMN + WIDTH) if backward else (x - COLUMN + WIDTH, x)
    height = y + (30 if backward else 13)
    return (
        f'<g class="time"><line x1="{ends[0]}" y1="{height}" x2="{ends[1]}" y2="{height}"/>'
        f'<text class="shape" x="{x - (COLUMN - WIDTH) // 2}" y="{height + (14 if backward else -6)}">'
        f"{_size(shape)}</text></g>"
    )


def _size(shape: Shape) -> str:
    return "\u00d7".join(map(str, shape))


def _visible(token: str) -> str:
    return {"\n": "\u23ce", " ": "\u2423", "\t": "\u21e5"}.get(token, token)
