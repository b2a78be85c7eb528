"""How good is the student, and how good its teacher"""
from .evaluate import evaluate_student
from .report import Report
from .sureness import least_sure
from .teacher import TeacherReport, teacher_report
from .two_teachers import Agreement, agreement
