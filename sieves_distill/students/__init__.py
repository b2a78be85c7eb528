"""What answers: one room a kind of student"""
from .student import DistillationFramework, Student
