"""Holds docs/versioning.md: what is written to disk, and what C programs link to, changes only together with its version.

Usage: check_formats.py ROOT [--update]

For each format, formats.json keeps a version and a digest of what the sources say about it at that version. The digest
covers declarations only: comments and white space do not count. --update pins what the sources say now.
"""

import hashlib
import json
import pathlib
import re
import sys

COMMENTS = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)


class Sources:
    """Reads declarations from the sources below a root."""

    def __init__(self, root):
        self.root = root

    def text(self, name):
        return (self.root / name).read_text(encoding="utf-8")

    def find(self, name, pattern):
        """The one group of the only match of `pattern` in a file, without comments, white space made even."""
        found = re.findall(pattern, COMMENTS.sub("", self.text(name)), re.DOTALL | re.MULTILINE)
        if len(found) != 1:
            raise ValueError(f"{name}: expected one match of {pattern}, found {len(found)}; correct tests/versions/check_formats.py")
        return " ".join(found[0].split())

    def enumeration(self, name, enum):
        return self.find(name, rf"^ *enum (?:class )?{enum}\b[^{{;]*\{{(.*?)\}};")

    def opcodes(self):
        """The instructions' names, operands and flags; not the prose on what they do."""
        rows = re.findall(r'^X\((\w+), *("[^"]*"), *("[^"]*"),', self.text("vm/program/opcodes.def"), re.MULTILINE)
        return "\n".join(" ".join(row) for row in rows)

    def grammar(self):
        """The serialised form as docs/bytecode.md gives it, without the remarks at the ends of lines."""
        block = re.search(r"^```\n(program    = magic.*?)^```", self.text("docs/bytecode.md"), re.DOTALL | re.MULTILINE)
        return "\n".join(" ".join(line.split(" ; ")[0].split()) for line in block.group(1).splitlines())


def program(sources):
    yield sources.grammar()
    yield sources.opcodes()
    yield sources.enumeration("vm/program/format.h", "Section")
    yield sources.find("vm/program/format.h", r"kMagic = (.*?);")
    yield sources.enumeration("vm/include/ordain/value.h", "Kind")
    yield sources.enumeration("vm/include/ordain/type.h", "TypeKind")
    yield sources.enumeration("vm/include/ordain/fault.h", "FaultCode")
    yield sources.enumeration("vm/include/ordain/program.h", "RuleKind")
    yield sources.enumeration("vm/include/ordain/schema.h", "Bank")
    yield sources.enumeration("vm/program/program_data.h", "IndexTest")


def record(sources):
    yield sources.enumeration("runtime/audit/fields.h", "Field")
    yield sources.enumeration("runtime/audit/value_tags.h", "ValueTag")
    yield sources.enumeration("runtime/include/ordain/audit.h", "RecordKind")
    yield sources.enumeration("runtime/include/ordain/audit.h", "OutcomeStatus")
    yield sources.enumeration("vm/include/ordain/schema.h", "Stage")
    yield sources.enumeration("vm/include/ordain/decide.h", "Effect")
    yield sources.enumeration("vm/include/ordain/decide.h", "DecisionCode")
    yield sources.enumeration("vm/include/ordain/program.h", "RuleKind")


def tables(*schemas):
    """The statements that make a file's tables. How the string is cut into lines does not count."""
    def of(sources):
        for name, constant in schemas:
            yield "".join(re.findall(r'"([^"]*)"', sources.find(name, rf"{constant} =(.*?\")\s*;$")))
    return of


def state(sources):
    yield from tables(("runtime/state/state_file.cc", "kStateTables"))(sources)
    yield sources.enumeration("runtime/state/op.h", "OpKind")
    yield sources.find("runtime/state/snapshot.h", r"kSnapshotVersion = (.*?);")
    for name in ["StateKind", "StateVerb", "BudgetPeriod", "KeySource"]:
        yield sources.enumeration("vm/include/ordain/history.h", name)
    block = re.search(r"^```\n(snapshot   = .*?)^```", sources.text("docs/state.md"), re.DOTALL | re.MULTILINE)
    yield " ".join(block.group(1).split())


def c_interface(sources):
    yield " ".join(COMMENTS.sub("", sources.text("embed/include/ordain/c.h")).split())


# Format -> where its version stands, the pattern of it, what describes the format, and whether what has been written
# stays readable when something is appended under the same version.
FORMATS = {
    "program": ("vm/program/format.h", r"kVersion = (\d+);", program, False),
    "record": ("runtime/audit/fields.h", r"kRecordVersion = (\d+);", record, True),
    "audit.db": ("runtime/audit/segment.h", r"kAuditVersion = (\d+);", tables(("runtime/audit/segment.cc", "kTables")), False),
    "approvals.db": ("runtime/approvals/store.h", r"kApprovalsVersion = (\d+);",
                     tables(("runtime/approvals/approvals.cc", "kSchema"), ("runtime/approvals/grants.cc", "kGrantSchema")), False),
    "state.db": ("runtime/state/state_file.h", r"kStateVersion = (\d+);", state, False),
    "C interface": ("embed/include/ordain/c.h", r"define ORDAIN_ABI_VERSION (\d+)u", c_interface, True),
}


def describe(sources, name):
    file, pattern, parts, _ = FORMATS[name]
    digest = hashlib.sha256("\n\n".join(parts(sources)).encode()).hexdigest()
    return {"version": int(sources.find(file, pattern)), "digest": digest}


def problem(name, pinned, now):
    """What is wrong with a format, and what to do about it; None if nothing is."""
    if pinned == now:
        return None
    file, pattern, _, grows = FORMATS[name]
    constant = re.search(r"k?\w*VERSION|k\w*Version", pattern).group(0)
    if pinned and pinned["version"] == now["version"] and not grows:
        return (f"{name}: its description changed, but its version is still {now['version']}. Raise {constant} in {file}, "
                "then run this check with --update. docs/versioning.md says what else a new version needs. (If only names in the "
                "description changed, and no byte that is written, remove its entry from formats.json and run --update.)")
    if pinned and pinned["version"] == now["version"]:
        return (f"{name}: its description changed, but its version is still {now['version']}. If something was only appended, "
                f"run this check with --update. Else raise {constant} in {file} first. docs/versioning.md has the rules.")
    return (f"{name}: its version is now {now['version']}, and formats.json pins {pinned and pinned['version']}. Run this check "
            "with --update, and do what docs/versioning.md asks for a new version.")


def main():
    root = pathlib.Path(sys.argv[1])
    sources = Sources(root)
    file = root / "tests/versions/formats.json"
    pinned = json.loads(file.read_text()) if file.exists() else {}
    now = {name: describe(sources, name) for name in FORMATS}
    found = {name: text for name in FORMATS if (text := problem(name, pinned.get(name), now[name]))}
    if "--update" in sys.argv[2:]:
        # An unchanged version with another description is refused where nothing may be appended.
        found = {name: text for name, text in found.items()
                 if pinned.get(name, {}).get("version") == now[name]["version"] and not FORMATS[name][3]}
        file.write_text(json.dumps({name: pinned[name] if name in found else now[name] for name in FORMATS}, indent=2) + "\n")
    print("\n".join(found.values()) if found else f"{len(FORMATS)} formats are as formats.json pins them")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
