"""Models that hold models, validation that fails, JSON there and back."""

from __future__ import annotations

from pydantic import BaseModel, ValidationError, create_model


class Leaf(BaseModel):
    name: str
    values: list[int] = []


class Tree(BaseModel):
    leaves: dict[str, Leaf]
    below: Tree | None = None


refused = 0
text = ""
for i in range(1500):
    leaves = {str(j): {"name": f"leaf{j}", "values": list(range(j))} for j in range(5)}
    tree = Tree.model_validate({"leaves": leaves, "below": {"leaves": leaves}})
    text = tree.model_dump_json()
    assert Tree.model_validate_json(text) == tree
    try:
        Leaf.model_validate({"name": [i], "values": "none"})
    except ValidationError as error:
        refused += len(error.errors())
for i in range(30):
    create_model(f"Made{i}", a=(int, 1), b=(Tree | None, None))(a=i)
print(len(text), refused)
