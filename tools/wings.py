"""Draw the wings of the package and the imports between them: nbs/wings.svg.

    python tools/wings.py

The wings are boxes on floors, each above all that it imports; an arrow that a way over other wings makes needless is
left out. The same modules give the same bytes.
"""
from __future__ import annotations

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

from house import NBS, PACKAGE, WINGS, House, wing_of

PICTURE = NBS / "wings.svg"
WIDTH, GAP, FLOOR, LINE = 262, 26, 60, 17


@dataclass
class Box:
    "A wing in the picture; without lines, the place where an arrow passes a floor."
    name: str
    lines: list[tuple[str, str]]  # the style and the text of each
    x: float = 0
    y: float = 0
    floor_height: float = 0

    @property
    def width(self) -> float: return WIDTH if self.lines else 0

    @property
    def height(self) -> float: return 18 + LINE * len(self.lines) if self.lines else self.floor_height

    @property
    def middle(self) -> float: return self.x + self.width / 2


def reachable(arrows: dict[str, set[str]], wing: str) -> set[str]:
    return {end for target in arrows[wing] for end in {target, *reachable(arrows, target)}}


def reduced(arrows: dict[str, set[str]]) -> dict[str, set[str]]:
    "Without the arrows that a way over other wings makes needless."
    return {wing: {target for target in targets if not any(target in reachable(arrows, other) for other in targets)}
            for wing, targets in arrows.items()}


def floors(arrows: dict[str, set[str]]) -> dict[str, int]:
    "The floor of each wing, 0 on the ground: above all that it imports, and right below the first that imports it."
    floor = {}
    for wing in arrows: floor[wing] = 1 + max((floor[target] for target in arrows[wing]), default=-1)
    for wing in reversed(arrows):
        importers = [floor[other] for other in arrows if wing in arrows[other]]
        if importers: floor[wing] = min(importers) - 1
    return floor


def box(house: House, wing: str) -> Box:
    rooms = [module.partition(".")[2] for module in house.rooms if wing_of(module) == wing and module != wing]
    lines = [("name", wing)] + [("idea", line) for line in textwrap.wrap(house.about(wing), 36)]
    return Box(wing, lines + [("rooms", line) for line in textwrap.wrap(", ".join(rooms), 36)])


def routes_of(arrows: dict[str, set[str]], floor: dict[str, int], boxes: dict[str, Box]) -> list[list[Box]]:
    "Each arrow as the boxes it leads through; where it passes a floor that is a box without lines, added to `boxes`."
    routes = []
    for wing, targets in arrows.items():
        for target in sorted(targets, key=WINGS.index):
            route = [boxes[wing]]
            for level in range(floor[wing] - 1, floor[target], -1):
                name = f"to {target} past {level}"  # arrows that lead to one wing pass a floor together
                floor[name] = level
                route.append(boxes.setdefault(name, Box(name, [])))
            routes.append([*route, boxes[target]])
    return routes


def place(boxes: dict[str, Box], floor: dict[str, int], routes: list[list[Box]]) -> tuple[float, float]:
    "Give each box its place, below those that lead to it; return the width and height of the picture."
    levels = [[b for name, b in boxes.items() if floor[name] == level] for level in range(max(floor.values()), -1, -1)]
    width = max(sum(b.width + GAP for b in level) + GAP for level in levels)
    y = GAP
    for level in levels:
        above = {b.name: [route[route.index(b) - 1].middle for route in routes if b in route[1:]] for b in level}
        level.sort(key=lambda b: sum(above[b.name]) / len(above[b.name]) if above[b.name] else width)
        x = (width - sum(b.width + GAP for b in level) + GAP) / 2
        height = max(b.height for b in level)
        for b in level:
            b.x, b.y, b.floor_height = x, y, height
            x += b.width + GAP
        y += height + FLOOR
    return width, y - FLOOR + GAP


def shares(box: Box, others: Iterable[Box]) -> dict[str, float]:
    "Where on the edge of a box the arrows from or to the others stand, so that they do not cross there."
    ordered = sorted({b.name: b for b in others}.values(), key=lambda b: b.middle)
    return {b.name: box.x + box.width * (i + 1) / (len(ordered) + 1) for i, b in enumerate(ordered)}


def path(route: list[Box], routes: list[list[Box]]) -> str:
    "An arrow from box to box, from the lower edge of the first to the upper edge of the last."
    pairs = [pair for other in routes for pair in zip(other, other[1:])]
    steps = []
    for start, end in zip(route, route[1:]):
        x1, y1 = shares(start, [b for a, b in pairs if a is start])[end.name], start.y + start.height
        x2, y2 = shares(end, [a for a, b in pairs if b is end])[start.name], end.y - (5 if end.lines else 0)
        middle = (start.y + start.floor_height + y2) / 2
        points = [(x1, y1), (x1, middle), (x2, middle), (x2, y2)]
        first, *rest = (f"{x:.0f} {y:.0f}" for x, y in points)
        steps.append(f"{'L' if steps else 'M'}{first} C{' '.join(rest)}")
    return f'<path d="{" ".join(steps)}"/>'


def drawn(b: Box) -> list[str]:
    "The box and its text; nothing where an arrow passes."
    if not b.lines: return []
    texts = [f'<text class="{style}" x="{b.x + 12:.0f}" y="{b.y + 22 + i * LINE:.0f}">{escape(text)}</text>'
             for i, (style, text) in enumerate(b.lines)]
    return [f'<rect x="{b.x:.0f}" y="{b.y:.0f}" width="{b.width}" height="{b.height}" rx="6"/>', *texts]


def picture(house: House) -> str:
    "The wings and their imports as SVG."
    arrows = house.arrows()
    boxes, floor = {wing: box(house, wing) for wing in arrows}, floors(arrows)
    routes = routes_of(reduced(arrows), floor, boxes)
    width, height = (round(length) for length in place(boxes, floor, routes))
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
        "<title>The wings of the package: an arrow leads from a wing to one that it imports</title>",
        "<style>",
        "text{font:12px system-ui,sans-serif;fill:#333} .name{font-size:15px;font-weight:600;fill:#111}",
        ".rooms{fill:#2a6496} rect{fill:#f6f8fa;stroke:#8a94a0} path{fill:none;stroke:#8a94a0;marker-end:url(#head)}",
        "</style>",
        '<marker id="head" viewBox="0 0 8 8" refX="4" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        '<polygon points="0 0 8 4 0 8" fill="#8a94a0"/></marker>',
        *(path(route, routes) for route in routes), *(part for b in boxes.values() for part in drawn(b)), "</svg>", ""])


if __name__ == "__main__":
    PICTURE.write_text(picture(House(PACKAGE)), encoding="utf-8")
