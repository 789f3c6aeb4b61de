"""The lesson: four files, three modes side by side, and what really came out of each table's stream.

It works on scratch tables of its own, which are made for it and deleted. The modes are the product's: its rules, its
writers, its reading of stream records. Nothing of the stack's own is written or followed.
"""

from services.lesson.classroom import Board, Classroom
from services.lesson.run import MODES, Lesson, Phase, Sent, lesson
from services.lesson.scratch import sweep
from services.lesson.story import File, own, story
from services.lesson.telling import CALLS, LEARNT, Line, as_json, in_words, summary, why

__all__ = [
    "CALLS", "LEARNT", "MODES", "Board", "Classroom", "File", "Lesson", "Line", "Phase", "Sent", "as_json", "in_words",
    "lesson", "own", "story", "summary", "sweep", "why",
]  # fmt: skip
