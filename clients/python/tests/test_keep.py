"""Cache, manager and mock, and where the agent is looked for."""

from __future__ import annotations

import asyncio
import copy
import datetime as dt
import os
import pickle
import tempfile
import threading
import unittest

from doorward import (
    AsyncClient,
    Cache,
    Capability,
    CapabilityResponse,
    Client,
    Denied,
    Manager,
    NotValid,
    OutcomeUnknown,
    Refused,
    Secret,
    TimedOut,
    Unreachable,
)
from doorward._wire import SYSTEM_SOCKET, Retry, socket_path, socket_places
from doorward.testing import Mock
from replay import Scripted

START = dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.time = START

    def __call__(self) -> dt.datetime:
        return self.time

    def move(self, seconds: float) -> None:
        self.time += dt.timedelta(seconds=seconds)


def allowing(clock: Clock | None = None) -> Mock:
    agent = Mock(clock)
    agent.allow("secret:/db/*", "read", "write")
    return agent


def asked(agent: Mock, name: str) -> int:
    return sum(1 for call, _ in agent.calls if call == name)


class Keeping(unittest.TestCase):
    """What a program keeps between two calls."""

    def test_threads_that_want_one_capability_ask_once(self) -> None:
        agent = allowing()
        with Manager(agent) as manager:
            threads = [threading.Thread(target=manager.get, args=("secret:/db/primary", "read")) for _ in range(30)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        self.assertEqual(asked(agent, "request"), 1)
        counted = agent.metrics.now()
        self.assertEqual((counted.cache_misses, counted.cache_hits), (1, 29))
        self.assertEqual((counted.capability_requests, counted.capability_grants), (1, 1))

    def test_the_order_of_actions_is_no_difference_and_another_resource_is(self) -> None:
        agent = allowing()
        with Manager(agent) as manager:
            manager.get("secret:/db/a", "read", "write")
            manager.get("secret:/db/a", "write", "read")
            manager.get("secret:/db/b", "read", "write")
        self.assertEqual(asked(agent, "request"), 2)

    def test_a_denial_is_an_error_and_is_not_kept(self) -> None:
        agent = Mock()
        with Manager(agent) as manager:
            with self.assertRaises(Denied) as raised:
                manager.get("secret:/db/primary", "read")
            self.assertEqual(str(raised.exception), "capability denied: Request denied by policy")
            agent.allow("secret:/db/primary", "read")
            self.assertEqual(manager.get("secret:/db/primary", "read").resource, "secret:/db/primary")

    def test_a_capability_near_its_end_is_not_given_out(self) -> None:
        clock = Clock()
        cache = Cache(size=2, now=clock)

        def capability(name: str, seconds: int) -> Capability:
            return Capability(name, START + dt.timedelta(seconds=seconds))

        cache.set("a", capability("1", 100))
        clock.move(94)
        self.assertIsNotNone(cache.get("a"))
        clock.move(1)
        self.assertIsNone(cache.get("a"))
        clock.move(-95)
        cache.set("a", capability("1", 10))
        cache.set("b", capability("2", 100))
        cache.get("a")
        cache.set("c", capability("3", 100))
        self.assertIsNone(cache.get("b"), "the least recently used goes first")
        clock.move(9)
        self.assertEqual(cache.sweep(), 1)
        cache.remove("3")
        self.assertEqual(len(cache), 0)

    def test_a_revoked_capability_is_forgotten_when_its_use_fails(self) -> None:
        agent = allowing()
        ran: list[str] = []
        with Manager(agent) as manager:
            agent.revoke(manager.get("secret:/db/primary", "read").id)
            with self.assertRaises(NotValid):
                manager.use("secret:/db/primary", "read", usage=lambda held: ran.append(held.id))
            self.assertEqual(ran, [])
            manager.use("secret:/db/primary", "read", usage=lambda held: ran.append(held.id))
            self.assertEqual(len(ran), 1)

    def test_a_use_that_fails_is_revoked_too(self) -> None:
        agent = allowing()
        capability = agent.request("secret:/db/primary", ["read"]).capability
        assert capability is not None

        def broken() -> None:
            raise RuntimeError("no database")

        with self.assertRaisesRegex(RuntimeError, "no database"):
            agent.secure_use(capability.id, broken, revoke=True)
        self.assertFalse(agent.validate(capability.id).valid)

    def test_closing_a_manager_revokes_what_it_keeps_where_that_was_asked_for(self) -> None:
        for revoke in (True, False):
            agent = allowing()
            with Manager(agent, revoke_on_close=revoke) as manager:
                capability = manager.get("secret:/db/primary", "read")
            self.assertEqual(agent.validate(capability.id).valid, not revoke)


class Mocking(unittest.TestCase):
    """The agent for tests refuses what the real one refuses."""

    def test_uses_of_a_child_count_for_its_parent_too(self) -> None:
        agent = allowing()
        agent.disclose("secret:/db/primary", b"canary")
        parent = agent.request("secret:/db/primary", ["read"], max_uses=2).capability
        assert parent is not None
        child = agent.narrow(parent.id, max_uses=50).capability
        assert child is not None
        self.assertEqual((child.max_uses, child.parent), (2, parent.id))
        statuses = [agent.read_secret(each).status for each in (child.id, child.id, child.id, parent.id)]
        self.assertEqual(statuses, ["ok", "ok", "denied", "denied"])
        other = agent.request("secret:/db/other", ["read"]).capability
        assert other is not None
        with self.assertRaises(Refused):
            agent.narrow(other.id, actions=["write"])

    def test_a_capability_ends_when_its_time_is_over(self) -> None:
        clock = Clock()
        agent = allowing(clock)
        capability = agent.request("secret:/db/primary", ["read"], ttl=60).capability
        assert capability is not None
        clock.move(60)
        result = agent.validate(capability.id)
        self.assertEqual(result.errors[0].message, "Capability expired at 2026-01-01T00:01:00Z")
        self.assertEqual(agent.request("secret:/db/primary", ["read"], ttl=3601).status, "denied")
        self.assertEqual([each.id for each in agent.list(status="expired").capabilities], [capability.id])

    def test_revoking_takes_the_whole_subtree(self) -> None:
        agent = allowing()
        parent = agent.request("secret:/db/primary", ["read"]).capability
        assert parent is not None
        child = agent.narrow(parent.id).capability
        assert child is not None
        agent.revoke(parent.id)
        self.assertFalse(agent.validate(child.id).valid)
        with self.assertRaises(Refused):
            agent.revoke("cap_unknown")


class Client_(unittest.TestCase):
    """What no script can say."""

    def test_a_secret_is_neither_shown_nor_pickled(self) -> None:
        secret = Secret(b"canary")
        self.assertNotIn("canary", f"{secret} {secret!r} { {'a': secret} }")
        with self.assertRaises(TypeError):
            pickle.dumps(secret)
        self.assertEqual(secret.text(), "canary")
        self.assertEqual(secret, Secret(b"canary"))

    def test_a_capability_is_pickled_without_its_token_only(self) -> None:
        raw = {"id": "cap_1", "expires_at": "2026-01-01T00:00:00Z", "token": "cap1_canary"}
        answer = CapabilityResponse.of({"status": "granted", "capability": raw})
        capability = answer.capability
        assert capability is not None
        self.assertNotIn("canary", f"{answer} {capability!r}")
        for held in (answer, capability):
            with self.assertRaises(TypeError):
                pickle.dumps(held)
        self.assertEqual(copy.deepcopy(answer).capability, capability)
        kept = pickle.dumps(capability.without_token())
        self.assertNotIn(b"canary", kept)
        self.assertEqual(pickle.loads(kept).id, "cap_1")

    def test_the_home_comes_before_the_machine(self) -> None:
        self.assertEqual(socket_places({}), [SYSTEM_SOCKET])
        home = socket_places({"HOME": "/users/ada"})
        expected = ["/users/ada/.local/share/doorward/socket", "/users/ada/.aether-vault/agent.sock", SYSTEM_SOCKET]
        self.assertEqual(home, expected)
        own = socket_places({"HOME": "/users/ada", "DOORWARD_HOME": "/own", "XDG_DATA_HOME": "/data"})
        self.assertEqual(own[0], "/own/socket")
        self.assertEqual(socket_path(None, {"VAULT_AGENT_SOCKET_PATH": "/named"}), "/named")
        self.assertEqual(socket_path("/given", {"VAULT_AGENT_SOCKET_PATH": "/named"}), "/given")

    def test_a_path_that_is_too_long_is_not_waited_for(self) -> None:
        client = Client("/tmp/" + "x" * 200)
        with self.assertRaises(Unreachable) as raised:
            client.ping()
        self.assertTrue(raised.exception.lasting)
        self.assertEqual(client.metrics.now().retries, 0)

    def test_waits_double_up_to_the_longest(self) -> None:
        for attempt, longest in ((0, 0.1), (1, 0.2), (4, 1.6), (5, 2.0), (1000, 2.0)):
            self.assertTrue(longest / 2 <= Retry().wait(attempt) <= longest)

    def test_a_child_process_has_connections_of_its_own(self) -> None:
        pong = {"read": "ping_request"}, {"type": "ping_response", "answer": {"message": "pong"}}
        with Scripted({"connections": [[*pong, {"hang": True}], [*pong]]}) as scripted:
            client = Client(scripted.path)
            client.ping()
            child = os.fork()
            if child == 0:
                try:
                    client.ping()
                    os._exit(0)
                finally:
                    os._exit(1)
            self.assertEqual(os.waitpid(child, 0)[1], 0)
            client.close()
            self.assertEqual(scripted.end()["connections"], 2)

    def test_a_task_that_is_cancelled_leaves_no_answer_behind(self) -> None:
        steps = [{"read": "ping_request"}, {"tell": True}, {"hang": True}]
        again = [{"read": "ping_request"}, {"type": "ping_response", "answer": {"message": "pong"}}]

        async def cancelled(path: str, scripted: Scripted) -> None:
            async with AsyncClient(path) as client:
                task = asyncio.create_task(client.ping())
                await asyncio.get_running_loop().run_in_executor(None, scripted.wait, "told")
                task.cancel()
                with self.assertRaises(asyncio.CancelledError):
                    await task
                await client.ping()

        with Scripted({"connections": [steps, again]}) as scripted:
            asyncio.run(cancelled(scripted.path, scripted))
            self.assertEqual(scripted.end()["connections"], 2)

    def test_when_all_connections_are_busy_a_call_waits_no_longer_than_its_time(self) -> None:
        steps = [{"read": "capability_use"}, {"tell": True}, {"hang": True}]
        silent = [{"read": "ping_request"}, {"hang": True}]
        with Scripted({"connections": [steps, silent]}) as scripted:
            slow = Client(scripted.path, timeout=3, max_connections=1)
            failed: list[BaseException] = []

            def use() -> None:
                try:
                    slow.use("cap_1", integration="crm")
                except OutcomeUnknown as error:
                    failed.append(error)

            thread = threading.Thread(target=use)
            thread.start()
            scripted.wait("told")
            with self.assertRaises(TimedOut):
                slow.ping()
            thread.join()
            self.assertEqual(len(failed), 1)


class Places(unittest.TestCase):
    """A socket that appears later is found."""

    def test_an_agent_that_starts_later_is_found(self) -> None:
        with tempfile.TemporaryDirectory() as home:
            environment = {"HOME": home}
            self.assertEqual(socket_path(None, environment), SYSTEM_SOCKET)
            import socket

            below = os.path.join(home, ".aether-vault")
            os.mkdir(below)
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind(os.path.join(below, "agent.sock"))
                self.assertEqual(socket_path(None, environment), os.path.join(below, "agent.sock"))


if __name__ == "__main__":
    unittest.main()
