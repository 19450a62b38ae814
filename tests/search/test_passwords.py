"""A database's password is written, shown and passed on nowhere: in no file, no message, no process."""

import os
import time
from pathlib import Path

import optuna
import pytest

from latentspace.core.credentials import is_secret, masked
from latentspace.core.errors import ConfigurationError, LatentspaceError, OutputError
from latentspace.search.storage import address_of, open_storage, reaching, without_password
from latentspace.search.trials import join
from makers import undrawn
from preloaded import begun, command, command_with_forked_workers
from runner import call
from small_search import write_recipe

SECRETS = ("xyzzy", "plugh")  # of the passwords, as they stand in every way of writing them


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path) -> str:
    """A database that can be reached, its URL with one secret or two."""
    if request.param == "postgresql":
        return f"{request.getfixturevalue('postgresql')}?sslmode=prefer&sslpassword=plugh"
    return f"sqlite:///file:{tmp_path / 'trials.db'}?uri=true&password=xyzzy"


def descendants(parent: int) -> list[Path]:
    """What /proc has of the processes below `parent`."""
    below, found = {parent}, []
    for place in sorted(Path("/proc").glob("[0-9]*"), key=lambda one: int(one.name)):
        try:
            above = int((place / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue  # it has ended
        if above in below:
            below.add(int(place.name))
            found.append(place)
    return found


def watched(arguments: list[str], folder: Path, forks: bool) -> tuple[int | None, bytes, set[bytes]]:
    """Exit code, all that is printed, and the command lines and environments of the processes it starts.

    Args:
        forks: its workers are its forks, which takes less time than to begin processes.
    """
    seen: set[bytes] = set()
    places = {name: str(folder / name.lower()) for name in ("LATENTSPACE_CACHE", "HOME", "TMPDIR")}
    (folder / "tmpdir").mkdir(exist_ok=True)
    function = command_with_forked_workers if forks else command
    process, out, err = begun(arguments, folder, function, **places)
    while process.poll() is None:
        for place in descendants(process.pid):
            for file in ("cmdline", "environ"):
                try:
                    seen.add((place / file).read_bytes())
                except OSError:
                    continue
        time.sleep(0.1)
    return process.returncode, out.read_bytes() + err.read_bytes(), seen


def assert_silent(content: bytes, where: object) -> None:
    for secret in SECRETS:
        assert secret.encode() not in content, where


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="no /proc to look at processes with")
def test_a_search_leaves_its_password_nowhere(url, archive, tmp_path):
    recipe = write_recipe(tmp_path, trials=1, epochs=1)
    study = tmp_path / f"study-{url.partition(':')[0]}"
    begin = ["search", "ae", "--data", str(archive), "--recipe", str(recipe), "--out", str(study)]
    begin += ["--storage", url, "--set", "threads=1", "--workers", "1"]
    alone = url.startswith("sqlite")  # what a worker is begun with does not depend on the database
    code, said, seen = watched(begin, tmp_path, forks=not alone)
    assert code == 0, said
    assert any(b"-m\0latentspace.search.executors.worker" in one for one in seen) is alone
    with undrawn():
        code, out, err = call(["report", str(study), "--storage", url])
    assert code == 0, err
    for one in (said, (out + err).encode(), *seen):
        assert_silent(one, one)
    made = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert study / "best" / "environment.json" in made
    for file in made:
        assert_silent(os.fsencode(file) + file.read_bytes(), file)
    with join(study, url) as trials:
        attributes = [trials.study.user_attrs]
        attributes += [{**one.user_attrs, **one.system_attrs} for one in trials.study.trials]
    assert_silent(repr(attributes).encode(), "the database")


MISTAKES = {
    "no server": ["search", "ae", "--data", "{data}", "--out", "{out}", "--storage", "{url}"],
    "twice": ["search", "ae", "{url}", "--out", "{out}"],
    "a model": ["search", "{url}", "--out", "{out}"],
    "data": ["search", "ae", "--data", "{url}", "--out", "{out}"],
    "a number": ["search", "ae", "--trials", "{url}", "--out", "{out}"],
    "a run": ["report", "{url}"],
    "of a run": ["report", "{run}", "--storage", "{url}"],
    "a setting": ["train", "ae", "--out", "{out}", "--set", "{url}"],
    "an unknown option": ["search", "ae", "--store={url}", "--out", "{out}"],
    "a command": ["{url}"],
}
UNREACHABLE = (
    "postgresql://me:xyzzy@127.0.0.1:1/x?sslpassword=plugh",
    "postgresql://me@127.0.0.1:1/x?password=xyzzy",
    "postgresql://me:xy@xyzzy@127.0.0.1:1/x",
    "postgresql://me:a/b xyzzy?c@127.0.0.1:1/x",
    "postgresql://me:a@b:xyzzy@host/x",
    "oracle9://me:xyzzy@host/x?wallet_password=plugh",
    "sqlite://me:xyzzy@host/x?password=plugh",
    "mssql+pyodbc:///?odbc_connect=Driver%3DODBC%3BPWD%3Dxyzzy",
)


@pytest.mark.parametrize("url", UNREACHABLE)
@pytest.mark.parametrize("mistake", MISTAKES)
def test_no_error_screen_shows_a_password(mistake, url, archive, small_runs, tmp_path):
    names = {"url": url, "data": archive, "out": tmp_path / "out", "run": small_runs["ae"].path}
    if mistake == "no server":
        write_recipe(tmp_path)
        names["data"] = f"{archive}"
        arguments = [*MISTAKES[mistake], "--recipe", str(tmp_path / "small.toml")]
    else:
        arguments = MISTAKES[mistake]
    code, out, err = call([one.format(**names) for one in arguments])
    assert code == 2
    assert err
    assert_silent((out + err).encode(), err)


@pytest.mark.parametrize("url", UNREACHABLE)
def test_an_exception_and_its_causes_hold_no_password(url, tmp_path):
    with pytest.raises(LatentspaceError) as caught:
        open_storage(tmp_path, url)
    error: BaseException | None = caught.value
    while error is not None:
        assert_silent(f"{error} {error.args}".encode(), repr(error))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def test_a_wrong_password_is_explained_without_it(postgresql, tmp_path):
    wrong = address_of(postgresql).set(password="xyzzy, but wrong").render_as_string(hide_password=False)
    with pytest.raises(OutputError, match="password authentication failed") as caught:
        open_storage(tmp_path, wrong)
    assert_silent(str(caught.value).encode(), "the error")


def test_what_a_driver_says_of_a_secret_is_masked():
    from sqlalchemy.exc import OperationalError

    url = "postgresql://me:xyzzy%40@host/x?sslpassword=plugh"
    for raised in (
        OperationalError("SELECT 1", {}, Exception('host "xyzzy@" and plugh')),
        optuna.exceptions.StorageInternalError("xyzzy@"),
    ):
        with pytest.raises(OutputError) as caught, reaching(url):
            raise raised
        assert_silent(str(caught.value).encode() + repr(caught.value.__cause__).encode(), "the error")


def test_an_at_sign_in_a_password_is_explained():
    with pytest.raises(ConfigurationError, match="%40"):
        address_of("postgresql://me:half@whole@host/x")


KEPT = {
    "postgresql://me:xyzzy@h:5/db": "postgresql+psycopg://me@h:5/db",
    "postgresql://me@h/db?password=xyzzy&sslmode=require": "postgresql+psycopg://me@h/db?sslmode=require",
    "postgresql://me@h/db?sslpassword=plugh&sslkey=me.key": "postgresql+psycopg://me@h/db?sslkey=me.key",
    "postgresql://h/db?passfile=%2Fhome%2Fme%2F.pgpass": (
        "postgresql+psycopg://h/db?passfile=%2Fhome%2Fme%2F.pgpass"
    ),
    "mysql+pymysql://me@h/db?PASSWD=xyzzy&charset=utf8": "mysql+pymysql://me@h/db?charset=utf8",
}


@pytest.mark.parametrize("url", KEPT)
def test_a_study_keeps_all_of_the_url_but_its_secrets(url):
    assert without_password(url) == KEPT[url]
    assert masked(KEPT[url]) == KEPT[url]


def test_text_without_a_secret_stays_as_it_is():
    for text in ("https://example.org:443/a?b=c&key2=d", "me@example.org: 3", "a?password=b", "C:/Users/x@y"):
        assert masked(text) == text
    assert masked("see postgresql://me:a@h/x?token=b, twice") == "see postgresql://me:***@h/x?token=***"
    assert masked(masked("x://u:p@h?pwd=1&a=2")) == "x://u:***@h?pwd=***&a=2"
    assert not any(map(is_secret, ("passfile", "sslkey", "host", "options", "sslmode", "connect_timeout")))
