"""Policy text from expressions, histories and calls, which translators make.

An expression is a tuple:
  ("constant", value)  ("field", path)  ("not", x)  ("and", [x, ...])  ("or", [x, ...])  ("add", x, y)
  ("compare", op, x, y)  ("if", x, y, z)  ("seen" | "count" | "sum", history, [field, ...])
  ("after", history, history, [field, ...])
"""

import re
from dataclasses import dataclass, field

TRUE, FALSE = ("constant", True), ("constant", False)


def literal(value):
    """A value as a literal of the language."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + "".join(character_text(c) for c in value) + '"'
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name}: {literal(part)}" for name, part in value.items()) + " }" if value else "{}"
    if isinstance(value, list):
        return "[" + ", ".join(map(literal, value)) + "]"
    return repr(value)


def character_text(character):
    if character in '"\\':
        return "\\" + character
    if " " <= character <= "~":
        return character
    return f"\\U{ord(character):08x}"


def all_of(parts):
    out = []
    for part in parts:
        if part == FALSE:
            return FALSE
        if part != TRUE and part not in out:
            out.append(part)
    return TRUE if not out else out[0] if len(out) == 1 else ("and", out)


def any_of(parts):
    out = []
    for part in parts:
        if part == TRUE:
            return TRUE
        if part != FALSE and part not in out:
            out.append(part)
    return FALSE if not out else out[0] if len(out) == 1 else ("or", out)


def not_of(part):
    if part[0] == "constant":
        return ("constant", not part[1])
    return part[1] if part[0] == "not" else ("not", part)


COMPARE = {"==": lambda a, b: a == b, "!=": lambda a, b: a != b, "<": lambda a, b: a < b, "<=": lambda a, b: a <= b,
           ">": lambda a, b: a > b, ">=": lambda a, b: a >= b}


def compare(op, x, y):
    if x[0] == y[0] == "constant":
        return ("constant", COMPARE[op](x[1], y[1]))
    if x == y and op in ("==", "<=", ">="):
        return TRUE
    return ("compare", op, x, y)


def expression_text(x):
    kind = x[0]
    if kind == "constant":
        return literal(x[1])
    if kind == "field":
        return x[1]
    if kind == "not":
        return "!" + wrapped(x[1])
    if kind in ("and", "or"):
        return {"and": " && ", "or": " || "}[kind].join(wrapped(part) for part in x[1])
    if kind == "add":
        return f"{wrapped(x[1])} + {wrapped(x[2])}"
    if kind == "compare":
        return f"{wrapped(x[2])} {x[1]} {wrapped(x[3])}"
    if kind == "if":
        return " ? ".join([wrapped(x[1]), f"{wrapped(x[2])} : {wrapped(x[3])}"])
    index = "".join(f"[{expression_text(part)}]" for part in x[-1])
    if kind == "after":
        return f"{x[1].name}{index}.after({x[2].name})"
    return f"{x[1].name}{index}.{kind}"


def wrapped(x):
    text = expression_text(x)
    return text if x[0] in ("constant", "field", "seen", "count", "sum", "after", "not") else f"({text})"


@dataclass
class History:
    """A history, which is the same for equal definitions."""
    name: str
    verb: str
    capability: str
    when: tuple
    identities: tuple  ## of `by`, before its fields
    keys: tuple  ## fields of the call
    seconds: int
    summed: str | None = None
    most: int = 0  ## the largest count that rules tell apart

    def text(self):
        parts = [f"history {self.name} = {self.verb} {capability_text(self.capability)}"]
        if self.summed:
            parts.append(f"sum {self.summed} signed")
        if self.when != TRUE:
            parts.append("when " + expression_text(self.when))
        parts.append("by " + (", ".join(self.identities + self.keys) or "global"))
        parts.append(f"within {self.seconds}s")
        if self.most:
            parts.append(f"up to {self.most}")
        return " ".join(parts) + ";"


def capability_text(name):
    return name if re.fullmatch(r"[A-Za-z_][A-Za-z_0-9]*", name) else literal(name)


@dataclass
class Call:
    """One step of a story: a call, some seconds after the one before."""
    wait: int
    capability: str
    fields: dict
    principal: str | None = None
    returns: dict | None = None  ## its output
    fails: bool = False
    expected: str | None = None  ## the effect

    def text(self):
        out = f"  wait {self.wait}s;\n" if self.wait else ""
        out += f"  call {capability_text(self.capability)} {literal(self.fields)}"
        if self.returns is not None:
            out += " returns " + literal(self.returns)
        if self.principal is not None:
            out += " with principal.id = " + literal(self.principal)
        out += ";\n"
        if self.fails:
            out += "  fails;\n"
        if self.expected:
            out += f"  expect {self.expected};\n"
        return out


@dataclass
class Translation:
    """A case as policies and stories."""
    capabilities: dict = field(default_factory=dict)  ## by name: {"input": {field: type}, "output": {field: type}}
    histories: list = field(default_factory=list)
    rules: dict = field(default_factory=dict)  ## by capability: [(effect, name, condition)]
    stories: list = field(default_factory=list)  ## [[Call]]

    def text(self):
        out = []
        longest = max([history.seconds for history in self.histories], default=0)
        if longest > 30 * 86400:
            out.append(f"option history = {-(-longest // 86400)}d;")
        for name, records in self.capabilities.items():
            parts = [f"{what} {{ " + ", ".join(f"{f}: {t}" for f, t in fields.items()) + " }"
                     for what, fields in records.items() if fields]
            out.append(f"capability {capability_text(name)} {{ {' '.join(parts)} }}")
        out += [history.text() for history in self.histories]
        for number, (name, rules) in enumerate(self.rules.items()):
            out.append(f"policy p{number} on before {capability_text(name)} {{")
            for effect, rule, condition in rules:
                when = "" if condition == TRUE else " when " + expression_text(condition)
                out.append(f"  {effect} {rule}{when};")
            out.append("}")
        for number, story in enumerate(self.stories):
            out.append(f'test "{number}" {{\n' + "".join(call.text() for call in story) + "}")
        return "\n".join(out) + "\n"
