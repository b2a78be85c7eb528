"""How each kind of student is trained"""
from .distillation import distill
