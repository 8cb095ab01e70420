"""Runs the benchmarks: `python -m tests.bench [NAME ...]`, all of them when none is named.

A benchmark is a module of this folder with a function `main()` that prints its table. Timings on a shared
machine drift: each table gives medians of interleaved runs, to be read as ratios within the table.
"""

import importlib
import pkgutil
import sys
from pathlib import Path


def _benchmarks() -> list[str]:
    names = sorted(module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)]))
    sources = {name: (Path(__file__).parent / f"{name}.py").read_text() for name in names if not name.startswith("_")}
    return [name for name, source in sources.items() if "\ndef main(" in source]


def main(argv: list[str]) -> int:
    """Runs the named benchmarks, or all; 2 when a name is none of them."""
    known = _benchmarks()
    if unknown := [name for name in argv if name not in known]:
        sys.stderr.write(f"there is no benchmark {', '.join(unknown)}; there are: {', '.join(known)}\n")
        return 2
    for name in argv or known:
        sys.stdout.write(f"\n== {name}\n")
        sys.stdout.flush()
        importlib.import_module(f"tests.bench.{name}").main()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
