"""What to watch after a student is deployed"""
from .challenge import update_student
from .challenge_result import StudentUpdate
from .shift import drift
from .shift_result import Drift
