#!/usr/bin/env python3
"""Makes the pictures of the README from the real program.

    cargo build --release && tests/pictures/make.py

It runs `kmx --demo` on a fresh store in a tmux server of its own, presses keys, and writes what
the terminal shows as SVG into assets/pictures. It needs Python 3 and tmux.
"""

import html
import pathlib
import re
import subprocess
import tempfile
import time
import unicodedata

ROOT = pathlib.Path(__file__).resolve().parents[2]
KMX = ROOT / "target/release/kmx"
SERVER = "kmx-pictures"
COLUMNS, ROWS = 120, 30
CELL_WIDTH, CELL_HEIGHT = 8.4, 18

COLOURS = {31: "#f38ba8", 32: "#a6e3a1", 33: "#f9e2af", 34: "#89b4fa", 36: "#94e2d5"}
FOREGROUND, BACKGROUND, DIM = "#cdd6f4", "#1e1e2e", "#7f849c"

# Name, keys as tmux spells them, and what must be on the screen before the picture is taken.
PICTURES = [
    ("keys", [], "44 keys"),
    ("form", ["/", "d", "e", "m", "o", "/", "o", "Enter", "n", "tenant", "Tab", "42", "Tab"], '"tenant": "42"'),
    ("result", ["C-r"], "CiphertextBlob"),
]


def tmux(*arguments):
    return subprocess.run(["tmux", "-L", SERVER, *arguments], check=True, capture_output=True, text=True).stdout


def wait_for(text):
    deadline = time.monotonic() + 10
    while text not in tmux("capture-pane", "-p"):
        if time.monotonic() > deadline:
            raise SystemExit(f"no {text!r} on the screen:\n" + tmux("capture-pane", "-p"))
        time.sleep(0.05)


def spans(line):
    """Texts of a line with their colour and weight."""
    colour, bold, dim = None, False, False
    for part in re.split(r"(\x1b\[[0-9;]*m)", line):
        if match := re.fullmatch(r"\x1b\[([0-9;]*)m", part):
            codes = [int(code or 0) for code in match[1].split(";")]
            while codes:
                code = codes.pop(0)
                if code == 38 and codes[:1] == [5]:
                    colour = COLOURS.get(30 + codes[1])
                    codes = codes[2:]
                elif code == 0:
                    colour, bold, dim = None, False, False
                elif code == 1:
                    bold = True
                elif code == 2:
                    dim = True
                elif code == 22:
                    bold = dim = False
                elif code == 39:
                    colour = None
                elif code in COLOURS:
                    colour = COLOURS[code]
        elif part:
            yield part, colour or (DIM if dim else FOREGROUND), bold


def columns(text):
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def svg(screen):
    width, height = COLUMNS * CELL_WIDTH + 24, ROWS * CELL_HEIGHT + 24
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        'font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="14">',
        f'<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>',
    ]
    for row, line in enumerate(screen.splitlines()[:ROWS]):
        column = 0
        for text, colour, bold in spans(line):
            # Word by word where blanks stand between, so that columns hold in any font.
            for word in re.finditer(r"\S+(?: \S+)*", text):
                shown = word[0]
                x = 12 + (column + columns(text[: word.start()])) * CELL_WIDTH
                y = 12 + (row + 0.75) * CELL_HEIGHT
                weight = ' font-weight="bold"' if bold else ""
                out.append(
                    f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}"{weight} xml:space="preserve" '
                    f'textLength="{columns(shown) * CELL_WIDTH:.1f}" lengthAdjust="spacingAndGlyphs">'
                    f"{html.escape(shown)}</text>"
                )
            column += columns(text)
    out.append("</svg>")
    return "\n".join(out) + "\n"


def main():
    with tempfile.TemporaryDirectory() as home:
        command = f"env -u SSH_TTY HOME={home} {KMX} --demo"
        tmux("new-session", "-d", "-x", str(COLUMNS), "-y", str(ROWS), command)
        try:
            for name, keys, expected in PICTURES:
                for key in keys:
                    tmux("send-keys", key)
                wait_for(expected)
                (ROOT / f"assets/pictures/{name}.svg").write_text(svg(tmux("capture-pane", "-e", "-p")))
                print(f"assets/pictures/{name}.svg")
        finally:
            tmux("kill-server")


main()
