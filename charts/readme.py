#!/usr/bin/python3
"""Writes the table of values into the chart's README: a row for each commented key of values.yaml.

Usage: charts/readme.py [README]     charts/gpu-monitoring/README.md by default
"""
import json
import os
import re
import sys

CHART = os.path.join(os.path.dirname(os.path.abspath(__file__)), "gpu-monitoring")
BEGIN, END = "<!-- values: written by charts/readme.py -->", "<!-- end of values -->"
KEY = re.compile(r"^( *)([A-Za-z][A-Za-z0-9]*):(.*)$")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def section_of(path, schema):
    """The part of the JSON schema that a path names, references followed."""
    part = schema
    for key in path:
        part = part["properties"][key]
        if "$ref" in part:
            part = schema["definitions"][part["$ref"].rsplit("/", 1)[1]]
    return part


def type_of(part):
    if "enum" in part:
        return "one of " + ", ".join("`%s`" % json.dumps(value).strip('"') for value in part["enum"])
    names = []
    for one in part.get("anyOf", [part]):
        kind = one.get("type", "integer")  # a constant
        names += [name for name in (kind if isinstance(kind, list) else [kind]) if name not in names]
    words = {"object": "map", "array": "list", "boolean": "true or false", "string": "text",
             "integer": "number", "null": "null"}
    return " or ".join(words.get(name, name) for name in names)


def rows(text):
    """(path, default, comment) of each key behind a line `# -- ...`, in the order of the file."""
    path, comment, lines = [], None, text.splitlines()
    for number, line in enumerate(lines):
        stripped = line.strip()
        if stripped.startswith("# -- "):
            comment = stripped[5:]
            continue
        key = KEY.match(line)
        if not key:
            continue
        depth = len(key.group(1)) // 2
        path = path[:depth] + [key.group(2)]
        if comment is None:
            continue
        default = key.group(3).strip()
        if not default:  # a block below: in one line, as it is
            block = []
            for below in lines[number + 1:]:
                if not below.startswith("  " * (depth + 1)):
                    break
                block.append(below.strip())
            default = "{" + ", ".join(block) + "}" if not block[0].startswith("-") else (
                "[{" + ", ".join(item.lstrip("- ") for item in block) + "}]")
        yield path, default, comment
        comment = None


def table():
    schema = json.loads(read(os.path.join(CHART, "values.schema.json")))
    lines = ["| value | type | default | meaning |", "|---|---|---|---|"]
    for path, default, comment in rows(read(os.path.join(CHART, "values.yaml"))):
        cells = ("`%s`" % ".".join(path), type_of(section_of(path, schema)),
                 "`%s`" % default if default else "", comment)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


def main():
    path = sys.argv[1] if len(sys.argv) > 1 else os.path.join(CHART, "README.md")
    text = read(path)
    if BEGIN not in text or END not in text:
        sys.exit("%s has no lines %r and %r to write between" % (path, BEGIN, END))
    head, tail = text.split(BEGIN)[0], text.split(END)[1]
    with open(path, "w", encoding="utf-8") as file:
        file.write("%s%s\n%s\n%s%s" % (head, BEGIN, table(), END, tail))


if __name__ == "__main__":
    main()
