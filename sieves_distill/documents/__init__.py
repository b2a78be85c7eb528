"""Documents, from files and to them"""
from .doc import Doc
from .read import iter_docs, read_docs
from .write import docs_to_dataset, docs_to_pandas, write_docs
