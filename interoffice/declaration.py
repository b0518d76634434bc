"""What a bot declares, read from its source text by `ast`: nothing is imported, nothing of it runs.

The table of annotations is in `interoffice.bot`. Outputs that depend on inputs stay text here ("columns of
contract"); `interoffice.plan.output_types` turns them into types for one step.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Final, Literal, cast

from interoffice.frozen import dataclass
from interoffice.model.types import (
    ANY,
    CREDENTIAL,
    DATE,
    DATE_TIME,
    DURATION,
    FILE,
    MONEY,
    NUMBER,
    PERCENT,
    TEXT,
    TIME,
    YES_NO,
    Type,
    choice_of,
    record_of,
    table_of,
    type_from_json,
)

Effect = Literal["reads", "changes", "sends"]
Office = Literal["front", "middle", "back", "every"]
InputKind = Literal[
    "value",
    "values",
    "table",
    "table or record",
    "record",
    "credential",
    "column",
    "columns",
    "contract",
    "layout",
    "decision table",
    "risk table",
    "screening lists",
    "queue",
    "mail account",
    "template",
    "application",
    "screen",
    "element",
    "elements",
    "element values",
    "grid tables",
    "element files",
    "sheet tables",
    "charts",
]
"""How an input is written and checked; everything but value, values, table, record and the maps is a name."""

OPEN_TABLE: Final = table_of({}, open=True)
OPEN_RECORD: Final = record_of({}, open=True)

ANNOTATIONS: Final[Mapping[str, tuple[InputKind, Type]]] = {
    "str": ("value", TEXT),
    "Decimal": ("value", NUMBER),
    "int": ("value", NUMBER),
    "bool": ("value", YES_NO),
    "date": ("value", DATE),
    "datetime": ("value", DATE_TIME),
    "time": ("value", TIME),
    "Money": ("value", MONEY),
    "Percent": ("value", PERCENT),
    "Duration": ("value", DURATION),
    "FileValue": ("value", FILE),
    "Value": ("value", ANY),
    "Choice": ("value", TEXT),
    "Wording": ("value", TEXT),
    "Table": ("table", OPEN_TABLE),
    "Record": ("record", OPEN_RECORD),
    "Values": ("values", OPEN_RECORD),
    "CredentialName": ("credential", CREDENTIAL),
    "ColumnName": ("column", TEXT),
    "ColumnNames": ("columns", TEXT),
    "ContractName": ("contract", TEXT),
    "LayoutName": ("layout", TEXT),
    "DecisionTableName": ("decision table", TEXT),
    "RiskTableName": ("risk table", TEXT),
    "ScreeningLists": ("screening lists", TEXT),
    "QueueName": ("queue", TEXT),
    "MailAccount": ("mail account", TEXT),
    "TemplateFile": ("template", TEXT),
    "ApplicationName": ("application", TEXT),
    "ScreenName": ("screen", TEXT),
    "ElementName": ("element", TEXT),
    "ElementNames": ("elements", TEXT),
    "ElementValues": ("element values", OPEN_RECORD),
    "GridTables": ("grid tables", OPEN_RECORD),
    "ElementFiles": ("element files", OPEN_RECORD),
    "SheetTables": ("sheet tables", OPEN_RECORD),
    "Charts": ("charts", OPEN_RECORD),
}
_MANY: Final = ("columns", "elements", "screening lists", "charts")


@dataclass(frozen=True, kw_only=True, slots=True)
class BotInput:
    """One input. `type` is that of a single value; `many`: one or a list may be written.

    `argument` is the function's own name for it: `from_` for the input `from`, which Python keeps for itself.
    `for_people`: a text that people read, where dates and numbers stand in the project's format.
    """

    name: str
    kind: InputKind
    type: Type
    many: bool = False
    optional: bool = False
    default: str | None = None
    help: str = ""
    argument: str = ""
    for_people: bool = False

    def as_json(self) -> Mapping[str, object]:
        """What the cache keeps."""
        return {
            "name": self.name,
            "argument": self.argument,
            "for_people": self.for_people,
            "kind": self.kind,
            "type": self.type.as_json(),
            "many": self.many,
            "optional": self.optional,
            "default": self.default,
            "help": self.help,
        }

    @classmethod
    def from_json(cls, said: Mapping[str, object]) -> BotInput:
        """The inverse of `as_json`."""
        return cls(**{**said, "type": type_from_json(said["type"])})  # type: ignore[arg-type]


@dataclass(frozen=True, kw_only=True, slots=True)
class BotOutput:
    """One output: its type by annotation, and in `says` what was declared as data ("" where the annotation is all).

    `field` is the dataclass's own name for it: `class_` for the output `class`.
    """

    name: str
    type: Type
    says: str = ""
    field: str = ""

    def as_json(self) -> Mapping[str, object]:
        """What the cache keeps."""
        return {"name": self.name, "type": self.type.as_json(), "says": self.says, "field": self.field}

    @classmethod
    def from_json(cls, said: Mapping[str, object]) -> BotOutput:
        """The inverse of `as_json`."""
        return cls(
            name=str(said["name"]),
            type=type_from_json(said["type"]),
            says=str(said["says"]),
            field=str(said["field"]),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class BotDescription:
    """All that is known of a bot without running it. `file` is the path as the registry found it, `line` of its def."""

    name: str
    function: str
    effect: Effect
    office: Office
    file: str
    line: int
    inputs: Mapping[str, BotInput]
    outputs: Mapping[str, BotOutput]
    identity: tuple[str, ...] = ()
    has_look_up: bool = False
    deprecated: str = ""
    summary: str = ""
    doc: str = ""
    example: str = ""

    @property
    def module(self) -> str:
        """`crm` of `crm.export_deals`."""
        return self.name.partition(".")[0]

    @property
    def writes(self) -> bool:
        """True of a bot that changes or sends."""
        return self.effect != "reads"

    def named(self, kind: InputKind) -> BotInput | None:
        """The first input of a kind, e.g. the one that names the screen."""
        return next((one for one in self.inputs.values() if one.kind == kind), None)

    def as_json(self) -> Mapping[str, object]:
        """What the cache keeps, and `bots --format json` shows."""
        return {
            "name": self.name,
            "function": self.function,
            "effect": self.effect,
            "office": self.office,
            "file": self.file,
            "line": self.line,
            "inputs": [one.as_json() for one in self.inputs.values()],
            "outputs": [one.as_json() for one in self.outputs.values()],
            "identity": list(self.identity),
            "has_look_up": self.has_look_up,
            "deprecated": self.deprecated,
            "summary": self.summary,
            "doc": self.doc,
            "example": self.example,
        }

    @classmethod
    def from_json(cls, said: Mapping[str, object]) -> BotDescription:
        """The inverse of `as_json`."""
        inputs = [BotInput.from_json(one) for one in cast(list[Mapping[str, object]], said["inputs"])]
        outputs = [BotOutput.from_json(one) for one in cast(list[Mapping[str, object]], said["outputs"])]
        kept = {key: value for key, value in said.items() if key not in ("inputs", "outputs", "identity")}
        return cls(
            **kept,  # type: ignore[arg-type]
            inputs={one.name: one for one in inputs},
            outputs={one.name: one for one in outputs},
            identity=tuple(cast(list[str], said["identity"])),
        )


class DeclarationError(ValueError):
    """A bot file can't be read as one; says what is wrong and in which line."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


def read_declarations(text: str, *, file: str, module: str, office: Office) -> tuple[BotDescription, ...]:
    """The bots that a module's source text declares, in its order; DeclarationError when one can't be read."""
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise DeclarationError(f"this is no Python: {error.msg}", error.lineno or 1) from error
    except ValueError as error:
        raise DeclarationError(f"this is no Python: {error}", 1) from error
    reading = _Module(
        file=file,
        module=module,
        office=office,
        constants=dict(_constants(tree)),
        classes={node.name: node for node in tree.body if isinstance(node, ast.ClassDef)},
    )
    return tuple(
        reading.bot(node, call)
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and (call := _decorator(node)) is not None
    )


def _constants(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                yield name, value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                yield name, value


def _decorator(node: ast.FunctionDef) -> ast.Call | None:
    for one in node.decorator_list:
        match one:
            case ast.Call(func=ast.Name(id="bot") | ast.Attribute(attr="bot")):
                return one
            case ast.Name(id="bot"):
                return ast.Call(func=one, args=[], keywords=[])
    return None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Mark:
    """The arguments of `@bot(...)`."""

    effect: Effect = "changes"
    outputs: Mapping[str, str] = field(default_factory=dict)
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    identity: tuple[str, ...] = ()
    look_up: bool = False
    deprecated: str = ""


@dataclass(frozen=True, kw_only=True)
class _Module:
    file: str
    module: str
    office: Office
    constants: Mapping[str, ast.expr]
    classes: Mapping[str, ast.ClassDef]

    def bot(self, node: ast.FunctionDef, call: ast.Call) -> BotDescription:
        mark = self._mark(call, node)
        documentation = read_docstring(ast.get_docstring(node) or "")
        inputs = {one.name: one for one in self._inputs(node, mark, documentation.inputs)}
        for name in (*mark.choices, *mark.identity):
            if name not in inputs:
                raise DeclarationError(f'@bot of {node.name} names "{name}", which is no input of it', node.lineno)
        return BotDescription(
            name=f"{self.module}.{node.name}",
            function=node.name,
            effect=mark.effect,
            office=self.office,
            file=self.file,
            line=node.lineno,
            inputs=inputs,
            outputs={one.name: one for one in self._outputs(node, mark)},
            identity=mark.identity,
            has_look_up=mark.look_up,
            deprecated=mark.deprecated,
            summary=documentation.summary,
            doc=documentation.rest,
            example=documentation.example,
        )

    def _mark(self, call: ast.Call, node: ast.FunctionDef) -> _Mark:
        said: dict[str, object] = {}
        for keyword in call.keywords:
            if keyword.arg == "look_up":
                said["look_up"] = not (isinstance(keyword.value, ast.Constant) and keyword.value.value is None)
            elif keyword.arg is not None:
                said[keyword.arg] = self._literal(keyword.value, keyword.arg)
        known = _Mark.__dataclass_fields__
        wrong = next((key for key in said if key not in known), None)
        if wrong is not None:
            raise DeclarationError(f'@bot of {node.name} has no argument "{wrong}"', node.lineno)
        if said.get("effect", "changes") not in ("reads", "changes", "sends"):
            message = f'@bot of {node.name}: effect is reads, changes or sends, not "{said["effect"]}"'
            raise DeclarationError(message, node.lineno)
        for key in ("outputs", "choices"):
            if not isinstance(said.get(key) or {}, dict):
                raise DeclarationError(f"@bot of {node.name}: {key} is a map", node.lineno)
        return _Mark(
            effect=said.get("effect", "changes"),  # type: ignore[arg-type]
            outputs=cast(dict[str, str], said.get("outputs") or {}),
            choices={
                name: tuple(one) for name, one in cast(dict[str, tuple[str, ...]], said.get("choices") or {}).items()
            },
            identity=tuple(cast(tuple[str, ...], said.get("identity") or ())),
            look_up=bool(said.get("look_up")),
            deprecated=str(said.get("deprecated") or ""),
        )

    def _literal(self, node: ast.expr, what: str) -> object:
        if isinstance(node, ast.Name) and node.id in self.constants:
            return self._literal(self.constants[node.id], what)
        try:
            return ast.literal_eval(node)
        except ValueError as error:
            message = f"{what} of @bot must be written out as a literal, to be read without running the file"
            raise DeclarationError(message, node.lineno) from error

    def _inputs(self, node: ast.FunctionDef, mark: _Mark, helps: Mapping[str, str]) -> Iterator[BotInput]:
        arguments = node.args
        first = [*arguments.posonlyargs, *arguments.args]
        if len(first) != 1 or arguments.vararg or arguments.kwarg:
            message = f"bot {node.name} takes ctx first and then its inputs after a *, by keyword only"
            raise DeclarationError(message, node.lineno)
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
            if argument.annotation is None:
                message = f'input "{argument.arg}" of bot {node.name} has no annotation'
                raise DeclarationError(message, argument.lineno)
            kind, type, many, optional = self._annotation(argument.annotation, argument.arg, node)
            name = argument.arg.removesuffix("_")
            if name in mark.choices:
                type = choice_of(mark.choices[name])
            yield BotInput(
                name=name,
                argument=argument.arg,
                kind=kind,
                type=type,
                many=many,
                optional=optional or default is not None,
                default=_default(default),
                help=helps.get(name, ""),
                for_people="Wording" in ast.unparse(argument.annotation),
            )

    def _annotation(self, annotation: ast.expr, name: str, node: ast.FunctionDef) -> tuple[InputKind, Type, bool, bool]:
        parts = [part for part in _alternatives(annotation) if not _is_none(part)]
        optional = len(parts) < len(list(_alternatives(annotation)))
        words = [_word(part) for part in parts]
        if sorted(word for word in words if word) == ["Record", "Table"] and len(words) == 2:
            return "table or record", ANY, False, optional
        if len(parts) == 1:
            match parts[0]:
                case ast.Subscript(value=ast.Name(id="tuple"), slice=ast.Tuple(elts=[inner, ast.Constant()])):
                    kind, type = self._simple(inner, name, node)
                    return kind, type, True, optional
            kind, type = self._simple(parts[0], name, node)
            return kind, type, kind in _MANY, optional
        message = f'the annotation of "{name}" in bot {node.name} is not one that an analyst can fill in'
        raise DeclarationError(message, annotation.lineno)

    def _simple(self, part: ast.expr, name: str, node: ast.FunctionDef) -> tuple[InputKind, Type]:
        word = _word(part)
        if word in ("Mapping", "dict") and isinstance(part, ast.Subscript):
            return "values", OPEN_RECORD
        if word == "Literal" and isinstance(part, ast.Subscript):
            return "value", choice_of(_texts(part.slice))
        if word in ANNOTATIONS:
            return ANNOTATIONS[word]
        message = f'the annotation of "{name}" in bot {node.name} is unknown: {ast.unparse(part)}'
        raise DeclarationError(message, part.lineno)

    def _outputs(self, node: ast.FunctionDef, mark: _Mark) -> Iterator[BotOutput]:
        returned = node.returns
        if returned is None or _is_none(returned):
            if mark.outputs:
                raise DeclarationError(f"bot {node.name} declares outputs but gives nothing back", node.lineno)
            return
        word = _word(returned)
        if word not in self.classes:
            said = ast.unparse(returned)
            message = f"bot {node.name} must give back None or a dataclass of its own module, not {said}"
            raise DeclarationError(message, node.lineno)
        fields = dict(self._fields(self.classes[word], node))
        named = {name.removesuffix("_"): name for name in fields}
        unknown = next((name for name in mark.outputs if name not in named), None)
        if unknown is not None:
            message = f'@bot of {node.name} declares the output "{unknown}", which {word} does not have'
            raise DeclarationError(message, node.lineno)
        for name, field_name in named.items():
            yield BotOutput(name=name, type=fields[field_name], says=mark.outputs.get(name, ""), field=field_name)

    def _fields(self, node: ast.ClassDef, of: ast.FunctionDef) -> Iterator[tuple[str, Type]]:
        for base in node.bases:
            if isinstance(base, ast.Name) and base.id in self.classes:
                yield from self._fields(self.classes[base.id], of)
        for line in node.body:
            if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
                kind, type, many, _ = self._annotation(line.annotation, line.target.id, of)
                if kind == "table or record":
                    type = ANY
                yield line.target.id, Type("list", item=type) if many else type


def _alternatives(annotation: ast.expr) -> Iterator[ast.expr]:
    match annotation:
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            yield from _alternatives(left)
            yield from _alternatives(right)
        case ast.Constant(value=str(text)):
            yield from _alternatives(ast.parse(text, mode="eval").body)
        case ast.Subscript(value=ast.Name(id="Optional"), slice=inner):
            yield from _alternatives(inner)
            yield ast.Constant(value=None)
        case _:
            yield annotation


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _word(node: ast.expr) -> str:
    match node:
        case ast.Name(id=word) | ast.Attribute(attr=word):
            return word
        case ast.Subscript(value=value):
            return _word(value)
        case ast.Constant(value=str(word)):
            return word
    return ""


def _texts(node: ast.expr) -> tuple[str, ...]:
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    return tuple(str(part.value) for part in parts if isinstance(part, ast.Constant))


def _default(node: ast.expr | None) -> str | None:
    if node is None or _is_none(node):
        return None
    match node:
        case ast.Constant(value=bool(value)):
            return "true" if value else "false"
        case ast.Constant(value=value):
            return str(value)
        case ast.Call(args=[ast.Constant(value=value)]):
            return str(value)
        case ast.Tuple(elts=elements):
            return ", ".join(str(one.value) for one in elements if isinstance(one, ast.Constant))
    return None


@dataclass(frozen=True, kw_only=True, slots=True)
class Documentation:
    """A bot's docstring in its parts."""

    summary: str = ""
    rest: str = ""
    example: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)


_HEAD: Final = re.compile(r"^(Example|Inputs):[ \t]*$", re.MULTILINE)


def read_docstring(text: str) -> Documentation:
    """First line, the rest, the YAML under `Example:`, and `name: help` lines under `Inputs:`."""
    summary, _, rest = text.partition("\n")
    blocks: dict[str, str] = {}
    while (found := _HEAD.search(rest)) is not None:
        block, behind = _indented(rest[found.end() :])
        blocks[found[1]] = block
        rest = rest[: found.start()].rstrip() + "\n\n" + behind
    helps: dict[str, str] = {}
    for line in blocks.get("Inputs", "").splitlines():
        name, _, help = line.partition(":")
        if help:
            helps[name.strip()] = help.strip()
    return Documentation(summary=summary.strip(), rest=rest.strip(), example=blocks.get("Example", ""), inputs=helps)


def _indented(text: str) -> tuple[str, str]:
    """The indented block that the text begins with, its indent taken away; and what stands behind it."""
    lines = text.lstrip("\n").splitlines()
    count = next((at for at, line in enumerate(lines) if line.strip() and not line.startswith(" ")), len(lines))
    block = lines[:count]
    indent = min((len(line) - len(line.lstrip()) for line in block if line.strip()), default=0)
    return "\n".join(line[indent:] for line in block).strip("\n"), "\n".join(lines[count:])
