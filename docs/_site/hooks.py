"""What the site makes of pages that are written to be read in the repository, too (a hook of MkDocs).

The README is the front page, and CONTRIBUTING.md and CHANGELOG.md are pages; links that lead out of `docs/` lead to the
repository.
"""

from __future__ import annotations

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
}
_link = re.compile(r"(?<=\]\()(?![a-z]+:|#)([^)\s]+)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Bring the root's pages in."""
    for source, page in PAGES.items():
        files.append(File.generated(config, page, content=(ROOT / source).read_text()))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, **_: object) -> str:
    """Make links lead where they lead in the repository, and leave out what tests alone read."""
    at_root = page.file.src_uri in PAGES.values()
    repository = f"{config.repo_url}/blob/main"

    def lead(found: re.Match[str]) -> str:
        path, sign, anchor = found[1].partition("#")
        target = path if at_root else path.removeprefix("../") if path.startswith("../") else f"docs/{path}"
        if target in PAGES:
            return PAGES[target] + sign + anchor
        if target.startswith("docs/") and target.endswith(".md"):
            return target.removeprefix("docs/") + sign + anchor
        if target.startswith("docs/") and (ROOT / target).is_file():
            return target.removeprefix("docs/")
        return f"{repository}/{target}{sign}{anchor}"

    return _link.sub(lead, re.sub(r"<!-- test:.*?-->\n?", "", markdown, flags=re.DOTALL))
