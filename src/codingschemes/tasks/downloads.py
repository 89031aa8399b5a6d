"""Where image files come from: the folder CODINGSCHEMES_DATA, then the download cache, then their home on the web.

Every file is checked against its published sha256 before it is read; nothing is ever written into the folder.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from codingschemes.errors import InvalidInput

VARIABLE = "CODINGSCHEMES_DATA"


@dataclass(frozen=True)
class DataFile:
    """A file with published content.

    Attributes:
        name: its name, in the folder and in the cache.
        sha256: its checksum, as hexadecimal digits.
        urls: where it can be downloaded; tried in order.
        subfolder: a folder inside CODINGSCHEMES_DATA in which it is looked for as well.
    """

    name: str
    sha256: str
    urls: tuple[str, ...]
    subfolder: str = ""


def fetch(file: DataFile) -> Path:
    """The path of a verified copy of `file`, downloaded if there is none.

    Raises:
        InvalidInput: the folder is missing, the file is damaged, or it cannot be downloaded.
    """
    return find(file) or download(file)


def find(file: DataFile) -> Path | None:
    """The path of `file` in the folder CODINGSCHEMES_DATA, or None if there is no folder or no such file in it.

    Raises:
        InvalidInput: the folder is missing, or the file in it does not have the published content.
    """
    if not (value := os.environ.get(VARIABLE)):
        return None
    folder = Path(value).expanduser()
    if not folder.is_dir():
        raise InvalidInput(f"{VARIABLE} names {folder}, which is not a folder: correct it, or unset it to download")
    for path in (folder / file.name, folder / file.subfolder / file.name):
        if path.is_file():
            verify(path, file.sha256)
            return path
    return None


def verify(path: Path, sha256: str) -> None:
    """Raises InvalidInput unless the file at `path` has the given checksum."""
    digest = sha256_of(path)
    if digest != sha256:
        raise InvalidInput(
            f"{path} is not the published file (its sha256 begins with {digest[:12]}, not {sha256[:12]}): "
            "it may be truncated; replace it, or remove it to have it downloaded"
        )


def sha256_of(path: Path) -> str:
    """The checksum of the file at `path`, as hexadecimal digits; InvalidInput if it cannot be read."""
    try:
        with path.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read ({error.strerror}): make it readable or remove it") from None


def download(file: DataFile) -> Path:
    """The path of `file` in the operating system's cache folder, downloaded into it if it is not there.

    Raises:
        InvalidInput: no address gave the published file.
    """
    import pooch  # needed only where files are missing

    failures = []
    for url in file.urls:
        try:
            path = pooch.retrieve(
                url, known_hash=f"sha256:{file.sha256}", fname=file.name, path=pooch.os_cache("codingschemes")
            )
        except (OSError, ValueError) as error:  # no connection, no such page, no room; a wrong checksum
            failures.append(f"{type(error).__name__} at {urlsplit(url).netloc}")
        else:
            return Path(path)
    raise InvalidInput(
        f"{file.name} cannot be downloaded ({', '.join(failures)}): "
        f"set {VARIABLE} to a folder that holds it, or check the connection"
    )
