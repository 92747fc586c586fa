"""What holds for the page as a whole: its size, its words, and what it takes the API for."""

import gzip
import re
from pathlib import Path

import pytest

from tests.page.frontend import FRONTEND, built, run

SOURCES = FRONTEND / "src"
FIRST_LOAD_BYTES = 150_000
HANGUL = re.compile(r"[\uac00-\ud7a3]")


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("page"))


def test_the_api_is_what_the_page_takes_it_for(tmp_path: Path) -> None:
    made = tmp_path / "schema.d.ts"
    done = run("api-types", str(made))
    assert done.returncode == 0, done.stdout + done.stderr
    same = made.read_bytes() == (SOURCES / "api" / "schema.d.ts").read_bytes()
    assert same, "the API has changed: `python frontend/run.py api-types` makes the page's types anew"


def test_the_jobs_page_loads_little_script(page: Path) -> None:
    """The entry, the jobs page, and whatever either imports at once; what is imported later does not count."""
    scripts = {path.name: path.read_text() for path in (page / "assets").glob("*.js")}
    entry = re.search(r'src="/assets/([^"]+\.js)"', (page / "index.html").read_text())
    assert entry is not None
    wanted = [entry[1], *(name for name in scripts if name.startswith("JobsPage-"))]
    assert len(wanted) == 2
    loaded: set[str] = set()
    while wanted:
        name = wanted.pop()
        if name in loaded:
            continue
        loaded.add(name)
        wanted += re.findall(r'(?:from|import)\s*"\./([^"]+\.js)"', scripts[name])
    size = sum(len(gzip.compress(scripts[name].encode())) for name in loaded)
    assert size < FIRST_LOAD_BYTES, f"{size} bytes, gzipped: {sorted(loaded)}"


def test_nothing_is_loaded_from_elsewhere(page: Path) -> None:
    index = (page / "index.html").read_text()
    assert not re.search(r"<script(?![^>]*\ssrc=)", index), "the page's policy allows no inline script"
    for place in re.findall(r'(?:src|href)="([^"]+)"', index):
        assert place.startswith("/")


def test_words_are_kept_where_both_languages_are() -> None:
    """Korean that is not defined beside its English would be shown to everybody."""
    for path in [*SOURCES.rglob("*.ts"), *SOURCES.rglob("*.tsx")]:
        text = path.read_text()
        # units; the Korean of what the backend says in English
        without_english = path == SOURCES / "format" / "format.ts" or path.name.lower().endswith("told.ts")
        if HANGUL.search(text) and "defineWords" not in text and ".test." not in path.name and not without_english:
            pytest.fail(f"{path} has Korean outside defineWords")


def test_no_file_of_the_page_has_grown_too_large() -> None:
    for path in [*SOURCES.rglob("*.ts"), *SOURCES.rglob("*.tsx")]:
        if path.name != "schema.d.ts":
            assert len(path.read_text().splitlines()) <= 500, path
