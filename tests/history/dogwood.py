"""Translates cases of Dogwood to policies and stories, as far as histories cover them.

Dogwood's events are requests and responses. A request is a call that is begun or denied, since Dogwood counts every
request: where a formula speaks of requests, two histories answer, and their counts and sums are added. A response is
`done`, where the trace lets the request run and nothing tells its time from the request's; otherwise it is a call of
its own. The event that is being decided belongs to Dogwood's past, so it is compared beside what histories have seen.
"""

import re

from dogwood_syntax import Unsupported, parse_expected, parse_policies, parse_trace, text_of, tokens_of
from policy_text import FALSE, TRUE, Call, History, Translation, all_of, any_of, compare, not_of

LARGEST_AMOUNT = 10**15  ## so that no sum of a trace leaves the range of an int
TYPES = {"Long": "int", "String": "string", "Bool": "bool", "Boolean": "bool"}


def conjuncts(formula):
    if formula[0] == "and":
        return conjuncts(formula[1]) + conjuncts(formula[2])
    return [formula]


def mentions(formula, kinds):
    if isinstance(formula, dict):
        return any(mentions(part, kinds) for part in formula.values())
    if not isinstance(formula, (tuple, list)) or not formula:
        return False
    return formula[0] in kinds or any(mentions(part, kinds) for part in formula)


def names_in(formula):
    if isinstance(formula, dict):
        formula = list(formula.values())
    if not isinstance(formula, (tuple, list)):
        return set()
    if len(formula) == 2 and formula[0] in ("var", "tp"):
        return {formula[1]}
    return set().union(*[names_in(part) for part in formula]) if formula else set()


def substitute(formula, name, value):
    if formula == ("var", name):
        return value
    if isinstance(formula, tuple):
        return tuple(substitute(part, name, value) for part in formula)
    return formula


def entity_text(text):
    """An entity as a text: what is escaped in its id may be written in several ways."""
    head, _, last = text.rpartition("::")
    return f"{head}::{text_of(last)}" if last.startswith('"') else text


def field_of(path):
    """The field of a call that holds what Dogwood has at a path of an event or of the context."""
    path = {"resource": "callerResource"}.get(path, path)
    path = path.removeprefix("context.")
    if path.startswith(("input.", "output.")):
        if path.count(".") > 1:
            raise Unsupported("fields of fields")
        return path
    return "input.host_" + re.sub(r"\W+", "_", path).strip("_")


def pins_of(event_schema):
    """The fields that a schema joins in every event of a kind: {kind: {path: term}}."""
    out, kind, path = {}, None, []
    tokens = tokens_of(event_schema)
    words = [word for _, word in tokens]
    for at, word in enumerate(words):
        if word == "event":
            kind = words[words.index("::", at) + 1]
        elif word == "{" and words[at - 1] == ":":
            path.append(words[at - 2])
        elif word == "}" and path:
            path.pop()
        elif word == "pin":
            name, end = words[at + 1], words.index("=", at)
            term = words[end + 1]
            end += 2
            while words[end] == ".":
                term += "." + words[end + 1]
                end += 2
            out.setdefault(kind, {})[".".join(path + [name])] = ("path", term)
    return out


def schema_types(schema):
    """{(action, "input" or "output"): {field: (type, optional)}}"""
    records = {}
    schema = re.sub(r"//[^\n]*", "", schema)
    for name, body in re.findall(r"type (\w+) = \{([^{}]*)\}", schema):
        records[name] = {f: (t.strip(), bool(o)) for f, o, t in re.findall(r"(\w+)(\??)\s*:\s*([^,]+)", body)}
    out = {}
    for action, body in re.findall(r'action "((?:\\.|[^"\\])*)"(.*?);\s*(?=action|\}|entity|type|$)', schema, re.S):
        for what, name in re.findall(r"\b(input|output)\??\s*:\s*(\w+)", body):
            out[action, what] = records.get(name, {})
    return out


class Translator:
    def __init__(self, case):
        self.policies = parse_policies(case["policies"])
        self.traces = [(parse_trace(t["trace"]), parse_expected(t["expected"])) for t in case["traces"]]
        self.types = schema_types(case["schema"])
        self.pins = pins_of(case["event_schema"])
        self.histories = {}
        self.used = {}  ## fields that policies compare: {(action, kind): {field}}
        self.keyed = set()  ## (action, kind, field) of keys, and of what they are looked up by
        self.summed = set()
        self.by_principal = False
        self.action = None  ## of the policy that is being translated
        self.apart = False  ## responses are calls of their own

    # --- events

    def event(self, formula):
        """One event that a conjunction describes. @returns action, kind, literal conditions on it as a list, keys
        as a list of (its field, the current call's field), whether by principal, and conditions on the present"""
        atom, fields, present, conditions = None, {}, [], []
        for part in conjuncts(formula):
            if part[0] == "atom":
                if atom is not None and atom[1:3] != part[1:3]:
                    return None  # one event is not two
                if atom is not None and any(fields.get(p, t) != t and ("wild",) not in (t, fields[p])
                                            for p, t in part[3].items() if p in fields):
                    raise Unsupported("one event by two descriptions")
                atom = part
                fields.update({p: t for p, t in part[3].items() if t != ("wild",) or p not in fields})
            elif part[0] != "tp":
                conditions.append(part)
        if atom is None:
            raise Unsupported("a past that is not about one event")
        _, action, kind, _ = atom
        if kind not in ("request", "response"):
            raise Unsupported(f"events of kind {kind}")
        fields.update({p: t for p, t in self.pins.get(kind, {}).items()})
        bound, when, keys, principal = {}, [], [], False
        for path, term in fields.items():
            if term[0] == "var":
                if term[1] in bound:
                    raise Unsupported("two equal fields")
                bound[term[1]] = path
            elif term[0] in ("literal", "entity"):
                when.append(compare("==", self.use(action, kind, path), self.constant(term)))
            elif term == ("path", "principal"):
                if path != "callerPrincipal":
                    raise Unsupported("a principal in a field")
                principal = self.by_principal = True
            elif term[0] == "path":
                mine = self.current(term)
                keys.append((self.use(action, kind, path), mine))
                self.keyed.add((action, kind, keys[-1][0][1]))
                self.keyed.add((self.action, "request", mine[1]))
            elif term[0] != "wild":
                raise Unsupported("computed fields")
        for condition in conditions:
            if condition[0] == "not" and condition[1][0] == "atom":
                when.append(not_of(self.same_event(action, kind, fields, condition[1])))
            elif mentions(condition, ("atom", "formerly", "since", "previous", "count", "sum", "tp", "exists")):
                raise Unsupported("a past within a past")
            elif names_in(condition):
                if mentions(condition, ("path",)):
                    raise Unsupported("an event compared with the present by more than equality")
                when.append(self.condition(condition, lambda name: self.use(action, kind, self.bound(bound, name))))
            else:
                present.append(self.condition(condition, None))
        return action, kind, all_of(when), sorted(keys, key=lambda key: key[1]), principal, all_of(present), bound

    @staticmethod
    def bound(bound, name):
        if name not in bound:
            raise Unsupported("a value joined between events")
        return bound[name]

    def same_event(self, action, kind, fields, atom):
        """Whether the event with these fields also fits `atom`."""
        if atom[1:3] != (action, kind):
            return FALSE
        parts = []
        for path, term in atom[3].items():
            if term == ("wild",) or fields.get(path) == term:
                continue
            if term[0] not in ("literal", "entity"):
                raise Unsupported("an event that is not another one, by a join")
            parts.append(compare("==", self.use(action, kind, path), self.constant(term)))
        return all_of(parts)

    def use(self, action, kind, path):
        field = field_of(path)
        if kind == "request" and field.startswith("output."):
            raise Unsupported("an output of a request")
        self.used.setdefault((action, kind), set()).add(field)
        return ("field", self.response_field(field) if kind == "response" else field)

    def response_field(self, field):
        return "input.out_" + field.removeprefix("output.") if self.apart and field.startswith("output.") else field

    def current(self, term):
        if term[1].startswith(("principal", "context.system")):
            raise Unsupported("attributes that a host looks up")
        return self.use(self.action, "request", term[1])

    @staticmethod
    def constant(term):
        return ("constant", entity_text(term[1]) if term[0] == "entity" else term[1])

    # --- conditions

    def condition(self, formula, of_name):
        """A condition without a past."""
        kind = formula[0]
        if kind == "compare":
            return compare(formula[1], self.condition(formula[2], of_name), self.condition(formula[3], of_name))
        if kind in ("literal", "entity"):
            return self.constant(formula)
        if kind == "path":
            return self.current(formula)
        if kind == "var" and of_name:
            return of_name(formula[1])
        if kind == "not":
            return not_of(self.condition(formula[1], of_name))
        if kind in ("and", "or"):
            join = all_of if kind == "and" else any_of
            return join([self.condition(part, of_name) for part in formula[1:]])
        raise Unsupported(f"a condition with {kind}")

    def history(self, verb, event, seconds, summed=None, most=0):
        action, kind, when, keys, principal = event[:5]
        if len(keys) > 2:
            raise Unsupported("more than two joined fields")
        capability = action if kind == "request" or not self.apart else action + "_response"
        identities = ("principal",) if principal else ()
        names = tuple(mine[1] for mine, _ in keys)
        if len(set(names)) < len(names):
            raise Unsupported("one field that equals two")
        key = (verb, capability, repr(when), identities, names, seconds, summed)
        if key not in self.histories:
            self.histories[key] = History(f"h{len(self.histories)}", verb, capability, when, identities, names, seconds,
                                          summed)
        self.histories[key].most = max(self.histories[key].most, most)
        return self.histories[key]

    def verbs(self, kind):
        if kind == "request":
            return ("begun", "denied")
        return ("begun",) if self.apart else ("done",)

    def is_current(self, event):
        """Whether the call that is being decided is such an event."""
        action, kind, when, keys = event[:4]
        if (action, kind) != (self.action, "request"):
            return FALSE
        return all_of([when] + [compare("==", mine, other) for mine, other in keys])

    def translate(self, formula):
        kind = formula[0]
        if kind == "not":
            return not_of(self.translate(formula[1]))
        if kind == "and":
            return all_of([self.translate(part) for part in formula[1:]])
        if kind == "or":
            return any_of([self.translate(part) for part in formula[1:]])
        if kind == "formerly":
            return self.formerly(formula)
        if kind == "since":
            return self.since(formula)
        if kind == "previous":
            raise Unsupported("the event just before, whichever it is")
        if kind == "exists":
            return self.exists(formula)
        if kind == "atom":
            event = self.event(formula)
            return all_of([event[5], self.is_current(event)])
        if kind == "compare":
            return compare(formula[1], self.number(formula[2], formula[3]), self.number(formula[3], formula[2]))
        return self.condition(formula, None)

    def formerly(self, formula):
        event = self.event(formula[2])
        if event is None:
            return FALSE
        index = [mine for _, mine in event[3]]
        seen = [("seen", self.history(verb, event, formula[1]), index) for verb in self.verbs(event[1])]
        return all_of([event[5], any_of([*seen, self.is_current(event)])])

    def since(self, formula):
        _, seconds, kept, begun = formula
        if kept[0] != "not":
            raise Unsupported("a since that every event must keep up")
        anchor, broken = self.event(begun), self.event(kept[1])
        if anchor is None or broken is None:
            raise Unsupported("one event that is two")
        if [mine for _, mine in anchor[3]] != [mine for _, mine in broken[3]] or anchor[4] != broken[4]:
            raise Unsupported("two events with different keys")
        if anchor[5] != TRUE or broken[5] != TRUE:
            raise Unsupported("a since that depends on the present")
        index = [mine for _, mine in anchor[3]]
        # One event may be both: then it is the anchor, and nothing is broken.
        if broken[:2] == anchor[:2]:
            broken = (*broken[:2], all_of([broken[2], not_of(anchor[2])]), *broken[3:])
            if broken[2] == FALSE:
                raise Unsupported("a since that nothing breaks")
        if [a for a, _ in anchor[3]] != [b for b, _ in broken[3]]:
            raise Unsupported("two events with keys of other names")
        last = [("after", first, [self.history(verb, broken, seconds) for verb in self.verbs(broken[1])])
                for first in [self.history(verb, anchor, seconds) for verb in self.verbs(anchor[1])]]
        after = any_of([all_of([("after", first, other, index) for other in others]) for _, first, others in last])
        return any_of([self.is_current(anchor), all_of([not_of(self.is_current(broken)), after])])

    def exists(self, formula):
        _, name, body = formula
        parts = conjuncts(body)
        for part in parts:
            if part[0] == "compare" and part[1] == "==" and ("var", name) in part[2:]:
                value = part[3] if part[2] == ("var", name) else part[2]
                if value[0] in ("count", "sum"):
                    rest = [substitute(other, name, value) for other in parts if other is not part]
                    return all_of([self.translate(other) for other in rest])
        holders = [part for part in parts if name in names_in(part) and mentions(part, ("atom",))]
        conditions = [part for part in parts if name in names_in(part) and part not in holders]
        if len(holders) > 1:
            raise Unsupported("a value joined between events")
        if conditions:
            if not holders or holders[0][0] != "formerly":
                raise Unsupported("a value joined between events")
            _, seconds, inside = holders[0]
            for condition in conditions:
                inside = ("and", inside, condition)
            parts = [part for part in parts if part not in conditions and part is not holders[0]]
            parts.append(("formerly", seconds, inside))
        elif holders and holders[0][0] == "since":
            raise Unsupported("a value joined between events")
        return all_of([self.translate(part) for part in parts])

    # --- numbers

    def number(self, formula, other):
        if formula[0] not in ("count", "sum"):
            return self.condition(formula, None)
        bound = abs(other[1]) + 1 if other[0] == "literal" and isinstance(other[1], int) else 0
        if formula[0] == "count" and bound == 0:
            raise Unsupported("counts compared with each other")
        names = set(formula[-2])
        value = formula[1] if formula[0] == "sum" else None
        parts = conjuncts(formula[-1])
        about = [part for part in parts if names_in(part) & names and mentions(part, ("atom", "tp"))]
        conditions = [part for part in parts if names_in(part) & names and part not in about]
        rest = [self.translate(part) for part in parts if not names_in(part) & names]
        points = {name for name in names if mentions_point(formula[-1], name)}
        if len(about) == 1 and about[0][0] == "formerly":
            out = self.of_window(about[0], conditions, names, points, value, bound)
        elif not any(mentions(part, ("formerly", "since", "previous")) for part in about):
            out = self.of_present(about + conditions, value)
        else:
            raise Unsupported("a count or sum over several pasts")
        guard = all_of(rest)
        return out if guard == TRUE else ("constant", 0) if guard == FALSE else ("if", guard, out, ("constant", 0))

    def of_window(self, past, conditions, names, points, value, bound):
        if len(points) != 1 or names != points | ({value} if value else set()):
            raise Unsupported("a count or sum of distinct values")
        inside = past[2]
        for condition in conditions:
            inside = ("and", inside, condition)
        event = self.event(inside)
        if event is None:
            return ("constant", 0)
        index = [mine for _, mine in event[3]]
        summed = None
        if value:
            path = self.use(event[0], event[1], self.bound(event[6], value))[1]
            self.summed.add((event[0], event[1], path))
            summed = path
        most = 0 if value else bound
        parts = [("sum" if value else "count", self.history(verb, event, past[1], summed, most), index)
                 for verb in self.verbs(event[1])]
        out = parts[0] if len(parts) == 1 else ("add", parts[0], parts[1])
        return out if event[5] == TRUE else ("if", event[5], out, ("constant", 0))

    def of_present(self, parts, value):
        """Without a past, only the event that is being decided counts."""
        atoms = [part for part in parts if part[0] != "tp"]
        if not atoms:
            return ("constant", 1)
        formula = atoms[0]
        for part in atoms[1:]:
            formula = ("and", formula, part)
        if not mentions(formula, ("atom",)):
            raise Unsupported("a count of values")
        event = self.event(formula)
        holds = FALSE if event is None else all_of([event[5], self.is_current(event)])
        one = ("constant", 1) if value is None else FALSE
        if value is not None and holds != FALSE:
            one = self.use(event[0], event[1], self.bound(event[6], value))
        return ("constant", 0) if holds == FALSE else one if holds == TRUE else ("if", holds, one, ("constant", 0))

    # --- the whole case

    def run(self):
        """Translates the case. Responses are `done` where that says the same."""
        for apart in (False, True):
            self.apart, self.histories, self.used, self.keyed, self.summed = apart, {}, {}, set(), set()
            rules = self.rules()
            if not self.histories:
                raise Unsupported("nothing of the past")
            if apart or self.outcomes_fit():
                return self.finish(rules)
        raise AssertionError

    def rules(self):
        out = {}
        everywhere = sorted({event["action"] for trace, _ in self.traces for event in trace})
        for number, policy in enumerate(self.policies):
            for action in [policy["actions"]] if policy["actions"] else everywhere:
                self.action = action
                condition = all_of([self.translate(part) for part in policy["conditions"]])
                if condition != FALSE:
                    effect = {"permit": "allow", "forbid": "deny"}[policy["effect"]]
                    out.setdefault(action, []).append((effect, f"r{number}", condition))
        return out

    def responses_matter(self, action):
        return any(history.verb == "done" and history.capability == action for history in self.histories.values())

    def outcomes_fit(self):
        """Whether every response that matters follows its request, which was permitted, and no window tells their
        times apart."""
        windows = {history.seconds for history in self.histories.values()}
        for trace, expected in self.traces:
            for at, event in enumerate(trace):
                if event["kind"] == "request" or not self.responses_matter(event["action"]):
                    continue
                before = trace[at - 1] if at else None
                follows = before and before["action"] == event["action"] and before["kind"] == "request" and all(
                    before["fields"].get(name) == event["fields"].get(name) for name in ("requestId", "input"))
                if not follows or not expected.get(at - 1):
                    return False
                for later in trace[at + 1:]:
                    if any((later["time"] - before["time"] <= w) != (later["time"] - event["time"] <= w) for w in windows):
                        return False
        return True

    def finish(self, rules):
        out = Translation(rules=rules, histories=list(self.histories.values()))
        for action in sorted({event["action"] for trace, _ in self.traces for event in trace} |
                             {action for action, _ in self.used} | set(rules)):
            fields = self.used.get((action, "request"), set())
            answer = self.used.get((action, "response"), set())
            if self.apart:
                out.capabilities[action] = {"input": self.typed(action, fields)}
                if answer:
                    name = action + "_response"
                    out.capabilities[name] = {"input": self.typed(action, answer)}
                    out.rules.setdefault(name, []).append(("allow", f"all_{name}", TRUE))
            else:
                fields = fields | {field for field in answer if field.startswith("input.")}
                outputs = {field for field in answer if field.startswith("output.")}
                out.capabilities[action] = {"input": self.typed(action, fields), "output": self.typed(action, outputs)}
        out.stories = [self.story(trace, expected, out) for trace, expected in self.traces]
        return out

    def typed(self, action, fields):
        out = {}
        for field in sorted(fields):
            what, name = field.split(".")
            declared, optional = self.types.get((action, what), {}).get(name, ("String", False))
            if optional:
                raise Unsupported("optional fields")
            if field.startswith("input.host_"):
                out[name] = "string"
                continue
            known = TYPES.get(declared, "string" if "::" in declared or declared[:1].isupper() else None)
            if known is None:
                raise Unsupported(f"values of type {declared}")
            out[self.response_field(field).split(".")[1]] = known
        return out

    def values(self, event, fields):
        """What a call holds: {(what, name): value}."""
        flat = {}
        for path, value in paths_of(event["fields"]):
            flat[field_of(path) if path.count(".") < 2 or not path.startswith(("input", "output")) else path] = value
        out = {}
        for field in sorted(fields):
            if field not in flat:
                raise Unsupported("a field that is sometimes missing")
            value = flat[field]
            value = entity_text(value[1]) if isinstance(value, tuple) else value
            place = (event["action"], event["kind"], self.response_field(field))
            if place in self.keyed and value == "":
                raise Unsupported("an empty key")
            if place in self.summed and abs(value) > LARGEST_AMOUNT:
                raise Unsupported("sums beyond an int")
            out[field] = value
        return out

    def story(self, trace, expected, translation):
        out, now = [], trace[0]["time"] if trace else 0
        for at, event in enumerate(trace):
            action, kind = event["action"], event["kind"]
            if kind == "response" and not self.apart:
                continue
            if kind not in ("request", "response") or (kind == "response" and action + "_response" not in translation.capabilities):
                continue
            # A call that runs is done unless it fails.
            answer = trace[at + 1] if at + 1 < len(trace) and trace[at + 1]["kind"] == "response" else None
            matters = kind == "request" and not self.apart and self.responses_matter(action)
            fields = set(self.used.get((action, kind), set()))
            returns = None
            if matters:
                fields |= {f for f in self.used.get((action, "response"), set()) if f.startswith("input.")}
                outputs = {f for f in self.used.get((action, "response"), set()) if f.startswith("output.")}
                if answer:
                    returns = {f.split(".")[1]: v for f, v in self.values(answer, outputs).items()}
            held = {self.response_field(f).split(".")[1] if kind == "response" else f.split(".")[1]: v
                    for f, v in self.values(event, fields).items()}
            principal = event["principal"]
            principal = entity_text(principal[1]) if isinstance(principal, tuple) else principal
            out.append(Call(event["time"] - now, action if kind == "request" else action + "_response", held,
                            principal if self.by_principal else None, returns,
                            fails=bool(matters and not answer and expected.get(at)),
                            expected=None if kind == "response" else "allow" if expected[at] else "deny"))
            now = event["time"]
        return out


def mentions_point(formula, name):
    return formula == ("tp", name) or (isinstance(formula, tuple) and any(mentions_point(part, name) for part in formula))


def paths_of(record, before=""):
    for name, value in record.items():
        path = before + name
        if isinstance(value, dict):
            yield from paths_of(value, path + ".")
        else:
            yield path, value


def translate(case):
    """@returns the Translation. Raises Unsupported, which says why it is left out."""
    return Translator(case).run()
