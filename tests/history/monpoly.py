"""Translates cases of MonPoly to policies and stories, as far as histories cover them.

MonPoly evaluates a formula at each time point, which is a set of tuples at a time. Each tuple becomes a call of its
predicate's capability. Then a call `ask` has a tuple of the formula's variables as its input, and is allowed where the
formula holds for it: it is asked for each tuple of the output, and for as many that are not in it.
"""

import itertools
import re

from dogwood_syntax import Unsupported
from policy_text import literal

ATOM = r"(\w+)\s*\(([\w\s,]*)\)"
INTERVAL = r"\s*(?:\[(\d+),(\d+|\*)\])?\s*"
TRUTH = r"\(?\s*(?:NOT\s+0\s*=\s*1|0\s*=\s*0)\s*\)?"


def points_of(log):
    """[(time, {predicate: [tuple]})]"""
    out = []
    for time, body in re.findall(r"@(\d+)([^@]*)", log):
        held = {}
        for name, tuples in re.findall(r"(\w+)\s*((?:\([^()]*\)\s*)+)", body):
            held.setdefault(name, []).extend(values(part) for part in re.findall(r"\(([^()]*)\)", tuples))
        out.append((int(time), held))
    return out


def values(text):
    return tuple(part.strip().strip('"') for part in text.split(",")) if text.strip() else ()


def output_of(lines):
    """{time point: [tuple]}"""
    out = {}
    for line in lines:
        match = re.match(r"@\d+ \(time point (\d+)\): (.*)", line)
        if match is None:
            continue
        if match[2].strip() in ("true", "false"):
            raise Unsupported("a formula without variables")
        out[int(match[1])] = [values(part) for part in re.findall(r"\(([^()]*)\)", match[2]) if part.strip()]
    return out


def variables_of(text):
    return [part.strip() for part in text.split(",") if part.strip()]


class Translator:
    def __init__(self, case):
        self.case = case
        self.points = points_of(case["log"])
        self.gaps = None  ## (predicate, where its argument stands in the anchor): tuples that it lacks are calls, too
        self.histories, self.condition, self.variables = [], "", []
        self.number = None  ## the variable that holds a count or a sum
        self.output = output_of(case["output"])
        self.read_formula(re.sub(r"\s+", " ", case["formula"]).strip())

    def read_formula(self, formula):
        if "Fatal error" in " ".join(self.case["output"]):
            raise Unsupported("a formula that MonPoly refuses")
        if "-load" in self.case.get("flags", []):
            raise Unsupported("a log that goes on from another one")
        if not any(rows for _, held in self.points for rows in held.values()):
            raise Unsupported("a log without tuples")
        aggregate = re.fullmatch(rf"(\w+) <- (CNT|SUM) (\w+) ONCE{INTERVAL}{ATOM}", formula)
        once = re.fullmatch(rf"ONCE{INTERVAL}{ATOM}", formula) or re.fullmatch(rf"{TRUTH} SINCE{INTERVAL}{ATOM}", formula)
        since = re.fullmatch(rf"{ATOM} SINCE{INTERVAL}{ATOM}", formula)
        if aggregate:
            self.read_aggregate(*aggregate.groups())
        elif once:
            self.read_once(*once.groups())
        elif since:
            self.read_since(*since.groups())
        else:
            raise Unsupported("a formula of another form")

    def history(self, name, capability, keys, window, summed=None):
        text = f"history {name} = begun {capability}" + (f" sum {summed}" if summed else "")
        text += " by " + ", ".join(["session"] + [f"input.{key}" for key in keys])
        self.histories.append(text + (f" within {window}s" if window else "") + ";")

    @staticmethod
    def window_of(first, last):
        if first is None or last == "*":
            return int(first or 0), None
        if int(last) == 0:
            raise Unsupported("a window of one moment")
        return int(first), int(last)

    def index(self, columns):
        return "".join(f"[input.{name}]" for name in columns)

    def read_once(self, first, last, predicate, arguments):
        youngest, window = self.window_of(first, last)
        columns = variables_of(arguments)
        self.variables = columns  # which is also the order of the output
        self.check_columns()
        self.history("h", predicate, [f"a{i}" for i in range(len(columns))], window)
        seen = f"h{self.index(columns)}.seen"
        self.condition = seen
        if youngest:
            self.condition += f' && now - h{self.index(columns)}.first >= duration("{youngest}s")'

    def read_since(self, kept, kept_arguments, first, last, anchor, arguments):
        youngest, window = self.window_of(first, last)
        if youngest:
            raise Unsupported("a since that must have begun some time ago")
        columns, inside = variables_of(arguments), variables_of(kept_arguments)
        self.variables = columns  # which is also the order of the output
        self.check_columns()
        if len(inside) != 1 or inside[0] not in columns:
            raise Unsupported("a since over other variables")
        self.gaps = (kept, columns.index(inside[0]), anchor)
        keys = [f"a{i}" for i in range(len(columns))]
        self.history("h", anchor, keys, window)
        self.history("broken", "gap", keys, window)
        self.condition = f"h{self.index(columns)}.after(broken)"

    def read_aggregate(self, result, how, variable, first, last, predicate, arguments):
        youngest, window = self.window_of(first, last)
        columns = variables_of(arguments)
        if youngest or window or variable not in columns:
            raise Unsupported("an aggregate with a window")
        tuples = [row for _, held in self.points for row in held.get(predicate, [])]
        if len(set(tuples)) < len(tuples):
            raise Unsupported("an aggregate of distinct tuples")
        self.variables, self.number = [result], result
        summed = f"int(input.a{columns.index(variable)})" if how == "SUM" else None
        self.history("h", predicate, [], None, summed)
        self.condition = f"string(h.{'sum' if how == 'SUM' else 'count'}) == input.{result}"

    def check_columns(self):
        if len(set(self.variables)) < len(self.variables) or len(self.variables) > 2:
            raise Unsupported("a predicate with other arguments")

    # --- text

    def text(self):
        used = sorted({re.search(r"begun (\w+)", text)[1] for text in self.histories} - {"gap"})
        sizes = {name: len(rows[0]) for _, held in self.points for name, rows in held.items() if rows}
        out = [f"capability {name} {{ input {{ " + ", ".join(f"a{i}: string" for i in range(sizes.get(name, 1))) + " } }"
               for name in used]
        if self.gaps:
            width = sizes.get(self.gaps[2], 1)
            out.append("capability gap { input { " + ", ".join(f"a{i}: string" for i in range(width)) + " } }")
        out.append("capability ask { input { " + ", ".join(f"{name}: string" for name in self.variables) + " } }")
        out += self.histories
        out.append(f"policy calls on before {', '.join(used + (['gap'] if self.gaps else []))} {{ allow all; }}")
        out.append(f"policy asks on before ask {{ allow holds when {self.condition}; }}")
        return "\n".join(out) + "\n" + self.story(used)

    def story(self, used):
        out, now = 'test "story" {\n', self.points[0][0]
        for number, (time, held) in enumerate(self.points):
            out += f"  wait {time - now}s;\n" if time > now else ""
            now = time
            if self.gaps:
                out += self.gap_calls(held)
            for name in used:
                for row in held.get(name, []):
                    out += f"  call {name} {literal({f'a{i}': value for i, value in enumerate(row)})};\n"
            out += self.asks(self.output.get(number, []))
        return out + "}\n"

    def gap_calls(self, held):
        """What the kept predicate lacks at a time point, for each tuple of the anchor in the whole log."""
        kept, place, anchor = self.gaps
        rows = sorted({row for _, all_held in self.points for row in all_held.get(anchor, [])})
        there = {row[0] for row in held.get(kept, []) if row}
        return "".join(f"  call gap {literal({f'a{i}': value for i, value in enumerate(row)})};\n"
                       for row in rows if row[place] not in there)

    def asks(self, tuples):
        domain = sorted({value for _, held in self.points for rows in held.values() for row in rows for value in row})
        beside = (row for row in itertools.product(domain + ["elsewhere"], repeat=len(self.variables))
                  if row not in set(tuples))
        beside = list(itertools.islice(beside, max(1, len(tuples))))
        out = ""
        for row, effect in [(row, "allow") for row in tuples] + [(row, "deny") for row in beside]:
            out += f"  call ask {literal(dict(zip(self.variables, row)))}; expect {effect};\n"
        return out


def translate(case):
    """@returns policy text with one story. Raises Unsupported, which says why the case is left out."""
    return Translator(case).text()
