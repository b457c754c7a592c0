"""Checks that no member function of a public header hands out a view of a temporary.

Usage: check_views.py ROOT

A member that returns a reference, a pointer, a string_view or a span says by a ref-qualifier on which objects it may be
called: `&` or `const&`, with a form for temporaries beside the latter that is deleted or returns a value. ALLOWED has
those whose result does not point into their object. tests/unit/embed/temporaries_test.cc shows that the qualifiers do
what they should.
"""

import pathlib
import re
import sys

# Header -> member -> why its result outlives the object.
ALLOWED = {
    "eval.h": {"allocate": "memory of the arena that the evaluation uses", "array": "likewise"},
    "program.h": {name: "a Program lives behind a shared pointer only"
                  for name in ("digest", "schema", "rules", "policy_version", "files", "locations")},
    "type.h": {"find": "the fields lie in an arena"},
    "value.h": {name: "a Value is a view itself" for name in ("as_text", "as_list", "all")},
    "wrap.h": {"mistake": "of a tool that lives on the stack of the governed call"},
    "outcome.h": {"operator->": "of an Ending: until the end of the expression, as for Result"},
    "arena.h": {"allocate_slow": "private"},
}

COMMENTS = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
MEMBER = re.compile(
    r"^ +(?:template <[^;{}]*> *\n? *)?(?:virtual |constexpr |inline )*"
    r"(?P<type>(?:const )?[\w:]+(?:<[^;(){}]*>)?(?:(?: const)?[&*]| ))\s*"
    r"(?P<name>operator(?:->|\*|\[\])|\w+)\((?P<params>[^;{}]*?)\)\s*(?P<after>(?:const|noexcept|override|&&|&|\s)*)"
    r"(?:requires[^;{]*)?(?P<end>[;{=])",
    re.MULTILINE)


def is_view(type_name):
    type_name = type_name.strip()
    return (type_name.endswith(("&", "*")) and not type_name.endswith("&&")) or \
        re.fullmatch(r"(?:const )?std::(?:string_view|span<.*>)", type_name) is not None


def members(text):
    """(name, qualifiers) of each member function that returns a view."""
    for match in MEMBER.finditer(COMMENTS.sub("", text)):
        if match["type"].startswith(("return", "static", "friend", "using", "typedef", "else", "new ", "delete")):
            continue
        if is_view(match["type"]):
            yield match["name"], "".join(match["after"].split())


def problems(path):
    text = path.read_text(encoding="utf-8")
    found = list(members(text))
    # What a member gives to a temporary: nothing, or a value.
    without_temporaries = set(re.findall(r"(operator(?:->|\*)|\w+)\([^;{}()]*\) (?:const)?&&", text))
    for name, qualifiers in found:
        if name in ALLOWED.get(path.name, {}):
            continue
        qualifiers = qualifiers.replace("noexcept", "").replace("override", "")
        if qualifiers in ("", "const"):
            yield f"{path}: {name} returns a view of its object: qualify it with & or const&, or return a value"
        if qualifiers == "const&" and name not in without_temporaries:
            yield f"{path}: {name} of a temporary returns a view of it: add a form for && that is deleted or returns a value"


def main():
    root = pathlib.Path(sys.argv[1])
    headers = sorted(path for path in root.glob("**/include/ordain/*.h")
                     if "build" not in path.parts and path.name != "c.h")
    if len(headers) < 40:
        print(f"only {len(headers)} public headers were found")
        return 1
    found = [line for header in headers for line in problems(header)]
    print("\n".join(found) if found else f"no member of {len(headers)} headers hands out a view of a temporary")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
