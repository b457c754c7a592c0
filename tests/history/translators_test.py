"""These tests cover the translators of traces on cases of our own: what they write, what stories decide by it, and what
they leave out."""

import unittest

import dogwood
import dogwood_syntax
import monpoly
from dogwood_syntax import Unsupported
from stories import run_stories

SCHEMA = """
type LoginInput = { user: String };
type ReadInput = { user: String, size: Long };
action "Login" appliesTo { context: { input: LoginInput } };
action "Read" appliesTo { context: { input: ReadInput } };
"""
EVENTS = "decision event <A>::request { ...inputs(A), callerPrincipal: principalType(A) }"
READ = 'N::Action::"Read"::request'
LOGIN = 'N::Action::"Login"::request'


def case(condition, *events):
    """@param events (time, action, fields, verdict)"""
    trace, expected = "", ""
    for number, (time, action, fields, verdict) in enumerate(events):
        trace += (f'@{time} scope(principal: N::User::"p", resource: N::Gate::"g") request_context({fields}) '
                  f'N::Action::"{action}"::request(input: {fields}, callerPrincipal: N::User::"p", requestId: "r")\n')
        expected += f"@{time} (time point {number}): {str(verdict).lower()}\n"
    policy = f'permit (principal, action == N::Action::"Read", resource) when temporal {{ {condition} }};'
    return {"policies": [policy], "schema": SCHEMA, "event_schema": EVENTS,
            "traces": [{"trace": trace, "expected": expected}]}


def login(time, user):
    return time, "Login", f'{{ user: "{user}" }}', False


def read(time, user, size, verdict):
    return time, "Read", f'{{ user: "{user}", size: {size} }}', verdict


class Dogwood(unittest.TestCase):
    def check(self, *arguments):
        translation = dogwood.translate(case(*arguments))
        expected = [call.expected for call in translation.stories[0]]
        self.assertEqual(run_stories(translation.text())["0"], expected)
        return translation.text()

    def test_formerly_sees_denied_requests_of_the_same_user(self):
        text = self.check(f"formerly within 1h {LOGIN}{{ input.user: context.input.user }}",
                          read(0, "ann", 1, False), login(1, "ann"), read(2, "ann", 1, True), read(3, "bob", 1, False),
                          read(3601, "ann", 1, True), read(3602, "ann", 1, False))
        self.assertIn("denied Login by input.user within 3600s", text)

    def test_counts_add_what_was_begun_and_denied(self):
        self.check(f"exists (n: Long). ((count for (t: Timepoint). where (formerly within 1m ({READ}{{ input.user: "
                   "context.input.user } && tp(t)))) == n && n == 2)",
                   read(0, "ann", 1, False), read(1, "ann", 1, True), read(2, "ann", 1, False), read(61, "ann", 1, False),
                   read(62, "ann", 1, False), read(200, "ann", 1, False), read(201, "ann", 1, True))

    def test_sums_add_what_was_begun_and_denied(self):
        self.check(f"exists (s: Long). ((sum a for (a: Long), (t: Timepoint). where (formerly within 1m ({READ}{{ "
                   "input.user: context.input.user, input.size: a } && a > 1 && tp(t)))) == s && s < 10)",
                   read(0, "ann", 5, True), read(1, "ann", 1, True), read(2, "ann", 5, False), read(3, "bob", 9, True))

    def test_since_compares_the_order_of_all(self):
        self.check(f"!{READ}{{ input.user: context.input.user, input.size: 7 }} since within 1h {LOGIN}{{ input.user: "
                   "context.input.user }",
                   read(0, "ann", 1, False), login(1, "ann"), read(2, "ann", 1, True), read(3, "ann", 7, False),
                   read(4, "ann", 1, False), login(5, "ann"), read(6, "ann", 1, True))

    def test_what_is_not_covered_says_why(self):
        for condition, why in (
                (f"previous within 1h {LOGIN}{{ input.user: _ }}", "the event just before"),
                (f"{LOGIN}{{ input.user: _ }} since within 1h {READ}{{ input.user: _ }}", "every event must keep up"),
                (f"formerly {LOGIN}{{ input.user: _ }}", "without a window"),
                (f"formerly within 1h ({LOGIN}{{ input.user: _ }} && formerly within 1h {READ}{{ input.user: _ }})",
                 "a past within a past")):
            with self.assertRaisesRegex(Unsupported, why):
                dogwood.translate(case(condition, read(0, "ann", 1, False)))

    def test_macros_are_expanded(self):
        policies = dogwood_syntax.parse_policies(
            ["def temporal recent(?w, ?s) { formerly within ?w (?s && tp(t)) };",
             f"permit (principal, action == N::Action::\"Read\", resource) when temporal {{ recent(1h, {LOGIN}{{}}) }};"])
        self.assertEqual(policies[0]["conditions"],
                         [("formerly", 3600, ("and", ("atom", "Login", "request", {}), ("tp", "t")))])


class MonPoly(unittest.TestCase):
    def check(self, formula, log, *lines):
        text = monpoly.translate({"formula": formula, "log": log, "output": list(lines)})
        told = run_stories(text)["story"]
        self.assertEqual([effect for effect in told if effect.startswith("not ")], [], text)
        self.assertIn("allow", told)
        self.assertIn("deny", told)

    def test_once_has_two_edges(self):
        self.check("ONCE[2,5] P(x)", "@0 P (1)\n@2 P (2)\n@5\n@6\n", "@2 (time point 1): (1)",
                   "@5 (time point 2): (1) (2)", "@6 (time point 3): (2)")

    def test_since_ends_with_the_first_gap(self):
        self.check("P(x) SINCE[0,9] Q(x)", "@0 Q (1) (2)\n@1 P (1)\n@2 P (1) (2)\n", "@0 (time point 0): (1) (2)",
                   "@1 (time point 1): (1)", "@2 (time point 2): (1)")

    def test_aggregates(self):
        self.check("v <- SUM y ONCE p(x,y)", "@0\n@1 p (a,1) (b,4)\n", "@0 (time point 0): (0)", "@1 (time point 1): (5)")


if __name__ == "__main__":
    unittest.main()
