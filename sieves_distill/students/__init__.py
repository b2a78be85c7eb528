"""What answers: one room a kind of student"""
from .frameworks import FRAMEWORKS, DistillationFramework, Framework
from .student import Student
