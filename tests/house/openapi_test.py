#!/usr/bin/env python3
"""Hold spec/openapi.json against the node: openapi_test.py ROOT BUILD.

Both ways: BUILD/tests/routes prints the route tables as compiled, and every service that the objects define must be
among them. Then BUILD/tests/api walks through a node, and each answer must be one that the file describes.
"""
import json
import pathlib
import re
import subprocess
import sys

root, build = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
doc = json.loads((root / "spec/openapi.json").read_text())
count = failures = 0


def ok(faults, sentence):
    global count, failures
    count += 1
    failures += bool(faults)
    print(f"{'not ok' if faults else 'ok'} {count} - {sentence}")
    for fault in faults[:10]:
        print(f"#   {fault}")


def operations():
    return {(method, path): o for path, methods in doc["paths"].items() for method, o in methods.items()}


def refs(node):
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for value in node.values():
            yield from refs(value)
    elif isinstance(node, list):
        for value in node:
            yield from refs(value)


def at(ref):
    node = doc
    for step in ref.removeprefix("#/").split("/"):
        node = node[step]
    return node


def parameters(o, where):
    every = [at(p["$ref"]) if "$ref" in p else p for p in o.get("parameters", [])]
    return [p for p in every if p["in"] == where]


def differences(route, o):
    """What file and table say differently of one route."""
    named = re.findall(r"\{(\w+)\}", route["path"])
    said = {
        "operationId": (o.get("operationId"), route["action"]),
        "x-right": (o.get("x-right"), route["right"]),
        "x-kind": (o.get("x-kind", ""), route["kind"]),
        "x-body-max": (o.get("x-body-max"), route["body_max"]),
        "x-write": (o.get("x-write", False), route["write"]),
        "x-intent": (o.get("x-intent", False), route["intent"]),
        "query": (sorted(p["name"] for p in parameters(o, "query")), sorted(route["query"])),
        "path": ([p["name"] for p in parameters(o, "path")], named),
        "mesatee-request": (len(parameters(o, "header")) == 1, route["write"]),
        "errors": (o["responses"].get("default"), {"$ref": "#/components/responses/error"}),
    }
    where = f"{route['method']} {route['path']}"
    faults = [f"{where}: {key} is {file!r}, and {table!r} in the table" for key, (file, table) in said.items()
              if file != table]
    if "requestBody" in o and route["body_max"] == 0:
        faults.append(f"{where}: a body is described, and none is taken")
    return faults


def objects_of_services():
    """Names of all services that the libraries define."""
    names = set()
    for library in ("libserver.a", "libservices.a"):
        said = subprocess.run(["nm", "--defined-only", build / "tee" / library], stdout=subprocess.PIPE, text=True,
                              check=True).stdout
        names |= set(re.findall(r" [dDrR] mt_(\w+)_service$", said, re.M))
    return names


def mismatch(value, schema, where):
    """Why a value is not of a schema, as far as this file uses JSON Schema; or nothing."""
    if "$ref" in schema:
        return mismatch(value, at(schema["$ref"]), where)
    if "oneOf" in schema:
        tried = [mismatch(value, s, where) for s in schema["oneOf"]]
        return [] if sum(not t for t in tried) == 1 else [f"{where} is none of several"]
    if "const" in schema:
        return [] if value == schema["const"] else [f"{where} is {value!r}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{where} is {value!r}"]
    types = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "null": type(None)}
    wanted = schema.get("type", [])
    wanted = [wanted] if isinstance(wanted, str) else wanted
    if wanted and not any(type(value) is types[w] for w in wanted):
        return [f"{where} is a {type(value).__name__}"]
    faults = []
    if isinstance(value, dict) and "properties" in schema:
        faults += [f"{where}.{name} is missing" for name in schema["required"] if name not in value]
        for name, item in value.items():
            if name in schema["properties"]:
                faults += mismatch(item, schema["properties"][name], f"{where}.{name}")
            else:
                faults.append(f"{where}.{name} is not described")
    if isinstance(value, list):
        if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
            faults.append(f"{where} has {len(value)} items")
        for i, item in enumerate(value):
            faults += mismatch(item, schema["items"], f"{where}[{i}]")
    if isinstance(value, str):
        if not re.search(schema.get("pattern", ""), value):
            faults.append(f"{where} is {value!r}")
        if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
            faults.append(f"{where} has {len(value)} characters")
    if type(value) is int and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        faults.append(f"{where} is {value}")
    return faults


def find_operation(method, target):
    path = target.split("?")[0]
    for (m, pattern), o in operations().items():
        if m == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", pattern), path):
            return o
    return None


def judge(answer):
    """(operation, faults) of one answer of a real node."""
    where = f"{answer['method']} {answer['target']}: {answer['status']}"
    o = find_operation(answer["method"], answer["target"])
    if answer["status"] >= 400 or o is None:
        schema = at("#/components/responses/error")["content"]["application/json"]["schema"]
        return None, mismatch(answer["body"], schema, where)
    response = o["responses"].get(str(answer["status"]))
    if response is None:
        return o, [f"{where} is not described"]
    content = response["content"].get("application/json")
    return o, mismatch(answer["body"], content["schema"], where) if content else [f"{where} is JSON"]


def main():
    said = subprocess.run([build / "tests/routes"], stdout=subprocess.PIPE, text=True, check=True).stdout
    routes = [json.loads(line) for line in said.splitlines()]
    table, file = {(r["method"], r["path"]): r for r in routes}, operations()
    ok(sorted(f"{m} {p}" for m, p in table.keys() - file.keys()), "every route is described")
    ok(sorted(f"{m} {p}" for m, p in file.keys() - table.keys()), "nothing is described that does not exist")
    ok([f for key in table.keys() & file.keys() for f in differences(table[key], file[key])],
       "rights, kinds, bounds, effects and query names are those of the tables")
    ok(sorted(objects_of_services() - {r["service"] for r in routes}), "no service is defined that was not asked")
    actions = [r["action"] for r in routes]
    ok(sorted({a for a in actions if actions.count(a) > 1}), "no two routes have one action")
    used = set(refs(doc))
    ok([r for r in used if not _resolves(r)], "every reference leads somewhere")
    ok([f"{kind}/{name}" for kind, names in doc["components"].items() for name in names
        if f"#/components/{kind}/{name}" not in used], "every component is used")
    walk = subprocess.run([build / "tests/api", build], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=240)
    answers = [json.loads(line) for line in walk.stdout.splitlines() if line.startswith("{")]
    ok([walk.stdout[-500:]] if walk.returncode != 0 else [], "a node answers a walk through its API")
    judged = [judge(a) for a in answers]
    ok([f for _, faults in judged for f in faults], "each answer is as it is described")
    seen = {o["operationId"] for o, _ in judged if o is not None}
    # Not JSON, for a node in another state, or of bytes: other tests have them.
    elsewhere = {"admin.claim", "backup.get", "enrolment.show", "enrolment.answer", "recovery.open", "time.accept", "data.read", "receipt.get", "task.watch",
                 "result.read", "run.cancel", "peer.add", "peer.remove", "handover.take"}
    ok(sorted(set(actions) - seen - elsewhere), "the walk leaves nothing out that answers in JSON")
    print(f"1..{count}")
    return 1 if failures else 0


def _resolves(ref):
    try:
        return at(ref) is not None
    except KeyError:
        return False


sys.exit(main())
