"""What labels texts: one room a teacher"""
from .embedding import EmbeddingTeacher
from .label import label_docs
from .llm import LLMTeacher
from .majority import MajorityTeacher
from .teacher import Answer, CallableTeacher, Teacher, as_teacher
