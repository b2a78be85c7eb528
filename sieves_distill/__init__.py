"""Distil what a language model answered into a small model to deploy, with an honest report on it."""
__version__ = "0.1.0"

from importlib import import_module
from typing import TYPE_CHECKING

from .documents.doc import Doc
from .tasks.labels import Classification
from .tasks.task import Task

if TYPE_CHECKING:
    from .tasks.adapt import CustomTask, from_sieves
    from .tasks.records import InformationExtraction
    from .tasks.relations import RelationExtraction
    from .tasks.scores import SentimentAnalysis
    from .tasks.spans import NER, PIIMasking
    from .tasks.texts import QuestionAnswering, Summarization, Translation
    from .documents.read import iter_docs, read_docs
    from .documents.write import docs_to_dataset, docs_to_pandas, write_docs
    from .export.export import to_hf_dataset
    from .split import split_dataset
    from .teach.embedding import EmbeddingTeacher
    from .teach.label import label_docs
    from .teach.llm import LLMTeacher
    from .teach.majority import MajorityTeacher
    from .teach.teacher import CallableTeacher, Teacher
    from .evaluate.evaluate import evaluate_student
    from .evaluate.report import Report
    from .evaluate.sureness import least_sure
    from .evaluate.teacher import TeacherReport, teacher_report
    from .evaluate.two_teachers import Agreement, agreement
    from .students.frameworks import DistillationFramework
    from .students.student import Student
    from .train.bases import static_base
    from .train.distillation import distill
    from .relabel.choice import choose_next
    from .relabel.corrections import read_corrections, with_corrections
    from .relabel.near_duplicates import conflicts
    from .relabel.reviewing import Review
    from .relabel.suspicion import confusions, plot_confusions, suspects
    from .decide.audit_result import AuditResult
    from .decide.cascade import Cascade
    from .decide.comparison import compare
    from .decide.comparison_result import Comparison
    from .decide.curve import learning_curve
    from .decide.curve_result import LearningCurve
    from .decide.masking import MaskingThreshold, choose_masking
    from .decide.threshold import choose_threshold
    from .decide.threshold_result import CascadeThreshold
    from .watch.challenge import update_student
    from .watch.challenge_result import StudentUpdate
    from .watch.shift import drift
    from .watch.shift_result import Drift
    from .deploy.bulk import label_files
    from .deploy.explanation import Explanation, explain
    from .deploy.formats import export_student
    from .deploy.serve import make_app

# Names whose modules are imported when they are first asked for (PEP 562), which keeps `import sieves_distill` quick.
_LAZY = {
    "CustomTask": "tasks.adapt",
    "from_sieves": "tasks.adapt",
    "InformationExtraction": "tasks.records",
    "RelationExtraction": "tasks.relations",
    "SentimentAnalysis": "tasks.scores",
    "NER": "tasks.spans",
    "PIIMasking": "tasks.spans",
    "QuestionAnswering": "tasks.texts",
    "Summarization": "tasks.texts",
    "Translation": "tasks.texts",
    "iter_docs": "documents.read",
    "read_docs": "documents.read",
    "docs_to_dataset": "documents.write",
    "docs_to_pandas": "documents.write",
    "write_docs": "documents.write",
    "to_hf_dataset": "export.export",
    "split_dataset": "split",
    "EmbeddingTeacher": "teach.embedding",
    "label_docs": "teach.label",
    "LLMTeacher": "teach.llm",
    "MajorityTeacher": "teach.majority",
    "CallableTeacher": "teach.teacher",
    "Teacher": "teach.teacher",
    "evaluate_student": "evaluate.evaluate",
    "Report": "evaluate.report",
    "least_sure": "evaluate.sureness",
    "TeacherReport": "evaluate.teacher",
    "teacher_report": "evaluate.teacher",
    "Agreement": "evaluate.two_teachers",
    "agreement": "evaluate.two_teachers",
    "DistillationFramework": "students.frameworks",
    "Student": "students.student",
    "static_base": "train.bases",
    "distill": "train.distillation",
    "choose_next": "relabel.choice",
    "read_corrections": "relabel.corrections",
    "with_corrections": "relabel.corrections",
    "conflicts": "relabel.near_duplicates",
    "Review": "relabel.reviewing",
    "confusions": "relabel.suspicion",
    "plot_confusions": "relabel.suspicion",
    "suspects": "relabel.suspicion",
    "AuditResult": "decide.audit_result",
    "Cascade": "decide.cascade",
    "Comparison": "decide.comparison_result",
    "compare": "decide.comparison",
    "LearningCurve": "decide.curve_result",
    "learning_curve": "decide.curve",
    "MaskingThreshold": "decide.masking",
    "choose_masking": "decide.masking",
    "CascadeThreshold": "decide.threshold_result",
    "choose_threshold": "decide.threshold",
    "update_student": "watch.challenge",
    "StudentUpdate": "watch.challenge_result",
    "drift": "watch.shift",
    "Drift": "watch.shift_result",
    "label_files": "deploy.bulk",
    "Explanation": "deploy.explanation",
    "explain": "deploy.explanation",
    "export_student": "deploy.formats",
    "make_app": "deploy.serve",
}
__all__ = ["Classification", "Doc", "Task", *_LAZY]


def __getattr__(name: str):
    if name not in _LAZY: raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value = getattr(import_module(f".{_LAZY[name]}", __name__), name)
    return value


def __dir__() -> list[str]: return sorted({*globals(), *__all__})
