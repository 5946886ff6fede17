"""Names of code outside the package: `my_codecs.mimi:build`, or `mimi.py:build` for a file beside the experiment.

A module is imported in Python's usual way or, if Python finds none, from the folder of the experiment. A path is read
from that folder, and no other file of the same name can take its place.

Jobs run in separate processes, some in other environments, and must find the same folder. They get it from the
environment variable CODECFAKE_PLUGINS, which only this module reads. It is not a job setting on purpose: Snakemake
compares settings, and would remake everything when an experiment moves to another folder.
"""

import importlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any

from codecfake.base.home import expanded
from codecfake.base.suggestions import unknown

VARIABLE = "CODECFAKE_PLUGINS"


class PluginError(ValueError):
    """A name outside the package cannot be used."""


def is_outside(name: str) -> bool:
    """Whether a name refers to code outside the package: `module:name` or `file.py:name`."""
    return ":" in name


def look_beside(experiment: Path) -> None:
    """From now on, search the folder of an experiment too, in this process and those it starts."""
    before, now = os.environ.get(VARIABLE), str(experiment.resolve().parent)
    if before != now and before in sys.path:
        sys.path.remove(before)
    os.environ[VARIABLE] = now


def folder() -> Path | None:
    """The folder of the experiment, if one is set."""
    path = os.environ.get(VARIABLE)
    return Path(path) if path else None


def beside(path: str) -> Path:
    """A file that an experiment names; relative paths start at the experiment's folder."""
    return (folder() or Path.cwd()) / expanded(path)


def load(name: str) -> Callable[..., Any]:
    """The function or class of a name. Raises PluginError that says where it searched, or what is wrong there."""
    module, attribute = module_of(name), _parts(name)[1]
    if not hasattr(module, attribute):
        public = [each for each in vars(module) if not each.startswith("_")]
        raise PluginError(f"{name}: {unknown(f'name in {module.__file__}', attribute, public)}")
    target = getattr(module, attribute)
    if not callable(target):
        raise PluginError(f"{name}: {attribute} in {module.__file__} is {target!r}; name a function or a class")
    return target


def module_of(name: str) -> ModuleType:
    """Import the module of a name. Raises PluginError if it does not exist or cannot be imported."""
    module = _parts(name)[0]
    path = _path(module)
    with _explaining(name):
        _search_folder()
        if path is not None:
            return _import_file(name, path)
        _forget_another_folder(module.partition(".")[0])
        return importlib.import_module(module)


def file_of(name: str) -> Path | None:
    """The file beside the experiment that a name refers to; None for installed modules. Raises PluginError.

    It is an input of the jobs that use it: when it changes, they run again.
    """
    if not is_outside(name):
        return None
    file, here = module_of(name).__file__, folder()
    if file is None or here is None:
        return None
    path = Path(file).resolve()
    return path if _path(_parts(name)[0]) is not None or path.is_relative_to(here) else None


def _parts(name: str) -> tuple[str, str]:
    module, _, attribute = name.rpartition(":")
    if not module or not attribute.isidentifier():
        raise PluginError(f"{name}: write MODULE:NAME, such as my_codecs.mimi:build, or FILE.py:NAME")
    return module, attribute


def _path(module: str) -> Path | None:
    """The file of a name written as a path, from the experiment's folder."""
    return beside(module) if module.endswith(".py") else None


def _import_file(name: str, path: Path) -> ModuleType:
    if not path.is_file():
        raise PluginError(f"{name}: there is no file {path}; put it there, or correct the path")
    # not the stem: a file may have the name of a package, such as encodec.py
    key = f"{path.stem}_{sha256(str(path.resolve()).encode()).hexdigest()[:8]}"
    if key not in sys.modules:
        spec = importlib.util.spec_from_file_location(key, path)
        assert spec is not None and spec.loader is not None
        sys.modules[key] = module = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[key]
            raise
    return sys.modules[key]


def _search_folder() -> None:
    """Make the folder's modules importable, after all others, now and inside functions later."""
    here = folder()
    if here is not None and str(here) not in sys.path:
        sys.path.append(str(here))
        importlib.invalidate_caches()


def _forget_another_folder(package: str) -> None:
    """Drop a module from the folder of an experiment read earlier, since that folder is no longer searched."""
    file = getattr(sys.modules.get(package), "__file__", None)
    if file is None or any(Path(file).is_relative_to(Path(place).absolute()) for place in sys.path):
        return
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        del sys.modules[name]


@contextmanager
def _explaining(name: str) -> Iterator[None]:
    module = _parts(name)[0]
    try:
        yield
    except PluginError:
        raise
    except ModuleNotFoundError as error:
        if error.name is not None and (module == error.name or module.startswith(f"{error.name}.")):
            places = "among the installed packages" + (f" and in {folder()}" if folder() else "")
            raise PluginError(
                f"{name}: there is no module {error.name!r} {places}. Install it, put it there, or correct the name"
            ) from error
        raise PluginError(f"{name}: {_place(error)}: {error}; install it, or import it inside the function") from error
    except Exception as error:  # whatever a user's module raises is reported with its line
        raise PluginError(f"{name}: {_place(error)}: {type(error).__name__}: {error}; correct the module") from error


def _place(error: BaseException) -> str:
    """File and line of an error: of a syntax error, or of the last line that ran outside importlib."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}, line {error.lineno}"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "importlib" not in frame.filename]
    return f"{frames[-1].filename}, line {frames[-1].lineno}"
