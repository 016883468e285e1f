"""Against a real broker, which tests/clients-api/run starts."""

import os
import unittest

from doorward_api import ApiError, Client, Integrations

BASE = os.environ["DOORWARD_API"]
ORG = os.environ["DOORWARD_TENANT"]


class Api(unittest.TestCase):
    def setUp(self) -> None:
        self.client = Client(os.environ["DOORWARD_API_KEY"], BASE)
        self.integrations = Integrations(self.client, ORG)

    def test_a_credential_is_set_up_shown_tried_and_deleted(self) -> None:
        told = self.integrations.setup("OPENAI", os.environ["DOORWARD_GOOD_KEY"], "Production")
        self.assertEqual((told["valid"], told["status"]), (True, "VALID"))
        one = self.integrations.all()["OPENAI"]
        self.assertEqual((one["name"], one["credential_name"], one["last_error"]), ("Production", "Production", None))
        self.assertRegex(one["last_validated_at"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertEqual(one["validated"][:19], one["last_validated_at"][:19])
        self.assertRegex(one["created_at"], r":\d\dZ$")
        self.assertIsNone(self.integrations.all()["GEMINI"]["last_validated_at"])
        self.assertTrue(self.integrations.validate("openai")["valid"])
        self.integrations.delete("openai")
        self.assertEqual(self.integrations.all()["OPENAI"]["status"], "NOT_CONFIGURED")

    def test_what_is_wrong_is_said_where_it_is_wrong(self) -> None:
        with self.assertRaises(ApiError) as raised:
            self.integrations.setup("openai", "short")
        error = raised.exception
        self.assertEqual((error.status, error.code, error.errors[0]["field"]), (400, "bad_request", "credential"))
        with self.assertRaises(TypeError):
            self.client.call("listTenants", statuss="active")
        self.assertNotIn(os.environ["DOORWARD_API_KEY"], repr(self.client))

    def test_an_outage_and_a_wrong_key_raise(self) -> None:
        with self.assertRaises(ApiError) as raised:
            Integrations(Client("x", "http://127.0.0.1:9"), ORG).all()
        self.assertEqual((raised.exception.status, raised.exception.code), (0, "unreachable"))
        with self.assertRaises(ApiError) as raised:
            Integrations(Client(f"{ORG}_api_wrong", BASE), ORG).all()
        self.assertEqual(raised.exception.status, 401)
        with self.assertRaises(ApiError) as raised:
            Integrations(self.client, "other_inc").all()
        self.assertEqual(raised.exception.status, 404)

    def test_a_key_may_come_with_the_end_of_its_line_and_one_that_no_header_carries_is_refused_unseen(self) -> None:
        key = os.environ["DOORWARD_API_KEY"]
        self.assertIn("OPENAI", Integrations(Client(key + "\n", BASE), ORG).all())
        for wrong in (key + "\nx: y", key + "\u00e9", key + "\0", "", "\n"):
            with self.assertRaises(ValueError) as raised:
                Client(wrong, BASE)
            self.assertNotIn(key, repr(raised.exception) + str(raised.exception))
            self.assertIsNone(raised.exception.__context__)

    def test_a_request_with_one_key_is_performed_once_and_lists_come_page_by_page(self) -> None:
        root = Client(os.environ["DOORWARD_ROOT_KEY"], BASE)
        first = root.call("createTenant", name="python_inc", once="python-once")
        self.assertEqual(root.call("createTenant", name="python_inc", once="python-once"), first)
        with self.assertRaises(ApiError) as raised:
            root.call("createTenant", name="snake_inc", once="python-once")
        self.assertEqual(raised.exception.status, 422)
        # It makes tenants and looks at none.
        with self.assertRaises(ApiError) as raised:
            list(root.all("listTenants", limit=1))
        self.assertEqual(raised.exception.status, 403)
        names = [provider["provider"] for provider in Client(os.environ["DOORWARD_API_KEY"], BASE).all("listProviders", limit=3)]
        self.assertIn("OPENAI", names)
        self.assertTrue(len(names) > 3 and len(names) == len(set(names)), names)


if __name__ == "__main__":
    unittest.main()
