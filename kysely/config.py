"""Settings: everything an operator decides by environment variables, checked before anything starts."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from kysely import paths
from kysely.errors import ConfigurationError

DEMONSTRATION, PRODUCTION = "demonstration", "production"

SHORTEST_SECRET = 32
"""Bytes; also the length of the random secret of a demonstration."""

_HOST = re.compile(r"\.?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*|\[[0-9a-fA-F:]+\]")
_SENDER = re.compile(r"(?:[^<>@\x00-\x1f]*<)?[!-~]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+>?")


@dataclass(frozen=True)
class Settings:
    """One value per KYSELY_ variable. Secrets and addresses of databases stay out of its repr."""

    database_url: str = field(repr=False)
    identity_url: str = field(repr=False)
    access_url: str = field(repr=False)
    secret_key: str = field(repr=False)
    secret_key_fallbacks: tuple[str, ...] = field(default=(), repr=False)
    mode: str = DEMONSTRATION
    trusted_hosts: tuple[str, ...] = ()
    base_url: str = ""
    questionnaires: Path = paths.REPOSITORY / "questionnaires"
    build: Path = paths.REPOSITORY / "build"
    instance: Path = paths.REPOSITORY / "instance"
    proxy_hops: int = 0
    link_key: str = field(default="", repr=False)
    smtp_url: str = field(default="", repr=False)
    mail_from: str = ""
    access_key: str = field(default="", repr=False)

    @property
    def production(self) -> bool:
        return self.mode == PRODUCTION

    @property
    def demonstration(self) -> bool:
        return self.mode == DEMONSTRATION

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """Return the settings of *environ*; raises ConfigurationError that names the first setting that can't work.

        In demonstration mode the secret is made once and kept in the instance folder, readable by its owner only.
        """
        mode = environ.get("KYSELY_MODE", "").strip() or DEMONSTRATION
        if mode not in (DEMONSTRATION, PRODUCTION):
            raise ConfigurationError(f"KYSELY_MODE is {mode!r}; it must be {DEMONSTRATION!r} or {PRODUCTION!r}.")
        instance = paths.instance(environ)
        database_url = _database_url(environ, "KYSELY_DATABASE_URL") or f"sqlite:///{instance / 'answers.db'}"
        identity_url = _database_url(environ, "KYSELY_IDENTITY_URL") or _beside(database_url, "identity.db")
        if identity_url == database_url and database_url.startswith("sqlite:"):
            raise ConfigurationError(
                "KYSELY_IDENTITY_URL names the file of KYSELY_DATABASE_URL; names and answers are kept in two files."
            )
        access_url = _database_url(environ, "KYSELY_ACCESS_URL") or _beside(database_url, "access.db")
        if access_url in (database_url, identity_url) and access_url.startswith("sqlite:"):
            raise ConfigurationError("KYSELY_ACCESS_URL names the file of another database; accounts are kept apart.")
        settings = cls(
            database_url=database_url,
            identity_url=identity_url,
            access_url=access_url,
            secret_key=_secret(environ, mode, instance),
            secret_key_fallbacks=_fallbacks(environ, mode),
            mode=mode,
            trusted_hosts=_hosts(environ),
            base_url=_base_url(environ, mode),
            questionnaires=_questionnaires(environ),
            build=paths.build(environ),
            instance=instance,
            proxy_hops=_hops(environ),
            link_key=_link_key(environ, mode),
            smtp_url=_smtp_url(environ, mode),
            mail_from=_mail_from(environ),
            access_key=_access_key(environ, mode),
        )
        if settings.production:
            _refuse_what_is_unsafe(settings, environ)
        return settings


def _questionnaires(environ: Mapping[str, str]) -> Path:
    folder = paths.questionnaires(environ)
    if environ.get("KYSELY_QUESTIONNAIRES", "").strip() and not folder.is_dir():
        raise ConfigurationError(f"KYSELY_QUESTIONNAIRES is {str(folder)!r}, and there is no such folder.")
    return folder


def _database_url(environ: Mapping[str, str], name: str) -> str:
    """Return the URL in the form SQLAlchemy takes, or "" where none is set."""
    url = environ.get(name, "").strip()
    if not url:
        return ""
    scheme = url.partition(":")[0]
    if scheme in ("postgresql", "postgresql+psycopg"):
        return url.replace(scheme, "postgresql+psycopg", 1)
    if scheme == "postgres":
        raise ConfigurationError(f"{name} begins with postgres://; write postgresql:// instead.")
    if scheme != "sqlite":
        # The URL itself may hold a password, so the message repeats its scheme only.
        raise ConfigurationError(
            f"{name} has the scheme {scheme[:20]!r}; it must be sqlite:///<file> or postgresql://<user>@<host>/<database>."
        )
    if not url.startswith("sqlite:///") or url in ("sqlite:///", "sqlite:///:memory:"):
        raise ConfigurationError(
            f"{name} names no file: write sqlite:///relative.db or sqlite:////absolute/path.db. "
            "A database in memory would lose every answer when the program stops."
        )
    return url


def _beside(database_url: str, file: str) -> str:
    """Return where else something is kept if nobody says so: in *file* beside the answers, or on the same server."""
    if not database_url.startswith("sqlite:"):
        return database_url
    path, question_mark, options = database_url.partition("?")
    folder, _, _ = path.rpartition("/")
    return f"{folder}/{file}{question_mark}{options}"


def _secret(environ: Mapping[str, str], mode: str, instance: Path) -> str:
    secret = environ.get("KYSELY_SECRET_KEY", "")
    if mode == DEMONSTRATION:
        return secret or kept_secret(instance / "secret.key")
    return _strong(secret, "KYSELY_SECRET_KEY")


def _fallbacks(environ: Mapping[str, str], mode: str) -> tuple[str, ...]:
    fallbacks = tuple(filter(None, (key.strip() for key in environ.get("KYSELY_SECRET_KEY_FALLBACKS", "").split(","))))
    if mode == PRODUCTION:
        for key in fallbacks:
            _strong(key, "KYSELY_SECRET_KEY_FALLBACKS")
    return fallbacks


def _link_key(environ: Mapping[str, str], mode: str) -> str:
    """Return the key of all that links people to answers; that of a demonstration is made by `links.Keys.of`."""
    key = environ.get("KYSELY_LINK_KEY", "").strip()
    if key and key == environ.get("KYSELY_SECRET_KEY", ""):
        raise ConfigurationError("KYSELY_LINK_KEY equals KYSELY_SECRET_KEY, which is rotated; give it one of its own.")
    return _strong(key, "KYSELY_LINK_KEY") if mode == PRODUCTION else key


def _access_key(environ: Mapping[str, str], mode: str) -> str:
    """Return the key of accounts and their log, "" where none is set (kysely.access)."""
    key = environ.get("KYSELY_ACCESS_KEY", "").strip()
    if not key:
        return ""
    if key in (environ.get("KYSELY_SECRET_KEY", ""), environ.get("KYSELY_LINK_KEY", "").strip()):
        raise ConfigurationError(
            "KYSELY_ACCESS_KEY equals KYSELY_SECRET_KEY or KYSELY_LINK_KEY; give it one of its own."
        )
    return _strong(key, "KYSELY_ACCESS_KEY") if mode == PRODUCTION else key


def _smtp_url(environ: Mapping[str, str], mode: str) -> str:
    url = environ.get("KYSELY_SMTP_URL", "").strip()
    if not url:
        return ""
    parts = urlsplit(url)
    strange = not parts.hostname or parts.path.strip("/") or parts.fragment or not _has_a_port_or_none(url)
    if parts.scheme not in ("smtp", "smtps") or strange or parts.query not in ("", "tls=none"):
        # Without repeating it: it may hold a password.
        raise ConfigurationError(
            "KYSELY_SMTP_URL must look like smtp://user:password@mail.example.fi:587 (STARTTLS) or smtps://… (TLS)."
        )
    if parts.query and mode == PRODUCTION and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        raise ConfigurationError("KYSELY_SMTP_URL turns TLS off; in production that is for a server on localhost only.")
    return url


def _mail_from(environ: Mapping[str, str]) -> str:
    sender = environ.get("KYSELY_MAIL_FROM", "").strip()
    if sender and not _SENDER.fullmatch(sender):
        raise ConfigurationError(
            f"KYSELY_MAIL_FROM is {sender!r}; it must look like survey@example.fi or The study <survey@example.fi>"
        )
    return sender


def _strong(secret: str, name: str) -> str:
    cure = 'make one with: python -c "import secrets; print(secrets.token_urlsafe(32))"'
    if not secret.strip():
        raise ConfigurationError(f"{name} is missing; production needs a secret of its own: {cure}")
    if len(secret.encode()) < SHORTEST_SECRET:
        raise ConfigurationError(f"{name} is shorter than {SHORTEST_SECRET} bytes; {cure}")
    if len(set(secret)) < 6 or secret in (secret + secret)[1:-1]:
        # "changeme" four times over and its like: long enough, and easily guessed.
        raise ConfigurationError(f"{name} repeats itself and can be guessed; {cure}")
    return secret


def kept_secret(file: Path) -> str:
    """Return the secret of *file*, made on first use; two processes that start together agree on one."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
        with suppress(FileExistsError):
            if not file.exists():
                descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(descriptor, "w") as stream:
                    stream.write(secrets.token_urlsafe(SHORTEST_SECRET))
                try:
                    os.link(draft, file)  # unlike rename, it fails where the other process was first
                finally:
                    draft.unlink()
        secret = file.read_text().strip()
    except OSError as error:
        raise ConfigurationError(
            f"KYSELY_INSTANCE: {file} can't be made or read ({error.strerror}); "
            "make the folder writable, or set KYSELY_SECRET_KEY."
        ) from None
    if len(secret) < SHORTEST_SECRET:
        raise ConfigurationError(f"{file} holds no secret of {SHORTEST_SECRET} bytes; delete it and a new one is made.")
    return secret


def _hosts(environ: Mapping[str, str]) -> tuple[str, ...]:
    hosts = tuple(filter(None, (host.strip() for host in environ.get("KYSELY_TRUSTED_HOSTS", "").split(","))))
    for host in hosts:
        if not _HOST.fullmatch(host):
            raise ConfigurationError(
                f"KYSELY_TRUSTED_HOSTS: {host!r} is no host name; write names without scheme and port, "
                "separated by commas: kysely.example.fi"
            )
    return hosts


def _base_url(environ: Mapping[str, str], mode: str) -> str:
    url = environ.get("KYSELY_BASE_URL", "").strip().rstrip("/")
    if url:
        parts = urlsplit(url)
        strange = not parts.hostname or parts.path or parts.query or parts.fragment or not _has_a_port_or_none(url)
        if parts.scheme not in ("http", "https") or strange:
            raise ConfigurationError(f"KYSELY_BASE_URL is {url!r}; it must look like https://kysely.example.fi")
        if mode == PRODUCTION and parts.scheme != "https":
            raise ConfigurationError(
                "KYSELY_BASE_URL begins with http://; production serves answers over https:// only."
            )
    return url


def _has_a_port_or_none(url: str) -> bool:
    try:
        return urlsplit(url).port != 0
    except ValueError:
        return False


def _hops(environ: Mapping[str, str]) -> int:
    text = environ.get("KYSELY_PROXY_HOPS", "").strip() or "0"
    if not (text.isascii() and text.isdigit() and int(text) <= 10):
        raise ConfigurationError(
            f"KYSELY_PROXY_HOPS is {text!r}; it must be the number of proxies in front of the program, from 0 to 10."
        )
    return int(text)


def _refuse_what_is_unsafe(settings: Settings, environ: Mapping[str, str]) -> None:
    if not settings.trusted_hosts:
        raise ConfigurationError(
            "KYSELY_TRUSTED_HOSTS is missing; production answers only to host names that it knows: kysely.example.fi"
        )
    if not settings.base_url:
        raise ConfigurationError(
            "KYSELY_BASE_URL is missing; links in production begin with it: https://kysely.example.fi"
        )
    host = urlsplit(settings.base_url).hostname or ""
    known = [name for name in settings.trusted_hosts if host == name or (name[0] == "." and host.endswith(name))]
    if not known:
        raise ConfigurationError(
            f"KYSELY_TRUSTED_HOSTS lacks {host!r}, the host of KYSELY_BASE_URL; respondents would be turned away."
        )
    for name in ("KYSELY_DEBUG", "FLASK_DEBUG", "PYTHONDEVMODE"):
        if environ.get(name, "").strip().lower() not in ("", "0", "false", "no"):
            raise ConfigurationError(f"{name} is on; production never shows its inside to a respondent: unset it.")
