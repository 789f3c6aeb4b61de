"""The sessions without browsers of `bench.viewers` see what a browser would; more of them ask the database no more."""

from bench.served import ours
from bench.viewers import watched


def test_three_who_look_see_the_feed_and_ask_the_database_no_more_than_one_does():
    with ours(items=20, rate=10) as served:
        one = watched(served, "changes", 1, 4, over=0)
        three = watched(served, "changes", 3, 4, over=0)  # in step: what is kept for a second serves all of them
    for found, sessions in ((one, 1), (three, 3)):
        assert (found["shown"], found["lost"], found["errors"]) == (sessions, 0, 0), found
        assert found["refreshes"] >= sessions
        assert found["messages"] > 2, "a refresh is more than its beginning and its end"
    assert 0 < sum(three["asked"].values()) < 2 * sum(one["asked"].values())
