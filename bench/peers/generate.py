#!/usr/bin/env python3
"""Says the rules of the access family (bench/family_access.cc) in the languages of the peers.

    bench/peers/generate.py DIRECTORY

Reads rules.policy and events.jsonl, as `bench_rules access N --out DIRECTORY` writes them, and writes beside them, with
the parts of a condition in the order that suits the engine:

    rules.cedar     one policy for each rule
    rules.rego      one Rego rule for each rule
    rules.cel       one line for each rule: `allow` or `deny`, a tab, an expression
    requests.tsv    one line for each event: agent, department, roles, action, sensitivity, type
"""

import json
import pathlib
import re
import sys

ALLOW = re.compile(
    r'allow (?P<name>\w+) when "(?P<role>\w+)" in agent\.roles && resource\.type == "(?P<type>\w+)" && '
    r'input\.action in \[(?P<actions>[^]]+)\] && agent\.department == "(?P<department>\w+)";'
)
DENY = re.compile(
    r'deny (?P<name>\w+) when agent\.department == "(?P<department>\w+)" && input\.sensitivity > (?P<limit>\d+);'
)

REGO_HEAD = """package access

default allow := false

allow if {
	permitted
	not forbidden
}
"""


def read_rules(text):
    """(is a denial, parameters) of each rule. A rule of any other form ends the program: no peer may lack a rule."""
    body = text[text.index("policy access_rules") :].splitlines()[1:-1]
    for line in body:
        allow, deny = ALLOW.fullmatch(line.strip()), DENY.fullmatch(line.strip())
        if not allow and not deny:
            sys.exit(f"generate.py: not a rule of the access family: {line}")
        yield (True, deny.groupdict()) if deny else (False, allow.groupdict())


def cedar(denial, rule):
    if denial:
        return (
            f'@id("{rule["name"]}") forbid (principal, action, resource)\n'
            f'when {{ principal.department == "{rule["department"]}" && context.sensitivity > {rule["limit"]} }};\n'
        )
    actions = ", ".join(f"Action::{action}" for action in rule["actions"].split(", "))
    return (
        f'@id("{rule["name"]}") permit (principal in Role::"{rule["role"]}", action in [{actions}], '
        f'resource is {rule["type"]})\nwhen {{ principal.department == "{rule["department"]}" }};\n'
    )


def rego(denial, rule):
    if denial:
        return (
            f'\nforbidden if {{\n\tinput.department == "{rule["department"]}"\n'
            f'\tinput.sensitivity > {rule["limit"]}\n}}\n'
        )
    return (
        f'\npermitted if {{\n\tinput.type == "{rule["type"]}"\n\tinput.department == "{rule["department"]}"\n'
        f'\tinput.action in {{{rule["actions"]}}}\n\t"{rule["role"]}" in input.roles\n}}\n'
    )


def cel(denial, rule):
    if denial:
        return f'deny\tdepartment == "{rule["department"]}" && sensitivity > {rule["limit"]}\n'
    return (
        f'allow\tdepartment == "{rule["department"]}" && type == "{rule["type"]}" && action in [{rule["actions"]}] && '
        f'"{rule["role"]}" in roles\n'
    )


def request(line):
    event = json.loads(line)
    agent, given = event["agent"], event["input"]
    columns = [agent["id"], agent["department"], ",".join(agent["roles"])]
    return "\t".join([*columns, given["action"], str(given["sensitivity"]), event["resource"]["type"]]) + "\n"


def main():
    directory = pathlib.Path(sys.argv[1])
    rules = list(read_rules((directory / "rules.policy").read_text()))
    for name, head, say in (("rules.cedar", "", cedar), ("rules.rego", REGO_HEAD, rego), ("rules.cel", "", cel)):
        (directory / name).write_text(head + "".join(say(*rule) for rule in rules))
    events = (directory / "events.jsonl").read_text().splitlines()
    (directory / "requests.tsv").write_text("".join(request(line) for line in events))


if __name__ == "__main__":
    main()
