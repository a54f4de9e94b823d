"""A sentence in both languages of the house, Chinese first."""

from dataclasses import dataclass
from typing import Literal

Language = Literal["zh", "en"]


@dataclass(frozen=True, slots=True)
class Text:
    """The same words in Chinese and in English; English falls back to Chinese where nobody wrote it."""

    zh: str
    en: str = ""

    def to(self, language: Language) -> str:
        return self.en if language == "en" and self.en else self.zh

    def filled(self, **facts: object) -> "Text":
        """Both templates with their `{placeholders}` filled; a fact that is a Text is put in its own language."""

        def fill(template: str, language: Language) -> str:
            return template.format(
                **{name: fact.to(language) if isinstance(fact, Text) else fact for name, fact in facts.items()}
            )

        return Text(fill(self.zh, "zh"), fill(self.en, "en"))
