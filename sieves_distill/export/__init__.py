"""Documents become a dataset, and a dataset the rows that a student learns from"""
from .export import to_hf_dataset
