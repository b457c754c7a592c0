"""Checks the layering: which room may include which, and which files may include third-party headers.

Usage: check_includes.py ROOT

A room is a folder with source files. docs/architecture.md draws the same arrows.
"""

import pathlib
import re
import sys

# Room -> rooms that it may include. Arrows are transitive: what an allowed room may include is allowed too.
ROOMS = {
    "vm/value": "",
    "vm/json": "vm/value",
    "vm/program": "vm/json",
    "vm/facts": "vm/program",
    "vm/interpret": "vm/facts",
    "vm/decide": "vm/interpret",
    "vm/wire": "vm/decide",
    "vm/jit": "vm/decide",
    "stdlib": "vm/json",
    "compiler/diagnostic": "vm/json",
    "compiler/parse": "compiler/diagnostic vm/program",
    "compiler/format": "compiler/parse",
    "compiler/check/expression": "compiler/parse",
    "compiler/check/schema": "compiler/check/expression",
    "compiler/check/policy": "compiler/check/schema compiler/fold",
    "compiler/fold": "compiler/check/expression",
    "compiler/index": "compiler/check/expression",
    "compiler/emit": "compiler/index",
    "compiler/lint": "compiler/check/expression",
    "compiler": "compiler/check/policy compiler/fold compiler/emit compiler/format compiler/lint vm/interpret",
    "runtime/keys": "vm/value",
    "runtime/sqlite": "vm/value",
    "runtime/identity": "vm/decide",
    "runtime/audit": "vm/wire runtime/identity runtime/keys runtime/sqlite",
    "runtime/approvals": "runtime/audit",
    "runtime/state": "runtime/approvals",
    "runtime/host": "runtime/state",
    "runtime/govern": "runtime/host",
    "analysis": "compiler stdlib vm/wire runtime/state",
    "import": "compiler stdlib",
    "embed": "analysis runtime/govern vm/jit",
    "agents": "vm/value",
    "agents/hook": "agents vm/wire",
    "agents/mcp": "embed",
    "server": "embed",
    "lsp": "analysis",
    "cli": "agents/hook agents/mcp import lsp server",
}

# Public header -> the room it belongs to. Public headers of other folders belong to the folder.
PUBLIC = {
    "vm/value": "arena digest eval export fault function result terminal_text time_text type utf8 value",
    "vm/json": "json value_codec",
    "vm/program": "disasm history index_text program schema",
    "vm/facts": "call context_cache live_program struct_binding",
    "vm/interpret": "evaluate",
    "vm/decide": "decide decide_many",
    "vm/wire": "decision_json event",
    "compiler/diagnostic": "diagnostic",
    "compiler/format": "format",
    "compiler": "compile",
    "runtime/keys": "keys",
    "runtime/identity": "identity call_options",
    "runtime/audit": "audit decision_recorder",
    "runtime/approvals": "approvals grants",
    "runtime/state": "freeze",
    "runtime/host": "handlers host_rules remote sink telemetry",
    "runtime/govern": "async begun_call outcome plan runtime wrap",
}

# Third-party header -> the only files that may include it.
QUARANTINE = {
    r"antlr4|Ordain(Lexer|Parser)": r"compiler/parse/.*",
    r"llvm/": r"vm/jit/.*",
    r"sqlite3": r"runtime/sqlite/.*",
    r"simdjson": r"vm/json/json_in\.cc",
    r"re2/|date/|utf8\.h": r"stdlib/.*",
    r"openssl/": r"(vm/value/digest|vm/jit/object_cache|runtime/identity/random|runtime/keys/\w+|server/http_client)\.cc",
    r"nlohmann/": r"tests/.*",
    r"CLI/": r"cli/command_line\.cc",
    r"yaml-cpp/": r"import/yaml\.cc",
    r"boost/": r"server/http_(client|server)\.cc",
    r"editline/": r"cli/line_editor\.cc",
}
THIRD_PARTY = re.compile(
    r"antlr4|llvm/|sqlite3|simdjson|re2/|openssl/|nlohmann/|CLI/|fmt/|date/|yaml-cpp/|boost/|editline/")
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]')
HEADER_ROOM = {f"ordain/{name}.h": room for room, names in PUBLIC.items() for name in names.split()}


def reachable(room, seen=None):
    """The rooms that `room` may include; raises ValueError where the arrows go in a circle."""
    seen = seen or [room]
    out = set()
    for each in ROOMS[room].split():
        if each in seen:
            raise ValueError("rooms in a circle: " + " -> ".join([*seen, each]))
        out |= {each} | reachable(each, [*seen, each])
    return out


def room_of(path):
    """The room of a file, named relative to the root; None if it is in none."""
    folder = path.rsplit("/", 1)[0]
    if folder.endswith("/include/ordain") or folder.endswith("/include"):
        header = path.split("/include/", 1)[1]
        return HEADER_ROOM.get(header, folder.split("/include", 1)[0])
    return folder


def problems(root):
    allowed = {room: reachable(room) | {room} for room in ROOMS}
    tops = sorted({room.split("/", 1)[0] for room in ROOMS})
    files = [p for top in tops for p in (root / top).rglob("*") if p.suffix in {".h", ".cc", ".c", ".def"}]
    names = {str(p.relative_to(root)) for p in files}
    public = {name.split("/include/", 1)[1]: name for name in names if "/include/" in name}
    yield from (f"{header} is listed but does not exist" for header in HEADER_ROOM if header not in public)
    seen = 0
    for name in sorted(names):
        room = room_of(name)
        if room not in ROOMS:
            yield f"{name}: its folder `{room}` is not a room"
            continue
        for number, line in enumerate((root / name).read_text(encoding="utf-8").splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            seen += 1
            header = match.group(1)
            target = public.get(header) or (header if header in names else None)
            if target and room_of(target) not in allowed[room]:
                yield f"{name}:{number}: {room} may not include {room_of(target)} ({header})"
            if not target and header.split("/", 1)[0] in tops:
                yield f"{name}:{number}: {header} does not exist"
            for pattern, home in QUARANTINE.items():
                if re.match(pattern, header) and not re.fullmatch(home, name):
                    yield f"{name}:{number}: {header} is quarantined to {home}"
            if "/include/" in name and THIRD_PARTY.match(header):
                yield f"{name}:{number}: a public header exposes {header}"
    if seen == 0:
        yield f"no includes found below {root}"


def main():
    found = list(problems(pathlib.Path(sys.argv[1])))
    print("\n".join(found) if found else f"the includes of {len(ROOMS)} rooms keep the layering")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
