"""What is asked about a text: one room a kind of answer"""
from .adapt import CustomTask, as_classification, as_distillable, as_task, from_sieves
from .labels import Classification, read_result
from .records import InformationExtraction
from .relations import RelationExtraction
from .scores import SentimentAnalysis
from .spans import NER, PIIMasking
from .task import Task
from .texts import QuestionAnswering, Summarization, Translation
