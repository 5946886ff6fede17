"""A page as a browser shows it: what it measures of itself there, what it says on the console, and how it looks."""

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

BUDGETS = (20_000, 200_000, 2_000_000)  # ms of the browser's own time
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# runs in the page once it is loaded and tells the page around it; audio is decoded as a player would
PROBE = """<script>
const place = (element) => { const r = element.getBoundingClientRect(); return [r.left, r.top, r.width, r.height] };
const seconds = async (audio) => {
  const data = await (await fetch(audio.src)).arrayBuffer();
  return (await new OfflineAudioContext(1, 1, 16000).decodeAudioData(data)).duration;
};
// what a reader could not get at: an element wider than its parent, which does not scroll; content or text that is cut
const scrolls = (element) => ["auto", "scroll"].includes(getComputedStyle(element).overflowX);
const beyond = (inner, outer) => inner.right > outer.right + 1 || inner.left < outer.left - 1;
const start = (element) => element.textContent.trim().slice(0, 40);
const described = (element) => `${element.tagName} ${element.getAttribute("class") || ""} ${start(element)}`;
const block = (element) => {
  let parent = element.parentElement;
  while (parent !== document.body && getComputedStyle(parent).display === "inline") parent = parent.parentElement;
  return parent;
};
const isCut = (element) => {
  const box = element.getBoundingClientRect(), figure = element.ownerSVGElement;
  if (!box.width || element.tagName === "SCRIPT") return false;
  if (figure) return element.tagName === "text" && beyond(box, figure.getBoundingClientRect());
  const parent = block(element);
  if (!scrolls(parent) && beyond(box, parent.getBoundingClientRect())) return true;
  return !scrolls(element) && element.clientWidth > 0 && element.scrollWidth > element.clientWidth + 1;
};
const opened = (measure) => {
  const closed = [...document.querySelectorAll("details:not([open])")];
  closed.forEach((details) => { details.open = true });
  const values = [...document.body.querySelectorAll("*")].filter(measure).map(described);
  closed.forEach((details) => { details.open = false });
  return values;
};
addEventListener("load", async () => top.postMessage({
  cut: opened(isCut),
  scrolling: opened((element) => scrolls(element) && element.scrollWidth > element.clientWidth + 1),
  width: document.documentElement.scrollWidth, height: document.documentElement.scrollHeight,
  images: [...document.images].map((image) => image.naturalWidth),
  figures: [...document.querySelectorAll("svg.figure")].map(place),
  seconds: await Promise.all([...document.querySelectorAll("audio")].map((audio) => seconds(audio).catch(() => 0))),
  background: getComputedStyle(document.body).backgroundColor,
}, "*"));
</script>"""
AROUND = """<!doctype html><body style="margin:0">
<iframe src="{page}" style="border:0;width:{width}px;height:{height}px"></iframe>
<script>addEventListener("message", (told) => {{ document.body.dataset.told = JSON.stringify(told.data) }})</script>"""


@dataclass(frozen=True)
class Shown:
    """A page in a window of some width."""

    measures: dict[str, Any]  # by `PROBE`
    console: list[str]
    picture: np.ndarray  # uint8 [H, W, 3], the whole page


def find() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None)


def show(page: Path, folder: Path, width: int = 1280, dark: bool = False) -> Shown:
    """Open a copy of a page, with `PROBE` in it, in a frame as wide as asked and as high as the page."""
    told, console = measure(page, folder, width, dark)
    around, picture = folder / "around.html", folder / "page.png"
    around.write_text(AROUND.format(page="page.html", width=width, height=told["height"]), encoding="utf-8")
    _run(folder, around, dark, f"--screenshot={picture}", f"--window-size={width},{told['height']}")
    return Shown(told, console, np.asarray(Image.open(picture).convert("RGB")))


def measure(page: Path, folder: Path, width: int = 1280, dark: bool = False) -> tuple[dict[str, Any], list[str]]:
    """The same without a picture, which takes a second start of the browser: what `PROBE` tells, and the console."""
    copy, around = folder / "page.html", folder / "around.html"
    html = page.read_text(encoding="utf-8")
    copy.write_text(html.replace("</body>", f"{PROBE}</body>"), encoding="utf-8")
    around.write_text(AROUND.format(page=copy.name, width=width, height=800), encoding="utf-8")
    return _loaded(folder, around, dark)


def _loaded(folder: Path, around: Path, dark: bool) -> tuple[dict[str, Any], list[str]]:
    """What `PROBE` tells, and the lines of the console.

    Audio is decoded in real time, while the browser waits in its own: on a busy machine it may wait too little.
    """
    for budget in BUDGETS:
        process = _run(folder, around, dark, "--dump-dom", f"--virtual-time-budget={budget}")
        match = re.search(r'data-told="([^"]*)"', process.stdout)
        if match:
            console = [line for line in process.stderr.splitlines() if "CONSOLE" in line]
            return json.loads(unescape(match.group(1))), console
    raise AssertionError(f"the page told nothing of itself: {process.stderr[-2000:]}")


def _run(folder: Path, page: Path, dark: bool, *wanted: str) -> subprocess.CompletedProcess[str]:
    browser = find()
    assert browser
    options = ["--headless", "--disable-gpu", "--hide-scrollbars", "--enable-logging=stderr", "--no-first-run"]
    options += [f"--user-data-dir={folder / 'profile'}", f"--blink-settings=preferredColorScheme={0 if dark else 1}"]
    options += ["--no-sandbox"] if os.geteuid() == 0 else []  # which refuses to work for root
    command = [browser, *options, *wanted, page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, timeout=180, check=True)
