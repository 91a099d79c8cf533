"""What `make docs` adds to MkDocs (mkdocs.yml).

README.md becomes the first page, and the pages beside it join those of docs/. A link to a source
leads to a copy of it, so that the site is whole without the repository. A page that stands in no
menu, or a link that leads nowhere, ends the build.
"""

import posixpath
import re
from pathlib import Path

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parent.parent.parent
BESIDE = {"README.md": "index.md", "ARCHITECTURE.md": "ARCHITECTURE.md",
          "CONTRIBUTING.md": "CONTRIBUTING.md", "CHANGELOG.md": "CHANGELOG.md"}
LINK = re.compile(r"(?<=\]\()([^)#\s]+)(?=[)#])")
CODE = re.compile(r"```.*?^\s*```|`[^`\n]*`", re.S | re.M)
# What stands for a folder that a page links to.
FACES = ["README.md", "main.cpp", "CMakeLists.txt"]


def on_files(files, config):
    """Adds the pages beside docs/ and the sources that pages link to."""
    for name, page in BESIDE.items():
        files.append(File.generated(config, page, content=(ROOT / name).read_text("utf-8")))
    pages = [file for file in files if file.src_uri.endswith(".md")]
    listed = re.findall(r"[\w/]+\.md", str(config.nav))
    lost = sorted({page.src_uri for page in pages} - set(listed))
    if lost:
        raise PluginError(f"mkdocs.yml has no place for {', '.join(lost)} in its nav")
    for source in sorted({source for page in pages for source in sources_of(page)}):
        files.append(File.generated(config, copy_of(source), content=shown(source)))
    return files


def on_page_markdown(markdown, page, config, files):
    """Turns links within the repository into links within the site."""
    here = page.file.src_uri
    return rewritten(markdown, lambda link: posixpath.relpath(
        in_site(in_repository(here, link)), posixpath.dirname(here) or "."))


def rewritten(markdown, change):
    """The page with change(link) for every relative link outside code."""
    parts, end = [], 0
    for code in [*CODE.finditer(markdown), None]:
        text = markdown[end:code.start()] if code else markdown[end:]
        parts.append(LINK.sub(lambda link: link[0] if "://" in link[0] else change(link[0]), text))
        if code:
            parts.append(code[0])
            end = code.end()
    return "".join(parts)


def in_repository(page, link):
    """The path in the repository of what a page of the site links to."""
    beside = {value: key for key, value in BESIDE.items()}
    here = beside.get(page, posixpath.join("docs", page))
    path = posixpath.normpath(posixpath.join(posixpath.dirname(here), link))
    if page.startswith("source/"):
        return path
    if not (ROOT / path).exists():
        raise PluginError(f"{here}: {link} leads nowhere")
    return path


def in_site(path):
    if path in BESIDE:
        return BESIDE[path]
    return path.removeprefix("docs/") if path.startswith("docs/") else copy_of(face(path))


def face(path):
    """A file itself; for a folder the file that explains it, or the folder: a list of its files."""
    for name in FACES:
        if (ROOT / path / name).exists():
            return posixpath.join(path, name)
    return path


def files_of(path):
    """A file, or a folder that is shown as a list, and what stands in it."""
    found = sorted((ROOT / path).iterdir()) if (ROOT / path).is_dir() else []
    return [path, *(posixpath.join(path, file.name) for file in found if file.is_file())]


def sources_of(page):
    """The sources that a page links to, as paths in the repository."""
    found = []
    rewritten(page.content_string, lambda link: found.append(in_repository(page.src_uri, link)) or "")
    return [source for path in found if path not in BESIDE and not path.startswith("docs/")
            for source in files_of(face(path))]


def copy_of(source):
    return f"source/{source}.md"


def shown(source):
    head = f"---\nsearch:\n  exclude: true\n---\n# {source}\n\n"
    if (ROOT / source).is_dir():
        names = [posixpath.basename(path) for path in files_of(source)[1:]]
        return head + "".join(f"- [{name}]({posixpath.basename(source)}/{name}.md)\n" for name in names)
    language = {".h": "cpp", ".cpp": "cpp", ".py": "python", ".sh": "sh"}.get(Path(source).suffix, "")
    text = (ROOT / source).read_text("utf-8")
    return f"{head}````{language}\n{text}````\n"
