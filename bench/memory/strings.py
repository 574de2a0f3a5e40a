"""Strings in cyclic structures: documents whose lines know their document, and their words."""

import random

dice = random.Random(7)
WORDS = ["".join(dice.choices("abcdefghij", k=dice.randint(3, 12))) for _ in range(500)]


class Line:
    def __init__(self, document, text):
        self.document = document
        self.text = text
        self.words = text.split()


class Document:
    def __init__(self, title, lines):
        self.title = title
        self.lines = [Line(self, line) for line in lines]
        self.by_word = {line.words[0]: line for line in self.lines}


found = 0
for i in range(600):
    lines = [" ".join(dice.choices(WORDS, k=dice.randint(5, 30))) for _ in range(80)]
    document = Document(f"document {i}", [*lines, "Größe " + lines[0], "長さ " + lines[1]])
    found += len(document.by_word)
print(found)
