"""A student in the form that it is deployed in"""
from .formats import FORMATS, Format, export_student
