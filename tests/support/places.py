"""Where things lie in the checkout, and the reference material beside it."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"
PUBLISHED = ROOT / "protocols/published"
EXPERIMENTS = ROOT / "experiments"
TINY = EXPERIMENTS / "tiny.yaml"
