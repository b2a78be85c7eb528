"""A student in the form that it is deployed in"""
from .explanation import Explanation, explain
from .formats import FORMATS, Format, export_student
