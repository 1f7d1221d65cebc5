"""Names beside marks, where they run into no other one; the rest is left to what stands under the pointer."""

from collections.abc import Sequence
from typing import Final

__all__ = ["label_positions"]

#: A letter's width and a line's height, and half a mark, in pixels.
_LETTER: Final = 6.2
_LINE: Final = 13.0
_MARK: Final = 8.0
#: Plotly's words for where a text stands, with the shift of its middle: in its widths, and in lines.
_PLACES: Final = {
    "middle right": (0.5, 0.0),
    "middle left": (-0.5, 0.0),
    "top center": (0.0, 1.0),
    "bottom center": (0.0, -1.0),
    "top right": (0.5, 1.0),
    "bottom right": (0.5, -1.0),
    "top left": (-0.5, 1.0),
    "bottom left": (-0.5, -1.0),
}

Box = tuple[float, float, float, float]


def label_positions(
    marks: Sequence[tuple[float, float]], texts: Sequence[str], size: tuple[float, float]
) -> list[str | None]:
    """Find a place for the name of each mark.

    Parameters
    ----------
    marks
        Across and up, as shares of the picture.
    size
        Of the picture in pixels, as it is at the least.

    Returns
    -------
    list of str or None
        Plotly's ``textposition``; None where every place is taken.

    Examples
    --------
    >>> label_positions([(0.5, 0.5), (0.52, 0.5), (0.51, 0.5)], ["a", "b", "c"], (500, 400))
    ['middle left', 'middle right', 'top center']
    """
    points = [(across * size[0], up * size[1]) for across, up in marks]
    taken: list[Box] = [(x - _MARK, y - _MARK, x + _MARK, y + _MARK) for x, y in points]
    found: list[str | None] = []
    for number, ((x, y), text) in enumerate(zip(points, texts, strict=True)):
        others = [box for place, box in enumerate(taken) if place != number]
        position = None
        for name, (shift, line) in _PLACES.items():
            width = _LETTER * len(text)
            middle = x + shift * (width + 2 * _MARK), y + line * (_LINE / 2 + _MARK)
            box = (middle[0] - width / 2, middle[1] - _LINE / 2, middle[0] + width / 2, middle[1] + _LINE / 2)
            inside = box[0] >= 0 and box[2] <= size[0] and box[1] >= -_LINE and box[3] <= size[1]
            if inside and not any(_meet(box, other) for other in others):
                position = name
                taken.append(box)
                break
        found.append(position)
    return found


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
