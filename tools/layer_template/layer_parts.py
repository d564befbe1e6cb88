"""What a new layer is asked to have, and the words that its files have in common."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Parts:
    """The flags of tools/new_layer. `all` explains every part of the contract in comments."""

    name: str
    inputs: int = 1
    outputs: int = 1
    state: bool = False
    formatted: bool = False
    backward: bool = False
    nested: bool = False
    all: bool = False
    folder: str = "layers"
    lamina: str = ""  # Before labels: "@lamina" in another workspace.

    @property
    def class_name(self) -> str:
        return "".join(word.capitalize() for word in self.name.split("_")) + "Layer"

    @property
    def package(self) -> str:
        return f"{self.folder}/{self.name}"

    @property
    def header(self) -> str:
        return f"{self.package}/{self.name}_layer.h"

    @property
    def guard(self) -> str:
        return self.header.upper().replace("/", "_").replace(".", "_").replace("-", "_") + "_"

    @property
    def x(self) -> list[str]:
        """The names of the inputs in code."""
        return numbered("x", self.inputs)

    @property
    def y(self) -> list[str]:
        return numbered("y", self.outputs)

    @property
    def has_forward(self) -> bool:
        """In training the layer does something else, or keeps something for Backward."""
        return self.state or self.backward or self.nested


def numbered(stem: str, count: int) -> list[str]:
    return [stem] if count == 1 else [f"{stem}{i + 1}" for i in range(count)]


def times(factor: int, value: str) -> str:
    return value if factor == 1 else f"{factor} * {value}"


def result_type(count: int, memory: bool = False) -> str:
    """What a function returns: so many arrays, and a Memory."""
    if memory:
        return f"std::tuple<{'DlArray, ' * count}Memory>"
    if count == 1:
        return "DlArray"
    return f"std::array<DlArray, {count}>"


def returned(values: list[str]) -> str:
    return f"return {values[0]};" if len(values) == 1 else f"return {{{', '.join(values)}}};"
