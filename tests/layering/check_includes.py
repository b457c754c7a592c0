"""Holds the layering: who may include whom, and which headers are quarantined where. Usage: check_includes.py ROOT"""

import pathlib
import re
import sys

# Layer -> layers whose headers it may include. Headers are named "layer/x.h", or <ordain/x.h> by where they lie.
ALLOWED = {
    "vm": {"vm"},
    "vm/jit": {"vm", "vm/jit"},
    "stdlib": {"stdlib", "vm"},
    "compiler": {"compiler", "vm"},
    "runtime": {"runtime", "vm"},
    "umbrella": {"umbrella", "vm", "vm/jit", "stdlib", "compiler", "runtime"},
}
# Third-party header -> the only files that may include it.
QUARANTINE = {
    r"antlr4|Ordain(Lexer|Parser)": r"compiler/parse[^/]*",
    r"llvm/": r"vm/jit/.*",
    r"sqlite3": r"runtime/sqlite[^/]*",
    r"simdjson": r"vm/json_in\.cc",
    r"re2/|date/|utf8\.h": r"stdlib/.*",
    r"openssl/": r"(vm|runtime)/[^/]*\.cc",
    r"nlohmann/": r"tests/.*",
    r"CLI/": r"(cli|tests)/.*",
    r"yaml-cpp/": r"cli/import/yaml\.cc",
}
PUBLIC_FORBIDDEN = re.compile(r"antlr4|llvm/|sqlite3|simdjson|re2/|openssl/|nlohmann/|CLI/|fmt/|date/|yaml-cpp/")
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]')


def layer_of(path: str) -> str:
    if path.startswith("vm/jit/"):
        return "vm/jit"
    return path.split("/", 1)[0]


def main() -> int:
    root = pathlib.Path(sys.argv[1])
    layers = ["vm", "stdlib", "compiler", "runtime", "umbrella", "cli"]
    files = [p for layer in layers for p in (root / layer).rglob("*") if p.suffix in {".h", ".cc", ".def"}]
    public = {p.name: layer_of(str(p.relative_to(root))) for p in files if "include/ordain" in str(p)}
    wrong = []
    seen = 0
    for path in sorted(files):
        name = str(path.relative_to(root))
        layer = layer_of(name)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            seen += 1
            header = match.group(1)
            if header.startswith("ordain/"):
                target = public.get(header.removeprefix("ordain/"))
            elif header.split("/", 1)[0] in layers:
                target = layer_of(header)
            else:
                target = None
            if target and layer in ALLOWED and target not in ALLOWED[layer]:
                wrong.append(f"{name}:{number}: {layer} may not include {target} ({header})")
            for pattern, allowed in QUARANTINE.items():
                if re.match(pattern, header) and not re.fullmatch(allowed, name):
                    wrong.append(f"{name}:{number}: {header} is quarantined to {allowed}")
            if "include/ordain" in name and PUBLIC_FORBIDDEN.match(header):
                wrong.append(f"{name}:{number}: a public header exposes {header}")
    print("\n".join(wrong) if wrong else f"{seen} includes in {len(files)} files keep the layering")
    return 1 if wrong or seen == 0 else 0


sys.exit(main())
