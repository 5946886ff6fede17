"""What determines the features in a store, besides weights and recordings. No torch: names are known before any job."""

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class StoreSettings:
    front_end: dict[str, Any]  # with its name, and every default spelled out
    crop_samples: int
    pad: str
    front_end_precision: str

    @property
    def name(self) -> str:
        """The name of its folder: equal for equal settings."""
        digest = hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()
        return f"{re.sub('[^A-Za-z0-9_-]+', '-', self.front_end['name'])}-{digest[:12]}"
