"""Reads Dogwood's policies and traces: Cedar with temporal conditions, its macros expanded.

A formula is a tuple whose first item says what it is:
  ("atom", action, kind, {path: term})   an event, for example a request of Login
  ("tp", name)  ("not", f)  ("and", f, g)  ("or", f, g)  ("exists", name, f)
  ("formerly", seconds, f)  ("previous", seconds, f)  ("since", seconds, f, g)
  ("count", names, f)  ("sum", name, names, f)  ("compare", op, x, y)
  ("path", text)  ("literal", value)  ("entity", text)  ("var", name)  ("wild",)
"""

import re


class Unsupported(Exception):
    """Says why a case is left out."""


TOKEN = re.compile(
    r"""\s+|//[^\n]*|(?P<string>"(?:\\.|[^"\\])*")|(?P<number>\d+)|(?P<name>[?$]?[A-Za-z_][A-Za-z_0-9]*)"""
    r"""|(?P<mark>::|==|!=|<=|>=|&&|\|\||[-+*(){}\[\],;:.<>!@=|])""", re.S)
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


def text_of(token):
    """The text that a string literal of Cedar stands for."""
    def replace(match):
        code = match[1]
        if code[0] == "u":
            return chr(int(code[2:-1].replace("_", ""), 16))
        if code[0] == "x":
            return chr(int(code[1:], 16))
        return {"n": "\n", "r": "\r", "t": "\t", "0": "\0"}.get(code, code)
    return re.sub(r"\\(u\{[0-9a-fA-F_]+\}|x[0-9a-fA-F]{2}|.)", replace, token[1:-1], flags=re.S)


def tokens_of(text):
    out, at = [], 0
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            raise Unsupported("text that is not read: " + text[at:at + 20])
        at = match.end()
        if match.lastgroup:
            out.append((match.lastgroup, match[match.lastgroup]))
    return out


class Parser:
    def __init__(self, tokens, macros):
        self.tokens, self.at, self.macros = tokens, 0, macros

    def peek(self, ahead=0):
        return self.tokens[self.at + ahead][1] if self.at + ahead < len(self.tokens) else ""

    def kind(self):
        return self.tokens[self.at][0] if self.at < len(self.tokens) else ""

    def next(self):
        self.at += 1
        return self.tokens[self.at - 1][1]

    def accept(self, mark):
        if self.peek() != mark or self.kind() == "string":
            return False
        self.at += 1
        return True

    def expect(self, mark):
        if not self.accept(mark):
            raise Unsupported(f"syntax: {self.peek()} where {mark} is expected")

    # --- policies

    def policies(self):
        out = []
        while self.at < len(self.tokens):
            if self.accept(";"):
                continue
            if self.peek() == "def":
                self.macro()
            elif self.peek() in ("permit", "forbid"):
                out.append(self.policy())
            else:
                raise Unsupported("syntax: " + self.peek())
        return out

    def macro(self):
        self.next(), self.next()
        name = self.next()
        self.expect("(")
        parameters = []
        while not self.accept(")"):
            parameters.append(self.next())
            self.accept(",")
        self.expect("{")
        body, depth = [], 1
        while True:
            token = self.tokens[self.at]
            self.at += 1
            depth += {"{": 1, "}": -1}.get(token[1] if token[0] == "mark" else "", 0)
            if depth == 0:
                break
            body.append(token)
        self.macros[name] = (parameters, body)

    def policy(self):
        effect = self.next()
        self.expect("(")
        scope, depth = [], 1
        while depth:
            kind, word = self.tokens[self.at]
            self.at += 1
            depth += {"(": 1, ")": -1}.get(word if kind == "mark" else "", 0)
            scope.append((kind, word))
        out = {"effect": effect, "actions": self.actions(scope[:-1]), "conditions": []}
        while self.peek() in ("when", "unless"):
            negated = self.next() == "unless"
            self.accept("temporal")
            self.expect("{")
            condition = self.formula()
            self.expect("}")
            out["conditions"].append(("not", condition) if negated else condition)
        self.accept(";")
        return out

    @staticmethod
    def actions(scope):
        """The one action that a policy is about. What else a scope says is not covered."""
        parts, part = [], []
        for token in scope + [("mark", ",")]:
            if token == ("mark", ","):
                parts.append([word for _, word in part])
                part = []
            else:
                part.append(token)
        parts = [part for part in parts if part]
        if len(parts) != 3 or parts[0] != ["principal"] or parts[2] != ["resource"]:
            raise Unsupported("a scope by principal or resource")
        if parts[1] == ["action"]:
            return None
        if parts[1][:2] != ["action", "=="]:
            raise Unsupported("a scope by groups of actions")
        return text_of(parts[1][-1])

    # --- formulas, from the loosest to the tightest

    def formula(self):
        left = self.conjunction()
        while self.accept("||"):
            left = ("or", left, self.conjunction())
        return left

    def conjunction(self):
        left = self.since()
        while self.accept("&&"):
            left = ("and", left, self.since())
        return left

    def since(self):
        left = self.comparison()
        while self.accept("since"):
            seconds = self.within()
            left = ("since", seconds, left, self.comparison())
        return left

    def comparison(self):
        left = self.unary()
        if self.kind() == "mark" and self.peek() in ("==", "!=", "<", "<=", ">", ">="):
            return ("compare", self.next(), left, self.unary())
        return left

    def within(self):
        if not self.accept("within"):
            raise Unsupported("a past without a window")
        return self.duration()

    def duration(self):
        number = int(self.next())
        return number * UNITS[self.next()]

    def unary(self):
        if self.accept("!"):
            return ("not", self.unary())
        if self.accept("("):
            inside = self.formula()
            self.expect(")")
            return inside
        if self.accept("temporal"):
            self.expect("{")
            inside = self.formula()
            self.expect("}")
            return inside
        if self.peek() in ("formerly", "previous"):
            word = self.next()
            return (word, self.within(), self.unary())
        if self.accept("exists"):
            name = self.variable()
            self.expect(".")
            return ("exists", name, self.formula())
        if self.peek() in ("count", "sum") and self.kind() == "name" and self.peek(1) in ("for",) or (
                self.peek() == "sum" and self.peek(2) == "for"):
            return self.aggregate()
        return self.primary()

    def variable(self):
        self.expect("(")
        name = self.next()
        while not self.accept(")"):
            self.next()
        return name

    def aggregate(self):
        word = self.next()
        summed = self.next() if word == "sum" else None
        self.expect("for")
        names = [self.variable()]
        while self.accept(","):
            names.append(self.variable())
        self.expect(".")
        self.expect("where")
        body = self.unary()
        return ("count", names, body) if word == "count" else ("sum", summed, names, body)

    def primary(self):
        kind, word = self.tokens[self.at] if self.at < len(self.tokens) else ("", "")
        if kind == "string":
            return ("literal", text_of(self.next()))
        if word == "-":
            self.next()
            return ("literal", -int(self.next()))
        if kind == "number":
            return ("literal", int(self.next()))
        if kind != "name":
            raise Unsupported("syntax: " + word)
        if word in ("true", "false"):
            return ("literal", self.next() == "true")
        if word == "tp":
            self.next()
            return ("tp", self.variable())
        if word in self.macros:
            return self.expand()
        self.next()
        if self.peek() == "::":
            return self.entity([word])
        if self.peek() == "(":
            raise Unsupported(f"the function {word}")
        path = [word]
        while self.accept("."):
            path.append(self.next())
        if path[0] in ("context", "principal", "resource"):
            return ("path", ".".join(path))
        if len(path) == 1:
            return ("var", word)
        raise Unsupported("syntax: " + ".".join(path))

    def entity(self, parts):
        while self.accept("::"):
            parts.append(self.tokens[self.at])
            self.at += 1
            if parts[-1][0] == "string":
                break
        names = [part if isinstance(part, str) else part[1] for part in parts]
        if len(names) < 2 or names[-2] != "Action":
            return ("entity", "::".join(names))
        self.expect("::")
        kind = self.next()
        fields = {}
        while self.peek() == "{":
            fields.update(self.fields())
        return ("atom", text_of(names[-1]), kind, fields)

    def fields(self):
        self.expect("{")
        out = {}
        while not self.accept("}"):
            path = [self.next()]
            while self.accept("."):
                path.append(self.next())
            self.expect(":")
            out[".".join(path)] = ("wild",) if self.accept("*") or self.accept("_") else self.unary()
            self.accept(",")
        return out

    def expand(self):
        """A macro's body, with its arguments as tokens in place of its parameters."""
        parameters, body = self.macros[self.next()]
        self.expect("(")
        arguments, part, depth = [], [], 0
        while True:
            token = self.tokens[self.at]
            self.at += 1
            mark = token[1] if token[0] == "mark" else ""
            if mark == ")" and depth == 0:
                arguments.append(part)
                break
            words = [word for _, word in part]
            if mark == "," and depth == 0 and ("for" not in words or "where" in words):
                arguments.append(part)
                part = []
                continue
            depth += {"(": 1, "{": 1, ")": -1, "}": -1}.get(mark, 0)
            part.append(token)
        if len(arguments) != len(parameters):
            raise Unsupported("a macro with other arguments")
        out = []
        for index, token in enumerate(body):
            if token[1] not in parameters:
                out.append(token)
                continue
            argument = arguments[parameters.index(token[1])]
            # A formula stays together; a name or a duration stands where parentheses may not, and an
            # event may be followed by further fields.
            follows = body[index + 1][1] if index + 1 < len(body) else ""
            plain = len(argument) <= 2 or follows == "{" or (argument[0][0] == "name" and argument[1][1] == "::")
            out += argument if plain else [("mark", "("), *argument, ("mark", ")")]
        inner = Parser(out, self.macros)
        formula = inner.formula()
        if inner.at != len(out):
            raise Unsupported("a macro that is not one formula")
        return formula


def parse_policies(texts):
    """Reads all policies of a case. Macros hold for all of its files."""
    macros, out = {}, []
    for text in texts:
        out += Parser(tokens_of(text), macros).policies()
    return out


# --- traces


class Values:
    """Reads the values of a trace."""

    def __init__(self, text):
        self.tokens, self.at = tokens_of(text), 0

    def next(self):
        self.at += 1
        return self.tokens[self.at - 1]

    def peek(self):
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def record(self, end):
        out = {}
        while self.peek() != end:
            kind, name = self.next()
            name = text_of(name) if kind == "string" else name
            self.next()
            out[name] = self.value()
            if self.peek() == ",":
                self.next()
        self.next()
        return out

    def value(self):
        kind, word = self.next()
        if word == "{" and kind == "mark":
            return self.record("}")
        if kind == "string":
            return text_of(word)
        if word == "-":
            return -int(self.next()[1])
        if kind == "number":
            return int(word)
        if word in ("true", "false"):
            return word == "true"
        parts = [word]
        while self.peek() in ("::", "("):
            if self.next()[1] == "(":
                raise Unsupported(f"values of {word}")
            parts.append(self.next()[1])
        return ("entity", "::".join(parts))


def parse_trace(text):
    """The events of a trace: time, action, kind ("request", "response" ...), fields, principal."""
    out = []
    for line in text.splitlines():
        if not line.strip():
            continue
        head = re.match(r"@(\d+)\s+scope\(", line)
        event = None
        for event in re.finditer(r'(\w+)::Action::("(?:\\.|[^"\\])*")::(\w+)\(', line):
            pass
        if head is None or event is None:
            raise Unsupported("a line of a trace without an event")
        scope = Values(line[head.end():]).record(")")
        fields = Values(line[event.end():]).record(")")
        out.append({"time": int(head[1]), "action": text_of(event[2]), "kind": event[3], "fields": fields,
                    "principal": scope["principal"], "resource": scope.get("resource")})
    return out


def parse_expected(text):
    """The verdicts by time point."""
    return {int(match[1]): match[2] == "true" for match in re.finditer(r"\(time point (\d+)\): (true|false)", text)}
