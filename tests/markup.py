"""Where the pages give Streamlit a text that it reads as Markdown, and whether that text is escaped or all our own.

Owns a reading of our syntax trees: a text is ours when it is a constant, a number with its format, or made of such by
functions of ours, whose own texts are looked through in turn; and escaped when `plain.escaped` made it. What is passed
on by a function's parameter is looked for where that is called. Whatever else it is, it is told of.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

FIRST = frozenset((
    "badge", "button", "caption", "checkbox", "date_input", "datetime_input", "download_button", "error", "expander",
    "file_uploader", "form_submit_button", "header", "info", "markdown", "metric", "multiselect", "number_input",
    "pills", "popover", "radio", "segmented_control", "selectbox", "slider", "spinner", "status", "subheader",
    "success", "tabs", "text_area", "text_input", "time_input", "title", "toast", "toggle", "warning", "write",
))  # fmt: skip
"""Streamlit's calls whose first argument is read as Markdown."""
MORE: Mapping[str, tuple[int, ...]] = {"metric": (1, 2), "progress": (1,)}
"""Others of their arguments that are."""
NAMED = frozenset(("label", "help", "captions", "delta", "body"))
"""Arguments that are, by whatever call they are named."""
PAINTS_OPTIONS = frozenset(("pills", "radio", "segmented_control"))
"""Calls that read what `format_func` gives as Markdown too; a select does not."""

ESCAPED = frozenset(("ui.plain.escaped", "ui.links._label"))
"""What makes any text safe."""


@dataclass(frozen=True, eq=False)
class Module:
    """One of our modules: its functions and constants by name, and what its names stand for elsewhere."""

    name: str
    path: Path

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.path.read_text())

    @cached_property
    def functions(self) -> dict[str, ast.FunctionDef]:
        return {one.name: one for one in ast.walk(self.tree) if isinstance(one, ast.FunctionDef)}

    @cached_property
    def statements(self) -> list[tuple["Place", ast.AST]]:
        """Every node, with the innermost function that it stands in."""

        def walk(node: ast.AST, function: ast.FunctionDef | None) -> Iterator[tuple[Place, ast.AST]]:
            for child in ast.iter_child_nodes(node):
                yield Place(self, function), child
                yield from walk(child, child if isinstance(child, ast.FunctionDef) else function)

        return list(walk(self.tree, None))

    @cached_property
    def calls(self) -> list[tuple["Place", ast.Call]]:
        return [(place, one) for place, one in self.statements if isinstance(one, ast.Call)]

    @cached_property
    def imported(self) -> dict[str, str]:
        """What a name stands for: `plain` for ui.plain, `number` for lambdas.alerts.plain."""
        found = {}
        for one in ast.walk(self.tree):
            if isinstance(one, ast.ImportFrom):
                found |= {alias.asname or alias.name: f"{one.module}.{alias.name}" for alias in one.names}
            elif isinstance(one, ast.Import):
                found |= {alias.asname or alias.name: alias.name for alias in one.names}
        return found


@dataclass(frozen=True)
class Place:
    """A text in a function: where it stands, and what its function's parameters are known to be."""

    module: Module
    function: ast.FunctionDef | None
    known: Mapping[str, bool] = field(default_factory=dict)


class House:
    """All our modules."""

    def __init__(self, *folders: str) -> None:
        paths = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
        paths += [ROOT / "app.py"] if (ROOT / "app.py").exists() else []
        self.modules = {name: Module(name, path) for path in paths for name in [_name(path)]}
        self._safe: dict[tuple[str, str, tuple[tuple[str, bool], ...]], bool] = {}
        self._calls: dict[str, list[tuple[Place, ast.Call]]] = {}  # by the whole name of what is called
        for module in self.modules.values():
            for place, call in module.calls:
                self._calls.setdefault(self._named(module, call.func), []).append((place, call))

    def unsafe(self, own: Mapping[str, str]) -> list[str]:
        """Each text that may be a name's and is not escaped: `ui/links.py:22 text`. ``own``: functions and attributes
        whose texts are our own, with the reason."""
        self._own = own
        found: dict[str, None] = {}
        for module in self.modules.values():
            if module.name.startswith(("ui.", "pages.", "app")):
                for place, call in module.calls:
                    for text in _read_as_markdown(module, call):
                        found |= dict.fromkeys(self._told(place, text, ()))
        return sorted(found)

    def _told(self, place: Place, text: ast.expr, way: tuple[str, ...]) -> Iterator[str]:
        """Why a text is not safe; nothing when it is. A parameter's is looked for where the function is called."""
        if self.safe(place, text):
            return
        here = f"{place.module.path.relative_to(ROOT)}:{text.lineno} {ast.unparse(text)}"
        needed = self._needed(place, text)
        if needed:
            callers = list(self._callers(place)) if place.function and place.function.name not in way else []
            for caller, given in callers:
                for name in needed:
                    if name in given:
                        yield from self._told(caller, given[name], (*way, place.function.name))  # type: ignore[union-attr]
            if callers:
                return
        yield here

    def _needed(self, place: Place, text: ast.expr) -> list[str]:
        """The parameters that make a text unsafe; none when it would be so even if they were all safe."""
        known = dict.fromkeys(_parameters(place.function), True) if place.function else {}

        def safe_with(**other: bool) -> bool:
            return self.safe(Place(place.module, place.function, known | other), text)

        return [name for name in known if not safe_with(**{name: False})] if safe_with() else []

    def _callers(self, place: Place) -> Iterator[tuple[Place, dict[str, ast.expr]]]:
        """Where a function is called, and what with."""
        function = place.function
        assert function
        for caller, call in self._calls.get(f"{place.module.name}.{function.name}", ()):
            yield caller, _given(function, call)

    def _named(self, module: Module, called: ast.expr) -> str:
        """The whole name of what is called: `ui.plain.escaped`."""
        if isinstance(called, ast.Name):
            return module.imported.get(called.id, f"{module.name}.{called.id}")
        if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name):
            return f"{module.imported.get(called.value.id, called.value.id)}.{called.attr}"
        return f"?.{called.attr}" if isinstance(called, ast.Attribute) else "?"

    def safe(self, place: Place, text: ast.AST | None) -> bool:
        """Whether a text can hold no name that is not escaped."""
        match text:
            case None | ast.Constant():
                return True
            case ast.JoinedStr(values=parts):
                return all(self.safe(place, part) for part in parts)
            case ast.FormattedValue(value=value, format_spec=spec):
                return _is_number(spec) or self.safe(place, value)
            case ast.IfExp(body=first, orelse=other) | ast.BinOp(left=first, right=other):
                return self.safe(place, first) and self.safe(place, other)
            case ast.BoolOp(values=parts) | ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
                return all(self.safe(place, part) for part in parts)
            case ast.Starred(value=value) | ast.Subscript(value=value) | ast.NamedExpr(value=value):
                return self.safe(place, value)
            case ast.Dict(values=parts):
                return all(self.safe(place, part) for part in parts)
            case ast.GeneratorExp(elt=one, generators=loops) | ast.ListComp(elt=one, generators=loops):
                known = {name: self.safe(place, loop.iter) for loop in loops for name in _names(loop.target)}
                return self.safe(Place(place.module, place.function, {**place.known, **known}), one)
            case ast.Name(id=name):
                return self._safe_name(place, name)
            case ast.Attribute(attr=name):
                return name.isupper() or f"{place.module.name}: {ast.unparse(text)}" in self._own
            case ast.Call():
                return self._safe_call(place, text)
        return False

    def _safe_name(self, place: Place, name: str) -> bool:
        if name in place.known:
            return place.known[name]
        if name.lstrip("_").isupper() or f"{place.module.name}: {name}" in self._own:
            return True
        if place.function is None or name not in _parameters(place.function):
            values = list(_assigned(place.function or place.module.tree, name))
            # What is made of itself, `said += …`, is as safe as what it is made of besides.
            inner = Place(place.module, place.function, {**place.known, name: True})
            return bool(values) and all(self.safe(inner, value) for value in values)
        return False

    def _safe_call(self, place: Place, call: ast.Call) -> bool:
        name = self._named(place.module, call.func)
        if name in ESCAPED or name in self._own:
            return True
        arguments = [*call.args, *(word.value for word in call.keywords)]
        if name.endswith((".get", ".pop")) and ast.unparse(call.func).startswith("st.session_state."):
            return self._safe_slot(place, call.args[0])
        if isinstance(call.func, ast.Attribute) and call.func.attr in _OF_TEXT:
            arguments = arguments[1:] if call.func.attr == "get" else arguments
            return self.safe(place, call.func.value) and all(self.safe(place, one) for one in arguments)
        if isinstance(call.func, ast.Name) and call.func.id in _NUMBERS:
            return True
        if isinstance(call.func, ast.Name) and call.func.id in _OF_LISTS:
            return all(self.safe(place, one) for one in arguments)
        owner, _, short = name.rpartition(".")
        module = self.modules.get(owner)
        if module and short not in module.functions and short in module.imported:  # given on from another one
            owner, _, short = module.imported[short].rpartition(".")
            module = self.modules.get(owner)
        if module is None or short not in module.functions:
            return False
        function = module.functions[short]
        given = _given(function, call)
        known = {one: self.safe(place, given[one]) if one in given else True for one in _parameters(function)}
        return self._returns_safe(module, function, known)

    def _safe_slot(self, place: Place, slot: ast.expr) -> bool:
        """Whether all that its module keeps in a slot of the session is safe."""
        kept = [
            (inner, one.value)
            for inner, one in place.module.statements
            if isinstance(one, ast.Assign) and ast.unparse(one.targets[0]) == f"st.session_state[{ast.unparse(slot)}]"
        ]
        return bool(kept) and all(self.safe(inner, value) for inner, value in kept)

    def _returns_safe(self, module: Module, function: ast.FunctionDef, known: dict[str, bool]) -> bool:
        key = module.name, function.name, tuple(sorted(known.items()))
        if key not in self._safe:
            self._safe[key] = True  # of one that calls itself: as safe as the rest of it
            inner = Place(module, function, known)
            returned = [one.value for one in ast.walk(function) if isinstance(one, ast.Return | ast.Yield)]
            self._safe[key] = all(self.safe(inner, one) for one in returned)
        return self._safe[key]


_OF_TEXT = frozenset(("join", "capitalize", "lower", "upper", "strip", "rstrip", "lstrip", "get", "items", "values"))
_NUMBERS = frozenset(("len", "sum", "round", "max", "min"))
_OF_LISTS = frozenset(("next", "iter", "sorted", "list", "tuple", "map", "filter", "str", "dict", "set"))


def _name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def _read_as_markdown(module: Module, call: ast.Call) -> Iterator[ast.expr]:
    called = [call.func]
    if isinstance(call.func, ast.IfExp):  # (st.success if good else st.warning)(…)
        called = [call.func.body, call.func.orelse]
    method = next((one.attr for one in called if isinstance(one, ast.Attribute)), "")
    root = called[0]
    while isinstance(root, ast.Attribute):
        root = root.value
    if isinstance(root, ast.Name) and module.imported.get(root.id, "").split(".")[0] in ("ui", "services", "lambdas"):
        return
    if method in FIRST and call.args:
        yield call.args[0]
    yield from (call.args[at] for at in MORE.get(method, ()) if at < len(call.args))
    if method in FIRST or method in MORE or method.endswith(("Column", "link")) or method == "page_link":
        yield from (word.value for word in call.keywords if word.arg in NAMED)
    if method in PAINTS_OPTIONS:
        yield from (
            word.value.body
            for word in call.keywords
            if word.arg == "format_func" and isinstance(word.value, ast.Lambda)
        )


def _parameters(function: ast.FunctionDef) -> list[str]:
    given = function.args
    return [one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs)]


def _given(function: ast.FunctionDef, call: ast.Call) -> dict[str, ast.expr]:
    given = dict(zip(_parameters(function), call.args, strict=False))
    return given | {word.arg: word.value for word in call.keywords if word.arg}


def _names(text: ast.AST) -> set[str]:
    return {one.id for one in ast.walk(text) if isinstance(one, ast.Name)}


def _assigned(function: ast.AST, name: str) -> Iterator[ast.AST]:
    """All that a local name is given."""
    for one in ast.walk(function):
        match one:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    yield from _of_target(target, value, name)
            case ast.AnnAssign(target=target, value=value) | ast.AugAssign(target=target, value=value) if value:
                yield from _of_target(target, value, name)
            case ast.NamedExpr(target=target, value=value):
                yield from _of_target(target, value, name)
            case ast.For(target=target, iter=value):
                yield from _of_target(target, value, name)
            case ast.Call(func=ast.Attribute(value=ast.Name(id=of), attr="append"), args=[value]) if of == name:
                yield value


def _of_target(target: ast.expr, value: ast.expr, name: str) -> Iterator[ast.AST]:
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        for one, own in zip(target.elts, value.elts, strict=True):
            yield from _of_target(one, own, name)
    elif name in _names(target):
        yield value


def _is_number(spec: ast.expr | None) -> bool:
    """Whether a format is one that no text has: `:,`, `.1f`, `%H:%M`."""
    said = "".join(str(one.value) for one in getattr(spec, "values", ()) if isinstance(one, ast.Constant))
    return "%" in said or said.endswith((",", "d", "f", "g"))
