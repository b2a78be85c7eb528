"""What to know before a student is deployed"""
from .audit_result import AuditResult
from .cascade import Cascade
from .comparison import compare
from .comparison_result import Comparison
from .curve import learning_curve
from .curve_result import LearningCurve
from .threshold import choose_threshold
from .threshold_result import CascadeThreshold
