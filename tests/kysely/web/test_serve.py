"""`kysely serve`: the production server with its processes, as an operator starts it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from io import BytesIO
from urllib.error import URLError
from urllib.request import urlopen

import pytest

SECONDS = 90


@pytest.fixture
def environment(sqlite_settings) -> dict[str, str]:
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("KYSELY_")},
        "KYSELY_INSTANCE": str(sqlite_settings.instance),
        "KYSELY_BUILD": str(sqlite_settings.build),
    }


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "kysely", "serve", *arguments]


def test_the_server_answers_says_where_and_keeps_no_log_of_visits(environment, tmp_path):
    port = str(_free_port())
    log = tmp_path / "log"
    with log.open("w") as output:
        server = subprocess.Popen(command("--port", port), env=environment, stdout=output, stderr=output)
        try:
            url = f"http://127.0.0.1:{port}"
            assert _fetch(f"{url}/healthz", server) == "ok\n"
            page = _fetch(f"{url}/sv/operating_mode/", server)
            assert "Organisationens verksamhetssätt" in page
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(SECONDS)
    said = log.read_text()
    assert url in said and "/charts/" in said
    # A worker that is stopped while it starts is told of; how many threads there may be is nobody's concern.
    assert "operating_mode" not in said and "Traceback" not in said and "threads" not in said


def test_the_server_is_not_opened_to_the_network_without_saying_for_which_hosts(environment):
    refused = subprocess.run(
        command("--host", "0.0.0.0"), env=environment, capture_output=True, text=True, timeout=SECONDS
    )
    assert refused.returncode == 3
    assert refused.stderr.startswith("KYSELY_TRUSTED_HOSTS is missing")
    assert "Traceback" not in refused.stderr


def test_a_port_where_somebody_listens_is_not_shared(environment):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        refused = subprocess.run(
            command("--port", port), env=environment, capture_output=True, text=True, timeout=SECONDS
        )
    assert refused.returncode == 3
    assert f"port {port}" in refused.stderr and "--port" in refused.stderr


def test_clients_that_stop_in_the_middle_of_a_post_keep_nobody_waiting(environment):
    port = _free_port()
    server = subprocess.Popen(command("--port", str(port), "--workers", "1"), env=environment)
    silent = []
    try:
        url = f"http://127.0.0.1:{port}"
        _fetch(f"{url}/healthz", server)
        for _ in range(40):
            client = socket.create_connection(("127.0.0.1", port))
            client.sendall(
                b"POST /fi/operating_mode/ HTTP/1.1\r\nHost: localhost\r\n"
                b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 500\r\n\r\nend=1"
            )
            silent.append(client)
        time.sleep(1)
        with urlopen(f"{url}/fi/operating_mode/", timeout=30) as answer:
            assert answer.status == 200
    finally:
        for client in silent:
            client.close()
        server.send_signal(signal.SIGTERM)
        server.wait(SECONDS)


@pytest.mark.parametrize(
    ("path", "header"),
    [
        ("/fi/" + "x" * 5000, ""),
        ("/healthz", f"X-Long: {'x' * 20_000}\r\n"),
        ("/healthz", f"Cookie: a={'x' * 8_000}\r\n"),
    ],
    ids=["path", "header", "cookie"],
)
def test_what_is_too_long_is_answered_without_an_error_of_the_server(environment, path, header):
    port = _free_port()
    server = subprocess.Popen(command("--port", str(port), "--workers", "1"), env=environment)
    try:
        _fetch(f"http://127.0.0.1:{port}/healthz", server)
        with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{header}\r\n".encode())
            status = int(client.recv(64).split()[1])
        assert 200 <= status < 500
        assert _fetch(f"http://127.0.0.1:{port}/healthz", server) == "ok\n"
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(SECONDS)


def test_no_process_goes_on_serving_when_the_server_has_been_killed(environment):
    port = _free_port()
    server = subprocess.Popen(command("--port", str(port), "--workers", "1"), env=environment)
    _fetch(f"http://127.0.0.1:{port}/healthz", server)
    server.kill()
    server.wait(SECONDS)
    for _ in range(SECONDS * 5):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except ConnectionRefusedError:
            return
        time.sleep(0.2)
    raise AssertionError("a worker still serves")


def test_a_body_without_a_stated_length_has_the_same_limit(environment):
    from kysely.web.serving import WholeRequests

    seen = {}

    def app(environ, start_response):
        seen.update(length=environ["CONTENT_LENGTH"], body=environ["wsgi.input"].read())
        return []

    whole = WholeRequests(app, limit=10)
    whole({"REQUEST_METHOD": "POST", "wsgi.input": BytesIO(b"x" * 25), "HTTP_TRANSFER_ENCODING": "chunked"}, None)
    assert seen == {"length": "11", "body": b"x" * 11}  # more than the limit, so the application refuses it


def _fetch(url: str, server: subprocess.Popen) -> str:
    for _ in range(SECONDS * 5):
        assert server.poll() is None, "the server has stopped"
        try:
            with urlopen(url, timeout=10) as answer:
                return answer.read().decode()
        except (URLError, ConnectionError):
            time.sleep(0.2)
    raise AssertionError(f"{url} did not answer")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
