"""The socket over real processes: from a POST to the frame in the client."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.live import Site, wait_for_task
from tests.waiting import PATIENCE_SECONDS, wait_for

pytestmark = pytest.mark.databases

V1 = [Subprotocol("arboris.v1")]
FIELDS = {
    "id", "pending_analysis_id", "project_id", "chapter_id", "chapter_number",
    "notification_type", "title", "message", "data", "is_read", "created_at",
}  # fmt: skip
STORY = "沈砚秋推开听雨楼的木门，檐下的铜铃响了三声。顾长风说道：“师父回来了。”" * 8
NOBODY: dict[str, str] = {}


@pytest.fixture
def client(site: Site) -> Iterator[httpx2.Client]:
    """The writer's, of whom no test before has left anything that is still to be told."""
    with site.client() as client:
        wait_for(lambda: is_idle(client), "nothing is under way")
        yield client


def is_idle(client: httpx2.Client) -> bool:
    told = client.get("/api/async-analysis/status").json()
    return not told["pending"] and not told["processing"]


@pytest.fixture
def project(client: httpx2.Client) -> str:
    return str(client.post("/api/projects", json={"title": "听雨楼"}).json()["id"])


def post_chapter(client: httpx2.Client, project: str) -> dict[str, Any]:
    answer = client.post(f"/api/projects/{project}/chapters", json={"content": STORY})
    saved: dict[str, Any] = answer.json()
    return saved


def receive(socket: ClientConnection) -> dict[str, Any]:
    frame: dict[str, Any] = json.loads(socket.recv(timeout=PATIENCE_SECONDS))
    return frame


def receive_kind(socket: ClientConnection, *kinds: str) -> dict[str, Any]:
    """The next frame of these kinds; what else arrives is passed over."""
    while (frame := receive(socket))["type"] not in kinds:
        assert frame["v"] == 1
    return frame


def closed_with(socket: ClientConnection) -> int:
    with pytest.raises(ConnectionClosed) as caught:
        while True:  # frames that were under way come first
            socket.recv(timeout=PATIENCE_SECONDS)
    assert caught.value.rcvd is not None
    return int(caught.value.rcvd.code)


def test_the_original_client_gets_notifications_alone(
    site: Site, client: httpx2.Client, project: str
) -> None:
    with site.socket() as socket:
        assert socket.subprotocol is None
        for number in (1, 2):
            saved = post_chapter(client, project)
            frame = receive(socket)
            assert set(frame) == FIELDS
            assert frame["pending_analysis_id"] == saved["analysis"]["id"]
            assert frame["notification_type"] == "completed"
            assert frame["title"] == f"第 {number} 章增强分析已完成"
            assert frame["message"] == "角色状态、世界观等信息已更新"
            assert frame["is_read"] == 0


def test_a_frame_equals_what_polling_shows(site: Site, client: httpx2.Client, project: str) -> None:
    with site.socket() as socket:
        post_chapter(client, project)
        frame = receive(socket)
    (polled,) = client.get("/api/async-analysis/notifications?limit=1").json()
    assert frame == polled


def test_a_browsers_session_is_enough(site: Site, client: httpx2.Client, project: str) -> None:
    with site.signed_in() as browser:
        cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    headers = {"Cookie": cookie, "Accept-Language": "en"}
    with site.socket(additional_headers=headers, origin=site.url) as socket:
        post_chapter(client, project)
        assert receive(socket)["title"] == "Enhanced analysis of chapter 1 is complete"


def test_other_writers_hear_nothing(site: Site, client: httpx2.Client, project: str) -> None:
    with site.socket(user="stranger", subprotocols=V1) as other, site.socket() as mine:
        assert receive(other)["type"] == "state"
        post_chapter(client, project)
        receive(mine)
        # A ping after the notification: before its answer the other one hears states at most.
        other.send(json.dumps({"type": "ping"}))
        while (frame := receive(other))["type"] == "state":
            pass
        assert frame["type"] == "pong"


def test_v1_state_ping_notification_and_read(
    site: Site, client: httpx2.Client, project: str
) -> None:
    client.post("/api/async-analysis/notifications/read-all")
    with site.socket(subprotocols=V1) as socket:
        assert socket.subprotocol == "arboris.v1"
        state = receive(socket)
        assert (state["v"], state["type"], state["data"]["unread"]) == (1, "state", 0)
        socket.send(json.dumps({"type": "ping"}))
        assert receive_kind(socket, "pong")["v"] == 1
        post_chapter(client, project)
        told = receive_kind(socket, "notification")["data"]
        assert set(told) == FIELDS
        assert told["id"] > state["data"]["max_id"]
        socket.send(json.dumps({"type": "ack", "id": told["id"]}))
        socket.send(json.dumps({"type": "read", "id": told["id"]}))
        while (after := receive_kind(socket, "state")["data"])["unread"]:
            pass  # one by the clock, of before
        assert after["max_id"] == told["id"]
    (polled,) = client.get("/api/async-analysis/notifications?limit=1").json()
    assert polled["is_read"] == 1


def test_v1_survives_nonsense(site: Site) -> None:
    with site.socket(subprotocols=V1) as socket:
        receive_kind(socket, "state")
        for nonsense in ("", "{", "[]", "7", '{"type": 7}', '{"type": "read", "id": "x"}',
                         '{"type": "read", "id": true}', b"\x00\xff"):  # fmt: skip
            socket.send(nonsense)
            assert receive_kind(socket, "error")["data"]["code"] == "invalid"
        socket.send(json.dumps({"type": "read", "id": 10**30}))
        receive_kind(socket, "state")
        socket.send(json.dumps({"type": "ping"}))
        receive_kind(socket, "pong")


def test_since_replays_what_was_missed_in_order(
    site: Site, client: httpx2.Client, project: str
) -> None:
    before = client.get("/api/async-analysis/notifications?limit=1").json()
    since = before[0]["id"] if before else 0
    tasks = [post_chapter(client, project)["analysis"]["id"] for _ in range(3)]
    for task in tasks:
        wait_for_task(client, task)
    with site.socket(f"?since={since}") as socket:
        missed = [receive(socket) for _ in tasks]
        ids = [frame["id"] for frame in missed]
        assert ids == sorted(ids)
        assert {frame["pending_analysis_id"] for frame in missed} == set(tasks)
        live = post_chapter(client, project)
        assert receive(socket)["pending_analysis_id"] == live["analysis"]["id"]


def test_without_since_nothing_old_comes(site: Site, client: httpx2.Client, project: str) -> None:
    wait_for_task(client, post_chapter(client, project)["analysis"]["id"])
    with site.socket() as socket:
        later = post_chapter(client, project)
        assert receive(socket)["pending_analysis_id"] == later["analysis"]["id"]


@pytest.mark.parametrize("since", [str(2**62), "9" * 5000, "x", "-1"], ids=lambda t: t[:9])
def test_an_id_that_was_never_given_out_is_a_reset(site: Site, since: str) -> None:
    with site.socket(f"?since={since}", subprotocols=V1) as socket:
        assert receive(socket)["type"] == "reset"
        assert receive(socket)["type"] == "state"
        socket.send(json.dumps({"type": "ping"}))
        receive_kind(socket, "pong")


@pytest.mark.parametrize(
    "headers", [NOBODY, {"Authorization": "Token 0000"}, {"Authorization": "Basic x"}], ids=str
)
@pytest.mark.parametrize("subprotocols", [None, V1], ids=["plain", "v1"])
def test_not_signed_in_is_4401_after_the_handshake(
    site: Site, headers: dict[str, str], subprotocols: Any
) -> None:
    with site.socket(additional_headers=headers, subprotocols=subprotocols) as socket:
        assert closed_with(socket) == 4401


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "http://127.0.0.1:1", "https://127.0.0.1:{port}", "null",
     "http://127.0.0.1.evil.example:{port}"],
)  # fmt: skip
def test_a_foreign_origin_is_4403(site: Site, origin: str) -> None:
    with site.signed_in() as browser:
        cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    foreign = origin.format(port=site.port)
    with site.socket(additional_headers={"Cookie": cookie}, origin=foreign) as socket:
        assert closed_with(socket) == 4403


def open_sockets(site: Site) -> float:
    with site.client() as client:
        lines = client.get("/metrics").text.splitlines()
    return next(float(x.split()[1]) for x in lines if x.startswith("arboris_open_sockets "))


def test_the_open_sockets_are_counted_and_forgotten(site: Site) -> None:
    wait_for(lambda: open_sockets(site) == 0, "sockets of other tests are gone")
    with site.socket(subprotocols=V1) as socket:
        receive(socket)
        assert open_sockets(site) == 1
    wait_for(lambda: open_sockets(site) == 0, "it is forgotten")


def test_too_many_sockets_of_one_writer_are_4429(site: Site) -> None:
    wait_for(lambda: open_sockets(site) == 0, "sockets of other tests are gone")
    with contextlib.ExitStack() as opened:
        for _ in range(20):
            receive(opened.enter_context(site.socket(user="stranger", subprotocols=V1)))
        with site.socket(user="stranger") as one_more:
            assert closed_with(one_more) == 4429


def test_another_path_is_closed_with_4404(site: Site) -> None:
    address = f"ws://127.0.0.1:{site.port}/ws/notifications/"
    with connect(address, proxy=None, open_timeout=PATIENCE_SECONDS) as socket:
        assert closed_with(socket) == 4404
    assert "No route found" not in site.log()


@pytest.mark.parametrize("size", [70_000, 5_000_000])
def test_a_frame_that_is_too_long_is_1009(site: Site, size: int) -> None:
    with site.socket(subprotocols=V1) as socket:
        receive_kind(socket, "state")
        with contextlib.suppress(ConnectionClosed):  # it may come before all is sent
            socket.send("x" * size)
        assert closed_with(socket) == 1009


def test_the_time_to_the_socket_is_measured(
    site: Site, client: httpx2.Client, project: str
) -> None:
    def counted() -> float:
        lines = client.get("/metrics").text.splitlines()
        series = "arboris_push_seconds_count "
        return next(float(x.split()[1]) for x in lines if x.startswith(series))

    before = counted()
    with site.socket() as socket:
        post_chapter(client, project)
        receive(socket)
        wait_for(lambda: counted() > before, "the push is measured")
