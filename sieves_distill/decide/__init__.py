"""What to know before a student is deployed"""
from .cascade import Cascade
from .comparison import Comparison, compare
from .curve import LearningCurve, learning_curve
from .threshold import CascadeThreshold, choose_threshold
