"""Draw the example pictures: one hand, six kinds of paper and pen.

``python examples/draw.py`` writes examples/pictures/. A digit is a few points in a unit square with a smooth
curve through them; what makes the pictures differ is pen, paper, light and file format.
"""

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

FOLDER = Path(__file__).parent / "pictures"
Array = npt.NDArray[np.float32]

STROKES = {
    2: [[(0.12, 0.28), (0.22, 0.08), (0.5, 0.0), (0.8, 0.12), (0.84, 0.36), (0.6, 0.62), (0.3, 0.82),
         (0.08, 0.98), (0.24, 0.92), (0.5, 0.93), (0.92, 1.0)]],
    3: [[(0.14, 0.12), (0.42, 0.0), (0.74, 0.1), (0.74, 0.32), (0.4, 0.47), (0.74, 0.56), (0.86, 0.78),
         (0.58, 0.98), (0.22, 0.96), (0.08, 0.84)]],
    4: [[(0.46, 0.0), (0.3, 0.26), (0.06, 0.6), (0.3, 0.62), (0.92, 0.58)],
        [(0.68, 0.34), (0.66, 0.66), (0.62, 1.0)]],
    5: [[(0.26, 0.04), (0.22, 0.22), (0.18, 0.42), (0.46, 0.38), (0.78, 0.52), (0.8, 0.78), (0.52, 0.98),
         (0.2, 0.96), (0.06, 0.86)], [(0.26, 0.04), (0.52, 0.05), (0.84, 0.0)]],
    7: [[(0.08, 0.1), (0.34, 0.06), (0.6, 0.07), (0.88, 0.02), (0.7, 0.34), (0.54, 0.66), (0.44, 1.0)],
        [(0.3, 0.52), (0.52, 0.5), (0.78, 0.49)]],
    8: [[(0.72, 0.12), (0.46, 0.0), (0.2, 0.16), (0.32, 0.38), (0.62, 0.56), (0.78, 0.8), (0.5, 1.0),
         (0.18, 0.84), (0.34, 0.58), (0.64, 0.4), (0.78, 0.22), (0.72, 0.12)]],
}  # fmt: skip


def main() -> None:
    """Write all six pictures."""
    FOLDER.mkdir(exist_ok=True)
    rng = np.random.default_rng(2026)

    ink = draw_ink(2, (480, 360), x=140, y=110, height=230, pen=5, rng=rng)
    paper = light(ruled(plain_paper((480, 360), (236, 240, 240), rng), 44, (214, 190, 160)), 0.45)
    write("2-ballpoint-on-ruled-paper.jpg", blend(paper, ink, (140, 60, 30)))

    ink = draw_ink(3, (400, 400), x=110, y=80, height=240, pen=30, rng=rng)
    paper = light(plain_paper((400, 400), (130, 225, 250), rng), 0.25)
    write("3-marker-on-a-yellow-note.jpg", blend(paper, ink, (40, 40, 45)))

    ink = draw_ink(4, (360, 480), x=170, y=70, height=210, pen=14, rng=rng)
    board = light(plain_paper((360, 480), (70, 88, 52), rng), 0.4)
    grain = rng.uniform(0.45, 1.0, ink.shape).astype(np.float32)
    write("4-chalk-on-a-green-board.jpg", blend(board, ink * grain, (225, 235, 235)))

    ink = draw_ink(5, (256, 256), x=70, y=50, height=150, pen=12, rng=rng)
    canvas = np.zeros((256, 256, 4), np.float32)
    canvas[..., 3] = ink * 255
    write("5-drawn-on-a-transparent-canvas.png", canvas)

    ink = draw_ink(7, (600, 800), x=640, y=440, height=70, pen=4, rng=rng)
    paper = light(plain_paper((600, 800), (228, 234, 236), rng), 0.3)
    write("7-pencil-in-a-corner.jpg", blend(paper, ink * 0.75, (70, 70, 70)))

    ink = draw_ink(8, (300, 300), x=90, y=60, height=180, pen=16, rng=rng)
    screen = np.full((300, 300, 3), (24, 20, 18), np.float32)
    write("8-white-on-a-dark-screen.png", blend(screen, ink, (250, 250, 250)))


def draw_ink(
    digit: int, shape: tuple[int, int], *, x: int, y: int, height: int, pen: int, rng: np.random.Generator
) -> Array:
    """Return the ink of a digit, 0 to 1, in a picture of this shape; pen is the stroke's width in pixels."""
    fine = 4  # drawn larger and reduced, so edges are smooth
    ink = np.zeros((shape[0] * fine, shape[1] * fine), np.uint8)
    for stroke in STROKES[digit]:
        points = np.array(stroke) * (height * 0.7, height) + (x, y)
        points += rng.normal(0, height * 0.006, points.shape)
        for start, end, pressure in curve(points, rng):
            thickness = max(1, round(pen * fine * pressure))
            ends = [np.round(point * fine).astype(int).tolist() for point in (start, end)]
            cv2.line(ink, *ends, 255, thickness)
    reduced = cv2.resize(ink, shape[::-1], interpolation=cv2.INTER_AREA)
    return cv2.GaussianBlur(reduced.astype(np.float32) / 255, (0, 0), 0.7)


def curve(points: npt.NDArray[np.float64], rng: np.random.Generator) -> list[tuple[Array, Array, float]]:
    """Return pieces of a smooth curve through the points (Catmull-Rom) with the pen's pressure on each."""
    padded = np.vstack([2 * points[0] - points[1], points, 2 * points[-1] - points[-2]])
    t = np.linspace(0, 1, 24, endpoint=False)[:, np.newaxis]
    pieces = [
        0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        for a, b, c, d in zip(padded, padded[1:], padded[2:], padded[3:], strict=False)
    ]
    path = np.vstack([*pieces, points[-1:]])
    pressure = 1 + 0.16 * np.sin(np.linspace(0, 5, len(path)) + rng.uniform(0, 6))
    return list(zip(path, path[1:], pressure, strict=False))


def plain_paper(shape: tuple[int, int], tone: tuple[int, int, int], rng: np.random.Generator) -> Array:
    """Return paper of a blue-green-red tone with coarse fibers and a camera's fine noise."""
    coarse = cv2.resize(rng.normal(0, 2.0, (shape[0] // 6, shape[1] // 6)).astype(np.float32), shape[::-1])
    fine = rng.normal(0, 1.6, shape).astype(np.float32)
    return np.clip(np.float32(tone) + (coarse + fine)[..., np.newaxis], 0, 255)


def ruled(paper: Array, spacing: int, tone: tuple[int, int, int]) -> Array:
    """Return the paper with a printed line every ``spacing`` pixels."""
    lined = paper.copy()
    for y in range(spacing, len(lined), spacing):
        cv2.line(lined, (0, y), (lined.shape[1], y + 2), tone, 1, cv2.LINE_AA)
    return lined


def light(paper: Array, shade: float) -> Array:
    """Return the paper lit from one side, a corner in soft shadow; shade is the loss there, 0 to 1."""
    y, x = np.mgrid[0 : paper.shape[0], 0 : paper.shape[1]].astype(np.float32)
    slope = 1 - 0.35 * shade * x / paper.shape[1]
    edge = (x + 0.6 * y - 0.75 * paper.shape[1]) / (0.12 * paper.shape[1])
    return paper * (slope * (1 - shade / (1 + np.exp(-edge))))[..., np.newaxis]


def blend(paper: Array, ink: Array, tone: tuple[int, int, int]) -> Array:
    """Return ink of a blue-green-red tone on the paper; shadows darken both."""
    brightness = paper.mean(axis=2, keepdims=True) / paper.mean(axis=2).max()
    return paper * (1 - ink[..., np.newaxis]) + np.float32(tone) * brightness * ink[..., np.newaxis]


def write(name: str, picture: Array) -> None:
    """Write a picture with blue, green, red and perhaps alpha, 0 to 255."""
    options = [cv2.IMWRITE_JPEG_QUALITY, 88] if name.endswith(".jpg") else []
    cv2.imwrite(str(FOLDER / name), np.clip(np.round(picture), 0, 255).astype(np.uint8), options)


if __name__ == "__main__":
    main()
