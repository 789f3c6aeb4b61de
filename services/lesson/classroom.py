"""The one lesson of a dashboard: whoever looks sees the same one, and whoever presses a button moves it on.

Owns the thread that gives it, and how long it waits for the next file. What the database is asked does not grow with
those who look or press.
"""

import threading
from contextlib import closing
from dataclasses import dataclass

from services.access import Right
from services.errors import StocktrailError
from services.lesson.run import Lesson, Phase, lesson
from services.lesson.story import File
from services.stack import Stack

IDLE_SECONDS = 20 * 60
"""So long a class may think about the next file; then the tables are deleted. Three such pauses are well below the age
at which scratch tables are taken for left over (`scratch.KEPT_HOURS`)."""
_NOBODY = f"Nobody sent the next file for {IDLE_SECONDS // 60} minutes, so the lesson's tables were deleted."
_BUG = "The lesson broke off; the log says why."


@dataclass(frozen=True, slots=True)
class Board:
    """What everybody sees. ``lesson`` None: nothing was sent yet. ``at_work``: it moves, or its tables are not yet
    deleted; ``broke_off``: why it will not go on, in plain words."""

    lesson: Lesson | None = None
    at_work: bool = False
    broke_off: str = ""


class Classroom:
    """Gives the lesson, one at a time."""

    def __init__(self, stack: Stack, idle: float = IDLE_SECONDS) -> None:
        stack.person.must(Right.OPERATE)  # it makes tables
        self._stack, self._idle = stack, idle
        self._changed = threading.Condition()
        self._run: _Run | None = None

    def board(self) -> Board:
        with self._changed:
            return self._run.board() if self._run else Board()

    def send(self, upto: int, files: tuple[File, ...]) -> None:
        """Go on until so many files are sent; the first one begins the lesson. Who presses a moment after somebody
        else says the same again. ``files`` are those of a lesson that begins."""
        with self._changed:
            if self._run is None:
                self._run = _Run(files)
                threading.Thread(target=self._give, args=(self._run,), name="lesson", daemon=True).start()
            self._run.upto = max(self._run.upto, upto)
            self._changed.notify_all()

    def start_over(self) -> None:
        """Forget the lesson; one that is under way ends at its next step, and deletes its tables."""
        with self._changed:
            if self._run:
                self._run.stopped = True
            self._run = None
            self._changed.notify_all()

    def _give(self, run: "_Run") -> None:
        try:
            with closing(lesson(self._stack, run.files)) as steps:
                for now in steps:
                    run.lesson = now
                    if run.stopped or (now.phase is Phase.WAITING and not self._asked_on(run, now)):
                        break
            if now.phase is Phase.WAITING:  # and by now its tables are gone
                run.broke_off = _NOBODY
        except StocktrailError as error:
            run.broke_off = str(error)
        finally:
            run.over = True

    def _asked_on(self, run: "_Run", now: Lesson) -> bool:
        """Wait until the next file is asked for; False when it is not."""
        with self._changed:
            return self._changed.wait_for(lambda: run.stopped or run.upto > now.sends, self._idle) and not run.stopped


@dataclass
class _Run:
    """A lesson, as its thread and those who look share it."""

    files: tuple[File, ...]
    lesson: Lesson | None = None
    upto: int = 0
    stopped: bool = False
    over: bool = False
    broke_off: str = ""

    def board(self) -> Board:
        now = self.lesson or Lesson(self.files, Phase.MAKING)
        waits = now.phase is Phase.WAITING and self.upto <= now.sends
        lost = self.over and now.phase is not Phase.DONE
        return Board(now, not (self.over or waits), self.broke_off or (_BUG if lost else ""))
