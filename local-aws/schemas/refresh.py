#!/usr/bin/env python3
"""Rewrites the resource schemas in this directory from the installed cfn-lint package.

    python3 -m venv .venv && .venv/bin/pip install cfn-lint
    .venv/bin/python local-aws/schemas/refresh.py

The same package version always gives the same bytes. README.md says what is
kept, what is translated to JSON Schema draft 7, and why.
"""

import json
import re
import sys
from importlib import metadata
from pathlib import Path

import cfnlint

HERE = Path(__file__).resolve().parent

# us-east-1 has every type; the files of the other regions point to the same schemas.
REGION = "us-east-1"

TYPES = [
    "AWS::DynamoDB::Table",
    "AWS::EC2::EIP",
    "AWS::EC2::InternetGateway",
    "AWS::EC2::NatGateway",
    "AWS::EC2::Route",
    "AWS::EC2::RouteTable",
    "AWS::EC2::SecurityGroup",
    "AWS::EC2::SecurityGroupEgress",
    "AWS::EC2::SecurityGroupIngress",
    "AWS::EC2::Subnet",
    "AWS::EC2::SubnetRouteTableAssociation",
    "AWS::EC2::VPC",
    "AWS::EC2::VPCEndpoint",
    "AWS::EC2::VPCGatewayAttachment",
    "AWS::ECR::Repository",
    "AWS::ECS::Cluster",
    "AWS::ECS::TaskDefinition",
    "AWS::Events::Rule",
    "AWS::FIS::ExperimentTemplate",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::Function",
    "AWS::Lambda::Permission",
    "AWS::Logs::LogGroup",
    "AWS::SQS::Queue",
    "AWS::SQS::QueuePolicy",
]

# Top-level keys that say something other than what a template may contain.
DROP_TOP = {
    "$schema",
    "additionalIdentifiers",
    "deprecatedProperties",
    "handlers",
    "propertyTransform",
    "sourceUrl",
}
# Keys of any subschema that are prose, or that point to other resource types.
DROP_ANYWHERE = {"description", "relationshipRef"}
# Keywords whose value maps free names to subschemas: a name there is not a keyword.
NAME_MAPS = {"definitions", "patternProperties", "properties"}
# Every other keyword that may remain. A keyword that a later cfn-lint adds stops
# the script, so that nobody ships a rule that a draft 7 validator ignores.
KNOWN = {
    # JSON Schema draft 7
    "$ref", "additionalProperties", "allOf", "anyOf", "const", "default", "dependencies",
    "else", "enum", "format", "if", "items", "maximum", "maxItems", "maxLength", "minimum",
    "minItems", "minLength", "not", "oneOf", "pattern", "required", "then", "type",
    "uniqueItems",
    # CloudFormation's own
    "conditionalCreateOnlyProperties", "createOnlyProperties", "insertionOrder",
    "primaryIdentifier", "readOnlyProperties", "replacementStrategy", "taggable", "tagging",
    "typeName", "uniqueKeys", "writeOnlyProperties",
}  # fmt: skip


def draft7_pattern(pattern):
    """`\\Z` is Python's end of text, and `[` in a class is literal only in Python and ECMA 262:
    Rust's regex crate opens a nested class with it."""
    out, in_class = [], False
    for token in re.findall(r"\\.|.", pattern, re.S):
        if token == r"\Z":
            token = "$"
        elif token == "[" and in_class:
            token = r"\["
        elif token == "[":
            in_class = True
        elif token == "]":
            in_class = False
        out.append(token)
    return "".join(out)


def any_case(words):
    """Draft 7 has no case-insensitive enum; a pattern with both cases of each letter says the same."""
    both = ("".join(f"[{c.upper()}{c.lower()}]" for c in word) for word in words)
    return f"^({'|'.join(both)})$"


def draft7(schema):
    """One subschema, without prose, in draft 7's own keywords."""
    if isinstance(schema, list):
        return [draft7(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    out, extra, dependencies = {}, [], {}
    for key, value in schema.items():
        if key in DROP_ANYWHERE:
            continue
        elif key in NAME_MAPS:
            names = {name: draft7(sub) for name, sub in value.items()}
            if key == "patternProperties":
                names = {draft7_pattern(name): sub for name, sub in names.items()}
            out[key] = names
        elif key == "pattern":
            out[key] = draft7_pattern(value)
        elif key == "requiredXor":
            extra.append({"oneOf": [{"required": [name]} for name in value]})
        elif key == "requiredOr":
            extra.append({"anyOf": [{"required": [name]} for name in value]})
        elif key in ("dependencies", "dependentRequired"):
            for name, needed in value.items():
                dependencies.setdefault(name, []).append({"required": needed})
        elif key == "dependentExcluded":
            for name, barred in value.items():
                none_of = {"not": {"anyOf": [{"required": [other]} for other in barred]}}
                dependencies.setdefault(name, []).append(none_of)
        elif key == "prefixItems":
            extra.append({"items": draft7(value)})
        elif key == "enumCaseInsensitive":
            extra.append({"pattern": any_case(value)})
        elif key not in KNOWN:
            sys.exit(f"refresh.py: unknown schema keyword `{key}`: decide what becomes of it")
        elif key in ("const", "default", "enum", "tagging"):
            out[key] = value
        else:
            out[key] = draft7(value)
    for key in ("anyOf", "oneOf"):
        if key in out and all(alternative == {} for alternative in out[key]):
            del out[key]
    for name, rules in dependencies.items():
        rule = rules[0] if len(rules) == 1 else {"allOf": rules}
        out.setdefault("dependencies", {})[name] = rule
    if "$ref" in out and len(out) > 1:
        # Draft 7 ignores whatever stands beside a `$ref`.
        extra.append({"$ref": out.pop("$ref")})
    if extra:
        out["allOf"] = out.get("allOf", []) + extra
    return out


def write_source(version, schema_date, total):
    """README.md carries where the files come from, between two markers."""
    readme = HERE / "README.md"
    text = readme.read_text(encoding="utf-8")
    begin, end = "<!-- source -->\n", "<!-- /source -->"
    head, rest = text.split(begin)
    tail = rest.split(end)[1]
    line = (
        f"Package `cfn-lint` {version} on PyPI, schemas dated {schema_date}, region {REGION}:"
        f" {len(TYPES)} types, {total} bytes.\n"
    )
    readme.write_text(head + begin + line + end + tail, encoding="utf-8")


def main():
    # Read the package's own files: the library would prefer a newer download in the user's cache.
    data = Path(cfnlint.__file__).parent / "data" / "schemas"
    hashes = json.loads((data / "providers" / f"{REGION}.json").read_text(encoding="utf-8"))
    date = json.loads((data / "version.json").read_text(encoding="utf-8"))["schema_date"]
    for stale in HERE.glob("aws-*.json"):
        stale.unlink()
    total = 0
    for name in TYPES:
        raw = json.loads((data / "resources" / f"{hashes[name]}.json").read_text(encoding="utf-8"))
        schema = draft7({key: value for key, value in raw.items() if key not in DROP_TOP})
        schema["tagging"] = {
            key: value for key, value in raw.get("tagging", {}).items() if key != "permissions"
        }
        schema["tagging"].setdefault("taggable", schema.pop("taggable", False))
        text = json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        file = HERE / (name.lower().replace("::", "-") + ".json")
        file.write_text(text, encoding="utf-8")
        total += len(text.encode())
    write_source(metadata.version("cfn-lint"), date, total)


if __name__ == "__main__":
    main()
