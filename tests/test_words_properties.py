"""Entities of whole words become tags and come back, whatever the text."""
from hypothesis import given, settings, strategies as st

from sieves_distill.students.words import from_tags, split_words, to_tags
from sieves_distill.tasks.entities import Entity


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60), st.data())
def test_round_trip(text, data):
    words, entities, at = split_words(text), [], 0
    while at < len(words):
        size = data.draw(st.integers(0, 3))
        if chosen := words[at:at + size]:
            start, end = chosen[0][0], chosen[-1][1]
            entities.append(Entity(start, end, data.draw(st.sampled_from(["A", "B", "B-I"])), text[start:end]))
        at += max(1, size)
    assert from_tags(text, words, to_tags(words, entities)) == entities


@given(st.text(max_size=60))
def test_words_hold_all_that_is_no_space(text):
    words = split_words(text)
    assert "".join(text[start:end] for start, end in words) == "".join(text.split())
    assert all(start < end for start, end in words) and words == sorted(words)
