"""A student in the form that it is deployed in"""
from .bulk import Labelled, label_files, open_student
from .explanation import Explanation, explain
from .formats import FORMATS, Format, export_student
from .serve import make_app
