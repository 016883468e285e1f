#!/usr/bin/env python3
"""Writes src/doorward_api/operations.py: where each operation of the API is, from its document. `--check` only compares."""

import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
DOCUMENT = HERE / "../../docs/reference/openapi.json"
TARGET = HERE / "src/doorward_api/operations.py"


def made() -> str:
    lines = [
        '"""Where each operation is. Made of docs/reference/openapi.json by generate.py; changes here are lost."""',
        "",
        "from typing import NamedTuple",
        "",
        "",
        "class Operation(NamedTuple):",
        '    """A method on a path, and what it takes where."""',
        "",
        "    method: str",
        "    path: str",
        "    query: tuple[str, ...]",
        "    head: tuple[str, ...]",
        "    body: tuple[str, ...]",
        "",
        "",
        "OPERATIONS: dict[str, Operation] = {",
    ]
    for path, methods in json.loads(DOCUMENT.read_text())["paths"].items():
        for method, route in methods.items():
            if "302" in route["responses"]:
                continue  # for browsers
            # These clients keep no bodies, so nothing is asked for that is there already.
            taken = [one for one in route.get("parameters", []) if not (method == "get" and one["name"] == "If-None-Match")]
            query = tuple(one["name"] for one in taken if one["in"] == "query")
            head = tuple(one["name"] for one in taken if one["in"] == "header")
            body = route.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            row = (method.upper(), path, query, head, tuple(body.get("properties", {})))
            said = ", ".join(repr(part).replace("'", '"') for part in row)
            lines.append(f'    "{route["operationId"]}": Operation({said}),')
    return "\n".join([*lines, "}", ""])


def main() -> int:
    text = made()
    if "--check" in sys.argv:
        if TARGET.read_text() != text:
            print("clients/api-python: operations.py is out of date; run generate.py there", file=sys.stderr)
            return 1
        return 0
    TARGET.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
