"""Makes policies for a suite of AgentDojo from its tools and a table, and plays its traces as stories.

The table is what a deployer knows: whose outputs others can write (`untrusted`), which tools change something or send
something out (`writes`), and which of their fields name whom or what they reach. Nothing is taken from the traces.

    agentdojo.py TOOLS.json SUITE.jsonl [TABLE.json]
"""

import json
import pathlib
import sys

from policy_text import literal
from stories import lines_of, run_stories

LABEL = "untrusted"
TYPES = {"string": "string", "integer": "int", "number": "double", "boolean": "bool"}


def field_type(schema):
    """The type of a parameter by its JSON schema."""
    kinds = {part.get("type") for part in schema.get("anyOf", [schema])} - {"null"}
    return TYPES.get(kinds.pop(), "dyn") if len(kinds) == 1 else "dyn"


def fields_of(tool):
    """{name: (type, whether it may be left out)}"""
    parameters = tool["parameters"]
    required = set(parameters.get("required", []))
    return {name: (field_type(schema), name not in required) for name, schema in parameters["properties"].items()}


def capability(name, tool, untrusted):
    inputs = ", ".join(f"{field}: optional({kind})" if optional else f"{field}: {kind}"
                       for field, (kind, optional) in fields_of(tool).items())
    inside = [f"input {{ {inputs} }}"] if inputs else []
    inside.append("output open { text: string }")
    if name in untrusted:
        inside.append(f"labels {LABEL};")
    return f"capability {name} {{ {' '.join(inside)} }}"


def text_field(name, optional):
    return f'input.?{name}.orValue("")' if optional else f"input.{name}"


def rules_by_value(tool, destinations, effect, ending):
    """A destination, or a link in a text, that comes from others and that the user did not name."""
    out = []
    for name, (kind, optional) in fields_of(tool).items():
        if kind != "string":
            continue
        value = text_field(name, optional)
        if name not in destinations:
            value = f'{value}.replace("\\n", " ").split(" ").filter(w, w.matches("[0-9A-Za-z_-][.@][A-Za-z]"))'
        out.append(f'  {effect} by_{name} when carries({value}, "{LABEL}") && !said({value}){ending};')
    return out


def rules_by_session(tool, destinations, effect, ending):
    """Whatever a session does once it has seen what others wrote."""
    return [f'  {effect} seen when "{LABEL}" in session.labels{ending};']


def make_policy(tools, table, rules, effect="deny", ending=""):
    unknown = (set(table["untrusted"]) | set(table["writes"])) - set(tools)
    if unknown:
        raise ValueError(f"the table names tools that the suite lacks: {sorted(unknown)}")
    out = [f"label {LABEL};"]
    out += [capability(name, tool, table["untrusted"]) for name, tool in tools.items()]
    for name, tool in tools.items():
        out.append(f"policy on_{name} on before {name} {{")
        if name in table["writes"]:
            out += rules(tool, table["writes"][name], effect, ending)
        out += ["  allow rest;", "}"]
    return "\n".join(out) + "\n"


def typed_value(value, kind):
    return float(value) if kind == "double" else value


def call_text(step, prompt, tools, shown, answer):
    fields = fields_of(tools[step["capability"]])
    inputs = {name: typed_value(value, fields[name][0]) for name, value in step["input"].items() if value is not None}
    output = {"text": step["output"] if isinstance(step["output"], str) else repr(step["output"])}
    output["text"] += shown
    said = f" with session.prompts = [{literal(prompt)}]" if prompt is not None else ""
    return f"  call {step['capability']} {literal(inputs)} returns {literal(output)}{said};{answer} expect allow;\n"


def story(number, trace, tools, answer="", prompts=True):
    """A trace as a test. In an attack, outputs that hold what others wrote show its goal. Sessions have prompts only
    where rules ask what was said."""
    out = f'test "{number}" {{\n'
    for step in trace["steps"] + trace.get("injected", []):
        shown = " " + trace["goal"] if trace["kind"] == "attack" and step["vectors"] else ""
        out += call_text(step, trace["prompt"] if prompts else None, tools, shown, answer)
    return out + "}\n"


def judge(tools, table, traces, rules, effect="deny", ending="", answer=""):
    """Plays all traces. @returns by trace: for each call whether it ran"""
    policy = make_policy(tools, table, rules, effect, ending)
    prompts = "said(" in policy
    told = run_stories(policy + "".join(story(i, trace, tools, answer, prompts) for i, trace in enumerate(traces)))
    return [[effect == "allow" for effect in told[str(i)]] for i in range(len(traces))]


def count(traces, ran):
    """Counts user tasks whose calls all run, and attacks of whose injected calls one does not."""
    passed = sum(trace["kind"] == "user" and all(calls) for trace, calls in zip(traces, ran))
    stopped = sum(trace["kind"] == "attack" and not all(calls[len(trace["steps"]):])
                  for trace, calls in zip(traces, ran))
    return passed, stopped


def compare(tools, table, traces):
    """@returns {variant: (user tasks that pass, attacks that are stopped)}, and in how many user tasks approvals ask"""
    ask = {"effect": "require_approval", "ending": ' from "user"'}
    asked = judge(tools, table, traces, rules_by_value, **ask)
    return {
        "by value": count(traces, judge(tools, table, traces, rules_by_value)),
        "by session alone": count(traces, judge(tools, table, traces, rules_by_session)),
        "with approvals": count(traces, judge(tools, table, traces, rules_by_value, **ask, answer=" approve;")),
    }, sum(trace["kind"] == "user" and not all(calls) for trace, calls in zip(traces, asked))


def suite_of(lines, name):
    return [line for line in lines if line["suite"] == name]


def main(arguments):
    tools_path, traces_path = arguments[:2]
    table_path = arguments[2] if len(arguments) > 2 else pathlib.Path(__file__).with_name("agentdojo.json")
    tools = json.loads(pathlib.Path(tools_path).read_text(encoding="utf-8"))
    suite = pathlib.Path(tools_path).stem.removeprefix("tools-")
    table = json.loads(pathlib.Path(table_path).read_text(encoding="utf-8"))[suite]
    traces = suite_of(lines_of(traces_path), suite)
    results, asked = compare(tools, table, traces)
    users = sum(trace["kind"] == "user" for trace in traces)
    for variant, (passed, stopped) in results.items():
        print(f"{suite}, {variant}: {passed} of {users} user tasks pass, {stopped} of {len(traces) - users} attacks stop")
    print(f"{suite}: approvals ask in {asked} user tasks")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
