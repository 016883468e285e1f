#!/usr/bin/env python3
"""Takes the programs out of pages: `snippets.py LANGUAGE FOLDER PAGE...` writes each block of LANGUAGE to a file of its own.

Each block is a whole program. Prints the files that were written, one a line; a page without a program is a failure.
"""

import pathlib
import re
import sys

ENDINGS = {"go": "go", "python": "py", "js": "mjs", "rust": "rs", "ts": "ts"}


def main() -> int:
    language, folder, *pages = sys.argv[1:]
    out = pathlib.Path(folder)
    out.mkdir(parents=True, exist_ok=True)
    for page in pages:
        text = pathlib.Path(page).read_text(encoding="utf-8")
        blocks = re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        if not blocks:
            sys.exit(f"{page} has no program in {language}")
        stem = re.sub(r"\W+", "-", str(pathlib.Path(page).resolve().parent.name + "-" + pathlib.Path(page).stem)).lower()
        for number, block in enumerate(blocks, 1):
            file = out / f"{stem}-{number}.{ENDINGS[language]}"
            file.write_text(block, encoding="utf-8")
            print(file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
