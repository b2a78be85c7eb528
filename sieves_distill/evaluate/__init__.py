"""How good is the student, and how good its teacher"""
from .entities import EntityReport
from .masking import MaskReport
from .records import RecordReport
from .evaluate import evaluate_student, score_answers
from .relations import RelationReport
from .report import MetricsReport, Report, report_of
from .scores import ScoreReport
from .sureness import least_sure
from .teacher import TeacherReport, teacher_report
from .two_teachers import Agreement, agreement
from .writing import WritingReport
