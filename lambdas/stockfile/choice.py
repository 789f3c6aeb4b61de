"""Which column is what, by its heading and by what it holds.

Owns the choice, and the sentences about it. Nothing is guessed: what is not certain becomes a question. Pure.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from lambdas.stockfile import counts, moments
from lambdas.stockfile.counts import Cell, text_of
from lambdas.stockfile.headings import Roles, outlet, plain, roles
from lambdas.stockfile.layout import listed
from lambdas.stockfile.mapping import NONE, Mapping
from lambdas.stockfile.parts import Question, Unclear


class Choice:
    """Chooses what a mapping leaves open, by the headings and by what the columns hold. ``why`` takes the reasons."""

    def __init__(self, texts: tuple[str, ...], names: tuple[str, ...], rows: list[list[Cell]], why: list[str]):
        self.texts, self.names, self.rows, self.why = texts, names, rows, why
        self.roles: Roles = roles(texts)

    def complete(self, said: Mapping) -> tuple[Mapping, Question | None]:
        """The mapping with every column that could be found, and the first question about the others."""
        found, asked = said, None
        for step in (self._counted, self._stored, self._keyed, self._timed):
            try:
                found = step(found)
            except Unclear as unclear:
                asked = asked or unclear.question
        if not asked:
            self._explain(found)
        return found, asked

    def blank(self) -> tuple[int, ...]:
        """The columns whose headings say something, and that are blank in all the rows that were looked at."""
        named = self.roles
        known = (
            *named.counts,
            *named.stores,
            *named.codes,
            *named.updated,
            *(i for of in named.wide.values() for i in of),
        )
        return tuple(index for index in known if not any(self._column(index)))

    def _counted(self, said: Mapping) -> Mapping:
        if said.stores or said.count is not None:
            return said
        stores, count = self._counts()
        return replace(said, stores=stores, count=count)

    def _stored(self, said: Mapping) -> Mapping:
        if said.store is not None:
            return said
        return replace(said, store=NONE if said.stores else self._store())

    def _keyed(self, said: Mapping) -> Mapping:
        return said if said.item else replace(said, item=self._item(said.store or NONE))

    def _timed(self, said: Mapping) -> Mapping:
        return said if said.updated_at is not None else replace(said, updated_at=self._updated())

    def _cells(self, index: int) -> Iterator[Cell]:
        return (row[index] for row in self.rows if index < len(row))

    def _column(self, index: int) -> list[str]:
        return [text_of(row[index]).strip() if index < len(row) else "" for row in self.rows]

    def _held(self, indexes: Iterable[int]) -> list[int]:
        """The columns that are not blank all the way down."""
        return [index for index in indexes if any(self._column(index))]

    # the count

    def _counts(self) -> tuple[tuple[str, ...], str | None]:
        """The stores' columns of a wide file, or the one column of counts."""
        plain_ones = [i for i in self.roles.counts if plain(self.texts[i]) == "count" or self._has_numbers(i)]
        wide = [columns for columns in self.roles.wide.values() if any(map(self._has_numbers, columns))]
        if len(wide) == 1 and not plain_ones:
            outlets = [outlet(self.texts[i]) for i in wide[0]]
            twice = {name for name in outlets if outlets.count(name) > 1}
            if twice:
                raise Unclear("count", f"Which columns are the counts? More than one is of {listed(map(str, twice))}.")
            return tuple(self.names[i] for i in wide[0]), None
        if len(plain_ones) == 1 and not wide:
            return (), self.names[plain_ones[0]]
        found = [self.names[i] for i in (*plain_ones, *(i for columns in wide for i in columns))]
        if found:
            raise Unclear("count", f"Which column is the count? It could be {listed(found)}.")
        raise Unclear("count", f"Which column is the count? {self._no_count()}")

    def _no_count(self) -> str:
        if not self.roles.counts:
            return f"None of the headings says so: {listed(self.names)}."
        index = self.roles.counts[0]
        held = next(filter(None, self._column(index)), "")
        seen = f"holds “{held[:40]}”, which is no number" if held else "is blank"
        return f"“{self.names[index]}” {seen}."

    def _has_numbers(self, index: int) -> bool:
        return any(map(counts.looks_numeric, self._cells(index)))

    # the item

    def _item(self, store: str) -> tuple[tuple[str, ...], ...]:
        """A code, and a name where the code is blank. Neither may be blank or the same all the way down."""
        at = self.names.index(store) if store in self.names else None
        if len(self.roles.own) == 1:
            return ((self.names[self.roles.own[0]],),)
        codes = [i for i in self._held(self.roles.codes) if self._tells(i, at)]
        variants = [self.names[i] for i in self.roles.variants]  # blank ones too: next week's file may fill them
        titles = [i for i in self._held(self.roles.names) if self._held(self.roles.variants) or self._tells(i, at)]
        titles = [i for i in titles if self.names[i] not in variants] or titles
        chosen: list[tuple[str, ...]] = [(self.names[codes[0]],)] if codes else []
        if titles:
            name = self.names[titles[0]]
            chosen.append((name, *(variant for variant in variants if variant != name)))
        if chosen:
            return tuple(chosen)
        known = [self.names[i] for i in (*self.roles.own, *self.roles.codes, *self.roles.names)]
        blank = f"{listed(known)} is blank, or the same in every row."
        raise Unclear(
            "item", f"Which column names the item? {blank if known else f'The headings are {listed(self.names)}.'}"
        )

    def _tells(self, index: int, store: int | None) -> bool:
        """Whether a column tells items apart: not the same twice in one store and never another."""
        column = self._column(index)
        if len(set(column)) != 1 or len(column) < 2:
            return True
        return store is not None and len(set(self._column(store))) == len(column)

    # the store, the time

    def _store(self) -> str:
        """The column of stores; one that holds only 0 is what a program writes that knows none."""
        found = [i for i in self._held(self.roles.stores) if set(self._column(i)) - {"", "0"}]
        words = {plain(self.texts[i]): i for i in found}
        if len(found) > 1 and "store" not in words:
            raise Unclear("store", f"Which column names the store? It could be {listed(self.names[i] for i in found)}.")
        return self.names[words.get("store", found[0])] if found else NONE

    def _updated(self) -> str:
        """The column of times. A blank one is left out; our own word is taken at its word."""
        for index in self.roles.updated:
            name = self.names[index]
            if any(map(moments.is_time, self._cells(index))) or plain(self.texts[index]) == plain("updated_at"):
                return name
            if held := next(filter(None, self._column(index)), ""):
                raise Unclear("dates", f"Which column says when it was counted, if any? “{name}” holds “{held[:40]}”.")
            self.why.append(f"“{name}” is left out: it is blank.")
        return NONE

    def _explain(self, found: Mapping) -> None:
        named = [" with ".join(f"“{name}”" for name in alternative) for alternative in found.item]
        otherwise = f"; where it is blank, {', then '.join(named[1:])}" if named[1:] else ""
        self.why.append(f"{named[0]} is the item{otherwise}.")
        if found.stores:
            shown = listed(outlet(name) or name for name in found.stores)
            several = len(found.stores) > 1
            self.why.append(
                f"{'Each store has a column of its own' if several else 'The counts are of one store'}: {shown}."
            )
        else:
            self.why.append(f"“{found.count}” is the count.")
            self.why.append(f"“{found.store}” is the store." if found.store else "The file names no store.")
        stated = f"“{found.updated_at}” says when it was counted." if found.updated_at else ""
        self.why.append(stated or "It states no times, and counts as of its upload.")
