"""Starts Stripe World, somebody else's stateful stand-in for Stripe, under Python 3.13: it asks for 3.14, whose deferred annotations
are all it needs of it, so its modules are compiled with those.

    python stripe_world_runner.py --host 127.0.0.1 --port 8431 --reset-options '{...}'
"""

import __future__

import importlib
import importlib.machinery as machinery
import sys
from typing import Any


class _Deferred(machinery.SourceFileLoader):
    def source_to_code(self, data: Any, path: Any, *, _optimize: int = -1) -> Any:
        return compile(data, path, "exec", flags=__future__.annotations.compiler_flag, dont_inherit=True, optimize=_optimize)

    def get_code(self, fullname: str) -> Any:
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


class _Finder:
    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> Any:
        if not name.startswith("seahaven"):
            return None
        spec = machinery.PathFinder.find_spec(name, path, target)
        if spec and isinstance(spec.loader, machinery.SourceFileLoader):
            spec.loader = _Deferred(spec.loader.name, spec.loader.path)
        return spec


if __name__ == "__main__":
    sys.meta_path.insert(0, _Finder())  # type: ignore[arg-type]
    http = importlib.import_module("seahaven.http")
    package = importlib.import_module("seahaven_stripe_world")
    handle = importlib.import_module("seahaven_stripe_world.http_api").handle
    http.main(package.world, handle, sys.argv[1:])
