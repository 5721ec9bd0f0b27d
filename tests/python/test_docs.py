"""The documents and the comments name files that exist; the documents name things that the sources have."""

import fnmatch
import itertools
import re
from pathlib import Path

import pytest
import scipy.signal
import torch

import polezero

ROOT = Path(__file__).parents[2]
FOLDERS = ("benchmarks", "cmake", "csrc", "docs", "examples", "include", "python", "tests", ".ci")
FILES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in itertools.chain(ROOT.glob("*"), *(ROOT.joinpath(folder).rglob("*") for folder in FOLDERS))
    if path.is_file()
)
DOCUMENTS = [file for file in FILES if file.endswith(".md") and file != "CHANGELOG.md"]
SOURCES = [file for file in FILES if file.endswith((".h", ".cpp", ".cu", ".cuh", ".py", ".pyi", ".sh", ".cmake"))]
SUFFIXES = "cmake|cpp|cuh|cu|h|hpp|json|md|py|sh|toml|txt"
OTHERS = ("ATen/", "nlohmann/", "torch/", "polezero/polezero.h")  # headers of others, and one of ours as it is included
NOTATION = {"tangent_u"}  # of docs/maths.md
STILL_TO_COME = ("results/gpu.json",)  # the documents say so


def text_of(file: str) -> str:
    return ROOT.joinpath(file).read_text(encoding="utf-8")


def alternatives(pattern: str) -> list[str]:
    """``<op>.{h,cpp}`` as ``*.h`` and ``*.cpp``."""
    pattern = re.sub(r"<[\w.]+>", "*", pattern)
    braces = re.search(r"\{([^}]*)\}", pattern)
    if braces is None:
        return [pattern]
    return [pattern[: braces.start()] + suffix + pattern[braces.end() :] for suffix in braces[1].split(",")]


def exists(pattern: str) -> bool:
    """Whether a file has this path, or one that ends in it."""
    folders = "*" if pattern.endswith("/") else ""
    return any(fnmatch.filter(FILES, start + pattern + folders) for start in ("", "*/"))


def quoted(document: str) -> list[str]:
    """What stands in backticks, outside blocks of code."""
    return re.findall(r"`([^`\n]+)`", re.sub(r"(?ms)^```.*?^```", "", text_of(document)))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_files_that_a_document_names_exist(document: str) -> None:
    path = re.compile(rf"[\w.*/<>{{}},-]+(\.({SUFFIXES})|\.{{[\w,]+}}|/)")
    files = [name for name in quoted(document) if path.fullmatch(name)]
    ours = [name for name in files if not name.startswith((*OTHERS, *STILL_TO_COME))]
    assert [name for name in ours if not all(exists(file) for file in alternatives(name))] == []


def anchors(file: Path) -> list[str]:
    headings = re.findall(r"(?m)^#+ (.+)$", file.read_text(encoding="utf-8"))
    return [re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_between_documents_lead_somewhere(document: str) -> None:
    for link in re.findall(r"\]\((?!https?://)([^)\s]+)\)", text_of(document)):
        name, _, anchor = link.partition("#")
        file = (ROOT / document).parent / name if name else ROOT / document
        assert file.exists(), link
        assert not anchor or anchor in anchors(file), link


def test_files_that_comments_name_exist() -> None:
    path = re.compile(r"(?<![\w/.<>*{-])((?:[\w.]+/)*\w+\.(?:cpp|cuh|cu|h|md))(?![\w(])")
    comments = ((file, comment) for file in SOURCES for comment in re.findall(r"(?m)(?://|^\s*#) .*$", text_of(file)))
    named = {(file, name) for file, comment in comments for name in path.findall(comment)}
    assert [(file, name) for file, name in sorted(named) if not name.startswith(OTHERS) and not exists(name)] == []


@pytest.fixture(scope="module")
def words() -> set[str]:
    others = (file for file in SOURCES if file != Path(__file__).relative_to(ROOT).as_posix())
    return NOTATION.union(*(re.findall(r"\w+", text_of(file)) for file in (*others, "CMakeLists.txt")))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_names_that_a_document_quotes_are_in_the_sources(document: str, words: set[str]) -> None:
    quotes = [name for name in quoted(document) if re.fullmatch(r"[A-Za-z_]\w*(::\w+)*(\(\))?", name)]
    assert [name for name in quotes if not words.issuperset(re.findall(r"\w+", name))] == []


def test_the_page_on_scipy_has_all_that_bears_its_names() -> None:
    names = set(quoted("docs/scipy.md"))
    both = {name for name in polezero.__all__ if hasattr(scipy.signal, name)}
    assert both - names == set()
    assert {name for name in names if name.isidentifier() and hasattr(scipy.signal, name)} <= both


def commands_of_the_seeds() -> list[str]:
    rows = [line for line in text_of("docs/seeds.md").splitlines() if line.startswith("| ")]
    return [command for row in rows for command in re.findall(r"`([^`]+)`", row.rpartition(" | ")[2])]


@pytest.mark.parametrize("command", commands_of_the_seeds())
def test_commands_of_the_page_on_seeds_run(command: str) -> None:
    if command.startswith("python "):  # what it does is tried by test_examples.py, or is a benchmark
        script = command.split()[1]
        if not exists(script):
            pytest.skip(f"{script} is not written yet")
        return
    for home, name in re.findall(r"(?<![.\w])(polezero|nn)\.(\w+)", command):
        if not hasattr(polezero.nn if home == "nn" else polezero, name):
            pytest.skip(f"{home}.{name} is not built yet")
    exec(command, {"torch": torch, "polezero": polezero, "nn": polezero.nn, "x": torch.randn(2, 4800)})
