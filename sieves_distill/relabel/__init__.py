"""Wrong labels, found and mended"""
from .choice import choose_next
from .corrections import read_corrections, with_corrections
from .near_duplicates import conflicts
from .reviewing import Review
from .suspicion import confusions, plot_confusions, suspects
