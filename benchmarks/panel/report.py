"""Table and figures from results.jsonl"""
def write(path): pass
