"""Distil labelled documents into a small, deployable text classifier, with an honest report on it."""
__version__ = "0.1.0"

from importlib import import_module
from typing import TYPE_CHECKING

from .core import Classification, Doc, Task

if TYPE_CHECKING:
    from .cascade import Cascade, CascadeThreshold, choose_threshold
    from .comparison import Comparison, compare
    from .curve import LearningCurve, learning_curve
    from .documents import docs_to_dataset, docs_to_pandas, iter_docs, read_docs, write_docs
    from .evaluate import Report, evaluate_student
    from .export import to_hf_dataset
    from .quality import Agreement, TeacherReport, agreement, least_sure, teacher_report
    from .llm import LLMTeacher
    from .reviewing import Review, read_corrections, with_corrections
    from .split import split_dataset
    from .student import DistillationFramework, Student
    from .suspicion import choose_next, conflicts, confusions, plot_confusions, suspects
    from .tasks import (CustomTask, InformationExtraction, NER, PIIMasking, QuestionAnswering, RelationExtraction, SentimentAnalysis, Summarization, Translation,
                        from_sieves)
    from .teach import CallableTeacher, EmbeddingTeacher, MajorityTeacher, Teacher, label_docs
    from .train import distill

# Names whose modules are imported when they are first asked for (PEP 562), which keeps `import sieves_distill` quick.
_LAZY = {
    "docs_to_dataset": "documents",
    "docs_to_pandas": "documents",
    "iter_docs": "documents",
    "read_docs": "documents",
    "write_docs": "documents",
    "SentimentAnalysis": "tasks",
    "NER": "tasks",
    "PIIMasking": "tasks",
    "InformationExtraction": "tasks",
    "RelationExtraction": "tasks",
    "QuestionAnswering": "tasks",
    "Summarization": "tasks",
    "Translation": "tasks",
    "CustomTask": "tasks",
    "from_sieves": "tasks",
    "Teacher": "teach",
    "CallableTeacher": "teach",
    "EmbeddingTeacher": "teach",
    "MajorityTeacher": "teach",
    "label_docs": "teach",
    "LLMTeacher": "llm",
    "to_hf_dataset": "export",
    "split_dataset": "split",
    "DistillationFramework": "student",
    "Student": "student",
    "distill": "train",
    "Report": "evaluate",
    "evaluate_student": "evaluate",
    "teacher_report": "quality",
    "TeacherReport": "quality",
    "agreement": "quality",
    "Agreement": "quality",
    "least_sure": "quality",
    "suspects": "suspicion",
    "confusions": "suspicion",
    "plot_confusions": "suspicion",
    "conflicts": "suspicion",
    "choose_next": "suspicion",
    "Review": "reviewing",
    "read_corrections": "reviewing",
    "with_corrections": "reviewing",
    "Cascade": "cascade",
    "CascadeThreshold": "cascade",
    "choose_threshold": "cascade",
    "LearningCurve": "curve",
    "learning_curve": "curve",
    "Comparison": "comparison",
    "compare": "comparison",
}
__all__ = ["Classification", "Doc", "Task", *_LAZY]


def __getattr__(name: str):
    if name not in _LAZY: raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value = getattr(import_module(f".{_LAZY[name]}", __name__), name)
    return value


def __dir__() -> list[str]: return sorted({*globals(), *__all__})
