"""What is deployed: a template's text and the zip of a code folder, both the same bytes every time.

Owns how the two are read. Must not know the engine.
"""

import hashlib
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import yaml

from local.errors import EngineError

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the oldest time a zip can hold: real ones would make every zip another
_SECTIONS = ("Globals", "Resources")


@dataclass(frozen=True)
class Package:
    """A SAM template whose functions' code is one folder. `archive` is that folder as a zip, name included."""

    template: Path
    code: Path
    text: str
    archive: bytes

    @classmethod
    def read(cls, template: Path, code: Path) -> "Package":
        """Raises EngineError when one of the two can't be read."""
        try:
            return cls(template, code, template.read_text(), _zip(code))
        except OSError as error:
            raise EngineError(f"The stack can't be read: {error}.") from error

    @property
    def archive_digest(self) -> str:
        return hashlib.sha256(self.archive).hexdigest()

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.text.encode() + b"\0" + self.archive).hexdigest()

    def text_with_code_at(self, location: str) -> str:
        """The template with `location` (an S3 URI) in place of every local CodeUri; all else stays as it is."""
        text = self.text
        for node in reversed(_code_uris(self._parsed())):
            named = self.template.parent / node.value
            if named.resolve() != self.code.resolve():
                raise EngineError(f"{self.template}: CodeUri {node.value} is not the code folder {self.code}.")
            text = text[: node.start_mark.index] + f'"{location}"' + text[node.end_mark.index :]
        return text

    def expiring_tables(self) -> dict[str, str]:
        """Logical name and time-to-live attribute of each table that has one."""
        resources = _at(self._parsed(), "Resources")
        found = {name: _at(node, "Properties", "TimeToLiveSpecification") for name, node in _items(resources)}
        enabled = {name: node for name, node in found.items() if _text(_at(node, "Enabled")) == "true"}
        return {name: _text(_at(node, "AttributeName")) for name, node in enabled.items()}

    def _parsed(self) -> yaml.Node:
        try:
            node = yaml.compose(self.text, Loader=yaml.SafeLoader)  # nodes, not values: !Sub and its like stay
        except yaml.YAMLError as error:
            raise EngineError(f"{self.template} is not YAML: {error}") from error
        if not isinstance(node, yaml.MappingNode):
            raise EngineError(f"{self.template} holds no template.")
        return node


def _code_uris(template: yaml.Node) -> list[yaml.ScalarNode]:
    """The CodeUri values that name a folder, in the order of the text."""
    found: list[yaml.ScalarNode] = []
    for key, section in _items(template):
        if key in _SECTIONS:
            _collect(section, found)
    return found


def _collect(node: yaml.Node, found: list[yaml.ScalarNode]) -> None:
    for key, value in _items(node):
        if key == "CodeUri" and isinstance(value, yaml.ScalarNode):
            if not value.value.startswith("s3://"):
                found.append(value)
        else:
            _collect(value, found)


def _at(node: yaml.Node | None, *keys: str) -> yaml.Node | None:
    for key in keys:
        node = dict(_items(node)).get(key)
    return node


def _text(node: yaml.Node | None) -> str:
    return str(node.value) if isinstance(node, yaml.ScalarNode) else ""


def _items(node: yaml.Node | None) -> list[tuple[str, yaml.Node]]:
    return [(key.value, value) for key, value in node.value] if isinstance(node, yaml.MappingNode) else []


def _zip(code: Path) -> bytes:
    """The folder under its own name, so that a handler `package.module.function` is found as it is here."""
    if not code.is_dir():
        raise EngineError(f"The code folder {code} is missing.")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(code.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc":
                entry = zipfile.ZipInfo(f"{code.resolve().name}/{path.relative_to(code).as_posix()}", _EPOCH)
                entry.external_attr = 0o644 << 16
                archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
